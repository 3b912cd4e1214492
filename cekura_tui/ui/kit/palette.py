"""The command palette, and a palette of themes that previews the theme under the cursor."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events, on
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from cekura_tui.ui.actions import GROUPS, NOT_OFFERED, Action, table_of
from cekura_tui.ui.keymap import keymap_in_use, shown_key, with_keys
from cekura_tui.ui.kit.dialog import Dialog, dialog_box
from cekura_tui.ui.kit.inputs import TypedLine
from cekura_tui.ui.kit.lines import TONE_CLASSES
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.terminal.cells import fit
from cekura_tui.ui.theme import THEMES


class Command(NamedTuple):
    """A row of the palette. Choosing it calls `run`, unless `reason` says why the command can't be run now."""

    name: str
    about: str
    run: Callable[[], Awaitable[object]]
    key: str = ""
    reason: str = ""
    group: str = ""


class Match(NamedTuple):
    """A matching command and the typed words to highlight. `first` is true if the row above has another group."""

    command: Command
    words: tuple[str, ...]
    first: bool


def find_commands(commands: Sequence[Command], text: str) -> list[Match]:
    """Find commands that contain every typed word in name, description or reason; matches in the name come first. If no
    command matches, find commands whose name contains the typed letters in the typed order."""
    words = tuple(text.casefold().split())
    ranked = [(rank, command) for command in commands if (rank := _rank(command, words)) is not None]
    found = [command for _, command in sorted(ranked, key=lambda one: one[0])]
    found = found or [command for command in commands if _has_letters(command.name, "".join(words))]
    groups = ["", *(command.group for command in found)]
    return [Match(command, words, command.group != before) for command, before in zip(found, groups, strict=False)]


def _rank(command: Command, words: tuple[str, ...]) -> int | None:
    """Rank of a command's match, 0 for the best match; None if the command does not match."""
    name, parts = command.name.casefold(), command.name.casefold().split()
    if name.startswith(" ".join(words)):
        return int(parts != list(words))
    if all(any(part.startswith(word) for part in parts) for word in words):
        return 2
    if all(word in name for word in words):
        return 3
    text = f"{name} {command.about} {command.reason}".casefold()
    return 4 if all(word in text for word in words) else None


def _has_letters(name: str, letters: str) -> bool:
    rest = iter(name.casefold())
    return all(letter in rest for letter in letters)


def commands_on(screen: Screen[Any]) -> list[Command]:
    """The commands for the screen's current focus, sorted by group; a disabled command has a `reason`. If several
    actions have the same command name, only the action closest to the focus is listed."""
    app, found = screen.app, dict[str, Command]()
    keys: dict[str, str] = {}
    for _, binding, _, _ in screen.active_bindings.values():
        keys.setdefault(binding.id or "", shown_key(binding.key))
    for node in (screen.focused or screen).ancestors_with_self:
        for action in table_of(type(node)).values():
            reason = action.why_not(node)
            if not action.tooltip or reason == NOT_OFFERED:
                continue
            name = action.command or action.label
            about = with_keys(action.tooltip[0].upper() + action.tooltip[1:].replace("`", ""))
            run = partial(app.run_action, action.action_string, node)
            found.setdefault(name, Command(name, about, run, keys.get(action.id, ""), reason or "", action.group))
    return sorted(found.values(), key=lambda command: GROUPS.index(command.group))


class CommandList(VirtualList[Match], can_focus=False):
    """A list of commands with their group, name, description (or the reason why a command is disabled) and key."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*TONE_CLASSES, "commands--key", "commands--match"}
    DEFAULT_CSS = """
    CommandList {
        & > .commands--key { color: $accent; text-style: bold; }
        & > .commands--match { color: $accent; text-style: bold; }
    }
    """

    ALLOW_SELECT = False

    def __init__(self, commands: Sequence[Command]) -> None:
        super().__init__(id="commands")
        self._group_cells = max((len(command.group) + 2 for command in commands if command.group), default=0)
        self._name_cells = max((len(command.name) for command in commands), default=0) + 2
        self._key_cells = max((len(command.key) for command in commands), default=0)

    def key_of(self, row: Match) -> Hashable:
        return row.command.name

    def lines_of(self, row: Match, width: int, state: RowState) -> Sequence[Line]:
        command, dim = row.command, self.style_of("tone--dim")
        match = self.style_of("commands--match")
        grouped = self._group_cells if width >= 90 else 0
        room = width - 2 - grouped
        key = f" {fit(command.key, self._key_cells, right=True)}" if self._key_cells else ""
        name = fit(command.name, min(self._name_cells, room - len(key)))
        about = max(room - len(name) - len(key), 0)
        shown = fit(command.reason or command.about, about) if about >= 12 else " " * about
        return [
            [
                Segment(" " + fit(command.group if row.first else "", grouped), dim),
                *_marked(name, row.words, dim if command.reason else None, match),
                *_marked(shown, row.words, dim, match),
                Segment(key, self.style_of("commands--key") if not command.reason else dim),
            ]
        ]

    async def on_click(self, event: events.Click) -> None:
        await super().on_click(event)
        event.prevent_default()
        if event.button == 1 and event.chain == 1 and self._position_at(event) is not None:
            await self.run_action("open")


def _marked(text: str, words: tuple[str, ...], style: Style | None, match: Style) -> Iterator[Segment]:
    pattern = "|".join(map(re.escape, words))
    parts = re.split(f"({pattern})", text, flags=re.IGNORECASE) if pattern else [text]
    yield from (Segment(part, match if n % 2 else style) for n, part in enumerate(parts) if part)


class CommandLine(TypedLine):
    """The search input; enter runs the chosen command before the next key is handled."""

    longest: ClassVar[int] = 100

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """While nothing is typed in a preview, j and k move: no theme's name begins with them."""
        moves = key in ("j", "k") and not self.value and self.screen.has_class("-preview")
        return not moves and super().check_consume_key(key, character)

    async def action_submit(self) -> None:
        assert isinstance(self.screen, Palette)
        await self.screen.choose()


class Palette(Dialog[None]):
    """Finds a command and runs it on the screen below; `verb` names what enter does. The cursor begins at the command
    named `current`; `moved` gets the command under the cursor, `cancelled` is called by esc."""

    PLACE = "In the palette"
    AUTO_FOCUS = "CommandLine"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("palette.down", "down,ctrl+n,j", lambda palette: palette.list.move_by(1), "Down"),
        Action("palette.up", "up,k", lambda palette: palette.list.move_by(-1), "Up"),
        Action("palette.page-down", "pagedown", lambda palette: palette.list.action_page(1), "Page down"),
        Action("palette.page-up", "pageup", lambda palette: palette.list.action_page(-1), "Page up"),
    )

    def __init__(
        self,
        commands: Sequence[Command],
        title: str = "Commands",
        verb: str = "run",
        *,
        current: str | None = None,
        moved: Callable[[Command], object] | None = None,
        cancelled: Callable[[], object] | None = None,
    ) -> None:
        super().__init__()
        self._commands, self._title, self._verb, self._current = commands, title, verb, current
        self._moved, self._cancelled = moved, cancelled

    def compose(self) -> ComposeResult:
        with dialog_box(self._title, id="palette") as box:
            keys = f"enter {self._verb} · {{palette.up}} {{palette.down}} move · {{dialog.close}} close"
            box.border_subtitle = Content(keymap_in_use().hint(keys))
            with Horizontal(id="palette-line"):
                yield Static(Content(":"), id="palette-sign")
                yield CommandLine(placeholder="type to find one", compact=True)
            yield CommandList(self._commands)
            yield Static(Content("Nothing found. Delete a letter or a word."), id="palette-note")

    def on_mount(self) -> None:
        # `Input.Changed` would arrive after an enter that is already queued.
        self.watch(self.query_one(CommandLine), "value", self._find, init=False)
        self.list.show_rows(find_commands(self._commands, ""))
        if self._current is not None:
            self.list.move_to(self._current)

    @property
    def list(self) -> CommandList:
        return self.query_one(CommandList)

    def _find(self, text: str) -> None:
        found = find_commands(self._commands, text)
        self.list.show_rows(found, reset=True)
        self.set_class(not found, "-nothing")

    @on(CommandList.Moved)
    def show(self) -> None:
        row = self.list.cursor_row
        if row is not None and self._moved is not None and self.is_current:
            self._moved(row.command)

    @on(CommandList.Opened)
    async def choose(self) -> None:
        """Close the palette and run the command under the cursor before later keys, unless the command is disabled."""
        row = self.list.cursor_row
        if row is None or row.command.reason or not self.is_current:
            return
        done, run = asyncio.Event(), row.command.run

        async def run_below() -> None:
            try:
                await run()
            finally:
                done.set()

        # The app runs it: a screen it opens must not return its answer to this closed dialog.
        self.app.call_next(run_below)
        self.dismiss(None)
        await done.wait()

    def action_give_up(self) -> None:
        if self._cancelled is not None and self.is_current:
            self._cancelled()
        super().action_give_up()


def theme_palette(app: App[Any], chosen: Callable[[str], object]) -> Palette:
    """A palette of themes, ours first, that previews the theme under the cursor; esc restores the previous theme.
    `chosen` is called with the name of the chosen theme if the user changed the theme."""
    former = app.theme
    themes = sorted(app.available_themes.values(), key=lambda theme: (theme.name not in THEMES, theme.name))

    use = partial(setattr, app, "theme")

    async def choose(name: str) -> None:
        use(name)
        if name != former:
            chosen(name)

    commands = [
        Command(
            theme.name,
            ("dark" if theme.dark else "light") + (" · current" if theme.name == former else ""),
            partial(choose, theme.name),
        )
        for theme in themes
    ]
    palette = Palette(
        commands,
        "Theme",
        "choose",
        current=former,
        moved=lambda command: use(command.name),
        cancelled=lambda: use(former),
    )
    palette.add_class("-preview")
    return palette
