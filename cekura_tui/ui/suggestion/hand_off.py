"""The dialog that saves or copies a suggestion's prompt or patch, or opens the patch in a pager."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Label, Static

from cekura_tui.config.paths import expand
from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.job import Suggestion
from cekura_tui.model.text import Prompt, clean, clean_line, has_controls, size_text
from cekura_tui.ui.kit.copying import SaveLine
from cekura_tui.ui.kit.dialog import Dialog, KeyHint, dialog_box, section
from cekura_tui.ui.kit.lists import Choice, ChoiceList
from cekura_tui.ui.messages import CopyRequested
from cekura_tui.ui.terminal.foreground import pager, show_in_pager
from cekura_tui.workspace.prompt_files import (
    PromptFileDrifted,
    check_output,
    is_source,
    patch_of,
    relative_source,
    safe_name,
    source_file,
    write_suggestion,
)

_Version = Literal["staged", "proposed"]
_FOLDER_CELLS = 50
"""Maximum number of characters shown of the folder's path. A longer path loses its start."""


class HandOffDialog(Dialog[str]):
    """Returns a sentence that names the saved file, or None if no file was saved. `staged` returns the current staged
    prompt, which is preselected if it differs from the prompt that was sent."""

    AUTO_FOCUS = "Input"

    def __init__(self, done: Suggestion, staged: Callable[[], Prompt]) -> None:
        super().__init__()
        self._done, self._staged = done, staged
        self._proposed = done.prompt if done.improved_prompt is None else done.improved_prompt
        self._version_list = ChoiceList(several=False, id="hand-off-what")
        self._version: _Version = "proposed" if staged() == done.prompt else "staged"
        self._patch = False
        self._pager = " ".join(pager()[:1])
        self._save_line = SaveLine(
            self._proposed_name(),
            self._write,
            self.dismiss,
            about=self._about_file,
            failed=self._show_drift,
            select_on_focus=True,
        )

    def compose(self) -> ComposeResult:
        with dialog_box("Copy or save the prompt", id="hand-off"):
            with Vertical(classes="section"):
                yield Label(Content("File"), classes="section-title", id="hand-off-folder")
                yield self._save_line
            yield section("Text", self._version_list)
            yield self._save_line.note
            with VerticalScroll(id="drift"):
                yield Static(id="drift-text")
            with Horizontal(classes="dialog-buttons"):
                yield Button(Content("Save"), id="save", variant="primary", compact=True)
                yield Button(Content("Copy"), id="copy", compact=True)
                if self._pager:
                    yield Button(Content(f"Open patch in {clean(Path(self._pager).name)}"), id="read", compact=True)
            yield KeyHint("enter save · tab next · {choice.choose} choose · {dialog.close} close")

    def on_mount(self) -> None:
        self._version_list.show_rows(self._choices())
        self._version_list.marks = frozenset({self._version})
        self._version_list.move_to(self._version)
        self._save_line.renamed()  # Input posts no message about its initial value
        self.show_folder()

    def _choices(self) -> list[Choice]:
        staged = self._staged()
        size = "nothing accepted yet" if staged == self._done.prompt else size_text(staged)
        return [
            Choice("staged", f"Staged prompt (your decisions) · {size}"),
            Choice("proposed", f"Improved prompt (the whole suggestion) · {size_text(self._proposed)}"),
            Choice("staged patch", "Patch from the original to the staged prompt"),
            Choice("proposed patch", "Patch from the original to the improved prompt"),
        ]

    @on(ChoiceList.Marked, "#hand-off-what")
    def chosen(self) -> None:
        """Switch to another text. Update the file name, unless the user has changed the file name."""
        untouched = self._save_line.file_name == self._proposed_name()
        (key,) = self._version_list.chosen
        self._version = "staged" if key.startswith("staged") else "proposed"
        self._patch = key.endswith("patch")
        if untouched:
            self._save_line.value = self._proposed_name()
        self._save_line.renamed()
        self.show_folder()

    def _proposed_name(self) -> str:
        source, other = self._done.job.prompt_source, f"improved-prompt-{self._done.job.number}"
        named = source_file(source)
        if self._patch:
            return safe_name(named.stem if named else other, ".patch")
        own = relative_source(source)
        # Propose only a name that the input field shows exactly.
        return own if named and clean(own) == own else f"{other}.md"

    def _about_file(self, name: str) -> str:
        """A note if `name` is the file from which the prompt came and which saving replaces; else ""."""
        if self._patch or not is_source(name, self._done.job.prompt_source):
            return ""
        return "The prompt came from this file. Saving replaces the file, unless it has changed since."

    @on(Input.Changed)
    def show_folder(self) -> None:
        self.query_one("#drift").display = False
        title = " · ".join(filter(None, ("File", _folder_words(self._save_line.file_name))))
        self.query_one("#hand-off-folder", Label).update(Content(title))

    @property
    def _prompt(self) -> Prompt:
        return self._staged() if self._version == "staged" else self._proposed

    def _text(self) -> Prompt:
        """The chosen prompt or patch. Raises UsageError for an empty patch."""
        return self._as_patch() if self._patch else self._prompt

    def _as_patch(self) -> Prompt:
        other = self._prompt
        if other == self._done.prompt:
            which = "staged" if self._version == "staged" else "improved"
            raise UsageError(f"No patch: the {which} prompt is the same as the original.")
        return patch_of(self._done, other)

    def _write(self, name: str, *, force: bool) -> str:
        text = self._text()
        # The prompt's own file needs no confirmation: `write_suggestion` checks that it still has the sent text.
        force = force or (not self._patch and is_source(name, self._done.job.prompt_source))
        path = check_output(name, force=force)
        more = write_suggestion(path, text, self._done, force=force)
        note = "The file has control characters." if has_controls(text) else ""
        return " ".join(filter(None, (f"Saved to {path.absolute()}.", more, note)))

    @work(group="drift", exclusive=True)
    async def _show_drift(self, error: CekuraTuiError) -> None:
        if not isinstance(error, PromptFileDrifted):
            return
        name = self._save_line.file_name
        drift = await asyncio.to_thread(error.drift)
        if self.is_mounted and self._save_line.file_name == name:
            self.query_one("#drift-text", Static).update(Content(f"Changes in the file:\n{clean(drift).rstrip()}"))
            self.query_one("#drift").display = True

    @on(Button.Pressed, "#save")
    def save_it(self) -> None:
        self._save_line.save()

    @on(Button.Pressed, "#copy")
    def copy(self) -> None:
        try:
            text = self._text()
        except CekuraTuiError as error:
            self._save_line.note.show(error.sentence())
        else:
            which = "staged" if self._version == "staged" else "improved"
            what = f"the patch to the {which} prompt" if self._patch else f"the {which} prompt"
            self.app.post_message(CopyRequested(text, what))
            self.dismiss(None)

    @on(Button.Pressed, "#read")
    def read(self) -> None:
        try:
            show_in_pager(self.app, self._as_patch())
        except CekuraTuiError as error:
            self._save_line.note.show(error.sentence())


def _folder_words(name: str) -> str:
    """The folder of a file name, such as "in ~/prompts", cropped at the start; "" if the folder cannot be found."""
    try:
        folder, home = expand(name or ".").absolute(), Path.home()
    except (OSError, RuntimeError, UsageError):
        return ""
    folder = folder.parent if name else folder
    words = clean_line(str(Path("~") / folder.relative_to(home) if folder.is_relative_to(home) else folder))
    return f"in {words}" if len(words) <= _FOLDER_CELLS else f"in …{words[1 - _FOLDER_CELLS :]}"
