# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The operator's commands before and after a backup or a restore, such as maintenance mode on and off."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Iterator

from . import process, runs, secrecy
from .command import Command
from .config import Config
from .errors import EngineError, ProcessError
from .outcome import Outcome
from .runs import Occasion, Run
from .watch import Observer


class Hooks:
    """The hooks of one run. ``failures`` fills up with those that failed and did not end the run."""

    def __init__(self, config: Config, occasion: Occasion, observer: Observer) -> None:
        self._config = config
        self._occasion = occasion
        self._observer = observer
        self._point = "backup" if occasion.verb == "backup" else "restore"
        self.failures: list[str] = []
        self.outcome = Outcome({})
        self._begun = False

    def before(self) -> None:
        """Run the hooks before the action. Raises EngineError when one fails whose policy is abort."""
        self._begun = True
        point = f"before_{self._point}"
        for number, hook in enumerate(self._config.hooks.get(point, ())):
            failure = self._run(point, number, hook, self._occasion)
            if failure and hook["on_failure"] == "abort":
                raise EngineError(failure, "mend the hook, or set its on_failure to warn; nothing was begun")
            self._keep(failure)

    @contextlib.contextmanager
    def afterwards(self) -> Iterator["Hooks"]:
        """Run the hooks after the block, however it ends, once ``before`` was called in it; set ``outcome`` there."""
        try:
            yield self
        except BaseException as error:
            self._after(runs.of_error(self._occasion, error, 0))
            raise
        self._after(runs.of_outcome(self._occasion, self.outcome, 0))

    def _after(self, run: Run) -> None:
        if not self._begun:
            return
        point = f"after_{self._point}"
        facts = (
            ("MIRAI_BACKUP_RESULT", run.result),
            ("MIRAI_BACKUP_EXIT_CODE", str(run.exit_code)),
            ("MIRAI_BACKUP_ERROR", run.cause.replace("\0", "")),
        )
        occasion = dataclasses.replace(self._occasion, subject=run.backup)
        for number, hook in enumerate(self._config.hooks.get(point, ())):
            self._keep(self._run(point, number, hook, occasion, facts))

    def _run(self, point: str, number: int, hook: dict, occasion: Occasion, facts: tuple = ()) -> str:
        """Run one hook; returns how it failed, or nothing."""
        name = f"hook {point}[{number}] ({hook['command'][0]})"
        env = (
            ("MIRAI_BACKUP_VERB", occasion.verb),
            ("MIRAI_BACKUP_KIND", occasion.kind),
            ("MIRAI_BACKUP_ID", occasion.subject),
            ("MIRAI_BACKUP_REPOSITORY", self._config.repository),
            *facts,
        )
        self._observer.say(f"{name}: begun")
        try:
            command = Command(tuple(hook["command"]), env=env, secrets=secrecy.secrets(self._config))
            process.run(command, timeout=hook["timeout"])
        except ProcessError as error:
            return f"{name} failed: {error.message}"
        return ""

    def _keep(self, failure: str) -> None:
        if failure:
            self.failures.append(failure)
            self._observer.say(failure, "WARNING")
