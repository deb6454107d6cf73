"""push: what a store has still to get, and what its retention lets go."""

import datetime
import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup import backup as making
from mirai_backup import marks, push, summary
from mirai_backup.config import Retention, Store
from mirai_backup.errors import Interrupted, MismatchError, NotFoundError
from mirai_backup.marks import Mark, Memory
from mirai_backup.repository import Backup, Listing

DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.timezone.utc)
WEEK = {kind: Retention(7) for kind in ("full", "database", "json")}


def listing(*backups) -> Listing:
    return Listing(tuple(sorted(backups, key=lambda one: one.head.sequence)), (), ())


def mark(backup, gone="") -> Mark:
    return Mark("2026-01-01T00:00:00.000000Z", backup.head.digest, backup.head.kind, 1, {}, gone)


@pytest.fixture
def backup(head_of):
    def make(sequence, days=0.0, kind="json", problem="", pinned=False):
        return Backup(
            summary.of(head_of(kind, sequence=sequence, age=days * DAY)), f"/r/{kind}/x.manifest.json", pinned, problem
        )

    return make


def ids(found):
    return [one.head.sequence for one in found]


def test_the_newest_goes_first_and_what_is_not_whole_does_not_go(backup):
    local = listing(backup(1, 3), backup(2, 2, problem="x is missing"), backup(3, 1))
    assert ids(push.missing(local, listing(), Memory(), Store("s", retention=WEEK), NOW)) == [3, 1]


def test_what_the_store_took_does_not_go_again_unless_it_is_another_one(backup):
    one, two = backup(1, 2), backup(2, 1)
    other = Mark("t", "another digest", "json", 2, {})
    memory = Memory(marks={one.id: mark(one), two.id: other})
    assert ids(push.missing(listing(one, two), listing(), memory, Store("s", retention=WEEK), NOW)) == [2]


def test_what_the_store_would_let_go_at_once_does_not_go(backup):
    old, young = backup(1, 30), backup(2, 1)
    local = listing(old, young)
    assert ids(push.missing(local, listing(), Memory(), Store("s", retention=WEEK), NOW)) == [2]
    assert ids(push.missing(local, listing(), Memory(), Store("s", retention="none"), NOW)) == [2, 1]
    assert ids(push.missing(listing(old), listing(), Memory(), Store("s", retention=WEEK), NOW)) == [1]  # the floor
    pinned = listing(backup(1, 30, pinned=True), young)
    assert ids(push.missing(pinned, listing(), Memory(), Store("s", retention=WEEK), NOW)) == [2, 1]


def test_what_the_stores_own_rules_removed_does_not_go_again_unless_it_is_the_newest(backup):
    one, two = backup(1, 2), backup(2, 1)
    memory = Memory(marks={item.id: mark(item, gone="since") for item in (one, two)})
    assert ids(push.missing(listing(one, two), listing(), memory, Store("s", retention="none"), NOW)) == [2]


@given(st.data())
def test_nothing_is_sent_only_to_be_pruned_by_the_same_push(head_of, data):
    """Whatever lies where: after shipping what is missing, retention takes none of it."""
    days = data.draw(st.lists(st.integers(0, 40), max_size=8))
    heads = [head_of("json", sequence=number + 1, age=age * DAY) for number, age in enumerate(days)]
    all_of_them = [Backup(summary.of(head), "/r/json/x.manifest.json", False, "") for head in heads]
    stored = [one for one in all_of_them if data.draw(st.booleans())]
    store = Store(
        "s", retention={**WEEK, "json": Retention(data.draw(st.integers(1, 30)), data.draw(st.integers(1, 4)))}
    )
    memory = Memory(marks={one.id: mark(one) for one in stored})
    sent = push.missing(listing(*all_of_them), listing(*stored), memory, store, NOW)
    assert not {one.id for one in sent} & {one.id for one in stored}
    gone = push.decide(tuple({one.id: one for one in (*stored, *sent)}.values()), store, NOW).prune
    assert not {one.id for one in sent} & set(gone)


def test_a_store_that_cannot_be_used_is_a_problem_of_that_store_alone(settings_of, repo, sealed, tmp_path):
    sealed()
    config = settings_of(
        offsite=[{"name": "a", "path": "x"}, {"name": "b", "path": "y"}], rclone_config=str(tmp_path / "none")
    )
    outcome = push.run(config)
    assert outcome.exit_code == 1
    assert [one["result"] for one in outcome.document["offsite"]] == ["failed", "failed"]
    assert all(one["problems"] for one in outcome.document["offsite"])


def test_a_refused_deletion_is_a_note_and_is_tried_again(away, sealed, contents):
    sealed(sequence=1, age=30 * DAY)
    push.run(away.config)  # the floor: it is the newest
    sealed(sequence=2)
    away.fault("deletefile a/json")
    first, second = push.run(away.config).document["offsite"]
    assert first["pruned"] == [] and "not deleted" in first["notes"][0] and first["problems"] == []
    assert second["pruned"] == ["mirai_json_20260101_000001"]
    away.fault("deletefile a/json/mirai_json_20260101_000001.tar.gz")
    assert push.run(away.config, name="a").document["offsite"][0]["pruned"] == []
    away.fault()
    assert push.run(away.config, name="a").document["offsite"][0]["pruned"] == ["mirai_json_20260101_000001"]
    assert not [name for name in contents(away.root) if "000001" in name]


def test_what_failed_between_artifact_and_manifest_is_no_backup_and_is_finished(away, sealed, contents):
    head = sealed()
    away.fault("moveto manifest.json")
    outcome = push.run(away.config)
    assert outcome.exit_code == 1
    names = [name for name in contents(away.root / "a") if name.startswith("json/mirai")]
    assert names == [f"json/{head.artifacts[0].name}"]
    away.fault()
    assert push.run(away.config).exit_code == 0
    assert not [name for name in contents(away.root) if ".mirai_push_" in name]


def test_what_never_became_a_backup_goes_once_it_is_gone_here(away, sealed, contents):
    head = sealed()
    away.fault("moveto manifest.json")
    push.run(away.config)
    away.fault()
    for path in (head.artifacts[0].name, f"{head.artifacts[0].name}.manifest.json"):
        os.unlink(os.path.join(away.config.repository, "json", path))
    (away.root / "a" / "json" / "mirai_json_20200101_000000.tar.gz").write_text("foreign")
    push.run(away.config)
    assert [name for name in contents(away.root) if "json/" in name] == ["a/json/mirai_json_20200101_000000.tar.gz"]


def test_a_path_that_is_not_there_gets_nothing_and_is_remembered(away, sealed):
    head = sealed()
    (away.root / "a").rmdir()
    first, second = push.run(away.config).document["offsite"]
    assert (first["result"], first["missing"], second["result"]) == ("failed", [head.id], "ok")
    assert not (away.root / "a").exists()
    remembered = marks.read(marks.place(away.config.repository, "a"))
    assert remembered.last["problems"] == first["problems"] and remembered.marks == {}


def test_a_backup_is_shipped_once_it_is_made(away):
    outcome = making.run(away.config, "json")
    made = outcome.document["backup"]["id"]
    assert [one["pushed"] for one in outcome.document["offsite"]] == [[made], [made]]
    assert (outcome.exit_code, outcome.document["incomplete"]) == (0, [])


def test_a_store_that_does_not_answer_leaves_the_backup_good_and_the_run_incomplete(away):
    away.fault("lsjson a:")
    outcome = making.run(away.config, "json")
    assert outcome.exit_code == 3
    assert [bool(one["pushed"]) for one in outcome.document["offsite"]] == [False, True]
    assert outcome.document["incomplete"]


def test_an_interrupted_upload_says_that_the_backup_is_good(away, monkeypatch):
    def interrupt(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(push, "everywhere", interrupt)
    with pytest.raises(Interrupted, match="is good, but its upload was interrupted") as caught:
        making.run(away.config, "json")
    assert caught.value.next_step == "run mirai-backup push"


def test_what_is_damaged_here_is_not_shipped(away, sealed, repo):
    head = sealed(content=b"content")
    with open(os.path.join(repo, "json", head.artifacts[0].name), "r+b") as file:
        file.write(b"C")
    (result, _other) = push.run(away.config).document["offsite"]
    assert result["problems"][0].endswith("is damaged and was not pushed")
    assert (result["pushed"], result["missing"]) == ([], [head.id])


def test_another_backup_of_the_same_name_is_not_overwritten(away, sealed, repo):
    head = sealed(content=b"one")
    push.run(away.config, name="a")
    there = sorted(one.read_bytes() for one in (away.root / "a" / "json").iterdir())
    for one in os.listdir(os.path.join(repo, "json")):
        os.unlink(os.path.join(repo, "json", one))
    sealed(content=b"other")
    (result,) = push.run(away.config, name="a").document["offsite"]
    assert result["problems"] == [f"{head.id}: offsite store a holds another backup of that name"]
    assert sorted(one.read_bytes() for one in (away.root / "a" / "json").iterdir()) == there


def test_one_that_is_pruned_while_it_is_shipped_is_left_out(away, sealed, repo, monkeypatch):
    head = sealed()

    def prune(path):
        for one in os.listdir(os.path.join(repo, "json")):
            os.unlink(os.path.join(repo, "json", one))
        raise FileNotFoundError(2, "No such file or directory", path)

    monkeypatch.setattr(push.stores, "digest", prune)
    (result,) = push.run(away.config, name="a").document["offsite"]
    assert (result["pushed"], result["problems"], result["missing"]) == ([], [], [])
    assert head.id not in str(list((away.root / "a").rglob("*")))


def test_a_disk_that_fails_is_the_stores_problem_and_touches_no_other(away, sealed, monkeypatch):
    sealed()

    def fail(*_arguments):
        raise OSError(5, "Input/output error", "/marks")

    monkeypatch.setattr(push.marks, "write", fail)
    outcome = push.run(away.config)
    assert outcome.exit_code == 1
    assert outcome.document["offsite"][0]["problems"] == ["offsite store a: /marks: Input/output error"]


def test_one_that_is_asked_for_by_name_goes_alone(away, sealed):
    first, _second = sealed(sequence=1), sealed(sequence=2)
    assert push.run(away.config, first.id, "a").document["offsite"][0]["pushed"] == [first.id]
    with pytest.raises(NotFoundError, match="there is no backup"):
        push.run(away.config, "20200101_000000", "a")


def test_of_a_store_that_can_only_be_written_to_nothing_is_asked(away, sealed):
    head = sealed()
    sections = away.root.parent / "rclone.conf"
    sections.write_text(sections.read_text().replace("[a]\ntype = local", "[a]\ntype = s3"))
    first = replace(away.config.offsite[0], write_only=True, retention="none")
    away.fault("lsjson a:", "cat a:")
    (result,) = push.run(replace(away.config, offsite=(first,))).document["offsite"]
    assert (result["pushed"], result["problems"]) == ([head.id], [])


def test_a_manifest_that_cannot_be_read_keeps_no_other_backup_back(away, sealed, monkeypatch):
    old, rotten = sealed(sequence=1), sealed(sequence=2)
    read = Backup.__dict__["manifest"].func

    def fails(self):
        if self.id == rotten.id:
            raise MismatchError("manifest is damaged")
        return read(self)

    monkeypatch.setattr(Backup, "manifest", property(fails))
    (result, _other) = push.run(away.config).document["offsite"]
    assert (result["pushed"], "manifest is damaged" in result["problems"]) == ([old.id], True)
