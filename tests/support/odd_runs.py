"""Unusual runs that the demo's scripts do not produce, each with a fixed id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cekura_tui.demo.corpus import Corpus, ExtraRun
from cekura_tui.demo.dialogue import DialogueTurn, ScriptLine, broken_at, clock_text, stretched, timed
from cekura_tui.demo.facts import Dice
from cekura_tui.demo.people import PERSONALITIES

Json = dict[str, Any]

WITHOUT_TIMES = 900_143
CLOCK_ONLY = 900_146
ODD_STAMPS = 900_170
ENCRYPTED_ONLY = 900_175
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
HOSTILE_FAILED = 900_232
HOSTILE_PASSED = 900_222
LONG_RUN, LONG_TURNS = 900_129, 3_000
TALKATIVE_RUN, TALKATIVE_TURNS = 900_173, 120
EMPATHY = 9_008
"""Id of a metric with a scale of 1 to 5 and a threshold."""

_SILENCE = 6.5
_TIMES = ("start_time", "end_time", "time", "timestamp")
_STAMPS = (
    lambda at: f"[{int(at) // 60}:{int(at) % 60:02}] ",
    lambda at: f"[00:{int(at) // 60:02}:{int(at) % 60:02}] ",
    lambda at: f"({clock_text(at)}) ",
    lambda at: f"{clock_text(at)} ",
    lambda at: f"[{int(at) // 60:02}:{at % 60:05.2f}] ",
)


def _with_pause(turns: list[DialogueTurn]) -> list[DialogueTurn]:
    """Insert a silence of `_SILENCE` seconds before a turn of the caller; later, the caller interrupts the agent. The
    call keeps its length."""
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


def with_odd_turns(run: Json) -> Json:
    """Insert transcript entries that the API does not declare: a string, a number, None, a list, an unknown object."""
    turns = run["transcript_object"]
    if isinstance(turns, list) and turns:
        run["transcript_object"] = [turns[0], "(music)", 7, None, ["a", "b"], {"speaker": 2, "says": "hm"}, *turns[1:]]
    return run


def _without_times(run: Json, _turns: Sequence[DialogueTurn]) -> None:
    run["transcript_object"] = [
        {name: value for name, value in entry.items() if name not in _TIMES} for entry in run["transcript_object"]
    ]
    run["transcript"] = "\n".join(line.partition("] ")[2] for line in run["transcript"].split("\n\n"))


def _clock_only(run: Json, _turns: Sequence[DialogueTurn]) -> None:
    for entry in run["transcript_object"]:
        for name in ("start_time", "end_time", "timestamp"):
            entry.pop(name, None)


def _odd_stamps(run: Json, turns: Sequence[DialogueTurn]) -> None:
    """Rewrite the text transcript: timestamps in every format, no blank lines, and texts of several lines."""
    lines = run["transcript"].split("\n\n")
    stamped = [
        _STAMPS[index % len(_STAMPS)](turn.start) + line.partition("] ")[2]
        for index, (line, turn) in enumerate(zip(lines, turns, strict=True))
    ]
    run["transcript"] = "\n".join(stamped).replace(". ", ".\n")


def _encrypted_only(run: Json, _turns: Sequence[DialogueTurn]) -> None:
    run["transcript"] = None


def _strange_roles(run: Json, _turns: Sequence[DialogueTurn]) -> None:
    """Insert turns with unknown roles into the structured transcript only, not into the text."""
    entries: list[Json] = run["transcript_object"]
    at = entries[3]["end_time"]
    entries[4:4] = [
        {"role": "Supervisor", "content": "(whispers) Offer the voucher.", "start_time": at, "end_time": at + 1.5},
        {"role": "DTMF", "data": {"digits": "4711#", "from": "Testing Agent"}, "start_time": at, "end_time": at + 0.4},
        {"role": "system", "content": None, "event": "recording resumed", "time": clock_text(at)},
        {"role": "", "content": "(inaudible)"},
    ]


def _tool_trouble(run: Json, turns: Sequence[DialogueTurn]) -> None:
    """Append two tool calls: the first fails, the second never gets a result."""
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


def _below_threshold(run: Json, turns: Sequence[DialogueTurn]) -> None:
    """Add a metric with the score 2, where 4 is required; its explanation quotes the agent."""
    spoken = [turn for turn in turns if turn.who == "A"]
    _judge(run, 2, [f'The agent answered a worried caller with "{spoken[len(spoken) // 2].text}" and nothing else.'])


def _at_threshold(run: Json, _turns: Sequence[DialogueTurn]) -> None:
    """Add a metric whose score is exactly its threshold, 4."""
    _judge(run, 4, ["The agent stays friendly and lets the caller talk."])


def _more_categories(run: Json, _turns: Sequence[DialogueTurn]) -> None:
    """Add a category that is not a bug, and a category that a reviewer marked as wrong."""
    shared = {"deviation": 0.2, "wrongly_marked": False, "feedback": ""}
    taken_back = {"wrongly_marked": True, "feedback": "I listened to it: the agent did wait for the caller."}
    run["critical_categories"] += [
        {"category_id": 691, "category": "Greeting", "priority": "not_a_bug", **shared},
        {"category_id": 692, "category": "Patience", "priority": "critical", **shared, **taken_back},
    ]


def _misquoted(run: Json, turns: Sequence[DialogueTurn]) -> None:
    """Explain the failed check with an inexact quotation of a turn: lower case, no punctuation, one word missing."""
    turn = _guilty(turns)
    words = "".join(letter for letter in turn.text.lower() if letter.isalnum() or letter in " '").split()
    del words[len(words) // 2]
    _explain(run, f'The agent said "{" ".join(words)}", which is not what was asked for.')


def _by_turn_number(run: Json, turns: Sequence[DialogueTurn]) -> None:
    """Explain the failed check with turn numbers, from 1."""
    number = turns.index(_guilty(turns)) + 1
    _explain(run, f"Turn {number} goes against the rule, and nothing in turns {number + 1}-{len(turns)} mends it.")


def _by_tool_name(run: Json, turns: Sequence[DialogueTurn]) -> None:
    """Explain the failed check with the name of a called tool."""
    name = next(turn.text.partition(" ")[0] for turn in turns if turn.who == "T")
    _explain(run, f"The agent called `{name}` before the caller had agreed to it.")


def _vague(run: Json, _turns: Sequence[DialogueTurn]) -> None:
    """Explain the failed check with a reason that cites nothing."""
    line, metric = _failed(run)
    reason = "Overall the call is below the standard that was set for this check."
    line["explanation"] = metric["explanation"] = [reason]


def _guilty(turns: Sequence[DialogueTurn]) -> DialogueTurn:
    return next(turn for turn in broken_at(list(turns)).values() if turn.who == "A")


def _explain(run: Json, reason: str) -> None:
    """Explain the first failed check with the check's deviation and this reason, in the rubric and in the metric."""
    line, metric = _failed(run)
    line["explanation"] = metric["explanation"] = [metric["extra"]["categories"][0]["deviation"], reason]


def _failed(run: Json) -> tuple[Json, Json]:
    """The rubric line and the metric of the first failed check."""
    line = next(line for line in run["rubric"] if not line["passed"])
    return line, next(metric for metric in run["evaluation"]["metrics"] if metric["id"] == line["metric_id"])


def _judge(run: Json, score: int, explanation: list[str]) -> None:
    metric = {"id": EMPATHY, "name": "Empathy (1 to 5)", "type": "numeric", "score": score, "value": str(score)}
    run["evaluation"]["metrics"].append({**metric, "enum": "", "explanation": explanation, "extra": {}})
    line = {"metric_id": EMPATHY, "metric_name": metric["name"], "value": score, "explanation": explanation}
    conditions = {"operator": "and", "conditions": [{"field": "score", "op": "gte", "value": 4}]}
    line |= {"passed": score >= 4, "conditions": "score gte 4", "expected_conditions": conditions}
    run["rubric"].append(line)


# Hostile speech as transcribed: a client that prints it raw corrupts its screen.
_HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07 sorry, that was a noise on the line.",
    "[/red] [@click=app.quit]press here[/] is what the text message said.",
    "My name in the email is \u202egnirts desrever\u202c, just so you know.",
    "It says \x9b31m and \x90 on my display, and \U000e0001\U000e0068\U000e0069\U000e007f nothing else.",
    "\x1b]52;c;cm0gLXJmIH4=\x07 hello? \x1b[?1049l\x1b[31mARE YOU THERE\x1b[0m",
)

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ASKS = (
    "And what about {day} the {date}, leaving around {hour}?",
    "Could you look at {day} the {date} too, some time after {hour}?",
    "Hm. My sister says {day} the {date} is better for her. Is there anything at {hour}?",
    "Let me write that down. And {day} the {date}, {hour} or so?",
)
_ANSWERS = (
    "On {day} the {date} there is MA {flight} at {hour}, with {seats} seats left, for {fare} dollars.",
    "MA {flight} leaves at {hour} on {day} the {date}. The difference is {fare} dollars, {seats} seats are free.",
    "At {hour} on {day} the {date} I can offer MA {flight}, {fare} dollars more, {seats} seats.",
)


def _made_hostile(turns: list[DialogueTurn]) -> list[DialogueTurn]:
    """Append control characters, markup or hidden text to each turn of the caller."""
    made = list(turns)
    callers = [index for index, turn in enumerate(turns) if turn.who == "C"]
    for number, index in enumerate(callers):
        extra = _HOSTILE[number % len(_HOSTILE)]
        made[index] = replace(turns[index], text=f"{turns[index].text} {extra}")
    return made


def _endless_call(turns: int, dice: Dice) -> list[DialogueTurn]:
    """A call of exactly `turns` turns, in which a traveller asks for one flight after another."""
    spoken: list[tuple[ScriptLine, str | None]] = [
        (ScriptLine("A", "Meridian Air rebooking, good day. May I have your booking code?"), None),
        (ScriptLine("C", "It's K 7, 2 2 0 5. I'm organising a family reunion, and this may take us a while."), None),
    ]
    step = 0
    while len(spoken) < turns - 2:
        words = {
            "day": _DAYS[step % 7],
            "date": f"{1 + step % 28}. of {('May', 'June', 'July', 'August')[step // 28 % 4]}",
            "hour": f"{6 + step % 16}:{('05', '20', '35', '50')[step % 4]}",
            "flight": 100 + step * 7 % 800,
            "seats": 1 + step * 5 % 23,
            "fare": 40 + step * 13 % 400,
        }
        spoken.append((ScriptLine("C", _ASKS[step % len(_ASKS)].format(**words)), None))
        if step % 9 == 4:
            asked = f'search_flights {{"day": "{words["date"]}", "hour": "{words["hour"]}"}}'
            spoken.append((ScriptLine("T", asked), None))
            spoken.append((ScriptLine("R", f'{{"flights": ["MA {words["flight"]}"]}}'), None))
        spoken.append((ScriptLine("A", _ANSWERS[step % len(_ANSWERS)].format(**words)), None))
        step += 1
    del spoken[turns - 2 :]
    spoken.append((ScriptLine("C", "You know what, I'll take the very first one that you named."), None))
    spoken.append((ScriptLine("A", "I have changed your ticket. Thank you for flying with Meridian Air."), "readback"))
    return timed(spoken, PERSONALITIES[4], dice)


def _long_call(run_id: int, turns: int, seconds: int) -> ExtraRun:
    return ExtraRun(lambda _: stretched(_endless_call(turns, Dice(run_id)), seconds), seconds=seconds)


EXTRA_RUNS: dict[int, ExtraRun] = {
    WITHOUT_TIMES: ExtraRun(answer=_without_times),
    CLOCK_ONLY: ExtraRun(answer=_clock_only),
    ODD_STAMPS: ExtraRun(answer=_odd_stamps),
    ENCRYPTED_ONLY: ExtraRun(answer=_encrypted_only),
    STRANGE_ROLES: ExtraRun(answer=_strange_roles),
    TOOL_TROUBLE: ExtraRun(answer=_tool_trouble),
    BELOW_THRESHOLD: ExtraRun(answer=_below_threshold),
    ABOVE_THRESHOLD: ExtraRun(answer=_at_threshold),
    MORE_CATEGORIES: ExtraRun(answer=_more_categories),
    MISQUOTED: ExtraRun(answer=_misquoted),
    BY_TURN_NUMBER: ExtraRun(answer=_by_turn_number),
    BY_TOOL_NAME: ExtraRun(answer=_by_tool_name),
    VAGUE: ExtraRun(answer=_vague),
    LONG_SILENCE: ExtraRun(_with_pause),
    HOSTILE_FAILED: ExtraRun(_made_hostile),
    HOSTILE_PASSED: ExtraRun(_made_hostile),
    LONG_RUN: _long_call(LONG_RUN, LONG_TURNS, 12_600),
    TALKATIVE_RUN: _long_call(TALKATIVE_RUN, TALKATIVE_TURNS, 580),
}


def odd_corpus(epoch: float = 1_760_000_000.0) -> Corpus:
    """The demo corpus of 240 runs, in which the runs of `EXTRA_RUNS` are changed."""
    return Corpus(240, epoch, extra_runs=EXTRA_RUNS)
