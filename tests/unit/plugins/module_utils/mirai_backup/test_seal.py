"""seal: whatever the instant of a death, the next sweep leaves a backup or nothing."""

import itertools
import os

import pytest
from mirai_backup import repository, safefile, seal
from mirai_backup.errors import EngineError

CALLS = ("open", "mkdir", "rename", "unlink", "rmdir", "fsync", "chown")


class Killed(BaseException):
    """Stands for SIGKILL: from here on not even the clean-up runs."""


@pytest.fixture
def dies(monkeypatch):
    """Runs something that is killed before its system call number ``step``; says whether it came that far."""

    def run(step, act):
        counter = itertools.count()

        def mortal(real):
            def call(*arguments, **more):
                if next(counter) >= step:
                    raise Killed
                return real(*arguments, **more)

            return call

        with monkeypatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, mortal(getattr(os, name)))
            try:
                act()
            except Killed:
                return True
        return False

    return run


@pytest.fixture
def foreign(repo, contents):
    """Puts foreign files with tempting names into the repository, and says whether they are still there."""
    names = (
        "json/mirai_json_20250101_000000.tar.gz",
        "json/.mirai_notes.tmp",
        "json/.mirai_json_20250101_000000.tar.gz.tmp",
        "full/mirai_full_x.tar.gz.manifest.json.bak",
        ".staging/other/file",
        "notes.txt",
    )
    for name in names:
        os.makedirs(os.path.dirname(os.path.join(repo, name)), exist_ok=True)
        with open(os.path.join(repo, name), "wb") as file:
            file.write(name.encode())
    os.symlink("/etc", f"{repo}/database/mirai_db_20250101_000000.sql.gz")
    before = contents(repo)
    return lambda: before.items() <= contents(repo).items()


def publish(repo, staged, sign=None, **values):
    with seal.staging(repo) as stage:
        head = staged(stage, **values)
        return seal.publish(repo, stage, head, lambda: iter(()), sign)


def signature(path):
    safefile.write(path + ".sig", iter((b"signature",)))


def test_a_sealed_backup_is_there_and_nothing_else_is(repo, staged, contents):
    before = set(contents(repo))
    path = publish(repo, staged)
    assert set(contents(repo)) - before == {f"json/{os.path.basename(path)}", f"json/{os.path.basename(path)[:-14]}"}
    (found,) = repository.listing(repo).good()
    assert found.manifest_path == path
    for name in contents(repo):
        assert os.lstat(f"{repo}/{name}").st_mode & 0o077 == 0, name


@pytest.mark.parametrize(("sign", "files"), [(None, 2), (signature, 3)])
def test_killed_at_any_step_of_publishing(repo, staged, dies, foreign, contents, sign, files):
    publish(repo, staged, sequence=1)
    for step in itertools.count():
        before = contents(repo)
        killed = dies(step, lambda number=2 + step: publish(repo, staged, sign, sequence=number))
        seal.sweep(repo)
        assert foreign()
        listing = repository.listing(repo)
        assert all(not one.problem for one in listing.backups)
        assert len(listing.unsealed) == 2  # the foreign ones
        assert len(contents(repo)) - len(before) == files * (len(listing.backups) - 1)  # all of a backup, or nothing
        for one in listing.backups[1:]:
            assert one.signed is (sign is not None) and one.files[-1] == os.path.basename(one.manifest_path)
            seal.remove(repo, one)
        if not killed:
            break
    assert step > 15


def test_killed_at_any_step_of_removing(repo, sealed, dies, foreign, contents):
    empty = contents(repo)
    for step in itertools.count():
        sealed(sequence=1)
        whole = contents(repo)
        (backup,) = repository.listing(repo).backups
        repository.pin(repo, backup.id)
        killed = dies(step, lambda one=backup: seal.remove(repo, one))
        seal.sweep(repo)
        repository.release(repo, backup.id)
        assert contents(repo) in (empty, whole)
        assert foreign()
        if not killed:
            break
        for one in repository.listing(repo).backups:
            seal.remove(repo, one)
    assert contents(repo) == empty
    assert step > 8


def test_killed_at_any_step_of_sweeping(repo, staged, dies, foreign, contents):
    clean = contents(repo)
    for step in itertools.count():
        dies(11, lambda: publish(repo, staged))
        assert contents(repo) != clean
        killed = dies(step, lambda: seal.sweep(repo))
        seal.sweep(repo)
        assert contents(repo) == clean
        assert foreign()
        if not killed:
            break
    assert step > 3


def test_a_failure_leaves_nothing_without_a_sweep(repo, staged, contents, monkeypatch):
    before = contents(repo)

    def fail(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(seal.manifest, "write", fail)
    with pytest.raises(OSError, match="No space left"):
        publish(repo, staged)
    assert contents(repo) == before


@pytest.mark.parametrize("suffix", ["", ".manifest.json"])
def test_a_foreign_file_under_a_final_name_is_an_error_and_stays(repo, staged, contents, suffix):
    with open(f"{repo}/json/mirai_json_20260101_000001.tar.gz{suffix}", "wb") as file:
        file.write(b"foreign")
    before = contents(repo)
    with pytest.raises(EngineError, match="is already there") as caught:
        publish(repo, staged)
    assert caught.value.next_step == "move the foreign file away"
    assert contents(repo) == before


def test_sweeping_says_what_is_gone_and_needs_no_directory(repo, staged, dies):
    dies(11, lambda: publish(repo, staged))
    gone = seal.sweep(repo)
    assert any("/.staging/run-" in path for path in gone)
    assert seal.sweep(repo) == []
    os.rmdir(f"{repo}/database")
    os.rmdir(f"{repo}/.staging")
    assert seal.sweep(repo) == []


@pytest.mark.parametrize(
    "half",
    [
        "json/.mirai_json_20261124_020000.tar.gz.manifest.json.0123abcd.tmp",
        ".restore/.20261124_020001_restore.json.0123abcd.tmp",
    ],
)
def test_what_a_dead_run_did_not_finish_writing_is_swept_and_nobody_elses(repo, half):
    half = os.path.join(repo, half)
    os.makedirs(os.path.dirname(half), exist_ok=True)
    foreign = os.path.join(repo, "json", ".notes.0123abcd.tmp")
    for path in (half, foreign):
        with open(path, "w"):
            pass
    assert seal.sweep(repo) == [half]
    assert os.path.exists(foreign)


@pytest.mark.parametrize(("module", "name"), [("tempfile", "mkdtemp"), ("shutil", "rmtree")])
def test_an_interrupt_while_the_directory_is_made_or_cleared_leaves_none(repo, strike, monkeypatch, module, name):
    call = getattr(getattr(seal, module), name)

    def struck(*arguments, **options):
        done = call(*arguments, **options)
        strike()
        return done

    monkeypatch.setattr(getattr(seal, module), name, struck)
    with pytest.raises(KeyboardInterrupt):
        with seal.staging(repo):
            pass
    assert os.listdir(f"{repo}/.staging") == []
