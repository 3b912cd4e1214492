"""A run as JSON."""

from __future__ import annotations

import json

from cekura_tui.model.outcome import outcome_of
from cekura_tui.model.run import Run
from cekura_tui.model.text import clean_json
from cekura_tui.model.transcript import read_transcript
from cekura_tui.model.verdict import read_verdicts
from cekura_tui.model.view import RunView


def as_json(run: Run) -> dict[str, object]:
    """The run, with its outcome, turns and verdicts read."""
    return {
        **run.source,
        "outcome": outcome_of(run).to_json(),
        "turns": [turn.to_json() for turn in read_transcript(run).turns],
        "verdicts": [verdict.to_json() for verdict in read_verdicts(run)],
    }


def transcript_json(view: RunView, *, first: int | None = None) -> str:
    """The transcript, or its `first` turns, as one object: `run` (the id), the `form` it came in, a `note`, `turns`."""
    told = view.transcript
    turns = [turn.to_json() for turn in told.turns[:first]]
    whole = {"run": view.row.id, "form": told.form, "note": told.note, "turns": turns}
    return json.dumps(clean_json(whole), ensure_ascii=False, indent=2)
