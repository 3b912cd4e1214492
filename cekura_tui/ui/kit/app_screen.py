"""The base of pages and dialogs: keys done in their order, and nothing painted before a screen is whole."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any, ClassVar, TypeVar

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.messages import Prune
from textual.screen import Screen
from textual.widget import Widget

from cekura_tui.ui.actions import bind, do_action, is_offered
from cekura_tui.ui.keymap import Chain, keymap_in_use
from cekura_tui.ui.kit.keys_in_order import PendingDialog, StandIn, do_in_order
from cekura_tui.ui.kit.pane import Pane
from cekura_tui.ui.terminal.textual_private import (
    cancel_workers,
    end_with,
    is_gone,
    is_quiet,
    lay_out_if_needed,
    load_sheets,
    paint,
    run_callbacks,
    size_classes,
    version_of,
)

T = TypeVar("T")

Part = type[DOMNode] | tuple[type[DOMNode], ...]
"""A widget with actions, or several of which each is in the next one."""
_STYLE_SHEETS = ("app", "kit", "dialogs", "runs", "run", "jobs", "suggestion")


def style_sheets(*names: str) -> list[str | PurePath]:
    """The style sheets with these names, by default all, in the order they apply."""
    package = Path(__file__).parents[2]
    places = (package / "styles", package.parent / "styles")
    folder = next(place for place in places if (place / "app.tcss").is_file())
    return [folder / f"{name}.tcss" for name in _STYLE_SHEETS if name in (names or _STYLE_SHEETS)]


READING = 0.06
"""Seconds that a screen which still reads something is waited for; then it is painted as it is."""
BUSY = 0.1
"""Seconds after which it is painted though more comes all the time, as while text is pasted key by key."""
OPENING = 0.5
"""Likewise, while a screen comes to the top."""
_STILL = 6
"""Looks in a row, one each time round the loop, that must find nothing to wait for: widgets ask for a layout when they
have nothing else to do, and who awaits others goes on some rounds after them."""
_STEP = 0.001
"""Seconds between two looks at work in the background."""


class Painting:
    """Holds painting back while a key or a new screen is dealt with, and then paints once.

    Textual paints a new screen as it is put together: empty, then with its widgets, then with what they show.
    """

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._task: asyncio.Task[None] | None = None
        self._begun = self._until = 0.0
        self._whole = False
        """Whether another screen comes to the top."""
        self._painted: Callable[[], object] | None = None
        self.held = False
        """Whether nothing is painted now."""

    def hold(self) -> None:
        """Paint nothing until what changes now is laid out."""
        if not self.held:
            self.held, self._begun = True, time.monotonic()
            self._task = asyncio.get_running_loop().create_task(self._paint_when_ready())
            self._task.add_done_callback(self._ended)

    def hold_for_screen(self, painted: Callable[[], object] | None = None) -> None:
        """Paint nothing until the screen that comes to the top is whole; `painted` is called when it was painted."""
        self.hold()
        self._whole, self._painted = True, painted or self._painted
        self._until = time.monotonic() + READING

    async def _paint_when_ready(self) -> None:
        app = self._app
        try:
            with app.batch_update():
                still = 0
                while still < _STILL:
                    still = still + 1 if await self._is_ready() else 0
        finally:
            self.held, whole, self._whole = False, self._whole, False
            painted, self._painted = self._painted, None
        if app.screen_stack and app.is_running:
            for screen in app.screen_stack[:-1]:
                screen.check_idle()
            paint(app, whole=whole)
            if painted is not None:
                painted()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """An error while painting ends the app, as it does where Textual paints."""
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            end_with(self._app, error)

    async def _is_ready(self) -> bool:
        """Let everything that is due be done, and the screen be laid out; whether nothing is left to wait for."""
        await asyncio.sleep(0)
        app = self._app
        if not app.is_running:
            return True
        if not app.screen_stack:
            return False
        screen, now = app.screen, time.monotonic()
        if lay_out_if_needed(screen) or not is_quiet(app) or run_callbacks(screen):
            return screen.is_mounted and now > self._begun + (OPENING if self._whole else BUSY)
        if now < self._until and isinstance(screen, AppScreen) and screen.is_reading:
            await asyncio.sleep(_STEP)
            return False
        return True


class AppScreen(Screen[T]):
    """What a page and a dialog have in common."""

    SHEETS: ClassVar[tuple[str, ...]] = ()
    """Style sheets of other rooms that it needs beside its own."""
    FIRST_READS: ClassVar[tuple[str, ...]] = ()
    """Groups of the screen's own workers without whose results it is not whole."""

    PLACE: ClassVar[str] = ""
    """Where its actions can be done, in words: "In a run"."""
    PARTS: ClassVar[tuple[Part, ...]] = ()
    """What in it has actions of its own, and can have the focus."""

    deaf_until = 0.0
    """Keys pressed before this moment, in seconds as events count them, are dropped, but for esc."""

    _styled = -1
    """The version of the colours by which it is styled."""

    def __init_subclass__(cls, **options: Any) -> None:
        bind(cls)
        super().__init_subclass__(**options)
        cls.CSS_PATH = style_sheets(*cls.__module__.split("."), *cls.SHEETS)

    def __init__(self, stand_in: StandIn) -> None:
        super().__init__()
        self.opening = PendingDialog(self, stand_in)

    @property
    def is_reading(self) -> bool:
        """Whether what it shows first is still being read."""
        own = (one for one in self.workers if not one.is_finished and self in one.node.ancestors_with_self)
        return any(one.group in self.FIRST_READS for one in own)

    async def _on_compose(self, event: events.Compose) -> None:
        # Before anything is in it: else all of it is styled without its sheet, or for no size, and then again.
        load_sheets(self)
        size_classes(self, self.app.size)
        self.update_node_styles(animate=False)
        self.note_styled()

    @property
    def is_styled(self) -> bool:
        """Whether its styles are by the colours that the app has now."""
        return self._styled == version_of(self.app.stylesheet)

    def note_styled(self) -> None:
        """Note that it was styled by the colours that the app has now."""
        self._styled = version_of(self.app.stylesheet)

    def _update_focus_styles(self, focused: Widget | None = None, blurred: Widget | None = None) -> None:
        # Panes alone and the titles of sections look otherwise with the focus in them: Textual would style all of what
        # is in them again, which takes longer than to paint it, and not the titles.
        around = {node for end in filter(None, (focused, blurred)) for node in end.ancestors_with_self}
        titles = {
            title for node in around if node.has_class("section") for title in node.query_children(".section-title")
        }
        self.app.stylesheet.update_nodes({node for node in around if isinstance(node, Pane)} | titles, animate=True)

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        event.refresh_styles = False  # what changes a style meanwhile styles it again by itself: `App.refresh_css`

    @property
    def _is_held(self) -> bool:
        painting = getattr(self.app, "painting", None)
        return isinstance(painting, Painting) and painting.held

    def _compositor_refresh(self) -> None:
        if not self._is_held:
            super()._compositor_refresh()

    async def _on_idle(self, event: events.Idle) -> None:
        # What waits for a painting is done once everything is in its place: `Painting` sees to that.
        if self._is_held and self.app.screen is self:
            event.prevent_default()

    def keep(self) -> None:
        """Save what was typed here: the program is being closed."""

    def _on_prune(self, event: Prune) -> None:
        cancel_workers(self)

    @property
    def _binding_chain(self) -> Chain:
        return keymap_in_use().chain(self, super()._binding_chain)

    async def _on_key(self, event: events.Key) -> None:
        await do_in_order(self, event)

    async def action_do(self, action_id: str) -> None:
        await do_action(self, action_id)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is not to be mentioned now is no key either."""
        return is_offered(self, action, parameters)

    @property
    def is_unmounted(self) -> bool:
        """Whether its widgets are not mounted yet or are being removed; a late answer must not be drawn then."""
        return is_gone(self)
