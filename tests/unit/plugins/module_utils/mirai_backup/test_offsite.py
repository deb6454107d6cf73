"""offsite: what the stores hold, listed and read back."""

import os
from dataclasses import replace

import pytest
from mirai_backup import offsite, push
from mirai_backup.errors import MismatchError


def test_stores_are_listed_newest_first_with_where_it_lies(away, sealed):
    first, second = sealed(sequence=1), sealed("full", sequence=2)
    push.run(away.config)
    outcome = offsite.run(away.config)
    (a, b) = outcome.document["stores"]
    assert [one["id"] for one in a["backups"]] == [second.id, first.id] == [one["id"] for one in b["backups"]]
    assert a["backups"][1]["path"] == f"a:{away.root}/a/json/{first.artifacts[0].name}"
    assert [one["id"] for one in offsite.run(away.config, "json").document["stores"][0]["backups"]] == [first.id]


def test_a_store_that_cannot_be_listed_makes_it_incomplete(away, sealed):
    sealed()
    push.run(away.config)
    away.fault("lsjson a:")
    outcome = offsite.run(away.config)
    assert outcome.exit_code == 3 and "could not be listed" in "\n".join(outcome.lines)
    assert offsite.run(away.config, name="a").exit_code == 1


def test_verify_tells_damage_from_silence(away, sealed):
    head = sealed(content=b"content" * 1000)
    push.run(away.config)
    assert offsite.verify(away.config).exit_code == 0
    path = away.root / "b" / "json" / head.artifacts[0].name
    path.write_bytes(b"X" + path.read_bytes()[1:])
    outcome = offsite.verify(away.config)
    assert outcome.exit_code == 2
    assert [one["verdict"] for one in outcome.document["verified"]] == ["pass", "fail"]
    away.fault("cat b:")
    assert offsite.verify(away.config).document["verified"][1]["verdict"] == "could_not_verify"
    away.fault()
    path.unlink()
    (found,) = offsite.verify(away.config, head.id, name="b").document["verified"]
    assert (found["verdict"], found["why"]) == ("fail", f"{path.name} is missing")


@pytest.mark.parametrize("act", [offsite.verify, push.run])
def test_what_a_killed_one_left_is_swept_by_the_next(away, sealed, act):
    sealed()
    push.run(away.config)
    left = os.path.join(away.config.repository, ".offsite", "a", "verify-dead")
    os.mkdir(left)
    assert act(away.config).exit_code == 0
    assert not os.path.exists(left)


def test_an_edited_manifest_in_a_store_is_seen(away, sealed):
    head = sealed()
    push.run(away.config)
    path = away.root / "a" / "json" / f"{head.artifacts[0].name}.manifest.json"
    path.write_text(path.read_text().replace('"host.example"', '"host.Example"'))
    outcome = offsite.verify(away.config, every=True, name="a")
    assert outcome.exit_code == 2 and "edited" in outcome.document["verified"][0]["why"]


def test_of_a_store_that_can_only_be_written_to_what_was_sent_is_remembered(away, sealed):
    head = sealed()
    first, second = away.config.offsite
    config = replace(away.config, offsite=(replace(first, write_only=True, retention="none"), second))
    sections = away.root.parent / "rclone.conf"
    sections.write_text(sections.read_text().replace("[a]\ntype = local", "[a]\ntype = s3"))
    push.run(config, name="a")
    outcome = offsite.run(config, name="a")
    (store,) = outcome.document["stores"]
    assert [one["id"] for one in store["backups"]] == [head.id]
    assert any(head.id in line and "sent" in line for line in outcome.lines)
    (found,) = offsite.verify(config, name="a").document["verified"]
    assert found["verdict"] == "could_not_verify" and "write_only" in found["why"]


def test_every_backup_and_every_damaged_manifest_of_a_store_is_looked_at(away, sealed):
    first, second = sealed(sequence=1), sealed(sequence=2)
    push.run(away.config)
    (away.root / "a" / "json" / f"{first.artifacts[0].name}.manifest.json").write_text("torn")
    verdicts = {
        one["id"]: one["verdict"] for one in offsite.verify(away.config, every=True, name="a").document["verified"]
    }
    assert verdicts == {second.id: "pass", f"{first.artifacts[0].name}.manifest.json": "fail"}
    listed = offsite.run(away.config, name="a").document["stores"][0]
    assert [one["manifest"] for one in listed["damaged"]] == [f"{first.artifacts[0].name}.manifest.json"]


def test_a_store_without_the_backup_that_was_named_says_so(away, sealed):
    sealed()
    (found,) = offsite.verify(away.config, name="a").document["verified"]
    assert found["verdict"] == "could_not_verify" and "there is no good backup" in found["why"]
    assert offsite.verify(away.config, every=True, name="a").lines == ("the stores are empty",)


def test_a_manifest_whose_signature_is_not_good_fails(away, sealed, monkeypatch):
    sealed()
    push.run(away.config)
    asked = []

    def refuse(_config, path, accept_unsigned):
        asked.append((os.path.basename(path), accept_unsigned))
        raise MismatchError("signed by no key that is trusted here")

    monkeypatch.setattr(offsite.signature, "require", refuse)
    outcome = offsite.verify(away.config, name="a", accept_unsigned=True)
    assert (outcome.exit_code, outcome.document["verified"][0]["verdict"]) == (2, "fail")
    assert asked[0][0].endswith(".manifest.json") and asked[0][1] is True


def test_a_disk_that_fails_at_one_store_says_nothing_of_the_next(away, sealed, monkeypatch):
    sealed()
    push.run(away.config)
    look = offsite.stores.look

    def broken(config, shelf):
        if shelf.name == "a":
            raise OSError(5, "Input/output error")
        return look(config, shelf)

    monkeypatch.setattr(offsite.stores, "look", broken)
    found = {one["store"]: one["verdict"] for one in offsite.verify(away.config).document["verified"]}
    assert found == {"a": "could_not_verify", "b": "pass"}
