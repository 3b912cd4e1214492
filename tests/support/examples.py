"""How many random examples a property gets: 25 in the quick tests, 300 in the nightly ones (tests/conftest.py)."""

from __future__ import annotations

from hypothesis import settings

COSTLY = settings(max_examples=max(1, settings.default.max_examples // 5))
"""For a property whose example takes more than some milliseconds."""
