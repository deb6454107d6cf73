"""memory: blocks of the same size are not asked of the kernel again and again."""

import resource
import subprocess
import sys

from mirai_backup import memory

COUNT = """
import resource, sys
from mirai_backup import memory
if sys.argv[1:]:
    memory.keep()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _number in range(100):
    blocks = [b"x" * (1 << 20) for _block in range(4)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*arguments) -> int:
    done = subprocess.run([sys.executable, "-c", COUNT, *arguments], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_memory_of_blocks_is_kept_for_the_next_ones():
    pages = (4 << 20) // resource.getpagesize()
    assert faults("keep") < 5 * pages < 50 * pages < faults()


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _name: object())
    memory.keep()
