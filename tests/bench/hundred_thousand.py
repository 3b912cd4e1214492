"""The run list with 100,000 runs compared with a list of 100 runs: keys, bytes, memory, and the fetched pages. The two
programs run at the same time and get their keys in turn, so that other load on the machine affects both."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qsl

from tests.bench.row import Options, Row
from tests.bench.servers import demo_server, paused_list
from tests.bench.timed_terminal import Answer, TimedTerminal

FEW, MANY = 100, 100_000
MOST_RATIO = 1.3
KEY, LEAP = {"most": 4.0, "most_95": 15.0}, {"most": 15.0, "most_95": 35.0}
"""Limits in milliseconds, for a key and for a key that changes the whole screen: median and 95th percentile."""
ROUNDS = 5
PAGE_DOWN, PAGE_UP = "\x1b[6~", "\x1b[5~"
MOST_BYTES = 8_000
RUNS = "/test_framework/v1/runs/"


def rows(options: Options) -> Iterator[Row]:
    """Time held keys in a short and a long run list in turn, then measure the bytes sent and the memory."""
    with ExitStack() as stack:
        few, many = (
            stack.enter_context(paused_list(stack.enter_context(demo_server(options.place / f"{runs}", runs)), runs))
            for runs in (FEW, MANY)
        )
        height = sum(line.strip(" │")[:6].isdecimal() for line in many.text.split("\n"))
        kinds: dict[str, Callable[[TimedTerminal, int], list[Answer]]] = {
            "j, k": lambda one, room: one.held("j", "k", 60, room),
            "pgdn, pgup": lambda one, room: one.held(PAGE_DOWN, PAGE_UP, 24, room // height),
            "G, g": lambda one, room: [one.answer(key) for key in ("G", "g")],
        }
        for name, hold in kinds.items():
            took: dict[TimedTerminal, list[float]] = {few: [], many: []}
            for _ in range(ROUNDS):
                for one, room in ((few, FEW - 10), (many, MANY)):
                    took[one] += [answer.took for answer in hold(one, room)]
                few.press("g")
                for one in (few, many):
                    one.settle()
            many.press("g").settle()
            what = f"key to last byte, {MANY:,} runs, {name}"
            limits = KEY if name == "j, k" else LEAP
            yield Row(what, "ms", took[many], took[few], f"{FEW} runs", most_ratio=MOST_RATIO, **limits)
        moved = [bytes_of_twenty(many) for _ in range(ROUNDS)]
        yield Row(f"bytes of 20 × j, {MANY:,} runs", "B", moved, most=MOST_BYTES)
        yield Row(f"memory, {MANY:,} runs", "MB", [many.resident], [few.resident], f"{FEW} runs", most_ratio=1.2)
        for one in (few, many):
            one.quit()


def bytes_of_twenty(terminal: TimedTerminal) -> int:
    """Bytes sent while `j` is held for 20 rows, until the screen is still."""
    terminal.press("g").settle()
    terminal.hold("j", 20)
    terminal.pump_all(0.5)
    return len(terminal.raw)


def paging(options: Options) -> Iterator[Row]:
    """Count the pages fetched while scrolling without live updates (`L`), and the requests at rest with live
    updates."""
    with demo_server(options.place, MANY) as account, paused_list(account, MANY) as terminal:
        began = time.time()
        terminal.held("j", "k", 1_000, 1_000)
        terminal.held(PAGE_DOWN, PAGE_UP, 200, 200)
        for key in ("G", "g") * 20:
            terminal.answer(key)
        terminal.settle()
        pages = [entry for entry in account.requests(began) if kind_of(entry).startswith("page ")]
        twice = sum(
            any(kind_of(entry) == kind_of(former) and entry["at"] - former["at"] < 60 for former in pages[:n])
            for n, entry in enumerate(pages)
        )
        yield Row("L off: pages fetched", "", [len(pages)])
        yield Row("L off: pages fetched twice within a minute", "", [twice], most=0)
        terminal.press("L").wait("live")
        since = time.time()
        terminal.written_within(70)
        for kind, times in Counter(map(kind_of, account.requests(since))).items():
            yield Row(f"L on, at rest for 70 s: {kind}", "", [times])
        terminal.quit()


def kind_of(entry: dict[str, Any]) -> str:
    """Description of a request, such as "newer runs" or "page 2"."""
    query = dict(parse_qsl(entry.get("query", "")))
    if entry["path"] == f"{RUNS}bulk/":
        return "runs by their ids"
    if entry["path"] != RUNS:
        return "a run" if entry["path"].startswith(RUNS) else f"{entry['method']} {entry['path']}"
    return "newer runs" if "created_at_from" in query else f"page {query.get('page', 1)}"
