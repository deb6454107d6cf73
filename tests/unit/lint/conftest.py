"""Puts the lint scripts' directory on the import path, as running one of them does."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "lint"))
