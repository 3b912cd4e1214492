"""Choices among the hunks of a suggestion are what was chosen: in any window, after a restart and after a kill."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from examples import COSTLY
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.jobs.lease import this_process
from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Draft
from cekura_tui.prose.diff import Hunk, ProseDiff, TextPiece
from cekura_tui.prose.staging import HunkChoice, staged
from cekura_tui.store.store import Store
from cekura_tui.workspace.suggestions import StagingService

YES, NO = HunkChoice("accepted"), HunkChoice("rejected")


def diff_of(words: str) -> ProseDiff:
    """A hunk of every letter, by which it is found again: it becomes a capital."""
    pieces = [TextPiece(word, word.upper(), number) for number, word in enumerate(words, 1)]
    hunks = [
        Hunk(piece.hunk, "changed", "", 1, 1, piece.old, piece.new, 1, "", f"key of {piece.old}", piece.hunk - 1)
        for piece in pieces
    ]
    return ProseDiff(tuple(pieces), tuple(hunks))


DIFF = diff_of("abcdef")


def store_at(home: Path) -> Store:
    return Store(home / "cekura.db", "https://api.cekura.ai", "key", "default")


def done(store: Store) -> int:
    """A job that proposes the diff."""
    number = store.jobs.begin_launch(Draft((5,), staged(DIFF, {}), 7), 1.0, "me").number
    store.jobs.record_progress_id(number, "p", "raw", 1.1)
    answer = {"status": "completed", "output": {"improved_prompt": DIFF.new, "summary_of_changes": "s"}}
    store.jobs.record_answer(number, read_progress(answer), "raw", 1.2)
    return number


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    store = store_at(home)
    yield store
    store.close()


async def test_the_text_matches_the_choices_after_every_step(store: Store) -> None:
    number, service = done(store), StagingService(store)
    assert (await service.choices(number, DIFF), await service.staged(number)) == ({}, None)
    assert (await service.choose(number, DIFF, {1: YES, 2: NO})).after == {1: YES, 2: NO}
    assert await service.staged(number) == "Abcdef"
    assert (await service.choose(number, DIFF, {1: None, 3: HunkChoice("edited", "see")})).after == {
        2: NO,
        3: HunkChoice("edited", "see"),
    }
    assert await service.staged(number) == "abseedef"
    assert (await service.choose(number, DIFF, {hunk.number: YES for hunk in DIFF.hunks})).after == dict.fromkeys(
        range(1, 7), YES
    )
    assert await service.staged(number) == DIFF.new


async def test_undo_continues_after_a_restart(home: Path) -> None:
    first = store_at(home)
    number = done(first)
    service = StagingService(first)
    for made in ({1: YES}, {1: NO, 2: YES}, {3: YES}):
        await service.choose(number, DIFF, made)
    await service.undo(number, DIFF)
    first.close()
    second = store_at(home)
    again = StagingService(second)
    assert await again.choices(number, DIFF) == {1: NO, 2: YES}
    assert (await again.undo(number, DIFF)).after == {1: YES}
    assert (await again.undo(number, DIFF)).after == {}
    assert await again.staged(number) == DIFF.old
    second.close()


async def test_a_diff_with_other_hunks_keeps_the_choices_it_still_finds(store: Store) -> None:
    number, service = done(store), StagingService(store)
    await service.choose(number, DIFF, {1: YES, 2: YES})
    await service.choose(number, DIFF, {6: YES})
    other = diff_of("xba")
    assert await service.choices(number, other) == {2: YES, 3: YES}
    assert (await service.choose(number, other, {1: YES})).after == {1: YES, 2: YES, 3: YES}
    assert (await service.undo(number, other)).after == {2: YES, 3: YES}
    assert (await service.undo(number, other)).after == {}
    assert (await service.undo(number, other)).after == {}
    assert await service.choices(number, DIFF) == {6: YES}


async def test_choices_of_another_window_are_seen_and_in_the_text(store: Store, home: Path) -> None:
    number, other = done(store), store_at(home)
    here, there = StagingService(store), StagingService(other)
    await here.choose(number, DIFF, {1: YES})
    await there.choose(number, DIFF, {2: YES})
    assert (await here.choose(number, DIFF, {3: YES})).after == {1: YES, 2: YES, 3: YES}
    assert await there.staged(number) == "ABCdef"
    assert (await there.undo(number, DIFF)).after == await here.choices(number, DIFF) == {1: YES, 2: YES}
    other.close()


async def test_undo_reverts_choices_of_this_window_or_an_ended_one(store: Store, home: Path) -> None:
    number, other = done(store), store_at(home)
    here, there = (StagingService(one, window=this_process()) for one in (store, other))
    dead = json.dumps({"host": socket.gethostname(), "pid": 1, "start": "long ago"})
    await here.choose(number, DIFF, {1: YES, 2: YES})
    await there.choose(number, DIFF, {2: NO, 3: NO})
    step = await here.undo(number, DIFF)
    assert (step.seen, step.before) == ({1: YES, 2: YES}, {1: YES, 2: NO, 3: NO})
    assert (step.after, step.others) == ({2: NO, 3: NO}, (2,))
    step = await here.undo(number, DIFF)
    assert (step.before, step.after, step.others) == ({2: NO, 3: NO}, {2: NO, 3: NO}, (2, 3))
    await StagingService(other, window=dead).choose(number, DIFF, {3: YES, 4: YES})
    assert (await here.undo(number, DIFF)).after == {2: NO, 3: NO}
    assert (await there.undo(number, DIFF)).after == {}
    assert await there.staged(number) == DIFF.old
    other.close()


def test_windows_that_choose_at_once_lose_nothing(store: Store, home: Path) -> None:
    number = done(store)
    wide = diff_of("abcdefghijklmnopqrst")
    together = threading.Barrier(2)

    def window(first: int) -> None:
        own = store_at(home)
        together.wait()
        for hunk in range(first, 21, 2):
            asyncio.run(StagingService(own).choose(number, wide, {hunk: YES}))
        own.close()

    with ThreadPoolExecutor(2) as windows:
        list(windows.map(window, (1, 2)))
    assert store.stagings.staged(number) == wide.new
    assert len(store.database.read("SELECT DISTINCT step FROM stagings")) == 20


STEPS = st.lists(
    st.one_of(
        st.dictionaries(
            st.integers(1, 6),
            st.sampled_from([YES, NO, None, HunkChoice("edited", "z"), HunkChoice("edited", " ")]),
            min_size=1,
            max_size=6,
        ),
        st.sampled_from(["undo", "reopen"]),
    ),
    max_size=12,
)


@COSTLY
@given(STEPS)
def test_any_sequence_of_steps_is_stored_as_it_was_chosen(steps: list[Mapping[int, HunkChoice | None] | str]) -> None:
    with TemporaryDirectory() as place:
        store = store_at(Path(place) / "home")
        number = done(store)
        remembered: list[dict[int, HunkChoice]] = [{}]
        for step in steps:
            service = StagingService(store)
            if step == "reopen":
                store.close()
                store = store_at(Path(place) / "home")
                continue
            if isinstance(step, str):
                found = asyncio.run(service.undo(number, DIFF)).after
                remembered = remembered[:-1] or remembered
            else:
                found = asyncio.run(service.choose(number, DIFF, step)).after
                now = {**remembered[-1], **step}
                after = {hunk: choice for hunk, choice in now.items() if choice is not None}
                if after != remembered[-1]:
                    remembered.append(after)
            assert found == remembered[-1]
            text = store.stagings.staged(number)
            assert (DIFF.old if text is None else text) == staged(DIFF, remembered[-1])
        store.close()


_CHOOSE_FOR_EVER = """
import asyncio, itertools, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from test_staging_service import DIFF, NO, YES, StagingService, store_at

async def choose():
    service = StagingService(store_at(Path(sys.argv[1])))
    for n in itertools.count():
        await service.choose(1, DIFF, {hunk: (YES, NO)[(n >> hunk) & 1] for hunk in range(1, 7)})
        print(n, flush=True)

asyncio.run(choose())
"""


def test_a_process_killed_while_choosing_leaves_choices_that_match_the_text(home: Path) -> None:
    first = store_at(home)
    number = done(first)
    first.close()
    command = [sys.executable, "-c", _CHOOSE_FOR_EVER, str(home), *sys.path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as chooser:
        assert chooser.stdout is not None
        for _ in range(10):
            steps = int(chooser.stdout.readline())
        chooser.kill()
    assert chooser.returncode == -signal.SIGKILL
    store = store_at(home)
    chosen = asyncio.run(StagingService(store).choices(number, DIFF))
    assert store.database.notice == ""
    assert set(chosen) == set(range(1, 7))
    assert store.stagings.staged(number) == staged(DIFF, chosen)
    assert len(store.database.read("SELECT DISTINCT step FROM stagings")) > steps // 2
    store.close()
