"""Setup ends with a first backup: sealed, private, proven, listed."""

import json


def test_one_full_backup_is_sealed(host, sealed, user):
    backups = sealed("full")
    assert len(backups) == 1
    for path in (backups[0], f"{backups[0]}.manifest.json"):
        file = host.file(path)
        assert file.is_file
        assert (file.mode, file.user) == (0o600, user)


def test_manifest_says_what_was_saved(host, run, sealed):
    archive = sealed("full")[0]
    manifest = json.loads(host.file(f"{archive}.manifest.json").content_string)
    assert manifest["schema"] == 1
    assert manifest["kind"] == "full"
    digest, size = run(f"sha256sum {archive} | cut -d' ' -f1; stat -c %s {archive}").split()
    text = json.dumps(manifest)
    assert digest in text
    assert size in text


def test_list_and_verify(mirai_backup, sealed):
    document = mirai_backup("--json", "list")
    assert [backup["kind"] for backup in document["backups"]] == ["full"]
    assert document["backups"][0]["id"] in sealed("full")[0]
    assert document["damaged"] == []
    assert document["unsealed"] == []
    mirai_backup("verify", "--all")
    mirai_backup("check")


def test_archive_holds_exactly_both_halves(run, sealed):
    names = run(f"tar -tzf {sealed('full')[0]}").split()
    files = sorted(name for name in names if not name.endswith("/"))
    assert any(name.startswith("database/mirai_db_") and name.endswith(".sql.gz") for name in files)
    assert any(name.startswith("json/mirai_json_") and name.endswith(".tar.gz") for name in files)
    assert all(name.startswith(("database/", "json/")) for name in files), files


def test_records_for_people(host, paths, sealed, mirai_backup):
    newest = mirai_backup("--json", "list")["backups"][0]["id"]
    assert newest in host.file(f"{paths.repository}/LATEST_BACKUP.txt").content_string
    history = host.file(f"{paths.repository}/backup_metadata.log").content_string.splitlines()
    assert newest in history[-1]
    assert all(isinstance(json.loads(line), dict) for line in history)


def test_every_kind_by_hand(mirai_backup, sealed):
    mirai_backup("backup", "--db-only")
    mirai_backup("backup", "--json-only")
    assert len(sealed("database")) == 1
    assert len(sealed("json")) == 1
    mirai_backup("verify", "--all")


def test_unknown_backup_is_named_with_its_neighbours(host, user):
    result = host.run("runuser -u %s -- mirai-backup info mirai_full_19990101_000000", user)
    assert result.rc == 10
    assert "mirai_full_" in result.stderr
    assert "Traceback" not in result.stderr
