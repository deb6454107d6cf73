"""Puts the engine on the import path, however the tests are started: by pytest, or by ansible-test units."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugins" / "module_utils"))
