"""A name that is nearly a known one is named with it; what is nothing like them is left alone."""

from __future__ import annotations

import pytest
from misspelt import misspelt

OPTIONS = ["backup", "components", "file", "table", "target", "to_database", "to_dir"]
VARIABLES = ["mirai_backup_keep_previous", "mirai_backup_user", "mirai_backup_offsite", "mirai_backup_alert_urls"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("tabel", "table"), ("tables", "table"), ("to_databse", "to_database"), ("component", "components")],
)
def test_nearly_a_known_one(written, meant):
    assert misspelt([written, "backup"], OPTIONS) == [f"{written} ({meant}?)"]


def test_known_ones_and_those_of_somebody_else():
    assert misspelt([*OPTIONS, "environment", "vault_password", "ansible_user"], OPTIONS) == []


def test_what_all_begin_with_makes_nothing_alike():
    names = [
        "mirai_backup_keep_previos",
        "mirai_backup_alert_url",
        "mirai_backup_s3_user",
        "mirai_backup_secret",
        "usr",
    ]
    assert misspelt(names, VARIABLES) == [
        "mirai_backup_alert_url (mirai_backup_alert_urls?)",
        "mirai_backup_keep_previos (mirai_backup_keep_previous?)",
    ]


def test_a_single_option():
    assert misspelt(["targt", "other"], ["target"]) == ["targt (target?)"]
