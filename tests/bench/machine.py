"""Describes where a bench ran, in words that name nobody: cores, memory, versions."""

from __future__ import annotations

import mmap
import os
import platform
import re
import shutil
import subprocess
import time
from pathlib import Path

# Tools whose version matters to a figure, and how each is asked for it.
TOOLS = (("igzip", "--version"), ("pigz", "--version"), ("gzip", "--version"), ("zstd", "--version"))
BUSY = 0.25  # of a core: what else runs when the bench begins


def busy() -> str:
    """A warning when the machine has other work as the bench begins, empty otherwise. Takes five seconds."""
    before = _jiffies()
    time.sleep(5)
    worked, idle = (later - earlier for later, earlier in zip(_jiffies(), before))
    share = os.cpu_count() * worked / (worked + idle)
    if share < BUSY:
        return ""
    return (
        f"Other work ran on the machine when the bench began ({share:.1f} of {os.cpu_count()} cores): memory figures"
        " hold all the same, times and ratios are noisy; compare within a row and mind the spread."
    )


def _jiffies() -> tuple[int, int]:
    """How long the cores worked and how long they had nothing to do, since the machine started."""
    counts = _counts()
    idle = counts[3] + counts[4]
    return sum(counts) - idle, idle


def worked() -> float:
    """Seconds that all cores have worked since the machine started, whoever they worked for."""
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts, _stolen = _counts()
    return (user + nice + system + interrupts + soft_interrupts) / os.sysconf("SC_CLK_TCK")


def _counts() -> list[int]:
    return [int(one) for one in Path("/proc/stat").read_text(encoding="ascii").split("\n")[0].split()[1:9]]


def cores() -> int:
    """Those that the bench may use."""
    return len(os.sched_getaffinity(0))


def lines(bindir: str) -> list[str]:
    """The machine, a fact a line."""
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(encoding="ascii"))
    found = [
        f"{cores()} cores ({platform.machine()}), {int(memory[1]) / 2**20:.0f} GiB of memory, Linux",
        f"Python {platform.python_version()}, which runs the engine as well",
        f"{_first_use():.1f} µs for a process's first use of a page of memory; more than one: a hypervisor takes part",
        f"{_first_line((f'{bindir}/postgres', '--version'))}, fsync off, on the same machine, over TCP with a password",
    ]
    tools = [_first_line((name, option)) for name, option in (("tar", "--version"), *TOOLS) if shutil.which(name)]
    return [*found, "; ".join(tools)]


def _first_use() -> float:
    """Microseconds for the first byte written to a page of memory that is new to us."""
    pages = 1 << 14
    with mmap.mmap(-1, pages * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        begun = time.perf_counter()
        for place in range(0, len(memory), mmap.PAGESIZE):
            memory[place] = 1
        return (time.perf_counter() - begun) / pages * 1e6


def _first_line(argv: tuple) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    said = (done.stdout or done.stderr).strip().splitlines()
    first = re.sub(r"\s*\(Debian[^)]*\)|\*|,? by Yann Collet", "", said[0] if said else argv[0])
    return first.strip()
