"""The history of an agent's prompts: compare, copy, forget and restore them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from agents_on_a_server import CLINIC, Agents, agents, revised, sees_wrapped
from app_on_a_server import SMALL, WIDE, on_run, opened
from suggestion_screens import PageFirstApp
from textual.pilot import Pilot
from textual.widgets import Input
from waiting import eventually
from watching import sees

from cekura_tui.model.prompt_events import PromptUse, UseKind, events_of, how_words
from cekura_tui.model.text import Prompt
from cekura_tui.ui.suggestion.history import PromptHistoryScreen, PromptUseList

FIRST, SECOND = Prompt("Be brief with every caller."), Prompt("Be brief and warm with every caller.")
HALF_CHARACTER = Prompt("Half a character: \ud800 and\ttabs\r\n")


def add_uses(server: Agents, *uses: tuple[Prompt, UseKind], job: int | None = None) -> None:
    """Add uses of prompts to the history, one second apart."""
    with server.store() as store:
        for n, (prompt, how) in enumerate(uses):
            store.prompt_uses.note(CLINIC, prompt, how, 1_700_000_000.0 + n, job)


@asynccontextmanager
async def history(
    server: Agents, *shown: str, size: tuple[int, int] = SMALL, **options: Any
) -> AsyncIterator[Pilot[None]]:
    """Open the page with the history of the clinic's prompts."""
    first: dict[str, Any] = {"kind": PageFirstApp, "page": lambda state: PromptHistoryScreen(state, CLINIC, "Clinic")}
    async with opened(server.setup(**options), size=size, **first) as pilot:
        await sees(pilot, *(shown or ("Prompts of", "» current")))
        yield pilot


def rows(pilot: Pilot[None]) -> list[tuple[str, bool]]:
    """The kind of each listed use, and whether its prompt is the agent's current prompt."""
    return [(row.use.how, row.current) for row in pilot.app.screen.query_one(PromptUseList).rows]


async def test_newest_use_comes_first_and_any_prompt_can_be_restored(server: Agents) -> None:
    sent = server.prompt_of(CLINIC)
    number = server.job(CLINIC, sent, SECOND)
    add_uses(server, (FIRST, "replaced"), job=number)
    async with history(server) as pilot:
        await sees(pilot, "History · 4", "read from the agent", "sent with job 1", "suggested by job 1", "7 words")
        assert rows(pilot) == [("seen", True), ("proposed", False), ("sent", False), ("replaced", False)]
        await sees(pilot, "2023-11-14", "before job 1's update ", "5 words  Be brief with")
        await pilot.press("g", "j", "R")
        await sees_wrapped(pilot, "Restore the prompt of", "(7 words)?")
        await pilot.press("ctrl+g")
        await sees_wrapped(pilot, "✓ Restored the prompt of", "verified byte for byte")
        assert server.prompt_of(CLINIC) == SECOND
        await eventually(lambda: rows(pilot)[0] == ("written", True), "it is current")
        await sees(pilot, "restored")


async def test_enter_compares_with_the_marked_prompt_or_else_with_the_current_prompt(server: Agents) -> None:
    server.write_elsewhere(CLINIC, FIRST)
    add_uses(server, (Prompt("Quite another text."), "written"), (SECOND, "replaced"))
    async with history(server) as pilot:
        await sees(pilot, "History · 3")
        await pilot.press("g", "j", "enter")  # compares with the current prompt
        await sees(pilot, "− before an update · 2023-11-14 · 7 words", "+ read from the agent", "+0 −2 words", "warm")
        await pilot.press("escape")
        await sees(pilot, "History · 3")
        await pilot.press("space", "j", "enter")
        await sees(pilot, "− updated · 2023-11-14 · 3 words", "+ before an update · 2023-11-14 · 7 words")
        await pilot.press("escape", "g", "space", "enter")  # marks the current one: compares with an older one
        await sees(pilot, "− before an update · 2023-11-14", "+ read from the agent")


async def test_prompt_is_saved_byte_for_byte_and_uncopyable_text_is_reported(server: Agents, tmp_path: Path) -> None:
    saved = tmp_path / "prompt.md"
    add_uses(server, (HALF_CHARACTER, "proposed"))
    async with history(server, size=WIDE) as pilot:
        await sees(pilot, "History · 2")
        await pilot.press("G", "y")
        await sees(pilot, "Copy or save the prompt suggested by a job", "Can't copy")
        await pilot.press("enter")
        await sees(pilot, "Save the prompt", "enter save")
        pilot.app.screen.query_one(Input).value = str(saved)
        await pilot.press("enter")
        await sees(pilot, "Saved to", "History · 2")
        assert saved.read_bytes() == HALF_CHARACTER.encode(errors="surrogatepass")


async def test_prompt_is_forgotten_with_all_uses_of_its_row_after_confirmation(server: Agents) -> None:
    add_uses(server, (FIRST, "seen"), (SECOND, "written"), (SECOND, "replaced"))
    async with history(server) as pilot:
        await sees(pilot, "History · 3")
        await pilot.press("g", "j", "D")
        await sees_wrapped(pilot, "Delete this prompt of", "Be brief and warm", "can no longer restore it")
        await pilot.press("escape", "D")
        await sees(pilot, "History · 3", "ctrl+g delete the prompt")
        await pilot.press("ctrl+g")
        await sees(pilot, "History · 2", "Prompt deleted from this machine.", gone="Be brief and warm")
    assert [use.how for use in server.history(CLINIC)] == ["seen", "seen"]


async def test_former_prompt_can_be_restored_from_the_history(server: Agents) -> None:
    sent = server.prompt_of(CLINIC)
    add_uses(server, (sent, "replaced"), (revised(sent), "written"))
    server.write_elsewhere(CLINIC, revised(sent))
    async with history(server) as pilot:
        await sees(pilot, "History · 2")
        assert rows(pilot) == [("written", True), ("replaced", False)]
        await pilot.press("R")
        await sees_wrapped(pilot, "Nothing to restore: this is the current prompt.")
        assert not pilot.app.screen.active_bindings["R"].enabled
        await pilot.press("j", "R")
        words, name = f"{len(sent.split()):,} words", server.name_of(CLINIC)
        await sees_wrapped(pilot, f"Restore the prompt of 2023-11-14 ({words})?", f"{name} · −2 words")
        await pilot.press("ctrl+g")
        await sees_wrapped(pilot, "✓ Restored the former prompt of", "verified byte for byte")
        assert server.prompt_of(CLINIC) == sent
        await sees(pilot, "» ", "restored", "updated ", "before an update")


def test_each_update_and_restore_is_one_event_of_the_history() -> None:
    met: list[tuple[str, UseKind, int, int | None]] = [
        ("first", "sent", 0, 1),
        ("second", "proposed", 100, 1),
        ("second", "staged", 400, 1),
        ("first", "replaced", 900, 1),
        ("second", "written", 901, 1),
        ("second", "replaced", 1500, None),
        ("first", "written", 1501, None),
        ("first", "written", 1510, None),
        ("first", "seen", 1520, None),
    ]
    uses = [PromptUse(CLINIC, text, how, at, job, 2, text) for text, how, at, job in reversed(met)]
    assert [(how_words(event[0], uses), {use.how for use in event[1:]}) for event in events_of(uses)] == [
        ("restored", {"seen"}),
        ("restored", set()),
        ("updated from job 1", {"replaced"}),
        ("suggested by job 1", {"staged"}),
        ("sent with job 1", {"replaced"}),
    ]


async def test_nothing_is_restored_from_the_current_prompt_or_in_a_read_only_session(server: Agents) -> None:
    sent = server.prompt_of(CLINIC)
    async with history(server) as pilot:
        await pilot.press("R")
        await sees(pilot, "Nothing to restore")
    add_uses(server, (FIRST, "replaced"))
    async with history(server, read_only=True) as pilot:
        await pilot.press("G", "R")
        await sees_wrapped(pilot, "Read-only session: nothing was restored. Start without --read-only.")
    assert server.prompt_of(CLINIC) == sent


async def test_history_without_the_server_says_that_the_current_prompt_is_unknown(tmp_path: Path) -> None:
    with agents(tmp_path) as server:
        add_uses(server, (FIRST, "seen"), (SECOND, "written"))
        server.server.stop()
        async with history(server, "! Can't load the current prompt:", "History · 2") as pilot:
            await pilot.press("enter")
            await sees(pilot, "− read from the agent", "+ updated", "+2 −0 words")


@pytest.mark.long
async def test_history_opens_from_a_run_and_from_a_job(server: Agents) -> None:
    server.job(CLINIC, server.prompt_of(CLINIC))
    async with opened(server.setup()) as pilot:
        await on_run(pilot, 900238)
        for keys, shown in ((), "240 runs"), (("2",), "1 job"):
            await pilot.press(*keys)
            await sees(pilot, shown)
            await pilot.press("ctrl+p", *"prompt history")
            await sees(pilot, "Prompt history of this agent")
            await pilot.press("down", "enter")
            await sees(pilot, "Prompts of", "sent with job 1")
            await pilot.press("escape")
            await sees(pilot, shown, gone="History ·")
