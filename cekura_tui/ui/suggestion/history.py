"""The current, former, sent and proposed prompts of an agent, newest first, and a diff of any two of these prompts."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.prompt_events import PromptUse, events_of, how_words
from cekura_tui.model.scenario_test import test_words
from cekura_tui.model.text import Prompt, clean_line, count, has_controls, prompt_bytes, sha256
from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import ProseDiff
from cekura_tui.ui.actions import NOT_OFFERED, Action, disabled_reason
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.copying import CopyDialog, Offer
from cekura_tui.ui.kit.dialog import ConfirmDialog
from cekura_tui.ui.kit.lines import TONE_CLASSES, Notice, OneLine
from cekura_tui.ui.kit.page import Page, error_action
from cekura_tui.ui.kit.pane import Pane
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.state import AppState
from cekura_tui.ui.suggestion.diff_view import ProseDiffView
from cekura_tui.ui.suggestion.hanging_text import HangingText, MessageKind
from cekura_tui.ui.suggestion.restore import NOT_RESTORED, restore_prompt
from cekura_tui.ui.terminal.cells import fit
from cekura_tui.workspace.prompt_files import check_output, safe_name, write_output
from cekura_tui.workspace.session import Session

_WHEN_CELLS, _WORDS_CELLS, _HOW_CELLS = 12, 12, 26
_HASH_CELLS, _WIDE = 8, 100
_CURRENT = "» "


@dataclass(frozen=True, slots=True)
class UseRow:
    """A row for one event, whose first use is `use`. `current` says that the agent has the prompt now."""

    use: PromptUse
    when: str
    how: str
    current: bool
    uses: tuple[PromptUse, ...]
    tests: str = ""
    """How the newest test of the prompt went; "" if this machine saw none."""


class PromptUseList(VirtualList[UseRow]):
    """A list of events, newest first. One event can be marked for comparison."""

    marking = numbered = True
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("prompt-uses.open", "enter", "open", "Compare", footer=1),
        Action("prompt-uses.mark", "space", "toggle_mark", "Mark", footer=2),
    )
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES

    def show_uses(self, uses: Sequence[PromptUse], app_state: AppState, current: str) -> None:
        """Show the uses, merged into events. `current` is the hash of the agent's current prompt; "" if unknown."""
        events = events_of(uses)
        now = next((event for event in events if event[0].sha256 == current), None)
        when = app_state.when
        tests = {job.parameters.get("prompt"): test_words(job, when) for job in reversed(app_state.jobs)}
        rows = []
        for event in events:
            use = event[0]
            tested = tests.get(use.sha256, "")
            rows.append(UseRow(use, when(use.at), how_words(use, uses), event is now, tuple(event), tested))
        self.show_rows(rows, follow=True)

    @property
    def marked(self) -> UseRow | None:
        return next((row for row in self.rows if self.key_of(row) in self.marks), None)

    def key_of(self, row: UseRow) -> Hashable:
        """The hash of the text and the kind of use. The key of a write also has the time. Only writes can occur more
        than once for one text."""
        use = row.use
        return use.sha256, use.how, use.at if use.how in ("written", "replaced") else None

    def toggle_mark(self, key: Hashable) -> None:
        self.marks &= {key}
        super().toggle_mark(key)

    def action_mark_range(self) -> None:
        self.action_toggle_mark()

    def lines_of(self, row: UseRow, width: int, state: RowState) -> Sequence[Line]:
        use, dim = row.use, self.style_of("tone--dim")
        words = count(use.words, "word")
        rest = width - 1 - 2 - len(_CURRENT) - _WHEN_CELLS - _HOW_CELLS - _WORDS_CELLS - 4
        name = []
        if width >= _WIDE:
            # An agent's prompts often begin with the same line; the hash distinguishes them.
            name, rest = [Segment(use.sha256[:_HASH_CELLS] + "  ", dim)], rest - _HASH_CELLS - 2
        return [
            [
                Segment(" ●" if state.marked else "  "),
                Segment(_CURRENT if row.current else "  ", self.style_of("tone--good")),
                Segment(fit(row.when, _WHEN_CELLS) + " ", dim),
                Segment(fit(row.how, _HOW_CELLS) + " "),
                Segment(fit(words, _WORDS_CELLS, right=True) + "  "),
                *name,
                Segment(fit(" · ".join(filter(None, (row.tests, use.first_line))), rest), dim),
            ]
        ]


class PromptDiffScreen(Page):
    PLACE = "In a comparison of prompts"
    PARTS = (ProseDiffView,)
    AUTO_FOCUS = "ProseDiffView"
    FIRST_READS = ("prompt-diff",)
    # The focused diff has the footer ranks 7, 11 and 12.
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("prompt-diff.back", "escape", "app.pop_screen", "Back", footer=1),
        Action("prompt-diff.refresh", "r", "refresh", "Retry"),
        error_action("prompt-diff"),
    )
    HELP = """\
# Two prompts
`−` lines are the older prompt, `+` lines the newer one; brighter words are the ones that changed. `{diff.next}` and
`{diff.previous}` go from change to change.
"""

    def __init__(self, app_state: AppState, agent_name: str, old: UseRow, new: UseRow) -> None:
        super().__init__(app_state)
        self._agent_name, self._old, self._new = agent_name, old, new

    def body(self) -> ComposeResult:
        yield OneLine(id="prompt-diff-headline")
        yield OneLine(id="prompt-diff-old", classes="pane-title")
        yield OneLine(id="prompt-diff-new", classes="pane-title")
        with Pane(title="Changes", id="prompt-diff-pane"):
            yield ProseDiffView(id="prompt-diff")
        yield Notice(id="prompt-diff-notice")

    def on_mount(self) -> None:
        text = Text(f" Prompts of {clean_line(self._agent_name, 40)}", style="bold", end="")
        self.query_one("#prompt-diff-headline", OneLine).show(text)
        for name, mark, row in (("old", "−", self._old), ("new", "+", self._new)):
            line = f"{mark} {row.how} · {row.when} · {count(row.use.words, 'word')}"
            self.query_one(f"#prompt-diff-{name}", OneLine).show(Text(line))
        self.action_refresh()

    def action_refresh(self) -> None:
        self._show_diff(None, empty=("Comparing …", ""))
        self._load()

    @work(group="prompt-diff", exclusive=True)
    async def _load(self) -> None:
        do = self.state.workspace.do
        try:
            old = await do(lambda session: session.store.prompt_uses.text(self._old.use.sha256))
            new = await do(lambda session: session.store.prompt_uses.text(self._new.use.sha256))
        except CekuraTuiError as error:
            self._show_diff(None, error=error)
            return
        same = "No changes", with_keys("Both prompts are the same, byte for byte.\n{prompt-diff.back} back")
        self._show_diff(await asyncio.to_thread(compare, old, new), empty=same)

    def _show_diff(
        self, diff: ProseDiff | None, *, error: CekuraTuiError | None = None, empty: tuple[str, str] = ("", "")
    ) -> None:
        if self.is_unmounted:
            return
        pane, has_changes = self.query_one("#prompt-diff-pane", Pane), diff is not None and not diff.is_same
        self.show_state(pane, loaded=has_changes, error=error, empty=empty, focus=False)
        if diff is not None and has_changes:
            words = f"+{diff.added_words:,} −{diff.removed_words:,} words"
            pane.show_title("Changes", f"{len(diff.hunks):,}", words)
            self.query_one(ProseDiffView).show_diff(diff)
            self.query_one(ProseDiffView).focus()


def _unless_use(screen: PromptHistoryScreen) -> str | None:
    is_there = screen.is_attached and screen.query(PromptUseList) and screen.row is not None
    return None if is_there else NOT_OFFERED


def _unless_former(screen: PromptHistoryScreen) -> str | None:
    if (missing := _unless_use(screen)) is not None:
        return missing
    is_current = screen.row is not None and screen.row.use.sha256 == screen.current
    return "Nothing to restore: this is the current prompt." if is_current else None


class PromptHistoryScreen(Page):
    PLACE = "In the prompt history"
    PARTS = (PromptUseList,)
    AUTO_FOCUS = "PromptUseList"
    FIRST_READS = ("prompts", "prompts-now")
    # The focused list has the footer ranks 1 and 2.
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action(
            "prompts.hand-off",
            "y",
            lambda screen: screen.opening.begin(screen.copy_or_save, "Loading the prompt", group="prompt-hand-off"),
            "Copy or save",
            footer=3,
            why_not=_unless_use,
        ),
        Action("prompts.restore", "R", "restore", "Restore", footer=4, why_not=_unless_former),
        Action("prompts.forget", "D", lambda screen: screen.forget(), "Delete", footer=5, why_not=_unless_use),
        Action("prompts.refresh", "r", "refresh", "Reload"),
        error_action("prompts"),
        Action("prompts.back", "escape", "back", "Back", footer=6),
    )
    HELP = """\
# Prompts of an agent
What happened to the agent's prompt, newest first: updates, restores, prompts sent with a job, suggested by one, or
read from the agent; `»` is the current prompt. `{prompt-uses.open}` compares the prompt under the cursor with the
one marked by `{prompt-uses.mark}`, or with the current one. `{prompts.restore}` restores the prompt under the
cursor, after asking. `{prompts.hand-off}` copies or saves that prompt, `{prompts.forget}` deletes it.
"""

    def __init__(self, app_state: AppState, agent_id: int, agent_name: str) -> None:
        super().__init__(app_state)
        self._agent_id = agent_id
        self._agent_name = clean_line(agent_name, 60) or f"agent {agent_id}"
        self.current = ""
        """Hash of the agent's current prompt; "" until the prompt is loaded."""
        self._loading = True
        self._failure: CekuraTuiError | None = None
        self._restoring = self._writing = False

    def body(self) -> ComposeResult:
        yield OneLine(id="prompts-headline")
        yield OneLine(id="prompts-now")
        with Pane(title="History", id="prompts-pane"):
            yield PromptUseList(id="prompt-uses")
        yield Notice(id="prompts-notice")
        yield HangingText(id="prompts-note")

    def on_mount(self) -> None:
        self.query_one("#prompts-pane").display = False
        self.query_one("#prompts-note").display = False
        self.query_one(Notice).show("Loading …")
        self._draw_current()
        self._load_current()

    def on_screen_resume(self) -> None:
        self._load()

    # Loading

    @work(group="prompts-now", exclusive=True)
    async def _load_current(self) -> None:
        """Load the agent's current prompt, then the history, which now includes that prompt."""
        try:
            agent, prompt = await self.state.workspace.call(lambda session: session.agent_prompt(self._agent_id))
        except CekuraTuiError as error:
            self.current, self._failure = "", error
        else:
            self.current, self._failure = sha256(prompt), None
            self._agent_name = clean_line(agent.name, 60) or self._agent_name
        self._loading = False
        if not self.is_unmounted:
            self._draw_current()
            self._load()

    @work(group="prompts", exclusive=True)
    async def _load(self) -> None:
        uses: list[PromptUse] = []
        problem: CekuraTuiError | None = None
        try:
            uses = await self.state.workspace.do(lambda session: session.store.prompt_uses.all(self._agent_id))
        except CekuraTuiError as error:
            problem = error
        if self.is_unmounted:
            return
        listed = self.query_one(PromptUseList)
        listed.show_uses(uses, self.state, self.current)
        # A forgotten prompt must not stay marked for comparison.
        listed.marks &= {listed.key_of(row) for row in listed.rows}
        pane = self.query_one("#prompts-pane", Pane)
        pane.show_title("History", f"{len(listed.rows):,}", "» current" if self.current else "")
        self.query_one("#prompts-headline", OneLine).show(Text(f" Prompts of {self._agent_name}", style="bold", end=""))
        empty = "No prompts yet", "Prompts sent, suggested, updated or read from the agent will be listed here."
        self.show_state(pane, loaded=bool(uses), error=problem, empty=empty, focus=False)
        if uses and not self.focused:
            listed.focus()
        self.refresh_bindings()

    def _draw_current(self) -> None:
        line = self.query_one("#prompts-now", OneLine)
        line.display = self._loading or self._failure is not None
        line.set_class(not self._loading, "-failed")
        problem = f"! Can't load the current prompt: {self._failure.message}" if self._failure is not None else ""
        line.show(Text(clean_line("Loading the current prompt …" if self._loading else problem)))

    def action_refresh(self) -> None:
        self._loading = True
        self._draw_current()
        self._load_current()
        self._load()

    # Keys

    @property
    def row(self) -> UseRow | None:
        return self.query_one(PromptUseList).cursor_row

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out the restore key on the current prompt. Pressing the greyed-out key shows the reason."""
        if action == "restore" and disabled_reason(self, action) is not None:
            return None
        return super().check_action(action, parameters)

    @on(PromptUseList.Moved)
    def update_restore_key(self) -> None:
        self.refresh_bindings()

    def action_back(self) -> None:
        if self._writing:
            self._show_message("Restoring … The result will be shown here.")
        else:
            self.dismiss(None)

    @on(PromptUseList.Opened)
    def compare(self) -> None:
        if (row := self.row) is None or not self.is_current:
            return
        other = self._comparison_for(row)
        if other is None:
            self.notify_once("No other prompt to compare with.")
            return
        old, new = sorted((row, other), key=lambda one: one.use.at)
        self.app.push_screen(PromptDiffScreen(self.state, self._agent_name, old, new))

    def _comparison_for(self, row: UseRow) -> UseRow | None:
        """The row to compare with: the marked row, else the row of the current prompt. If neither is another row, the
        next older or else the next newer row with another text; None if there is no such row."""
        listed = self.query_one(PromptUseList)
        if (marked := listed.marked) is not None and marked != row:
            return marked
        now = next((one for one in listed.rows if one.current), None)
        if now is not None and row.use.sha256 != self.current:
            return now
        at = listed.rows.index(row)
        others = (*listed.rows[at + 1 :], *reversed(listed.rows[:at]))
        return next((one for one in others if one.use.sha256 != row.use.sha256), None)

    async def copy_or_save(self) -> None:
        if (row := self.row) is None:
            return
        try:
            prompt = await self.state.workspace.do(lambda session: session.store.prompt_uses.text(row.use.sha256))
        except CekuraTuiError as error:
            self.show_error(error)
            return
        whose = f"the prompt {row.how}, {row.when}"
        self.notify_once(await self.opening.ask(copy_prompt_dialog(whose, self._agent_name, prompt)))

    def forget(self) -> None:
        if (row := self.row) is None:
            return
        what = f"{row.how}, {row.when}, {count(row.use.words, 'word')}"
        stays = "The text stays in jobs, and in other lines of this list that have the same text."
        if any(use.how == "replaced" for use in row.uses):
            stays = with_keys("If the last update replaced this prompt, {prompts.restore} can no longer restore it.")
        text = f"{what[0].upper()}{what[1:]}: “{row.use.first_line}”\n\n{stays}"
        title = f"Delete this prompt of {self._agent_name} from this machine?"
        ConfirmDialog(title, text, "Delete the prompt").ask(self.app, partial(self._forget, row))

    @work(group="prompt-forget")
    async def _forget(self, row: UseRow) -> None:
        async def forget(session: Session) -> None:
            for use in row.uses:
                session.store.prompt_uses.forget(use)

        try:
            await self.state.workspace.call(forget)
        except CekuraTuiError as error:
            self.show_error(error)
            return
        self.notify_once("Prompt deleted from this machine.")
        self._load()

    def action_restore(self) -> None:
        if not self._restoring and (row := self.row) is not None:
            self._restoring = True
            self._show_message("")
            restore = partial(self._restore, row.use)
            self.opening.begin(restore, "Loading the current prompt", group="prompt-restore")

    async def _restore(self, use: PromptUse) -> None:
        result = NOT_RESTORED
        try:
            result = await restore_prompt(self.opening, self.state, self._agent_id, self._restore_started, use)
        finally:  # also if the user cancels
            self._show_message(*result)
            self._restoring = self._writing = False
        if not self.is_unmounted:
            self.action_refresh()

    def _restore_started(self) -> None:
        self._writing = True
        self._show_message("Restoring …")

    def _show_message(self, text: str, kind: MessageKind = "") -> None:
        if not self.is_unmounted:
            self.query_one("#prompts-note", HangingText).show_result(text, kind)


def copy_prompt_dialog(whose: str, name: str, prompt: Prompt) -> CopyDialog:
    """A dialog that copies or saves the prompt described by `whose`, under a name made from `name`. Returns a sentence
    that names the saved file, or None."""

    def write(name: str, *, force: bool) -> str:
        path = check_output(name, force=force)
        write_output(path, prompt_bytes(prompt), force=force)
        note = " The file has control characters." if has_controls(prompt) else ""
        return f"Saved to {path.absolute()}.{note}"

    def save(dialog: CopyDialog) -> None:
        dialog.save("the prompt", safe_name(f"prompt-{name}", ".md"), write)

    offers = [Offer("prompt", lambda: prompt), Offer("save the prompt to a file …", lambda: prompt, do=save)]
    if any("\ud800" <= character <= "\udfff" for character in prompt):  # cannot be encoded in UTF-8 for the terminal
        return CopyDialog(whose, offers[1:], ["Can't copy: the prompt has half a character. Save to a file instead."])
    return CopyDialog(whose, offers)
