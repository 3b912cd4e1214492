"""A prompt in a text box: exact until somebody types, however the box would show it."""

from __future__ import annotations

from cekura_tui.model.text import Prompt, count, has_controls


class PromptText:
    """Knows whether the box was edited. A box shows cleaned text with newlines, so only an edited one is read back."""

    def __init__(self) -> None:
        self._prompt = Prompt("")
        self._shown = ""
        self.changed_outside = False
        """Whether an editor changed the prompt before it was put here."""

    def put(self, prompt: Prompt, shown: str) -> None:
        """This prompt is in the box now, which reads back as `shown`."""
        self._prompt, self._shown, self.changed_outside = prompt, shown, False

    def edited(self, text: str) -> bool:
        """Whether the text is another than what was put in."""
        return self.changed_outside or text != self._shown

    def read(self, text: str) -> Prompt:
        """The prompt that this text stands for: the exact one, or the edited text with the line ends it had."""
        if text == self._shown:
            return self._prompt
        return Prompt(text.replace("\n", "\r\n") if self._crlf else text)

    @property
    def _crlf(self) -> bool:
        return "\r\n" in self._prompt

    def facts(self, text: str) -> str:
        """How long the prompt of this text is, whether it was edited, and what the box does not show of it."""
        prompt = self.read(text)
        edited = " · edited" if self.edited(text) else ""
        return f"{count(len(prompt.split()), 'word')}, {count(len(prompt), 'character')}{edited}{self._note}"

    @property
    def _note(self) -> str:
        hidden = has_controls(self._prompt) or "\t" in self._prompt
        return " · has tabs or control characters, sent as they are unless you edit here" if hidden else ""
