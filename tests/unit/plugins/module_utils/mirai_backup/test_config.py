"""config: every key is checked, every error names its key, secrets are masked."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mirai_backup import config
from mirai_backup.config import Retention, Schedule
from mirai_backup.errors import ConfigError

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture
def written(tmp_path):
    def write(content, mode=0o600):
        path = tmp_path / "config.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        path.chmod(mode)
        return str(path)

    return write


def test_defaults_follow_the_application_directory():
    loaded = config.from_mapping({})
    assert loaded.app_dir == "/opt/Mirai-Knowledge-Systems"
    assert loaded.application == "Mirai-Knowledge-Systems"
    assert loaded.env_file == "/opt/Mirai-Knowledge-Systems/backend/.env"
    assert loaded.data_dir == "/opt/Mirai-Knowledge-Systems/backend/data"
    assert loaded.repository == "/opt/Mirai-Knowledge-Systems/backend/backups"
    assert loaded.schedules == (Schedule("full", "0 2 * * *"),)
    assert loaded.retention == {"full": Retention(14), "database": Retention(30), "json": Retention(7)}
    assert (loaded.compression, loaded.fingerprint, loaded.keep_previous) == ("auto", "full", 1)


def test_loads_what_is_written(written):
    loaded = config.load(written({"app_dir": "/srv/app/", "retention": {"json": {"days": 3}}, "jobs": 4}))
    assert (loaded.app_dir, loaded.application, loaded.jobs) == ("/srv/app", "app", 4)
    assert loaded.retention["json"] == Retention(3, 1)
    assert loaded.retention["full"] == Retention(14, 1)


def test_a_policy_may_give_only_its_floor():
    assert config.from_mapping({"retention": {"full": {"keep_min": 5}}}).retention["full"] == Retention(14, 5)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"repositry": "/x"}, "repositry"),
        ({"retention": {"weekly": {}}}, "retention.weekly"),
        ({"retention": {"full": {"day": 3}}}, "retention.full.day"),
        ({"retention": {"full": {"days": 0}}}, "retention.full.days"),
        ({"retention": {"full": {"keep_min": 0}}}, "retention.full.keep_min"),
        ({"retention": {"full": 14}}, "retention.full"),
        ({"retention": []}, "retention"),
        ({"jobs": True}, "jobs"),
        ({"jobs": 1.0}, "jobs"),
        ({"jobs": 65}, "jobs"),
        ({"keep_previous": -1}, "keep_previous"),
        ({"data_dir": "data"}, "data_dir"),
        ({"data_dir": "/a\nb"}, "data_dir"),
        ({"app_dir": ""}, "app_dir"),
        ({"log": ""}, "log"),
        ({"user": None}, "user"),
        ({"user": "\ud800"}, "user"),
        ({"compression": "lzma"}, "compression"),
        ({"fingerprint": []}, "fingerprint"),
        ({"app_services": "nginx"}, "app_services"),
        ({"app_services": ["a", 1]}, "app_services[1]"),
        ({"drill_assertions": {}}, "drill_assertions"),
        ({"drill_assertions": [{"name": "rows"}]}, "drill_assertions[0]"),
        ({"drill_assertions": [{"name": "rows", "sql": " ", "expect": "t"}]}, "drill_assertions[0].sql"),
        ({"drill_schedule": "monthly"}, "drill_schedule"),
        ({"drill_schedule": None}, "drill_schedule"),
        ({"schedules": {}}, "schedules"),
        ({"schedules": [{"kind": "full"}]}, "schedules[0]"),
        ({"schedules": [{"kind": "full", "cron": "0 2 * *"}]}, "schedules[0].cron"),
        ({"schedules": [{"kind": "weekly", "cron": "0 2 * * *"}]}, "schedules[0].kind"),
        ({"hooks": []}, "hooks"),
        ({"hooks": {"before": []}}, "hooks.before"),
        ({"hooks": {"before_backup": {}}}, "hooks.before_backup"),
        ({"hooks": {"before_backup": ["true"]}}, "hooks.before_backup[0]"),
        ({"hooks": {"before_backup": [{"command": "true"}]}}, "hooks.before_backup[0].command"),
        ({"hooks": {"before_backup": [{"command": []}]}}, "hooks.before_backup[0].command"),
        ({"hooks": {"after_backup": [{"command": ["a"], "timeout": 0}]}}, "hooks.after_backup[0].timeout"),
        ({"hooks": {"after_backup": [{"command": ["a"], "on_failure": "abort"}]}}, "hooks.after_backup[0].on_failure"),
        ({"hooks": {"after_backup": [{"command": ["a"], "shell": True}]}}, "hooks.after_backup[0].shell"),
        ({"alert_mail": "root"}, "alert_mail"),
        ({"alert_mail": ["root\nBcc: x"]}, "alert_mail[0]"),
        ({"alert_success": 1}, "alert_success"),
        ({"heartbeat_url": "file:///etc/passwd"}, "heartbeat_url"),
        ({"heartbeat_url": "https://"}, "heartbeat_url"),
        ({"drill_heartbeat_url": "https://h/a b"}, "drill_heartbeat_url"),
        ({"drill_heartbeat_url": "https://h:99999/"}, "drill_heartbeat_url"),
        ({"metrics_textfile": "metrics.prom"}, "metrics_textfile"),
    ],
)
def test_an_error_names_the_key(values, named):
    with pytest.raises(ConfigError, match=rf"key {named.replace('[', '.').replace(']', '.')} is"):
        config.from_mapping(values)


def test_drills_need_not_be_scheduled_here():
    assert config.from_mapping({"drill_schedule": ""}).drill_schedule == ""
    assert config.from_mapping({"drill_schedule": "0  4 1 * *"}).drill_schedule == "0 4 1 * *"


def test_another_repository_takes_the_place_of_the_configured_one():
    configured = config.from_mapping({"repository": "/srv/here"})
    assert config.elsewhere(configured, "/srv/brought/").repository == "/srv/brought"
    assert config.elsewhere(configured, "") is configured
    assert config.elsewhere(configured, None) is configured


def test_a_near_miss_is_suggested():
    with pytest.raises(ConfigError) as caught:
        config.from_mapping({"repositry": "/x"})
    assert caught.value.next_step == "did you mean repository?"
    assert caught.value.exit_code == 64


@given(st.sampled_from(sorted(config.CHECKS)), JSON_VALUES)
def test_any_value_is_taken_or_refused_with_words(key, value):
    try:
        said = config.from_mapping({key: value}).document()
    except ConfigError as error:
        said = error.message
    assert key in said or "lie inside each other" in said


@given(st.text(st.characters(blacklist_categories=("Cs",))), JSON_VALUES)
def test_a_key_that_is_not_known_is_never_passed_over(key, value):
    if key in config.CHECKS:
        return
    with pytest.raises(ConfigError) as caught:
        config.from_mapping({"jobs": 3, key: value})
    assert key in caught.value.message


@given(st.recursive(JSON_VALUES, lambda inner: st.dictionaries(st.text(), inner, max_size=3), max_leaves=5))
def test_any_document_is_a_configuration_or_refused_with_words(tmp_path, document):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(document))
    path.chmod(0o600)
    try:
        found = config.load(str(path))
    except ConfigError as error:
        assert error.message and error.next_step
    else:
        assert set(document) <= set(config.CHECKS) and found.repository.startswith("/")


@pytest.mark.parametrize("key", config.SECRET_KEYS)
def test_a_refused_secret_is_not_shown(key):
    with pytest.raises(ConfigError) as caught:
        config.from_mapping({key: "postgresql://u:hunter2\n@h/d"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("inner", ["data/backups", "data", "."])
def test_the_repository_never_lies_in_the_data_directory_nor_around_it(tmp_path, inner):
    (tmp_path / "data").mkdir()
    with pytest.raises(ConfigError, match="lie inside each other"):
        config.from_mapping({"data_dir": str(tmp_path / "data"), "repository": str(tmp_path / inner)})


def test_a_symlink_does_not_hide_that(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "elsewhere").symlink_to(tmp_path / "data")
    with pytest.raises(ConfigError, match="lie inside each other"):
        config.from_mapping({"data_dir": str(tmp_path / "data"), "repository": str(tmp_path / "elsewhere/backups")})


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"jobs": 1, "jobs": 2}', "'jobs' appears twice"),
        (b'{"retention": {"full": {"days": 1, "days": 2}}}', "'days' appears twice"),
        (b"[]", "must hold a JSON object"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(written, content, complaint):
    with pytest.raises(ConfigError, match=complaint):
        config.load(written(content))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_may_read_or_write_is_refused(written, mode):
    with pytest.raises(ConfigError, match=f"has mode {mode:04o}"):
        config.load(written({}, mode))


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match="none.json does not exist") as caught:
        config.load(str(tmp_path / "none.json"))
    assert "mirai.backup.setup" in caught.value.next_step


def test_who_may_not_read_it_is_told_who_may(tmp_path):
    (tmp_path / "config.json").mkdir()
    with pytest.raises(ConfigError, match="config.json cannot be read") as caught:
        config.load(str(tmp_path / "config.json"))
    assert "as root (sudo)" in caught.value.next_step


def test_shown_with_its_secrets_masked():
    loaded = config.from_mapping({"database_url": "postgresql://u:hunter2@h/d"})
    shown = loaded.document()
    assert shown["database_url"] == "********"
    assert shown["admin_url"] == ""
    assert loaded.document(masked=False)["database_url"].endswith("hunter2@h/d")
    assert os.path.isabs(json.loads(json.dumps(shown))["repository"])


def test_hooks_get_their_defaults():
    hooks = config.from_mapping(
        {"hooks": {"before_backup": [{"command": ["a", "b"]}], "after_restore": [{"command": ["c"], "timeout": 5}]}}
    ).hooks
    assert hooks == {
        "before_backup": ({"command": ("a", "b"), "timeout": 60, "on_failure": "abort"},),
        "after_restore": ({"command": ("c",), "timeout": 5, "on_failure": "warn"},),
    }


def test_a_wrong_configuration_still_says_who_is_to_be_told(written):
    values = {"jobs": 0, "unknown": 1, "repository": "/backups", "alert_mail": ["ops"], "heartbeat_url": 7}
    found = config.watching(written(values))
    assert (found.repository, found.alert_mail, found.heartbeat_url, found.jobs) == ("/backups", ("ops",), "", 2)
    assert config.watching(written(b"{")) is None
    assert config.watching(written([1])) == config.from_mapping({})
    assert config.watching(written({"app_dir": "/a", "repository": "/a/backend/data"})) is None
    assert config.watching("/nonexistent") is None


def test_keys_are_named_by_full_fingerprints_alone():
    spaced = "2498 abcc bb98 8faf 8e3d  464d 67d9 ee4a ddba e639"
    plain = spaced.replace(" ", "").upper()
    assert config.from_mapping({"gpg_recipients": [spaced]}).gpg_recipients == (plain,)
    for value in (["DDBAE639"], ["me@example.com"], [plain, spaced], plain, [""], [plain[:-1] + "G"]):
        with pytest.raises(ConfigError, match="gpg_recipients"):
            config.from_mapping({"gpg_recipients": value})
    assert config.from_mapping({"gpg_sign_key": ""}).gpg_sign_key == ""
    with pytest.raises(ConfigError, match="gpg_sign_key"):
        config.from_mapping({"gpg_sign_key": "67D9EE4ADDBAE639"})


@pytest.mark.parametrize(
    ("store", "message"),
    [
        ({"path": "x"}, "an object with name and path"),
        ({"name": "S3"}, "small letters"),
        ({"name": "a\n[b]"}, "small letters"),
        ({"name": "a", "path": "x/../y"}, "without"),
        ({"name": "a", "path": "x\ny"}, "one line"),
        ({"name": "a", "bandwith_limit": "1M"}, "bandwidth_limit"),
        ({"name": "a", "bandwidth_limit": "1M; rm"}, "a rate"),
        ({"name": "a", "retention": "forever"}, "an object of kinds"),
        ({"name": "a", "retention": {"json": {"days": 0}}}, "from 1"),
        ({"name": "a", "write_only": True, "retention": {"json": {"days": 1}}}, "write_only"),
        ({"name": "a", "timeout": 0}, "from 1"),
    ],
)
def test_stores_that_cannot_be_are_named(settings_of, store, message):
    with pytest.raises(ConfigError) as caught:
        settings_of(offsite=[store])
    assert "offsite[0]" in caught.value.message
    assert message in caught.value.words


def test_two_stores_of_one_name_are_refused(settings_of):
    with pytest.raises(ConfigError, match="different names"):
        settings_of(offsite=[{"name": "a", "path": "x"}, {"name": "a", "path": "y"}])


def test_a_store_keeps_what_the_repository_keeps_unless_told(settings_of):
    config = settings_of(
        retention={"json": {"days": 3}},
        offsite=[{"name": "a"}, {"name": "b", "retention": "none"}, {"name": "c", "write_only": True}],
    )
    assert [one.retention for one in config.offsite] == [config.retention, "none", "none"]
