"""peaks: what the kernel says of a process, and of its children apart."""

import os
import sys

import pytest
from peaks import CommandFailed, Peak, merged, watch

HOLD = "import time; held = bytearray(60 << 20); time.sleep(0.5)"
PARENT = "import subprocess, time; subprocess.run(['dd', 'bs=64M', 'count=1', 'if=/dev/zero', 'of=/dev/null']);"


def test_own_memory_is_seen():
    assert 60 < watch([sys.executable, "-c", HOLD], dict(os.environ)).own < 120


def test_children_are_counted_apart():
    found = watch([sys.executable, "-c", f"{PARENT} subprocess.run(['sleep', '0.5'])"], dict(os.environ))
    assert "sleep" in found.children
    assert found.own < 60
    assert not any(name.startswith("python") for name in found.children)


def test_a_failing_command_has_no_figures():
    with pytest.raises(CommandFailed, match="ended with status 3: gone"):
        watch([sys.executable, "-c", "import sys; print('gone', file=sys.stderr); sys.exit(3)"], dict(os.environ))


def test_runs_become_one():
    runs = [Peak(1.0, 20.0, {"igzip": 2.0}), Peak(9.0, 21.0, {"psql": 9.0}), Peak(2.0, 19.0, {"igzip": 3.0})]
    assert merged(runs) == Peak(2.0, 21.0, {"igzip": 3.0, "psql": 9.0})
