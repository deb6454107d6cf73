"""The story that `make demo` tells: an application is set up, backed up, damaged, restored and rolled back.

Every claim is checked against the application itself, not against what the tool says about it.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pwd
import signal
import subprocess
import sys
import time

import application
from embedded import Server
from stage import APP, BACKEND, CHECKOUT, COMMAND, PREFIX, WORK, DemoError, Done, environment, heading, run, same, tell

VARS = WORK / "vars.json"
REPOSITORY = BACKEND / "backups"


def write_vars(server: Server) -> None:
    """The role variables of the demo, in a file of mode 0600 since one of them holds a password."""
    values = {
        "target": "localhost",
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "mirai_backup_prefix": str(PREFIX),
        "mirai_backup_app_dir": str(APP),
        "mirai_backup_user": pwd.getpwuid(os.geteuid()).pw_name,
        "mirai_backup_admin_url": server.url(),
        "mirai_backup_pg_bindir": str(server.bindir),
        "mirai_backup_become": False,
    }
    VARS.unlink(missing_ok=True)
    VARS.touch(mode=0o600)
    VARS.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def backups() -> dict[str, str]:
    """ID → kind of every backup that the command lists. Raises DemoError when one has no sealed artifact."""
    argv = (str(COMMAND), "--json", "list")
    done = subprocess.run(argv, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DemoError(f"list --json: exit status {done.returncode}: {done.stderr.strip()}")
    found = {one["id"]: one["kind"] for one in json.loads(done.stdout)["backups"]}
    for name, kind in found.items():
        artifacts = [path for path in (REPOSITORY / kind).glob(f"{name}.*") if path.suffix == ".gz"]
        if len(artifacts) != 1 or not (REPOSITORY / kind / f"{artifacts[0].name}.manifest.json").exists():
            raise DemoError(f"{name} is listed, but its artifact and manifest are not both in {REPOSITORY / kind}")
    return found


def back_up(kind: str, *flags: str) -> Done:
    """Make one backup and see that exactly one of its kind has been added."""
    before = backups()
    done = run(str(COMMAND), "backup", *flags)
    new = {name: found for name, found in backups().items() if name not in before}
    if list(new.values()) != [kind]:
        raise DemoError(f"one new {kind} backup was expected, and there is: {new or 'none'}")
    return done


def compare(server: Server, what: str, rows: dict[str, str], files: dict[str, str]) -> None:
    """Raise DemoError unless database and files are exactly as given."""
    same(f"{what}, database", rows, application.rows(server))
    same(f"{what}, files", files, application.files())
    tables = sum("rows, " in value for value in rows.values())
    tell(f"✓ {what}: {tables} tables, {len(rows) - tables} other objects and {len(files)} paths compared.")


def differing(before: dict[str, str], after: dict[str, str]) -> int:
    return sum(before.get(key) != after.get(key) for key in before.keys() | after.keys())


def tell_rows(before: dict[str, str], hurt: dict[str, str], now: dict[str, str]) -> None:
    """A line for every damaged table: how many rows, and the start of their digest, at three times."""
    for name in sorted(key for key in before if "rows, " in before[key] and before[key] != hurt.get(key)):
        then, after, restored = (brief(state.get(name)) for state in (before, hurt, now))
        tell(f"{name}: before {then}, after the accident {after}, now {restored}")


def brief(state: str | None) -> str:
    if state is None:
        return "gone"
    count, digest = state.split(", ")
    return count if digest == "none" else f"{count} ({digest[:6]}…)"


def story(server: Server) -> list[str]:
    """Tell it step by step and return the summary."""
    heading(1, "An application: PostgreSQL database and JSON files, generated")
    tell(server.psql("-c", "SELECT version()").strip())
    application.create(server)
    rows, files = application.rows(server), application.files()
    compare(server, "The application stands still", rows, files)

    heading(2, "Set up: the role, then a first verified backup; and once more")
    write_vars(server)
    playbook = ("ansible-playbook", str(CHECKOUT / "playbooks/setup.yml"), "-i", "localhost,", "-e", f"@{VARS}")
    set_up = run(*playbook)
    if not backups():
        raise DemoError("setup.yml has ended well, but there is no backup")
    if " changed=0 " not in run(*playbook).output:
        raise DemoError("the second run of setup.yml has changed something")
    tell("✓ A backup is there, and the second run has changed nothing.")

    heading(3, "Back up: everything, the database alone, the JSON files alone")
    backup = back_up("full")
    back_up("database", "--db-only")
    back_up("json", "--json-only")

    heading(4, "What is there, and is it good?")
    run(str(COMMAND), "list")
    run(str(COMMAND), "verify", "--all")
    compare(server, "Backups have changed nothing in the application", rows, files)

    heading(5, "An accident")
    for line in application.damage(server):
        tell(line)
    hurt_rows, hurt_files = application.rows(server), application.files()
    lost = differing(rows, hurt_rows), differing(files, hurt_files)
    if not all(lost):
        raise DemoError("the damage has damaged nothing")
    tell(f"✗ {lost[0]} database objects and {lost[1]} paths are not what they were.")

    heading(6, "Restore")
    run(str(COMMAND), "restore", "latest", "--plan")
    restore = run(str(COMMAND), "restore", "latest")
    tell_rows(rows, hurt_rows, application.rows(server))
    compare(server, "All is back as it was", rows, files)

    heading(7, "Roll back: the restore itself can be undone")
    run(str(COMMAND), "rollback")
    compare(server, "All is as it was after the accident", hurt_rows, hurt_files)

    return [
        f"A PostgreSQL server from a wheel ran the application's database: {len(rows)} objects, three schemas.",
        f"Beside it lay {len(files)} files, directories and links of JSON data.",
        f"playbooks/setup.yml set the tool up below demo/.work/prefix in {set_up.seconds:.0f} s; again: no change.",
        f"A full, a database and a JSON backup were made; the full one took {backup.seconds:.1f} s.",
        "Every backup was then read back in full and matched its manifest.",
        f"An accident hit both halves: {lost[0]} database objects and {lost[1]} paths were lost or changed.",
        f"`restore latest` proved the backup and swapped both halves in {restore.seconds:.1f} s.",
        "All rows, large objects, sequences, indexes, constraints, owners, rights and settings were the same",
        "again, and so was every file's content, mode and time.",
        "`rollback` then undid the restore, and the accident's state was back, equally exact.",
        "The server is stopped. Look around in demo/.work: app/backend/backups holds the backups,",
        "prefix/ all that setup installed. `rm -r demo/.work` removes every trace.",
    ]


def interrupted(number: int, _frame) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds-before", type=int, default=0, help="time the launcher has spent already")
    started = time.monotonic() - parser.parse_args().seconds_before
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    with (WORK / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            application.remove()
            with Server() as server:
                summary = story(server)
        except BlockingIOError:
            print("demo: another run of the demo is under way in this checkout", file=sys.stderr)
            return 1
        except DemoError as error:
            print(f"\ndemo: FAILED: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\ndemo: interrupted; the server is stopped", file=sys.stderr)
            return 130
    print(f"\n━━ What happened ({time.monotonic() - started:.0f} s in all)")
    for line in summary:
        tell(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
