"""A dialog that copies or saves one run: its id, link, transcript, verdict or request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from textual import work

from cekura_tui.model.run.details import result_link, web_link
from cekura_tui.model.run.verdict import Verdict
from cekura_tui.model.run.view import RunView
from cekura_tui.model.run.words import (
    goes_over_an_hour,
    transcript_json,
    transcript_markdown,
    transcript_text,
    turn_text,
    verdict_text,
)
from cekura_tui.model.scope import Scope
from cekura_tui.model.text import shortened
from cekura_tui.model.transcript.timeline import clock
from cekura_tui.model.transcript.transcript import Turn
from cekura_tui.ui.kit.copying import PREVIEWED, Copy, CopyDialog, Lead, write_lines
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.browser import open_link, opens_here
from cekura_tui.workspace.prompt_files import safe_name
from cekura_tui.workspace.setup import run_command


class Make(Protocol):
    """Makes a form of a transcript, of all its turns or of the first."""

    def __call__(self, view: RunView, *, first: int | None = None) -> str: ...


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a transcript: its name, how its file ends, and what makes it."""

    name: str
    ending: str
    make: Make


def _plain(view: RunView, *, first: int | None = None) -> str:
    return transcript_text(view.transcript, first=first)


FORMS = (
    Form("Markdown", ".md", transcript_markdown),
    Form("text", ".txt", _plain),
    Form("JSON", ".json", transcript_json),
)


class CopyRunDialog(CopyDialog):
    """Answers in words with where it was saved or opened, with nothing if it was copied.

    `turn` and `verdict` are those under the cursor; without such a verdict the first failing one is offered.
    `dashboard` is where links lead, None where there is none; `scope` is that of the list.
    """

    def __init__(
        self,
        state: AppState,
        view: RunView,
        *,
        turn: Turn | None,
        verdict: Verdict | None,
        dashboard: str | None,
        scope: Scope | None,
    ) -> None:
        self._view, self._turn = view, turn
        self._verdict = verdict or next((found for found in view.verdicts if found.state == "fail"), None)
        self._link = result_link(dashboard, view.row, scope) if dashboard else None
        self._dashboard = dashboard
        self._recording = web_link(view.source.get("voice_recording_url"))
        self._curl = run_command(state.workspace.setup, view.row.id)
        super().__init__("copy-run", f"run {view.row.id}", self._offered(), self._not_offered())

    def _offered(self) -> Iterable[tuple[str, Copy | Lead]]:
        """In words, and what makes the text, or leads on."""
        view, turn, verdict = self._view, self._turn, self._verdict
        yield "run ID", _text(str(view.row.id))
        if self._link:
            yield "link to the result", _text(self._link)
        if turn is not None:
            hours = goes_over_an_hour(view.transcript.turns)
            when = clock(turn.start, hours=hours)
            yield f"turn at {when}" if when else f"turn #{turn.n}", _text(turn_text(turn, hours=hours))
        for form in FORMS:
            yield (
                f"transcript as {form.name}",
                Copy(partial(form.make, view), partial(form.make, view, first=PREVIEWED)),
            )
        if verdict is not None:
            yield f"verdict “{shortened(verdict.name, 40)}”", _text(verdict_text(verdict))
        if self._recording:
            yield "link to the recording", _text(self._recording)
            if opens_here():
                yield "open the recording in a browser", Lead(self._start_opening, partial(str, self._recording))
        if self._curl:
            yield "request as curl", _text(self._curl)
        for form in FORMS:
            lead = Lead(partial(self._save, form), partial(form.make, view, first=PREVIEWED))
            yield f"save the transcript as {form.name} to a file …", lead

    def _not_offered(self) -> Iterable[str]:
        """Why something is not offered, in sentences."""
        if not self._dashboard:
            yield "No link: no dashboard URL is set."
        elif not self._link:
            yield "No link: the run has no result or project."
        sent = self._view.source.get("voice_recording_url")
        if sent and not self._recording:
            yield "No link to the recording: the server sent no web link."
        if not self._curl:
            yield "No curl: the demo server ends with the app."

    # What leads on

    def _save(self, form: Form) -> None:
        name = safe_name(f"run-{self._view.row.id}-transcript", form.ending)
        text = form.make(self._view)
        self.save(f"the transcript of {self.whose} as {form.name}", name, partial(write_lines, text))

    def _start_opening(self) -> None:
        self._open()

    @work(group="open-recording", exclusive=True)
    async def _open(self) -> None:
        """Open it in a browser, however long that takes to start."""
        self.show_message("Opening a browser …")
        taken = await open_link(self._recording or "")
        if taken and self.is_current:
            self.dismiss("Opened the recording in a browser.")
        else:
            self.show_message("" if taken else "Can't open a browser. Copy the link instead.")


def _text(text: str) -> Copy:
    return Copy(lambda: text)
