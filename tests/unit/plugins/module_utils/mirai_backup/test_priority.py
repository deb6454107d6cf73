"""priority: steps back where it is told to, and never forward."""

import os
import subprocess
import sys

import pytest
from mirai_backup import command, priority, process
from mirai_backup.errors import ProcessError

SCRIPT = """
import os, subprocess, sys
from mirai_backup import config, priority
os.setpriority(os.PRIO_PROCESS, 0, 3)
priority.lower(config.from_mapping({"nice": int(sys.argv[1]), "ionice": sys.argv[2]}))
print(subprocess.check_output(["nice"], text=True), subprocess.check_output(["ionice"], text=True))
"""


@pytest.mark.parametrize(
    ("nice", "ionice", "said"),
    [(0, "", ["3", "none:"]), (7, "idle", ["7", "idle"]), (2, "best-effort", ["3", "best-effort:", "prio", "7"])],
)
def test_programs_started_afterwards_inherit_it(nice, ionice, said):
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(nice), ionice], capture_output=True, text=True, check=True)
    assert done.stdout.split()[: len(said)] == said


def test_without_the_program_it_is_an_error_that_names_it(settings_of, monkeypatch, tmp_path):
    monkeypatch.setattr(command, "_SYSTEM_PATH", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProcessError, match="ionice cannot be started"):
        priority.lower(settings_of(ionice="idle"))


def test_by_default_nothing_is_done(settings_of, monkeypatch):
    monkeypatch.setattr(process, "run", lambda *_arguments: pytest.fail("something was started"))
    before = os.getpriority(os.PRIO_PROCESS, 0)
    priority.lower(settings_of())
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
