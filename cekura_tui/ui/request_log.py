"""The last requests to the server, newest first: what was asked, how it was answered, and how long that took."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar

from rich.segment import Segment
from textual import on
from textual.app import ComposeResult

from cekura_tui.model.request_log import RequestRecord
from cekura_tui.model.text import count
from cekura_tui.ui.actions import NOT_OFFERED, Action
from cekura_tui.ui.kit.copying import Copy, CopyDialog, Lead, write_lines
from cekura_tui.ui.kit.dialog import DetailsDialog
from cekura_tui.ui.kit.lines import TONE_CLASSES, Notice, StatusLine
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.kit.pane import Pane
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.cells import fit

REFRESH = 1.0
"""Seconds between two looks at whether there are more requests."""
_WHEN, _CLOCK, _METHOD, _STATUS, _TOOK = map(len, ("Mon 14:05:10", "14:05:10", "OPTIONS", "failed", "60,000 ms"))
_WIDE = 100
"""Cells from which on there is room for the day of a request that was not today."""
_MOST_PATH = 50
"""Characters of the log's path that there is room for."""


class RequestList(VirtualList[RequestRecord]):
    """Requests, one a line."""

    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("request-list.open", "enter", "open", "Details", footer=1, key_display="enter"),
    )
    COMPONENT_CLASSES: ClassVar[set[str]] = TONE_CLASSES

    def __init__(self, app_state: AppState) -> None:
        super().__init__(id="requests")
        self._state = app_state

    def key_of(self, row: RequestRecord) -> Hashable:
        """Its number."""
        return row.number

    def lines_of(self, row: RequestRecord, width: int, state: RowState) -> Sequence[Line]:
        """When, what, how it ended, how long it took, and where; a failed one has a sign."""
        dim = self.style_of("tone--dim")
        tone = self.style_of("tone--warn") if row.failed else dim
        tries = f"  attempt {row.attempt}" if row.attempt > 1 else ""
        when = self._state.when(row.at, seconds=True)
        cells = _WHEN if width >= _WIDE else _CLOCK
        rest = width - 3 - cells - _METHOD - _STATUS - _TOOK - 4 - len(tries) - 1
        return [
            [
                Segment(" ! " if row.failed else "   ", tone),
                Segment(fit(when if len(when) <= cells else when[-_CLOCK:], cells) + " ", dim),
                Segment(fit(row.method, _METHOD) + " "),
                Segment(fit(str(row.status or "failed"), _STATUS, right=True) + " ", tone),
                Segment(fit(f"{row.milliseconds:,} ms", _TOOK, right=True) + " ", dim),
                Segment(fit(row.target, rest)),
                Segment(tries + " ", tone),
            ]
        ]


def _unless_row(screen: RequestLogScreen) -> str | None:
    return None if screen.is_attached and screen.row is not None else NOT_OFFERED


class RequestLogScreen(Page):
    """What was asked of the server since the program started."""

    AUTO_FOCUS = "RequestList"
    # The list, which has the focus, has rank 1.
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("requests.copy", "y", "copy", "Copy or save", footer=2, why_not=_unless_row),
        Action("requests.back", "escape", "app.pop_screen", "Back", footer=3),
    )
    HELP = """\
# Request log
The last 200 requests to the server, newest first, with the status of the answer and the time until it was complete.
`!` marks requests that failed or were refused. `{request-list.open}` shows all that is known of a request. The API key,
values and contents are never logged. The log file has the same, and what went wrong; “cekura-tui doctor --bundle FILE”
packs the log for a bug report.
"""

    def __init__(self, state: AppState) -> None:
        super().__init__(state)
        self._shown: tuple[RequestRecord, ...] | None = None

    def body(self) -> ComposeResult:
        """Counts and the log file, and the list."""
        yield StatusLine(id="status")
        with Pane(title="Requests", id="requests-pane"):
            yield RequestList(self.state)
        yield Notice(id="requests-notice")

    def on_mount(self) -> None:
        """Look for more as long as the screen is on top."""
        self._looking = self.set_interval(REFRESH, self._draw, pause=True)

    def on_screen_resume(self) -> None:
        """Here, or back from a dialog."""
        self._draw()
        self._looking.resume()

    def on_screen_suspend(self) -> None:
        """Something else is on top, which would be painted with each look."""
        self._looking.pause()

    def _draw(self) -> None:
        requests = self.state.workspace.requests()
        if self.gone or requests is self._shown:
            return
        self._shown = requests
        listed, notice = self.query_one(RequestList), self.query_one(Notice)
        failed = sum(request.failed for request in requests)
        status = self.query_one(StatusLine)
        status.left = ("Request log", *([f"{failed:,} failed"] if failed else []))
        status.right = (_end_of(str(self.state.workspace.setup.paths.log)),)
        self.query_one("#requests-pane", Pane).show_title("Requests", f"{len(requests):,}")
        listed.show_rows(requests[::-1], follow=True)
        self.query_one("#requests-pane").display, notice.display = bool(requests), not requests
        if not requests:
            notice.show("No requests yet", "Requests to the server will be listed here.")
        elif not self.focused:
            listed.focus()
        self.refresh_bindings()

    @property
    def row(self) -> RequestRecord | None:
        """The request under the cursor."""
        return self.query_one(RequestList).cursor_row

    @on(RequestList.Opened)
    def show_details(self) -> None:
        """Enter on a request."""
        if (row := self.row) is not None and self.is_current:
            ended = f"{row.status or 'Failed'} after {row.milliseconds:,} ms"
            text = f"{ended}: {row.error}" if row.error else ended
            self.app.push_screen(DetailsDialog(f"{row.method} {row.path}", text, _facts(row)))

    def action_copy(self) -> None:
        """Copy the request under the cursor, or all, or write them to a file."""
        if (row := self.row) is None:
            return
        rows = self.query_one(RequestList).rows
        every = partial(_as_text, rows)
        dialog = CopyDialog(
            "copy-requests",
            "requests",
            [
                ("this request", Copy(partial(_as_text, (row,)))),
                (f"all {count(len(rows), 'request')}", Copy(every)),
                ("save all to a file …", Lead(lambda: dialog.save("the requests", "requests.txt", _writing(rows)))),
            ],
        )
        self.app.push_screen(dialog, self._saved)

    def _saved(self, where: str | None) -> None:
        if where:
            self.notify_once(where)


def _end_of(path: str) -> str:
    """A path, without its beginning where it is long."""
    return path if len(path) <= _MOST_PATH else f"…{path[1 - _MOST_PATH :]}"


def _writing(rows: Sequence[RequestRecord]) -> partial[str]:
    return partial(write_lines, _as_text(rows))


def _as_text(rows: Sequence[RequestRecord]) -> str:
    """A line each, with its time in UTC."""
    return "\n".join(f"{datetime.fromtimestamp(row.at, UTC):%Y-%m-%dT%H:%M:%SZ} {row.line()}" for row in rows)


def _facts(row: RequestRecord) -> list[tuple[str, str]]:
    facts = (
        ("sent at", f"{datetime.fromtimestamp(row.at):%Y-%m-%d %H:%M:%S}"),
        ("query", " ".join(row.query)),
        ("attempt", str(row.attempt)),
        ("request id", row.request_id),
    )
    return [(name, text) for name, text in facts if text]
