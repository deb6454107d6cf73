"""Puts the gauntlet's directory on the import path, as running it as a script does."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "faults"))
