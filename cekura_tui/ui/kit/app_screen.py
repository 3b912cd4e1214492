"""The base of pages and dialogs: handles keys in order, and never paints an incomplete screen."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Coroutine
from pathlib import Path, PurePath
from typing import Any, ClassVar, TypeVar

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.messages import Prune
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import Worker

from cekura_tui.ui.actions import bind, do_action, is_offered
from cekura_tui.ui.keymap import Chain, keymap_in_use
from cekura_tui.ui.kit.keys_in_order import MakePlaceholder, PendingDialog, do_in_order
from cekura_tui.ui.kit.pane import Pane
from cekura_tui.ui.terminal.textual_private import (
    AppCompositor,
    exit_with_error,
    is_quiet,
    is_unmounted,
    lay_out_if_needed,
    load_sheets,
    paint,
    release_screen,
    run_callbacks,
    set_breakpoint_classes,
    stylesheet_version,
)

T = TypeVar("T")

Part = type[DOMNode] | tuple[type[DOMNode], ...]
"""A widget class with actions, or a tuple of nested widget classes, the innermost first."""
_STYLE_SHEETS = ("app", "kit", "dialogs", "runs", "run", "jobs", "suggestion", "test")


def style_sheets(*names: str) -> list[str | PurePath]:
    """Paths of the style sheets with these names, or of all without names, in the order in which they apply."""
    package = Path(__file__).parents[2]
    places = (package / "styles", package.parent / "styles")
    folder = next(place for place in places if (place / "app.tcss").is_file())
    return [folder / f"{name}.tcss" for name in _STYLE_SHEETS if name in (names or _STYLE_SHEETS)]


FIRST_READ = 0.06
"""Seconds to wait for a new screen's first reads before it is painted without their results."""
BUSY, OPENING = 0.1, 0.5
"""Seconds after which the current screen, or a screen being opened, is painted even if it keeps changing."""
_QUIET_TURNS = 6
"""Turns of the event loop without a change before the screen is painted: an idle widget may request a layout late."""
_GC_DELAY, _GC_DUE = 0.05, 5
"""Seconds from painting to a full garbage collection, and number of generation-1 collections that must precede it."""


class Painting:
    """Holds painting back while a key or a new screen is handled, then paints once; Textual would paint a new screen
    three times. With `tune_gc`, a full garbage collection may follow."""

    def __init__(self, app: App[Any], tune_gc: bool) -> None:
        self._app, self._tune_gc = app, tune_gc
        self._task: asyncio.Task[None] | None = None
        self._begun = self._until = 0.0
        self._is_opening = False
        self._painted: Callable[[], object] | None = None
        self.held = False

    def hold(self) -> None:
        """Hold painting until the current changes are laid out."""
        if not self.held:
            self.held, self._begun = True, time.monotonic()
            self._task = asyncio.get_running_loop().create_task(self._paint_when_ready())
            self._task.add_done_callback(self._ended)

    def hold_for_screen(self, painted: Callable[[], object] | None = None) -> None:
        """Hold painting until the screen being opened is complete; then paint the screen and call `painted`."""
        self.hold()
        self._is_opening, self._painted = True, painted or self._painted
        self._until = time.monotonic() + FIRST_READ

    async def _paint_when_ready(self) -> None:
        app = self._app
        try:
            with app.batch_update():
                still = 0
                while still < _QUIET_TURNS:
                    still = still + 1 if await self._is_ready() else 0
        finally:
            self.held, whole, self._is_opening = False, self._is_opening, False
            painted, self._painted = self._painted, None
        if app.screen_stack and app.is_running:
            for screen in app.screen_stack[:-1]:
                screen.check_idle()
            paint(app, whole=whole)
            if painted is not None:
                painted()
            if whole and self._tune_gc and gc.get_count()[2] >= _GC_DUE:
                asyncio.get_running_loop().call_later(_GC_DELAY, gc.collect)  # closed screens are garbage

    def _ended(self, task: asyncio.Task[None]) -> None:
        """After an error while painting, end the app as Textual does."""
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            exit_with_error(self._app, error)

    async def _is_ready(self) -> bool:
        """Run due callbacks and lay out the screen; return whether the screen can be painted now."""
        await asyncio.sleep(0)
        app = self._app
        if not app.is_running:
            return True
        if not app.screen_stack:
            return False
        screen, now = app.screen, time.monotonic()
        if lay_out_if_needed(screen) or not is_quiet(app) or run_callbacks(screen):
            return screen.is_mounted and now > self._begun + (OPENING if self._is_opening else BUSY)
        if now < self._until and isinstance(screen, AppScreen) and screen.is_reading:
            await asyncio.sleep(0.001)
            return False
        return True


class AppScreen(Screen[T]):
    SHEETS: ClassVar[tuple[str, ...]] = ()
    """Names of style sheets that the screen needs besides the style sheets of its own package."""
    FIRST_READS: ClassVar[tuple[str, ...]] = ()
    """Groups of the screen's workers that must finish before the screen is complete."""

    PLACE: ClassVar[str] = ""
    """Where the screen's actions are available, in words: "In a run"."""
    PARTS: ClassVar[tuple[Part, ...]] = ()
    """The screen's widgets that have actions and can be focused."""

    keys_dropped_until = 0.0
    """Keys pressed before this time are dropped, except esc; in seconds of `time.monotonic()`."""

    styled_version = -1
    """The version of the style sheet with which the screen was last styled."""

    def start_worker(
        self, work: Callable[[], Coroutine[Any, Any, object]], group: str, *, exclusive: bool = False
    ) -> Worker[object]:
        """Start a worker; `work` is not called if the worker is cancelled before it begins."""
        return self.run_worker(work, group=group, exclusive=exclusive)

    def __init_subclass__(cls, **options: Any) -> None:
        bind(cls)
        super().__init_subclass__(**options)
        cls.CSS_PATH = style_sheets(*cls.__module__.split("."), *cls.SHEETS)

    def __init__(self, make_placeholder: MakePlaceholder) -> None:
        super().__init__()
        self._compositor = AppCompositor()
        self.opening = PendingDialog(self, make_placeholder)

    @property
    def is_reading(self) -> bool:
        """Whether a worker of `FIRST_READS` is still running."""
        own = (one for one in self.workers if not one.is_finished and self in one.node.ancestors_with_self)
        return any(one.group in self.FIRST_READS for one in own)

    async def _on_compose(self, event: events.Compose) -> None:
        # Style it before it has widgets, which would otherwise be styled twice.
        load_sheets(self)
        set_breakpoint_classes(self, self.app.size)
        self.update_node_styles(animate=False)
        self.styled_version = stylesheet_version(self.app.stylesheet)

    def _update_focus_styles(self, focused: Widget | None = None, blurred: Widget | None = None) -> None:
        # Only panes and section titles change with the focus. Textual would restyle all descendants of the panes, which
        # takes longer than painting, and would not restyle the titles.
        around = {node for end in filter(None, (focused, blurred)) for node in end.ancestors_with_self}
        titles = {
            title for node in around if node.has_class("section") for title in node.query_children(".section-title")
        }
        self.app.stylesheet.update_nodes({node for node in around if isinstance(node, Pane)} | titles, animate=True)

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        event.refresh_styles = False  # `App.refresh_css` has restyled it already

    @property
    def _is_held(self) -> bool:
        painting = getattr(self.app, "painting", None)
        return isinstance(painting, Painting) and painting.held

    def _compositor_refresh(self) -> None:
        if not self._is_held:
            super()._compositor_refresh()

    async def _on_idle(self, event: events.Idle) -> None:
        # `Painting` runs the callbacks that wait for a repaint.
        if self._is_held and self.app.screen is self:
            event.prevent_default()

    def save_typed(self) -> None:
        """Called before the program exits; a subclass saves the text that the user typed."""

    def _on_prune(self, event: Prune) -> None:
        release_screen(self)

    @property
    def _binding_chain(self) -> Chain:
        return keymap_in_use().chain(self, super()._binding_chain)

    _on_key = do_in_order
    action_do = do_action
    check_action = is_offered

    @property
    def is_unmounted(self) -> bool:
        """Whether the widgets are not mounted yet or are being removed; a late answer must not be drawn then."""
        return is_unmounted(self)
