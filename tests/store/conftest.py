"""The database of a test, as any number of windows open it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from database_of_a_test import OpenStore

from cekura_tui.store.store import Store


@pytest.fixture
def open_store(home: Path) -> Iterator[OpenStore]:
    """Open the database as one more window does; it is closed after the test, if not before."""
    with ExitStack() as opened:

        def open_one(key: str = "key", origin: str = "https://api.cekura.ai", profile: str = "default") -> Store:
            return opened.enter_context(closing(Store(home / "cekura.db", origin, key, profile)))

        yield open_one


@pytest.fixture
def store(open_store: OpenStore) -> Store:
    return open_store()
