"""Time from the process start to the first rows on screen, compared with a bare app, and the time of `--help`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from terminal import PROGRAM

from tests.bench.row import Options, Row
from tests.bench.servers import cache_list, demo_server, newest
from tests.bench.timed_terminal import HELLO, HELLO_TEXT, TimedTerminal, environment

RUNS = 1_000
MOST_RATIO, MOST_HELP, MOST_BYTES = 1.5, 6.0, 16_000


def rows(options: Options) -> Iterator[Row]:
    """Time the starts of the bare app, of the program with 1,000 cached runs, of the demo, and of `--help`."""
    demo = environment(options.place / "demo")
    with demo_server(options.place / "account", RUNS) as account:
        cache_list(account, RUNS)
        starts = {
            "hello": Start((HELLO_TEXT,), account.env, command=HELLO),
            "account": Start((newest(RUNS), "passed"), account.env),
            "demo": Start((newest(240), "passed"), demo, ("--demo",)),
        }
        for n in range(options.repeat + 1):
            for start in starts.values():
                start.measure(counted=n > 0)
    bare, cached, embedded = starts["hello"], starts["account"], starts["demo"]
    yield Row("first frame, 1,000 cached runs", "ms", cached.took, bare.took, most_ratio=MOST_RATIO)
    yield Row("first frame, --demo", "ms", embedded.took, bare.took, most_ratio=MOST_RATIO)
    yield Row("first frame, bare app", "ms", bare.took)
    for name, start in (("1,000 cached runs", cached), ("--demo", embedded)):
        yield Row(f"bytes of a start, {name}", "B", start.bytes, bare.bytes, most=MOST_BYTES)
        yield Row(f"frames of a start, {name}", "", start.frames, bare.frames)
    yield from _help(options)


class Start:
    """A program that is started repeatedly, and the figures of its starts."""

    def __init__(
        self,
        texts: tuple[str, ...],
        env: dict[str, str],
        args: tuple[str, ...] = (),
        command: tuple[str, ...] = PROGRAM,
    ) -> None:
        self.texts, self.env, self.args, self.command = texts, env, args, command
        self.took, self.bytes, self.frames, self.memory = (list[float]() for _ in range(4))

    def measure(self, *, counted: bool = True) -> None:
        """Start the program, wait until its screen is still, and end it; a start that is not `counted` is a warm-up."""
        with TimedTerminal(*self.args, env=self.env, command=self.command) as terminal:
            took = terminal.first_shown(*self.texts)
            terminal.rest()
            figures = (took, len(terminal.raw), terminal.frames, terminal.resident)
            if self.command is PROGRAM:
                terminal.quit()
        if counted:
            for values, value in zip((self.took, self.bytes, self.frames, self.memory), figures, strict=True):
                values.append(value)


def _help(options: Options) -> Iterator[Row]:
    env = environment(options.place / "help")
    bare, with_help = [], []
    for _ in range(2 * options.repeat + 1):
        bare.append(_ran([sys.executable, "-c", "pass"], env))
        with_help.append(_ran([*PROGRAM, "--help"], env))
    yield Row("--help", "ms", with_help[1:], bare[1:], "python -c pass", most_ratio=MOST_HELP)


def _ran(command: list[str], env: dict[str, str]) -> float:
    """Milliseconds that a command takes."""
    began = time.perf_counter()
    subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - began) * 1000
