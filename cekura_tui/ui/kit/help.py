"""The help of a screen: its prose, and all keys that do something on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Label, Static

from cekura_tui.ui.actions import Action, bindings
from cekura_tui.ui.kit.dialog import Dialog
from cekura_tui.ui.kit.footer import key_name

_KEY = "bold $accent"
_Where = Literal["screen", "focus", "app"]
_Span = tuple[str, str]
"""A text and its style."""


class KeyRow(NamedTuple):
    """The keys of one action; those that cannot be used just now are not `enabled`."""

    keys: tuple[str, ...]
    words: str
    enabled: bool


def keys_of(screen: Screen[Any]) -> Mapping[_Where, list[KeyRow]]:
    """What each key does now, with the focus where it is: keys of the screen, of what has the focus, of the app."""
    rows: dict[_Where, dict[str, KeyRow]] = {"screen": {}, "focus": {}, "app": {}}
    # All of ours have an id: what has none came with Textual, to every screen or to a widget.
    bound = sorted(screen.active_bindings.values(), key=lambda one: one.binding.id is None)
    for node, binding, enabled, _ in bound:
        if binding.system or not binding.description:
            continue
        where: _Where = "focus"
        if isinstance(node, App | Screen):
            where = "screen" if isinstance(node, Screen) and binding.id else "app"
        name, words = key_name(screen.app, binding), _words(binding)
        row = rows[where].get(binding.action, KeyRow((), words, enabled))
        if name not in row.keys:
            rows[where][binding.action] = row._replace(keys=(*row.keys, name))
    return {where: list(found.values()) for where, found in rows.items() if found}


def _words(binding: Binding) -> str:
    return binding.description if binding.id else binding.description.capitalize()


class HelpDialog(Dialog[None]):
    """What a screen was like when this was opened; it closes by any key that usually leads out of something."""

    ACTIONS = (
        Action("help.close", "q,question_mark", "give_up", "Close"),
        Action("help.down", "j,down", "scroll(1)", "Down"),
        Action("help.up", "k,up", "scroll(-1)", "Up"),
        Action("help.page-down", "space,pagedown", "page(1.0)", "Page down"),
        Action("help.page-up", "pageup", "page(-1.0)", "Page up"),
        Action("help.half-down", "ctrl+d", "page(0.5)", "Half a page down"),
        Action("help.half-up", "ctrl+u", "page(-0.5)", "Half a page up"),
        Action("help.first", "g,home", "first", "First line"),
        Action("help.last", "G,end", "last", "Last line"),
    )
    BINDINGS = bindings(ACTIONS)

    def __init__(self, of: Screen[Any]) -> None:
        super().__init__()
        head, _, self._prose = (of.HELP or "").strip().partition("\n")
        self._title = head.removeprefix("# ") or "Keys"
        self._names: Mapping[_Where, str] = {
            "screen": "In this dialog" if of.is_modal else "On this page",
            "focus": "Where the focus is",
            "app": "Everywhere",
        }
        self._keys = keys_of(of)

    def compose(self) -> ComposeResult:
        """Everything in one scrolling text."""
        with VerticalScroll(id="help", classes="dialog", can_focus=False) as box:
            box.border_subtitle = "j k space: scroll · esc: close"
            yield Label(Content(self._title), classes="dialog-title")
            yield Static(Content.assemble(*self._spans()).rstrip(), id="help-text")

    def _spans(self) -> Iterator[_Span]:
        for paragraph in filter(None, self._prose.split("\n\n")):
            yield from _paragraph(paragraph)
            yield "\n\n", ""
        width = max((cell_len(" ".join(row.keys)) for rows in self._keys.values() for row in rows), default=0)
        for n, (where, rows) in enumerate(self._keys.items()):
            yield "\n" * (n > 0) + self._names[where], "bold underline"
            yield "\n", ""
            for row in rows:
                keys, dim = " ".join(row.keys), "" if row.enabled else "dim"
                yield keys + " " * (width - cell_len(keys)), f"{_KEY} {dim}"
                yield f"  {row.words}\n", dim

    # Keys

    @property
    def _box(self) -> VerticalScroll:
        return self.query_one("#help", VerticalScroll)

    def action_scroll(self, lines: int) -> None:
        """By so many lines."""
        self._box.scroll_relative(y=lines, animate=False)

    def action_page(self, pages: float) -> None:
        """By so many pages; one line stays."""
        lines = int(self._box.scrollable_content_region.height * abs(pages)) - 1
        self.action_scroll(max(lines, 1) * (1 if pages > 0 else -1))

    def action_first(self) -> None:
        """To the first line."""
        self._box.scroll_home(animate=False)

    def action_last(self) -> None:
        """To the last line."""
        self._box.scroll_end(animate=False)


def _paragraph(text: str) -> Iterator[_Span]:
    """Words on one line, to be wrapped; what stands in backticks is a key or is to be typed."""
    for n, part in enumerate(" ".join(text.split()).split("`")):
        yield part, _KEY if n % 2 else ""
