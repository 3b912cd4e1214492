"""A run as Markdown: a page for an issue or a message, in which foreign text stays text."""

from __future__ import annotations

import json
from collections.abc import Iterable

from cekura_tui.model.markdown import escaped, fenced, paragraph
from cekura_tui.model.run_text import (
    APART,
    LONG_DETAILS,
    STATE_MARKS,
    goes_over_an_hour,
    judged_and_apart,
    reasons,
    speaker_name,
    time_text,
)
from cekura_tui.model.text import clean, clean_json, clean_line
from cekura_tui.model.transcript import Transcript
from cekura_tui.model.turn import Turn
from cekura_tui.model.verdict import Verdict
from cekura_tui.model.verdict_words import judged_words
from cekura_tui.model.view import RunView

_LONGEST = 2_000
"""Characters of one explanation."""


def as_markdown(view: RunView) -> str:
    """The whole page: facts, verdicts, failing ones first, then what was said."""
    lines = [f"# Run {view.row.id}: {escaped(view.row.outcome.text)}", "", *_facts(view)]
    details = ((name.capitalize(), text) for name, text in view.details if name not in LONG_DETAILS)
    lines += [_fact(name, text) for name, text in details]
    lines += ["", "## Verdicts", ""]
    judged, apart = judged_and_apart(view.verdicts)
    lines += [line for verdict in judged for line in _verdict(verdict)]
    if apart:
        lines += ["", APART, "", *(line for verdict in apart for line in _verdict(verdict))]
    if not view.verdicts:
        lines.append("None.")
    lines += ["", "## Transcript", "", *_said(view.transcript)]
    return clean("\n".join(lines).rstrip())


def transcript_markdown(view: RunView, *, first: int | None = None) -> str:
    """The transcript alone, or its `first` turns, under a headline that tells of which run it is."""
    lines = [f"# Transcript of run {view.row.id}", "", *_facts(view), "", *_said(view.transcript, first)]
    return clean("\n".join(lines).rstrip())


def _facts(view: RunView) -> Iterable[str]:
    row = view.row
    facts = (
        ("Scenario", row.scenario),
        ("Personality", row.personality),
        ("Agent", row.agent),
        ("Length", row.duration),
    )
    return [_fact(name, text) for name, text in facts if text]


def _fact(name: str, text: str) -> str:
    return f"- {name}: {escaped(clean_line(text))}"


def _verdict(verdict: Verdict) -> Iterable[str]:
    name, judged = escaped(clean_line(verdict.name)), escaped(clean_line(judged_words(verdict)))
    yield f"- {STATE_MARKS[verdict.state]} **{name}**: {judged}"
    for text in reasons(verdict):
        yield f"  - {escaped(clean_line(text, _LONGEST))}"


def _said(transcript: Transcript, first: int | None = None) -> Iterable[str]:
    if transcript.note:
        yield from (f"_{escaped(transcript.note)}_", "")
    hours = goes_over_an_hour(transcript.turns)
    for turn in transcript.turns[:first]:
        yield from (_turn(turn, hours), "")


def _turn(turn: Turn, hours: bool) -> str:
    """What was said, and of a tool what was called or came back, as JSON."""
    head = f"**{time_text(turn.start, hours=hours)} {escaped(speaker_name(turn))}:**"
    if turn.tool is None:
        return f"{head} {paragraph(turn.text)}".rstrip()
    said = "" if _only_called(turn) else paragraph(turn.text)
    return f"{head} {said}".rstrip() + "\n\n" + fenced(_pretty(turn.tool), "json")


def _only_called(turn: Turn) -> bool:
    """Whether the turn's text only repeats what is in its JSON."""
    return turn.speaker in ("tool_call", "tool_result") and not (
        isinstance(turn.raw, dict) and isinstance(said := turn.raw.get("content"), str) and said.strip()
    )


def _pretty(tool: dict[str, object]) -> str:
    unfolded = {name: _unfolded(value) for name, value in tool.items()}
    return json.dumps(clean_json(unfolded), ensure_ascii=False, indent=2)


def _unfolded(value: object) -> object:
    """JSON that came as a text, read; a text that would then not say quite the same stays as it came."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        read = json.loads(value)
        forms = [json.dumps(read, ensure_ascii=plain) for plain in (False, True)]
    except (ValueError, RecursionError):
        return value
    return read if "".join(value.split()) in ("".join(form.split()) for form in forms) else value
