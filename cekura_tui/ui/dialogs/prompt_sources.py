"""Where the prompt of a launch comes from: the agent, a file, the last launch, a draft, or what was given with it."""

from __future__ import annotations

from typing import NamedTuple

from cekura_tui.model.text import Prompt
from cekura_tui.ui.widgets.choice_list import Choice, ChoiceList
from cekura_tui.workspace.prompt_files import source_of

_WORDS = {
    "agent": "the agent's current prompt",
    "file": "a file",
    "last": "the one launched last",
    "draft": "your draft",
}


class GivenPrompt(NamedTuple):
    """A prompt to begin with, and where it comes from in words ("staged from job 4")."""

    source: str
    prompt: Prompt


class PromptSources(ChoiceList):
    """The sources that there are, each with its text once that is known, and the one that is worked on."""

    def __init__(self, given: GivenPrompt | None = None) -> None:
        super().__init__(several=False, id="sources")
        self.current = given.source if given else "agent"
        self._given = given is not None
        self._path = ""
        self._texts: dict[str, Prompt] = dict([given] if given else [])

    def on_mount(self) -> None:
        """An agent and files there are always."""
        for source in dict.fromkeys((self.current, "agent", "file")):
            self._offer(source)

    def has(self, source: str, text: Prompt, path: str = "") -> None:
        """The text of a source is known, of a file with its path; what was not offered before is from now on."""
        self._texts[source] = text
        self._path = source_of(path) if path else self._path
        self._offer(source)

    @property
    def named(self) -> str:
        """The one that is worked on, as it is recorded with a job: a file by its path."""
        return self._path or "file" if self.current == "file" else self.current

    @property
    def opens_again(self) -> str:
        """How a kept draft is opened again: the end of a sentence. Where a prompt was given, that comes first."""
        if self._given:
            return f": i on its runs opens it, here it is “{_WORDS['draft']}”, the last of the prompts."
        return "; i on the same runs opens it again."

    def text_of(self, source: str) -> Prompt:
        """Its text; empty where it is not known yet."""
        return self._texts.get(source, Prompt(""))

    def turn_to(self, source: str) -> None:
        """This one is worked on from now on."""
        self.current = source
        self.marks = frozenset({source})

    def _offer(self, source: str) -> None:
        if source not in (choice.key for choice in self.rows):
            self.show_rows([*self.rows, Choice(source, _WORDS.get(source, source))])
            self.marks = frozenset({self.current})
