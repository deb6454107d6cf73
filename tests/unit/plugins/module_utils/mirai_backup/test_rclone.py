"""rclone: how a store is named, what is refused before the program runs, and what is made of its failures."""

import os

import pytest
from mirai_backup import rclone
from mirai_backup.config import Store
from mirai_backup.errors import ConfigError, PreflightError, StoreError

SECTIONS = """
# written by the role
[s3]
type = s3
access_key_id = canary-id
secret_access_key = canary=secret#1;2
no_check_bucket = true
[dir]
type = local
[dav]
type = webdav
url = http://user:canary-in-url@host/x
key_file = /etc/ssh/key
"""


@pytest.fixture
def program(tmp_path):
    """An rclone that says what the test tells it to."""

    def make(script):
        path = tmp_path / "rclone"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return make


@pytest.fixture
def config(settings_of, tmp_path, program):
    path = tmp_path / "rclone.conf"
    path.write_text(SECTIONS)
    path.chmod(0o600)
    return settings_of(rclone=program("exit 0"), rclone_config=str(path))


@pytest.mark.parametrize(
    ("root", "path", "expected"),
    [
        ("b/p", "full/x", "s:b/p/full/x"),
        ("", "full/x", "s:full/x"),
        ("/", "full/x", "s:/full/x"),
        ("/mnt/a", "", "s:/mnt/a"),
    ],
)
def test_names(root, path, expected):
    assert rclone.Remote("rclone", "c", Store("s", root), "local").at(path) == expected


def test_secrets_are_known_and_harmless_words_are_none(config):
    assert rclone.remote(config, Store("s3", "b")).secrets == ("canary-id", "canary=secret#1;2")
    assert rclone.remote(config, Store("dav", "b")).secrets == ("canary-in-url",)
    assert "canary" not in repr(rclone.remote(config, Store("s3", "b")))


@pytest.mark.parametrize(
    ("store", "message"),
    [
        (Store("none", "b"), r"no section \[none\]"),
        (Store("dir", "relative"), "not absolute"),
        (Store("dir", "/mnt", write_only=True), "write_only, but of type local"),
    ],
)
def test_a_store_that_cannot_work_is_refused(config, store, message):
    with pytest.raises(ConfigError, match=message):
        rclone.remote(config, store)


def test_a_configuration_that_others_read_or_nobody_understands_is_refused_without_showing_it(config):
    os.chmod(config.rclone_config, 0o640)
    with pytest.raises(ConfigError, match="mode 0640"):
        rclone.remote(config, Store("s3", "b"))
    with open(config.rclone_config, "w") as file:
        file.write("canary without a section\n")
    os.chmod(config.rclone_config, 0o600)
    with pytest.raises(ConfigError) as caught:
        rclone.remote(config, Store("s3", "b"))
    assert "canary" not in str(caught.value)


def test_no_program(settings_of, config):
    with pytest.raises(PreflightError, match="command not found"):
        rclone.remote(settings_of(rclone="/no/such", rclone_config=config.rclone_config), Store("s3", "b"))


def test_a_failure_is_told_without_secrets_and_without_rclones_time(config, program):
    program('echo "2026/11/24 18:59:48 ERROR : canary=secret#1;2 was refused" >&2; exit 1')
    where = rclone.remote(config, Store("s3", "b"))
    with pytest.raises(StoreError) as caught:
        rclone.put(where, "/x", "full/x")
    assert "offsite store s3: rclone exited with status 1: ERROR : ******** was refused" in str(caught.value)


def test_what_is_not_there_is_none_and_other_failures_are_errors(config, program):
    where = rclone.remote(config, Store("s3", "b"))
    for answer in ("exit 3", "exit 4", """echo '{"Path": "", "Size": -1, "IsDir": true}'"""):
        program(answer)
        assert rclone.look(where, "full/x") is None
    program("exit 1")
    with pytest.raises(StoreError):
        rclone.look(where, "full/x")
    program("exit 4")
    rclone.delete(where, "full/x")
    program("exit 5")
    with pytest.raises(StoreError):
        rclone.delete(where, "full/x")


def test_no_credential_is_an_argument_and_no_question_is_asked(config, program, tmp_path):
    program(f'printf "%s\\n" "$@" > {tmp_path}/argv; env > {tmp_path}/env; cat > {tmp_path}/stdin')
    store = Store("s3", "b/p", bandwidth_limit="08:00,2M 20:00,off", write_only=True)
    rclone.put(rclone.remote(config, store), "/x", "full/x")
    argv = (tmp_path / "argv").read_text().splitlines()
    assert argv[-3:] == ["--no-traverse", "/x", "s3:b/p/full/x"]
    assert "--bwlimit=08:00,2M 20:00,off" in argv and "--ask-password=false" in argv and "--s3-no-head" in argv
    assert "canary" not in "".join(argv) + (tmp_path / "env").read_text()
    assert (tmp_path / "stdin").read_text() == ""
