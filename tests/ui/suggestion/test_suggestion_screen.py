"""A suggestion: what is taken, left or worded otherwise is in the staged text, exactly, and nothing of that is lost."""

from __future__ import annotations

import asyncio
import hashlib
import shlex
import sqlite3
import sys
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pytest
from app_on_a_server import LAUNCH, SMALL, WIDE, Served, launched, no_crash, on_run, opened, setup_of
from hostile import IMPROVED, serve_hostile
from scripted_server import PROGRESS, Reply, ScriptedServer
from suggestion_screens import FAILED, add, chosen, chosen_edited, reopened, screen, suggestion, texts, workspace
from textual.widgets import TextArea
from waiting import answered, eventually
from watching import screen_text, sees

from cekura_tui.prose.staging import HunkChoice
from cekura_tui.ui.kit import keys_in_order

ISSUES = "/test_framework/v1/runs/improve_prompt_issues/"


YES, NO = HunkChoice("accepted"), HunkChoice("rejected")


async def test_accepted_and_rejected_changes_make_the_staged_text_to_the_byte(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        await pilot.press("a")
        await chosen(pilot, YES)
        await pilot.press("n", "x")
        await chosen(pilot, YES, NO)
        await sees(pilot, "all decided · ✓1 ✗1 ✎0")
        done, staged = await texts(pilot)
        first, second = screen(pilot).staging.opened.diff.hunks
        assert done.improved_prompt is not None
        assert (
            staged == done.prompt.replace(first.old, first.new) == done.improved_prompt.replace(second.new, second.old)
        )
        await pilot.press("A")
        await chosen(pilot, YES, YES)
        await sees(pilot, "2 changes accepted (1 rejected before) · u undo")
        assert (await texts(pilot))[1] == done.improved_prompt
        await pilot.press("N", "x", "n", "x")
        await chosen(pilot, NO, NO)
        assert (await texts(pilot))[1] == done.prompt
        no_crash(pilot)


async def test_a_decision_leads_to_the_next_undecided_change_and_u_back_to_the_one_it_undid(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        await pilot.press("n", "x")
        assert screen(pilot).hunk.number == 1, "after the last change comes the first that is undecided"
        await pilot.press("a")
        await sees(pilot, "all decided")
        assert screen(pilot).hunk.number == 1, "there it stays"
        await pilot.press("n", "u", "u")
        await chosen(pilot)
        await eventually(lambda: screen(pilot).hunk.number == 2, "the cursor is on the change that was undone last")
        await pilot.press("N", "a", "a")  # in haste: each for a change of its own
        await chosen(pilot, YES, YES)


@pytest.mark.parametrize("size", [SMALL, (120, 36)])
async def test_a_suggestion_opens_at_the_first_change_that_is_undecided(served: Served, size: tuple[int, int]) -> None:
    async with opened(served.setup(), size=size) as pilot:
        await suggestion(pilot)
        await pilot.press("a", "escape")
        await sees(pilot, "1 job")
        await pilot.press("enter")
        await sees(pilot, "1 of 2 undecided · ✓1 ✗0 ✎0 · staged +", "Changes · 2 of 2")
        await sees(pilot, "reason: ✗ Person offered", "+ …")


async def test_where_a_decision_cannot_be_saved_the_cursor_is_back_on_its_change(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        await workspace(pilot).call(query_only("ON"))
        await pilot.press("a")
        await sees(pilot, "Can't save your decision.")
        assert screen(pilot).hunk.number == 1


@pytest.mark.parametrize(("key", "dialog"), [("y", "Copy or save the prompt"), ("p", "y update"), ("i", "Launch")])
async def test_keys_in_haste_hand_over_what_was_decided_before_them(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, dialog: str
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        with closing(sqlite3.connect(served.setup().paths.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await pilot.press("a", key)
            assert pilot.app.screen is screen(pilot), "the decision is still to be saved"
            other.execute("ROLLBACK")
        await sees(pilot, dialog, gone="Loading the")
        done, staged = await texts(pilot)
        assert staged not in (done.prompt, done.improved_prompt)
        if key == "y":
            await pilot.press("enter")
            await sees(pilot, "Saved to", gone=dialog)
            assert (tmp_path / "improved-prompt-1.md").read_bytes() == staged.encode()
        elif key == "i":
            assert pilot.app.screen.query_one(TextArea).text == staged
        else:
            await sees(pilot, "Leaves out 1 undecided change")


@pytest.mark.parametrize("over", [None, "question_mark"])
async def test_a_wait_for_a_decision_is_cancelled_and_closed_and_the_decision_is_saved(
    served: Served, monkeypatch: pytest.MonkeyPatch, over: str | None
) -> None:
    monkeypatch.setattr(keys_in_order, "PATIENCE", 0.05)
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        with closing(sqlite3.connect(served.setup().paths.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await pilot.press("a", "y")
            await sees(pilot, "Saving your decisions …")
            await pilot.press(over or "escape")
            await sees(pilot, gone="Saving your decisions …")
            other.execute("ROLLBACK")
        await chosen(pilot, YES)
        if over is not None:
            await sees(pilot, "Copy or save the prompt")
            assert len(pilot.app.screen_stack) == 5, "the help is behind it"
            await pilot.press("escape", "escape")
        await eventually(lambda: pilot.app.screen is screen(pilot), "nothing is in front of the suggestion")
        no_crash(pilot)


async def test_keys_for_a_dialog_that_does_not_come_do_nothing(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        here = screen(pilot)

        async def refused(*_: object) -> bool:
            await asyncio.sleep(0.1)
            return False

        monkeypatch.setattr(here, "_show_step", lambda step, *_: (step.close(), refused())[1])
        for key in ("a", "p", "y", "enter"):
            pilot.app.simulate_key(key)
        await eventually(lambda: here.deaf_until, "the decision could not be saved")
        await pilot.pause()
        await pilot.pause()
        assert pilot.app.screen is here


async def test_u_takes_back_step_by_step_and_says_what(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        await pilot.press("a", "A")
        await chosen(pilot, YES, YES)
        await pilot.press("u")
        await chosen(pilot, YES)
        await sees(pilot, "Undone: change 2 is undecided.")
        await pilot.press("A")
        await chosen(pilot, YES, YES)
        await pilot.press("u", "u")
        await chosen(pilot)
        await sees(pilot, "Undone: change 1 is undecided.")
        await pilot.press("u")
        await sees(pilot, "Nothing to undo.")
        await pilot.press("A")
        await chosen(pilot, YES, YES)
        await pilot.press("A")
        await sees(pilot, "All changes are accepted already")


async def test_u_says_what_it_took_back_also_of_what_was_not_chosen_on_this_page(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        await pilot.press("A")
        await chosen(pilot, YES, YES)
        diff = screen(pilot).staging.opened.diff
        await workspace(pilot).call(lambda session: session.staging.choose(1, diff, {2: NO}))
        await pilot.press("u")
        await sees(pilot, "Undone: change 2 is accepted.")


async def test_ctrl_z_undoes_what_was_typed_in_the_box(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        await pilot.press("e")
        await sees(pilot, "Edit change 1 of 2")
        before = pilot.app.screen.query_one(TextArea).text
        await add(pilot, " Be kind.")
        await sees(pilot, "Be kind.")
        await pilot.press("ctrl+z")
        await eventually(lambda: pilot.app.screen.query_one(TextArea).text == before, "the text before")


async def test_what_was_typed_is_not_lost_by_u_and_what_was_deleted_again_does_not_come_back(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        await pilot.press("e")
        await sees(pilot, "Edit change 1 of 2")
        await add(pilot, " Be kind.")
        await pilot.press("ctrl+g")
        await chosen_edited(pilot, screen(pilot).staging.opened.diff.hunks[0].new + " Be kind.")
        assert screen(pilot).hunk.number == 2, "the next one that is undecided"
        await pilot.press("u")
        await sees(pilot, "Undone: change 1 is undecided. e opens your text.")
        await pilot.press("e")
        await sees(pilot, "Edit change 1 of 2", "Be kind.")
        await add(pilot, "")
        await pilot.press(*["backspace"] * len(" Be kind."), "escape")
        await sees(pilot, "Suggestion of job 1", gone="Edit change 1")
        await pilot.press("e")
        await sees(pilot, "Edit change 1 of 2", gone="Be kind.")


@pytest.mark.long
async def test_what_was_chosen_is_there_after_a_restart_also_where_one_leaves_at_once(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        await pilot.press("a", "n", "x", "escape")
        await sees(pilot, "1 job")
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        await reopened(pilot)
        await sees(pilot, "all decided · ✓1 ✗1 ✎0")
        await chosen(pilot, YES, NO)


async def test_a_change_is_worded_otherwise_and_what_was_typed_and_not_taken_stays(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        await pilot.press("e")
        await sees(pilot, "Edit change 1 of 2 · Identity and privacy", "Before you open")
        await add(pilot, " Be kind.")
        await pilot.press("escape")
        await sees(pilot, "Your text is saved, but not applied", gone="Edit change 1")
        await chosen(pilot)
        await pilot.press("e")
        await sees(pilot, "Edit change 1 of 2", "Be kind.")
        await pilot.press("ctrl+g")
        first, second = screen(pilot).staging.opened.diff.hunks
        await sees(pilot, "1 of 2 undecided · ✓0 ✗0 ✎1 · staged +", gone="Edit change 1")
        await chosen(pilot, HunkChoice("edited", f"{first.new} Be kind."))
        done, staged = await texts(pilot)
        assert staged == done.prompt.replace(first.old, f"{first.new} Be kind.")
        await pilot.press("N", "e")
        await sees(pilot, "Edit change 1 of 2", "Be kind.")
        pilot.app.screen.query_one(TextArea).load_text(first.old)
        await pilot.press("ctrl+g")
        await chosen(pilot, NO)
        assert second.new not in (await texts(pilot))[1]


@pytest.mark.long
async def test_what_is_being_typed_is_there_again_when_the_program_ends_in_the_middle(served: Served) -> None:
    async def stored() -> dict[str, str]:
        return await workspace(pilot).call(lambda session: session.staging.typed(1))

    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        await pilot.press("e")
        await sees(pilot, "Edit change 1 of 2", "Before you open")
        await add(pilot, " Be kind.")
        await answered(stored, lambda found: any(text.endswith(" Be kind.") for text in found.values()), "it is kept")
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        await reopened(pilot)
        await pilot.press("e")
        await sees(pilot, "Edit change 1 of 2", "Be kind.")
        await pilot.press("ctrl+g")
        await sees(pilot, "1 of 2 undecided · ✓0 ✗0 ✎1 · staged +", gone="Edit change 1")
        await answered(stored, lambda found: found == {}, "what was taken is no longer being typed")


async def test_a_change_is_worded_otherwise_in_ones_own_editor(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import sys; open(sys.argv[1], 'w').write('Ask for the name.\\n')"
    monkeypatch.setenv("VISUAL", shlex.join([sys.executable, "-c", code]))
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        await pilot.press("e")
        await sees(pilot, "Edit change 1 of 2")
        with monkeypatch.context() as patch:
            # The driver of these tests cannot be suspended; what happens inside is real.
            patch.setattr(pilot.app, "suspend", nullcontext)
            await pilot.press("ctrl+e")
        await pilot.press("ctrl+g")
        await chosen_edited(pilot, "Ask for the name.")


async def test_enter_goes_to_the_turn_behind_a_change_and_esc_back_to_the_change(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        await pilot.press("n")
        reason = screen(pilot).reasons.reasons[screen(pilot).hunk.key][0]
        await pilot.press("enter")
        await sees(pilot, f"Run {FAILED}", "Transcript")
        transcript: Any = pilot.app.screen.query_one("#transcript")
        await eventually(lambda: transcript.cursor_key == reason.turn + 1, "the cursor is on the turn")
        await pilot.press("escape")
        await sees(pilot, "Suggestion of job 1")
        assert screen(pilot).hunk.number == 2


async def test_a_change_for_which_no_turn_is_known_says_so(scripted: ScriptedServer) -> None:
    serve_hostile(scripted)
    scripted.on("POST", ISSUES, Reply({"detail": "The model is away."}, 500))
    scripted.on("GET", "/test_framework/v1/runs/102/", Reply({"id": 102, "agent": 7}))
    async with opened(setup_of(scripted.url, "key")) as pilot:
        await launched(pilot, 102)
        await pilot.press("2", "enter")
        await sees(pilot, "Suggestion of job 1", "Can't load the issues:", "The model is away.")
        await pilot.press("enter")
        await sees(pilot, "No turn of a run found for change 1.", "Suggestion of job 1")
        pilot.app.clear_notifications()
        scripted.on("POST", ISSUES, Reply({"issues": [{"title": "Rude [/red] words", "run_id": 102}]}))
        await pilot.press("r")
        await sees(pilot, "Summary · 1 issue", "Rude [/red] words", "run 102", gone="Can't load")
        no_crash(pilot)


async def test_a_proposal_too_long_to_compare_opens_at_its_start_and_is_neither_edited_nor_improved_here(
    scripted: ScriptedServer,
) -> None:
    serve_hostile(scripted)
    long = "Ask the caller once more.\n" * 60_000
    done = {"status": "completed", "output": {"improved_prompt": long, "summary_of_changes": "Longer."}}
    scripted.on("GET", PROGRESS, Reply(done))
    async with opened(setup_of(scripted.url, "key")) as pilot:
        await launched(pilot, 102)
        await pilot.press("2", "enter")
        await sees(pilot, "Changes · 1 of 1", "not compared", f"Shows the first 52,000 of {len(long):,} characters")
        for key, said in (("e", "Too long to edit here"), ("i", "Can't improve again"), ("a", "all decided")):
            await pilot.press(key)
            await sees(pilot, said)
        assert screen(pilot).staging.opened.staged == long


async def test_i_launches_the_staged_text_for_the_same_runs_and_says_where_it_is_from(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        await pilot.press("a")
        await chosen(pilot, YES)
        _, staged = await texts(pilot)
        await pilot.press("i")
        await sees(pilot, "Improve the prompt", "Staged from job 1", f"Runs  {FAILED}", "words,", gone="Loading the")
        await pilot.press("ctrl+g")
        await sees(pilot, "Job 2 launched")
        assert served.asked(LAUNCH, "POST")[-1]["prompt_sha256"] == hashlib.sha256(staged.encode()).hexdigest()
        job = await workspace(pilot).call(lambda session: session.jobs.get(2))
        assert (job.run_ids, job.prompt_source) == ((FAILED,), "staged from job 1")


async def test_a_kept_draft_does_not_take_the_place_of_the_staged_text(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await on_run(pilot, FAILED)
        await suggestion(pilot)
        await pilot.press("i")
        await sees(pilot, "Improve the prompt", "Staged from job 1", gone="Loading the")
        pilot.app.screen.query_one(TextArea).focus()
        await pilot.press("enter", *"Mine.", "escape")
        await sees(pilot, "Draft saved.", gone="Improve the prompt")
        await pilot.press("i")
        await sees(pilot, "Improve the prompt", "Staged from job 1", gone="Loading the")
        sources: Any = pilot.app.screen.query_one("#sources")
        assert "draft" in [row.key for row in sources.rows]
        assert not pilot.app.screen.query_one(TextArea).text.startswith("Mine.")


async def test_a_job_that_another_window_forgot_meanwhile_is_told(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        await workspace(pilot).call(lambda session: session.jobs.forget(1))
        await pilot.press("r")
        await sees(pilot, "Can't reload the suggestion. No job 1 found.", "Suggestion of job 1 · 2 of 2 undecided")
        await pilot.press("a")
        await sees(pilot, "Can't save your decision.", "forgotten, so nothing")
        no_crash(pilot)


async def test_a_moved_rule_is_edited_alone_and_the_numbers_of_the_others_follow(scripted: ScriptedServer) -> None:
    rules = ["Always greet the caller by name.", "Never promise a slot.", "Be brief with everybody."]
    sent = "".join(f"{n}. {rule}\n" for n, rule in enumerate(rules, 1)) + "\nSay goodbye.\n"
    proposed = f"1. {rules[1]}\n2. {rules[2]}\n\nSay goodbye.\n\n- {rules[0]}\n"
    serve_hostile(scripted, end={"status": "completed", "output": {"improved_prompt": proposed}})
    agent = {"id": 7, "agent_name": "A", "project": 1, "description": sent}
    scripted.on("GET", "/test_framework/v1/aiagents/7/", Reply(agent))
    async with opened(setup_of(scripted.url, "key")) as pilot:
        await launched(pilot, 102)
        await pilot.press("2", "enter")
        await sees(pilot, "Suggestion of job 1", "moved from")
        while screen(pilot).hunk.kind != "moved":
            await pilot.press("n")
        await pilot.press("e")
        await sees(pilot, "Original: 1. Always greet")
        assert pilot.app.screen.query_one(TextArea).text == f"- {rules[0]}"
        await add(pilot, " Twice.")
        await pilot.press("ctrl+g")
        await sees(pilot, "✎1", gone="Edit change")
        staged = (await texts(pilot))[1]
        assert staged.endswith(f"\n\nSay goodbye.\n\n- {rules[0]} Twice.\n")
        assert [staged.count(rule) for rule in rules] == [1, 1, 1]


async def test_b_splits_a_change_and_what_is_around_an_answer_stays_out_of_all(scripted: ScriptedServer) -> None:
    sent = "# Rules\n\nSay “hello”.\n\n- Be “kind”.\n"
    proposed = f"```\n{sent}- Be brief.\n- Say goodbye.\n```\n".replace("“", '"').replace("”", '"')
    serve_hostile(scripted, end={"status": "completed", "output": {"improved_prompt": proposed}})
    agent = {"id": 7, "agent_name": "A", "project": 1, "description": sent}
    scripted.on("GET", "/test_framework/v1/aiagents/7/", Reply(agent))
    async with opened(setup_of(scripted.url, "key")) as pilot:
        await launched(pilot, 102)
        await pilot.press("2", "enter")
        await sees(
            pilot,
            "2 of 3 undecided · 1 left out · nothing staged",
            "· 2 of 3",
            "⋯ 3 of 3 · quotation marks",
            "2 places",
        )
        assert screen(pilot).hunk.number == 2
        await pilot.press("b")
        await sees(pilot, "Split into 2 changes", "3 of 4 undecided · 1 left out", "· 3 of 4")
        await pilot.press("n", "a")
        await sees(pilot, "✓1 ✗0", "✓ 3 of 4")
        assert (await texts(pilot))[1] == f"{sent}- Say goodbye.\n"
        await pilot.press("n", "enter")
        await sees(pilot, "3 of 5 undecided · ✓1 ✗0 ✎0 · 1 left out", 'Say "hello".')
        assert screen(pilot).hunk.number == 2
        await pilot.press("e")
        await sees(pilot, "Only formatting changes here: accept or reject.")
        await pilot.press("escape")
    async with opened(setup_of(scripted.url, "key")) as pilot:
        await pilot.press("2", "enter")
        await sees(pilot, "2 of 4 undecided · ✓1 ✗0 ✎0 · 1 left out", "✓ 3 of 4", "⋯ 4 of 4")
        await pilot.press("n", "b")
        await sees(pilot, "Can't join the parts: change 3 is decided by itself.")
        await pilot.press("A")
        await sees(pilot, "3 changes accepted")
        assert f"```\n{(await texts(pilot))[1]}```\n" == proposed
        no_crash(pilot)


@pytest.mark.long
async def test_a_choice_that_cannot_be_kept_is_not_shown_as_done(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        await workspace(pilot).call(query_only("ON"))
        await pilot.press("a")
        await sees(pilot, "Can't save your decision.", "Can't write")
        assert screen(pilot).staging.opened.choices == {}
        assert "accepted" not in screen_text(pilot.app)
        await pilot.press("e")
        await sees(pilot, "Edit change 1")
        await add(pilot, " Be kind.")
        await pilot.press("ctrl+g")
        await sees(pilot, "Suggestion of job 1", gone="Edit change")
        await pilot.press("e")
        await sees(pilot, "Edit change 1", "Be kind.")
        await workspace(pilot).call(query_only("OFF"))
        await pilot.press("ctrl+g")
        await sees(pilot, "1 of 2 undecided · ✓0 ✗0 ✎1 · staged +")


def query_only(state: str) -> Any:
    async def ask(session: Any) -> None:
        session.store.database.read(f"PRAGMA query_only = {state}")

    return ask


async def test_a_read_only_session_chooses_but_launches_and_writes_nothing(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await launched(pilot, FAILED)
    async with opened(served.setup(read_only=True)) as pilot:
        await sees(pilot, "240 runs")
        await reopened(pilot)
        await pilot.press("i")
        await sees(pilot, "Read-only session: nothing is launched.", gone="Improve the prompt")
        await pilot.press("p")
        await sees(pilot, "Read-only session: nothing is written")
        await pilot.press("escape")
        await pilot.press("a")
        await chosen(pilot, YES)


async def test_in_a_small_terminal_the_keys_that_decide_come_first(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await suggestion(pilot)
        await sees(pilot, "enter Turn  a Accept  x Reject  p Update prompt  e Edit  esc Back  ? Keys")


async def test_the_prompt_history_is_reached_from_the_update_dialog(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        await suggestion(pilot)
        await pilot.press("a")
        await chosen(pilot, YES)
        await pilot.press("p")
        await sees(pilot, "y update", "h history")
        await pilot.press("h")
        await sees(pilot, "Prompts of", "» current")
        await pilot.press("escape")
        await sees(pilot, "Suggestion of job 1", gone="Update the prompt of")


async def test_in_a_small_terminal_there_is_room_for_the_diff_and_s_shows_the_staged_text(served: Served) -> None:
    async with opened(served.setup(), size=SMALL) as pilot:
        await suggestion(pilot)
        diff, staged = pilot.app.screen.query_one("#diff"), pilot.app.screen.query_one("#staged")
        assert diff.region.height >= 12
        assert not staged.display
        await pilot.press("n", "s")
        await sees(pilot, "Staged", "at change 2", "The front desk is staffed")
        assert staged.has_focus
        await pilot.press("x", "N", "a")
        await chosen(pilot, YES, NO)
        await sees(pilot, "at change 1", "~ A patient's record is private.")
        await pilot.press("s")
        await eventually(lambda: diff.has_focus and not staged.display, "the diff is back")
        await pilot.resize_terminal(*WIDE)
        await eventually(lambda: diff.display and staged.display, "both are shown where there is room")
        await pilot.resize_terminal(*SMALL)
        await eventually(lambda: diff.display and not staged.display, "one is shown where there is no room for both")
        await pilot.press("s")
        await eventually(lambda: staged.has_focus, "the staged text alone is shown")
        await pilot.resize_terminal(*WIDE)
        await pilot.press("tab")
        diff.focus()
        await pilot.resize_terminal(*SMALL)
        await eventually(lambda: staged.has_focus, "what has no room gives the focus to what is shown")


async def test_the_summary_is_read_whole_by_keys(scripted: ScriptedServer) -> None:
    serve_hostile(scripted, end=ended("\n".join(f"Change number {n}." for n in range(40))))
    async with opened(setup_of(scripted.url, "key"), size=SMALL) as pilot:
        await launched(pilot, 102)
        await pilot.press("2", "enter")
        await sees(pilot, "Change number 0.", "Suggestion of job 1")
        await pilot.press("shift+tab")
        await eventually(lambda: pilot.app.screen.query_one("#summary").has_focus, "the summary has the focus")
        await pilot.press("end")
        await sees(pilot, "reports no issues")


def ended(summary: str) -> dict[str, object]:
    return {"status": "completed", "output": {"improved_prompt": IMPROVED, "summary_of_changes": summary}}
