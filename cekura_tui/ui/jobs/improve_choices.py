"""The lists of the improve dialog: who proposes, prompt sources and focuses."""

from __future__ import annotations

from collections.abc import Sequence

from cekura_tui.model.job import BY_COMMAND, DEFAULT_KIND, FROM_FILE, PROPOSING, Draft
from cekura_tui.model.text import Prompt
from cekura_tui.ui.keymap import with_keys
from cekura_tui.ui.kit.lists import Choice, ChoiceList
from cekura_tui.ui.kit.prompt_box import PromptArea
from cekura_tui.ui.messages import GivenPrompt
from cekura_tui.workspace.prompt_files import source_of


class FocusList(ChoiceList):
    """A multiple-choice list of focuses. Each focus is ("metric" or "category", id, name)."""

    def __init__(self, focuses: Sequence[tuple[str, int, str]]) -> None:
        super().__init__(several=True, id="focuses")
        self._focuses = focuses

    def on_mount(self) -> None:
        self.show_rows([Choice(f"{kind} {id_}", f"{kind.capitalize()}: {name}") for kind, id_, name in self._focuses])

    def choose(self, category_ids: Sequence[int], metric_ids: Sequence[int]) -> None:
        if self._focuses:
            self.marks = {f"category {id_}" for id_ in category_ids} | {f"metric {id_}" for id_ in metric_ids}

    def ids(self, kind: str) -> tuple[int, ...]:
        """Ids of the chosen focuses of `kind` ("metric" or "category"), in list order."""
        return tuple(id_ for of, id_, _ in self._focuses if of == kind and f"{kind} {id_}" in self.chosen)


_PROPOSERS = {DEFAULT_KIND: "Cekura", BY_COMMAND: "A command", FROM_FILE: "A prompt from a file"}
PARAMETERS = {BY_COMMAND: "command", FROM_FILE: "file"}
"""The name of the line that is typed for a kind of job, and of the draft's parameter with this line."""
PLACEHOLDERS = {BY_COMMAND: "Command, such as llm -m gpt-5", FROM_FILE: "Path of the new prompt"}
_NOT_OFFERED = "Cekura proposes no prompts on this server (its answer to an earlier launch)."
_EXAMPLES = """\
Examples: llm -m gpt-5 · ollama run llama3.2 · ~/bin/improve.py
The command reads the runs and the prompt, and prints a better prompt.
To set it for good: cekura-tui config set improve.command "llm -m gpt-5\""""


class Proposers(ChoiceList):
    """A single-choice list of who proposes the prompt: kinds of job, each with the line typed for it."""

    def __init__(self) -> None:
        super().__init__(several=False, id="proposers")
        self.has_cekura, self.typed, self.lines = True, False, dict[str, str]()

    @property
    def kind(self) -> str:
        return next(iter(self.chosen), DEFAULT_KIND)

    @property
    def line(self) -> str:
        return self.lines.get(self.kind, "").strip()

    @property
    def advice(self) -> str:
        """Why Cekura is not preselected, and examples if a command must be typed."""
        examples = _EXAMPLES if self.kind == BY_COMMAND and not self.line else ""
        return f"{'' if self.has_cekura else _NOT_OFFERED}\n{examples}".strip()

    def offer(self, kind: str, command: str, has_cekura: bool) -> None:
        """List the kinds of job and choose one. Cekura comes last if the server does not propose prompts."""
        self.has_cekura = has_cekura
        self.lines[BY_COMMAND] = self.lines.get(BY_COMMAND) or command
        kinds = PROPOSING if has_cekura else (BY_COMMAND, FROM_FILE, DEFAULT_KIND)
        self.show_rows([Choice(name, _PROPOSERS[name]) for name in kinds])
        self.choose(kind)

    def restore(self, draft: Draft) -> None:
        self.lines[draft.kind] = str(draft.parameters.get(PARAMETERS.get(draft.kind, "")) or "")
        self.choose(draft.kind)

    def choose(self, kind: str) -> None:
        self.marks = frozenset({BY_COMMAND if kind == DEFAULT_KIND and not self.has_cekura else kind})


_WORDS = {"agent": "Agent's current prompt", "file": "File", "last": "Last launched prompt", "draft": "Your draft"}


class PromptSources(ChoiceList):
    """A single-choice list of prompt sources, with the text of each loaded source. `given` is one more source."""

    def __init__(self, given: GivenPrompt | None = None) -> None:
        super().__init__(several=False, id="sources")
        self.current = given.source if given else "agent"
        self._given = given is not None
        self._path = ""
        self._texts: dict[str, Prompt] = dict([given] if given else [])

    def on_mount(self) -> None:
        for source in dict.fromkeys((self.current, "agent", "file")):
            self._add(source)

    def action_page(self, pages: float) -> None:
        """Scroll the prompt instead of this list, which is short."""
        area = self.screen.query_one(PromptArea)
        area.scroll_relative(y=int(pages * area.size.height), animate=False)

    def set_text(self, source: str, text: Prompt, path: str = "") -> None:
        """Set the text of a source, and list the source; `path` is the path of the file if the source is a file."""
        self._texts[source] = text
        self._path = source_of(path) if path else self._path
        self._add(source)

    @property
    def label(self) -> str:
        return self._path or "file" if self.current == "file" else self.current

    @property
    def reopen_hint(self) -> str:
        """A sentence that says how to open the saved draft later. A dialog that was opened with a given prompt does not
        start with the draft, so the user must choose the draft."""
        here = f"; here, choose “{_WORDS['draft']}”" if self._given else ""
        return with_keys(f"Press {{runs.improve}} on the same runs to open it{here}.")

    def text_of(self, source: str) -> Prompt:
        """The text of a source; "" until the text is loaded."""
        return self._texts.get(source, Prompt(""))

    def switch_to(self, source: str) -> None:
        self.current = source
        self.marks = frozenset({source})

    def _add(self, source: str) -> None:
        if source not in (choice.key for choice in self.rows):
            self.show_rows([*self.rows, Choice(source, _WORDS.get(source) or source[:1].upper() + source[1:])])
            self.marks = frozenset({self.current})
