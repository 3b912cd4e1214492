"""The page of a suggestion: the staged text follows the decisions exactly, and no decision is lost."""

from __future__ import annotations

import asyncio
import hashlib
import shlex
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from app_on_a_server import LAUNCH, SMALL, WIDE, Served, opened, setup_of
from hostile import AGENT_PROMPT, IMPROVED, serve_hostile
from scripted_server import Reply, ScriptedServer
from seeded_jobs import stored
from suggestion_screens import (
    FAILED,
    PageFirstApp,
    add,
    chosen,
    chosen_edited,
    on_suggestion,
    put_answer,
    put_suggestion,
    query_only,
    screen,
    texts,
    workspace,
)
from textual.pilot import Pilot
from textual.widgets import TextArea
from waiting import eventually
from watching import screen_text, sees

from cekura_tui.evidence.overfitting import OwnFact
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.ui.kit import keys_in_order
from cekura_tui.ui.messages import OpenJob
from cekura_tui.ui.suggestion.screen import SuggestionScreen
from cekura_tui.ui.suggestion.staging_controller import StagingController
from cekura_tui.workspace.setup import Setup
from cekura_tui.workspace.suggestions import StagingService, SuggestionReasons, dismissal

ISSUES = "/test_framework/v1/runs/improve_prompt_issues/"
YES, NO = HunkChoice("accepted"), HunkChoice("rejected")


@pytest.fixture
def done(served: Served) -> Setup:
    """Settings for a server whose job 1 has a suggestion with two changes."""
    return put_suggestion(served)


async def editing(pilot: Pilot[None], *shown: str, key: str = "c") -> TextArea:
    """Open the editor of the first change with `key`, and return its text area once `shown` is on screen."""
    await pilot.press(*key)
    await sees(pilot, "Edit change 1 of 2", *shown)
    return pilot.app.screen.query_one(TextArea)


@contextmanager
def saves_delayed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Delay saving decisions until the block ends."""
    released, choose = threading.Event(), StagingService.choose

    async def choose_later(*args: Any) -> Any:
        await asyncio.to_thread(released.wait)
        return await choose(*args)

    with monkeypatch.context() as patch:
        patch.setattr(StagingService, "choose", choose_later)
        yield
        released.set()


async def test_staged_text_follows_the_decisions_byte_for_byte(done: Setup) -> None:
    async with on_suggestion(done, "Changes · 1 of 2") as pilot:
        await pilot.press("n", "x")
        await chosen(pilot, None, NO)
        assert screen(pilot).hunk.number == 1, "after the last change, the first undecided one"
        await pilot.press("a")
        await chosen(pilot, YES, NO)
        await sees(pilot, "all decided · ✓1 ✗1 ✎0")
        assert screen(pilot).hunk.number == 1, "the cursor stays if all are decided"
        job, staged = await texts(pilot)
        first, second = screen(pilot).staging.opened.diff.hunks
        assert job.improved_prompt is not None
        assert staged == job.prompt.replace(first.old, first.new) == job.improved_prompt.replace(second.new, second.old)
        await pilot.press("A")
        await sees(pilot, "No undecided changes · 1 rejected, unchanged")
        await pilot.press("end")
        await sees(pilot, "Changes · 2 ─", gone="at change")
        await pilot.press("N", "N")
        await sees(pilot, "Changes · 1 of 2", "at change 1")
        await pilot.press("u", "u", "A")
        await chosen(pilot, YES, YES)
        assert (await texts(pilot))[1] == job.improved_prompt
        await pilot.press("u", "u")
        await chosen(pilot)
        await sees(pilot, "Nothing to undo.")
        assert screen(pilot).hunk.number == 1, "the cursor is on the first change undone last"
        await pilot.press("N", "x", "x")  # each key decides another change
        await chosen(pilot, NO, NO)
        assert (await texts(pilot))[1] == job.prompt


async def test_keys_typed_while_the_suggestion_loads_wait_for_it(done: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    released, load = asyncio.Event(), StagingController.load

    async def load_later(controller: StagingController) -> Any:
        await released.wait()
        return await load(controller)

    monkeypatch.setattr(StagingController, "load", load_later)
    first: dict[str, Any] = {"kind": PageFirstApp, "page": lambda state: SuggestionScreen(state, 1)}
    async with opened(done, size=SMALL, **first) as pilot:
        await sees(pilot, "Suggestion of job 1")
        for key in "ja":
            pilot.app.simulate_key(key)
        released.set()
        await sees(pilot, "1 of 2 undecided · ✓1")
        await chosen(pilot, YES, None)


async def test_suggestion_opens_at_the_first_undecided_change(done: Setup) -> None:
    async with on_suggestion(done) as pilot:
        await pilot.press("a", "escape")
        await sees(pilot, "succeeded", gone="Suggestion of job 1")
        pilot.app.state.ask(OpenJob(pilot.app.state.jobs[0]))  # type: ignore[attr-defined]
        await sees(pilot, "1 of 2 undecided · ✓1 ✗0 ✎0 · staged +", "Changes · 2 of 2")
        await sees(pilot, "reason: ✗ Person offered", "+ …")
        await pilot.press("x", "escape")  # then leave the app
    async with on_suggestion(done, "all decided · ✓1 ✗1 ✎0") as pilot:
        await chosen(pilot, YES, NO)


async def test_unsaved_decision_is_not_shown_and_the_edited_text_stays_in_the_editor(done: Setup) -> None:
    async with on_suggestion(done) as pilot:
        await query_only(pilot, "ON")
        for key in ("a", "W", "y", "enter"):  # the others are for a dialog that does not open
            pilot.app.simulate_key(key)
        await sees(pilot, "Can't save your decision.", "Can't write")
        assert pilot.app.screen is screen(pilot)
        assert screen(pilot).hunk.number == 1, "the cursor moved back"
        await chosen(pilot)
        assert "accepted" not in screen_text(pilot.app)
        await editing(pilot)
        await add(pilot, "!")
        await pilot.press("ctrl+g")
        await sees(pilot, "Suggestion of job 1", gone="Edit change")
        await eventually(lambda: all(one.group != "staging" for one in pilot.app.workers), "the edit is refused")
        assert (await editing(pilot)).text.endswith("!")
        await query_only(pilot, "OFF")
        pilot.app.clear_notifications()
        await pilot.press("ctrl+g")
        await sees(pilot, "1 of 2 undecided · ✓0 ✗0 ✎1 · staged +")


@pytest.mark.long
async def test_a_key_pressed_while_a_decision_is_saved_waits_for_the_decision(
    done: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(keys_in_order, "LOADING_PATIENCE", 60.0)

    async def decide_and_press(pilot: Pilot[None], key: str, *shown: str) -> None:
        with saves_delayed(monkeypatch):
            await pilot.press("a", key)
            assert pilot.app.screen is screen(pilot), "the decision is not saved yet"
        await sees(pilot, *shown, gone="Loading the")
        await chosen(pilot, YES)

    async with on_suggestion(done) as pilot:
        await decide_and_press(pilot, "y", "Copy or save the prompt")
        job, staged = await texts(pilot)
        assert staged not in (job.prompt, job.improved_prompt)
        await pilot.press("enter")
        await sees(pilot, "Saved to", gone="Copy or save the prompt")
        assert (tmp_path / "improved-prompt-1.md").read_bytes() == staged.encode()
        await pilot.press("u")
        await chosen(pilot)
        await decide_and_press(pilot, "i", "Improve the prompt")
        assert pilot.app.screen.query_one(TextArea).text == staged
        await pilot.press("escape", "u")
        await chosen(pilot)
        await decide_and_press(pilot, "W", "ctrl+g update", "Leaves out 1 undecided change", "h history")
        await pilot.press("h")
        await sees(pilot, "Prompts of", "» current")
        await pilot.press("escape")
        await sees(pilot, "Suggestion of job 1", gone="Update the prompt of")


async def test_the_warning_of_a_change_is_dismissed_and_shown_again(done: Setup) -> None:
    async with on_suggestion(done) as pilot:
        page = screen(pilot)
        await eventually(lambda: page.reasons is not None, "the reasons are loaded")
        key, fact = page.hunk.key, OwnFact("14 March", "run 900238 00:14")
        await pilot.press("B")
        await sees(pilot, "The change has no warning.")
        page.reasons = SuggestionReasons(own_facts={key: (fact,)})
        page.draw()
        await sees(pilot, "! specific to this call: “14 March” (run 900238 00:14)")
        await pilot.press("B")
        await sees(pilot, "Warning dismissed · B shows it again", gone="specific to this call")
        await eventually(lambda: fact_is_saved(done, key, fact), "it is saved")
        with stored(done, done.key.text) as store:
            store.stagings.save_typed(1, dismissal(key, fact), None)
        await sees(pilot, "! specific to this call: “14 March”")


def fact_is_saved(setup: Setup, key: str, fact: OwnFact) -> bool:
    with stored(setup, setup.key.text) as store:
        return dismissal(key, fact) in store.stagings.typed(1)


async def test_decision_is_saved_even_if_waiting_for_the_save_is_cancelled(
    done: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys_in_order, "LOADING_PATIENCE", 0.05)
    async with on_suggestion(done) as pilot:
        here = len(pilot.app.screen_stack)
        with saves_delayed(monkeypatch):
            await pilot.press("a", "y")
            await sees(pilot, "Saving your decisions …")
            await pilot.press("escape")
            await sees(pilot, gone="Saving your decisions …")
        await chosen(pilot, YES)
        assert pilot.app.screen is screen(pilot)
        with saves_delayed(monkeypatch):
            await pilot.press("a", "y")
            await sees(pilot, "Saving your decisions …")
            await pilot.press("question_mark")
            await sees(pilot, gone="Saving your decisions …")
        await chosen(pilot, YES, YES)
        await sees(pilot, "Copy or save the prompt")
        assert len(pilot.app.screen_stack) == here + 3, "the help is below the dialog"
        await pilot.press("escape", "escape")
        await eventually(lambda: pilot.app.screen is screen(pilot), "nothing is in front of the suggestion")


async def test_esc_and_undo_keep_typed_text_until_the_text_is_applied(done: Setup) -> None:
    async with on_suggestion(done) as pilot:
        area = await editing(pilot, "Identity and privacy", "Before you open")
        proposed = area.text
        await add(pilot, "?")
        await pilot.press("ctrl+z")
        await eventually(lambda: area.text == proposed, "ctrl+z undoes in the box")
        await pilot.press("escape")
        await sees(pilot, "Suggestion of job 1", gone="Edit change 1")
        assert "not applied" not in screen_text(pilot.app), "nothing was typed"
        await editing(pilot)
        await add(pilot, " Be kind.")
        await pilot.press("escape")
        await sees(pilot, "Your text is not applied", gone="Edit change 1")
        await chosen(pilot)
        await editing(pilot, "Be kind.")
        await pilot.press("ctrl+g")
        await chosen_edited(pilot, f"{proposed} Be kind.")
        await sees(pilot, "1 of 2 undecided · ✓0 ✗0 ✎1 · staged +")
        assert screen(pilot).hunk.number == 2, "the next undecided change"
        first, second = screen(pilot).staging.opened.diff.hunks
        job, staged = await texts(pilot)
        assert staged == job.prompt.replace(first.old, f"{first.new} Be kind.")
        await pilot.press("u")
        await sees(pilot, "Undone: change 1 is undecided. c opens your text.")
        (await editing(pilot, "Be kind.")).load_text(first.old)
        await pilot.press("ctrl+g")
        await chosen(pilot, NO)
        assert second.new not in (await texts(pilot))[1]


async def test_change_can_be_edited_in_the_users_editor(done: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys; open(sys.argv[1], 'w').write('Ask for the name.\\n')"
    monkeypatch.setenv("VISUAL", shlex.join([sys.executable, "-S", "-c", code]))
    async with on_suggestion(done) as pilot:
        await editing(pilot)
        with monkeypatch.context() as patch:
            # The test driver cannot be suspended; everything else is real.
            patch.setattr(pilot.app, "suspend", nullcontext)
            await pilot.press("ctrl+e")
        await pilot.press("ctrl+g")
        await chosen_edited(pilot, "Ask for the name.")


async def test_enter_opens_the_turn_behind_a_change_and_esc_returns(done: Setup) -> None:
    async with on_suggestion(done) as pilot:
        await pilot.press("n")
        reason = screen(pilot).reasons.reasons[screen(pilot).hunk.key][0]
        await pilot.press("enter")
        await sees(pilot, f"Run {FAILED}", "Transcript")
        transcript: Any = pilot.app.screen.query_one("#transcript")
        await eventually(lambda: transcript.cursor_key == reason.turn + 1, "the cursor is on the turn")
        await pilot.press("escape")
        await sees(pilot, "Suggestion of job 1")
        assert screen(pilot).hunk.number == 2


async def test_i_launches_the_staged_text_even_if_there_is_a_draft(done: Setup, served: Served) -> None:
    async def improving() -> None:
        await pilot.press("i")
        await sees(pilot, "Improve the prompt", "Staged from job 1", f"Runs  {FAILED}", "words,", gone="Loading the")

    async with on_suggestion(done) as pilot:
        await pilot.press("a")
        await chosen(pilot, YES)
        _, staged = await texts(pilot)
        await improving()
        pilot.app.screen.query_one(TextArea).focus()
        await pilot.press("enter", *"Mine.", "escape")
        await sees(pilot, "Draft saved.", gone="Improve the prompt")
        await improving()
        sources: Any = pilot.app.screen.query_one("#sources")
        await eventually(lambda: "draft" in [row.key for row in sources.rows], "the draft is offered")
        await pilot.press("ctrl+g")
        await sees(pilot, "launched", gone="Improve the prompt")
        assert served.requests_to(LAUNCH, "POST")[-1]["prompt_sha256"] == hashlib.sha256(staged.encode()).hexdigest()
        job = pilot.app.state.jobs[0]  # type: ignore[attr-defined]
        assert (job.run_ids, job.prompt_source) == ((FAILED,), "staged from job 1")


async def test_suggestion_forgotten_by_another_window_is_reported(done: Setup) -> None:
    async with on_suggestion(done) as pilot:
        await workspace(pilot).call(lambda session: session.jobs.forget(1))
        await pilot.press("r")
        await sees(pilot, "Can't reload the suggestion. Job 1 was forgotten", "Suggestion of job 1 · 2 of 2 undecided")
        await pilot.press("a")
        await sees(pilot, "Can't save your decision.", "forgotten, so nothing")


async def test_read_only_session_saves_choices_but_launches_and_writes_nothing(done: Setup, served: Served) -> None:
    async with on_suggestion(served.setup(read_only=True)) as pilot:
        await pilot.press("i")
        await sees(pilot, "Read-only session: nothing is launched.", gone="Improve the prompt")
        await pilot.press("W")
        await sees(pilot, "Read-only session: nothing is written")
        await pilot.press("escape")
        await pilot.press("a")
        await chosen(pilot, YES)


async def test_small_terminal_shows_the_diff_or_after_capital_k_the_staged_text(done: Setup) -> None:
    async with on_suggestion(done, size=SMALL) as pilot:
        await sees(pilot, "enter Turn  a Accept  x Reject  W Update prompt  c Edit  esc Back  ? Keys")
        diff, staged = pilot.app.screen.query_one("#diff"), pilot.app.screen.query_one("#staged")
        assert diff.region.height >= 12
        assert not staged.display
        await pilot.press("n", "K")
        await sees(pilot, "Staged", "at change 2", "The front desk is staffed")
        assert staged.has_focus
        await pilot.press("x", "N", "a")
        await chosen(pilot, YES, NO)
        await sees(pilot, "at change 1", "~ A patient's record is private.")
        await pilot.press("K")
        await eventually(lambda: diff.has_focus and not staged.display, "the diff is back")
        for size, both in ((WIDE, True), (SMALL, False)):
            await pilot.resize_terminal(*size)
            await eventually(lambda both=both: diff.display and staged.display == both, "both if they fit")
        await pilot.press("K")
        await eventually(lambda: staged.has_focus, "the staged text alone is shown")
        await pilot.resize_terminal(*WIDE)
        diff.focus()
        await eventually(lambda: diff.has_focus, "the diff has the focus")
        await pilot.resize_terminal(*SMALL)
        await eventually(lambda: staged.has_focus, "the hidden diff passes the focus to the staged text")


# Suggestions of a server in which every text is hostile


@pytest.fixture
def hostile(scripted: ScriptedServer) -> Setup:
    serve_hostile(scripted)
    return setup_of(scripted.url, "key")


async def test_enter_on_a_change_without_a_known_turn_shows_a_message(hostile: Setup, scripted: ScriptedServer) -> None:
    put_answer(hostile, AGENT_PROMPT, IMPROVED)
    scripted.on("POST", ISSUES, Reply({"detail": "The model is away."}, 500))
    scripted.on("GET", "/test_framework/v1/runs/102/", Reply({"id": 102, "agent": 7}))
    async with on_suggestion(hostile, "Can't load the issues:", "The model is away.") as pilot:
        await pilot.press("enter")
        await sees(pilot, "No turn of a run found for change 1.", "Suggestion of job 1")
        pilot.app.clear_notifications()
        scripted.on("POST", ISSUES, Reply({"issues": [{"title": "Rude [/red] words", "run_id": 102}]}))
        await pilot.press("r")
        await sees(pilot, "Summary · 1 issue below", "Rude [/red] words", "run 102", gone="Can't load")


@pytest.mark.long
async def test_proposal_too_long_to_compare_cannot_be_edited_or_improved(hostile: Setup) -> None:
    long = "Ask the caller once more.\n" * 60_000
    put_answer(hostile, AGENT_PROMPT, long)
    shown = f"Shows the first 52,000 of {len(long):,} characters"
    async with on_suggestion(hostile, "Changes · 1 of 1", "not compared", shown) as pilot:
        for key, said in (("c", "Too long to edit here"), ("i", "Can't improve again"), ("a", "all decided")):
            await pilot.press(key)
            await sees(pilot, said)
        assert screen(pilot).staging.opened.staged == long


async def test_b_splits_and_joins_a_change_if_a_fence_around_the_proposal_was_left_out(hostile: Setup) -> None:
    sent = "# Rules\n\nSay “hello”.\n\n- Be “kind”.\n"
    proposed = f"```\n{sent}- Be brief.\n- Say goodbye.\n```\n".replace("“", '"').replace("”", '"')
    put_answer(hostile, sent, proposed)
    shown = (
        "2 of 3 undecided · 1 left out · no change accepted",
        "Changes · 2 of 3",
        "⋯ 3 of 3 · quotation marks",
        "2 places",
    )
    async with on_suggestion(hostile, *shown) as pilot:
        await pilot.press("b")
        await sees(pilot, "Split into 2 changes", "3 of 4 undecided · 1 left out", "· 3 of 4")
        await pilot.press("n", "a")
        await sees(pilot, "✓1 ✗0", "✓ 3 of 4")
        assert (await texts(pilot))[1] == f"{sent}- Say goodbye.\n"
        await pilot.press("n", "enter")
        await sees(pilot, "3 of 5 undecided · ✓1 ✗0 ✎0 · 1 left out", 'Say "hello".')
        assert screen(pilot).hunk.number == 2
        await pilot.press("c")
        await sees(pilot, "Only formatting changes here: accept or reject.")
        await pilot.press("b")
        await sees(pilot, "2 of 4 undecided", "⋯ 4 of 4")
        await pilot.press("N", "b")
        await sees(pilot, "Can't join the parts: change 3 is decided separately.")
        await pilot.press("A")
        await sees(pilot, "changes accepted")
        assert f"```\n{(await texts(pilot))[1]}```\n" == proposed


async def test_summary_can_be_scrolled_by_keys(hostile: Setup) -> None:
    put_answer(hostile, AGENT_PROMPT, IMPROVED, "\n".join(f"Change number {n}." for n in range(40)))
    async with on_suggestion(hostile, "Change number 0.", size=SMALL) as pilot:
        await pilot.press("shift+tab")
        await eventually(lambda: pilot.app.screen.query_one("#summary").has_focus, "the summary has the focus")
        await pilot.press("end")
        await sees(pilot, "reports no issues")
