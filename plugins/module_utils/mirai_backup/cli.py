# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command: parses, calls one verb, prints its outcome, and is the only room that does either.

A verb's rooms are imported where they are called: whoever asks for a list does not wait for the drill to load.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Callable, Optional, Sequence

from . import arguments, colour, interrupts, memory
from . import config as configuration
from .access import Access
from .config import Config
from .errors import ConfigError, EngineError, Interrupted, UsageError
from .outcome import Outcome
from .watch import Log, Observer, Progress


def main(
    argv: Optional[Sequence[str]] = None,
    default_config: str = configuration.DEFAULT_PATH,
    default_log: str = configuration.DEFAULT_LOG,
) -> int:
    """Run the command and return its exit code. ``default_log`` takes what happens before the config is known."""
    try:
        options = arguments.parser(default_config).parse_args(argv)
    except SystemExit as stop:
        given = sys.argv[1:] if argv is None else argv
        return _misused(given) if stop.code not in (None, 0) else 0
    interrupts.install()
    memory.keep()
    try:
        _require_sense(options)
        config = _config(options, default_log)
        outcome = _VERBS[options.verb](config, options)
    except KeyboardInterrupt:
        return _fail(options, Interrupted("interrupted", "run it again; the next run sweeps what was left"))
    except EngineError as error:
        if options.traceback:
            raise
        return _fail(options, error)
    except OSError as error:
        if options.traceback:
            raise
        where = error.filename if isinstance(error.filename, str) else "the system"
        return _fail(options, EngineError(f"{where}: {error.strerror or error}", "see the system's log"))
    return _print(options, outcome)


def _misused(given: Sequence[str]) -> int:
    """Answer arguments that could not be parsed; what is wrong with them is on stderr already."""
    error = UsageError("the command was called wrongly", "see mirai-backup --help")
    asked = argparse.Namespace(json="--json" in given, nagios="--nagios" in given, quiet=False)
    if asked.nagios:
        return _unknown(asked, error)
    if asked.json:
        _out(json.dumps(error.document(), indent=2))
    return error.exit_code


def _require_sense(options: argparse.Namespace) -> None:
    """Raise UsageError for --store where it would be passed over."""
    if getattr(options, "store", "") and not getattr(options, "offsite", True):
        raise UsageError("--store means nothing without --offsite", "add --offsite")


def _config(options: argparse.Namespace, default_log: str) -> Config:
    """Load the configuration. That it cannot be loaded is logged and alerted, since cron sees no screen."""
    try:
        return configuration.load(options.config)
    except ConfigError as error:
        if options.verb == "backup" and not options.plan or options.verb == "drill":
            kind = arguments.kind(options) if options.verb == "backup" else ""
            watching = configuration.watching(options.config)
            log = watching.log if watching is not None else default_log
            if os.access(log, os.W_OK):
                Log(log)("ERROR", f"{options.verb}: FAILED: {error.words}")
            if watching is not None:
                from . import attended
                from .runs import Occasion

                observer = Observer(Log(log) if os.access(log, os.W_OK) else None)
                attended.failed(watching, Occasion(options.verb, kind), observer, error)
        raise


def _observer(config: Config, options: argparse.Namespace) -> Observer:
    watched = sys.stderr.isatty() and not options.quiet and not options.json
    return Observer(Log(config.log), Progress(sys.stderr) if watched else None)


def _backup(config: Config, options: argparse.Namespace) -> Outcome:
    from . import backup

    kind = arguments.kind(options)
    if options.plan:
        return backup.plan(config, kind)
    return backup.run(config, kind, _observer(config, options), options.wait)


def _restore(config: Config, options: argparse.Namespace) -> Outcome:
    from . import restore

    request = restore.Request(
        backup=options.backup,
        components=arguments.kind(options),
        to_database=options.to_database,
        to_dir=options.to_dir,
        confirm=options.confirm,
        tables=tuple(options.tables),
        files=tuple(options.files),
        access=_access(options),
        offsite=options.offsite,
        store=options.store,
    )
    if options.plan:
        return restore.plan(config, request)
    return restore.run(config, request, _observer(config, options))


def _access(options: argparse.Namespace) -> Access:
    return Access(options.key, options.key_passphrase_file, options.accept_unsigned)


def _rollback(config: Config, options: argparse.Namespace) -> Outcome:
    from . import rollback

    return rollback.plan(config) if options.plan else rollback.run(config, _observer(config, options))


def _list(config: Config, options: argparse.Namespace) -> Outcome:
    from . import inventory

    if options.offsite:
        from . import offsite

        return offsite.run(config, options.kind, options.store)
    return inventory.run(config, options.kind)


def _info(config: Config, options: argparse.Namespace) -> Outcome:
    from . import inventory

    return inventory.info(config, options.backup)


def _keep(config: Config, options: argparse.Namespace) -> Outcome:
    from . import inventory

    return inventory.keep(config, options.backup, pinned=options.verb == "keep")


def _verify(config: Config, options: argparse.Namespace) -> Outcome:
    from . import verify

    if options.offsite:
        from . import offsite

        observer = _observer(config, options)
        return offsite.verify(
            config, options.backup, options.all, options.store, observer, _access(options).accept_unsigned
        )
    return verify.run(config, options.backup, options.all, _observer(config, options), _access(options))


def _drill(config: Config, options: argparse.Namespace) -> Outcome:
    from . import drill

    config = configuration.elsewhere(config, options.repository)
    observer = _observer(config, options)
    return drill.run(config, options.backup, observer, _access(options), options.offsite, options.store)


def _push(config: Config, options: argparse.Namespace) -> Outcome:
    from . import push

    return push.run(config, options.backup, options.store, _observer(config, options))


def _pull(config: Config, options: argparse.Namespace) -> Outcome:
    from . import pull

    return pull.run(config, options.backup, options.store, _observer(config, options))


def _prune(config: Config, options: argparse.Namespace) -> Outcome:
    from . import prune

    return prune.run(config, options.dry_run, _observer(config, options))


def _adopt(config: Config, options: argparse.Namespace) -> Outcome:
    from . import adopt

    return adopt.run(config, tuple(options.paths), _observer(config, options))


def _check(config: Config, options: argparse.Namespace) -> Outcome:
    from . import check

    return check.run(config, options.max_age, options.nagios)


def _config_verb(config: Config, options: argparse.Namespace) -> Outcome:
    if options.action == "validate":
        return Outcome({"valid": True, "config": options.config}, (f"{options.config} is valid",))
    if options.action == "test-alerts":
        from . import alerts

        return alerts.test(config)
    document = config.document()
    return Outcome(document, tuple(json.dumps(document, indent=2, ensure_ascii=False).splitlines()))


_VERBS: dict[str, Callable[[Config, argparse.Namespace], Outcome]] = {
    "backup": _backup,
    "list": _list,
    "info": _info,
    "verify": _verify,
    "restore": _restore,
    "rollback": _rollback,
    "drill": _drill,
    "push": _push,
    "pull": _pull,
    "prune": _prune,
    "keep": _keep,
    "release": _keep,
    "adopt": _adopt,
    "check": _check,
    "config": _config_verb,
}


def _print(options: argparse.Namespace, outcome: Outcome) -> int:
    if options.json:
        _out(json.dumps(outcome.document, indent=2, ensure_ascii=True))
    elif not options.quiet:
        lines = map(colour.painted, outcome.lines) if colour.wanted(sys.stdout) else outcome.lines
        _out("\n".join(lines))
    elif outcome.exit_code:
        _err("\n".join(outcome.lines))
    return outcome.exit_code


def _fail(options: argparse.Namespace, error: EngineError) -> int:
    if getattr(options, "nagios", False):
        return _unknown(options, error)
    if options.json:
        _out(json.dumps(error.document(), indent=2))
    _err(f"mirai-backup {options.verb}: {error.words}")
    return error.exit_code


def _unknown(options: argparse.Namespace, error: EngineError) -> int:
    """Answer a monitoring system that asked for what could not be looked at."""
    from . import check

    return _print(options, check.unknown(error))


def _out(content: str) -> None:
    """Print; a reader that went away (``| head``) is no error."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(f"{content}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _err(f"stdout cannot be written: {error.strerror}")


def _err(content: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"{content}\n")
