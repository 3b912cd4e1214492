"""Runs that are told in ways that no script makes: each by its id, so that a reader can be tried on all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from cekura_tui.demo.dialogue import DialogueTurn, clock_text
from cekura_tui.demo.odd_verdicts import by_number, by_tool, misquoted, missed, more_categories, reached, vague

Json = dict[str, Any]
Retell = Callable[[Json, Sequence[DialogueTurn]], None]

WITHOUT_TIMES = 900_143
CLOCK_ALONE = 900_146
ODD_STAMPS = 900_170
SEALED_ALONE = 900_175
STRANGE_ROLES = 900_150
TOOL_TROUBLE = 900_145
LONG_SILENCE = 900_182
BELOW_THRESHOLD = 900_174
ABOVE_THRESHOLD = 900_172
MORE_CATEGORIES = 900_180
MISQUOTED = 900_188
BY_TURN_NUMBER = 900_184
BY_TOOL_NAME = 900_177
VAGUE = 900_171

_SILENCE = 6.5
_TIMES = ("start_time", "end_time", "time", "timestamp")
_STAMPS = (
    lambda at: f"[{int(at) // 60}:{int(at) % 60:02}] ",
    lambda at: f"[00:{int(at) // 60:02}:{int(at) % 60:02}] ",
    lambda at: f"({clock_text(at)}) ",
    lambda at: f"{clock_text(at)} ",
    lambda at: f"[{int(at) // 60:02}:{at % 60:05.2f}] ",
)


def retimed(run_id: int, turns: list[DialogueTurn]) -> list[DialogueTurn]:
    """The same turns; in one run the caller thinks for long, and once speaks before the agent has ended."""
    if run_id != LONG_SILENCE:
        return turns
    whole = turns[-1].end
    factor = (whole - _SILENCE) / whole
    callers = [index for index, turn in enumerate(turns) if turn.who == "C" and turns[index - 1].who == "A"]
    thinks, cuts_in = callers[1], callers[-1]
    made = []
    for index, turn in enumerate(turns):
        late = _SILENCE if index >= thinks else 0.0
        made.append(replace(turn, start=round(turn.start * factor + late, 2), end=round(turn.end * factor + late, 2)))
    made[cuts_in] = replace(made[cuts_in], start=round(max(made[cuts_in - 1].start, made[cuts_in - 1].end - 1.3), 2))
    return made


def told_oddly(run: Json, turns: Sequence[DialogueTurn]) -> Json:
    """The whole run as it was, but for the few that are told oddly."""
    retell = ODD.get(run["id"])
    if retell is not None:
        retell(run, turns)
    return run


def with_odd_turns(run: Json) -> Json:
    """The run with entries among its turns that the API does not declare: a text, a number, nothing, a list."""
    turns = run["transcript_object"]
    if isinstance(turns, list) and turns:
        run["transcript_object"] = [turns[0], "(music)", 7, None, ["a", "b"], {"speaker": 2, "says": "hm"}, *turns[1:]]
    return run


def _without_times(run: Json, _turns: Sequence[DialogueTurn]) -> None:
    run["transcript_object"] = [
        {name: value for name, value in entry.items() if name not in _TIMES} for entry in run["transcript_object"]
    ]
    run["transcript"] = "\n".join(line.partition("] ")[2] for line in run["transcript"].split("\n\n"))


def _clock_alone(run: Json, _turns: Sequence[DialogueTurn]) -> None:
    for entry in run["transcript_object"]:
        for name in ("start_time", "end_time", "timestamp"):
            entry.pop(name, None)


def _odd_stamps(run: Json, turns: Sequence[DialogueTurn]) -> None:
    """Every kind of stamp, no blank lines, and texts over several lines."""
    lines = run["transcript"].split("\n\n")
    told = [
        _STAMPS[index % len(_STAMPS)](turn.start) + line.partition("] ")[2]
        for index, (line, turn) in enumerate(zip(lines, turns, strict=True))
    ]
    run["transcript"] = "\n".join(told).replace(". ", ".\n")


def _sealed_alone(run: Json, _turns: Sequence[DialogueTurn]) -> None:
    run["transcript"] = None


def _strange_roles(run: Json, _turns: Sequence[DialogueTurn]) -> None:
    """A supervisor, a note of the platform and pressed keys, of which the text tells nothing."""
    entries: list[Json] = run["transcript_object"]
    at = entries[3]["end_time"]
    entries[4:4] = [
        {"role": "Supervisor", "content": "(whispers) Offer the voucher.", "start_time": at, "end_time": at + 1.5},
        {"role": "DTMF", "data": {"digits": "4711#", "from": "Testing Agent"}, "start_time": at, "end_time": at + 0.4},
        {"role": "system", "content": None, "event": "recording resumed", "time": clock_text(at)},
        {"role": "", "content": "(inaudible)"},
    ]


def _tool_trouble(run: Json, turns: Sequence[DialogueTurn]) -> None:
    """After the call, notes are saved: the first try fails, the second has no answer."""
    at = round(turns[-1].end, 2)
    call = {"name": "save_call_notes", "arguments": '{"summary": "asked and answered", "follow_up": false}'}
    failed = {"name": "save_call_notes", "result": {"error": "upstream timed out", "code": 504}}
    run["transcript_object"] += [
        {"role": "Function Call", "data": {"id": "call_notes_1", **call}, **_timed(at, 0.05)},
        {"role": "Function Call Result", "content": "", "data": {"id": "call_notes_1", **failed}, **_timed(at, 0.4)},
        {"role": "Function Call", "data": {"id": "call_notes_2", **call}, **_timed(at, 0.45)},
    ]
    stamp = f"\n\n[{clock_text(at)}]"
    run["transcript"] += f"{stamp} Function Call: save_call_notes {call['arguments']}"
    run["transcript"] += f'{stamp} Function Call Result: {{"error": "upstream timed out", "code": 504}}'
    run["transcript"] += f"{stamp} Function Call: save_call_notes {call['arguments']}"


def _timed(at: float, after: float) -> Json:
    start = round(at + after, 2)
    return {"start_time": start, "end_time": round(start + 0.05, 2), "time": clock_text(start)}


ODD: dict[int, Retell] = {
    WITHOUT_TIMES: _without_times,
    CLOCK_ALONE: _clock_alone,
    ODD_STAMPS: _odd_stamps,
    SEALED_ALONE: _sealed_alone,
    STRANGE_ROLES: _strange_roles,
    TOOL_TROUBLE: _tool_trouble,
    BELOW_THRESHOLD: missed,
    ABOVE_THRESHOLD: reached,
    MORE_CATEGORIES: more_categories,
    MISQUOTED: misquoted,
    BY_TURN_NUMBER: by_number,
    BY_TOOL_NAME: by_tool,
    VAGUE: vague,
}
