"""From verdicts to the turns that they speak of and back, and along the timeline."""

from __future__ import annotations

from app_on_a_server import WIDE
from office import toasts
from run_pages import METRICS, TURNS, Reader, call, reading
from scripted_server import Hold, Reply, ScriptedServer
from waiting import eventually
from watching import still

from cekura_tui.ui.run.timeline import TimelineStrip


async def test_enter_on_a_verdict_shows_the_first_turn_it_cites_and_e_walks_round(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5)) as reader:
        await reader.evidence()
        await reader.press("tab")
        await reader.sees("Right time  failed", "cites 00:14, 00:19")
        await reader.press("enter")
        await reader.at(3)
        await reader.in_pane("transcript")
        await reader.sees(
            "▸ Transcript · 1 of 2 · cited at 00:14 │ Verdicts ✗2 ✓1 │ Details", "booked a table for four at"
        )
        for key, turn in zip("eeeEEE", (4, 3, 4, 3, 4, 3), strict=True):
            await reader.press(key)
            await reader.at(turn)
        await reader.press("j", "j", "j")
        await reader.sees("6 turns", gone="1 of 2")
        await reader.press("e")
        await reader.at(4)


async def test_in_a_long_call_the_turn_is_on_screen_however_it_was_gone_to(scripted: ScriptedServer) -> None:
    turns = [("Main Agent", n, n, f"Sentence {n}.") for n in range(290)]
    turns[200] = ("Testing Agent", 200, 203, "I said seven. Is the terrace open?")
    metrics = [{**METRICS[0], "explanation": ['The caller complains: "I said seven."']}]
    async with reading(scripted, call(5, turns, evaluation={"metrics": metrics})) as reader:
        await reader.evidence()
        await reader.press("tab", "enter")
        await reader.at(201)
        await still(reader.pilot)
        assert 201 in reader.turns_on_screen
        await reader.sees("I said seven.")


async def test_enter_on_a_marked_turn_goes_to_its_verdict_and_on_another_says_so(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5, evaluation={"metrics": METRICS[::-1]})) as reader:
        await reader.evidence()
        await reader.press("tab", "G", "shift+tab", "j", "j", "j", "enter")
        await reader.in_pane("verdicts")
        assert reader.verdict == "Right time"
        await reader.press("e")
        await reader.at(3)
        await reader.press("j", "j", "enter")
        await reader.pilot.pause()
        assert toasts(reader.pilot) == ["No verdict cites this turn. x shows its raw JSON."]
        assert reader.pane == "transcript"


async def test_where_a_verdict_names_no_turn_nothing_is_claimed(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5), size=WIDE) as reader:
        await reader.evidence()
        await reader.press("tab", "j")
        await reader.sees("Tone  failed", "It was cold.")
        await reader.press("enter")
        await reader.pilot.pause()
        assert toasts(reader.pilot) == ["This verdict cites no turn."]
        assert (reader.pane, reader.turn) == ("verdicts", 1)


async def test_e_in_a_run_without_evidence_says_so(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5, evaluation={"metrics": METRICS[1:]})) as reader:
        await reader.evidence()
        await reader.press("e")
        await reader.pilot.pause()
        assert toasts(reader.pilot) == ["No verdict cites a turn."]


async def test_keys_in_one_burst_go_from_a_verdict_through_its_evidence(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5)) as reader:
        await reader.evidence()
        reader.burst("tab", "j", "k", "enter", "e", "j", "k", "k", "enter")
        await reader.in_pane("verdicts")
        assert reader.turn == 3
        assert reader.verdict == "Right time"


async def test_arrows_go_along_the_timeline_with_the_cursor_of_the_transcript(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5)) as reader:
        await reader.sees("6 turns")
        for key, turn in (("right", 2), ("right", 3), ("j", 4), ("right", 5), ("left", 4), ("g", 1), ("left", 1)):
            await reader.press(key)
            await reader.at(turn)
        reader.burst("right", "right", "right", "right")
        await reader.at(5)


async def test_a_click_on_the_timeline_goes_to_the_turn_there(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5)) as reader:
        await reader.sees("6 turns")
        column = next(x for x in range(reader.strip.size.width) if reader.strip.turn_at(x) == 4)
        await reader.pilot.click(TimelineStrip, offset=(column + 1, 0))
        await reader.at(4)
        assert 4 in reader.turns_on_screen


async def test_l_goes_from_the_slowest_answer_to_the_next_and_round(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5)) as reader:
        await reader.sees("slowest 6.0 s")
        await reader.press("tab", "l")
        await reader.at(3)
        await reader.in_pane("transcript")
        assert toasts(reader.pilot)[-1] == "Answer 1 of 2, slowest first: 6.0 s"
        await reader.press("l")
        await reader.at(5)
        await reader.press("l")
        await reader.at(3)


async def test_t_shows_some_roles_and_evidence_brings_the_others_back(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5)) as reader:
        await reader.evidence()
        await reader.press("t")
        await reader.sees("3 of 6 turns, caller only", "I said seven", gone="how can I help")
        await reader.press("e")
        await reader.at(3)
        await reader.sees("how can I help", gone="caller only")


async def test_a_turn_in_the_details_leads_to_the_transcript(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5)) as reader:
        await reader.sees("6 turns")
        await reader.press("d", "slash", *"terrace", "enter", "enter")
        await reader.in_pane("transcript")
        await reader.at(4)


async def passed_beside(reader: Reader) -> None:
    await reader.press("equals_sign")
    await reader.sees("Differs from")


async def test_beside_a_passed_run_one_chooses_a_turn_and_comes_back_to_it(scripted: ScriptedServer) -> None:
    other = [*TURNS[:4], ("Main Agent", 23, 26, "Yes, it is open.")]
    passed = call(4, other, evaluation_status="success")
    async with reading(scripted, call(5), passed) as reader:
        await reader.sees("6 turns")
        await passed_beside(reader)
        await reader.press("n", "enter")
        await reader.at(5)
        await reader.in_pane("transcript")
        await reader.press("g", "tab")
        await passed_beside(reader)
        await reader.press("escape")
        await reader.in_pane("verdicts")
        assert reader.turn == 1


async def test_the_cursor_stays_on_its_verdict_when_the_run_is_reloaded(scripted: ScriptedServer) -> None:
    many = [{"id": n, "name": f"Check {n}", "type": "binary_workflow_adherence", "score": 0} for n in range(300)]
    async with reading(scripted, call(5, evaluation={"metrics": many})) as reader:
        await reader.evidence()
        await reader.press("tab", *("j" * 12), "pagedown", "pagedown")
        name = reader.verdict
        assert name not in ("", "Check 0")
        more = [{**many[0], "id": 900, "name": "Another"}, *many]
        hold = Hold(Reply(call(5, evaluation={"metrics": more})))
        scripted.on("GET", "/test_framework/v1/runs/5/", hold)
        await reader.press("r")
        hold.released.set()
        await reader.sees("Verdicts ✗301", name)
        assert reader.verdict == name
        await eventually(lambda: reader.page.loader.evidence is not None, "the evidence of what is new")
        assert reader.verdict == name
