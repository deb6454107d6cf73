"""RedHat, as far as it goes without a machine: the role, in check mode, before programs that answer like EL's."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[5]
VARS = ROOT / "roles" / "mirai_backup" / "vars"
PLAYBOOK = """
- hosts: localhost
  connection: local
  gather_facts: false
  environment:
    PATH: {fakes}
  vars:
    ansible_python_interpreter: "{{{{ ansible_playbook_python }}}}"
    mirai_backup_require_app: false
    mirai_backup_drill: true
    mirai_backup_alert_urls: ["json://hooks.example.org"]
    mirai_backup_gpg_recipients: ["{fingerprint}"]
    mirai_backup_offsite: [{{name: store, rclone: {{type: local}}}}]
  tasks:
    - ansible.builtin.set_fact:
        cacheable: true
        os_family: RedHat
        python: {{executable: /usr/bin/python3, version_info: [3, 9, 21, final, 0]}}
        service_mgr: other
        user_id: root
        user_uid: 0
    - ansible.builtin.include_role: {{name: mirai.backup.mirai_backup, tasks_from: preflight}}
    - ansible.builtin.include_role: {{name: mirai.backup.mirai_backup, tasks_from: install, public: true}}
    - ansible.builtin.debug:
        msg: "{{{{ {{'packages': __mirai_backup_packages, 'missing': __mirai_backup_missing,
                'servers': __mirai_backup_missing_servers, 'compressors': __mirai_backup_missing_compressors}} }}}}"
"""
# What is there answers as rpm's query format has it; what is not, in words, and its number is the exit status.
RPM = """#!/bin/sh
[ "$1 $2" = "--query --queryformat=installed %{{NAME}}\\n" ] || exit 99
shift 2
absent=0
for name; do
    case " {there} " in
        *" $name "*) echo "installed $name" ;;
        *) echo "package $name is not installed"; absent=$((absent + 1)) ;;
    esac
done
exit $absent
"""
DNF = """#!/bin/sh
[ "$1 $2" = "--quiet list" ] || exit 99
echo "$@" >> "$(dirname "$0")/dnf.asked"
"""


def variables(family):
    return yaml.safe_load((VARS / f"{family}.yml").read_text(encoding="utf-8"))


def previewed(directory, there):
    """What the role's install would do on a RedHat host that has the packages ``there``, and what it prints."""
    fakes = directory / "fakes"
    fakes.mkdir()
    for name, content in (("rpm", RPM.format(there=there)), ("dnf", DNF)):
        (fakes / name).write_text(content)
        (fakes / name).chmod(0o755)
    (fakes / "dnf.asked").touch()
    collections = directory / "collections" / "ansible_collections" / "mirai"
    collections.mkdir(parents=True)
    (collections / "backup").symlink_to(ROOT)
    playbook = directory / "play.yml"
    playbook.write_text(PLAYBOOK.format(fakes=f"{fakes}:/usr/bin:/bin", fingerprint="A" * 40))
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "PYTHON"))}
    environment.update(
        ANSIBLE_COLLECTIONS_PATH=str(directory / "collections"),
        ANSIBLE_HOME=str(directory / "home"),
        ANSIBLE_LOCALHOST_WARNING="false",
        ANSIBLE_STDOUT_CALLBACK="default",
        ANSIBLE_CALLBACK_RESULT_FORMAT="json",
        LC_ALL="C.UTF-8",
    )
    program = shutil.which("ansible-playbook", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    argv = (program, str(playbook), "--inventory", "localhost,", "--check")
    done = subprocess.run(argv, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = done.stdout.rpartition("ok: [localhost] => ")[2].partition("PLAY RECAP")[0]
    return json.loads(shown)["msg"], done.stdout, (fakes / "dnf.asked").read_text()


def test_every_name_is_there_for_both_families():
    assert variables("RedHat").keys() == variables("Debian").keys()


def test_nothing_of_debian_is_left_in_it():
    text = (VARS / "RedHat.yml").read_text(encoding="utf-8")
    for name in ("apt", "dpkg", "isal", "postgresql-client", "/etc/postgresql-common", "python3-apt"):
        assert name not in text


def test_a_minimal_server_gets_what_the_engine_needs(tmp_path):
    found, printed, asked = previewed(tmp_path, "tar python3-dnf")
    wanted = {"logrotate", "cronie", "gnupg2", "apprise", "rclone"}
    # The machine that runs this test may have a client of its own, which the role looks for by its path.
    assert set(found["missing"]) - {"postgresql"} == wanted
    assert ("postgresql" in found["missing"]) is not Path("/usr/bin/pg_dump").exists()
    assert sorted(found["servers"]) == ["postgresql-contrib", "postgresql-server"]
    assert found["compressors"] == ["pigz"] and asked == "--quiet list pigz\n"
    assert "would install postgresql-contrib, postgresql-server" in printed


def test_a_server_that_has_everything_gets_nothing(tmp_path):
    there = (
        "python3-dnf tar logrotate cronie gnupg2 apprise rclone postgresql postgresql-server postgresql-contrib pigz"
    )
    found, printed, _asked = previewed(tmp_path, there)
    assert found["missing"] == [] and found["compressors"] == [] and found["servers"] == []
    assert "would install" not in printed.partition("TASK [ansible.builtin.debug]")[0]


@pytest.mark.parametrize("family", ["Debian", "RedHat"])
def test_the_cron_service_is_that_of_its_package(family):
    found = variables(family)
    assert (found["__mirai_backup_cron_packages"], found["__mirai_backup_cron_service"]) in (
        (["cron"], "cron"),
        (["cronie"], "crond"),
    )
