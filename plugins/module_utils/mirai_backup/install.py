# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Puts this very package on a machine as the command ``mirai-backup``, and takes it away again.

``<prefix>/usr/local/lib/mirai-backup/<digest>/mirai_backup/`` holds the files, ``current`` beside it points to
the version in use. A new version is complete before ``current`` is switched; the one before stays, since a
running backup may still import from it.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import itertools
import os
import pkgutil
import py_compile
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from . import safefile
from .config import DEFAULT_LOG, DEFAULT_PATH
from .errors import EngineError, PreflightError

PACKAGE = "mirai_backup"
_LIBRARY = "/usr/local/lib/mirai-backup"
_COMMAND = "/usr/local/bin/mirai-backup"
_MINIMUM_PYTHON = (3, 9)
_MANY = 10
_VERSION_DIRECTORY = re.compile(r"^[0-9a-f]{16}$")
_LONGEST_INTERPRETER_LINE = 120
_LAUNCHER = """\
{interpreter}
# Written by mirai.backup.engine; the next setup overwrites changes.
import os
import sys

sys.path.insert(0, os.path.realpath({current!r}))

from {package} import cli

sys.exit(cli.main(default_config={config!r}, default_log={log!r}))
"""


@dataclass(frozen=True)
class File:
    """A file as it should be: absolute path, content, permission bits."""

    path: str
    content: bytes
    mode: int


@dataclass(frozen=True)
class Plan:
    """What makes the machine right: ``writes`` and ``removals`` in this order, then the switch of ``current``.

    ``changes`` says so in words, one line each, and is empty where nothing has to be done.
    """

    version: str
    digest: str
    command: str
    library: str
    before: str
    writes: tuple[File, ...] = ()
    removals: tuple[str, ...] = ()
    switch: bool = False

    @property
    def changes(self) -> tuple[str, ...]:
        """Each change in one line; of a directory that gets many files, how many."""
        lines = []
        for directory, files in itertools.groupby(self.writes, key=lambda one: os.path.dirname(one.path)):
            paths = [one.path for one in files]
            many = len(paths) > _MANY
            lines += [f"write {len(paths)} files in {directory}"] if many else [f"write {path}" for path in paths]
        lines += [f"remove {path}" for path in self.removals]
        if self.switch:
            lines.append(f"switch {os.path.join(self.library, 'current')} to {self.digest}")
        return tuple(lines)


def own_files() -> dict[str, bytes]:
    """The modules of this package, name to content, wherever it was imported from: a directory or a zip file."""
    package = sys.modules[__package__]
    names = sorted(one.name for one in pkgutil.iter_modules(package.__path__) if one.name != "__main__")
    return {f"{name}.py": pkgutil.get_data(__package__, f"{name}.py") for name in ["__init__", *names]}


def plan(prefix: str, python: str) -> Plan:
    """Compare what is installed under ``prefix`` with this package. Raises PreflightError for an old Python."""
    if sys.version_info[:2] < _MINIMUM_PYTHON:
        raise PreflightError(
            f"{python} is Python {sys.version_info[0]}.{sys.version_info[1]}, but the engine needs 3.9 or newer",
            "install a newer Python and name it in ansible_python_interpreter",
        )
    with _named(prefix + _LIBRARY):
        return _compared(prefix, _stable(python), own_files())


def _compared(prefix: str, python: str, files: dict[str, bytes]) -> Plan:
    digest = _digest(files)
    library, command = prefix + _LIBRARY, prefix + _COMMAND
    directory = os.path.join(library, digest, PACKAGE)
    wanted = [File(os.path.join(directory, name), content, 0o644) for name, content in files.items()]
    wanted.append(File(command, _launcher(prefix, python), 0o755))
    strangers = [
        os.path.join(directory, name)
        for name in _names(directory)
        if name.endswith((".py", ".so")) and name not in files
    ]
    return Plan(
        version=_version(files["__init__.py"]),
        digest=digest,
        command=command,
        library=library,
        before=_installed(library),
        writes=tuple(one for one in wanted if not _is_right(one)),
        removals=tuple(strangers),
        switch=_current(library) != digest,
    )


def plan_removal(prefix: str) -> Plan:
    """What has to go so that nothing of the engine is left under ``prefix``."""
    library, command = prefix + _LIBRARY, prefix + _COMMAND
    with _named(library):
        ours = [os.path.join(library, name) for name in _names(library) if _is_ours(name)]
        found = [path for path in (command, *ours) if os.path.lexists(path)]
        return Plan("", "", command, library, _installed(library), removals=tuple(found))


def apply(todo: Plan) -> None:
    """Carry out ``todo``. Raises EngineError; ``current`` then still points to the version it pointed to."""
    with _named(todo.library):
        _write(todo)
        for path in todo.removals:
            _remove(path)
        if todo.switch:
            _switch(todo.library, todo.digest)
        if os.path.isdir(todo.library) and not _names(todo.library):
            os.rmdir(todo.library)


@contextlib.contextmanager
def _named(library: str) -> Iterator[None]:
    """Turn what the operating system refuses into an EngineError."""
    try:
        yield
    except (OSError, py_compile.PyCompileError) as error:
        raise EngineError(f"the engine's place {library}: {error}", "check the path and who may write it") from error


def _write(todo: Plan) -> None:
    """Write the package's files first and the command last, each whole at one instant."""
    for one in sorted(todo.writes, key=lambda one: one.path == todo.command):
        _make_directories(os.path.dirname(one.path))
        fresh = f"{one.path}.new"
        safefile.write(fresh, iter((one.content,)))
        os.chmod(fresh, one.mode)
        os.rename(fresh, one.path)
        if one.path.endswith(".py"):
            _compile(one.path)


def _compile(path: str) -> None:
    """Put the byte code beside the module ``path``, since who runs the command may not write there."""
    cached = importlib.util.cache_from_source(path)
    _make_directories(os.path.dirname(cached))
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    py_compile.compile(path, cfile=cached, doraise=True, invalidation_mode=mode)
    os.chmod(cached, 0o644)


def _switch(library: str, digest: str) -> None:
    """Point ``current`` to ``digest`` at one instant, then drop all versions but this and the one before."""
    before = _current(library)
    link = os.path.join(library, "current")
    fresh = f"{link}.{secrets.token_hex(4)}.new"
    os.symlink(digest, fresh)
    os.rename(fresh, link)
    safefile.sync_directory(library)
    for name in _names(library):
        if _VERSION_DIRECTORY.match(name) and name not in (digest, before):
            _remove(os.path.join(library, name))


def _make_directories(path: str) -> None:
    """Create ``path`` and what is missing above it, 0755 whatever the umask."""
    if not os.path.isdir(path):
        _make_directories(os.path.dirname(path))
        os.mkdir(path)
        os.chmod(path, 0o755)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def _is_ours(name: str) -> bool:
    return bool(_VERSION_DIRECTORY.match(name)) or name == "current" or name.startswith("current.")


def _is_right(wanted: File) -> bool:
    """Whether the file is there, a plain file, with the wanted content and mode."""
    try:
        status = os.lstat(wanted.path)
        if not stat.S_ISREG(status.st_mode) or stat.S_IMODE(status.st_mode) != wanted.mode:
            return False
        with open(wanted.path, "rb") as file:
            return file.read() == wanted.content
    except FileNotFoundError:
        return False


def _digest(files: dict[str, bytes]) -> str:
    """A name for exactly these files with exactly this content: 16 hexadecimal digits."""
    lines = [f"{name} {hashlib.sha256(content).hexdigest()}\n" for name, content in sorted(files.items())]
    return hashlib.sha256("".join(lines).encode("ascii")).hexdigest()[:16]


def _version(source: bytes) -> str:
    """The version that the package's ``__init__.py`` names."""
    found = re.search(rb'^__version__ = "([^"]+)"', source, re.MULTILINE)
    return found.group(1).decode("ascii") if found else "unknown"


def _current(library: str) -> str:
    """The digest that ``current`` points to, empty where it does not."""
    path = os.path.join(library, "current")
    return os.readlink(path) if os.path.islink(path) else ""


def _installed(library: str) -> str:
    """The version and digest in use, such as ``0.1.0 (0123456789abcdef)``, empty where there is none."""
    try:
        with open(os.path.join(library, "current", PACKAGE, "__init__.py"), "rb") as file:
            return f"{_version(file.read())} ({_current(library)})"
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _names(directory: str) -> list[str]:
    return sorted(os.listdir(directory)) if os.path.isdir(directory) else []


def _stable(python: str) -> str:
    """``python3`` beside ``python`` where both are the same program, since an upgrade takes python3.x away."""
    plain = os.path.join(os.path.dirname(python), "python3")
    return plain if os.path.realpath(plain) == os.path.realpath(python) else python


def _launcher(prefix: str, python: str) -> bytes:
    """The command's text. ``-I`` keeps the caller's PYTHON* variables and directory out of it."""
    interpreter = f"#!{python} -IXutf8"
    if " " in python or len(interpreter) > _LONGEST_INTERPRETER_LINE:  # the kernel would cut or split the line
        if set(python) & set("'\"\\$`"):
            raise PreflightError(
                f"{python} cannot be named in a script", "name another Python in ansible_python_interpreter"
            )
        interpreter = f"#!/bin/sh\n'''exec' \"{python}\" -IXutf8 \"$0\" \"$@\"\n' '''"
    text = _LAUNCHER.format(
        interpreter=interpreter,
        current=os.path.join(prefix + _LIBRARY, "current"),
        package=PACKAGE,
        config=prefix + DEFAULT_PATH,
        log=prefix + DEFAULT_LOG,
    )
    return text.encode("utf-8", "surrogateescape")
