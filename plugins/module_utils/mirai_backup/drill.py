# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The restore test: a backup is restored in a throwaway place, held to its manifest, and the checks are checked."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from typing import Iterator, Optional

from . import (
    amcheck,
    attended,
    cluster,
    control,
    drill_choice,
    drill_files,
    drill_findings,
    drill_history,
    drill_proof,
    language,
    manifest,
    postgres,
    priority,
    pull,
    repository,
    selector,
    side,
    signature,
    text,
    unlock,
    verify,
)
from . import target as targets
from .access import OWN_KEYRING, Access
from .cluster import Room
from .command import Command
from .config import Config
from .dburl import parse
from .drill_choice import Damaged
from .drill_findings import Findings
from .errors import CouldNotVerifyError, DecryptError, EngineError, Interrupted, MismatchError
from .outcome import COULD_NOT_VERIFY, MISMATCH, OK, Outcome
from .repository import Backup
from .runs import Occasion
from .target import DatabaseTarget
from .watch import Log, Observer

_EXIT = {"pass": OK, "fail": MISMATCH}
_HEADROOM = 1.2
_SERVER_BYTES = 100 << 20


def run(
    config: Config,
    word: str = "latest",
    observer: Optional[Observer] = None,
    access: Access = OWN_KEYRING,
    offsite: bool = False,
    store: str = "",
) -> Outcome:
    """Drill the backup that ``word`` names; exit 0 for pass, 2 for fail, 4 for could_not_verify, 12 without the key.

    With ``offsite`` it is brought from ``store`` first, or from the first that has it.

    What the drill found is in the document, and in ``drills/`` with a report. Raises NotFoundError when there is
    no such backup.
    """
    observer = observer or Observer(Log(config.log))
    occasion = Occasion("drill", subject=word)
    return attended.run(config, occasion, observer, lambda _hooks: _run(config, word, observer, access, offsite, store))


def _run(config: Config, word: str, observer: Observer, access: Access, offsite: bool, store: str) -> Outcome:
    refused, passed_over = None, ()
    try:
        priority.lower(config)
        if offsite:
            word = pull.fetch(config, word, store, observer)["pulled"]
        listing = repository.listing(config.repository)
        backup = drill_choice.resolve(listing, word)
        observer.say(f"drill of {backup.id}: begun")
        if isinstance(backup, Damaged):
            document = _damaged(config, backup)
        else:
            passed_over = selector.passed_over(listing, word, backup, backup.head.components)
            for skipped in passed_over:
                observer.say(f"passed by {skipped}", "WARNING")
            one = _Drill(config, backup, observer, access)
            document, refused = one.run(), one.refused
    except KeyboardInterrupt as error:
        raise Interrupted("the drill was interrupted", "run it again; it clears what was left") from error
    except EngineError as error:
        observer.say(f"drill {word}: FAILED: {error.words}", "ERROR")
        raise
    finally:
        observer.done()
    directory = drill_files.keep(config.repository, document, language.chosen(config.language))
    observer.say(f"drill of {backup.id}: {document['verdict']}", "INFO" if document["verdict"] == "pass" else "ERROR")
    exit_code = refused.exit_code if refused else _EXIT.get(document["verdict"], COULD_NOT_VERIFY)
    lines = (*_lines(document, directory), *(f"  passed by  {one}" for one in passed_over))
    if refused is not None:
        lines = (f"{lines[0]}: {refused.message}", f"  next: {refused.next_step}", *lines[1:])
    return Outcome({**document, "directory": directory}, lines, exit_code)


def plan(config: Config, word: str = "latest", offsite: bool = False, store: str = "") -> Outcome:
    """What ``run`` would drill, and where; nothing is run. Raises NotFoundError, CouldNotVerifyError."""
    if offsite:
        backup = pull.find(config, word, store).backup
    else:
        backup = drill_choice.resolve(repository.listing(config.repository), word)
    if isinstance(backup, Damaged):
        raise MismatchError(backup.problem, "choose another; see mirai-backup list")
    head = backup.manifest
    if head.database is None:
        place = "none: the backup has no database half"
    elif config.drill_url:
        place = "a scratch database on the server of drill_url"
    else:
        server = cluster.programs(_major(head), config.pg_bindir)
        place = f"a throwaway server of PostgreSQL {server.version} below {config.drill_dir}"
    document = {
        "backup": backup.id,
        "components": sorted(head.components),
        "bytes": head.size,
        "checks": list(drill_findings.CHECKS),
        "place": place,
    }
    return Outcome({"plan": document}, (f"would drill {backup.id} ({head.size} bytes)", f"place: {place}"))


def _damaged(config: Config, backup: Damaged) -> dict:
    """The document of a drill that ends at the manifest."""
    found = Findings()
    found.compared("manifest", [backup.problem], 1)
    return found.document(config, backup, drill_history.rows(config.repository))


class _Drill:
    """One drill."""

    def __init__(self, config: Config, backup: Backup, observer: Observer, access: Access) -> None:
        self._config = config
        self._access = access
        self._decryption: tuple[Command, ...] = ()
        self.refused: Optional[DecryptError] = None
        self._backup = backup
        self._head = backup.manifest
        self._observer = observer
        self._found = Findings()
        self._past = drill_history.rows(config.repository)
        self._name = f"mirai_drill_{self._found.started:%Y%m%d_%H%M%S}"

    def run(self) -> dict:
        """Run every check and return the drill's document."""
        try:
            place = cluster.room(self._config.drill_dir, self._config.drill_user)
            with place as room, contextlib.ExitStack() as cleanup:
                with self._found.phase("verify"):
                    if self._found.check("manifest", self._look_at_manifest):
                        self._found.check("artifacts", lambda: self._verify(cleanup))
                if self.refused is not None:
                    self._found.fill("the backup cannot be decrypted here")
                elif self._found.checks["manifest"]["verdict"] == "pass" and not self._found.failed():
                    self._require_space(room)
                    self._restore_and_prove(room)
        except (EngineError, OSError) as error:  # the drill's own place failed it, which says nothing of the backup
            self._found.fill(getattr(error, "message", str(error)))
        return self._found.document(self._config, self._backup, self._past)

    def _require_space(self, room: Room) -> None:
        """Raise CouldNotVerifyError when the place is too small: a full disk must not look like a bad backup."""
        needed = int(self._head.files["size"] * _HEADROOM) if self._head.files is not None else 0
        if self._head.database is not None:  # the decoded dump, the restored database and its write-ahead log
            needed += int(self._head.database["size"] * 2 * _HEADROOM) + _SERVER_BYTES
        free = shutil.disk_usage(room.path).free
        if free < needed:
            raise CouldNotVerifyError(
                f"{self._config.drill_dir} has {text.size(free)} free, the drill needs about {text.size(needed)}",
                "free space, or set drill_dir",
            )

    def _look_at_manifest(self) -> None:
        signature.require(self._config, self._backup.manifest_path, self._access.accept_unsigned)
        manifest.read(self._backup.manifest_path)

    def _verify(self, cleanup: contextlib.ExitStack) -> None:
        """Decode the artifacts; the key stays at hand until ``cleanup``. A missing key says nothing of the backup."""
        if self._backup.problem:
            raise MismatchError(self._backup.problem)
        try:
            self._decryption = cleanup.enter_context(unlock.unlocked(self._config, self._backup, self._access))
            verify.check(self._config, self._backup, self._observer, self._decryption)
        except DecryptError as error:
            self.refused = error
            raise CouldNotVerifyError(error.message, error.next_step) from error

    def _restore_and_prove(self, room: Room) -> None:
        found = self._found
        wants_database = self._head.database is not None
        staged = os.path.join(room.work, "data") if self._head.files is not None else None
        with found.phase("unpack"):
            if not found.check("restore", lambda: self._unpack(room.work, wants_database, staged)):
                return
        with contextlib.ExitStack() as cleanup:
            target = None
            if wants_database:
                with found.phase("cluster"):
                    target = cleanup.enter_context(self._server(room))
                    cleanup.callback(side.drop_database, target, self._name)
                with found.phase("restore"):
                    if not found.check("restore", lambda: self._restore(target, room.work)):
                        return
            found.rto = time.monotonic() - found.begun
            with found.phase("prove"):
                self._prove(target, staged)
            if target is not None:
                with found.phase("indexes"):
                    found.check("indexes", lambda: amcheck.check(target, self._name))
                with found.phase("assertions"):
                    drill_proof.operators(self._found, self._config, target, self._name)
            with found.phase("control"):
                self._negative_control(room, target, staged)

    def _unpack(self, work: str, wants_database: bool, staged: Optional[str]) -> None:
        side.unpack(self._backup, work, wants_database, staged, self._decryption)

    @contextlib.contextmanager
    def _server(self, room: Room) -> Iterator[DatabaseTarget]:
        """The place to restore into: a throwaway server, or a scratch database on a given one."""
        if self._config.drill_url:
            found = targets.reach(self._config, parse(self._config.drill_url), self._name)
            self._found.place = {"kind": "database", "server_version": found.server.version}
            yield found
            return
        programs = cluster.programs(_major(self._head), self._config.pg_bindir)
        with cluster.running(room, programs) as target:
            self._found.place = {"kind": "throwaway", "server_version": target.server.version}
            yield target

    def _restore(self, target: DatabaseTarget, work: str) -> None:
        if self._found.place["kind"] == "throwaway":
            known = {row["name"] for row in target.query("SELECT rolname AS name FROM pg_roles")}
            for role in self._head.database["roles"]:
                if role not in known:
                    target.execute(f"CREATE ROLE {postgres.identifier(role)}")
        side.create_database(target, self._name, self._head.database["properties"])
        side.load(target, self._name, work, self._config.jobs, self._head, ("--no-tablespaces",))

    def _prove(self, target: Optional[DatabaseTarget], staged: Optional[str]) -> None:
        with contextlib.ExitStack() as cleanup:
            finish = cleanup.enter_context(side.analyzing(target, self._name)) if target is not None else None
            drill_proof.database(self._found, self._head, target, self._name)
            drill_proof.files(self._found, self._backup, staged)
            try:
                if finish is not None:
                    finish()
            except EngineError as error:  # a restore would end here
                self._found.compared("restore", [f"statistics cannot be gathered: {error.message}"], 0)

    def _negative_control(self, room: Room, target: Optional[DatabaseTarget], staged: Optional[str]) -> None:
        begun = time.monotonic()
        turn = len(self._past)
        result = control.run(self._config, self._backup, room.work, turn, target, self._name, staged, self._decryption)
        detail = f"{result['damage']}, {result['where']}: {result['found_by']}"
        self._found.control = result
        self._found.set("negative_control", result["verdict"], detail, time.monotonic() - begun, 1)


def _major(head: manifest.Manifest) -> int:
    return int(head.database["server_version"].split(".")[0])


def _lines(document: dict, directory: str) -> tuple[str, ...]:
    lines = [f"drill of {document['history'][-1]['backup']}: {document['verdict']}"]
    for check in document["checks"]:
        detail = f"  {check['detail']}" if check["detail"] else ""
        compared = f" ({check['compared']} compared)" if check["compared"] is not None else ""
        lines.append(f"  {check['name']:<17}{check['verdict']}{compared}{detail}")
    if document["rto_seconds"] is not None:
        recovered, age = text.duration(document["rto_seconds"]), text.duration(max(document["rpo_seconds"], 0))
        lines.append(f"  restored within {recovered}; the backup was {age} old")
    lines.append(f"  report     {os.path.join(directory, 'report.html')}")
    return tuple(lines)
