"""`runs show --timeline`: who speaks when, silences, overlaps, tool calls and evidence, in the order of the call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from cekura_tui.cli.output import put, put_json
from cekura_tui.model.text import clean_line, count

if TYPE_CHECKING:
    from cekura_tui.model.json_shapes import CitedTurnJson, TimelineJson
    from cekura_tui.model.run.view import RunView
    from cekura_tui.model.transcript.transcript import Turn
    from cekura_tui.workspace.opened_runs import Found


class Moment(NamedTuple):
    """A line of the timeline: from when to when in the call, in seconds, of which turn, and what happens."""

    start: float
    end: float | None
    turn: int
    text: str


def put_timeline(view: RunView, found: Found, *, as_json: bool) -> None:
    """Print the timeline of a run; `found` is the evidence of its verdicts."""
    if as_json:
        put_json(_as_json(view, found))
        return
    from cekura_tui.model.transcript.timeline import clock, figure_words, needs_hours

    timeline = view.timeline
    hours = needs_hours(timeline.length)
    put(f"Run {view.row.id}: {clock(timeline.length, hours=hours)}, {count(len(view.transcript.turns), 'turn')}")
    cited = {evidence.n for _, some in found for evidence in some}
    for figure in figure_words(timeline, cited)[0]:
        put(figure)
    put()
    # What is at the same time stays in this order.
    for moment in sorted([*_speech(view), *_gaps_and_overlaps(view), *_cited(view, found)], key=lambda one: one.start):
        start, end = (clock(time, hours=hours) for time in (moment.start, moment.end))
        put(f"{start if end in ('', start) else f'{start} to {end}'}  {moment.text}")
    turns = view.transcript.turns
    for n in timeline.untimed:
        put(f"no time  {_who(turns[n - 1])}, turn {n}")
    for line in _cited_lines(found):
        if line[0] in timeline.untimed:
            put(f"no time  {line[1]}")


def _speech(view: RunView) -> Iterator[Moment]:
    turns, tools = view.transcript.turns, view.call.tools
    answers = {answer.turn: answer.seconds for answer in view.timeline.answers}
    for span in (span for lane in view.timeline.lanes for span in lane.spans):
        turn = turns[span.n - 1]
        text = f"{_who(turn)}, turn {span.n}"
        if turn.speaker == "tool_call":
            end = tools.end_of(turn)
            after = f" after {end.after:,.1f} s" if end.after is not None else ""
            text += f", {end.ending}{after}"
        if (seconds := answers.get(span.n)) is not None:
            text += f", answers after {seconds:,.1f} s"
        yield Moment(span.start, span.end, span.n, text)


def _gaps_and_overlaps(view: RunView) -> Iterator[Moment]:
    for gap in view.timeline.gaps:
        yield Moment(gap.start, gap.end, gap.turn, f"silence, {gap.seconds:,.1f} s, before turn {gap.turn}")
    for both in view.timeline.overlaps:
        text = f"overlap, {both.seconds:,.1f} s, turn {both.turn} over turn {both.into}"
        yield Moment(both.start, both.end, both.turn, text)


def _cited(view: RunView, found: Found) -> Iterator[Moment]:
    starts = {span.n: span.start for lane in view.timeline.lanes for span in lane.spans}
    for n, text in _cited_lines(found):
        if n in starts:
            yield Moment(starts[n], None, n, text)


def _cited_lines(found: Found) -> Iterator[tuple[int, str]]:
    from cekura_tui.evidence.evidence import reason_words
    from cekura_tui.model.run.words import state_word

    for verdict, evidence in found:
        for one in evidence:
            name, why = clean_line(verdict.name, 80), clean_line(reason_words(one.why, one.sure))
            yield one.n, f"evidence, turn {one.n}, of {name}, {state_word(verdict.state)}: {why}"


def _who(turn: Turn) -> str:
    """Who spoke; of a tool also its name."""
    from cekura_tui.model.run.words import speaker_name
    from cekura_tui.model.transcript.tool_call import tool_name

    return f"{speaker_name(turn)} {clean_line(tool_name(turn), 80)}".rstrip()


def _as_json(view: RunView, found: Found) -> TimelineJson:
    timeline, turns, tools = view.timeline, view.transcript.turns, view.call.tools
    spans = sorted((span for lane in timeline.lanes for span in lane.spans), key=lambda span: (span.start, span.n))
    calls = [(turn, tools.end_of(turn)) for turn in turns if turn.speaker == "tool_call"]
    cited: list[CitedTurnJson] = [
        {
            "turn": one.n,
            "start": turns[one.n - 1].start,
            "verdict": verdict.name,
            "state": verdict.state,
            "sure": one.sure,
            "why": one.why,
        }
        for verdict, evidence in found
        for one in evidence
    ]
    return {
        "run": view.row.id,
        "length": timeline.length,
        "note": timeline.note,
        "median_answer": timeline.median,
        "turns": [{"n": one.n, "speaker": one.speaker, "start": one.start, "end": one.end} for one in spans],
        "gaps": [{"start": gap.start, "end": gap.end, "turn": gap.turn} for gap in timeline.gaps],
        "overlaps": [
            {"start": both.start, "end": both.end, "turn": both.turn, "into": both.into} for both in timeline.overlaps
        ],
        "answers": [{"turn": one.turn, "to": one.to, "at": one.at, "seconds": one.seconds} for one in timeline.answers],
        "tools": [
            {
                "turn": turn.n,
                "name": str((turn.tool or {}).get("name") or ""),
                "ending": end.ending,
                "result": end.result,
                "seconds": end.after,
            }
            for turn, end in calls
        ],
        "evidence": cited,
    }
