"""Measurements of what the program costs: `python -m tests.bench` prints every budget as a table."""

import sys
from pathlib import Path

# The program and the tests' own modules are imported from this checkout.
sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "support")]
