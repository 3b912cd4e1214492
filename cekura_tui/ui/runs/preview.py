"""The preview beside the run list, with the verdicts and the first turns of the run under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.run.outcome import Outcome
from cekura_tui.model.run.view import RunRow, RunView, filled
from cekura_tui.model.text import clean_line, count
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.debounce import Debounce
from cekura_tui.ui.kit.lines import NOTED, TONES, VERDICT_MARKS, VERDICT_TONES
from cekura_tui.ui.kit.pane import Pane
from cekura_tui.ui.kit.strips import breaks
from cekura_tui.ui.messages import PrepareRunScreen
from cekura_tui.ui.runs.list import RunList
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.cells import drawn, fit

if TYPE_CHECKING:
    from textual.worker import Worker

    from cekura_tui.model.run.verdict import State
    from cekura_tui.model.transcript.transcript import Speaker, Turn

DELAY = 0.15
"""Seconds that the cursor must rest on a run before the run is fetched."""
_INKS: dict[Speaker, str] = {"testing": "$caller", "main": "$agent"}
_COUNTED: tuple[State, ...] = ("fail", "review", "pass")
_MARKS = str.maketrans({"❌": "✗", "✅": "✓", "⚠": "!"})
_TURNS, _VERDICTS = 12, 40
_SPEAKER_CELLS = 7


class RunPreview(Pane):
    def __init__(self, state: AppState) -> None:
        super().__init__(title="Preview", id="preview")
        self._state = state
        self._view: RunView | None = None
        self._note = ""
        self._notes: Mapping[int, str] = {}
        self._text = Static()

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="preview-text", can_focus=False):
            yield self._text

    def clear(self, note: str = "", run_id: int | None = None) -> None:
        """Show `note` instead of a run. The title names the run `run_id`, if given."""
        self._view, self._note = None, note
        self.show_title("Preview" if run_id is None else f"Run {run_id}")
        self.show_footnote("")
        self._draw()

    def show(self, view: RunView) -> None:
        self._view = view
        self.show_title(f"Run {view.row.id}", view.row.chip)
        self.show_footnote(f"cached {self._state.when(view.got_at)}" if view.cached else "")
        self._draw()
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def show_notes(self, notes: Mapping[int, str]) -> None:
        if self._notes is not notes:
            self._notes = notes
            self._draw()

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        width = self.query_one(VerticalScroll).scrollable_content_region.width - 2
        if width <= 0:
            return
        note, view = Content.styled(self._note, "$muted"), self._view
        lines = hanging(note, width, 0) if view is None else self._lines(view, width)
        self._text.update(Content("\n").join(lines))

    def _lines(self, view: RunView, width: int) -> Iterator[Content]:
        row = view.row
        yield from hanging(Content.styled(_line(row.scenario), "bold"), width, 0)
        for facts in ((row.personality, row.duration, self._state.when(row.at)), (row.agent,)):
            if words := " · ".join(_line(fact, 80) for fact in facts if fact):
                yield from hanging(Content.styled(words, "$muted"), width, 0)
        if note := self._notes.get(row.id):
            yield from hanging(Content(_line(note, 600)), width, 2, Content.styled(f"{NOTED} ", "bold $accent"))
        yield Content()
        yield from _verdicts(view, width)
        yield Content()
        yield from _transcript(view, width)


class PreviewLoader:
    """Loads the run under the cursor into the preview. `changed` is called with the row of the loaded run."""

    def __init__(self, preview: RunPreview, state: AppState, runs: RunList, changed: Callable[[RunRow], None]) -> None:
        self._preview, self._state, self._runs, self._changed = preview, state, runs, changed
        self._rest = Debounce(preview, DELAY, self._begin)
        self._loaded: tuple[int, Outcome] | None = None

    def rows_changed(self) -> None:
        """Load the run under the cursor if another run was loaded last, or if the outcome of the run has changed."""
        row = self._runs.cursor_row
        if isinstance(row, RunRow) and (row.id, row.outcome) != self._loaded:
            self.cursor_moved()

    def cursor_moved(self) -> None:
        """Load the run under the cursor once the cursor has rested for DELAY seconds."""
        self._rest.start()

    def clear(self) -> None:
        self._preview.clear()
        self._loaded = None

    def _begin(self) -> None:
        _: Worker[None] = self._preview.run_worker(self._load, group="preview", exclusive=True)

    async def _load(self) -> None:
        preview, row = self._preview, self._runs.cursor_row
        if not isinstance(row, RunRow):
            preview.clear("")
            return
        if not preview.display or not preview.screen.has_class("-wide"):
            return
        run_id = row.id
        self._loaded = run_id, row.outcome
        try:
            view = await self._state.workspace.call(lambda session: session.cached_run(run_id))
            if view is None:
                preview.clear(f"Loading run {run_id} …", run_id)
            if view is None or not view.row.outcome.settled:
                view = await self._state.workspace.call(lambda session: session.run(run_id))
        except CekuraTuiError as error:
            preview.clear(f"! {error.sentence()}", run_id)
        else:
            preview.show(view)
            row = filled(row, view.row) if view.cached else view.row
            self._loaded = run_id, row.outcome
            self._changed(row)
            # A user who looks at a run is likely to open one.
            self._state.ask(PrepareRunScreen())


def _verdicts(view: RunView, width: int) -> Iterator[Content]:
    from cekura_tui.model.run.words import judged_words, reasons  # the first frame shows no run

    facts: list[tuple[str, str]] = []
    verdicts = view.verdicts
    for state in _COUNTED:
        if number := sum(verdict.state == state for verdict in (*view.review, *verdicts)):
            facts += [(f"  {VERDICT_MARKS[state]}", TONES[VERDICT_TONES[state]]), (f" {number:,}", "$muted")]
    head = Content.assemble(("Verdicts", "bold $accent"), *(facts or [(" · none", "$muted")]))
    yield from hanging(head, width, 0)
    for verdict in (*view.review, *verdicts[:_VERDICTS]):
        mark = Content.styled(f"{VERDICT_MARKS[verdict.state]} ", TONES[VERDICT_TONES[verdict.state]])
        name = (_line(verdict.name, 80), "bold" if verdict.state == "fail" else "")
        words = Content.assemble(name, (f"  {judged_words(verdict)}", "$muted"))
        yield from hanging(words, width, 2, mark)
        if verdict.state == "fail" or verdict in view.review:
            texts = (_line(str(one), 900) for one in reasons(verdict) if one.met != "pass" and not one.quiet)
            found, sign, expected = "\n".join(texts).partition("Expected:")
            for reason in filter(None, (*found.strip().split("\n")[:2], sign + expected)):
                yield from hanging(Content.styled(_line(reason, 240), "$muted"), width, 2)
    if len(verdicts) > _VERDICTS:
        more = f"… {count(len(verdicts) - _VERDICTS, 'more verdict')}"
        yield Content.styled(f"{more} · {with_keys('{run-list.open} open')}", "$muted")


def _transcript(view: RunView, width: int) -> Iterator[Content]:
    from cekura_tui.model.transcript.transcript import turns_text  # the first frame shows no transcript

    transcript = view.transcript
    head = Content.assemble(("Transcript", "bold $accent"), (f" · {turns_text(transcript.turns)}", "$muted"))
    yield from hanging(head, width, 0)
    if transcript.note:
        yield from hanging(Content.styled(_line(transcript.note), "$muted"), width, 0)
    shown = transcript.turns[:_TURNS]
    times = width >= 44 and any(turn.start is not None for turn in shown)
    for turn in shown:
        yield from _turn(turn, width, times)
    if len(transcript.turns) > _TURNS:
        more = f"… {count(len(transcript.turns) - _TURNS, 'more turn')}"
        yield Content.styled(f"{more} · {with_keys('{run-list.open} open')}", "$muted")


def _turn(turn: Turn, width: int, times: bool) -> Iterator[Content]:
    from cekura_tui.model.transcript.timeline import clock  # the first frame shows no transcript
    from cekura_tui.model.transcript.transcript import NAMES

    who = NAMES.get(turn.speaker, clean_line(turn.role, 12))
    head = Content.assemble(
        (f"{clock(turn.start):<6}" if times else "", "$muted"),
        (f"{fit(who, _SPEAKER_CELLS - 1)} ", f"bold {_INKS.get(turn.speaker, '$muted')}"),
    )
    yield from hanging(Content(_line(turn.text, 240)), width, head.cell_length, head)


def hanging(words: Content, width: int, indent: int, head: Content | None = None) -> Iterable[Content]:
    """Wrap a paragraph to `width` cells, indented by blanks; `head`, if given, replaces the first line's blanks."""
    before = head if head is not None else Content(" " * indent)
    for start, end in breaks(words.plain, width - indent):
        yield Content.assemble(before, words[start:end])
        before = Content(" " * indent)


def _line(text: str, limit: int = 300) -> str:
    """One line of at most `limit` characters; ✗, ✓ and ! replace emoji, whose width differs between terminals."""
    return drawn(clean_line(text, limit)).translate(_MARKS)
