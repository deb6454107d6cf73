"""language: the setting, else the locale of the run, else that of the server."""

import pytest
from mirai_backup import language


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ja_JP.eucJP"}, "ja"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": ""}, "ja"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "jam_JM.UTF-8"}, "en"),
    ],
)
def test_of_the_locale_of_the_run(variables, expected):
    assert language.chosen("auto", variables, ()) == expected


@pytest.mark.parametrize(
    "variables", [{}, {"LANG": "C"}, {"LC_ALL": "C.UTF-8", "LANG": "en_US.UTF-8"}, {"LANG": "POSIX"}]
)
@pytest.mark.parametrize("content", ["LANG=ja_JP.UTF-8\n", '# set by hand\nLC_TIME=C\n  LANG="ja_JP.UTF-8"\n'])
def test_of_the_server_where_the_run_has_none(tmp_path, variables, content):
    (tmp_path / "locale").write_text(content)
    files = (str(tmp_path / "absent"), str(tmp_path / "locale"))
    assert language.chosen("auto", variables, files) == "ja"


def test_the_run_goes_before_the_server_and_the_setting_before_both(tmp_path):
    (tmp_path / "locale").write_text("LANG=ja_JP.UTF-8\n")
    files = (str(tmp_path / "locale"),)
    assert language.chosen("auto", {"LANG": "en_GB.UTF-8"}, files) == "en"
    assert language.chosen("en", {"LANG": "ja_JP.UTF-8"}, files) == "en"
    assert language.chosen("ja", {"LANG": "en_GB.UTF-8"}, files) == "ja"
