"""A pytest plugin: with `--both-streams` all that the apps of pilots draw is painted into two terminal emulators, once
as Textual writes it and once as the driver sends it, and each test fails whose screens differ.

Off by default, for it takes several times as long: `pytest --both-streams tests/ui tests/snapshots`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

import pytest
import quick_pilot
from rich.console import Console
from rich.control import Control
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.geometry import Size
from two_screens import TwoScreens

_OPTION = "--both-streams"
_COUNTS = {"frames": 0, "sent": 0, "written": 0, "differ": 0}
"""Frames that were compared, their bytes as they were sent and as Textual wrote them, and how many differed."""
_differences: list[str] = []
_screens: WeakKeyDictionary[App[Any], tuple[Size, TwoScreens]] = WeakKeyDictionary()
_display = App._display
_console = Console(color_system="truecolor", legacy_windows=False, force_terminal=True)


class _EveryApp:
    """Apps that paint every change: all of them."""

    def __contains__(self, app: object) -> bool:
        return True

    def add(self, app: object) -> None:
        """It is one of them already."""


def _compare(app: App[Any], update: CompositorUpdate) -> None:
    size = app.size
    known = _screens.get(app)
    if known is None or known[0] != size:
        known = _screens[app] = size, TwoScreens(*size)
        known[1].feed("\x1b[?7l")
    screens = known[1]
    cursor = app.screen.outer_size.clamp_offset(app.cursor_position)
    before = screens.bytes_written, screens.bytes_sent
    for part in (
        "\x1b[?2026h",
        update.render_segments(_console) + Control.move_to(*cursor).segment.text,
        "\x1b[?2026l",
    ):
        screens.feed(part)
    _COUNTS["frames"] += 1
    _COUNTS["written"] += screens.bytes_written - before[0]
    _COUNTS["sent"] += screens.bytes_sent - before[1]
    if difference := screens.difference():
        _COUNTS["differ"] += 1
        _differences.append(f"frame {_COUNTS['frames']} of {app.screen}: {difference}")


def _displayed(self: App[Any], screen: Any, renderable: Any) -> None:
    if isinstance(renderable, CompositorUpdate) and self.is_headless and self._running and not self._batch_count:
        _compare(self, renderable)
    _display(self, screen, renderable)


class _Comparison:
    """The plugin while it is on."""

    @pytest.fixture(autouse=True)
    def same_screens(self) -> Iterator[None]:
        """Fail the test in which a frame differed."""
        yield
        found = _differences[:]
        _differences.clear()
        assert not found, "\n".join(found[:5])

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand the counts of a worker to whoever started it."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["both_streams"] = _COUNTS

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Add what a worker counted."""
        for name, count in getattr(node, "workeroutput", {}).get("both_streams", {}).items():
            _COUNTS[name] += count

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the counts."""
        terminalreporter.write_line(
            "both streams: {frames:,} frames compared, {differ:,} differ; "
            "{written:,} bytes written, {sent:,} bytes sent".format(**_COUNTS)
        )


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--both-streams`."""
    parser.addoption(_OPTION, action="store_true", help="compare what the driver sends with what Textual writes")


def pytest_configure(config: pytest.Config) -> None:
    """Watch all apps, where that was asked for."""
    if config.getoption(_OPTION):
        App._display = _displayed  # type: ignore[method-assign]
        quick_pilot.painted = _EveryApp()  # type: ignore[assignment]
        config.pluginmanager.register(_Comparison())
