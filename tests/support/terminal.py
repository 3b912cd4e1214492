"""Run the program in a real pseudo-terminal: send keys, record every byte of output and emulate the screen."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pyte
from forked import Forked, Forker, state_of
from waiting import PATIENCE, until

PROGRAM = (sys.executable, "-m", "cekura_tui")
KEYS = {
    **{"enter": "\r", "esc": "\x1b", "tab": "\t", "shift+tab": "\x1b[Z", "space": " ", "backspace": "\x7f"},
    **{"up": "\x1b[A", "down": "\x1b[B"},
    **{f"ctrl+{letter}": chr(ord(letter) - 96) for letter in "ceglqtz"},
}
_DROPPED = ("TEXTUAL", "NO_COLOR", "COLUMNS", "LINES", "TERM_PROGRAM", "TMUX", "STY", "DISPLAY", "WAYLAND", "SSH")
_ASKS_SYNC = re.compile(rb"\x1b\[\?2026\$p")
# Not supported by the emulator: CSI with the prefixes < = >, and mode queries.
_UNSUPPORTED = re.compile(rb"\x1b\[(?:[<>=][0-9;]*[a-zA-Z]|\?[0-9;]*(?:\$p|[a-gi-km-z]))")
_PARTIAL = re.compile(rb"\x1b(?:\[[0-9;<>=?]*\$?)?\Z")
_END_MARKER = b"\x1b]the end\x07"
"""Marker that the test writes after the program's output; terminals do not show the marker."""
_FRAME_BEGINS, _FRAME_ENDS = b"\x1b[?2026h", b"\x1b[?2026l"
CHECK_INTERVAL, IDLE_CHECKS = 0.02, 5
"""Seconds between two checks whether the program is idle, and the number of checks in a row that must find it idle."""


def environment(home: Path, user: Path) -> dict[str, str]:
    """Environment of a capable terminal; `home` is the program's data directory, `user` the home directory."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
    own = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    own |= {"CEKURA_TUI_HOME": str(home), "HOME": str(user), "PYTHONPATH": str(Path(__file__).parents[2])}
    return {**kept, **own}


class Terminal:
    """A terminal that runs the program; `raw` is everything that the program has written."""

    def __init__(
        self,
        *args: str,
        env: Mapping[str, str],
        columns: int = 120,
        lines: int = 36,
        command: Sequence[str] = PROGRAM,
        ignoring: Sequence[signal.Signals] = (),
        forker: Forker | None = None,
    ) -> None:
        """Start the program, which ignores the signals `ignoring`. With a `forker`, the program starts faster and
        `command` is not used."""

        def begin() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            for number in ignoring:
                signal.signal(number, signal.SIG_IGN)

        self.raw, self._text = b"", ""
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self._unfed = b""
        self._master, self._slave = pty.openpty()
        self.resize(columns, lines, notify=False)
        self.modes = termios.tcgetattr(self._slave)
        """Terminal attributes before the program started."""
        self.process: subprocess.Popen[bytes] | Forked
        if forker is not None:
            self.process = forker.start(os.ttyname(self._slave), args, env, ignoring)
        else:
            own = self._slave
            self.process = subprocess.Popen(
                [*command, *args],
                **{"stdin": own, "stdout": own, "stderr": own, "env": dict(env)},
                start_new_session=True,
                preexec_fn=begin,
            )
        os.set_blocking(self._master, False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for handle in (self._master, self._slave):
            if handle >= 0:
                os.close(handle)

    # Input

    def press(self, *keys: str) -> Self:
        """Type keys by name, or literal text."""
        for key in keys:
            os.write(self._master, KEYS.get(key, key).encode())
        return self

    def send(self, data: bytes) -> None:
        """Send bytes, as a paste or a noisy line would, in pieces that the terminal accepts."""
        left = memoryview(data)
        while left:
            if select.select([], [self._master], [], 0.05)[1]:
                left = left[os.write(self._master, left[:2048]) :]
            self.pump(0)

    def all_read(self) -> Self:
        """Wait until the program has read all input."""
        return self.until(lambda: not self._unread, "everything that was sent is read")

    @property
    def _unread(self) -> int:
        select.select([self._slave], [], [], 0)  # or the kernel may not have delivered the input yet
        return int.from_bytes(fcntl.ioctl(self._slave, termios.FIONREAD, bytes(4)), sys.byteorder)

    def resize(self, columns: int, lines: int, *, notify: bool = True) -> None:
        """Resize the terminal. With `notify`, also resize the emulated screen and send SIGWINCH to the program."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        if notify:
            self.screen.resize(lines, columns)
            self.process.send_signal(signal.SIGWINCH)

    def scribble(self, text: str) -> None:
        """Write to the terminal as another program would."""
        os.write(self._slave, text.encode())

    def stop_output(self) -> None:
        """Stop the terminal's output as ctrl+s does, so that the program's writes block."""
        termios.tcflow(self._slave, termios.TCOOFF)

    def close(self) -> None:
        """Hang up the terminal: the kernel sends SIGHUP to the program."""
        os.close(self._master)
        self._master = -1

    def stall(self, key: str = "j") -> None:
        """Fill the terminal's buffer and press a key, so that the program's writes block until the test reads."""
        filler = os.open(os.ttyname(self._slave), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        refused = 0
        while refused < 3:  # the kernel frees space when it passes data on
            try:
                os.write(filler, bytes(1 << 12))  # NUL, which terminals ignore
                refused = 0
            except BlockingIOError:
                refused += 1
                time.sleep(CHECK_INTERVAL)
        os.close(filler)
        self.press(key)
        until(self._idle_for(IDLE_CHECKS, reading=False), "the program waits for its terminal")

    # Output

    @property
    def text(self) -> str:
        if self.screen.dirty:  # reading all cells takes longer than most keys
            self.screen.dirty.clear()
            self._text = "\n".join(line.rstrip() for line in self.screen.display)
        return self._text

    def shows(self, *texts: str) -> bool:
        """Whether all texts are on the screen; a text may be wrapped at the right edge."""
        columns = self.screen.columns
        unwrapped = "".join(line + "\n" * (len(line) < columns) for line in self.text.split("\n"))
        return all(text in self.text or text in unwrapped for text in texts)

    def wait(self, *texts: str, gone: str = "") -> Self:
        """Wait until the screen shows all texts and does not show `gone`."""
        what = ", ".join(map(repr, texts)) + (f", {gone!r} gone" if gone else "")
        return self.until(lambda: self.shows(*texts) and (not gone or gone not in self.text), what)

    def until(self, condition: Callable[[], object], what: str) -> Self:
        """Read the program's output until the condition holds. Fails if the program ends or `PATIENCE` seconds pass
        before that."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if self.process.poll() is not None:
                self.read_rest()
                assert condition(), f"the program ended ({self.process.returncode}) before: {what}\n{self.text}"
                break
            assert time.monotonic() < end, f"never happened: {what}\n{self.text}"
            self.pump(0.05)
        return self

    def pump(self, seconds: float) -> int:
        """Wait up to this many seconds for output and read it; returns the number of bytes."""
        if self._master < 0 or not select.select([self._master], [], [], seconds)[0]:
            return 0
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:
            return 0
        if _ASKS_SYNC.search(self.raw[-16:] + data):
            os.write(self._master, b"\x1b[?2026;1$y")
        self.raw += data
        self._feed(data)
        return len(data)

    def _feed(self, data: bytes) -> None:
        data = self._unfed + data
        frame = data.rfind(_FRAME_BEGINS)
        if frame > data.rfind(_FRAME_ENDS):  # a terminal with synchronised output never shows half a frame
            whole = data[:frame]
        else:
            begun = _PARTIAL.search(data)
            whole = data[: begun.start()] if begun else data
        self._unfed = data[len(whole) :]
        self._stream.feed(_UNSUPPORTED.sub(b"", whole))

    def written_within(self, seconds: float) -> int:
        """Number of bytes that the program writes within this many seconds."""
        end, count = time.monotonic() + seconds, 0
        while (left := end - time.monotonic()) > 0:
            count += self.pump(left)
        return count

    def settle(self) -> Self:
        """Wait until the program has written nothing for half a second and is idle."""
        return self.until(lambda: not self.written_within(0.5) and self._idle, "a still screen")

    def wait_idle(self, *, checks: int = IDLE_CHECKS) -> Self:
        """Wait until the program is idle and writes nothing, at this many consecutive checks."""
        return self.until(self._idle_for(checks), "the program is idle")

    def _idle_for(self, checks: int, *, reading: bool = True) -> Callable[[], bool]:
        still = 0

        def is_idle() -> bool:
            nonlocal still
            busy = self.pump(CHECK_INTERVAL) if reading else time.sleep(CHECK_INTERVAL)
            still = still + 1 if not busy and self._idle else 0
            return still >= checks

        return is_idle

    @property
    def _idle(self) -> bool:
        """Whether the program has read all input and all its threads sleep. A thread that waits for a CPU
        does not sleep."""
        with contextlib.suppress(OSError):  # a thread has ended meanwhile
            threads = os.listdir(f"/proc/{self.process.pid}/task")
            return not self._unread and all(state_of(thread) in "SZ" for thread in threads)
        return self.process.poll() is not None

    # End of the program

    def ended(self) -> int:
        """Wait for the program to end; returns its exit status."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < end, f"never happened: the program ends\n{self.text}"
            self.pump(0.02)
        return self.read_rest()

    def quit(self, key: str = "q") -> None:
        """Press a key that quits; the program must exit with 0 and restore the terminal."""
        self.press(key)
        assert self.ended() == 0
        self.assert_restored()

    @property
    def stopped(self) -> bool:
        """Whether the program is stopped, as by ctrl+z."""
        return state_of(self.process.pid) == "T"

    def ended_unread(self) -> int:
        """Wait for the program to end, and only then read its output; returns its exit status."""
        self.process.wait(PATIENCE)
        return self.read_rest()

    def read_rest(self) -> int:
        """Read the remaining output of the ended program; returns its exit status."""
        if self._master < 0:
            return self.process.returncode or 0
        termios.tcflow(self._slave, termios.TCOON)
        os.set_blocking(self._slave, False)
        end, left = time.monotonic() + PATIENCE, _END_MARKER
        while left or _END_MARKER not in self.raw:
            assert time.monotonic() < end, "never happened: all that the program wrote arrives"
            with contextlib.suppress(BlockingIOError):
                left = left[os.write(self._slave, left) :]
            self.pump(0.05)
        self.raw = self.raw.partition(_END_MARKER)[0]  # drop the echo of unread keys
        return self.process.returncode or 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def assert_restored(self) -> None:
        """Check that screen, cursor, mouse and terminal attributes are as before the program started."""
        on = re.findall(rb"\x1b\[\?(\d+)([hl])", self.raw)
        last: dict[bytes, bytes] = dict(on)
        left = {mode.decode(): state.decode() for mode, state in last.items() if mode not in (b"25", b"7")}
        assert last.get(b"1049") == b"l", "the alternate screen was not left"
        assert last.get(b"25") == b"h", "the cursor stayed hidden"
        assert set(left.values()) == {"l"}, f"modes that stayed on: {left}"
        now: list[Any] = termios.tcgetattr(self._slave)
        assert now == self.modes, "the terminal's line discipline was not restored"


Start = Callable[..., Terminal]
"""A function that starts `cekura-tui …` in a terminal of its own."""
