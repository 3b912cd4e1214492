"""`compare`: two runs turn by turn, with the verdicts of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

import click

from cekura_tui.cli.options import RUN, json_option
from cekura_tui.cli.output import put, put_json
from cekura_tui.cli.script import command
from cekura_tui.evidence.turn_alignment import Pair, Piece, Sign, align, first_difference, pieces_of
from cekura_tui.model.errors import UsageError
from cekura_tui.model.run import words as run_words
from cekura_tui.model.run.verdict import Verdict, pair_verdicts
from cekura_tui.model.text import clean_line, clock_text, count
from cekura_tui.model.transcript.timeline import needs_hours, time_of

if TYPE_CHECKING:
    from cekura_tui.model.json_shapes import ComparedRunJson, ComparedTurnJson, CompareJson
    from cekura_tui.model.run.view import RunView
    from cekura_tui.model.transcript.transcript import Turn
    from cekura_tui.workspace.session import Session

Chosen = Literal["given", "last_passed", "newest_passed"]
_SECOND: dict[Chosen, str] = {
    "given": "Second run",
    "last_passed": "Second run, the last before the first that passed and has a transcript",
    "newest_passed": "Second run, the newest passed one; none passed before the first",
}
_SIGNS: dict[Sign, tuple[Literal["same", "changed", "first", "second"], str]] = {
    "=": ("same", "the same in both"),
    "~": ("changed", "changed"),
    "<": ("first", "in the first run only"),
    ">": ("second", "in the second run only"),
}
"""Name of each sign in JSON, and its description in text."""


@command("compare", key=False)
@click.argument("run_id", type=RUN)
@click.argument("other_id", type=RUN, required=False)
@click.option("--differences", is_flag=True, help="Leave out turns that are the same in both runs.")
@json_option()
async def compare(session: Session, run_id: int, other_id: int | None, differences: bool, as_json: bool) -> None:
    """Compare two runs turn by turn, with the verdicts of both.

    Without OTHER_ID, compares with the last run of the scenario before RUN_ID that passed and has a transcript. Each
    line starts with its run: first, second or both. Words that differ are [-in the first-] and {+in the second+}.
    """
    first = await session.run(run_id)
    second, chosen = await _second_run(session, first, other_id)
    here, there = first.transcript.turns, second.transcript.turns
    pairs = align(here, there) if here and there else []
    shown = [pair for pair in pairs if pair.sign != "="] if differences else pairs
    if as_json:
        put_json(_as_json(first, second, chosen, shown))
        return
    _put_runs(first, second, chosen)
    _put_summary(pairs)
    for line in (line for pair in shown for line in _turn_lines(pair)):
        put(line)


async def _second_run(session: Session, first: RunView, other_id: int | None) -> tuple[RunView, Chosen]:
    if other_id is not None:
        return await session.run(other_id), "given"
    if first.row.scenario_id is None:
        raise UsageError(f"The server sent no scenario for run {first.row.id}.", "Give the id of another run, too.")
    second = await session.passed_before(first)
    if second is None:
        raise UsageError(run_words.no_passed_run_words(first.row), "Give the id of another run, too.")
    return second, "last_passed" if second.row.id < first.row.id else "newest_passed"


def _put_runs(first: RunView, second: RunView, chosen: Chosen) -> None:
    for name, view in (("First run", first), (_SECOND[chosen], second)):
        put("\n  ".join([f"{name}: {view.row.id}", *_facts(view)]))
    put("\nVerdicts")
    for pair in pair_verdicts(first.verdicts, second.verdicts):
        here, there = (_state(verdict) for verdict in (pair.first, pair.second))
        both = f"both runs: {here}" if here == there else f"first run {here}; second run {there}"
        put(f"  {clean_line(pair.verdict.name)}: {both}")
    if not (first.verdicts or second.verdicts):
        put("  none")


def _put_summary(pairs: Sequence[Pair]) -> None:
    put("\nTurns")
    if not pairs:
        put("  Nothing to compare: one of the runs has no turns.")
        return
    put(f"  {first_difference(pairs)}")
    signs = Counter(pair.sign for pair in pairs)
    for sign, (_, text) in _SIGNS.items():
        put(f"  {count(signs[sign], 'turn')} {text}")
    put()


def _facts(view: RunView) -> Iterator[str]:
    row = view.row
    facts = (
        ("outcome", run_words.outcome_words(row)),
        ("scenario", row.scenario),
        ("personality", row.personality),
        ("agent", row.agent),
        ("length", row.duration),
        ("when", clock_text(row.at) if row.at is not None else ""),
        ("cached", clock_text(view.got_at) if view.cached else ""),
        ("note", view.transcript.note),
    )
    return (f"{name}: {clean_line(text)}" for name, text in facts if text)


def _state(verdict: Verdict | None) -> str:
    return "not judged" if verdict is None else clean_line(run_words.judged_words(verdict))


def _turn_lines(pair: Pair) -> Iterator[str]:
    """One line per turn, or a shared line if both runs say the same; continuation lines are indented."""
    here, there = pieces_of(pair)
    if pair.left is not None:
        yield _line("both" if pair.sign == "=" else "first", pair.left, _marked(here, "[-", "-]"))
    if pair.right is not None and pair.sign != "=":
        yield _line("second", pair.right, _marked(there, "{+", "+}"))


def _marked(pieces: Sequence[Piece], begin: str, end: str) -> str:
    return "".join(f"{begin}{text}{end}" if differs and text.strip() else text for text, differs in pieces)


def _line(which: str, turn: Turn, text: str) -> str:
    time = time_of(turn, hours=needs_hours(turn.start or 0.0))
    return f"{which} {time} {run_words.speaker_name(turn)}: {text}".replace("\n", "\n" + " " * 8).rstrip()


def _as_json(first: RunView, second: RunView, chosen: Chosen, pairs: Sequence[Pair]) -> CompareJson:
    turns = ((pair, *pieces_of(pair)) for pair in pairs)
    return {
        "first": _run_json(first),
        "second": _run_json(second),
        "chosen": chosen,
        "verdicts": [
            {
                "source": pair.verdict.source,
                "id": pair.verdict.id,
                "name": pair.verdict.name,
                "first": pair.first.state if pair.first else None,
                "second": pair.second.state if pair.second else None,
            }
            for pair in pair_verdicts(first.verdicts, second.verdicts)
        ],
        "turns": [
            {
                "sign": _SIGNS[pair.sign][0],
                "first": _turn_json(pair.left, here),
                "second": _turn_json(pair.right, there),
            }
            for pair, here, there in turns
        ],
    }


def _run_json(view: RunView) -> ComparedRunJson:
    row = view.row
    return {
        "run": row.id,
        "outcome": {"kind": row.outcome.kind, "text": row.outcome.text},
        "scenario": row.scenario,
        "personality": row.personality,
        "agent": row.agent,
        "seconds": row.seconds,
        "at": run_words.iso_time(row.at) or None,
        "cached": view.cached,
        "note": view.transcript.note,
    }


def _turn_json(turn: Turn | None, pieces: Sequence[Piece]) -> ComparedTurnJson | None:
    if turn is None:
        return None
    ends = accumulate(len(text) for text, _ in pieces)
    places = [(end - len(text), end) for (text, differs), end in zip(pieces, ends, strict=True) if differs]
    return {
        "n": turn.n,
        "speaker": turn.speaker,
        "role": turn.role,
        "start": turn.start,
        "text": "".join(text for text, _ in pieces),
        "differs": places,
    }
