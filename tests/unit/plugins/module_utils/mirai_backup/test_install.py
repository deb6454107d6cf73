# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The engine puts itself on a machine: whole, once, repaired when touched, and gone without a trace."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from mirai_backup import install
from mirai_backup.errors import EngineError, PreflightError

SOURCE = Path(install.__file__).parent


@pytest.fixture(name="prefix")
def _prefix(tmp_path):
    return str(tmp_path / "pre fix")


def setup(prefix, python=sys.executable):
    plan = install.plan(prefix, python)
    install.apply(plan)
    return plan


def library(prefix):
    return Path(prefix, "usr/local/lib/mirai-backup")


def pretend_content(monkeypatch, **extra):
    """Let the package look as if it had other files, as a newer version has."""
    files = {**install.own_files(), **{f"{name}.py": text.encode() for name, text in extra.items()}}
    monkeypatch.setattr(install, "own_files", lambda: files)


def test_every_module_of_the_package_is_installed(prefix):
    plan = setup(prefix)
    installed = {path.name for path in (library(prefix) / plan.digest / "mirai_backup").glob("*.py")}
    assert installed == {path.name for path in SOURCE.glob("*.py")} - {"__main__.py"}


def test_the_command_runs_from_anywhere_and_heeds_no_python_variables(prefix, tmp_path):
    plan = setup(prefix)
    (tmp_path / "mirai_backup.py").write_text("raise SystemExit('the wrong one')")
    environment = {"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(
        [plan.command, "--version"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert plan.version in ran.stdout


def test_the_command_names_the_configuration_below_the_prefix(prefix):
    plan = setup(prefix)
    ran = subprocess.run([plan.command, "list"], capture_output=True, text=True, check=False)
    assert ran.returncode == 64
    assert f"{prefix}/etc/mirai-backup/config.json" in ran.stderr


def test_a_second_time_changes_nothing(prefix):
    setup(prefix)
    again = install.plan(prefix, sys.executable)
    assert again.changes == ()


def test_a_plan_alone_writes_nothing(prefix):
    plan = install.plan(prefix, sys.executable)
    directory = os.path.dirname(plan.writes[0].path)
    assert plan.changes == (
        f"write {len(plan.writes) - 1} files in {directory}",
        f"write {plan.command}",
        f"switch {plan.library}/current to {plan.digest}",
    )
    assert plan.before == ""
    assert not os.path.exists(prefix)


def test_modes_do_not_depend_on_the_umask(prefix):
    before = os.umask(0o077)
    try:
        plan = setup(prefix)
    finally:
        os.umask(before)
    for path in Path(prefix).rglob("*"):
        runs = path.is_dir() or str(path) == plan.command
        assert path.stat().st_mode & 0o777 == (0o755 if runs else 0o644), path


@pytest.mark.parametrize(
    "damage",
    [
        lambda package, command: (package / "cli.py").write_text("import os"),
        lambda package, command: (package / "cli.py").unlink(),
        lambda package, command: (package / "cli.py").chmod(0o600),
        lambda package, command: (package / "json.py").write_text("stranger"),
        lambda package, command: command.unlink(),
        lambda package, command: command.chmod(0o644),
        lambda package, command: command.write_text("#!/bin/sh\n"),
        lambda package, command: (package.parents[1] / "current").unlink(),
    ],
    ids=["changed", "missing", "mode", "stranger", "no-command", "command-mode", "command-changed", "no-current"],
)
def test_damage_is_repaired_and_is_a_change(prefix, damage):
    plan = setup(prefix)
    package, command = library(prefix) / plan.digest / "mirai_backup", Path(plan.command)
    damage(package, command)
    repair = setup(prefix)
    assert len(repair.changes) == 1
    assert install.plan(prefix, sys.executable).changes == ()
    subprocess.run([str(command), "--version"], check=True, capture_output=True)


def test_an_upgrade_keeps_the_version_before_and_no_older_one(prefix, monkeypatch):
    digests = [setup(prefix).digest]
    for release in ("one", "two"):
        with monkeypatch.context() as patched:
            pretend_content(patched, **{release: "x = 1\n"})
            plan = setup(prefix)
            assert digests[-1] in plan.before
            digests.append(plan.digest)
    names = {path.name for path in library(prefix).iterdir()}
    assert names == {"current", digests[-1], digests[-2]}
    assert os.readlink(library(prefix) / "current") == digests[-1]


def test_a_module_that_does_not_compile_leaves_the_old_version_in_use(prefix, monkeypatch):
    old = setup(prefix)
    pretend_content(monkeypatch, broken="def :\n")
    with pytest.raises(EngineError, match="SyntaxError|invalid syntax"):
        setup(prefix)
    assert os.readlink(library(prefix) / "current") == old.digest
    subprocess.run([old.command, "--version"], check=True, capture_output=True)


def test_removal_takes_everything_but_what_is_not_ours(prefix):
    setup(prefix)
    foreign = library(prefix) / "notes.txt"
    foreign.write_text("mine")
    install.apply(install.plan_removal(prefix))
    assert [path for path in Path(prefix).rglob("*") if not path.is_dir()] == [foreign]
    foreign.unlink()
    install.apply(install.plan_removal(prefix))
    assert not library(prefix).exists()
    assert install.plan_removal(prefix).changes == ()


def test_it_installs_itself_from_inside_a_zip_file(tmp_path, prefix):
    """As Ansible ships it: there is no directory to copy from."""
    payload = tmp_path / "payload.zip"
    with zipfile.ZipFile(payload, "w") as archive:
        for name, content in install.own_files().items():
            archive.writestr(f"mirai_backup/{name}", content)
    script = "import sys; from mirai_backup import install; install.apply(install.plan(sys.argv[1], sys.executable))"
    environment = {"PYTHONPATH": str(payload)}
    subprocess.run([sys.executable, "-c", script, prefix], check=True, env=environment, cwd=tmp_path)
    assert install.plan(prefix, sys.executable).changes == ()


def test_an_interpreter_with_a_blank_in_its_path_works(prefix, tmp_path):
    python = tmp_path / "my python"
    python.symlink_to(sys.executable)
    plan = setup(prefix, str(python))
    subprocess.run([plan.command, "--version"], check=True, capture_output=True)


def test_the_plain_python3_is_named_where_it_is_the_same_program(prefix, tmp_path):
    (tmp_path / "python3.99").symlink_to(sys.executable)
    (tmp_path / "python3").symlink_to("python3.99")
    plan = setup(prefix, str(tmp_path / "python3.99"))
    assert Path(plan.command).read_text().splitlines()[0] == f"#!{tmp_path}/python3 -IXutf8"


def test_an_old_python_is_refused_by_name(prefix, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 8, 10))
    with pytest.raises(PreflightError, match=r"/usr/bin/python3 is Python 3\.8"):
        install.plan(prefix, "/usr/bin/python3")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "usr").write_text("a file where a directory has to be")
    with pytest.raises(EngineError, match="/usr/local/lib/mirai-backup"):
        setup(str(tmp_path))
