"""Number of random examples per property (25, nightly 300: tests/conftest.py), and test cases that only run nightly."""

from __future__ import annotations

import pytest
from _pytest.mark import ParameterSet
from hypothesis import settings

COSTLY = settings(max_examples=max(1, settings.default.max_examples // 5))
"""A fifth of the usual examples, for properties whose examples take more than a few milliseconds."""


def nightly(*values: object, name: str | None = None) -> ParameterSet:
    """A test parameter that only `pytest -m nightly` runs."""
    return pytest.param(*values, id=name, marks=pytest.mark.nightly)
