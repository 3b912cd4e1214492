"""Six hours of use with a failing server, on a clock that runs 20 times as fast (18 minutes), by thirds.

The app runs in a pseudo-terminal; its server is another process. The clocks of both run 20 times as fast, and so do
polls, timeouts, retries and jobs. Each key is pressed when the screen shows the answer to the last one. Each round
views runs, opens dialogs, launches a job, lets the server fail in the next way of `TROUBLES`, resizes and stops the
program, views the suggestion and switches the profile. The rows are the growth from the end of the first third to the
end of the last; memory is the median of the last `ROUNDS` rounds. With details, a line is printed every minute. With
BENCH_TRACES=1 in the environment, the lines of code that hold more memory are printed, too; tracing inflates memory.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from cekura_tui.config.credentials import ApiKey, read_server, save_key
from tests.bench.fast_app import SPEED
from tests.bench.row import Options, Row
from tests.bench.timed_terminal import COLUMNS, LINES, TimedTerminal, environment, resident
from tests.bench.troubled_server import TROUBLES

MOST_GROWTH = 5.0
"""Limit of the growth of memory, open files, threads and objects, in percent."""
ROUNDS = 9
OPENS = {"?": "Keys", "v": "Views", "C": "Columns", "p": "List runs", ":": "Commands", "b": "Groups"}
"""Titles of dialogs and pages by the keys that open them."""
COLUMN_WIDTHS = {"hour": 5, "round": 6, "memory MB": 10, "blocks": 9, "files": 6, "threads": 8, "objects": 8, "jobs": 5}
COLUMN_WIDTHS |= {"database MB": 12, "log kB": 7}


class User:
    """Uses the program, and measures what its process holds."""

    def __init__(self, place: Path, stack: ExitStack) -> None:
        began, env, python = str(time.time()), environment(place / "client"), [sys.executable, "-m"]
        command = [*python, "tests.bench.troubled_server", began, str(place / "server")]
        self._server: Any = subprocess.Popen(
            command, env=env, stdin=-1, stdout=-1, stderr=subprocess.DEVNULL, text=True
        )
        stack.callback(self._server.kill)
        url, key = self._server.stdout.readline().split()
        self._home, self._report, self.memory = Path(env["CEKURA_TUI_HOME"]), place / "report.jsonl", list[float]()
        for profile in ("default", "other"):
            save_key(self._home / "credentials.json", read_server(url), ApiKey(key, "typed"), profile)
        (self._home / "config.toml").write_text("project_id = 4021\n")
        self._report.touch()
        command = [*python, "tests.bench.fast_app", began, str(self._report)]
        self.terminal = stack.enter_context(TimedTerminal(env=env, command=command))

    @property
    def title(self) -> str:
        return self.terminal.text.partition("\n")[0]

    def fail(self, trouble: str) -> None:
        """Let the server fail in this way; "" ends the trouble."""
        self._server.stdin.write(trouble + "\n")
        self._server.stdin.flush()
        assert self._server.stdout.readline() == trouble + "\n"

    def press(self, key: str, *shown: str, gone: str = "") -> None:
        self.terminal.press(key).wait(*shown, gone=gone)
        self.terminal.forget()

    def use(self) -> None:
        """Use every part of the program once."""
        terminal, number = self.terminal, len(self.memory)
        self.view_runs(4)
        for key, title in OPENS.items():
            self.press(key, f"╭─ {title}")
            self.press("esc", "of 240 runs", gone=f"╭─ {title}")
        self.press("!", "filter by")
        self.press("!", "of 240 runs")
        self.press("i", "Launch", "ctrl+g", gone="Loading")
        self.press("ctrl+g", "of 240 runs", gone="Improve the prompt")
        self.fail(TROUBLES[number % len(TROUBLES)])
        self.press("r", gone="● live")
        self.view_runs(2)
        for columns, lines in ((80, 24), (160, 50), (COLUMNS, LINES)):
            terminal.resize(columns, lines)
            terminal.wait("─ Runs").wait_idle(checks=1)
        terminal.process.send_signal(signal.SIGSTOP)
        terminal.until(lambda: terminal.stopped, "the program is stopped")
        terminal.process.send_signal(signal.SIGCONT)
        self.fail("")
        self.press("r", "● live", "of 240 runs", gone="● live ·")
        self.press("2", "esc Runs")
        self.press("g")
        self.press("enter", "esc Back")
        for key in "anxufww" if "Suggestion" in self.title else "":
            self.press(key, "Suggestion of job")
            terminal.wait_idle(checks=1)
        self.press("esc", "esc Runs")
        self.press("1", "of 240 runs")
        for move, profile in (("j", "other"), ("k", "default")):
            self.press("P", "add profile")
            self.press(move)
            self.press("enter", f"Profile {profile}")
            terminal.wait_idle().wait("of 240 runs", "● live")
        self.memory.append(resident(terminal.process.pid))

    def view_runs(self, count: int) -> None:
        """Open a run, view the runs after it, and go back."""
        self.press("g" + "j" * (len(self.memory) % 15))
        self.press("enter", "Details", gone="Loading run")
        for _ in range(count - 1):
            former = self.title
            self.terminal.press("]").until(lambda former=former: self.title != former, "the next run")
            self.press("tab", "Details", gone="Loading run")
        self.press("esc", "╭─ Runs")

    def measure(self, seconds: float) -> dict[str, Any]:
        """What the process holds after this many seconds, printed as a line of the table."""
        known = self._report.read_text().count("\n")
        self.terminal.process.send_signal(signal.SIGUSR1)
        self.terminal.until(lambda: self._report.read_text().count("\n") > known, "a report")
        held: dict[str, Any] = json.loads(self._report.read_text().splitlines()[-1])
        held |= {"hour": seconds * SPEED / 3600, "round": len(self.memory), "memory MB": median(self.memory[-ROUNDS:])}
        held |= {
            "objects": sum(held["kinds"].values()),
            "files": len(os.listdir(f"/proc/{self.terminal.process.pid}/fd")),
        }
        for name, files, unit in (("database MB", "cekura.db*", 1e6), ("log kB", "log/*", 1e3)):
            held[name] = sum(file.stat().st_size for file in self._home.glob(files)) / unit
        with sqlite3.connect(self._home / "cekura.db") as sql:
            (held["jobs"],) = sql.execute("SELECT count(*) FROM jobs").fetchone()
        sql.close()
        cells = ((held[name], width) for name, width in COLUMN_WIDTHS.items())
        print("".join(f"{one:{width}.{2 * isinstance(one, float)}f}" for one, width in cells), flush=True)
        return held


def rows(options: Options) -> Iterator[Row]:
    """Use the program, and report the growth by thirds."""
    a_third = options.hours * 1200 / SPEED
    with ExitStack() as stack:
        user, thirds = User(options.place, stack), list[dict[str, Any]]()
        user.terminal.wait("240 runs", "● live").rest()
        user.press("!", "of 240 runs")
        print("".join(f"{name:>{width}}" for name, width in COLUMN_WIDTHS.items()), flush=True)
        began, printed = time.monotonic(), 0.0
        while len(thirds) < 3:
            user.use()
            took = time.monotonic() - began
            if took >= a_third * (len(thirds) + 1):
                thirds.append(user.measure(took))
            elif options.details and took >= printed + 60:
                printed = took
                user.measure(took)
        user.terminal.quit()
    first, middle, last = thirds
    for name in ("memory MB", "files", "threads", "objects"):
        growth = 100 * (last[name] - first[name]) / first[name]
        yield Row(f"six hours: growth of {name.removesuffix(' MB')}", "%", [growth], most=MOST_GROWTH)
    grown = [later["memory MB"] - earlier["memory MB"] for earlier, later in ((first, middle), (middle, last))]
    yield Row("six hours: growth of memory in the middle and the last third", "MB", grown)
    for kind, count in last["kinds"].items():
        if count > first["kinds"].get(kind, 0) + 2:
            print(f"  {kind}: {first['kinds'].get(kind, 0)} → {middle['kinds'].get(kind, 0)} → {count}")
    print(*(f"  {line}" for line in last["lines"]), sep="\n")
