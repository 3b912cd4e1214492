"""Choices for the hunks of a suggestion persist across windows, restarts and kills."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
from examples import COSTLY
from hypothesis import given
from hypothesis import strategies as st
from open_store import OpenStore, suggested_job

from cekura_tui.jobs.owner import this_process
from cekura_tui.model.job import Draft
from cekura_tui.prose.diff import Hunk, ProseDiff, TextPiece
from cekura_tui.prose.staging import HunkChoice, staged
from cekura_tui.store.store import Store
from cekura_tui.workspace.suggestions import StagingService, choices_by_number

YES, NO = HunkChoice("accepted"), HunkChoice("rejected")


def diff_of(words: str) -> ProseDiff:
    """A diff that capitalises each letter of `words` in a hunk of its own. The key of a hunk contains the letter."""
    pieces = [TextPiece(word, word.upper(), number) for number, word in enumerate(words, 1)]
    hunks = [
        Hunk(piece.hunk, "changed", "", 1, 1, piece.old, piece.new, 1, "", f"key of {piece.old}", piece.hunk - 1)
        for piece in pieces
    ]
    return ProseDiff(tuple(pieces), tuple(hunks))


DIFF = diff_of("abcdef")


def propose(store: Store) -> int:
    """Save a job that proposes the changes of DIFF, and return the job's number."""
    return suggested_job(store, Draft((5,), staged(DIFF, {}), 7), DIFF.new).number


@pytest.fixture
def number(store: Store) -> int:
    return propose(store)


@pytest.fixture
def service(store: Store) -> StagingService:
    return StagingService(store)


async def test_the_staged_text_matches_the_choices_after_every_step(service: StagingService, number: int) -> None:
    assert (choices_by_number(DIFF, service._stagings.choices(number)), service._stagings.staged(number)) == ({}, None)
    see = HunkChoice("edited", "see")
    every = {hunk.number: YES for hunk in DIFF.hunks}
    for made, after, text in (
        ({1: YES, 2: NO}, {1: YES, 2: NO}, "Abcdef"),
        ({1: None, 3: see}, {2: NO, 3: see}, "abseedef"),
        (every, every, "ABCDEF"),
    ):
        assert (await service.choose(number, DIFF, made)).after == after
        assert service._stagings.staged(number) == text


async def test_undo_continues_after_a_restart(service: StagingService, number: int, open_store: OpenStore) -> None:
    for made in ({1: YES}, {1: NO, 2: YES}, {3: YES}):
        await service.choose(number, DIFF, made)
    await service.undo(number, DIFF)
    again = StagingService(open_store())
    assert choices_by_number(DIFF, again._stagings.choices(number)) == {1: NO, 2: YES}
    assert (await again.undo(number, DIFF)).after == {1: YES}
    assert (await again.undo(number, DIFF)).after == {}
    assert again._stagings.staged(number) == DIFF.old


async def test_choices_apply_to_equal_hunks_of_another_diff(service: StagingService, number: int) -> None:
    await service.choose(number, DIFF, {1: YES, 2: YES})
    await service.choose(number, DIFF, {6: YES})
    other = diff_of("xba")
    assert choices_by_number(other, service._stagings.choices(number)) == {2: YES, 3: YES}
    assert (await service.choose(number, other, {1: YES})).after == {1: YES, 2: YES, 3: YES}
    for left in ({2: YES, 3: YES}, {}, {}):
        assert (await service.undo(number, other)).after == left
    assert choices_by_number(DIFF, service._stagings.choices(number)) == {6: YES}


async def test_choices_of_another_window_are_part_of_the_staged_text(
    service: StagingService, number: int, open_store: OpenStore
) -> None:
    there = StagingService(open_store())
    await service.choose(number, DIFF, {1: YES})
    await there.choose(number, DIFF, {2: YES})
    assert (await service.choose(number, DIFF, {3: YES})).after == {1: YES, 2: YES, 3: YES}
    assert there._stagings.staged(number) == "ABCdef"
    assert (
        (await there.undo(number, DIFF)).after
        == choices_by_number(DIFF, service._stagings.choices(number))
        == {1: YES, 2: YES}
    )


async def test_undo_in_a_window_reverts_choices_of_that_window_or_of_an_ended_process(
    store: Store, number: int, open_store: OpenStore
) -> None:
    other = open_store()
    here, there = (StagingService(one, window=this_process()) for one in (store, other))
    dead = json.dumps({"host": socket.gethostname(), "pid": 1, "start": "long ago"})
    await here.choose(number, DIFF, {1: YES, 2: YES})
    await there.choose(number, DIFF, {2: NO, 3: NO})
    step = await here.undo(number, DIFF)
    assert (step.changed_elsewhere, step.before, step.after) == (True, {1: YES, 2: NO, 3: NO}, {2: NO, 3: NO})
    step = await here.undo(number, DIFF)
    assert (step.changed_elsewhere, step.before, step.after) == (False, {2: NO, 3: NO}, {2: NO, 3: NO})
    await StagingService(other, window=dead).choose(number, DIFF, {3: YES, 4: YES})
    assert (await here.undo(number, DIFF)).after == {2: NO, 3: NO}
    assert (await there.undo(number, DIFF)).after == {}
    assert there._stagings.staged(number) == DIFF.old


async def test_accepting_all_keeps_a_choice_that_another_window_makes_meanwhile(
    service: StagingService, number: int, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, write = open_store(), service._stagings._database.write

    def write_later() -> AbstractContextManager[sqlite3.Connection]:
        monkeypatch.undo()
        there.stagings.choose(number, lambda chosen: {"key of b": NO}, 1.0, lambda chosen: DIFF.old)
        return write()

    monkeypatch.setattr(service._stagings._database, "write", write_later)
    assert (await service.choose_all(number, DIFF)).after == {**dict.fromkeys(range(1, 7), YES), 2: NO}


def test_no_choice_is_lost_if_two_windows_choose_at_the_same_time(store: Store, number: int, home: Path) -> None:
    wide = diff_of("abcdefghijklmnopqrst")
    together = threading.Barrier(2)

    def window(first: int) -> None:
        with closing(Store(home / "cekura.db", "https://api.cekura.ai", "key", "default")) as own:
            together.wait()
            for hunk in range(first, 21, 2):
                asyncio.run(StagingService(own).choose(number, wide, {hunk: YES}))

    with ThreadPoolExecutor(2) as windows:
        list(windows.map(window, (1, 2)))
    assert store.stagings.staged(number) == wide.new
    assert len(store.database.read("SELECT DISTINCT step FROM stagings")) == 20


CHOICES = st.sampled_from([YES, NO, None, HunkChoice("edited", "z"), HunkChoice("edited", " ")])
STEP = st.dictionaries(st.integers(1, 6), CHOICES, min_size=1, max_size=6) | st.sampled_from(["undo", "reopen"])


@COSTLY
@given(st.lists(STEP, max_size=12))
def test_any_sequence_of_steps_is_stored_exactly(
    open_store: OpenStore, steps: list[Mapping[int, HunkChoice | None] | str]
) -> None:
    store = open_store()
    number = propose(store)
    remembered: list[dict[int, HunkChoice]] = [{}]
    for step in steps:
        service = StagingService(store)
        if step == "reopen":
            store.close()
            store = open_store()
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


_CHOOSE_FOR_EVER = """
import asyncio, itertools, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from test_staging_service import DIFF, NO, YES, StagingService, Store

async def choose():
    service = StagingService(Store(Path(sys.argv[1]), "https://api.cekura.ai", "key", "default"))
    for n in itertools.count():
        await service.choose(1, DIFF, {hunk: (YES, NO)[(n >> hunk) & 1] for hunk in range(1, 7)})
        print(n, flush=True)

asyncio.run(choose())
"""


@pytest.mark.long
def test_a_process_killed_while_choosing_leaves_choices_that_match_the_text(home: Path, open_store: OpenStore) -> None:
    with closing(open_store()) as first:
        number = propose(first)
    command = [sys.executable, "-c", _CHOOSE_FOR_EVER, home / "cekura.db", *sys.path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as chooser:
        assert chooser.stdout is not None
        for _ in range(10):
            steps = int(chooser.stdout.readline())
        chooser.kill()
    assert chooser.returncode == -signal.SIGKILL
    store = open_store()
    chosen = choices_by_number(DIFF, store.stagings.choices(number))
    assert (store.database.notice, set(chosen)) == ("", set(range(1, 7)))
    assert store.stagings.staged(number) == staged(DIFF, chosen)
    assert len(store.database.read("SELECT DISTINCT step FROM stagings")) > steps // 2
