"""Run a program of the user or the desktop: without API keys, with bounded output and a time limit. Only the program
itself is awaited, not its children, and not the end of its output."""

from __future__ import annotations

import contextlib
import math
import os
import select
import shlex
import shutil
import signal
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from types import FrameType
from typing import IO, Literal, NamedTuple, TypeVar

from cekura_tui.model.errors import UsageError
from cekura_tui.model.secrets import known_keys, redact, shown

T = TypeVar("T")
VARIABLE = "CEKURA_API_KEY"
MAX_OUTPUT, _LAST_ERRORS = 65_536, 2_000
"""Bytes of standard output after which a program is killed, and bytes kept of standard error."""
STOPPED = "was stopped"
_STEP = 0.02
"""Seconds between two checks whether a program has ended or must be stopped."""
_in_front: list[Callable[[int], None]] = []
"""A function that ends the program that uses the terminal because of a signal; empty without such a program."""


class Ended(NamedTuple):
    """How a program ended. `failure` follows the program's name in a sentence; empty if the program succeeded. `status`
    is negative after a signal, None if the program did not start. `output` is from the stream that was kept."""

    failure: str = ""
    status: int | None = None
    output: bytes = b""


def without_key(env: Mapping[str, str]) -> dict[str, str]:
    """The environment without CEKURA_API_KEY and without other variables that contain a known key."""
    keys = {env.get(VARIABLE, "").strip(), *known_keys}
    return {name: value for name, value in env.items() if name != VARIABLE and redact(value, keys) == value}


def command_words(command: str) -> list[str]:
    """Split a command into words as a shell does, with “~” in the program; no words if a quote is not closed."""
    try:
        program, *arguments = shlex.split(command) or [""]
    except ValueError:
        return []
    return [os.path.expanduser(program), *arguments] if program else []


def program_name(command: str) -> str:
    """The command's program without its directory; “…” if there is no such program, since the text may be a secret."""
    word = next(iter(command_words(command)), "")
    is_program = shutil.which(word) or os.path.exists(word)
    return shown(os.path.basename(word)) if is_program else "…"


def editor_command(env: Mapping[str, str]) -> list[str]:
    """The words of $VISUAL, else $EDITOR, else nano or vi. Raises UsageError if there is no usable command."""
    wanted = env.get("VISUAL") or env.get("EDITOR") or shutil.which("nano") or shutil.which("vi")
    if not (words := command_words(wanted or "")):
        raise UsageError("There is no editor.", "Set EDITOR to one, such as vim.")
    return words


def in_thread(work: Callable[[], T]) -> Future[T]:
    """Call `work` in a thread that the exit of this process does not wait for. The future cannot be cancelled."""
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:  # who waits for the future handles it
            done.set_exception(error)

    threading.Thread(target=run, name="program", daemon=True).start()
    return done


def has_terminal() -> bool:
    """Whether a program of our process group may read from the terminal."""
    try:
        with open("/dev/tty", "rb", buffering=0) as terminal:
            return os.tcgetpgrp(terminal.fileno()) in (os.getpgrp(), 0)  # 0: the group is outside this container
    except OSError:
        return False


def run_program(
    words: Sequence[str],
    env: Mapping[str, str],
    *,
    data: bytes | None = b"",
    kept: Literal["stdout", "stderr"] | None = None,
    most: int = MAX_OUTPUT,
    limit: float = math.inf,
    quiet: bool = True,
    in_front: bool = False,
    stop: threading.Event | None = None,
) -> Ended:
    """Run a program until it ends. Kill it with all processes that it started if it takes over `limit` seconds, prints
    over `most` bytes, or `stop` is set. `data` is the standard input; None is our own. Streams that are not `kept` are
    discarded if `quiet`. A program `in_front`, run by the main thread, may use the terminal: with a limit, ctrl+c stops
    it, in the app also esc; without a limit, it handles signals."""
    stop, free = stop or threading.Event(), in_front and limit == math.inf
    rest = subprocess.DEVNULL if quiet else None
    out, err = (subprocess.PIPE if kept == name else rest for name in ("stdout", "stderr"))
    stdin: IO[bytes] | int | None = subprocess.DEVNULL if data is not None else None
    process: subprocess.Popen[bytes] | None = None
    early = list[int]()
    in_app = signal.getsignal(signal.SIGINT) not in (signal.default_int_handler, signal.SIG_IGN)

    def end(number: int) -> None:
        if not free:
            stop.set()
        elif process is None:
            early.append(number)
        else:
            _send(number, process, in_front)

    with contextlib.ExitStack() as stack:
        stack.enter_context(_signals(end, in_front, free))
        release_esc = stack.enter_context(_lent_keys(in_app)) if in_front and not free else lambda: None
        try:
            if data:
                import tempfile  # imported only for programs with input

                # A file, not a pipe: the program may not read its input, and its children may keep it open.
                stdin = stack.enter_context(tempfile.TemporaryFile())
                stdin.write(data)
                stdin.seek(0)
            process = subprocess.Popen(
                words, stdin=stdin, stdout=out, stderr=err, env=without_key(env), start_new_session=not in_front
            )
        except (OSError, ValueError) as error:
            return Ended(f"could not be started: {getattr(error, 'strerror', None) or 'its name is not valid'}")
        pipes = [stack.enter_context(pipe) for pipe in (process.stdout, process.stderr) if pipe]
        output, failure, ends_at = b"", "", time.monotonic() + limit
        try:
            for number in early:
                end(number)
            if free:
                process.wait()
            while not failure:
                ended = process.poll() is not None
                for pipe in select.select(pipes, [], [], 0 if ended else _STEP)[0]:
                    piece = os.read(pipe.fileno(), 1 << 20)
                    output = (output + piece)[-_LAST_ERRORS if kept == "stderr" else 0 :]
                    pipes = pipes if piece else []
                if ended:
                    break
                if stop.is_set():
                    failure = STOPPED
                elif len(output) > most:
                    failure = f"printed over {most // 1024} kB"
                elif time.monotonic() > ends_at:
                    failure = f"did not end within {limit:g} seconds"
                release_esc()
        finally:
            if process.returncode is None:
                _send(signal.SIGKILL, process, in_front)
                process.wait()
    if (status := process.returncode) and not failure:
        failure = f"ended with status {status}" if status > 0 else f"was ended by signal {-status}"
    return Ended(STOPPED if failure and stop.is_set() else failure, status, output)


def _send(number: int, process: subprocess.Popen[bytes], in_front: bool) -> None:
    """Send a signal to a program and to the processes that it started."""
    found = [process.pid if in_front else -process.pid]  # negative: the program's process group
    if in_front:
        with contextlib.suppress(OSError, subprocess.CalledProcessError):  # no `ps` with these options
            listed = subprocess.check_output(("ps", "-A", "-o", "pid=,ppid="), stderr=subprocess.DEVNULL)
            pairs = [[*map(int, line.split())] for line in listed.splitlines()]
            for parent in found:
                found += [pid for pid, its_parent in pairs if its_parent == parent]
    for pid in found:
        with contextlib.suppress(OSError):  # the process has ended
            os.kill(pid, number)


def hang_up() -> None:
    """End the program that uses the terminal by SIGHUP, or SIGTERM if SIGHUP is ignored, so that an editor saves."""
    for end in _in_front:
        end(signal.SIGTERM if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else signal.SIGHUP)


@contextlib.contextmanager
def _signals(end: Callable[[int], None], in_front: bool, free: bool) -> Iterator[None]:
    """Call `end` for a signal that would end this process, and let the signal end this process afterwards. Signals of
    keys also call `end`, unless the program is `free` to handle them."""
    received, handlers = list[int](), dict[int, Callable[[int, FrameType | None], object]]()

    def die(number: int, frame: FrameType | None) -> None:
        received.append(number)
        end(number)

    if threading.current_thread() is threading.main_thread():
        handlers |= {one: die for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) == signal.SIG_DFL}
        if in_front:
            keys = (signal.SIGINT, signal.SIGQUIT)
            handlers |= dict.fromkeys(keys, lambda number, frame: None if free else end(number))
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    if in_front:
        _in_front.append(end)
    try:
        yield
    finally:
        if in_front:
            _in_front.clear()
        for number, former in before.items():
            signal.signal(number, former)
        for number in received[:1]:
            signal.raise_signal(number)


@contextlib.contextmanager
def _lent_keys(in_app: bool) -> Iterator[Callable[[], None]]:
    """Restore the terminal's modes after a program used it. In the app, esc sends SIGQUIT meanwhile; the yielded
    function leaves esc to a program that reads single keys, such as a dialog in the terminal."""
    with open("/dev/tty", "rb", buffering=0) as terminal:
        before, quit_key = termios.tcgetattr(terminal), termios.VQUIT

        def set_esc(on: bool) -> None:
            with contextlib.suppress(termios.error):  # the terminal is closed
                modes = termios.tcgetattr(terminal)
                if on or (modes[6][quit_key] == b"\x1b" and not modes[3] & termios.ICANON):
                    modes[6][quit_key] = b"\x1b" if on else before[6][quit_key]
                    termios.tcsetattr(terminal, termios.TCSANOW, modes)

        set_esc(in_app)
        try:
            yield lambda: set_esc(False)
        finally:
            with contextlib.suppress(termios.error):
                if has_terminal():
                    termios.tcsetattr(terminal, termios.TCSANOW, before)
