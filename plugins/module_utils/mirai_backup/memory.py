# Copyright (c) 2026, the mirai.backup authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keeps the memory of a block that is done with for the next one.

The C library would give it back and ask for it anew, and the kernel would clear it each time: a third of the time that
copying takes, a fifth of an examiner's.
"""

from __future__ import annotations

import ctypes

# Of <malloc.h>: what is smaller is not mapped by itself; so much may stay unused at the end of the heap.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_BYTES = 8 << 20


def keep() -> None:
    """Keep it from now on, in this process; without GNU's C library nothing happens."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _BYTES)
        mallopt(_M_TRIM_THRESHOLD, _BYTES)
