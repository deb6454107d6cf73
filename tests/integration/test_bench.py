"""The bench measures what it says and leaves nothing behind: a run of seconds, at a size that says nothing."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BENCH = Path(__file__).resolve().parents[1] / "bench" / "bench.py"
TINY = (
    "--sizes",
    "300K",
    "--files",
    "20",
    "--backups",
    "5",
    "--repeat",
    "1",
    "--most-files",
    "50",
    "--peers",
    "300K",
    "--hosts",
    "2",
)


def bench(tmp_path, *arguments):
    """Run the bench; returns the process and what it wrote."""
    page = tmp_path / "page.md"
    with tempfile.TemporaryDirectory(prefix="mirai-bench-") as scratch:  # short: a socket's path lies below it
        Path(scratch).chmod(0o755)  # the server's account passes through
        argv = [sys.executable, str(BENCH), *TINY, "--output", str(page), "--scratch", scratch, *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)
        assert os.listdir(scratch) == []
    return done, page


def test_a_tiny_run_fills_every_table(tmp_path):
    done, page = bench(tmp_path)
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert text == done.stdout.rstrip("\n") + "\n"
    for heading in ("Ratios", "Peak memory, MiB", "20 small files", "Sizes and history", "Many hosts", "Seconds"):
        assert f"\n## {heading}\n" in text
    for row in ("drill of a database backup / its restore", "restore, zstd", "restore --json-only --plan"):
        assert re.search(rf"^\| {re.escape(row)} \| [\d.]+ \|", text, re.MULTILINE), row
    peaks = re.findall(r"^\| (?:backup|verify|restore)[^|]*\| ([\d.]+) \| +\|", text, re.MULTILINE)
    assert "second run, 2 hosts, 0 changes |" in text
    for row in ("mirai.backup", "the guide"):
        assert len(re.findall(rf"^\| {row} \| [\d.]+ \| [\d.]+ \| [\d.]+ \| [\d.]+ \|", text, re.MULTILINE)) == 2
    for name in ("goals", "peers"):
        assert (page.parent / "images" / f"benchmarks-{name}.svg").read_text().endswith("</svg>\n")
    assert len(peaks) == 8 and all(10 < float(one) < 48 for one in peaks), peaks
    assert "/tmp" not in text


def test_a_measured_command_that_fails_ends_the_bench(tmp_path):
    done, page = bench(tmp_path, "--sizes", "300X")
    assert done.returncode != 0
    assert "300X" in done.stderr
    assert not page.exists()
