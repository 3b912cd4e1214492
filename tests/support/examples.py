"""Settings for slow random tests, and test cases that only run nightly. A property is usually tested with 25 random
examples, nightly with 300 (tests/conftest.py)."""

from __future__ import annotations

import pytest
from _pytest.mark import ParameterSet
from hypothesis import settings

COSTLY = settings(max_examples=max(1, settings.default.max_examples // 5))
"""A fifth of the usual examples, for properties whose examples take more than a few milliseconds."""


def nightly(*values: object, name: str | None = None) -> ParameterSet:
    """A test parameter that only `pytest -m nightly` runs."""
    return pytest.param(*values, id=name, marks=pytest.mark.nightly)
