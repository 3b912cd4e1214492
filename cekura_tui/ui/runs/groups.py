"""A screen that groups runs, to show what fails most often; for scenario and personality together, also since when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from cekura_tui.model.column_fit import Cells
from cekura_tui.model.errors import CekuraTuiError, Exit
from cekura_tui.model.filter.filter import MOST_IDS
from cekura_tui.model.run.groups import (
    GROUPING_WORDS,
    GROUPINGS,
    STRIP,
    Finding,
    Group,
    Grouping,
    RunGroups,
    filters_by_outcome,
    group_runs,
    percent,
    section_words,
    since_words,
)
from cekura_tui.model.run.outcome import MARKS
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.text import clean_line, count
from cekura_tui.ui.actions import NOT_OFFERED, Action
from cekura_tui.ui.keymap import keymap_in_use, with_keys
from cekura_tui.ui.kit.lines import OUTCOME_TONES, TONE_CLASSES, Notice, StatusLine
from cekura_tui.ui.kit.lists import ColumnHeader, Heading
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.kit.pane import Pane
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.cells import fit
from cekura_tui.workspace.run_findings import AT_ONCE

if TYPE_CHECKING:
    from cekura_tui.ui.runs.controller import RunsController

WIDE, WIDE_WITH_STRIP = 110, 156
"""Minimum widths of the list, in cells, to show the detail beside the title: without and with the outcomes column."""
BAR, WIDE_BAR = 6, 12
"""Width of a bar in cells: in a narrow list, and in a list of at least WIDE cells."""
_BAR, _HALF = "━", "╸"
_COUNT, _PERCENT, _RUN, _WHEN = 6, 4, 8, 12
_GUTTER = 3
_INDENT = _GUTTER + _COUNT + 1
_TONES = {mark: OUTCOME_TONES[kind] for kind, mark in MARKS.items()}


@dataclass(frozen=True, slots=True)
class OpenedGroup:
    """A group that the user opened. `filter_text` is a filter that lists the group's runs. `key`, `by` and `findings`
    restore the groups screen when the user comes back."""

    name: str
    filter_text: str
    key: tuple[str, ...]
    by: Grouping
    findings: dict[int, tuple[Finding, ...]]


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group with its detail as text and the length of its bar (0 to 1). `heading` is the heading of the section if
    the group is the first of the section, else empty."""

    group: Group
    heading: str
    length: float
    detail: str


def group_rows(grouping: RunGroups, state: AppState, *, since: bool = True) -> list[GroupRow]:
    """Rows for the groups, in order. With `since`, the detail also says since when the group has been failing."""
    rows: list[GroupRow] = []
    section = ""
    largest: dict[str, int] = {}
    for group in grouping.groups:
        largest[group.section] = max(largest.get(group.section, 1), group.count)
    for group in grouping.groups:
        heading = "" if group.section == section else " · ".join(section_words(grouping, group.section))
        section, first = group.section, group.first_failed
        failing = since_words(first, state.when(first.at)) if first and since else ""
        detail = " · ".join(filter(None, (clean_line(group.detail), failing)))
        rows.append(GroupRow(group, heading, group.count / largest[section], detail))
    return rows


def bar(share: float, cells: int = BAR) -> str:
    """Draw a share (0 to 1) as a bar, padded to `cells` cells. A share above 0 gets at least half a cell."""
    halves = min(max(round(share * cells * 2), 1 if share > 0 else 0), cells * 2)
    return (_BAR * (halves // 2) + _HALF * (halves % 2)).ljust(cells)


def _is_wide(width: int, strip: bool) -> bool:
    return width >= (WIDE_WITH_STRIP if strip else WIDE)


def columns(width: int, strip: bool) -> Cells:
    """Names and widths of the columns after the mark, in `width` cells; with `strip`, also of the recent outcomes."""
    share = _PERCENT + 1 + (WIDE_BAR if width >= WIDE else BAR)
    start = [("runs", _COUNT), ("share", share), *([("outcomes", STRIP)] if strip else [])]
    ends = [("newest", _RUN), ("when", _WHEN)] if width >= 70 else [("newest", _RUN)]
    rest = width - _GUTTER - sum(cells + 1 for _, cells in (*start, *ends)) - 1
    if not _is_wide(width, strip):
        return (*start, ("title", max(rest, 8)), *ends)
    title = min(max(rest * 2 // 5, 24), 44)
    return (*start, ("title", title), ("detail", rest - title - 1), *ends)


class GroupList(VirtualList[GroupRow]):
    ACTIONS: ClassVar[tuple[Action, ...]] = (Action("group-list.open", "enter", "open", "Show its runs", footer=1),)
    COMPONENT_CLASSES: ClassVar[set[str]] = {*TONE_CLASSES, "groups--heading"}
    DEFAULT_CSS = """
    GroupList {
        & > .groups--heading { background: $background; color: $muted; text-style: bold; }
    }
    """
    row_height = None

    def __init__(self, when: Callable[[float | None], str]) -> None:
        super().__init__(id="groups")
        self._when = when

    def key_of(self, row: GroupRow) -> Hashable:
        return row.group.key

    def estimate(self, row: GroupRow, width: int) -> int:
        """The number of lines of a row, which is exact because a group's text never wraps."""
        return 1 + bool(row.heading) + (bool(row.detail) and not _is_wide(width, bool(row.group.strip)))

    def lines_of(self, row: GroupRow, width: int, state: RowState) -> Sequence[Line]:
        """The line of the group, below the heading of the section if the row has a heading. In a narrow list, the
        detail follows on a line of its own."""
        group, detail = row.group, row.detail
        mark = MARKS["failed"] if group.failed else MARKS["error"] if group.errors else " "
        tone, dim = self.style_of(f"tone--{_TONES.get(mark, 'dim')}"), self.style_of("tone--dim")
        texts = {
            "runs": f"{group.count:,}",
            "title": clean_line(group.title),
            "detail": detail,
            "newest": str(group.newest_id),
            "when": self._when(group.newest_at),
        }
        line = [Segment(f" {mark} ", tone)]
        for name, cells in columns(width, bool(group.strip)):
            if name == "share":
                line.append(Segment(f"{percent(group.share):>{_PERCENT}} "))
                line.append(Segment(f"{bar(row.length, cells - 5)} ", tone))
            elif name == "outcomes":
                line += [Segment(mark, self.style_of(f"tone--{_TONES.get(mark, 'dim')}")) for mark in group.strip]
                line.append(Segment(" " * (cells - len(group.strip) + 1)))
            else:
                ink = None if name in ("runs", "title") else dim
                line.append(Segment(f"{fit(texts[name], cells, right=name == 'runs')} ", ink))
        lines: list[Line] = [line]
        if row.heading:
            # Its own background, so that the cursor does not seem to cover the heading.
            lines.insert(0, [Segment(fit(f" {row.heading}", width), self.style_of("groups--heading"))])
        if detail and not _is_wide(width, bool(group.strip)):
            lines.append([Segment(" " * _INDENT), Segment(fit(detail, width - _INDENT - 1), dim)])
        return lines


PAGE = 50
"""Number of failed runs whose reasons are loaded as one page. The first page is loaded immediately, each further page
on a key press."""


class GroupsScreen(Page):
    """Groups `rows`, the loaded runs of the run list.

    Returns the `OpenedGroup`, or None if the user opened no group.

    `loaded` describes the runs, such as "in 400 loaded runs". With `outcomes_filtered`, the filter hides some
    outcomes, so that the start of a failure is unknown. `last` is the group that the user opened before; the cursor
    starts on that group.
    """

    PLACE = "In groups"
    PARTS = (GroupList,)
    AUTO_FOCUS = "GroupList"
    FIRST_READS = ("grouping", "why")
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action(
            "groups.next",
            "b",
            lambda page: page.group_by_next(),
            "Group by",
            "Group by check, scenario, personality, result, or pair",
            footer=2,
            command="Group by the next criterion",
        ),
        Action(
            "groups.read-on",
            "F",
            lambda page: page.load(more=True),
            "More reasons",
            "Load why more runs failed",
            footer=3,
            why_not=lambda page: None if page.can_load_more else NOT_OFFERED,
        ),
        Action("groups.back", "escape", lambda page: page.dismiss(None), "Back", footer=4),
    )
    HELP = """\
# Groups
The loaded runs in groups, most failures first. `{groups.next}` groups by failed check and reason, scenario,
personality, result, or scenario and personality. `{group-list.open}` lists the runs of a group. `{groups.read-on}`
loads why more runs failed.

A run that failed two checks is in two groups. Runs that ended with an error failed no check and have their own
section. Bars compare groups with the largest one of their section.
"""

    def __init__(
        self,
        state: AppState,
        rows: Sequence[RunRow],
        loaded: str,
        *,
        outcomes_filtered: bool = False,
        last: OpenedGroup | None = None,
    ) -> None:
        super().__init__(state)
        self._outcomes_filtered = outcomes_filtered
        self._listed, self._loaded = tuple(rows), loaded
        self._by: Grouping = last.by if last else "verdict"
        self._grouping: RunGroups | None = None
        self._findings = last.findings if last else {}
        self._begin_at = last.key if last else None
        failed = [row for row in self._listed if row.outcome.kind == "failed"]
        failed.sort(key=lambda row: (row.at or 0.0, row.id), reverse=True)
        self._failed = [row.id for row in failed]
        self._loading = 0
        self._error: CekuraTuiError | None = None

    def body(self) -> ComposeResult:
        yield StatusLine(id="groups-headline")
        yield Static(id="groups-summary")
        with Pane(title="Groups", id="groups-pane"):
            yield ColumnHeader(self._headings, _GUTTER, id="groups-header")
            yield GroupList(self.state.when)
            yield Notice(id="groups-notice")

    def _headings(self, width: int) -> Iterator[Heading]:
        by = self._grouping.by if self._grouping is not None else self._by
        named = {"title": GROUPING_WORDS[by], "detail": "what was wrong" if by == "verdict" else ""}
        for name, cells in columns(width, by == "pair"):
            yield Heading(name, named.get(name, name), cells, name == "runs")

    def on_mount(self) -> None:
        self._draw()
        self._group()
        self.load()

    # Grouping

    @work(group="grouping", exclusive=True)
    async def _group(self) -> None:
        # In a thread: grouping thousands of runs takes longer than a frame.
        grouping, rows = await asyncio.to_thread(self._grouped, self._by, dict(self._findings))
        another = self._grouping is None or self._grouping.by != grouping.by
        self._grouping = grouping
        if not self.is_unmounted:
            listed = self.query_one(GroupList)
            # Until the user moves, the cursor stays on the first group, which fails most.
            listed.show_rows(rows, reset=another or (listed.at_top and listed.cursor_index == 0), follow=True)
            if self._begin_at is not None:
                listed.move_to(self._begin_at)
                self._begin_at = None
            self._draw()

    def _grouped(self, by: Grouping, findings: dict[int, tuple[Finding, ...]]) -> tuple[RunGroups, list[GroupRow]]:
        grouping = group_runs(self._listed, by, findings)
        return grouping, group_rows(grouping, self.state, since=not self._outcomes_filtered)

    def _draw(self) -> None:
        if self.is_unmounted:
            return
        grouping, listed, notice = self._grouping, self.query_one(GroupList), self.query_one(Notice)
        empty = not listed.rows
        listed.display, notice.display = not empty, empty
        header = self.query_one(ColumnHeader)
        header.display = not empty
        if not empty and not self.focused:
            listed.focus()
        if grouping is None:
            notice.show("Grouping runs …")
        elif empty and self._by == "verdict":
            keys = keymap_in_use().hint("{groups.next} group by scenario · {groups.back} back")
            notice.show("No failed runs among the loaded ones.", keys)
        elif empty:
            notice.show("No runs are loaded.", keymap_in_use().hint("{groups.back} back"))
        status = self.query_one(StatusLine)
        if grouping is not None:
            header.basis = grouping.by
            status.left = (f"By {GROUPING_WORDS[grouping.by]}",)
            errors = count(grouping.errors, "error")
            status.right = (f"{grouping.failed:,} failed", f"{errors} {self._loaded}")
        groups = len(grouping.groups) if grouping is not None else 0
        self.query_one("#groups-pane", Pane).show_title("Groups", f"{groups:,}" if groups else "")
        self.query_one("#groups-summary", Static).update(Content(self._summary()))
        self.refresh_bindings()

    # Why runs failed

    @property
    def can_load_more(self) -> bool:
        """Whether runs are grouped by failure reason, some reasons are not loaded, and no reasons are being loaded."""
        return self._by == "verdict" and bool(self._without_findings) and not self._loading

    @property
    def _without_findings(self) -> list[int]:
        return [number for number in self._failed if number not in self._findings]

    def _summary(self) -> str:
        """The number of groups, and how many failure reasons are loaded or how to read the rows. An error in loading
        the reasons replaces this text. Empty if there are no groups."""
        grouping = self._grouping
        if grouping is None or not grouping.groups:
            return ""
        groups = count(len(grouping.groups), "group")
        if grouping.by == "verdict":
            if self._error is not None:
                retry = with_keys("{groups.read-on} retry")
                return clean_line(f"! Can't load why runs failed · {retry} · {self._error.sentence()}")
            return " · ".join(filter(None, (groups, self._loaded_reasons())))
        newest = "newest outcome on the right" if grouping.by == "pair" else ""
        left_out = "runs with other outcomes are filtered out" if self._outcomes_filtered and newest else ""
        return " · ".join(filter(None, (groups, "most failures first", newest, left_out)))

    def _loaded_reasons(self) -> str:
        unread, failed = len(self._without_findings), len(self._failed)
        if self._loading:
            return f"loading why {count(self._loading, 'run')} failed …"
        if not unread:
            return "all failure reasons loaded" if failed else ""
        load = with_keys("{groups.read-on} load")
        return f"reasons loaded for {failed - unread:,} of {failed:,} · {load} {min(unread, PAGE):,} more"

    @work(group="why", exclusive=True)
    async def load(self, *, more: bool = False) -> None:
        """Load the cached failure reasons, then fetch the missing reasons of the PAGE newest failed runs.

        With `more`, fetch the next PAGE missing reasons instead.
        """
        self._error = None
        workspace = self.state.workspace
        try:
            if failed := self._failed:
                self._add_findings(await workspace.do(lambda session: session.findings.cached(failed)))
            wanted = (
                self._without_findings[:PAGE] if more else [n for n in self._failed[:PAGE] if n not in self._findings]
            )
            for start in range(0, len(wanted), AT_ONCE):
                self._loading = len(wanted) - start
                self._draw()
                ids = wanted[start : start + AT_ONCE]
                # `fetch` returns () for runs that the server left out, so they are not requested again.
                self._add_findings(await workspace.call(lambda session: session.findings.fetch(ids)))  # noqa: B023 - awaited here
        except CekuraTuiError as error:
            self._error = error
            if error.exit_status == Exit.KEY_REFUSED:
                self.show_error(error)
        finally:
            self._loading = 0
            self._draw()

    def _add_findings(self, found: dict[int, tuple[Finding, ...]]) -> None:
        if found:
            self._findings |= found
            if self._by == "verdict":
                self._group()

    # Keys

    def group_by_next(self) -> None:
        self._by = GROUPINGS[(GROUPINGS.index(self._by) + 1) % len(GROUPINGS)]
        self._draw()
        self._group()

    @on(GroupList.Opened, "#groups")
    def opened(self, event: GroupList.Opened) -> None:
        groups = self._grouping.groups if self._grouping else ()
        group = next((group for group in groups if group.key == event.key), None)
        if group is None or not self.is_current:
            return
        if group.left_out:
            self.notify_once(
                f"Only the newest {MOST_IDS} of {group.count:,} runs are listed: a filter takes {MOST_IDS} ids at most."
            )
        parts = (group.title, group.detail if group.section or group.key[0] == "pair" else "")
        name = clean_line(": ".join(filter(None, parts)))
        opened = OpenedGroup(name, group.filter_text, group.key, self._by, self._findings)
        self.dismiss(opened)  # type: ignore[arg-type] # the run list waits for it


def open_groups(page: Page, controller: RunsController) -> None:
    """Open the groups screen for the loaded runs. Going back from the runs of a group shows the screen again."""
    listing = controller.listing
    rows = listing.loaded_rows()
    if listing.all_loaded:
        loaded = "in all matching runs" if listing.filter else "in all runs"
    else:
        matching = f"in {len(rows):,} matching of {listing.loaded:,} loaded runs"
        loaded = f"in {len(rows):,} loaded runs" if len(rows) == listing.loaded else matching
    some = filters_by_outcome(listing.filter)

    def show(last: OpenedGroup | None = None) -> None:
        def left(group: object) -> None:
            if isinstance(group, OpenedGroup):
                controller.open_group(group.name, group.filter_text, lambda: show(group))

        page.app.push_screen(GroupsScreen(page.state, rows, loaded, outcomes_filtered=some, last=last), left)

    show()
