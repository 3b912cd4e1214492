"""A pytest plugin: `--both-streams` fails each test in which our driver's output and Textual's draw different screens.

Two terminal emulators draw each frame of a pilot's app, one from Textual's output and one from our driver's output.
The option makes tests several times slower: `pytest --both-streams tests/ui tests/snapshots`.
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
"""Numbers of frames compared, bytes sent by our driver, bytes written by Textual, and frames that differ."""
_differences: list[str] = []
_screens: WeakKeyDictionary[App[Any], tuple[Size, TwoScreens]] = WeakKeyDictionary()
_display = App._display
_console = Console(color_system="truecolor", legacy_windows=False, force_terminal=True)


class _EveryApp:
    """A replacement for the set `quick_pilot.painted` that contains every app."""

    def __contains__(self, app: object) -> bool:
        return True

    def add(self, app: object) -> None:
        """Do nothing: every app is contained already."""


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
    """Hooks that are registered only with `--both-streams`."""

    @pytest.fixture(autouse=True)
    def same_screens(self) -> Iterator[None]:
        """Fail the test if the two screens of a frame differed."""
        yield
        found = _differences[:]
        _differences.clear()
        assert not found, "\n".join(found[:5])

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send the counts of an xdist worker to the controller."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["both_streams"] = _COUNTS

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Add the counts of an xdist worker that has ended."""
        for name, count in getattr(node, "workeroutput", {}).get("both_streams", {}).items():
            _COUNTS[name] += count

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.write_line(
            "both streams: {frames:,} frames compared, {differ:,} differ; "
            "{written:,} bytes written, {sent:,} bytes sent".format(**_COUNTS)
        )


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(_OPTION, action="store_true", help="compare what the driver sends with what Textual writes")


def pytest_configure(config: pytest.Config) -> None:
    """Compare the frames of every app if `--both-streams` is given."""
    if config.getoption(_OPTION):
        App._display = _displayed  # type: ignore[method-assign]
        quick_pilot.painted = _EveryApp()  # type: ignore[assignment]
        config.pluginmanager.register(_Comparison())
