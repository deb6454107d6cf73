"""deflate: one plain gzip stream, whatever the blocks it was fed in."""

import gzip
import random
import zlib

import pytest
from mirai_backup import deflate

TEXT = b"".join(b"%d bridges, %d tunnels\n" % (n * 7919 % 1000, n) for n in range(300_000))


def encoded(blocks, how=deflate.encoder):
    found = []
    feed, finish = how(found.append)
    for block in blocks:
        feed(block)
    finish()
    return b"".join(found)


@pytest.mark.parametrize("size", [1000, 65536, 1 << 20, (1 << 20) + 1, len(TEXT)])
def test_what_goes_in_comes_out(size):
    raw = encoded(TEXT[start : start + size] for start in range(0, len(TEXT), size))
    assert gzip.decompress(raw) == TEXT
    decoder = zlib.decompressobj(31)
    assert decoder.decompress(raw) == TEXT and decoder.eof and decoder.unused_data == b""  # one member


@pytest.mark.parametrize("size", [1000, deflate.STORED, deflate.STORED + 1, 16 * deflate.STORED, len(TEXT)])
def test_what_is_only_wrapped_comes_out_too(size):
    raw = encoded((TEXT[start : start + size] for start in range(0, len(TEXT), size)), deflate.stored)
    assert gzip.decompress(raw) == TEXT
    assert TEXT[:900] in raw and len(raw) < 1.01 * len(TEXT)
    decoder = zlib.decompressobj(31)
    assert decoder.decompress(raw) == TEXT and decoder.eof and decoder.unused_data == b""  # one member
    assert gzip.decompress(encoded([], deflate.stored)) == gzip.decompress(encoded([b""], deflate.stored)) == b""


def test_it_compresses_as_well_as_in_one_piece():
    assert len(encoded([TEXT])) < 1.01 * len(gzip.compress(TEXT, 1))


def test_nothing_is_a_stream_too():
    assert gzip.decompress(encoded([])) == gzip.decompress(encoded([b""])) == b""


def test_what_cannot_be_compressed_grows_hardly():
    noise = random.Random(7).randbytes(3_000_000)
    raw = encoded([noise])
    assert gzip.decompress(raw) == noise
    assert len(raw) < 1.001 * len(noise)


def test_a_reused_buffer_is_no_trap():
    buffer = bytearray(b"a" * 1000)
    found = []
    feed, finish = deflate.encoder(found.append)
    feed(memoryview(buffer))
    buffer[:] = b"b" * 1000
    finish()
    assert gzip.decompress(b"".join(found)) == b"a" * 1000


def test_a_full_disk_is_raised_where_the_bytes_are_fed():
    def full(block):
        if len(block) > 100:
            raise OSError(28, "No space left on device")

    feed, finish = deflate.encoder(full)
    feed(TEXT[:1000])
    with pytest.raises(OSError, match="No space left"):
        finish()
