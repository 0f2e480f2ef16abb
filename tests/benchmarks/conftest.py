"""Makes the scripts of `benchmarks/` importable; a source distribution has none, so nothing is collected there."""

import sys
from pathlib import Path


BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.append(str(BENCHMARKS))
collect_ignore_glob = [] if BENCHMARKS.exists() else ["test_*.py"]
