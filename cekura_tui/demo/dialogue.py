"""Scripts, and the timed turns of the calls that follow a script.

A script file holds scenarios: `=== id name`, then `about:` and `outcome [rule]:` lines, `---`, and the spoken lines.
`A:` is the agent, `C:` the caller, `T:` a tool call, `R:` its result; `A(2.5):` starts after a gap of 2.5 seconds, and
a negative gap overlaps. After `@rule`, the call takes the `+` lines if the agent keeps the rule, else the `-` lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from string import Template
from typing import Any

from cekura_tui.demo.facts import Dice
from cekura_tui.demo.people import Personality, details_of

_LINE = re.compile(r"([ACTR])(?:\((-?[\d.]+)\))?: (.*)")


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """A line of speech or a tool call, `gap` seconds after the previous line. If `gap` is None, the gap is random."""

    who: str
    text: str
    gap: float | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """The lines spoken if the agent keeps a rule, and the lines spoken if the agent breaks the rule."""

    rule: str
    kept: tuple[ScriptLine, ...]
    broken: tuple[ScriptLine, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """A scenario: instructions for the caller, expected outcomes with their rules, and the lines of the call."""

    id: int
    name: str
    about: str
    outcomes: tuple[tuple[str, str | None], ...]
    beats: tuple[ScriptLine | Branch, ...]

    @property
    def rules(self) -> tuple[str, ...]:
        """Rules that the agent can break in the lines of this script, in order."""
        return tuple(beat.rule for beat in self.beats if isinstance(beat, Branch))

    @property
    def tools(self) -> set[str]:
        beats = [(beat,) if isinstance(beat, ScriptLine) else beat.kept + beat.broken for beat in self.beats]
        return {line.text.partition(" ")[0] for lines in beats for line in lines if line.who == "T"}


def read_scripts(text: str) -> tuple[Script, ...]:
    return tuple(_scenario(part) for part in re.split(r"(?m)^=== ", text) if part.strip())


def _scenario(text: str) -> Script:
    head, _, body = text.partition("\n---\n")
    title, *notes = head.strip().split("\n")
    number, _, name = title.partition(" ")
    about = ""
    outcomes: list[tuple[str, str | None]] = []
    for note in notes:
        field, _, words = note.partition(": ")
        if field == "about":
            about = words
        else:
            outcomes.append((words, field.removeprefix("outcome").strip() or None))
    return Script(int(number), name, about, tuple(outcomes), tuple(_beats(body)))


def _beats(body: str) -> list[ScriptLine | Branch]:
    beats: list[ScriptLine | Branch] = []
    rule = ""
    kept: list[ScriptLine] = []
    broken: list[ScriptLine] = []
    for raw in [*body.split("\n"), "@"]:
        if raw[:1] in ("+", "-"):
            (kept if raw[0] == "+" else broken).append(_line(raw[1:]))
            continue
        if rule:
            beats.append(Branch(rule, tuple(kept), tuple(broken)))
            rule, kept, broken = "", [], []
        if raw.startswith("@"):
            rule = raw[1:]
        elif raw.strip():
            beats.append(_line(raw))
    return beats


def _line(raw: str) -> ScriptLine:
    match = _LINE.fullmatch(raw)
    if match is None:
        raise ValueError(f"not a line of a script: {raw!r}")
    who, gap, text = match.groups()
    return ScriptLine(who, text, float(gap) if gap else None)


@dataclass(frozen=True, slots=True)
class DialogueTurn:
    """A turn of a call from `start` to `end`, in seconds. `rule` is the rule that the turn breaks, or None."""

    who: str
    text: str
    start: float
    end: float
    rule: str | None = None


def in_english(text: str) -> bool:
    return all(letter < "\u0250" for letter in text if letter.isalpha())


def speaking_seconds(text: str) -> float:
    """Seconds to say a text, estimated from its words, or from its letters in a language without spaces."""
    words = text.count(" ") + 1
    return max(0.6, words * 0.36, len(text) * 0.12 if words * 12 < len(text) else 0.0)


def speak(
    script: Script, personality: Personality, broken: frozenset[str], dice: Dice, limit: int | None = None
) -> list[DialogueTurn]:
    """The turns of a call in which the agent breaks the rules `broken`; at most `limit` turns if given."""
    names = details_of(dice)
    spoken = [
        (replace(line, text=Template(line.text).safe_substitute(names)), rule)
        for line, rule in _with_habits(list(_chosen(script, broken)), personality, dice)
    ]
    if "turns" in broken:
        spoken = list(_with_interruption(spoken))
    return timed(spoken[:limit], personality, dice)


def _chosen(script: Script, broken: frozenset[str]) -> Iterator[tuple[ScriptLine, str | None]]:
    for beat in script.beats:
        if isinstance(beat, ScriptLine):
            yield beat, None
        elif beat.rule in broken:
            yield from ((line, beat.rule if line.who in "AT" else None) for line in beat.broken)
        else:
            yield from ((line, None) for line in beat.kept)


def _with_habits(
    lines: list[tuple[ScriptLine, str | None]], personality: Personality, dice: Dice
) -> Iterator[tuple[ScriptLine, str | None]]:
    """Add the caller's habits: opening words, and short exchanges after which the script continues."""
    left = dice.shuffle(personality.exchanges)
    caller_turns = 0
    for index, (line, rule) in enumerate(lines):
        if line.who == "C":
            caller_turns += 1
            if personality.openings and caller_turns in (2, 5) and in_english(line.text):
                line = replace(line, text=dice.choose(personality.openings) + line.text)
        yield line, rule
        follows = lines[index + 1][0] if index + 1 < len(lines) else line
        possible = line.who == "A" and follows.who == "C" and rule is None and index > 2
        # Insert exchanges only before a turn of the caller, never where the agent breaks a rule.
        if left and possible and in_english(line.text + follows.text) and dice.below(3) == 0:
            asks, answers = left.pop()
            yield ScriptLine("C", asks), None
            yield ScriptLine("A", answers.replace("{last}", line.text)), None


def _with_interruption(lines: list[tuple[ScriptLine, str | None]]) -> Iterator[tuple[ScriptLine, str | None]]:
    """Let the agent interrupt the caller's longest turn, which breaks the rule "turns"."""
    longest = max((i for i, (line, _) in enumerate(lines) if line.who == "C"), key=lambda i: len(lines[i][0].text))
    for index, (line, rule) in enumerate(lines):
        if index != longest:
            yield line, rule
            continue
        half = line.text.rfind(" ", 0, len(line.text) * 2 // 3)
        half = half if half > 0 else len(line.text) // 2
        english = in_english(line.text)
        yield replace(line, text=line.text[:half] + " —"), None
        yield ScriptLine("A", "Right, I understand, so what I can do is" if english else "OK, OK —", -1.4), "turns"
        yield ScriptLine("C", ("Please let me finish. " if english else "… ") + line.text[half:].strip(), -0.5), None


def timed(spoken: list[tuple[ScriptLine, str | None]], personality: Personality, dice: Dice) -> list[DialogueTurn]:
    turns: list[DialogueTurn] = []
    clock = 0.4
    for line, rule in spoken:
        gap = line.gap if line.gap is not None else dice.between(0.3, 1.1)
        if line.who == "C" and line.gap is None and turns:
            gap += personality.pause
            if personality.barges and dice.below(4) == 0 and turns[-1].who == "A":
                gap = -0.7
        if line.who == "R" and line.gap is None:
            gap = dice.between(0.5, 1.8)
        start = max(clock + gap, turns[-1].start + 0.2 if turns else 0.0)
        end = start + (0.05 if line.who in "TR" else speaking_seconds(line.text))
        turns.append(DialogueTurn(line.who, line.text, start, end, rule))
        clock = max(clock, end) if line.who in "TR" else end
    return turns


def stretched(turns: list[DialogueTurn], seconds: float) -> list[DialogueTurn]:
    """Speed turns up or slow them down, so that the call lasts `seconds`."""
    factor = max(0.2, seconds - 0.5) / max(turn.end for turn in turns)
    return [replace(turn, start=round(turn.start * factor, 2), end=round(turn.end * factor, 2)) for turn in turns]


_ROLES = {"A": "Main Agent", "C": "Testing Agent", "T": "Function Call", "R": "Function Call Result"}


def clock_text(seconds: float) -> str:
    """MM:SS as the API writes it; minutes may exceed 99."""
    return f"{int(seconds) // 60:02}:{int(seconds) % 60:02}"


def as_objects(turns: list[DialogueTurn], stamped: bool) -> list[dict[str, Any]]:
    """Turns as the API's `transcript_object`; tool calls have no `content`. If `stamped`, each has a `timestamp`."""
    objects: list[dict[str, Any]] = []
    call = ("", "")
    for index, turn in enumerate(turns):
        entry: dict[str, Any] = {"role": _ROLES[turn.who]}
        if turn.who == "T":
            name, _, arguments = turn.text.partition(" ")
            call = (f"call_{index:04}_{len(turn.text):x}", name)
            entry["data"] = {"id": call[0], "name": name, "arguments": arguments}
        elif turn.who == "R":
            result: Any = json.loads(turn.text) if index % 2 else turn.text
            entry |= {"content": "", "data": {"id": call[0], "name": call[1], "result": result}}
        else:
            entry["content"] = turn.text
        entry |= {"start_time": turn.start, "end_time": turn.end, "time": clock_text(turn.start)}
        if stamped:
            entry["timestamp"] = turn.start
        objects.append(entry)
    return objects


def as_text(turns: list[DialogueTurn]) -> str:
    """Turns as the API's `transcript`: one line per turn, separated by blank lines."""
    return "\n\n".join(f"[{clock_text(turn.start)}] {_ROLES[turn.who]}: {turn.text}" for turn in turns)


def broken_at(turns: list[DialogueTurn]) -> dict[str, DialogueTurn]:
    """The first turn that breaks each broken rule, by rule; a spoken turn is preferred to a tool call."""
    found: dict[str, DialogueTurn] = {}
    for turn in turns:
        if turn.rule is not None and (turn.rule not in found or (found[turn.rule].who == "T" and turn.who == "A")):
            found[turn.rule] = turn
    return found
