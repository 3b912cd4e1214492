"""How many random examples a property gets (25, nightly 300: tests/conftest.py), and cases that run nightly only."""

from __future__ import annotations

import pytest
from _pytest.mark import ParameterSet
from hypothesis import settings

COSTLY = settings(max_examples=max(1, settings.default.max_examples // 5))
"""For a property whose example takes more than some milliseconds."""


def nightly(*values: object, name: str | None = None) -> ParameterSet:
    """A case of a test with parameters that only `pytest -m nightly` runs."""
    return pytest.param(*values, id=name, marks=pytest.mark.nightly)
