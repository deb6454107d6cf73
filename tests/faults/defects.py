"""Defects of the kind that loses data, each to be put into a copy of the engine and caught by the gauntlet.

A defect replaces one text of one module by another, and names the families whose cases must catch it.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from installed import SOURCE


@dataclass(frozen=True)
class Defect:
    """``old`` must be in the module ``file`` exactly once; ``also`` holds further changes of that kind.

    A family may be given with the number of a case, such as ``hostile.archives/8``.
    """

    name: str
    file: str
    old: str
    new: str
    families: tuple[str, ...]
    also: tuple[tuple[str, str, str], ...] = ()

    def plant(self, target: Path) -> Path:
        """A copy of the engine below ``target`` with the defect; returns what the copy is imported from."""
        shutil.copytree(SOURCE, target, ignore=shutil.ignore_patterns("__pycache__"))
        for file, old, new in ((self.file, self.old, self.new), *self.also):
            path = target / "mirai_backup" / file
            text = path.read_text()
            if text.count(old) != 1:
                raise RuntimeError(f"defect {self.name!r}: {file} holds its text {text.count(old)} times")
            path.write_text(text.replace(old, new))
        return target


DEFECTS = (
    Defect(
        "an artifact is not synced",
        "sinks.py",
        "                os.fsync(self._descriptor)\n",
        "                pass\n",
        ("order.backup",),
    ),
    Defect(
        "the manifest is not synced",
        "safefile.py",
        "            os.fsync(file.fileno())\n",
        "            pass\n",
        ("order.backup",),
    ),
    Defect(
        "the names of artifacts are not synced before the manifest's",
        "seal.py",
        "    safefile.sync_directory(directory)\n    os.rename(os.path.join(stage, manifest_name)",
        "    os.rename(os.path.join(stage, manifest_name)",
        ("order.backup",),
    ),
    Defect(
        "the manifest comes first",
        "seal.py",
        "    for name in names:\n        safefile.adopt(os.path.join(stage, name))\n"
        "        os.rename(os.path.join(stage, name), os.path.join(directory, name))\n",
        "    for name in (manifest_name, *names):\n        safefile.adopt(os.path.join(stage, name))\n"
        "        os.rename(os.path.join(stage, name), os.path.join(directory, name))\n"
        "    os.link(os.path.join(directory, manifest_name), os.path.join(stage, manifest_name))\n",
        ("order.backup", "row.15", "kill.backup.calls"),
    ),
    Defect(
        "an exit status is ignored",
        "process.py",
        "    if causes:\n        child, status = causes[0]\n        raise child.error(status)\n",
        "",
        ("row.01", "server.terminated"),
    ),
    Defect(
        "only the last stage's exit status counts",
        "process.py",
        "    failed = [(child, status) for child, status in zip(children, statuses) if status]\n",
        "    failed = [(child, status) for child, status in list(zip(children, statuses))[-1:] if status]\n",
        ("row.01",),
    ),
    Defect(
        "it prunes before it makes a backup",
        "backup.py",
        "                sealed, incomplete, notices = _make(config, kind, observer)\n",
        "                prune.apply(config, observer)\n"
        "                sealed, incomplete, notices = _make(config, kind, observer)\n",
        ("order.backup", "server.down"),
    ),
    Defect(
        "the lock is removed at the end",
        "lock.py",
        "    finally:\n        os.close(descriptor)\n",
        "    finally:\n        os.close(descriptor)\n        os.path.lexists(path) and os.unlink(path)\n",
        ("clock.simultaneous", "row.19"),
    ),
    Defect(
        "the lock is not taken",
        "lock.py",
        "            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)\n",
        "            pass\n",
        ("clock.simultaneous", "row.19"),
    ),
    Defect(
        "files are made with the caller's umask",
        "sinks.py",
        "os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)",
        "os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)",
        ("order.backup", "row.26"),
    ),
    Defect(
        "directories can be read by others",
        "safefile.py",
        "        os.mkdir(path, 0o700)\n",
        "        os.mkdir(path, 0o755)\n",
        ("row.26",),
    ),
    Defect(
        "an artifact's digest is not compared",
        "hashed.py",
        "        return self.artifact(artifact.name) == artifact\n",
        "        return True\n",
        ("corruption.manifest", "corruption.regions"),
    ),
    Defect(
        "the manifest's digest is not compared",
        "manifest.py",
        "    if claimed != _digest(values):\n",
        "    if claimed is None:\n",
        ("corruption.manifest",),
    ),
    Defect(
        "what a restore brought back is not compared",
        "side.py",
        '    if lines:\n        raise MismatchError(\n            f"what was restored from {head.id}',
        '    if lines and head is None:\n        raise MismatchError(\n            f"what was restored from {head.id}',
        ("row.08", "hostile.dumps", "row.32"),
    ),
    Defect(
        "a drill compares no rows",
        "fingerprint.py",
        '        "tables": _differing_tables(expected, found),\n',
        '        "tables": [],\n',
        ("drill.sabotaged", "row.39"),
    ),
    Defect(
        "a failure exits with 0",
        "errors.py",
        "    exit_code = 1\n",
        "    exit_code = 0\n",
        ("server.down", "row.02"),
    ),
    Defect(
        "members of an archive may lie anywhere",
        "unarchive.py",
        '    if parts[0] != ROOT or any(part in ("", ".", "..") for part in parts):\n',
        "    if not parts:\n",
        ("hostile.archives",),
        (("entries.py", "        if not stays or ", "        if "),),
    ),
    Defect(
        "set-user-ID files are restored",
        "unarchive.py",
        "    elif info.isreg() and info.mode & 0o6000:\n",
        "    elif info.isreg() and info.mode & 0:\n",
        ("hostile.archives/8",),
    ),
    Defect(
        "members of any type are taken",
        "unarchive.py",
        "    elif info.type not in TYPES:\n",
        "    elif not parts:\n",
        ("hostile.archives/7",),
    ),
    Defect(
        "a file that keeps changing is not named",
        "archive.py",
        "        self.findings.unstable = [_shown(node.path) for node, _archived in self._changed()]\n",
        "        self.findings.unstable = []\n",
        ("row.27",),
    ),
    Defect(
        "a dead run's debris is not swept",
        "seal.py",
        '        if name.startswith("run-"):\n',
        '        if name.startswith("never-"):\n',
        ("kill.backup.random", "kill.backup.calls"),
    ),
    Defect(
        "a failed run leaves its directory",
        "seal.py",
        "            if path:\n                _clear(repository, path)\n",
        "            if path and sys.exc_info()[0] is None:\n                _clear(repository, path)\n",
        ("server.terminated", "disk.sweep", "server.cut"),
        (("seal.py", "import shutil\n", "import shutil\nimport sys\n"),),
    ),
    Defect(
        "the dump does not share the snapshot",
        "database.py",
        '        f"--snapshot={snapshot}",\n',
        "",
        ("snapshot.held",),
    ),
    Defect(
        "retention has no floor",
        "retention.py",
        "        floor.update(good[-policy.keep_min :])\n",
        "",
        ("retention.days", "row.20"),
    ),
    Defect(
        "damaged backups count for the floor",
        "retention.py",
        "        good = [one.id for one in ordered if one.kind == kind and one.good]\n",
        "        good = [one.id for one in ordered if one.kind == kind]\n",
        ("retention.days", "retention.prune"),
    ),
    Defect(
        "a clock that stepped back is not noticed",
        "retention.py",
        "    if any(one.ended > now + _CLOCK_TOLERANCE for one in ordered):\n",
        "    if not ordered:\n",
        ("retention.days", "clock.step"),
    ),
    Defect(
        "a second's name is used twice",
        "repository.py",
        "        if timestamp not in taken:\n",
        "        if timestamp:\n",
        ("clock.still", "clock.fold"),
    ),
    Defect(
        "the password is put into the connection string",
        "dburl.py",
        '("dbname", self.database)]\n',
        '("dbname", self.database), ("password", self.password)]\n',
        ("row.25",),
    ),
    Defect(
        "children outlive a killed parent",
        "process.py",
        "        _prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)\n",
        "        pass\n",
        ("kill.backup.calls", "kill.backup.random", "row.11"),
    ),
    Defect(
        "another cluster's backup is restored without a word",
        "restore_plan.py",
        "    if plan.foreign and confirm != wanted:\n",
        "    if plan.foreign and not wanted:\n",
        ("row.35",),
    ),
    Defect(
        "prune takes whatever looks old",
        "prune.py",
        "    return list(decision.prune)\n",
        '    for path in listing.unsealed:\n        __import__("os").unlink(path)\n    return list(decision.prune)\n',
        ("row.21",),
    ),
    Defect(
        "a swap that dies half way is not finished",
        "exchange.py",
        '        if journal.state == "done":\n            continue\n',
        "        if journal.state:\n            continue\n",
        ("kill.restore",),
    ),
    Defect(
        "what a store holds is not compared",
        "stores.py",
        "    rclone.put(remote, local, first)\n    how = compared(one, first, expected)\n",
        '    rclone.put(remote, local, first)\n    how = "md5"\n',
        ("offsite.webdav/0", "offsite.webdav/6"),
    ),
    Defect(
        "a store gets the manifest first",
        "push.py",
        "        for name, path in zip(backup.files, paths):\n",
        "        for name, path in reversed(list(zip(backup.files, paths))):\n",
        ("offsite.kill.random", "offsite.s3"),
    ),
    Defect(
        "uploads have their final name from the start",
        "stores.py",
        '    first = f"{kind}/{one.temporary}{name}" if moves else path\n',
        "    first = path\n",
        ("offsite.sftp/0", "offsite.sftp/6", "offsite.kill.random", "row.45"),
        (("stores.py", "    if how and moves:\n", "    if how and first != path:\n"),),
    ),
    Defect(
        "a store that fails is not said",
        "push.py",
        '    return [problem for one in results for problem in one["problems"]]\n',
        "    return []\n",
        ("offsite.sftp/3", "offsite.s3"),
    ),
    Defect(
        "anybody's signature counts",
        "signature.py",
        "    if good & trusted and not words",
        "    if good and not words",
        ("encrypted.signature/5", "encrypted.signature/10"),
    ),
    Defect(
        "a manifest need not be signed",
        "signature.py",
        "        if accept_unsigned:\n            return\n",
        "        if path:\n            return\n",
        ("encrypted.signature/0",),
    ),
    Defect(
        "a failure is told to nobody",
        "alerts.py",
        '        return "FAILED"\n    if run.result == "incomplete":\n',
        '        return ""\n    if run.result == "incomplete":\n',
        ("alert.channels", "server.down"),
    ),
    Defect(
        "one channel that fails stops the others",
        "channels.py",
        "        return list(pool.map(lambda one: _deliver(config, one, message, timeout), channels))\n",
        "        first = _deliver(config, channels[0], message, timeout)\n"
        "        rest = () if first.failure else channels[1:]\n"
        "        return [first, *(_deliver(config, one, message, timeout) for one in rest)]\n",
        ("alert.channels/0", "alert.channels/2"),
    ),
)
