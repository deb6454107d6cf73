"""gpg_home: keyrings that are gone afterwards, those of dead runs too."""

import os
import subprocess
import sys

import pytest
from mirai_backup import gpg_home


def test_private_while_it_is_there_and_gone_afterwards():
    with gpg_home.throwaway() as path:
        assert os.stat(path).st_mode & 0o777 == 0o700
        assert gpg_home.sweep(os.path.dirname(path)) == []
    assert not os.path.exists(path)
    with pytest.raises(ValueError), gpg_home.throwaway() as path:
        raise ValueError
    assert not os.path.exists(path)


def test_what_a_killed_run_left_goes_and_nothing_else(tmp_path):
    code = (
        "import os, sys; from mirai_backup import gpg_home; gpg_home._base = lambda: sys.argv[1];"
        "manager = gpg_home.throwaway(); home = manager.__enter__(); open(home + '/key', 'w'); os.kill(os.getpid(), 9)"
    )
    package = os.path.dirname(os.path.dirname(gpg_home.__file__))
    argv = [sys.executable, "-c", code, str(tmp_path)]
    subprocess.run(argv, check=False, env={**os.environ, "PYTHONPATH": package})
    (left,) = os.listdir(tmp_path)
    for name in ("mirai-gpg-notes", "mirai-gpg-1-x-y", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "mirai-gpg-999999999-1-file").write_text("a file")
    assert gpg_home.sweep(str(tmp_path)) == [str(tmp_path / left)]
    assert len(os.listdir(tmp_path)) == 4
