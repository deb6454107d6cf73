# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ships backups to the stores, newest first, and carries out each store's own retention."""

from __future__ import annotations

import dataclasses
import datetime
import os
import time
from typing import Optional

from . import lock, marks, prune, rclone, records, repository, retention, selector, stores, text
from .config import Config, Store
from .errors import EngineError, LockedError, MismatchError, StoreError
from .marks import Mark, Memory
from .outcome import FAILED, INCOMPLETE, OK, Outcome
from .repository import Backup, Listing
from .stores import Shelf
from .watch import Log, Observer

_NOTHING = Listing((), (), ())


def run(config: Config, word: str = "", name: str = "", observer: Optional[Observer] = None) -> Outcome:
    """Ship what is missing, or the backup that ``word`` names, to the store ``name`` or to all.

    Exit code 3 when something is missing somewhere, 1 when no store was reached. Raises UsageError, NotFoundError.
    """
    observer = observer or Observer(Log(config.log))
    wanted = stores.chosen(config, name)
    if word:
        selector.resolve(repository.listing(config.repository), word)
    results = everywhere(config, observer, wanted, word)
    failed = [one for one in results if one["problems"]]
    code = OK if not failed else FAILED if all(one["result"] == "failed" for one in results) else INCOMPLETE
    return Outcome({"offsite": results, "incomplete": problems(results)}, lines(results), code)


def everywhere(config: Config, observer: Observer, wanted: tuple[Store, ...], word: str = "") -> list[dict]:
    """Ship to every store of ``wanted``; what fails one does not touch another. Returns a result for each.

    The repository's lock is not needed: a backup that is pruned meanwhile is left out.
    """
    results = []
    for store in wanted:
        begun = time.monotonic()
        result = {"store": store.name, "pushed": [], "pruned": [], "problems": [], "notes": [], "missing": []}
        try:
            shelf = stores.shelf(config, store)
            try:
                with lock.hold(shelf.directory, "push"):
                    _Push(config, shelf, observer, result).run(word)
                    stores.sweep(shelf)
            except LockedError as error:
                raise stores.holder(shelf, error) from error
        except EngineError as error:
            result["problems"].append(error.message)
        except OSError as error:
            result["problems"].append(f"offsite store {store.name}: {error.filename}: {error.strerror}")
        state = "ok" if not result["problems"] else "incomplete" if result["pushed"] else "failed"
        result.update(result=state, duration_seconds=round(time.monotonic() - begun, 3))
        for problem in result["problems"]:
            observer.say(f"push: {problem}", "ERROR")
        results.append(result)
    if wanted:
        overall = "incomplete" if problems(results) else "ok"
        for problem in records.noted(config.repository, {"verb": "push", "result": overall, "offsite": results}):
            observer.say(problem, "ERROR")
    return results


def problems(results: list) -> list[str]:
    """What is missing offsite, in words, for all stores."""
    return [problem for one in results for problem in one["problems"]]


def lines(results: list) -> tuple[str, ...]:
    """The results for people."""
    found = []
    for one in results:
        took = text.duration(one["duration_seconds"])
        found.append(f"offsite {one['store']}: {one['result']}, {len(one['pushed'])} pushed in {took}")
        found += [f"  pushed {pushed}" for pushed in one["pushed"]]
        found += [f"  pruned {pruned}" for pruned in one["pruned"]]
        found += [f"  missing {missing}" for missing in one["missing"]]
        found += [f"  note: {note}" for note in one["notes"]]
        found += [f"  problem: {problem}" for problem in one["problems"]]
    return tuple(found)


def missing(local: Listing, stored: Listing, memory: Memory, store: Store, now: datetime.datetime) -> tuple:
    """The good backups that ``store`` has still to get, newest first; pure.

    One that the store's retention would let go at once is left out, and where the store itself rules, so is one
    that was there and is gone, unless it is the newest of its kind.
    """
    newest = {one.head.kind: one.id for one in local.good()}
    lacking = []
    for one in local.good():
        mark = memory.marks.get(one.id)
        ruled_away = store.retention == "none" and mark is not None and mark.gone and newest[one.head.kind] != one.id
        if not memory.shipped(one.id, one.head.digest) and not ruled_away:
            lacking.append(one)
    if store.retention != "none":
        known = {one.id: one for one in (*stored.backups, *lacking)}
        unwanted = decide(tuple(known.values()), store, now).prune
        lacking = [one for one in lacking if one.id not in unwanted]
    return tuple(reversed(lacking))


def decide(backups: tuple[Backup, ...], store: Store, now: datetime.datetime) -> retention.Decision:
    """What the retention of ``store`` means for ``backups``."""
    return prune.judge(backups, store.retention, now)


class _Push:
    """One push to one store, under the store's lock; ``result`` is filled on the way."""

    def __init__(self, config: Config, shelf: Shelf, observer: Observer, result: dict) -> None:
        self._config = config
        self._shelf = shelf
        self._store = shelf.store
        self._observer = observer
        self._result = result
        self._memory = marks.read(shelf.directory)
        self._stored = _NOTHING
        self._moves = False

    def run(self, word: str) -> None:
        """Look, clear, ship, prune. What ends it is a problem in the result; what was shipped stays shipped."""
        try:
            if not self._store.write_only:
                self._moves = stores.retried(self._shelf, lambda: rclone.can_move(self._shelf.remote), self._say)
                self._look()
                self._clear()
            self._ship(word)
            if self._store.retention != "none":
                if self._result["pushed"]:
                    self._look()
                self._prune()
        except EngineError as error:
            self._problem(error.message)
        local = repository.listing(self._config.repository)
        lacking = missing(local, self._stored, self._memory, self._store, self._now())
        self._result["missing"] = [one.id for one in lacking]
        state = "incomplete" if self._result["problems"] else "ok"
        last = {"time": text.utc(self._now()), "result": state, "problems": list(self._result["problems"])}
        self._remember(last=last)

    def _look(self) -> None:
        """See what the store holds, and hold the marks to it."""
        self._stored, self._files = stores.retried(
            self._shelf, lambda: stores.look(self._config, self._shelf), self._say
        )
        now = text.utc(self._now())
        found = {one.id: one.manifest for one in self._stored.good()}
        kept = {}
        for name, mark in self._memory.marks.items():
            if name in found and found[name].digest == mark.digest:
                kept[name] = dataclasses.replace(mark, gone="")
            elif self._store.retention == "none" and name not in found:
                kept[name] = dataclasses.replace(mark, gone=mark.gone or now)
        for name, head in found.items():
            kept.setdefault(name, Mark(now, head.digest, head.kind, head.sequence, {}))
        sequence = max((one.head.sequence for one in self._stored.backups), default=0)
        self._remember(marks=kept, sequence=max(self._memory.sequence, sequence))

    def _clear(self) -> None:
        """Delete what dead runs left: half uploads, and artifacts whose manifest never came or went."""
        names = {file.path for file in self._files}
        local = {one.id for one in repository.listing(self._config.repository).good()}
        doomed = dict(self._memory.doomed)
        for path, seal in self._memory.doomed.items():
            if seal in names or path not in names:
                del doomed[path]
            elif seal.rpartition("/")[2].split(".")[0] not in local and self._delete(path):
                del doomed[path]
        for path in stores.debris(self._shelf, self._files, self._now()):
            self._delete(path)
        self._remember(doomed=doomed)

    def _ship(self, word: str) -> None:
        """Push what is missing, also what is sealed while this goes on."""
        tried: set = set()
        while True:
            local = repository.listing(self._config.repository)
            if word:
                wanted = (selector.resolve(local, word),)
            else:
                wanted = missing(local, self._stored, self._memory, self._store, self._now())
            wanted = [one for one in wanted if one.id not in tried]
            if not wanted:
                return
            tried.add(wanted[0].id)
            self._push(wanted[0])

    def _push(self, backup: Backup) -> None:
        """Send one backup. One that was pruned meanwhile is left out, one that is damaged is a problem of its own."""
        try:
            self._send(backup)
        except FileNotFoundError:
            if os.path.exists(backup.manifest_path):
                raise
            self._observer.say(f"push {backup.id} to {self._shelf.name}: it was pruned meanwhile")
        except MismatchError as error:
            self._problem(error.message)

    def _send(self, backup: Backup) -> None:
        head = backup.manifest
        other = [one for one in self._stored.backups if one.id == head.id and one.head.digest != head.digest]
        if other:
            self._problem(f"{head.id}: offsite store {self._shelf.name} holds another backup of that name")
            return
        self._observer.say(f"push {head.id} to {self._shelf.name}: begun, {text.size(head.size)}")
        begun = time.monotonic()
        paths = [f"{head.kind}/{name}" for name in backup.files]
        self._remember(doomed={**self._memory.doomed, **dict.fromkeys(paths[:-1], paths[-1])})
        known = {one.name: one for one in head.artifacts}
        how = {}
        for name, path in zip(backup.files, paths):
            local = backup.artifact_path(name)
            expected = stores.digest(local)
            if name in known and (expected.size, expected.sha256) != (known[name].size, known[name].sha256):
                raise MismatchError(f"{local} is damaged and was not pushed", "see mirai-backup verify")
            how[name] = stores.retried(
                self._shelf,
                lambda: stores.deliver(self._shelf, local, path, expected, self._moves),  # noqa: B023
                self._say,
            )
        mark = Mark(text.utc(self._now()), head.digest, head.kind, head.sequence, how)
        doomed = {path: seal for path, seal in self._memory.doomed.items() if seal != paths[-1]}
        self._remember(
            marks={**self._memory.marks, head.id: mark},
            doomed=doomed,
            sequence=max(self._memory.sequence, head.sequence),
        )
        self._result["pushed"].append(head.id)
        took = text.duration(time.monotonic() - begun)
        self._observer.say(
            f"pushed {head.id} to {self._shelf.name} in {took}, compared: {', '.join(set(how.values()))}"
        )

    def _prune(self) -> None:
        """Delete what the store's retention lets go: the manifest first. A refusal is a note."""
        decision = decide(self._stored.backups, self._store, self._now())
        for backup in self._stored.backups:
            if backup.id not in decision.prune:
                continue
            paths = [f"{backup.head.kind}/{name}" for name in backup.files]
            self._remember(doomed={**self._memory.doomed, **dict.fromkeys(paths[:-1], paths[-1])})
            if not self._delete(paths[-1]):
                continue
            kept = {path: seal for path, seal in self._memory.doomed.items() if path not in paths}
            kept.update({path: paths[-1] for path in paths[:-1] if not self._delete(path)})
            left = {name: mark for name, mark in self._memory.marks.items() if name != backup.id}
            self._remember(doomed=kept, marks=left)
            self._result["pruned"].append(backup.id)
            self._observer.say(f"pruned {backup.id} from {self._shelf.name}: {decision.reasons[backup.id]}")

    def _delete(self, path: str) -> bool:
        """Delete one file; a store that refuses (object lock, no right to) rules itself."""
        try:
            rclone.delete(self._shelf.remote, path)
        except StoreError as error:
            self._result["notes"].append(f"{path} was not deleted: {error.message}")
            self._observer.say(self._result["notes"][-1], "WARNING")
            return False
        return True

    def _problem(self, message: str) -> None:
        self._result["problems"].append(message)

    def _say(self, message: str) -> None:
        self._observer.say(message, "WARNING")

    def _remember(self, **changes: object) -> None:
        self._memory = dataclasses.replace(self._memory, **changes)
        marks.write(self._shelf.directory, self._memory)

    @staticmethod
    def _now() -> datetime.datetime:
        return datetime.datetime.now(datetime.timezone.utc)
