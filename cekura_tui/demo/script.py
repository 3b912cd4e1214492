"""What is said in a scenario, with the places where an agent keeps or breaks a rule.

A script file holds scenarios: `=== id name`, then `about:` and `outcome [rule]:` lines, `---`, and what is said.
`A:` is the agent, `C:` the caller, `T:` a tool call, `R:` its result; `A(2.5):` comes after a gap of 2.5 seconds, and a
negative gap overlaps. After `@rule`, lines with `+` are said when the rule is kept, lines with `-` when it is broken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"([ACTR])(?:\((-?[\d.]+)\))?: (.*)")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing said or done; `gap` is in seconds after the line before."""

    who: str
    text: str
    gap: float | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """The two ways in which a call goes on, and the rule that decides between them."""

    rule: str
    kept: tuple[Line, ...]
    broken: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """A scenario: what the caller is told, what is expected, and what is said."""

    id: int
    name: str
    about: str
    outcomes: tuple[tuple[str, str | None], ...]
    beats: tuple[Line | Branch, ...]

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that this call can break by its words, in the order in which they come up."""
        return tuple(beat.rule for beat in self.beats if isinstance(beat, Branch))


def read_scripts(text: str) -> tuple[Script, ...]:
    """All scenarios of a script file."""
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


def _beats(body: str) -> list[Line | Branch]:
    beats: list[Line | Branch] = []
    rule = ""
    kept: list[Line] = []
    broken: list[Line] = []
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


def _line(raw: str) -> Line:
    match = _LINE.fullmatch(raw)
    if match is None:
        raise ValueError(f"not a line of a script: {raw!r}")
    who, gap, text = match.groups()
    return Line(who, text, float(gap) if gap else None)
