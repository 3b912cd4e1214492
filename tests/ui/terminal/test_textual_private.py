"""Textual's private names that the program uses are as they were read: each that is not has a sentence that says so."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cache
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
from textual.widget import Widget
from textual.widgets import Input, TextArea

CALLED: list[tuple[Callable[..., Any], str]] = [
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
    (Compositor.render_partial_update, "self"),
    (ChopsUpdate.__init__, "self chops spans chop_ends"),
    (ChopsUpdate.render_segments, "self console"),
    (LayoutUpdate.__init__, "self strips region"),
    (XTermParser._sequence_to_key_events, "self sequence alt"),
]
"""What is called or overridden, here or in `quick_pilot`, and the names of what it takes."""
OVERRIDDEN: list[tuple[type, str]] = [
    (App, "_display"),
    (App, "_fatal_error"),
    (App, "_background_screens"),
    (App, "_prune"),
    (App, "delay_update"),
    (App, "_close_messages_no_wait"),
    (Screen, "_binding_chain"),
    (Screen, "_on_idle"),
    (Screen, "_on_screen_resume"),
    (Widget, "_on_compose"),
    (Input, "_on_key"),
    (TextArea, "_on_key"),
    (Widget, "_on_key"),
    (LinuxDriver, "_run_input_thread"),
    (LinuxDriver, "_get_terminal_size"),
]
KEPT: list[tuple[type, str]] = [
    (App, "_driver"),
    (App, "_exception"),
    (App, "_notifications"),
    (DOMNode, "_bindings"),
    (DOMNode, "_PSEUDO_CLASSES"),
    (DOMNode, "_component_styles"),
    (DOMNode, "_selector_names"),
    (MessagePump, "_is_mounted"),
    (MessagePump, "_message_queue"),
    (MessagePump, "_mounted_event"),
    (MessagePump, "_next_callbacks"),
    (Screen, "_callbacks"),
    (Screen, "_layout_required"),
    (Screen, "_repaint_required"),
    (Screen, "_scroll_required"),
    (Stylesheet, "_parse_cache"),
    (Stylesheet, "_require_parse"),
    (Stylesheet, "_variables"),
    (Widget, "_styles_cache"),
    (Screen, "_binding_chain"),
    (Screen, "_compositor"),
    (Driver, "_app"),
    (Driver, "_loop"),
    (Driver, "_size"),
    (LinuxDriver, "_writer_thread"),
    (LinuxDriver, "_key_thread"),
    (Parser, "_awaiting"),
    (Parser, "_timeout_time"),
]
"""Attributes, by the class that has them."""
PATCHED: list[tuple[object, str]] = [
    (app_module, "wait_for_idle"),
    (pilot_module, "wait_for_idle"),
    (Compositor, "render_update"),
    (screen_module, "UPDATE_PERIOD"),
    (Stylesheet, "_parse_rules"),
    (Stylesheet, "_process_component_classes"),
    (DOMNode, "_selector_names"),
    (DOMNode, "_PSEUDO_CLASSES"),
]
"""What `quick_pilot` puts something else in place of, and what it does so with."""
LOOKED_AT: list[tuple[type, Iterable[str]]] = [
    (Screen, ("_layout_required", "_dirty_widgets", "_callbacks")),
    (Widget, ("_scroll_required", "_repaint_required", "_recompose_required")),
    (App, ("_batch_count", "_animator")),
    (MessagePump, ("_next_callbacks", "_message_queue")),
    (DOMNode, ("_has_hover_style", "_has_focus_within", "_has_order_style", "_has_odd_or_even")),
]
"""What `quick_pilot` looks at to know whether anything is pending, and what style sheets tell a node."""


source_of = cache(inspect.getsource)


def has(kind: type, name: str) -> bool:
    """Whether a class defines an attribute, or sets it in one of its methods."""
    return any(
        name in base.__dict__ or f"self.{name}" in source_of(base)
        for base in kind.__mro__
        if base.__module__.startswith("textual")
    )


@pytest.mark.parametrize(("method", "takes"), CALLED, ids=lambda one: getattr(one, "__qualname__", ""))
def test_what_is_called_takes_what_it_took(method: Callable[..., Any], takes: str) -> None:
    function = inspect.unwrap(getattr(method, "__func__", method))
    now = [*inspect.signature(function).parameters]
    assert now == takes.split(), f"Textual's {method.__qualname__} takes {now}: see terminal/textual_private.py."


@pytest.mark.parametrize(("kind", "name"), OVERRIDDEN + KEPT, ids=str)
def test_what_is_used_is_still_there(kind: type, name: str) -> None:
    assert has(kind, name), f"Textual's {kind.__name__} has no {name} any more: see terminal/textual_private.py."


def test_the_driver_of_a_terminal_is_the_one_that_is_overridden() -> None:
    assert issubclass(LinuxDriver, Driver)
    for name in ("start_application_mode", "stop_application_mode", "write", "suspend_application_mode"):
        assert hasattr(LinuxDriver, name), f"Textual's LinuxDriver has no {name} any more: see terminal/driver.py."


@pytest.mark.parametrize(("owner", "name"), PATCHED, ids=str)
def test_what_makes_pilots_quick_is_still_there(owner: object, name: str) -> None:
    assert hasattr(owner, name), f"Textual's {owner} has no {name} any more: see tests/support/quick_pilot.py."


@pytest.mark.parametrize(("kind", "names"), LOOKED_AT, ids=str)
def test_what_tells_that_a_pilot_is_idle_is_still_there(kind: type, names: Iterable[str]) -> None:
    gone = [name for name in names if not has(kind, name)]
    assert not gone, f"Textual's {kind.__name__} has no {gone} any more: see tests/support/quick_pilot.py."


def test_a_strip_has_all_that_strips_have() -> None:
    gone = [name for name in Strip.__slots__ if not hasattr(Strip([]), name)]
    assert not gone, f"Textual's Strip has {gone} now: see tests/support/quick_pilot.py."


def test_a_widget_draws_by_what_is_put_in_place_of_its_styles_cache() -> None:
    source = inspect.getsource(Widget.render_lines) + inspect.getsource(Widget._render_content)
    assert "self._styles_cache.render_widget" in source, (
        "Textual's Widget draws without its _styles_cache: see terminal/textual_private.py."
    )
