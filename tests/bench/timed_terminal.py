"""The program in a pseudo-terminal, with the arrival time of all output, and its memory and CPU time. Output is painted
only when the screen is read, so that painting does not count as the program's time."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import terminal
from terminal import Terminal

COLUMNS, LINES = 120, 40
GAP = 0.15
"""Seconds of silence that end the answer to a key; the silence is not part of the answer's time."""
SHORT_GAP = 0.02
"""Seconds of silence that end the answer to a held key that moves the cursor."""
REPEAT = 0.033
"""Seconds between two repeats of a held key, as on a keyboard."""
FRAME = b"\x1b[?2026h"
"""Sequence that begins each frame."""
HELLO = (sys.executable, str(Path(__file__).with_name("hello.py")))
HELLO_TEXT = "Hello, world"


def environment(home: Path, **more: str) -> dict[str, str]:
    """Environment of a capable terminal with 24-bit colour, with config and home directories inside `home`. Python
    caches compiled code, as on a user's machine."""
    own = terminal.environment(home / "config", home / "user")
    rest = {name: value for name, value in own.items() if not name.startswith("CEKURA_") or name == "CEKURA_TUI_HOME"}
    rest.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**rest, **more}


@dataclass(frozen=True)
class Answer:
    """Output after a key: milliseconds to its last byte, bytes, frames, and bytes of the largest frame."""

    took: float
    bytes: int
    frames: int
    largest: int


class TimedTerminal(Terminal):
    """A terminal that records the arrival time of the program's output. `began` is the time at which the process was
    started; `pieces` is the timed output since the last `forget`."""

    def __init__(self, *args: str, columns: int = COLUMNS, lines: int = LINES, **options: Any) -> None:
        self.pieces: list[tuple[float, bytes]] = []
        self._painted = 0
        self.began = time.perf_counter()
        super().__init__(*args, columns=columns, lines=lines, **options)

    def _feed(self, data: bytes) -> None:
        self.pieces.append((time.perf_counter(), data))

    def _paint(self) -> float:
        """Paint the next piece; returns the time at which it arrived."""
        came, data = self.pieces[self._painted]
        self._painted += 1
        super()._feed(data)
        return came

    @property
    def text(self) -> str:
        while self._painted < len(self.pieces):
            self._paint()
        return super().text

    @property
    def frames(self) -> int:
        """Number of frames since the last `forget`."""
        return self.raw.count(FRAME)

    def forget(self) -> None:
        """Paint the output so far and discard it."""
        _ = self.text
        self.raw, self.pieces, self._painted = b"", [], 0

    def first_shown(self, *texts: str, gap: float = 0.3) -> float:
        """Milliseconds from the start of the process to the first frame that shows all texts."""
        while self.pump(gap if FRAME in self.raw or len(self.raw) > 2_000 else 10.0):
            pass
        for _ in range(200):
            while self._painted < len(self.pieces):
                came = self._paint()
                if all(text in super(TimedTerminal, self).text for text in texts):
                    return (came - self.began) * 1000
            self.pump(0.1)
        state = "still runs" if (status := self.process.poll()) is None else f"ended with {status}"
        raise AssertionError(f"never shown: {', '.join(texts)}; the program {state}\n{self.text}")

    def answer(self, key: str, gap: float = GAP) -> Answer:
        """Press a key, wait for `gap` seconds of silence, and return the output as an answer."""
        self.forget()
        began = time.perf_counter()
        self.press(key)
        return self._answer(began, gap, key)

    def _answer(self, began: float, gap: float, what: str) -> Answer:
        if not self.pump(5.0):
            raise AssertionError(f"no answer to {what!r}\n{self.text}")
        self.pump_all(gap)
        took = (self.pieces[-1][0] - began) * 1000
        frames = self.raw.split(FRAME)[1:]
        return Answer(took, len(self.raw), len(frames), max(map(len, frames), default=0) + len(FRAME))

    def painted_whole(self) -> Answer:
        """Send SIGWINCH, so that the program repaints its whole screen; returns the output as an answer."""
        self.forget()
        began = time.perf_counter()
        self.process.send_signal(signal.SIGWINCH)
        return self._answer(began, GAP, "SIGWINCH")

    def held(self, there: str, back: str, times: int, room: int) -> list[Answer]:
        """Answers to `times` repeats of a held key. The key is `there` for `room` repeats, then `back` for `room`
        repeats, and so on. Bytes and frames of an answer are counted until the next repeat."""
        found = []
        for n in range(times):
            key = there if n // room % 2 == 0 else back
            # Discard the output so far, except pieces that are not painted yet.
            self.raw, self.pieces, self._painted = b"", self.pieces[self._painted :], 0
            began = time.perf_counter()
            self.press(key)
            answer = self._answer(began, SHORT_GAP, key)
            self._pump_until(began + REPEAT)
            found.append(replace(answer, bytes=len(self.raw), frames=self.frames))
        return found

    def hold(self, key: str, times: int) -> float:
        """Repeat a key `times` times without waiting for answers; returns the time of the first press. Output is kept
        from the first press on."""
        self.forget()
        began = time.perf_counter()
        for n in range(times):
            self.press(key)
            self._pump_until(began + (n + 1) * REPEAT)
        return began

    def pump_all(self, gap: float) -> None:
        """Read until there are `gap` seconds of silence."""
        while self.pump(gap):
            pass

    def rest(self, most: float = 2.0) -> None:
        """Wait for half a second of silence, but at most `most` seconds, because some programs blink for ever."""
        end = time.perf_counter() + most
        while self.pump(0.5) and time.perf_counter() < end:
            pass

    def _pump_until(self, end: float) -> None:
        while (left := end - time.perf_counter()) > 0:
            self.pump(left)

    def quit(self) -> None:
        self.press("q")
        self.ended()

    # Resources of the process

    @property
    def resident(self) -> float:
        """Resident memory of the program and its child processes, in MB."""
        return sum(map(resident, self._processes()))

    @property
    def cpu(self) -> float:
        """CPU seconds used by the program and its child processes."""
        # The id of another process's clock, as in clock_getcpuclockid(3).
        return sum(time.clock_gettime(~pid << 3 | 2) for pid in self._processes())

    def _processes(self) -> list[int]:
        found = [self.process.pid]
        for pid in found:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                found += map(int, children.read_text().split())
        return found


def resident(pid: int) -> float:
    """Resident memory of a process, in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def watch(terminals: Sequence[TimedTerminal], seconds: float) -> list[tuple[float, float]]:
    """Bytes per second and percent of a core for each terminal, over this many seconds."""
    before = [(len(one.raw), one.cpu) for one in terminals]
    began = time.perf_counter()
    while (left := began + seconds - time.perf_counter()) > 0:
        for one in terminals:
            one.pump(min(left, 0.1) / len(terminals))
    took = time.perf_counter() - began
    return [
        ((len(one.raw) - raw) / took, 100 * (one.cpu - cpu) / took)
        for one, (raw, cpu) in zip(terminals, before, strict=True)
    ]


def hello(**options: Any) -> TimedTerminal:
    """Start the bare app in a terminal of its own."""
    return TimedTerminal(command=HELLO, **options)
