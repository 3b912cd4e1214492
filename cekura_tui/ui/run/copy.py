"""A dialog that copies or saves parts of a run: id, link, turn, transcript, verdict or request."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from cekura_tui.evidence.evidence import Certainty, reason_words
from cekura_tui.model.run.details import result_link, web_link
from cekura_tui.model.run.verdict import Verdict
from cekura_tui.model.run.view import RunView
from cekura_tui.model.run.words import transcript_json, transcript_markdown, transcript_text, turn_text, verdict_text
from cekura_tui.model.text import shortened
from cekura_tui.model.transcript.timeline import clock, have_hours
from cekura_tui.ui.kit.copying import PREVIEWED, CopyDialog, Offer, write_lines
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.browser import open_link
from cekura_tui.ui.terminal.capabilities import read_over_ssh
from cekura_tui.workspace.prompt_files import safe_name
from cekura_tui.workspace.setup import run_command


class Form(NamedTuple):
    """A text format of a transcript. `make(view, first=n)` returns the first n turns; without `first`, all turns."""

    name: str
    ending: str
    make: Callable[..., str]


FORMS = (
    Form("Markdown", ".md", transcript_markdown),
    Form("text", ".txt", lambda view, first=None: transcript_text(view.transcript, first=first)),
    Form("JSON", ".json", transcript_json),
)


def copy_run_dialog(
    state: AppState, view: RunView, *, turns: Mapping[int, Certainty], verdict: Verdict | None, verdict_first: bool
) -> CopyDialog:
    """A copy dialog that returns a sentence about the saved file or opened link, or None. `turns` (by number) are
    offered first, or with `verdict_first` after `verdict`, which is the first failed one if None."""
    verdict = verdict or next((found for found in view.verdicts if found.state == "fail"), None)
    dashboard = state.workspace.setup.settings.dashboard_url
    link = result_link(dashboard, view.row, None) if dashboard else None
    recording = web_link(view.source.get("voice_recording_url"))
    curl = run_command(state.workspace.setup, view.row.id)

    def offers() -> Iterator[Offer]:
        hours = have_hours(view.transcript.turns)
        judged = [_text(f"verdict “{shortened(verdict.name, 40)}”", verdict_text(verdict))] if verdict else []
        yield from judged if verdict_first else ()
        for n, sure in turns.items():
            turn = view.transcript.turns[n - 1]
            when = clock(turn.start, hours=hours)
            where = f"turn at {when}" if when else f"turn #{n}"
            words = f"closest {where}" if sure == "closest" else reason_words(where, sure)
            yield _text(words, turn_text(turn, hours=hours))
        yield _text("run ID", str(view.row.id))
        if link:
            yield _text("link to the result", link)
        for form in FORMS:
            head = partial(form.make, view, first=PREVIEWED)
            yield Offer(f"transcript as {form.name}", partial(form.make, view), head)
        yield from () if verdict_first else judged
        if recording:
            yield _text("link to the recording", recording)
            if not read_over_ssh(os.environ):  # it would open on the remote machine
                yield replace(_text("open the recording in a browser", recording), do=partial(_open, recording))
        if curl:
            yield _text("request as curl", curl)
        for form in FORMS:
            head, save = partial(form.make, view, first=PREVIEWED), partial(_save, view, form)
            yield Offer(f"save the transcript as {form.name} to a file …", head, do=save)

    def missing() -> Iterator[str]:
        if not dashboard:
            yield "No link: no dashboard URL is set."
        elif not link:
            yield "No link: the run has no result or project."
        if view.source.get("voice_recording_url") and not recording:
            yield "No link to the recording: the server sent no web link."
        if not curl:
            yield "No curl: the demo server ends with the app."

    return CopyDialog(f"run {view.row.id}", offers(), missing())


def _text(words: str, text: str) -> Offer:
    return Offer(words, lambda: text)


def _save(view: RunView, form: Form, dialog: CopyDialog) -> None:
    name = safe_name(f"run-{view.row.id}-transcript", form.ending)
    dialog.save(f"the transcript of {dialog.source} as {form.name}", name, partial(write_lines, form.make(view)))


def _open(link: str, dialog: CopyDialog) -> None:
    async def work() -> None:
        dialog.show_message("Opening a browser …")
        taken = await open_link(link)
        if taken and dialog.is_current:
            dialog.dismiss("Opened the recording in a browser.")
        else:
            dialog.show_message("" if taken else "Can't open a browser. Copy the link instead.")

    dialog.run_worker(work(), group="open-recording", exclusive=True)
