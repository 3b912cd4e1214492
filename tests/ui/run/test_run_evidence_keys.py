"""Keys that go from verdicts to cited turns and back, and along the timeline."""

from __future__ import annotations

import pytest
from job_server import toasts
from run_pages import METRICS, TURNS, Reader, call, reading
from scripted_server import ScriptedServer
from watching import still

from cekura_tui.evidence.evidence import Evidence, EvidenceFinder, Findings
from cekura_tui.ui.actions import ACTIONS
from cekura_tui.ui.kit.lists import SimpleList
from cekura_tui.ui.run.timeline import TimelineStrip


async def test_enter_and_e_go_from_a_verdict_to_each_cited_turn(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5)) as reader:
        await reader.evidence()
        await reader.press("tab")
        await reader.sees("Right time  failed", "cites 00:14, 00:19")
        await reader.press("enter")
        await reader.at(3)
        await reader.in_pane("transcript")
        title = "▸ Transcript · 1 of 2 · cited at 00:14 │ Verdicts ✗2 ✓1 │ Details"
        await reader.sees(title, "booked a table for four at")
        for key, turn in zip("eeeEEE", (4, 3, 4, 3, 4, 3), strict=True):
            await reader.press(key)
            await reader.at(turn)
        await reader.press("j", "j", "j")
        await reader.sees("6 turns", gone="1 of 2")
        await reader.press("t")
        await reader.sees("3 of 6 turns, caller only", "I said seven", gone="how can I help")
        await reader.press("e", "e")
        await reader.at(3)
        await reader.sees("how can I help", gone="caller only")


def copies(reader: Reader) -> list[str]:
    return [one.words for one in reader.pilot.app.screen.query_one(SimpleList).rows]


async def test_surest_turn_is_first_for_e_and_y_and_for_tab_to_the_transcript(scripted: ScriptedServer) -> None:
    words = ['The caller complains: "I said seven." The agent booked a table for eight.']
    async with reading(scripted, call(5, evaluation={"metrics": [{**METRICS[0], "explanation": words}]})) as reader:
        await reader.evidence()
        await reader.press("tab")
        await reader.sees("cites 00:19 · perhaps 00:14")
        await reader.press("y")
        offered = ["verdict “Right time”", "turn at 00:19", "turn at 00:14 (less sure)", "run ID"]
        assert copies(reader)[:4] == offered
        await reader.press("escape", "shift+tab")
        await reader.at(4)
        await reader.press("e")
        await reader.at(3)
        await reader.press("y")
        assert copies(reader)[0] == "turn at 00:14"
        await reader.press("escape", "g", "j", "tab", "shift+tab")
        await reader.at(2)


async def test_closest_turns_and_missing_quotes_and_the_evidence_of_a_review_are_shown(
    scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = EvidenceFinder.find

    def found(finder: EvidenceFinder, explanation: tuple[str, ...]) -> Findings:
        closest = (Evidence(2, "closest", "shares words: table, seven"), Evidence(4, "closest", "shares words: seven"))
        return find(finder, explanation) if "booked" in explanation[0] else Findings(closest, ("No table at seven.",))

    monkeypatch.setattr(EvidenceFinder, "find", found)
    review = {"is_reviewed": True, "evaluation_status": "reviewed_failure", "feedback": 'It "booked a table for four".'}
    async with reading(scripted, call(5, evaluation={"metrics": METRICS[1:2]}, **review)) as reader:
        await reader.evidence()
        assert set(reader.strip.marks) == {3}
        await reader.press("tab")
        await reader.sees(
            "cites 00:14", "closest turns 00:04, 00:19", "quote not found in this call: “No table at seven.”"
        )
        await reader.press("enter")
        await reader.at(3)
        await reader.press("tab", "j", "enter")
        await reader.at(2)
        await reader.sees("Transcript · 1 of 2", "~ 00:04 caller", "✗ Tone · closest turn, shares words: table, seven")
        await reader.press("e", "y")
        assert copies(reader)[0] == "turn at 00:19"
        await reader.press("escape", "tab", "y")
        assert copies(reader)[1:3] == ["closest turn at 00:04", "closest turn at 00:19"]


async def test_the_cited_turn_of_a_long_call_is_scrolled_to(scripted: ScriptedServer) -> None:
    turns = [("Main Agent", n, n, f"Sentence {n}.") for n in range(290)]
    turns[200] = ("Testing Agent", 200, 203, "I said seven. Is the terrace open?")
    metrics = [{**METRICS[0], "explanation": ['The caller complains: "I said seven."']}]
    async with reading(scripted, call(5, turns, evaluation={"metrics": metrics})) as reader:
        await reader.evidence()
        await reader.press("tab", "enter")
        await reader.at(201)
        await still(reader.pilot)
        assert 201 in reader.turns_on_screen
        await reader.press("e")
        await reader.at(201)
        assert toasts(reader.pilot) == ["The verdict cites only this turn. tab switches to the verdicts."]


async def test_enter_and_e_show_a_message_if_there_is_no_evidence(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5, evaluation={"metrics": METRICS[1:]}, is_reviewed=True)) as reader:
        await reader.evidence()
        assert ACTIONS["run.evidence"].why_not(reader.page) == "No verdict cites a turn: a review decided the outcome."
        await reader.press("tab", "j")
        await reader.sees("Review  failed", "Tone  failed", "It was cold.")
        await reader.press("y")
        assert copies(reader)[:2] == ["verdict “Tone”", "turn at 00:00"]
        await reader.press("escape", "enter")
        await reader.pilot.pause()
        assert toasts(reader.pilot) == ["This verdict cites no turn."]
        reader.page.loader.evidence = None  # as while it is being searched
        for shown, keys in enumerate((("e",), ("enter",), ("shift+tab", "enter")), 1):
            await reader.press(*keys)
            assert toasts(reader.pilot)[1:] == shown * ["Still looking for the turns that the verdicts cite."]
        assert (reader.pane, reader.turn) == ("transcript", 1)


async def test_enter_on_a_turn_goes_to_its_verdict_or_says_that_no_verdict_cites_the_turn(
    scripted: ScriptedServer,
) -> None:
    async with reading(scripted, call(5, evaluation={"metrics": METRICS[::-1]})) as reader:
        await reader.evidence()
        reader.burst("tab", "G", "k", "j", "shift+tab", "j", "j", "j", "enter")
        await reader.in_pane("verdicts")
        assert reader.verdict == "Right time"
        reader.burst("e", "j", "k")
        await reader.at(3)
        await reader.press("j", "j", "enter")
        await reader.pilot.pause()
        assert toasts(reader.pilot) == ["No verdict cites this turn. X shows its raw JSON."]
        assert reader.pane == "transcript"


async def test_arrows_and_clicks_move_along_the_timeline_and_l_jumps_to_slow_answers(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5)) as reader:
        await reader.sees("6 turns", "slowest 6.0 s")
        for key, turn in (("right", 2), ("right", 3), ("j", 4), ("right", 5), ("left", 4), ("g", 1), ("left", 1)):
            await reader.press(key)
            await reader.at(turn)
        reader.burst("right", "right", "right", "right")
        await reader.at(5)
        column = next(x for x in range(reader.strip.size.width) if reader.strip.turn_at(x) == 4)
        await reader.pilot.click(TimelineStrip, offset=(column + 1, 0))
        await reader.at(4)
        assert 4 in reader.turns_on_screen
        await reader.press("tab")
        for turn in (3, 5, 3):
            await reader.press("l")
            await reader.at(turn)
            await reader.in_pane("transcript")
        assert toasts(reader.pilot)[0] == "Answer 1 of 2, slowest first: 6.0 s"


async def test_enter_in_the_details_and_in_a_comparison_goes_to_the_turn(scripted: ScriptedServer) -> None:
    other = [*TURNS[:4], ("Main Agent", 23, 26, "Yes, it is open.")]
    async with reading(scripted, call(5), call(4, other, evaluation_status="success")) as reader:
        await reader.sees("6 turns")
        await reader.press("d", "slash", *"terrace", "enter", "enter")
        await reader.in_pane("transcript")
        await reader.at(4)
        await reader.press("equals_sign")
        await reader.sees("Differs from")
        await reader.press("n", "enter")
        await reader.at(5)
        await reader.in_pane("transcript")
        await reader.press("g", "tab", "equals_sign")
        await reader.sees("Differs from")
        await reader.press("escape")
        await reader.in_pane("verdicts")
        assert reader.turn == 1
