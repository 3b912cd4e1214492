"""A run of 10,000 turns and 1,000 verdicts beside one of 10 and 10: a real terminal, real keys, prepared answers.

    .venv/bin/python tests/bench/long_transcript.py [--turns 10000] [--verdicts 1000] [--opens 15] [--keys 100]
                                                    [--leaps 50] [--repeat 33]

Prints, for both, in milliseconds from a key to the last byte of what answers it: opening a run whose preview was shown,
one before any preview, and by its number at the start of the program; each key of the run (median and 95 %), `j` also
while the evidence is still being looked for; then the memory after the first, and after so many runs in a row by `]`,
and whether the turn at the top is still there after 120 → 80 → 120 columns. Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import measuring  # noqa: F401 - the program and the tests' own modules are found by it
from long_calls import FIRST, PROJECT, RUNS
from terminal import Terminal

FEW = 10
DRAWN = b"\x1b[?2026l"
"""What ends each drawing of the screen."""
SILENCE = 0.02
"""Seconds without a byte after which an answer is whole."""
PAGE_DOWN, PAGE_UP = "\x1b[6~", "\x1b[5~"
NEWEST = FIRST + RUNS - 1
FOUND = "cites "
"""What a verdict shows when its evidence has been found."""
_NUMBER = re.compile(r"N(\d{5})")


class Clocked(Terminal):
    """Tells when the last byte of an answer came; it is painted afterwards, which is none of the program's time."""

    hasty = False

    def _feed(self, data: bytes) -> None:
        if not self.hasty:
            super()._feed(data)

    def answer(self, key: str, *told: str) -> float:
        """Milliseconds from a key, or the start where it is empty, to the last byte of the answer; where words are told
        to the end of the drawing with them."""
        self.raw, self.hasty = b"", True
        wanted = [word.encode() for word in told]
        began = time.perf_counter()
        if key:
            self.press(key)
        while self.raw.find(DRAWN, max((self.raw.find(word) for word in wanted), default=0)) < 0 or any(
            word not in self.raw for word in wanted
        ):
            assert self.pump(10.0), f"no answer to {key!r}: {self.raw!r}"
        ended = time.perf_counter()
        while not told and self.pump(SILENCE):  # it may be drawn in two steps
            ended = time.perf_counter()
        took = (ended - began) * 1000
        self.hasty = False
        super()._feed(self.raw)
        return took

    def held(self, there: str, back: str, times: int, room: int, repeat: float) -> list[float]:
        """The same for a key that repeats after so many seconds; after `room` times in one direction the other does."""
        found = []
        for n in range(times):
            began = time.perf_counter()
            found.append(self.answer(there if n // room % 2 == 0 else back))
            while (left := began + repeat - time.perf_counter()) > 0:
                self.pump(left)
        return found


@dataclass
class Measured:
    """Of one length of run: milliseconds by what was done, megabytes by when, seconds until the evidence was found."""

    took: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    evidence: float = 0.0
    top_stayed: bool = False


@dataclass(frozen=True)
class Server:
    """The server of prepared bytes, and the runs that were read from it."""

    process: subprocess.Popen[str]
    url: str

    def read(self, number: int) -> None:
        """Wait until a run is asked for."""
        assert self.process.stdout is not None
        while self.process.stdout.readline().strip() != str(number):
            assert self.process.poll() is None


@contextlib.contextmanager
def served(turns: int, verdicts: int) -> Iterator[Server]:
    """So many turns and verdicts in every run."""
    words = [sys.executable, str(Path(__file__).with_name("long_calls.py")), str(turns), str(verdicts)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url, size = process.stdout.readline().split()
        print(f"{turns:,} turns, {verdicts:,} verdicts: {int(size):,} bytes a run")
        yield Server(process, url)
    finally:
        process.terminate()
        process.wait()


def started(server: Server, home: Path, *words: str) -> Clocked:
    """The program on this server, with a config directory of its own."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("CEKURA_", "TEXTUAL"))}
    own = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    own |= {"CEKURA_API_URL": server.url, "CEKURA_API_KEY": "k" * 32, "CEKURA_PROJECT_ID": str(PROJECT)}
    return Clocked(
        *words, env={**plain, **own, "CEKURA_TUI_HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[2])}
    )


def shown_by(run: int) -> tuple[str, str]:
    """The words that a run shows: of its first turn and of its first verdict."""
    return f"opening{run}", f"verdict{run}"


def measure(home: Path, turns: int, verdicts: int, options: argparse.Namespace) -> Measured:
    """Everything, on runs of one length."""
    found = Measured()
    with served(turns, verdicts) as server:
        found.took["by its number"] = [by_number(server, home / f"number-{n}", NEWEST - n) for n in range(3)]
        with started(server, home / "list") as terminal:
            terminal.wait(f"{RUNS} runs", "live")
            terminal.press("L")
            terminal.wait("paused", f"verdict{NEWEST}").settle()
            opening(terminal, found, options)
        with started(server, home / "one") as terminal:
            terminal.wait(f"{RUNS} runs", "live").press("L")
            terminal.wait("paused", f"verdict{NEWEST}").settle()
            reading(terminal, found, options, few=turns == FEW)
        with started(server, home / "many") as terminal:
            terminal.wait(f"{RUNS} runs", "live").press("L")
            terminal.wait("paused", f"verdict{NEWEST}").settle()
            leaping(terminal, server, found, options)
    return found


def by_number(server: Server, home: Path, run: int) -> float:
    """`cekura-tui RUN`: from the start of the process to the transcript."""
    began = time.perf_counter()
    with started(server, home, str(run)) as terminal:
        terminal.answer("", *shown_by(run))
        return (time.perf_counter() - began) * 1000


def opening(terminal: Clocked, found: Measured, options: argparse.Namespace) -> None:
    """Runs down the list, each looked at before it is opened, then more of them at once."""
    shown = found.took.setdefault("enter after the preview", [])
    unseen = found.took.setdefault("enter before any preview", [])
    for n in range(options.opens):
        run = NEWEST - n
        took = terminal.answer("\r", *shown_by(run))
        if n:
            shown.append(took)
        else:
            found.took["enter, the first time"] = [took]
        back(terminal)
        terminal.press("j")
        terminal.wait(f"verdict{run - 1}").settle()
    run = NEWEST - options.opens
    for n in range(1, 6):
        terminal.press("j")
        unseen.append(terminal.answer("\r", *shown_by(run - n)))
        back(terminal)


def back(terminal: Clocked) -> None:
    """To the list."""
    terminal.press("esc")
    terminal.wait(f"{RUNS} runs").settle()


def reading(terminal: Clocked, found: Measured, options: argparse.Namespace, *, few: bool) -> None:
    """One run, by each of its keys."""
    repeat, keys = options.repeat / 1000, options.keys
    room, pages = (FEW - 2, 1) if few else (10 * keys, 10 * keys)
    terminal.answer("\r", *shown_by(NEWEST))
    began = time.perf_counter()
    found.took["j while evidence is looked for"] = terminal.held("j", "k", 2 * keys, room, repeat)
    terminal.press("tab")
    terminal.wait(FOUND)
    found.evidence = time.perf_counter() - began
    terminal.press("tab", "tab")
    terminal.settle()
    found.memory["one run"] = resident(terminal.process.pid)
    terminal.press("g")
    terminal.settle()
    found.took["j"] = terminal.held("j", "k", keys, room, repeat)
    terminal.press("G")
    terminal.settle()
    found.took["k"] = terminal.held("k", "j", keys, room, repeat)
    terminal.press("g")
    terminal.settle()
    found.took["pgdn"] = terminal.held(PAGE_DOWN, PAGE_UP, keys, pages, repeat)
    terminal.press("g")
    terminal.settle()
    found.took["e"] = terminal.held("e", "E", keys // 2, keys, 0.1)
    terminal.settle()
    found.took["tab"] = terminal.held("tab", "\x1b[Z", 30, 30, 0.2)
    terminal.settle()
    found.took["G, g"] = [terminal.answer(key) for _ in range(15) for key in ("G", "g") if terminal.settle()]
    terminal.press("/")
    terminal.wait("Find")
    found.took["/ letter by letter"] = [terminal.answer(letter) for letter in "the" if terminal.settle()]
    terminal.press("enter")
    terminal.settle()
    found.took["n"] = terminal.held("n", "N", keys, keys, repeat)
    terminal.press("esc")
    terminal.settle()
    found.top_stayed = few or top_stays(terminal)


def top_stays(terminal: Clocked) -> bool:
    """Whether the turn at the top is the same after another width and back."""
    terminal.press("g")
    terminal.settle()
    for key in (*(PAGE_DOWN,) * 5, "k", "k"):  # the cursor's turn is the top one then, from its first line on
        terminal.press(key)
        terminal.written_within(0.2)
    terminal.settle()
    tops = []
    for columns in (120, 80, 120):
        terminal.resize(columns, 36)
        terminal.settle()
        told = _NUMBER.search(terminal.text.partition("Transcript")[2])
        tops.append(told and told[1])
    print(f"turn at the top by width: {tops}")
    return tops[0] is not None and len(set(tops)) == 1


def leaping(terminal: Clocked, server: Server, found: Measured, options: argparse.Namespace) -> None:
    """Runs in a row: each is fetched ahead while the one before is shown."""
    terminal.answer("\r", *shown_by(NEWEST))
    took = found.took.setdefault("] fetched ahead", [])
    for n in range(1, options.leaps + 1):
        run = NEWEST - n
        server.read(run)
        end = time.perf_counter() + (2.0 if n <= 15 else 0.7)  # the neighbour has arrived, and is read
        while (left := end - time.perf_counter()) > 0:
            terminal.pump(left)
        took.append(terminal.answer("]", *shown_by(run)))
        if n in (10, options.leaps):
            terminal.settle()
            found.memory[f"{n} runs by ]"] = resident(terminal.process.pid)
    found.took["[ as it was"] = []
    for n in range(options.leaps - 1, max(options.leaps - 4, -1), -1):
        terminal.settle()
        found.took["[ as it was"].append(terminal.answer("[", *shown_by(NEWEST - n)))


def resident(pid: int) -> float:
    """Megabytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--turns", type=int, default=10_000)
    parser.add_argument("--verdicts", type=int, default=1_000)
    parser.add_argument("--opens", type=int, default=15)
    parser.add_argument("--keys", type=int, default=100)
    parser.add_argument("--leaps", type=int, default=50)
    parser.add_argument("--repeat", type=float, default=33)
    options = parser.parse_args()
    with TemporaryDirectory() as place:
        large = measure(Path(place) / "many", options.turns, options.verdicts, options)
        small = measure(Path(place) / "few", FEW, FEW, options)
    for name, took in large.took.items():
        opens = name.startswith(("enter", "by its", "[", "]"))
        judge(f"{name}, median, ms", *medians(took, small.took[name]), None if opens else 15.0, 1.2 if opens else None)
        if not opens:
            judge(f"{name}, 95 %, ms", *nearly_all(took, small.took[name]), 35.0, None)
    for when, megabytes in large.memory.items():
        judge(f"memory, {when}, MB", megabytes, small.memory[when], None, None)
    judge("evidence found after, s", large.evidence, small.evidence, 20.0, None)
    print(f"the turn at the top stays in another width: {'yes' if large.top_stayed else 'NO'}")


def medians(*both: list[float]) -> Iterator[float]:
    """The median of each."""
    return map(statistics.median, both)


def nearly_all(*both: list[float]) -> Iterator[float]:
    """Of each what 95 % are below."""
    at: Callable[[list[float]], float] = lambda took: sorted(took)[int(len(took) * 0.95)]  # noqa: E731
    return map(at, both)


def judge(name: str, value: float, beside: float, limit: float | None, ratio: float | None) -> None:
    """A figure, the same on the short run, and whether the limits that there are hold."""
    fine = (ratio is None or value <= beside * ratio) and (limit is None or value <= limit)
    most = " and ".join([*([f"at most {limit:.0f}"] if limit else []), *([f"{ratio} ×"] if ratio else [])])
    judged = f"  ({most})  {'ok' if fine else 'OVER'}" if most else ""
    print(f"{name:42}{value:8.1f}  on {FEW}: {beside:8.1f}  ratio {value / beside:4.2f}{judged}")


if __name__ == "__main__":
    main()
