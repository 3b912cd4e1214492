"""A run of 10,000 turns and 1,000 verdicts compared with a short run, in a real terminal with prepared answers."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack

from tests.bench.hundred_thousand import KEY, LEAP, MOST_RATIO, PAGE_DOWN, PAGE_UP, ROUNDS
from tests.bench.long_calls import FIRST, RUNS
from tests.bench.row import Options, Row
from tests.bench.servers import Account, call_server
from tests.bench.timed_terminal import TimedTerminal

TURNS, VERDICTS, FEW = 10_000, 1_000, 100
MOST_EVIDENCE = 20.0
"""Limit in seconds until the evidence of every verdict is found."""
SHIFT_TAB = "\x1b[Z"
NEWEST = FIRST + RUNS - 1
FOUND = "cites "
"""Text of a verdict whose evidence has been found."""
_NUMBER = re.compile(r"N(\d{5})")


def rows(options: Options) -> Iterator[Row]:
    """Hold `j` and `k` in both runs in turn, then compare their memory."""
    with ExitStack() as stack:
        short, long = opened_beside(options, stack)
        yield beside("j, k", held(short, long, "j", "k", 60), most_ratio=MOST_RATIO, **KEY)
        memory = [long.resident], [short.resident]
        yield Row(f"memory, a run of {TURNS:,} turns", "MB", *memory, f"{FEW} turns")


def every_key(options: Options) -> Iterator[Row]:
    """Measure the other keys of a run, and each way to open it."""
    with ExitStack() as stack:
        short, long = opened_beside(options, stack)
        looked_for = beside("j while evidence is looked for", held(short, long, "j", "k", 30), **LEAP)
        for one in (short, long):
            one.press("tab").wait(FOUND)
        yield looked_for
        for one in (short, long):
            one.press("tab", "tab").settle()
        for name, there, back, times in (
            ("pgdn, pgup", PAGE_DOWN, PAGE_UP, 20),
            ("e, E", "e", "E", 10),
            ("tab, shift+tab", "tab", SHIFT_TAB, 10),
            ("G, g", "G", "g", 4),
        ):
            took = held(short, long, there, back, times, room=1 if there == "G" else 4)
            yield beside(name, took, **LEAP)
        for one in (short, long):
            one.press("/").wait("Find")
        typed = [[one.answer(letter).took for letter in "the"] for one in (short, long)]
        yield beside("letters of a search", (typed[0], typed[1]), **LEAP)
        for one in (short, long):
            one.press("enter").settle()
        yield beside("n, N", held(short, long, "n", "N", 20, room=10), **LEAP)
        for one in (short, long):
            one.press("esc").settle()
        yield Row("the turn at the top stays in another width", "", [float(top_stays(long))], at_least=1)
    with ExitStack() as stack:
        accounts = served(options, stack, "ways")
        for name, way in (
            ("enter after the preview", opened_from_list),
            ("by its number, from the start", opened_by_number),
        ):
            each = [[way(account, NEWEST - n) for n in range(5)] for account in accounts]
            yield Row(f"{TURNS:,} turns, {name}", "ms", each[1], each[0], f"{FEW} turns")
        found = [evidence_found(account.with_home(options.place / "evidence")) for account in accounts]
        yield Row(f"evidence found after, {TURNS:,} turns", "s", found[1:], most=MOST_EVIDENCE)


def served(options: Options, stack: ExitStack, name: str) -> list[Account]:
    """Start a server of short runs and a server of long runs; returns an account on each."""
    sizes = ((FEW, 10), (TURNS, VERDICTS))
    return [stack.enter_context(call_server(options.place / f"{name}-{turns}", turns, few)) for turns, few in sizes]


def opened_beside(options: Options, stack: ExitStack) -> tuple[TimedTerminal, TimedTerminal]:
    """Open the program on a short run and, at the same time, on a long run."""
    short, long = (
        stack.enter_context(TimedTerminal(str(NEWEST), env=account.env)) for account in served(options, stack, "keys")
    )
    for one in (short, long):
        one.wait(f"opening{NEWEST}")
    for one in (short, long):
        one.settle()
    return short, long


def held(
    short: TimedTerminal, long: TimedTerminal, there: str, back: str, times: int, room: int = FEW - 10
) -> tuple[list[float], list[float]]:
    """Milliseconds per repeat of held keys, in the short run and in the long run. The keys `there` and `back` are held
    in both programs in turn, for several rounds."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for one, values in zip((short, long), took, strict=True):
            values += [answer.took for answer in one.held(there, back, times, room)]
        for one in (short, long):
            one.press("g").settle()
    return took


def beside(name: str, took: tuple[list[float], list[float]], **limits: float) -> Row:
    """Row that compares the times of a key in the long run with the times in the short run."""
    return Row(f"key to last byte, {TURNS:,} turns, {name}", "ms", took[1], took[0], f"{FEW} turns", **limits)


def top_stays(terminal: TimedTerminal) -> bool:
    """Whether the turn at the top is still at the top after the terminal became narrower and wide again."""
    terminal.press("g").settle()
    for key in (*(PAGE_DOWN,) * 5, "k", "k"):  # now the cursor's turn is at the top, with its first line
        terminal.press(key)
        terminal.written_within(0.2)
    terminal.settle()
    tops = []
    for columns in (120, 80, 120):
        terminal.resize(columns, 36)
        terminal.settle()
        number = _NUMBER.search(terminal.text.partition("Transcript")[2])
        tops.append(number and number[1])
    return tops[0] is not None and len(set(tops)) == 1


def opened_from_list(account: Account, run: int) -> float:
    """Milliseconds from `enter` on a previewed run to its transcript, in a program that was just started."""
    with TimedTerminal(env=account.env) as terminal:
        terminal.wait(f"{RUNS} runs", "live").settle()
        for _ in range(NEWEST - run):
            terminal.press("j").settle()
        terminal.wait(f"verdict{run}").settle()
        return terminal.answer("enter").took


def opened_by_number(account: Account, run: int) -> float:
    """Milliseconds from the start of `cekura-tui RUN` to its transcript."""
    with TimedTerminal(str(run), env=account.env) as terminal:
        return terminal.first_shown(f"opening{run}", f"verdict{run}")


def evidence_found(account: Account) -> float:
    """Seconds from showing a run's transcript to finding the evidence of its verdicts."""
    with TimedTerminal(str(NEWEST), env=account.env) as terminal:
        terminal.wait(f"opening{NEWEST}")
        began = time.perf_counter()
        terminal.press("tab").wait(FOUND)
        return time.perf_counter() - began
