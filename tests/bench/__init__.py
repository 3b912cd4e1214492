"""Measure the program's costs: `python -m tests.bench` prints a table with every budget."""

import sys
from pathlib import Path

# The program and the tests' own modules are imported from this checkout.
sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "support")]
