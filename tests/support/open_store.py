"""Fixtures that open the test's database, for conftest files, and a function that saves a job with a suggestion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Draft, Job
from cekura_tui.store.store import Store

OpenStore = Callable[..., Store]


@pytest.fixture
def open_store(home: Path) -> Iterator[OpenStore]:
    """A function that opens the test's database, as another window would. The stores are closed after the test."""
    with ExitStack() as opened:

        def open_one(key: str = "key", origin: str = "https://api.cekura.ai", profile: str = "default") -> Store:
            return opened.enter_context(closing(Store(home / "cekura.db", origin, key, profile)))

        yield open_one


@pytest.fixture
def store(open_store: OpenStore) -> Store:
    return open_store()


def suggested_job(store: Store, draft: Draft, proposed: str, at: float = 1.0) -> Job:
    """Save a job that was launched at the Unix time `at` and succeeded with this proposed prompt."""
    number = store.jobs.begin_launch(draft, at, "me").number
    store.jobs.record_progress_id(number, f"p-{number}", "raw", at + 0.1)
    answer = {"status": "completed", "output": {"improved_prompt": proposed, "summary_of_changes": "s"}}
    return store.jobs.record_answer(number, read_progress(answer), "raw", at + 0.2)
