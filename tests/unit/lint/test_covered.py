"""covered: what did not run is named, and what was not measured at all does not pass."""

import subprocess
import sys

import covered
from coverage import CoverageData


def held(directory, *options):
    """What covered.py says of the runs in ``directory``: its exit status and its words."""
    argv = [sys.executable, covered.__file__, "--data", str(directory), *options]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def run_of(directory, room, arcs):
    """A measured run in which these jumps between lines of the room took place."""
    data = CoverageData(basename=str(directory / "unit.one"))
    data.add_arcs({str(covered.ENGINE / f"{room}.py"): arcs})
    data.write()


def test_where_nothing_was_measured_that_is_an_error(tmp_path):
    code, said = held(tmp_path)
    assert code == 1
    assert "nothing was measured" in said and "run make unit" in said


def test_lines_that_did_not_run_are_named_and_rooms_that_were_not_measured(tmp_path):
    run_of(tmp_path, "selector", [(-1, 3), (3, 5), (5, 7)])
    code, said = held(tmp_path, "--rooms")
    assert code == 1
    assert "pure room selector: " in said and ", lines [8, 9, " in said
    assert "instead of 95 %" in said
    assert covered._measured(tmp_path)["selector"]["open"] > 10


def test_every_pure_room_is_there():
    assert [name for name in covered.PURE if not (covered.ENGINE / f"{name}.py").exists()] == []
    assert len(set(covered.PURE)) == len(covered.PURE)
