"""The engine, installed below a prefix of its own as the module ``engine`` does it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "plugins" / "module_utils"
_INSTALL = (
    "import sys\n"
    "from mirai_backup import install\n"
    "todo = install.plan(sys.argv[1], sys.argv[2])\n"
    "install.apply(todo)\n"
    "print(todo.digest, todo.version)\n"
)


def python() -> str:
    """The interpreter outside of the virtual environment: what a server would run the engine with."""
    return os.path.realpath(sys._base_executable)


class Engine:
    """An installed engine: ``command`` is its path, ``digest`` names exactly its files."""

    def __init__(self, prefix: Path, source: Path = SOURCE) -> None:
        environment = {"PYTHONPATH": str(source), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [python(), "-c", _INSTALL, str(prefix), python()],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"the engine cannot be installed: {done.stderr}")
        self.digest, self.version = done.stdout.split()
        self.library = str(prefix / "usr" / "local" / "lib" / "mirai-backup" / self.digest)
        self.command = str(prefix / "usr" / "local" / "bin" / "mirai-backup")
