# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The only room that knows Ansible: parameters in, outcomes and errors out."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator

from ansible_collections.mirai.backup.plugins.module_utils.mirai_backup import arguments, config, install, outcome
from ansible_collections.mirai.backup.plugins.module_utils.mirai_backup.access import Access
from ansible_collections.mirai.backup.plugins.module_utils.mirai_backup.errors import EngineError, UsageError

CONFIG_SPEC = {"config": {"type": "path", "default": config.DEFAULT_PATH}}
ACCESS_SPEC = {
    "gpg_key_file": {"type": "path", "default": "", "no_log": False},
    "gpg_key_passphrase_file": {"type": "path", "default": "", "no_log": False},
    "accept_unsigned": {"type": "bool", "default": False},
}
OFFSITE_SPEC = {
    "offsite": {"type": "bool", "default": False},
    "store": {"type": "str", "default": ""},
}


def load(module) -> config.Config:
    """The configuration that the parameter ``config`` names. Raises ConfigError; UsageError for a lone ``store``."""
    if module.params.get("store") and not module.params.get("offsite"):
        raise UsageError("store means nothing without offsite", "add offsite: true")
    return config.load(module.params["config"])


def access(module) -> Access:
    """What the parameters of ``ACCESS_SPEC`` bring to read a backup; an empty path stays empty."""
    return Access(*(module.params[name] for name in ACCESS_SPEC))


def age(written: str) -> float:
    """Seconds of a length of time such as ``26h``. Raises UsageError."""
    try:
        return arguments.age(written)
    except argparse.ArgumentTypeError as error:
        raise UsageError(str(error), "correct the parameter max_age") from error


def leave(module, result: outcome.Outcome, changed: bool) -> None:
    """End the module with ``result``: its document, its lines, and in diff mode the lines as what is new.

    An incomplete result (exit code 3) is a success with warnings; every other code but 0 fails the task.
    """
    lines = list(result.lines)
    values = {**result.document, "changed": changed, "exit_code": result.exit_code, "lines": lines}
    if changed:
        values["diff"] = {"before": "", "after": "".join(f"{line}\n" for line in lines)}
    if result.exit_code not in (outcome.OK, outcome.INCOMPLETE):
        module.fail_json(msg=lines[0] if lines else "failed", **values)
    for problem in values.get("incomplete", ()):
        module.warn(f"incomplete: {problem}")
    for problem in values.get("watching", ()):
        module.warn(f"watching: {problem}")
    for warning in values.pop("warnings", ()):
        module.warn(warning)
    module.exit_json(**values)


@contextlib.contextmanager
def failures(module) -> Iterator[None]:
    """End the module when the block fails: what failed, on which object, and what to do next."""
    if sys.getfilesystemencoding() != "utf-8":  # names of files would be made in it
        module.fail_json(
            msg=f"the locale's encoding is {sys.getfilesystemencoding()}; set PYTHONUTF8=1 in the task's environment",
            exit_code=1,
        )
    try:
        yield
    except EngineError as error:
        module.fail_json(msg=error.words, **error.document())
    except OSError as error:
        module.fail_json(msg=f"{error.filename or 'the system'}: {error.strerror or error}", exit_code=1)


def installation(plan: install.Plan) -> dict:
    """What the module ``engine`` returns for ``plan``, with the files as its diff."""
    after = f"{plan.version} ({plan.digest})\n" if plan.digest else ""
    return {
        "changed": bool(plan.changes),
        "version": plan.version,
        "digest": plan.digest,
        "path": plan.command,
        "changes": list(plan.changes),
        "diff": {
            "before_header": "installed",
            "after_header": "this collection",
            "before": f"{plan.before}\n" if plan.before else "",
            "after": after + "".join(f"{line}\n" for line in plan.changes),
        },
    }
