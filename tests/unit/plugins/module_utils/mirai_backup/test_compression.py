"""compression: every program that is there, the standard library besides, and no truncation unseen."""

import os
import random
import zlib

import pytest
from mirai_backup import command, compression, deflate, process
from mirai_backup.errors import DecryptError, EngineError, PreflightError, ProcessError

CONTENT = random.Random(7).randbytes(300_000) + b"0" * 5_000_000 + b"the end"
PRESENT = [name for name in ("igzip", "pigz", "gzip", "zlib", "zstd") if name == "zlib" or compression._which(name)]


def encoded(name, content=CONTENT):
    chosen, blocks = compression.choose(name), []
    if chosen.stages:
        process.pump(chosen.stages, blocks.append, lambda write: write(content))
    else:
        feed, finish = deflate.encoder(blocks.append)
        feed(content)
        finish()
    return b"".join(blocks), chosen.extension


def decoded(file_name, raw, block=65536):
    stages, source = compression.decoded(
        file_name, lambda write: [write(raw[start : start + block]) for start in range(0, len(raw), block)]
    )
    blocks = []
    process.pump(stages, blocks.append, source)
    return b"".join(blocks)


@pytest.fixture
def only(tmp_path, monkeypatch):
    """Leaves only the programs named on the PATH."""

    def choose(*names):
        for name in names:
            os.symlink(compression._which(name), tmp_path / name)
        monkeypatch.setattr(command, "_SYSTEM_PATH", "")
        monkeypatch.setenv("PATH", str(tmp_path))

    return choose


@pytest.mark.parametrize("name", PRESENT)
def test_round_trip(name):
    raw, extension = encoded(name)
    assert len(raw) < 500_000
    assert decoded(f"x{extension}", raw) == CONTENT


@pytest.mark.parametrize("name", PRESENT)
@pytest.mark.parametrize("decoder", ["zlib", *PRESENT])
def test_whoever_wrote_it_any_decoder_sees_a_truncation(only, name, decoder):
    raw, extension = encoded(name, CONTENT[-400_000:])
    if extension == ".zst":
        decoder = "zstd"
    elif decoder == "zstd":
        decoder = "gzip"
    only(*([] if decoder == "zlib" else [decoder]))
    assert decoded(f"x{extension}", raw) == CONTENT[-400_000:]
    for end in (0, 1, 9, 11, 200, len(raw) // 2, len(raw) - 9, len(raw) - 4, len(raw) - 1):
        if end < len(raw):
            with pytest.raises((ProcessError, EOFError, zlib.error)):
                decoded(f"x{extension}", raw[:end])


@pytest.mark.parametrize("block", [1, 7, 100_000])
def test_zlib_decodes_in_any_blocks_and_several_members(block):
    raw = encoded("zlib", CONTENT[:2000] + b"0" * 3_000_000)[0]
    blocks = []
    feed, finish = compression.zlib_decoder(blocks.append)
    for start in range(0, 2 * len(raw), block):
        feed((raw + raw)[start : start + block])
    finish()
    assert b"".join(blocks) == 2 * (CONTENT[:2000] + b"0" * 3_000_000)
    assert max(map(len, blocks)) <= 1 << 20


def test_auto_takes_the_fastest_that_is_there(only):
    only("gzip")
    assert compression.choose("auto").name == "gzip"
    os.unlink(compression._which("gzip"))
    assert compression.choose("auto") == compression.Compression("zlib", ".gz", ())


def test_a_program_that_is_not_there_is_named(only):
    only()
    with pytest.raises(PreflightError, match="pigz: command not found, but compression is pigz") as caught:
        compression.choose("pigz")
    assert caught.value.next_step == "install pigz, or set compression to auto"
    with pytest.raises(PreflightError, match=r"x\.sql\.zst cannot be decoded: zstd is not installed"):
        compression.decoder("x.sql.zst")
    assert compression.decoder("x.sql.gz") == ()


def test_what_is_not_known_here_is_not_guessed_at(only):
    with pytest.raises(EngineError, match="x.lz4 ends in no compression that is known here"):
        compression.decoder("x.lz4")
    only()
    with pytest.raises(PreflightError, match="zstd is not installed") as caught:
        compression.decoder("x.zst")
    assert caught.value.next_step == "install zstd"


def test_what_is_encrypted_takes_a_key():
    with pytest.raises(DecryptError, match="there is no key to read it with"):
        compression.decoded("x.sql.gz.gpg", lambda _write: None)
