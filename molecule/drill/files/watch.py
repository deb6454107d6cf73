"""Watches copies of backups come and go, and who could read them.

Usage: watch.py OUTPUT DIRECTORY …      until OUTPUT.stop is there

Writes JSON: ``seen``, a list of [path, owner, mode] of every file that looks like a part of a backup or like a file
that Ansible transfers, and ``exposed``, those of them that others than the owner could read.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import time
from pathlib import Path

# Ansible's module "copy" calls what it transfers "source".
_WATCHED = re.compile(r"mirai_(full|db|json|globals)_\d|\.?source(\.|$)")


def look(top: str) -> list[tuple[str, int, int, bool]]:
    """Path, owner, mode and whether others could read it, of every watched file below ``top``."""
    found = []
    for directory, _names, names in os.walk(top):
        for name in filter(_WATCHED.match, names):
            path = os.path.join(directory, name)
            try:
                status = os.lstat(path)
                found.append((path, status.st_uid, stat.S_IMODE(status.st_mode), _exposed(path, status.st_mode)))
            except FileNotFoundError:
                continue  # gone meanwhile
    return found


def _exposed(path: str, mode: int) -> bool:
    """Whether group or others may read the file and pass through every directory above it."""
    parents = [os.stat(one).st_mode for one in Path(path).parents]
    for read, enter in ((stat.S_IRGRP, stat.S_IXGRP), (stat.S_IROTH, stat.S_IXOTH)):
        if mode & read and all(one & enter for one in parents):
            return True
    return False


def main() -> int:
    output, *tops = sys.argv[1:]
    seen = set()
    while not os.path.exists(output + ".stop"):
        for top in tops:
            seen.update(look(top))
        time.sleep(0.05)
    exposed = sorted(one[:3] for one in seen if one[3])
    Path(output).write_text(json.dumps({"seen": sorted(one[:3] for one in seen), "exposed": exposed}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
