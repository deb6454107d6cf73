"""Makes the lookup plugins importable by name, without the collection being installed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "plugins" / "lookup"))
