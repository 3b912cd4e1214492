"""A dialog that hands a prompt over: to the terminal's clipboard, or exactly to a file."""

from __future__ import annotations

from collections.abc import Iterable

from cekura_tui.model.text import Prompt, has_controls, prompt_bytes
from cekura_tui.ui.kit.copying import Copy, CopyDialog, Lead, SaveTextDialog
from cekura_tui.workspace.prompt_files import check_output, safe_name, write_output


class SavePromptDialog(SaveTextDialog):
    """Saves a prompt exactly, to the byte."""

    def __init__(self, name: str, prompt: Prompt) -> None:
        super().__init__("the prompt", name, prompt)
        self._prompt = prompt

    def write(self, name: str, *, force: bool) -> str:
        """Write it, the whole file or none of it."""
        path = check_output(name, force=force)
        write_output(path, prompt_bytes(self._prompt), force=force)
        note = " It holds control characters." if has_controls(self._prompt) else ""
        return f"Saved to {path.absolute()}.{note}"


class CopyPromptDialog(CopyDialog):
    """Answers with where it was saved, in words, and with nothing where it was copied.

    `whose` says which prompt it is, `name` is what a file is named after.
    """

    def __init__(self, whose: str, name: str, prompt: Prompt) -> None:
        super().__init__("copy-prompt")
        self._whose, self._named, self._prompt = whose, name, prompt

    @property
    def whose(self) -> str:
        """Which prompt."""
        return self._whose

    @property
    def _copied(self) -> bool:
        try:
            self._prompt.encode()
        except UnicodeEncodeError:
            return False
        return True

    def offers(self) -> Iterable[tuple[str, Copy | Lead]]:
        """The text, and a file."""
        if self._copied:
            yield "the prompt", Copy(lambda: self._prompt)
        yield "Save it to a file …", Lead(self._save, lambda: self._prompt)

    def missing(self) -> Iterable[str]:
        """Why it cannot be copied."""
        if not self._copied:
            yield "No copy: this prompt holds half a character, which no clipboard takes."

    def _save(self) -> None:
        dialog = SavePromptDialog(safe_name(f"prompt-{self._named}", ".md"), self._prompt)
        self.app.push_screen(dialog, self._saved)

    def _saved(self, told: str | None) -> None:
        if told is not None:
            self.dismiss(told)
