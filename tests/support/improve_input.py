"""The text that a user's command gets for runs, with the default template."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from cekura_tui.evidence.evidence import EvidenceFinder
from cekura_tui.evidence.improve_text import improve_text
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import view_of

TEMPLATE = files("cekura_tui.evidence").joinpath("improve_template.txt").read_text("utf-8")


def improve_input(runs: Iterable[dict[str, Any]], prompt: str) -> str:
    """The text for runs, each given as the API's JSON."""
    calls = []
    for view in (view_of(Run.read(run), 0.0) for run in runs):
        finder = EvidenceFinder(view.transcript.turns)
        calls.append((view, [(verdict, finder.find(verdict.reasons)) for verdict in view.judgements]))
    return improve_text(TEMPLATE, prompt, calls, focus=[], most=60_000).text
