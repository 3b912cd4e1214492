"""A screen that groups runs, to show what fails most often, and since when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from cekura_tui.model.column_fit import Cells
from cekura_tui.model.errors import Exit
from cekura_tui.model.filter.filter import MOST_IDS
from cekura_tui.model.run.groups import (
    GROUPING_WORDS,
    GROUPINGS,
    STRIP,
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
from cekura_tui.model.text import clean_line, count
from cekura_tui.ui.actions import Action
from cekura_tui.ui.keymap import keymap_in_use
from cekura_tui.ui.kit.lines import OUTCOME_TONES, TONE_CLASSES, Notice, StatusLine
from cekura_tui.ui.kit.lists import ColumnHeader, Heading
from cekura_tui.ui.kit.page import Page
from cekura_tui.ui.kit.pane import Pane
from cekura_tui.ui.kit.strips import Line, RowState
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.state import AppState
from cekura_tui.ui.terminal.cells import fit
from cekura_tui.workspace.run_sweep import RunLoad

if TYPE_CHECKING:
    from textual.timer import Timer

    from cekura_tui.ui.runs.controller import RunsController
    from cekura_tui.ui.runs.listing import RunListing

WIDE, WIDE_WITH_STRIP = 110, 156
"""Minimum widths of the list, in cells, to show the detail beside the title: without and with the outcomes column."""
BAR, WIDE_BAR = 6, 10
"""Width of a bar in cells: in a narrow list, and in a list of at least WIDE cells."""
_BAR, _HALF = "━", "╸"
_COUNT, _PERCENT, _RUN, _WHEN = 6, 4, 10, 12
_GUTTER = 3
_INDENT = _GUTTER + _COUNT + 1
_TONES = {mark: OUTCOME_TONES[kind] for kind, mark in MARKS.items()}


@dataclass(frozen=True, slots=True)
class OpenedGroup:
    """A group that the user opened. `filter_text` lists its runs; `key` and `by` restore the groups screen later."""

    name: str
    filter_text: str
    key: tuple[str, ...]
    by: Grouping


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group with its detail and since when it has been failing or that it passes, as text, and the length of its bar
    (0 to 1). `heading` is the heading of the section if the group is the first of the section, else empty."""

    group: Group
    heading: str
    length: float
    detail: str
    since: str

    def below(self, width: int) -> list[str]:
        """The lines below the group's line in a list of `width` cells; a wide list has the detail beside the title."""
        texts = [text for text in ("" if _is_wide(width, bool(self.group.strip)) else self.detail, self.since) if text]
        joined = " · ".join(texts)
        return texts if len(joined) > width - _INDENT - 1 else [joined] * bool(joined)


def group_rows(grouping: RunGroups, state: AppState, *, since: bool = True, progress: str = "") -> list[GroupRow]:
    """Rows for the groups, in order. With `since`, they say since when a group has been failing, or that it
    passes. `progress` says how many runs are loaded if the order is provisional."""
    rows: list[GroupRow] = []
    section, provisional = "", f"Provisional order: {progress}" if progress else ""
    largest: dict[str, int] = {}
    for group in grouping.groups:
        largest[group.section] = max(largest.get(group.section, 1), group.failures)
    for group in grouping.groups:
        words = () if group.section == section else section_words(grouping, group.section)
        heading = " · ".join(filter(None, (*words, "" if rows else provisional)))
        section, failing = group.section, since_words(group, state.when) if since else ""
        rows.append(GroupRow(group, heading, group.failures / largest[section], clean_line(group.detail), failing))
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
    start = [("failed", _COUNT), ("failures", share), *([("outcomes", STRIP)] if strip else [])]
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
    numbered = True

    def __init__(self, when: Callable[[float | None], str]) -> None:
        super().__init__(id="groups")
        self._when = when

    def key_of(self, row: GroupRow) -> Hashable:
        return row.group.key

    def estimate(self, row: GroupRow, width: int) -> int:
        """The number of lines of a row, which is exact because a group's text never wraps."""
        return 1 + bool(row.heading) + len(row.below(width))

    def lines_of(self, row: GroupRow, width: int, state: RowState) -> Sequence[Line]:
        """The line of the group, below the heading of the section if the row has a heading, and above since when the
        group has been failing. In a narrow list, the detail is on the last line, too."""
        group, newest = row.group, row.group.newest
        mark = MARKS["failed"] if group.failed else MARKS["error"] if group.errors else " "
        tone, dim = self.style_of(f"tone--{_TONES.get(mark, 'dim')}"), self.style_of("tone--dim")
        texts = {
            "failed": f"{group.failures:,}",
            "title": clean_line(group.title),
            "detail": row.detail,
            "newest": f"{newest.outcome.mark} {newest.id}" if newest else "",
            "when": self._when(newest.at) if newest else "",
        }
        line = [Segment(f" {mark} ", tone)]
        for name, cells in columns(width, bool(group.strip)):
            if name == "failures":
                line.append(Segment(f"{percent(group.share):>{_PERCENT}} "))
                line.append(Segment(f"{bar(row.length, cells - 5)} ", tone))
            elif name == "outcomes":
                line += [Segment(mark, self.style_of(f"tone--{_TONES.get(mark, 'dim')}")) for mark in group.strip]
                line.append(Segment(" " * (cells - len(group.strip) + 1)))
            else:
                ink = None if name in ("failed", "title") else dim
                line.append(Segment(f"{fit(texts[name], cells, right=name == 'failed')} ", ink))
        lines: list[Line] = [line]
        if row.heading:
            # Its own background, so that the cursor does not seem to cover the heading.
            lines.insert(0, [Segment(fit(f" {row.heading}", width), self.style_of("groups--heading"))])
        for text in row.below(width):
            lines.append([Segment(" " * _INDENT), Segment(fit(text, width - _INDENT - 1), dim)])
        return lines


class GroupsScreen(Page):
    """Groups the runs of `load`, which `start` starts. Until all runs are loaded, the order is provisional: counts
    change, but rows move only on a key.

    Returns the `OpenedGroup`, or None if the user opened no group. With `outcomes_filtered`, the filter hides some
    outcomes, so that the start of a failure is unknown. `last` is the group that the user opened before; the cursor
    starts on that group.
    """

    PLACE = "In groups"
    PARTS = (GroupList,)
    AUTO_FOCUS = "GroupList"
    FIRST_READS = ("grouping",)
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
            lambda page: page.load_or_stop(),
            "Load all",
            "Load all matching runs and why they failed, or stop loading",
            footer=3,
            why_not=lambda page: None if page.provisional else "All runs are loaded.",
            label_now=lambda page: "Stop" if page.load.on else "" if page.provisional else None,
        ),
        Action(
            "groups.refresh",
            "r",
            lambda page: page.sort_or_reload(),
            "Reload",
            "Sort by what is loaded, retry after an error, or load again once all is loaded",
        ),
        Action("groups.test", "T", lambda page: page.test_group(), "Test", "Call the group's scenarios again", 5),
        Action("groups.back", "escape", lambda page: page.dismiss(None), "Back", footer=4),
    )
    HELP = """\
# Groups
All matching runs in groups, most failures first. `{groups.next}` groups by failed check and reason, scenario,
personality, result, or scenario and personality. `{group-list.open}` lists the runs of a group.

The groups open with the loaded runs and load the rest, then why runs failed. Until then the order is provisional:
rows stay where they are, and `{groups.refresh}` sorts them. `{groups.read-on}` stops and resumes loading. After an
error, `{groups.refresh}` also retries; once all is loaded, it loads again.

A run that failed two checks is in two groups. Runs that ended with an error failed no check and have their own
section. Bars compare the failures of the groups of a section. A group has been failing since its first failed run
after its last passed run; a failed check, after the last passed run of the same scenarios. A group without such a run
says `passing now` if its newest run passed, else `a later run passed`: other scenarios of the group, or its newest run,
may not have passed.
"""

    def __init__(
        self,
        state: AppState,
        load: RunLoad,
        listing: RunListing,
        start: Callable[[], object],
        *,
        outcomes_filtered: bool = False,
        last: OpenedGroup | None = None,
    ) -> None:
        super().__init__(state)
        self._outcomes_filtered = outcomes_filtered
        self.load, self._listing, self._start = load, listing, start
        self._by: Grouping = last.by if last else "verdict"
        self._grouping: RunGroups | None = None
        self._begin_at = last.key if last else None
        self._runs = ""
        """How many runs are grouped."""
        self.provisional = ""
        """How many runs are loaded if the order is provisional, else empty."""
        self._next_grouping: Timer | None = None
        self._grouping_took = 0.0

    def body(self) -> ComposeResult:
        yield StatusLine(id="groups-headline")
        yield Static(id="groups-summary")
        with Pane(title="Groups", id="groups-pane"):
            yield ColumnHeader(self._headings, _GUTTER, id="groups-header")
            yield GroupList(self.state.when)
            yield Notice(id="groups-notice")

    def _headings(self, width: int) -> Iterator[Heading]:
        by = self._grouping.by if self._grouping is not None else self._by
        named = {
            "failures": "% of all",
            "title": "failed check" if by == "verdict" else GROUPING_WORDS[by],
            "detail": "what was wrong" if by == "verdict" else "",
        }
        for name, cells in columns(width, by == "pair"):
            yield Heading(name, named.get(name, name), cells, name == "failed")

    def on_mount(self) -> None:
        self._draw()
        self._group()
        self.load.changed = self._load_changed

    def on_unmount(self) -> None:
        if self.load.changed == self._load_changed:  # unless another screen uses the load
            self.load.changed = lambda: None

    # Grouping

    def _progress(self) -> str:
        return self.load.progress(whole=self._by == "verdict")

    def _load_changed(self) -> None:
        """Group again: in intervals and without moving rows while runs are missing; in order when the load ends."""
        load, missing = self.load, bool(self._progress())
        if (error := load.error) and not load.on and error.exit_status == Exit.KEY_REFUSED and self.is_current:
            self.show_error(error)
        if load.on and missing:
            wait = max(0.5, 5 * self._grouping_took)  # grouping takes at most a fifth of the time
            self._next_grouping = self._next_grouping or self.set_timer(wait, lambda: self._group(sort=False))
        elif self.provisional or not load.on:
            self._group(sort=not missing)

    @work(group="grouping", exclusive=True)
    async def _group(self, *, sort: bool = True) -> None:
        """Group the loaded runs. Unless `sort`, no row moves."""
        if self._next_grouping is not None:
            self._next_grouping.stop()
            self._next_grouping = None
        began = time.monotonic()
        assert self.load.sweep is not None
        rows, by, progress = self.load.sweep.matching(self._listing.notes), self._by, self._progress()
        if progress and not self.load.sweep.total:  # no page has arrived, so no count is known
            self.provisional = progress
            self._draw()
            return
        before = self._grouping if self._grouping is not None and self._grouping.by == by else None
        # In a thread: grouping thousands of runs takes longer than a frame.
        grouping = await asyncio.to_thread(group_runs, rows, by, dict(self.load.findings))
        if before is not None and not sort:
            grouping = grouping.in_order_of(before)
        shown = group_rows(grouping, self.state, since=not self._outcomes_filtered, progress=progress)
        self._grouping, self.provisional = grouping, progress
        self._runs = self.load.progress(whole=False) or count(len(rows), "run")
        self._grouping_took = time.monotonic() - began
        if not self.is_unmounted:
            listed = self.query_one(GroupList)
            untouched, key = listed.at_top and listed.cursor_index == 0, listed.cursor_key
            former = listed.cursor_row
            listed.show_rows(shown, reset=before is None, follow=True)
            if untouched and not (listed.at_top and listed.cursor_key == key):
                listed.action_first()  # rather than leave the top with a group that went elsewhere
            elif before is not None and former is not None and listed.cursor_key != key:
                # The runs of the former group are now in groups of the same check by explanation.
                same = (row.group for row in shown if row.group.title == former.group.title)
                listed.move_to(next((group.key for group in same), None))
            if self._begin_at is not None:
                listed.move_to(self._begin_at, scroll=False)
                self.call_after_refresh(listed.move_to, self._begin_at)  # only then it scrolls no more than necessary
                self._begin_at = None
            self._draw()

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
        status = self.query_one(StatusLine)
        status.left = (f"By {GROUPING_WORDS[self._by if grouping is None else grouping.by]}",)
        if grouping is None:
            notice.show("Loading runs …" if self.load.on else "No runs are loaded.")
        else:
            what = "failed runs" if grouping.by == "verdict" else "matching runs"
            keys = keymap_in_use().hint("{groups.next} group by the next criterion · {groups.back} back")
            notice.show(f"No {what}{' yet: ' if self.provisional else ''}{self.provisional}.", keys)
            header.basis = grouping.by
            status.right = (f"{grouping.failed:,} failed", f"{count(grouping.errors, 'error')} in {self._runs}")
            groups, provisional = f"{len(grouping.groups):,}" if grouping.groups else "", self.provisional
            provisional = provisional and f"provisional: {provisional}"
            self.query_one("#groups-pane", Pane).show_title("Groups", groups, provisional)
        self.query_one("#groups-summary", Static).update(Content(self._summary()))
        self.refresh_bindings()

    def _summary(self) -> str:
        """How to read the rows, or how long loading takes or why it failed."""
        load, hint, sorted_by = self.load, keymap_in_use().hint, "most failures first"
        if self._grouping is None and not self.provisional:
            return ""
        keys, left, key = sorted_by, "checking for new runs", "{groups.refresh} reload"
        if self.provisional:
            keys = hint("{groups.refresh} sort · {groups.read-on} stop")
            time_left = load.time_left(whole=self._by == "verdict")
            left = f"loading the rest, about {time_left}" if self._grouping else "loading"
            key = "{groups.read-on} load the rest"
        if load.on:
            if load.error is not None:
                at = self.state.when(load.retry_at, seconds=True)
                left, keys = f"retrying at {at}: {load.error.message}", hint("{groups.refresh} retry now")
                keys += hint(" · {groups.read-on} stop") if self.provisional else ""
                return clean_line(f"{keys} · {left}")
            return clean_line(f"{left} · {keys}")
        if self.provisional or (load.sweep and load.sweep.error):
            why = "stopped" if load.error is None else f"! Can't load the rest: {load.error.sentence()}"
            return clean_line(f"{hint(key)} · {why}")
        if self._outcomes_filtered:
            return f"{sorted_by} · since when is unknown: other outcomes are filtered out"
        return f"{sorted_by} · newest outcome on the right" if self._by == "pair" else sorted_by

    # Keys

    def load_or_stop(self) -> None:
        if self.load.on:
            self.load.on = False
        else:
            self._start()

    def sort_or_reload(self) -> None:
        """Sort by what is loaded. After a failed request, retry now; once all is loaded, load all again."""
        load, complete = self.load, not (self.load.on or self.provisional)
        if load.sweep is not None and (complete or load.error is not None):
            load.sweep.restart() if complete else load.sweep.close()
            load.on = False
            self._start()  # replaces a waiting worker
        self._group()

    def test_group(self) -> None:
        if (row := self.query_one(GroupList).cursor_row) is not None:
            self.test(row.group.run_ids)

    def group_by_next(self) -> None:
        self._by = GROUPINGS[(GROUPINGS.index(self._by) + 1) % len(GROUPINGS)]
        self._draw()
        self._group()

    @on(GroupList.Opened, "#groups")
    def opened(self, event: GroupList.Opened) -> None:
        groups = self._grouping.groups if self._grouping else ()
        group = next((group for group in groups if group.key == event.key), None)
        if group is None or not group.count or not self.is_current:
            return
        if group.left_out:
            self.notify_once(
                f"Only the newest {MOST_IDS} of {group.count:,} runs are listed: a filter takes {MOST_IDS} ids at most."
            )
        parts = (group.title, group.detail if group.section or group.key[0] == "pair" else "")
        name = clean_line(": ".join(filter(None, parts)))
        opened = OpenedGroup(name, group.filter_text, group.key, self._by)
        self.dismiss(opened)  # type: ignore[arg-type] # the run list waits for it


def load_groups(page: Page, listing: RunListing, former: RunLoad | None) -> tuple[RunLoad, Callable[[], None]]:
    """The load of a list's runs, and a function that starts it as a worker of the list's page, so that it continues
    while the groups screen is closed. It begins with the loaded rows; `former` is used if it loads the same runs."""
    if former is None or former.sweep is None or former.sweep.query != listing.query:
        call, clock = page.state.workspace.call, page.state.clock
        former = RunLoad(call, listing.query, lambda row: row.outcome.kind == "failed", clock=clock, fresh=False)
    load, rows = former, listing.loaded_rows()
    assert load.sweep is not None
    load.sweep.begin_with(rows, listing.loaded, listing.count or 0, complete=listing.all_loaded)

    def start() -> None:
        if not load.on:
            page.start_worker(load.run, "groups", exclusive=True)

    start()
    return load, start


def open_groups(page: Page, controller: RunsController) -> None:
    """Open the groups screen. Going back from the runs of a group shows the screen again."""
    if controller.listing.scope is None:
        if controller.scope_error is None:  # still looking for the scope
            controller.when_listed = lambda: open_groups(page, controller)
        else:
            page.notify_once("Choose a project first.")
        return
    listing = controller.listing
    some = filters_by_outcome(listing.filter)

    def show(last: OpenedGroup | None = None) -> None:
        def left(group: object) -> None:
            if (sweep := load.sweep) is not None and sweep.all_checked and sweep.query.key == listing.query.key:
                controller.feed.complete(sweep, listing.notes)
            if isinstance(group, OpenedGroup):
                controller.open_group(group.name, group.filter_text, lambda: show(group))

        load, start = load_groups(page, listing, controller.groups_load)
        controller.groups_load = load
        page.app.push_screen(GroupsScreen(page.state, load, listing, start, outcomes_filtered=some, last=last), left)

    show()
