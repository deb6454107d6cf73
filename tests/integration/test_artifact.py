"""The artifact for Galaxy: nothing of the workshop in it, and what is installed from it alone runs by full name."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOP = {"CONTRIBUTING.md", "FILES.json", "LICENSE", "MANIFEST.json", "README.ja.md", "README.md"}
TOP |= {"changelogs", "docs", "meta", "playbooks", "plugins", "roles"}
OPTIONAL = {"CHANGELOG.md", "CHANGELOG.rst", "SECURITY.md"}
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))


def run(*argv, directory, **environment):
    """Run one of Ansible's programs in ``directory``, with nothing of this checkout in its way."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))}
    path = f"{Path(sys.executable).parent}:{kept['PATH']}"
    kept.update(PATH=path, LC_ALL="C.UTF-8", ANSIBLE_NOCOLOR="1", ANSIBLE_HOME=str(directory / ".ansible"))
    argv = [str(one) for one in argv]
    return subprocess.run(
        argv, cwd=directory, env={**kept, **environment}, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    """The artifact, built from this checkout as it is."""
    directory = tmp_path_factory.mktemp("artifact")
    done = run("ansible-galaxy", "collection", "build", ROOT, "--output-path", directory, directory=directory)
    assert done.returncode == 0, done.stderr
    (found,) = directory.glob("mirai-backup-*.tar.gz")
    return found


@pytest.fixture(scope="module")
def installed(artifact, tmp_path_factory):
    """An empty directory with the collection installed below ``collections``; runs a program there."""
    directory = tmp_path_factory.mktemp("elsewhere")
    path = directory / "collections"
    done = run("ansible-galaxy", "collection", "install", artifact, "-p", path, "--offline", directory=directory)
    assert done.returncode == 0, done.stderr

    def here(*argv):
        return run(*argv, directory=directory, ANSIBLE_COLLECTIONS_PATH=str(path))

    return here


def test_it_holds_what_users_need_and_nothing_of_the_workshop(artifact):
    with tarfile.open(artifact) as archive:
        members = archive.getmembers()
    files = {one.name for one in members if one.isfile()}
    assert {name.split("/")[0] for name in files} - OPTIONAL == TOP
    assert all(one.isfile() or one.isdir() for one in members), "links and the like are not for everybody"
    assert not [name for name in files if "__pycache__" in name or name.endswith((".pyc", ".orig", ".rej", "~"))]
    done = subprocess.run(
        ("git", "ls-files", "-co", "--exclude-standard"), cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:  # a checkout, and not an unpacked source archive
        assert files - set(done.stdout.splitlines()) == {"FILES.json", "MANIFEST.json"}


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_every_playbook_is_found_by_its_full_name(installed, playbook):
    done = installed("ansible-playbook", f"mirai.backup.{playbook}", "-i", "localhost,", "--syntax-check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"/collections/ansible_collections/mirai/backup/playbooks/{playbook}.yml" in done.stdout


@pytest.mark.parametrize("page", ["README.md", "README.ja.md"])
def test_installed_as_the_readme_says(page, tmp_path):
    """Its commands up to the first playbook, in a checkout whose ansible.cfg counts."""
    checkout = tmp_path / "checkout"
    left = (".git", ".venv", "build", "molecule", "tests", "demo")
    shutil.copytree(
        ROOT, checkout, ignore=lambda directory, _names: left if Path(directory) == ROOT else (), symlinks=True
    )
    setup = re.compile(r"^```sh\n(ansible-galaxy .*?)^ansible-playbook", re.DOTALL | re.MULTILINE)
    block = setup.search((ROOT / page).read_text(encoding="utf-8"))
    script = block.group(1) + "ansible-playbook -i inventory.ini mirai.backup.setup --syntax-check"
    done = run("bash", "-euc", script, directory=checkout, HOME=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "collections/ansible_collections/mirai/backup/playbooks/setup.yml" in done.stdout


def test_every_module_and_the_role_have_their_documentation(installed):
    modules = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
    listed = installed("ansible-doc", "--list", "--json", "mirai.backup")
    assert sorted(json.loads(listed.stdout)) == [f"mirai.backup.{name}" for name in modules], listed.stderr
    for name in modules:
        shown = installed("ansible-doc", f"mirai.backup.{name}")
        assert shown.returncode == 0 and "EXAMPLES" in shown.stdout, shown.stderr
    role = installed("ansible-doc", "--type", "role", "mirai.backup.mirai_backup")
    assert role.returncode == 0 and "mirai_backup_repository" in role.stdout, role.stderr


def test_set_up_back_up_restore_and_status_run_from_it_without_root(installed, app, tmp_path):
    variables = tmp_path / "vars.json"
    variables.touch(mode=0o600)
    values = {
        "target": "localhost",
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "mirai_backup_become": False,
        "mirai_backup_prefix": str(tmp_path / "prefix"),
        "mirai_backup_app_dir": str(tmp_path / "app"),
        "mirai_backup_admin_url": app.server.admin_url,
        "mirai_backup_pg_bindir": app.server.bindir,
        "status_reports": str(tmp_path / "reports"),
    }
    variables.write_text(json.dumps(values))

    def play(name, *arguments):
        return installed(
            "ansible-playbook", f"mirai.backup.{name}", "-i", "localhost,", "-e", f"@{variables}", *arguments
        )

    for playbook, arguments in (("setup", ()), ("backup", ()), ("restore", ("-e", "backup=latest")), ("rollback", ())):
        done = play(playbook, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    done = play("status", "-e", "status_fail=problem")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "reports" / "status.json").read_text())
    assert [one["status"]["backups"] for one in report["hosts"]] == [2]
    prefix = tmp_path / "prefix"
    shared = {path.name for path in (prefix / "usr/local/share").rglob("*") if path.is_file()}
    assert shared == {"mirai-backup", "_mirai-backup", "mirai-backup.fish", "mirai-backup.1"}
    again = play("setup")
    assert " changed=0 " in again.stdout, again.stdout
    done = play("setup", "-e", "mirai_backup_state=absent")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path for path in prefix.rglob("*") if not path.is_dir()] == []
