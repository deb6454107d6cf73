"""Puts the engine, and what its tests share, on the import path: for pytest, and for ansible-test units alike."""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE.parents[1] / "plugins" / "module_utils"))
sys.path.append(str(_HERE / "plugins" / "module_utils" / "mirai_backup"))
