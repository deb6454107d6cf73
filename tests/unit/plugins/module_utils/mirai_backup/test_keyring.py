"""keyring: a key is used only while it can do what it is for."""

import pytest
from mirai_backup import keyring

FPR, SUB = "A" * 40, "B" * 40
DAY = 86400


def listed(primary="u", sub="u", primary_expires="", sub_expires="", capabilities="e"):
    return (
        f"tru::1:1:0:3:1:5\npub:{primary}:255:22:X:1:{primary_expires}::u:::cEC:::::ed25519:::0:\nfpr:::::::::{FPR}:\n"
        f"uid:u::::1::H::Name <n@example>::::::::::0:\n"
        f"sub:{sub}:255:18:Y:1:{sub_expires}:::::{capabilities}:::::cv25519::\nfpr:::::::::{SUB}:\n"
    )


@pytest.mark.parametrize(
    ("text", "problem", "expires"),
    [
        (listed(), "", None),
        (listed(sub_expires="200", primary_expires="300"), "", 200),
        (listed(sub_expires="300", primary_expires="200"), "", 200),
        (listed(primary="r"), "is revoked", None),
        (listed(primary="e", primary_expires="5"), "has expired", 5),
        (listed(sub="e", sub_expires="5"), "has expired (the part of it that encrypts)", 5),
        (listed(sub="r"), "is revoked (the part of it that encrypts)", None),
        (listed(capabilities="s"), "has no part that encrypts", None),
    ],
)
def test_fit_and_until_when(text, problem, expires):
    key = keyring.judge(text, FPR, "recipient", "e")
    assert (key.problem, key.expires, key.missing) == (problem, expires, False)


def test_the_longest_living_part_counts():
    text = listed(sub_expires="100") + "sub:u:255:18:Z:1:900:::::e:::::cv25519::\nfpr:::::::::CC:\n"
    assert keyring.judge(text, FPR, "recipient", "e").expires == 900


def test_a_subkeys_fingerprint_is_answered_with_the_right_one():
    key = keyring.judge(listed(), SUB, "recipient", "e")
    assert key.missing and FPR in key.problem


@pytest.mark.parametrize(("days", "said"), [(31, False), (29, True), (0, True), (None, False)])
def test_warned_of_thirty_days_ahead(days, said):
    expires = None if days is None else 1000 + days * DAY
    assert bool(keyring.Key(FPR, "recipient", expires, "").warning(1000)) is said


def test_no_keyring_no_key(settings_of, tmp_path):
    config = settings_of(gpg_home=str(tmp_path / "none"), gpg_recipients=[FPR], gpg_sign_key=SUB)
    found = keyring.find(config)
    assert [(one.purpose, one.missing) for one in found] == [("recipient", True), ("signer", True)]
    with pytest.raises(keyring.PreflightError, match="no backup is made without it"):
        keyring.require(found, config.gpg_home)


def test_a_key_as_a_document_has_its_expiry_in_utc():
    assert keyring.Key(FPR, "recipient", 0, "").document()["expires"] == "1970-01-01T00:00:00.000000Z"
    assert keyring.Key(FPR, "signer", None, "is revoked").document() == {
        "fingerprint": FPR,
        "purpose": "signer",
        "expires": None,
        "problem": "is revoked",
    }
