"""validators: what a single value may be, and the words for what it may not."""

import pytest
from mirai_backup import validators
from mirai_backup.errors import ConfigError


@pytest.mark.parametrize("key", validators.SECRET_KEYS)
def test_a_secret_that_is_wrong_is_not_repeated(key):
    error = validators.wrong(key, "hunter2", "something else")
    assert "hunter2" not in error.words
    assert error.next_step == f"correct {key}"


def test_an_unknown_key_without_a_near_one_is_answered_with_all_there_are():
    with pytest.raises(ConfigError) as caught:
        validators.known_key("zzz", {"days", "keep_min"}, "retention.full.")
    assert caught.value.next_step == "known are days, keep_min"
