"""The footer, a line with the screen's keys and with job counts, and the line with a tip above the footer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.keys import key_to_character
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from cekura_tui.ui.actions import action_of, disabled_reason
from cekura_tui.ui.hints import Hints
from cekura_tui.ui.keymap import shown_key
from cekura_tui.ui.kit.lines import UNREAD
from cekura_tui.ui.state import AppState, follow_jobs

_HELP, _JOBS, _NEXT_UNREAD = "app.keys", "app.jobs", "app.next-unread"
_GAP, _ROOMY = 2, 100
"""Blank cells between two keys, and terminal width from which job counts never displace the job list's key."""
_WHILE_TYPING = {"enter": "Apply", "escape": "Cancel", "tab": "Next"}
"""Keys that are shown while the user types, with labels for Textual's own actions."""


class _FooterKey(NamedTuple):
    action: str
    key: str
    shown: str
    description: str
    enabled: bool

    def cells(self) -> int:
        return Content(f"{self.shown} {self.description}").cell_length


class _JobCounts(NamedTuple):
    """Numbers of unread and running jobs, and the key that opens the next unread job. `shown` is the key's display
    text. `key` and `shown` are empty if no job is unread or if the key would type text."""

    new: int = 0
    running: int = 0
    key: str = ""
    shown: str = ""

    def texts(self) -> list[Content]:
        """The counts as text, the longest version first. The shortest version is shown even if it displaces keys."""
        running = f"{self.running:,} running" if self.running else ""
        new = Content("")
        if self.new:
            key = (" · ", (self.shown, "bold")) if self.shown else ()
            new = Content.assemble((f"{UNREAD} {self.new:,} new", ""), *key).stylize("$accent")
        both = Content.assemble((running, "$muted"), "  " if running and self.new else "", new)
        return [both, new] if running else [new]


class KeyFooter(Widget, can_focus=False):
    """Shows the keys that work with the current focus, and job counts at the right end; all can be clicked. One line of
    text: Textual's footer rebuilds a widget for each key whenever the focus moves."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyFooter { dock: bottom; height: 1; padding: 0 1; text-wrap: nowrap; color: $text; background: $panel; }
    """

    def __init__(self, state: AppState) -> None:
        super().__init__()
        self._state = state
        self._keys: tuple[_FooterKey, ...] = ()
        self._counts = _JobCounts()
        self._next_unread: tuple[str, str] | tuple[()] = ()
        """(key, display text) for opening the next unread job; empty while the key types text."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._update_keys)
        follow_jobs(self, self._state, self._update_counts)

    def on_unmount(self) -> None:
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _update_keys(self, screen: Screen[object]) -> None:
        if self.is_attached and screen is self.screen:
            if (keys := tuple(self._keys_now())) != self._keys:
                self._keys = keys
                self.refresh()
            self._update_counts()

    def _update_counts(self) -> None:
        jobs = self._state.jobs
        new, running = sum(job.unread for job in jobs), sum(job.state.active for job in jobs)
        counts = _JobCounts(new, running, *(self._next_unread if new else ()))
        if self.is_attached and counts != self._counts:
            self._counts = counts
            self.refresh()

    def _keys_now(self) -> Iterator[_FooterKey]:
        """Yield the keys to show, sorted by rank, and update `_next_unread`. While the user types, the keys of
        `_WHILE_TYPING` come first and keys that type text are omitted."""
        bound, focused = self.screen.active_bindings, self.screen.focused
        typing = focused is not None and focused.check_consume_key("a", "a")
        # Textual's own bindings have no rank; the sort is stable, so they keep their order.
        active = sorted(bound.values(), key=lambda one: getattr(action_of(one.node, one.binding), "footer", 0) or 1000)
        if typing and focused is not None:
            ends = [bound[key] for key in _WHILE_TYPING if key in bound]
            active = ends + [one for one in active if not self._is_text(focused, one.binding)]
        named = set()
        opens = (one.binding for one in active if one.binding.id == _NEXT_UNREAD)
        self._next_unread = next(((one.key, shown_key(one.key)) for one in opens), ())
        for node, binding, enabled, _ in active:
            shown = binding.show or (typing and binding.key in _WHILE_TYPING)
            if shown and binding.action not in named:  # show only the first key of an action
                named.add(binding.action)
                ours = action_of(node, binding)
                words = ours.label_now(node) if ours else _WHILE_TYPING.get(binding.key, "")
                if words is not None:
                    words = words or binding.description
                    yield _FooterKey(binding.id or "", binding.key, shown_key(binding.key), words, enabled)

    def _is_text(self, focused: Widget, binding: Binding) -> bool:
        shown = shown_key(binding.key)  # Textual does not map "slash" to a character
        character = shown if len(shown) == 1 and shown.isascii() else key_to_character(binding.key)
        return focused.check_consume_key(binding.key, character)

    def _fitting(self) -> tuple[list[_FooterKey], Content]:
        """The keys and job counts that fit; keys are left out from the end. `esc` and `?` are never left out. In a wide
        terminal with job counts, the job list's key is never left out either."""
        versions = self._counts.texts()
        for counts in versions:
            room = self.content_size.width + _GAP - (counts.cell_length + _GAP if counts else 0)
            if sum(one.cells() + _GAP for one in self._keys) <= room:
                return list(self._keys), counts
        always = {_HELP, _JOBS} if counts and self.content_size.width >= _ROOMY else {_HELP}
        must = [one for one in self._keys if one.action in always or one.key == "escape"]
        room -= sum(one.cells() + _GAP for one in must)
        left_out = set()
        for one in self._keys:
            if one not in must and (room := room - one.cells() - _GAP) < 0:
                left_out.add(one)
        return [one for one in self._keys if one not in left_out], counts

    def render(self) -> Content:
        keys, counts = self._fitting()
        parts: list[tuple[str, str]] = []
        for one in keys:
            key, words = ("bold $accent", "$text") if one.enabled else ("$muted", "$muted")
            parts += [(one.shown, key), (f" {one.description}{' ' * _GAP}", words)]
        shown = Content.assemble(*parts)
        if not counts:
            return shown
        blank = self.content_size.width - shown.cell_length - counts.cell_length
        return Content.assemble(shown, " " * max(blank, 0), counts)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        offset = event.get_content_offset(self)
        if event.button != 1 or offset is None:
            return
        keys, counts = self._fitting()
        begin = 0
        for one in keys:
            end = begin + one.cells()
            if begin <= offset.x < end:
                (self.app.simulate_key(one.key) if one.enabled else self.app.bell())
            begin = end + _GAP
        if self._counts.key and counts and offset.x >= self.content_size.width - self._counts.texts()[-1].cell_length:
            self.app.simulate_key(self._counts.key)


class HintLine(Static):
    """Shows the warning of `Hints`, else the first unused tip whose action has a key now; tips not while typing."""

    DEFAULT_CSS = """
    HintLine {
        display: none;
        height: 1;
        padding: 0 1;
        color: $muted;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    HintLine.-tip { display: block; }
    HintLine.-warning { height: auto; color: $warning; text-wrap: wrap; }
    """

    def __init__(self, hints: Hints) -> None:
        super().__init__()
        self._hints = hints

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._update_tip)
        self.app.screen_change_signal.subscribe(self, self._update_tip)

    def _update_tip(self, screen: Screen[Any]) -> None:
        if not self.is_attached or screen is not self.screen:
            return
        tip = self._tip()
        if tip != self.content:
            self.update(tip, layout=False)
            self.set_class(bool(tip.plain), "-tip")
            self.set_class(bool(self._hints.warning), "-warning")

    def _tip(self) -> Content:
        if self._hints.warning:
            return Content(f"! {self._hints.warning}")
        focused = self.screen.focused
        if self._hints.unused and not (focused is not None and focused.check_consume_key("a", "a")):
            # Reversed, so that the first of an action's keys is kept.
            bound = {one.binding.id: one for one in reversed(self.screen.active_bindings.values())}
            for hint in self._hints.unused:
                if (one := bound.get(hint.action)) and not disabled_reason(one.node, one.binding.action):
                    key = shown_key(one.binding.key)
                    return Content.assemble("Tip: press ", (key, "bold $accent"), f" to {hint.use}.")
        return Content("")
