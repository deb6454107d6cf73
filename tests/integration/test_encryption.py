"""Encrypted backups: the server writes what it cannot read, and whoever holds the key gets everything back."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import keys
import pytest

CANARY_FILE = "canary-file-7d1f0c"
PASSPHRASE = "canary passphrase 4c1e9a"
KINDS = [("full",), ("database", "--db-only"), ("json", "--json-only")]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """The keys: a recipient, a second one, a stranger, and one with a passphrase."""
    directory = tmp_path_factory.mktemp("keys")
    made = {name: keys.make(directory, name) for name in ("first", "second", "stranger")}
    made["locked"] = keys.make(directory, "locked", passphrase=PASSPHRASE)
    return made


@pytest.fixture
def no_keyring(tmp_path, monkeypatch):
    """Whoever runs this has an empty keyring."""
    home = Path("/dev/shm") / f"mirai-empty-{os.getpid()}"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    yield home
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True)
    shutil.rmtree(home)


@pytest.fixture
def encrypted(app, pairs, no_keyring):
    """An application whose backups are encrypted to the first and the second key."""
    home = app.directory / "gnupg"
    keys.into(home, *(pairs[name].public for name in ("first", "second", "locked")))
    (app.data / "canary.json").write_text(json.dumps([CANARY_FILE] * 50))
    app.configure(gpg_home=str(home), gpg_recipients=[pairs["first"].fingerprint, pairs["second"].fingerprint])
    return app


@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one[0])
@pytest.mark.parametrize("compression", ["gzip", "zlib"])
def test_what_the_server_writes_only_the_key_reads(encrypted, pairs, kind, compression):
    app = encrypted
    app.configure(compression=compression)
    before = app.content()
    app.succeed("backup", *kind[1:])
    artifacts = [path for path in app.files() if path.name.endswith(".gpg")]
    assert artifacts and all(CANARY_FILE.encode() not in content for content in app.files().values())
    shown = app.succeed("--json", "info").document
    assert shown["manifest"]["encryption"] == {"recipients": [pairs["first"].fingerprint, pairs["second"].fingerprint]}
    assert shown["backup"]["encrypted"] is True

    verified = app.run("verify")
    assert verified.code == 4 and "every byte is as sealed; not decoded: no private key is here" in verified.out
    for name in ("first", "second"):
        assert app.succeed("verify", "--key", str(pairs[name].private)).out.strip().endswith("pass")

    app.sql("DELETE FROM audit.log")
    (app.data / "canary.json").unlink()
    damaged = app.content()
    refused = app.run("restore", "latest", *kind[1:])
    assert refused.code == 12 and "no private key is here" in refused.err and app.content() == damaged
    wrong = app.run("restore", "latest", *kind[1:], "--key", str(pairs["stranger"].private))
    assert wrong.code == 12 and app.content() == damaged
    app.succeed("restore", "latest", *kind[1:], "--key", str(pairs["second"].private))
    rows, files = app.content()
    assert (rows == before[0]) is (kind[0] != "json")
    assert (files == before[1]) is (kind[0] != "database")
    assert keys.leftovers() == []


def test_the_guides_command_decrypts_by_hand(encrypted, pairs, tmp_path):
    encrypted.succeed("backup")
    (artifact,) = (encrypted.repository / "full").glob("*.gpg")
    out = tmp_path / "out"
    out.mkdir()
    with keys.short_home() as home:
        keys.gpg(home, "--import", pairs["first"].private)
        plain = out / artifact.name[: -len(".gpg")]
        plain.write_bytes(keys.gpg(home, "--decrypt", artifact))
    for command in (
        ["tar", "-xzf", plain, "-C", out],
        ["bash", "-c", f"gunzip {out}/database/mirai_db_*.sql.gz && tar -xzf {out}/json/mirai_json_*.tar.gz -C {out}"],
        ["bash", "-c", f"{encrypted.server.bindir}/pg_restore --list {out}/database/mirai_db_*.sql"],
    ):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert "audit log" in done.stdout
    assert CANARY_FILE in (out / "data" / "canary.json").read_text()


def test_no_agent_key_or_home_is_left_and_no_secret_is_in_an_argv(encrypted, pairs, tmp_path):
    app = encrypted
    app.configure(gpg_recipients=[pairs["locked"].fingerprint])
    passphrase = tmp_path / "passphrase"
    passphrase.write_text(PASSPHRASE + "\n")
    app.succeed("backup")
    key = ("--key", str(pairs["locked"].private))
    without = app.run("verify", *key)
    assert without.code == 12 and "passphrase is missing or wrong" in without.out
    wrong = tmp_path / "wrong"
    wrong.write_text("not it\n")
    assert app.run("restore", "latest", *key, "--key-passphrase-file", str(wrong)).code == 12
    absent = app.run("restore", "latest", *key, "--key-passphrase-file", str(tmp_path / "absent"))
    assert absent.code == 12 and "absent cannot be read" in absent.err

    running = app.start("restore", "latest", *key, "--key-passphrase-file", str(passphrase))
    seen = set()
    while running.poll() is None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.add(path.read_bytes())
            except OSError:
                continue
    out, err = running.communicate()
    assert running.returncode == 0, err
    assert any(b"--decrypt" in one for one in seen)
    everything = b"\0".join(seen) + (out + err).encode() + app.log.read_bytes()
    assert PASSPHRASE.encode() not in everything and CANARY_FILE.encode() not in everything
    assert b"PRIVATE KEY BLOCK" not in everything
    assert keys.leftovers() == []
    time.sleep(0.5)
    agents = subprocess.run(["pgrep", "-af", "gpg-agent.*mirai-gpg-"], capture_output=True, text=True, check=False)
    assert agents.stdout == ""


def test_the_keyring_of_whoever_runs_it_opens_it_too(encrypted, pairs, no_keyring):
    encrypted.succeed("backup")
    keys.gpg(no_keyring, "--import", pairs["first"].private)
    encrypted.succeed("verify")
    encrypted.succeed("restore", "latest")


def test_single_tables_and_files_come_out_of_an_encrypted_backup(encrypted, pairs):
    encrypted.succeed("backup")
    key = ("--key", str(pairs["first"].private))
    assert encrypted.run("restore", "latest", "--file", "canary.json").code == 12
    result = encrypted.succeed("--json", "restore", "latest", "--file", "canary.json", "--table", "audit.log", *key)
    assert (Path(result.document["directory"]) / "canary.json").read_text().count(CANARY_FILE) == 50
    assert encrypted.sql(f'SELECT count(*) FROM "{result.document["schema"]}".log') == "900"


@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one[0])
def test_a_drill_proves_decryption_and_finds_its_own_damage(encrypted, pairs, kind):
    app = encrypted
    app.configure(drill_dir=str(app.directory), drill_user="postgres" if os.geteuid() == 0 else "")
    app.directory.chmod(0o755)
    for parent in app.directory.parents[:2]:
        parent.chmod(0o755)
    app.succeed("backup", *kind[1:])
    refused = app.run("--json", "drill")
    assert refused.code == 12
    document = refused.document
    assert document["verdict"] == "could_not_verify"
    checks = {one["name"]: one for one in document["checks"]}
    assert checks["manifest"]["verdict"] == "pass" and "no private key is here" in checks["artifacts"]["detail"]
    assert (Path(document["directory"]) / "report.html").exists()
    damages = set()
    for _turn in range(2):
        passed = app.succeed("--json", "drill", "--key", str(pairs["first"].private)).document
        damages.add(passed["negative_control"]["damage"])
    assert {"truncation", "flipped_bytes"} & damages
    assert keys.leftovers() == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one[0])
def test_damage_is_damage_with_and_without_the_key(encrypted, pairs, kind):
    app = encrypted
    app.succeed("backup", *kind[1:])
    chance = random.Random(7)
    artifacts = sorted(path for path in app.files() if path.name.endswith(".gpg"))
    for artifact in artifacts:
        whole = artifact.read_bytes()
        places = [0, 1, 5, 12, 60, len(whole) - 1, *(chance.randrange(len(whole)) for _turn in range(3))]
        for place in places:
            flipped = bytearray(whole)
            flipped[place] ^= 1 << chance.randrange(8)
            artifact.write_bytes(flipped)
            for key in ((), ("--key", str(pairs["first"].private))):
                result = app.run("verify", *key)
                assert result.code == 2 and artifact.name in result.out, (place, result)
            assert app.run("restore", "latest", *kind[1:], *key).code == 2
        artifact.write_bytes(whole[: chance.randrange(len(whole))])
        assert app.run("verify", "--all").code == 2
        artifact.write_bytes(whole)
    app.succeed("verify", "--key", str(pairs["first"].private))


@pytest.mark.parametrize("cause", ["empty", "absent", "expired", "revoked", "subkey", "no gpg"])
def test_without_a_usable_key_nothing_is_written_at_all(app, pairs, tmp_path, cause):
    home, fingerprint = app.directory / "gnupg", pairs["first"].fingerprint
    words, extra = "is not there", {}
    if cause == "empty":
        home.mkdir(mode=0o700)
    elif cause == "expired":
        old = keys.make(tmp_path, "old", expires="1d", clock="2 days ago")
        keys.into(home, old.public)
        fingerprint, words = old.fingerprint, "has expired"
    elif cause == "revoked":
        with keys.short_home() as short:
            keys.gpg(short, "--import", pairs["first"].private)
            (revocation,) = [_revocation(short, fingerprint)]
            keys.gpg(short, "--import", content=revocation)
            public = tmp_path / "revoked.asc"
            public.write_bytes(keys.gpg(short, "--armor", "--export", fingerprint))
        keys.into(home, public)
        words = "is revoked"
    elif cause == "subkey":
        keys.into(home, pairs["first"].public)
        colons = keys.gpg(home, "--with-colons", "--list-keys").decode()
        fingerprint = [line.split(":")[9] for line in colons.splitlines() if line.startswith("fpr")][1]
        words = "is a subkey"
    elif cause == "no gpg":
        keys.into(home, pairs["first"].public)
        words = "gpg: command not found"
        app.configure(compression="zlib")
    app.configure(gpg_home=str(home), gpg_recipients=[fingerprint])
    if cause == "no gpg":
        bin_directory = tmp_path / "bin"
        bin_directory.mkdir()
        code = (
            "import sys; from mirai_backup import gpg, cli; import shutil; real = shutil.which;"
            "shutil.which = lambda name, **more: None if name.startswith('gpg') else real(name, **more);"
            "sys.exit(cli.main(sys.argv[1:]))"
        )
        argv = app.argv("backup")
        done = subprocess.run([argv[0], "-c", code, *argv[3:]], capture_output=True, text=True, check=False,
                              env=app.environment())  # fmt: skip
        code, err = done.returncode, done.stderr
    else:
        result = app.run("backup", **extra)
        code, err = result.code, result.err
    assert code == 1 and words in err and "next:" in err, err
    assert app.files() == {}
    assert not list((app.repository / ".staging").glob("*"))
    if cause != "no gpg":
        assert app.run("check").code == 1 and words in app.run("check").out


def _revocation(home: Path, fingerprint: str) -> bytes:
    """The revocation certificate that gpg made beside the key, or one made now."""
    argv = ["gpg", "--homedir", str(home), "--no-tty", "--quiet", "--yes", "--command-fd", "0", "--pinentry-mode",
            "loopback", "--gen-revoke", fingerprint]  # fmt: skip
    done = subprocess.run(argv, input=b"y\n0\n\ny\n", capture_output=True, check=False)
    assert b"PUBLIC KEY BLOCK" in done.stdout, done.stderr.decode()
    return done.stdout


def test_a_key_that_expires_soon_is_named_in_every_run_and_by_check(app, tmp_path):
    soon = keys.make(tmp_path, "soon", expires="20d")
    home = app.directory / "gnupg"
    keys.into(home, soon.public)
    app.configure(gpg_home=str(home), gpg_recipients=[soon.fingerprint])
    result = app.succeed("--json", "backup").document
    assert any(f"recipient key {soon.fingerprint} expires in" in one for one in result["warnings"])
    assert f"WARNING recipient key {soon.fingerprint} expires in" in app.log.read_text()
    checked = app.run("--json", "check")
    assert checked.code == 0 and any("expires in" in one for one in checked.document["warnings"])
    assert checked.document["keys"][0]["fingerprint"] == soon.fingerprint


def test_gpg_that_dies_leaves_nothing(encrypted, tmp_path):
    """A gpg that fails half way is never answered with a backup, least of all a readable one."""
    broken = tmp_path / "bin"
    broken.mkdir()
    real = shutil.which("gpg")
    (broken / "gpg").write_text(
        f'#!/bin/sh\ncase "$*" in *--encrypt*) {real} "$@" | head -c 700; exit 2;; *) exec {real} "$@";; esac\n'
    )
    (broken / "gpg").chmod(0o755)
    result = encrypted.run("backup", PATH=f"{broken}:{os.environ['PATH']}")
    assert result.code == 1 and "gpg" in result.err
    assert encrypted.files() == {} and not list((encrypted.repository / ".staging").glob("*"))
    encrypted.succeed("backup")


def test_killed_at_any_moment_no_plaintext_is_on_the_disk(encrypted, pairs):
    app = encrypted
    app.configure(compression="gzip")
    # Stored, not squeezed: what does not compress still shows the canary's neighbourhood byte by byte.
    noise = os.urandom(3 << 20)
    (app.data / "noise.bin").write_bytes(CANARY_FILE.encode() + noise)
    needle = noise[1_000_000:1_000_064]
    begun = time.monotonic()
    app.succeed("backup")
    length = time.monotonic() - begun
    chance, seen = random.Random(3), 0
    for _round in range(12):
        running = app.start("backup")
        time.sleep(chance.uniform(0.3, 1.0) * length)
        seen += bool(list((app.repository / ".staging").glob("run-*")))
        os.kill(running.pid, signal.SIGKILL)
        running.communicate()
        for path in app.repository.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert needle not in content and not content.startswith(b"\x1f\x8b"), path
    assert seen, "no run was killed while it staged anything"
    app.succeed("backup")
    assert not list((app.repository / ".staging").glob("*"))
    assert all(one["problem"] == "" for one in app.succeed("--json", "list").document["backups"])
    app.succeed("verify", "--key", str(pairs["first"].private))


def test_pruning_takes_all_files_of_an_encrypted_backup(encrypted):
    app = encrypted
    for _number in range(2):
        app.succeed("backup", "--db-only")
    manifests = sorted((app.repository / "database").glob("*.manifest.json"))
    assert len(app.files()) == 6  # two artifacts and a manifest each
    code = (
        "import sys; from mirai_backup import config, repository, seal; c = config.load(sys.argv[1]);"
        "seal.remove(c.repository, repository.listing(c.repository).backups[0])"
    )
    subprocess.run([app.argv()[0], "-c", code, str(app.config_path)], check=True, env=app.environment())
    assert len(app.files()) == 3 and manifests[1].exists() and not manifests[0].exists()
