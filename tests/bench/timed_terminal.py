"""The program in a pseudo-terminal with the moment at which each piece of its output came, and what its process takes.

What is written is painted only when somebody looks at the screen: painting is none of the program's time.
"""

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
"""Seconds without a byte that end the answer to what changes the screen; they are not part of its time."""
SHORT_GAP = 0.02
"""The same for a key that moves the cursor, and is held."""
REPEAT = 0.033
"""Seconds between two keys, as a keyboard repeats them."""
FRAME = b"\x1b[?2026h"
"""What each painting begins with."""
HELLO = (sys.executable, str(Path(__file__).with_name("hello.py")))
HELLO_TEXT = "Hello, world"


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a capable terminal in 24-bit colour, with a config directory and a home directory in `home`.

    Compiled code is written and read, as it is on a user's machine.
    """
    own = terminal.environment(home / "config", home / "user")
    rest = {name: value for name, value in own.items() if not name.startswith("CEKURA_") or name == "CEKURA_TUI_HOME"}
    rest.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**rest, **more}


@dataclass(frozen=True)
class Answer:
    """What came of a key: milliseconds to the last byte, bytes, frames, and the bytes of the largest frame."""

    took: float
    bytes: int
    frames: int
    largest: int


class TimedTerminal(Terminal):
    """`began` is when the process was started, `pieces` when what came since then or since the last key."""

    def __init__(self, *args: str, columns: int = COLUMNS, lines: int = LINES, **options: Any) -> None:
        self.pieces: list[tuple[float, bytes]] = []
        self._painted = 0
        self.began = time.perf_counter()
        super().__init__(*args, columns=columns, lines=lines, **options)

    def _feed(self, data: bytes) -> None:
        self.pieces.append((time.perf_counter(), data))

    def _paint(self) -> float:
        """Paint the next piece; returns when it came."""
        came, data = self.pieces[self._painted]
        self._painted += 1
        super()._feed(data)
        return came

    @property
    def text(self) -> str:
        """What the screen shows."""
        while self._painted < len(self.pieces):
            self._paint()
        return super().text

    @property
    def frames(self) -> int:
        """How many paintings there were."""
        return self.raw.count(FRAME)

    def forget(self) -> None:
        """Begin to count from here."""
        _ = self.text
        self.raw, self.pieces, self._painted = b"", [], 0

    def first_shown(self, *texts: str, gap: float = 0.3) -> float:
        """Milliseconds from the start of the process to the frame that first shows all of this."""
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
        """Press a key, and wait until nothing more comes for so many seconds."""
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
        """Let the program paint the screen that it shows, as it must when it hears of a size."""
        self.forget()
        began = time.perf_counter()
        self.process.send_signal(signal.SIGWINCH)
        return self._answer(began, GAP, "SIGWINCH")

    def held(self, there: str, back: str, times: int, room: int) -> list[Answer]:
        """The answer to each of so many keys, as one that is held down repeats them.

        After `room` times in one direction the other key is held. Bytes and frames are those up to the next key.
        """
        found = []
        for n in range(times):
            key = there if n // room % 2 == 0 else back
            # Count from here; what was not painted yet will be.
            self.raw, self.pieces, self._painted = b"", self.pieces[self._painted :], 0
            began = time.perf_counter()
            self.press(key)
            answer = self._answer(began, SHORT_GAP, key)
            self._pump_until(began + REPEAT)
            found.append(replace(answer, bytes=len(self.raw), frames=self.frames))
        return found

    def hold(self, key: str, times: int) -> float:
        """The same without waiting for answers; returns when the first was typed, and counts from there."""
        self.forget()
        began = time.perf_counter()
        for n in range(times):
            self.press(key)
            self._pump_until(began + (n + 1) * REPEAT)
        return began

    def pump_all(self, gap: float) -> None:
        """Read until nothing comes for so many seconds."""
        while self.pump(gap):
            pass

    def rest(self, most: float = 2.0) -> None:
        """Wait until nothing comes for half a second, or no longer than so many: some programs blink for ever."""
        end = time.perf_counter() + most
        while self.pump(0.5) and time.perf_counter() < end:
            pass

    def _pump_until(self, end: float) -> None:
        while (left := end - time.perf_counter()) > 0:
            self.pump(left)

    def quit(self) -> None:
        """End the program as a user does."""
        self.press("q")
        self.ended()

    # What the process takes

    @property
    def resident(self) -> float:
        """Megabytes of memory that the process holds, and what it started."""
        return sum(map(resident, self._processes()))

    @property
    def cpu(self) -> float:
        """Seconds of a core that these have taken, to the microsecond."""
        # The clock of another process, as clock_getcpuclockid(3) makes it.
        return sum(time.clock_gettime(~pid << 3 | 2) for pid in self._processes())

    def _processes(self) -> list[int]:
        found = [self.process.pid]
        for pid in found:
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                found += map(int, children.read_text().split())
        return found


def resident(pid: int) -> float:
    """Megabytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def watch(terminals: Sequence[TimedTerminal], seconds: float) -> list[tuple[float, float]]:
    """Bytes a second and percent of a core of each, over so many seconds."""
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
    """The bare app in a terminal of its own."""
    return TimedTerminal(command=HELLO, **options)
