"""document: the page says what was measured, and which goals were missed."""

import re

import document
import peers
import pieces
import pytest
from peaks import Peak
from series import Seconds, Series

SECONDS = {
    "floor": 8.0,
    "bare json": 2.0,
    "bare database": 9.0,
    "bare full": 12.0,
    "bare restore": 20.0,
    "bare restore, lz4": 15.0,
    "database, standard library": 16.0,
    "guide database, piped": 70.0,
    "guide full, five retained": 400.0,
    "restore, lz4": 27.0,
    "database without fingerprint": 9.6,
    "database": 12.0,
    "guide full": 160.0,
    "full": 16.0,
    "full, again": 14.0,
    "guide database": 80.0,
    "guide json": 40.0,
    "json": 4.0,
    "json, again": 3.2,
    "verify": 4.0,
    "guide restore": 60.0,
    "restore": 45.0,
    "drill": 60.0,
}


def spent(*values):
    """One and a half cores were at work all of the time."""
    return Series(tuple(Seconds(one, one * 1.5) for one in values))


@pytest.fixture
def results():
    """A run in which every goal was met."""
    times = {name: spent(value, value * 1.1) for name, value in SECONDS.items()}
    digests = [pieces.DIGESTS, *map(pieces.artifact, ("database", "json", "full"))]
    times.update((name, Series((0.5, 0.7))) for name in (*digests, pieces.JSON, pieces.AGAIN))
    small = {**times, "database": spent(8.5, 9.3)}
    peaks = {"backup": Peak(1.0, 30.0, {"igzip": 4.0}), "backup, zstd": Peak(1.0, 60.0, {"zstd": 90.0})}
    return document.Results(
        date="2026-01-02",
        machine=["2 cores"],
        busy="",
        repeat=2,
        times={"20M": small, "2G": times},
        peaks={"20M": dict(peaks, backup=Peak(1.0, 28.5, {"igzip": 5.0})), "2G": peaks},
        files=1000,
        file_times=times,
        file_peaks={"verify": Peak(2.5, 31.0, {})},
        start=Series((0.1,)),
        backups=5000,
        manifest_bytes=20_000,
        listing=Series((0.5,)),
        listing_peak=40.0,
    )


def rows(page):
    return {
        line.split(" | ")[0].lstrip("| "): line.rstrip(" |").split(" | ") for line in page.splitlines() if "|" in line
    }


def test_every_figure_is_there_and_met(results):
    found = rows(document.render(results))
    assert found["database backup without fingerprint / floor"][1:] == [
        "1.200 (1.200 to 1.200)",
        "1.200 (1.200 to 1.200)",
        "≤ 1.3",
        "yes",
        "1.125 (1.125 to 1.125)",
    ]
    assert found["20M: seconds over bare pg_dump, with full fingerprint"][1].startswith("0.50")
    assert found["seconds of `mirai-backup list`, 5,000 backups (20,000 bytes a manifest)"][-1] == "yes"
    assert found["backup"][1:] == ["28.5", "30.0", "1.5", "≤ 48", "yes", "igzip 5"]
    assert found["backup, zstd"][4:6] == ["≤ 96", "yes"]
    assert "the next one of the same files / guide: 0.080 (0.080 to 0.080)." in document.render(results)
    assert document.missed(results) == []


def test_a_missed_goal_is_named(results):
    results.times["2G"]["verify"] = Series((9.0, 9.0))
    results.peaks["20M"]["backup"] = Peak(1.0, 48.1, {})
    assert document.missed(results) == ["verify / full backup", "backup"]
    assert rows(document.render(results))["verify / full backup"][-1] == "**no**"


def test_a_missed_goal_below_the_floor_is_explained(results):
    goal = "**database backup without fingerprint / guide** was missed: its goal, 0.125, asks for less than the floor"
    results.times["2G"]["floor"] = spent(10.8, 10.8)
    assert goal not in document.render(results)
    results.times["2G"]["database without fingerprint"] = spent(13.5, 13.5)
    page = document.render(results)
    assert f"{goal}, which is 0.129 (0.123 to 0.135) of the guide" in page
    assert "Ours takes 1.250 (1.250 to 1.250) of the floor, the bare programs 0.875 (0.833 to 0.917)." in page
    results.times["2G"]["floor"] = spent(10.4, 10.4)
    assert goal not in document.render(results)
    assert document.missed(results) == ["database backup without fingerprint / guide"]


def test_the_goal_is_judged_at_the_largest_size(results):
    results.times["20M"]["verify"] = Series((9.0, 9.0))
    assert document.missed(results) == []


def test_a_busy_machine_is_said(results):
    results.busy = "Other work ran."
    assert "**Other work ran.**" in document.render(results)


def test_parts_that_were_not_measured_are_left_out(results):
    results.file_peaks, results.file_times, results.files, results.backups = {}, {}, 0, 0
    page = document.render(results)
    assert "small files\n" not in page
    assert "mirai-backup list" not in page


def test_the_pieces_are_summed_beside_what_the_goal_leaves(results, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {0, 1})
    page = document.render(results)
    table = page[page.index("## Where the processor's time goes") : page.index("## Peak memory")]
    found = rows(table)
    assert found["JSON backup with a SHA-256 per file / guide, 2G"][1:] == [
        *("3.2", "", "1.2", "0.6", "0.6", "5.5", "12.6", "6.3")  # 2 * 1.05 * 1.5; 0.15 * 2 * 42; 4 * 1.05 * 1.5
    ]
    assert found["JSON backup with a SHA-256 per file / guide, 1,000 files"][1:] == [
        *("3.2", "", "1.2", "0.6", "0.6", "5.5", "12.6", "6.3")
    ]
    assert found["full backup with proof / guide, 2G"][1:6] == ["18.9", "3.8", "1.2", "0.6", "0.6"]
    assert found["the same, five backups retained / guide, 2G"][1:6] == ["18.9", "3.8", "1.2", "", "0.6"]
    assert found["database backup without fingerprint / floor, 2G"][1:5] == ["14.2", "", "0.6", ""]
    assert found["restore of the database with proof / guide, without, 2G"][1:4] == ["31.5", "3.8", "0.6"]
    assert len(found) == 2 + 9 + 1  # head and rule, what bare programs can do at the largest size, small files
    assert len(rows(table.replace("1,000 files", "2G"))) == 2 + 9


def test_the_pieces_are_measured_over_json_files_alone(tmp_path):
    for number in range(2100):
        (tmp_path / f"{number}.json").write_text("[1]")
    (tmp_path / "torn").write_text("[1")
    (tmp_path / "gone.json").symlink_to("nowhere")
    (tmp_path / "long.json").write_text("[" + '["abcdefgh"],' * (1 << 19) + "1]")
    read = []
    found = pieces.of_files(tmp_path)
    assert set(found) == {pieces.DIGESTS, pieces.JSON, pieces.AGAIN} and all(one > 0 for one in found.values())
    for batch in pieces._batches(iter(map(str, sorted(one for one in tmp_path.glob("*.json") if one.exists())))):
        read += map(pieces._read, batch.values())
    assert read == [""] * 2101
    assert pieces.of_artifact(tmp_path / "long.json") > 0


def test_a_tool_that_is_not_there_is_named(results):
    row = peers.Row(Series((1.0,)), Series((2.0,)), 3_000_000, 4_000_000)
    results.peers, results.peers_of = {"mirai.backup": row, "restic": row}, "200M"
    results.file_peers = {one.name: row for one in peers.FILES}
    assert re.findall("Not installed here, so not measured: (.*)", document.render(results)) == [
        ", ".join(one.name for one in peers.DATABASE if one.name not in results.peers) + "."
    ]
