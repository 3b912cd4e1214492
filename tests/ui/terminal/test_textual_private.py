"""Private names of Textual that the app uses: a failure names the changed name and the file to fix."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from functools import cache
from itertools import count
from typing import Any

import pytest
from textual import app as app_module
from textual import pilot as pilot_module
from textual import screen as screen_module
from textual._compositor import ChopsUpdate, Compositor, LayoutUpdate
from textual._parser import Parser
from textual._styles_cache import StylesCache
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, TextArea

SIGNATURES: list[tuple[Callable[..., Any], str]] = [
    (App._check_bindings, "self key priority"),
    (App._display, "self screen renderable"),
    (App._unnotify, "self notification refresh"),
    (Widget._forward_event, "self event"),
    (Screen._forward_event, "self event"),
    (Screen._update_focus_styles, "self focused blurred"),
    (TextArea._replace_via_keyboard, "self insert start end"),
    (StylesCache.render_widget, "self widget crop"),
    (
        StylesCache.render_line,
        "self styles y size content_size padding base_background background render_content_line border_title "
        "border_subtitle opacity ansi_theme native_ansi",
    ),
    (App._handle_exception, "self error"),
    (StylesCache.get_inner_outer, "cls base_background background"),
    (App._load_screen_css, "self screen"),
    (App._prune, "self nodes parent"),
    (Screen._compositor_refresh, "self"),
    (Screen._invoke_and_clear_callbacks, "self"),
    (Screen._get_breakpoint_classes, "self dimension breakpoints"),
    (Screen._on_timer_update, "self"),
    (Screen._refresh_layout, "self size scroll"),
    (Stylesheet.__init__, "self variables"),
    (Stylesheet.apply, "self node animate cache"),
    (Stylesheet.parse, "self"),
    (Stylesheet.replace_rules, "cls node rules animate"),
    (Stylesheet.reparse, "self"),
    (Stylesheet.set_variables, "self variables"),
    (Stylesheet._process_component_classes, "self node"),
    (Strip.__init__, "self segments cell_length"),
    (Timer._run, "self"),
    (Compositor.render_partial_update, "self"),
    (Compositor.reflow, "self parent size"),
    (ChopsUpdate.__init__, "self chops spans chop_ends"),
    (ChopsUpdate.render_segments, "self console"),
    (LayoutUpdate.__init__, "self strips region"),
    (XTermParser._sequence_to_key_events, "self sequence alt"),
]
"""Methods of Textual that the app or `quick_pilot` calls or overrides, with the names of their parameters."""
NAMES: list[tuple[type, str]] = [
    (App, "_display _fatal_error _background_screens _prune delay_update _close_messages_no_wait"),
    (App, "_driver _exception _notifications _batch_count _animator _resize_timer"),
    (Compositor, "_full_map"),
    (DOMNode, "_bindings _PSEUDO_CLASSES _component_styles _selector_names"),
    (DOMNode, "_has_hover_style _has_focus_within _has_order_style _has_odd_or_even"),
    (Driver, "_app _loop _size"),
    (Input, "_on_key"),
    (LinuxDriver, "_run_input_thread _get_terminal_size _writer_thread _key_thread"),
    (LinuxDriver, "start_application_mode stop_application_mode suspend_application_mode write"),
    (MessagePump, "_is_mounted _message_queue _mounted_event _next_callbacks"),
    (Parser, "_awaiting _timeout_time"),
    (Screen, "_binding_chain _on_idle _on_screen_resume _callbacks _compositor _dirty_widgets"),
    (Screen, "_layout_required _repaint_required _scroll_required"),
    (Stylesheet, "_parse_cache _require_parse _variables"),
    (TextArea, "_on_key"),
    (Timer, "_repeat _skip"),
    (Widget, "_on_compose _on_key _styles_cache _scroll_required _repaint_required _recompose_required"),
]
"""Attributes of Textual that the app or `quick_pilot` overrides, sets or reads, by the class that has them."""
PATCHED: list[tuple[object, str]] = [
    *((app_module, "wait_for_idle"), (pilot_module, "wait_for_idle"), (screen_module, "UPDATE_PERIOD")),
    *((Compositor, "render_update"), (Stylesheet, "_parse_rules")),
]
"""Names that `quick_pilot` replaces and that `NAMES` lacks, each with its owner."""
source_of = cache(inspect.getsource)


def has(kind: type, name: str) -> bool:
    """Whether a class or a base class of Textual defines this attribute or sets it in a method."""
    return any(
        name in base.__dict__ or f"self.{name}" in source_of(base)
        for base in kind.__mro__
        if base.__module__.startswith("textual")
    )


@pytest.mark.parametrize(("method", "arguments"), SIGNATURES, ids=lambda one: getattr(one, "__qualname__", ""))
def test_private_methods_take_the_expected_arguments(method: Callable[..., Any], arguments: str) -> None:
    function = inspect.unwrap(getattr(method, "__func__", method))
    now = [*inspect.signature(function).parameters]
    assert now == arguments.split(), f"Textual's {method.__qualname__} takes {now}: see terminal/textual_private.py."


@pytest.mark.parametrize(("kind", "names"), NAMES, ids=lambda one: getattr(one, "__name__", ""))
def test_private_names_exist(kind: type, names: str) -> None:
    missing = [name for name in names.split() if not has(kind, name)]
    assert not missing, f"Textual's {kind.__name__} has no {missing}: see textual_private.py and quick_pilot.py."


def test_replaced_or_imitated_internals_of_textual_are_unchanged() -> None:
    missing = [(owner, name) for owner, name in PATCHED if not hasattr(owner, name)]
    assert not missing, f"Textual has none of these: {missing}: see tests/support/quick_pilot.py."
    assert issubclass(LinuxDriver, Driver), "Textual's LinuxDriver is no Driver: see terminal/driver.py."
    new = [name for name in Strip.__slots__ if not hasattr(Strip([]), name)]
    assert not new, f"Textual's Strip has {new} now: see tests/support/quick_pilot.py."
    source = source_of(Widget.render_lines) + source_of(Widget._render_content)
    assert "self._styles_cache.render_widget" in source, (
        "Textual's Widget draws without its _styles_cache: see terminal/textual_private.py."
    )


async def test_single_timer_fires_on_a_slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    fired, seconds = asyncio.Event(), count()
    async with App[None]().run_test() as pilot:
        monkeypatch.setattr("textual._time.get_time", lambda: float(next(seconds)))
        pilot.app.set_timer(0.001, fired.set)
        await asyncio.wait_for(fired.wait(), 10)
