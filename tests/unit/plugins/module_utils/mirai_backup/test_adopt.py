"""adopt: what the guide's scripts left becomes a backup, as far as it can be vouched for."""

import gzip
import io
import os
import tarfile

import pytest
from mirai_backup import adopt, repository, restore, verify
from mirai_backup.errors import NotFoundError
from mirai_backup.restore import Request

STAMP = "20260101_020000"


@pytest.fixture
def settings(settings_of, postgresql, repo):
    return settings_of(database_url="postgresql://app:x@localhost/mirai", admin_url="postgresql://app:x@localhost/mirai",
                       pg_bindir=postgresql.bindir)  # fmt: skip


def files(names=("a.json",)) -> bytes:
    """An archive of the files as the guide's script makes it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        root = tarfile.TarInfo("data")
        root.type, root.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(root)
        for name in names:
            info = tarfile.TarInfo(f"data/{name}")
            info.size, info.mode = 3, 0o640
            archive.addfile(info, io.BytesIO(b"[1]"))
    return made.getvalue()


def put(path, content) -> str:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    return str(path)


def full(path, members) -> str:
    """A full archive of the script: the whole history of dumps and archives."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return put(path, made.getvalue())


def test_an_archive_of_the_files_is_adopted_where_it_lies(settings, repo, tmp_path):
    path = put(f"{repo}/json/mirai_json_{STAMP}.tar.gz", files(("a.json", "b.json")))
    outcome = adopt.run(settings)
    assert (outcome.exit_code, outcome.document["adopted"]) == (0, [f"mirai_json_{STAMP}"])
    (found,) = repository.listing(repo).backups
    assert (found.path, found.manifest.files["count"], found.head.sequence) == (path, 2, 0)
    assert verify.run(settings).exit_code == 0
    restore.run(settings, Request(components="json", to_dir=str(tmp_path / "copy")))
    assert sorted(os.listdir(tmp_path / "copy")) == ["a.json", "b.json"]


def test_a_dump_is_adopted_without_a_fingerprint_and_that_is_said(settings, repo):
    put(f"{repo}/database/mirai_db_{STAMP}.sql.gz", gzip.compress(b"PGDMP"))
    adopt.run(settings)
    (found,) = repository.listing(repo).backups
    head = found.manifest
    assert (head.database["server_version"], head.database["fingerprint"]) == ("15.14", None)
    assert (head.database["roles"], head.database["system_identifier"]) == (["app"], "1")
    assert "not proven" in head.warnings[0]


def test_the_newest_parts_are_taken_out_of_a_full_archive(settings, repo):
    dump = gzip.compress(b"PGDMP")
    path = full(
        f"{repo}/full/mirai_full_{STAMP}.tar.gz",
        {
            f"database/mirai_db_{STAMP}.sql.gz": dump,
            "database/mirai_db_20251231_020000.sql.gz": dump,
            f"json/mirai_json_{STAMP}.tar.gz": files(),
            "notes.txt": b"",
        },
    )
    before = open(path, "rb").read()
    outcome = adopt.run(settings)
    assert sorted(outcome.document["adopted"]) == [f"mirai_db_{STAMP}", f"mirai_json_{STAMP}"]
    assert open(path, "rb").read() == before
    assert adopt.run(settings).document["adopted"] == []


def test_one_from_elsewhere_is_copied_in(settings, repo, tmp_path):
    path = put(tmp_path / "old" / f"mirai_json_{STAMP}.tar.gz", files())
    adopt.run(settings, (path,))
    assert repository.listing(repo).backups[0].path == f"{repo}/json/mirai_json_{STAMP}.tar.gz"


@pytest.mark.parametrize("name", ["notes.txt", f"mirai_json_{STAMP}.tar.gz"])
def test_what_is_no_such_archive_is_an_error(settings, tmp_path, name):
    with pytest.raises(NotFoundError, match="is no archive of the guide's script"):
        adopt.run(settings, (str(tmp_path / name),))


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        (f"json/mirai_json_{STAMP}.tar.gz", files()[:-20], "it cannot be decoded"),
        (f"json/mirai_json_{STAMP}.tar.gz", files(("a.json", "a.json")), "it holds data/a.json twice"),
        (f"database/mirai_db_{STAMP}.sql.gz", b"no gzip", "it is not a custom-format dump inside gzip"),
        (f"full/mirai_full_{STAMP}.tar.gz", b"no gzip", "not a gzip file"),
    ],
)
def test_what_does_not_decode_is_not_adopted_and_named(settings, repo, name, content, why):
    path = put(f"{repo}/{name}", content)
    outcome = adopt.run(settings)
    assert (outcome.exit_code, list(outcome.document["refused"])) == (3, [path])
    assert why in outcome.document["refused"][path]
    assert repository.listing(repo).backups == ()
    assert os.path.exists(path)


def test_a_dump_in_plain_sql_is_not_vouched_for(settings, repo, postgresql):
    postgresql.client("pg_restore", "cat >/dev/null; echo nothing")
    put(f"{repo}/database/mirai_db_{STAMP}.sql.gz", gzip.compress(b"CREATE TABLE"))
    assert "it is not a custom-format dump" in adopt.run(settings).lines[0]


def test_a_full_archive_without_parts_is_refused(settings, repo):
    full(f"{repo}/full/mirai_full_{STAMP}.tar.gz", {"notes.txt": b""})
    assert "holds neither a dump nor an archive of the files" in adopt.run(settings).lines[0]


def test_older_ones_come_before_everything_that_is_there(settings, repo, sealed):
    sealed("json", sequence=5)
    for stamp in ("20250101_020000", "20250102_020000"):
        put(f"{repo}/json/mirai_json_{stamp}.tar.gz", files())
    adopt.run(settings)
    order = [(one.head.sequence, one.id[-15:]) for one in repository.listing(repo).backups]
    assert order == [(-1, "20250101_020000"), (0, "20250102_020000"), (5, order[-1][1])]


def test_where_there_is_nothing_that_is_said(settings):
    assert adopt.run(settings).lines == ("there is nothing to adopt",)
