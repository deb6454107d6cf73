"""gpg: what its status lines mean, told apart by what it really says."""

import pytest
from mirai_backup import gpg
from mirai_backup.errors import DecryptError, ProcessError

TO = "[GNUPG:] ENC_TO 0DE723AE644D51AB 18 0\n"
KNOWN = "[GNUPG:] KEY_CONSIDERED 2498ABCCBB988FAF8E3D464D67D9EE4ADDBAE639 0\n"
OTHER = "[GNUPG:] KEY_CONSIDERED 208928B6EDDEA2B38BC8E4B58C981509EB966421 0\n"
PK = "[GNUPG:] ERROR pkdecrypt_failed %d\n"
FAILED = "[GNUPG:] BEGIN_DECRYPTION\n[GNUPG:] DECRYPTION_FAILED\ngpg: decryption failed: No secret key\n"


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (TO + FAILED, DecryptError, "no private key is here"),
        (TO + KNOWN + FAILED, DecryptError, "passphrase is missing or wrong"),
        (TO + KNOWN + "[GNUPG:] DECRYPTION_INFO 2 9 0\n[GNUPG:] BADMDC\n", ProcessError, "changed or cut short"),
        (TO + OTHER + PK % 33554449 + FAILED, DecryptError, "no private key is here"),  # GnuPG 2.4
        (TO + KNOWN + PK % 67108949 + FAILED, DecryptError, "passphrase is missing or wrong"),
        (TO + "gpg: block_filter: read error\n[GNUPG:] FAILURE gpg-exit 1\n", ProcessError, "cut short"),
        ("[GNUPG:] NODATA 3\n", ProcessError, "changed or cut short"),
        ("", ProcessError, "changed or cut short"),
    ],
)
def test_a_missing_key_is_not_damage(said, kind, words):
    error = gpg.decrypting().explain(said)
    assert error.__class__ is kind
    assert words in error.message
    assert (error.exit_code == 12) is (kind is DecryptError)


def test_no_passphrase_and_no_name_is_in_the_command():
    command = gpg.encrypting("/home", ("A" * 40, "B" * 40))
    assert command.argv[-5:] == ("--encrypt", "--recipient", "A" * 40, "--recipient", "B" * 40)
    assert command.argv[command.argv.index("--compress-algo") + 1] == "none"
    assert "--passphrase-file" in gpg.decrypting("/home", "/secret").argv
