"""The ways to the clipboard, which of them are taken here, and what can be said of a copy that was made.

Within tmux its own `load-buffer -w`, which reaches the terminal around whatever `set-clipboard` is; within screen
OSC 52 in pieces; with a display the display's tool; else OSC 52, which no terminal confirms and some block. Knows
nothing of Textual: `doctor` asks here, too.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from cekura_tui.config.atomic_file import atomic_file
from cekura_tui.config.paths import make_private
from cekura_tui.config.programs import without_key
from cekura_tui.model.text import count
from cekura_tui.ui.terminal.capabilities import Multiplexer, read_multiplexer, read_over_ssh
from cekura_tui.ui.terminal.passthrough import wrap

TIMEOUT = 2.0
"""Seconds in which the tools have taken the text, all together, as the end of the program waits for them: a display
that was forwarded may not answer any more."""
LARGE = 50_000
"""Bytes of text beyond which the size is worth a warning: some terminals drop more than that."""
LONGEST = 750_000
"""Bytes of text that are sent to a terminal; in base64 these are the megabyte at which tmux gives a sequence up."""

Which = Callable[[str], str | None]
"""Where a program is, None if it is not there."""


class Way(NamedTuple):
    """One way to the clipboard. Without `argv` it is OSC 52, written to the terminal.

    `why` says in words why it is taken, `reads` is the command that prints what is on the clipboard. Without `outside`
    only tmux itself can paste what was copied.
    """

    name: str
    kind: Literal["multiplexer", "display", "terminal"]
    why: str
    argv: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    multiplexer: Multiplexer = ""
    outside: bool = True

    @property
    def confirms(self) -> bool:
        """Whether it is known when the text has arrived."""
        return bool(self.argv) and self.outside


class Copied(NamedTuple):
    """What became of a copy: `ways` are the names of those it went by, none if it failed, and then `why_not` says why.

    `size` is in bytes; `sure` is true where a tool confirmed that it took the text.
    """

    ways: tuple[str, ...]
    size: int
    sure: bool
    why_not: str = ""


def ways(env: Mapping[str, str], which: Which = shutil.which, platform: str = sys.platform) -> tuple[Way, ...]:
    """The ways in this environment, in the order they are tried; empty where there is none."""
    multiplexer = read_multiplexer(env)
    display = tuple(_of_display(env, which, platform))
    if multiplexer == "tmux":
        own = tuple(_of_tmux()) if which("tmux") else ()
        return *own, *display, Way("OSC 52 through tmux", "terminal", "it runs in tmux", multiplexer="tmux")
    if multiplexer == "screen":
        why = "it runs in screen"
        return Way("OSC 52 through screen", "multiplexer", why, multiplexer="screen"), *display
    if env.get("TERM") in ("linux", "dumb"):
        return display  # they have no clipboard
    return *display, Way("OSC 52", "terminal", "there is no display, tmux or screen here")


def _of_tmux() -> Sequence[Way]:
    reads = ("tmux", "show-buffer")
    return (
        Way("tmux", "multiplexer", "it runs in tmux", ("tmux", "load-buffer", "-w", "-"), reads, "tmux"),
        # tmux before 3.2 knows no -w.
        Way("tmux's buffer", "multiplexer", "it runs in tmux", ("tmux", "load-buffer", "-"), reads, outside=False),
    )


def _of_display(env: Mapping[str, str], which: Which, platform: str) -> Sequence[Way]:
    over_ssh = read_over_ssh(env)
    found: list[Way] = []
    if env.get("WAYLAND_DISPLAY") and not over_ssh:
        # With a type it does not look for one, which takes a while.
        argv = ("wl-copy", "--type", "text/plain")
        found.append(Way("wl-copy", "display", "WAYLAND_DISPLAY is set", argv, ("wl-paste", "--no-newline")))
    # Over SSH a display with a host is one that was forwarded; others are of the machine that nobody sits at.
    if env.get("DISPLAY") and (not over_ssh or not env["DISPLAY"].startswith(":")):
        why = "DISPLAY is set"
        xclip, xsel = ("xclip", "-selection", "clipboard"), ("xsel", "--clipboard")
        found.append(Way("xclip", "display", why, (*xclip, "-in"), (*xclip, "-out")))
        found.append(Way("xsel", "display", why, (*xsel, "--input"), (*xsel, "--output")))
    if platform == "darwin" and not over_ssh:
        # Without a locale they take text for something else than UTF-8.
        utf8 = ("env", "LC_ALL=en_US.UTF-8")
        found.append(Way("pbcopy", "display", "this is macOS", (*utf8, "pbcopy"), (*utf8, "pbpaste")))
    return [way for way in found if which(way.name)]


def copy(text: str, by: Sequence[Way], env: Mapping[str, str], write: Callable[[str], object]) -> Copied:
    """Copy by the first way of each kind that works, by OSC 52 only where nothing else reached the terminal.

    The display's tool is used within tmux and screen, too: not every terminal around them takes what they send. Takes
    `TIMEOUT` at the most; `write` writes to the terminal.
    """
    end = time.monotonic() + TIMEOUT
    data = text.encode("utf-8", "surrogatepass")
    why_not = _no_clipboard_takes(text)
    if why_not:
        return Copied((), len(data), False, why_not)
    went: list[Way] = []
    failures: list[str] = []
    for way in by:
        if any(way.kind == other.kind for other in went):
            continue
        if way.kind == "terminal" and any(other.outside for other in went):
            continue
        if way.argv:
            failure = _run(way.argv, data, env, end - time.monotonic())
        elif len(data) > LONGEST:
            failure = f"too long for {way.name}"
        else:
            failure = ""
            write(osc_52(data, way.multiplexer))
        if failure:
            failures.append(failure)
        else:
            went.append(way)
    if not went and not by:
        failures.append("this terminal has no clipboard, and no tool for one was found")
    sure = any(way.confirms and (way.multiplexer != "tmux" or _tmux_passes_on(env, end)) for way in reversed(went))
    return Copied(tuple(way.name for way in went), len(data), sure, "" if went else "; ".join(failures))


def _no_clipboard_takes(text: str) -> str:
    if not text:
        return "the text is empty"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "the text has half a character, which no clipboard takes"
    return ""


def osc_52(data: bytes, multiplexer: Multiplexer = "") -> str:
    """What asks the terminal to put this on the clipboard."""
    return wrap(f"\x1b]52;c;{base64.b64encode(data).decode()}\x07", multiplexer)


def _tmux_passes_on(env: Mapping[str, str], end: float) -> bool:
    """Whether a terminal with a clipboard is around tmux: `load-buffer -w` is content without one, and when nobody is
    attached. What another tmux or screen around it makes of the text is not known."""
    asked = ("display-message", "-p", "#{client_tty} #{client_termname}", ";", "show-messages", "-T")
    client, _, terminals = (read_output(("tmux", *asked), env, end - time.monotonic()) or b"").partition(b"\n")
    tty, _, term = client.partition(b" ")
    ours = next((one for one in terminals.split(b"Terminal ") if b" for %b," % tty in one), b"")
    return bool(tty) and not term.startswith((b"screen", b"tmux")) and b" Ms: (string)" in ours


def _run(argv: Sequence[str], data: bytes, env: Mapping[str, str], patience: float = TIMEOUT) -> str:
    """Give a tool the text; returns why it did not take it. Some stay in the background to hand it out."""
    if patience <= 0:
        return f"no time was left for {argv[0]}"
    try:
        done = subprocess.run(
            argv,
            input=data,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # what stays outlives the terminal, and gets none of its signals
            env=without_key(env),
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{argv[0]} did not answer in {TIMEOUT:g} seconds"
    except OSError as error:
        return f"can't run {argv[0]}: {error.strerror}"
    return f"{argv[0]} failed with status {done.returncode}" if done.returncode else ""


# What is said of it


def save_copied(text: str, path: Path) -> str:
    """Write the text, exactly, to a file for this user alone; returns why that failed."""
    try:
        make_private(path.parent)
        with atomic_file(path) as file:
            file.write(text.encode("utf-8", "surrogatepass"))
    except OSError as error:
        return f"Can't write {path}: {error.strerror}."
    return ""


def copy_message(copied: Copied, what: str, file: Path | None, trouble: str = "") -> str:
    """What became of a copy, in words: `file` is where the text lies, `trouble` why it lies nowhere."""
    size = count(copied.size, "byte") + (f" (over {LARGE // 1000} kB)" if copied.size > LARGE else "")
    names = " and ".join(copied.ways)
    where = trouble or (f"The text is in {_short(file)}." if file else "")
    if not copied.ways:
        return f"Can't copy {what}, {size}: {copied.why_not}. {where}".rstrip()
    if copied.sure:
        return f"Copied {what}, {size}, with {names}."
    doubt = "Some terminals drop that much" if copied.size > LARGE else "If nothing pastes, the terminal blocks copying"
    where = f". {trouble}" if trouble else f": the text is also in {_short(file)}." if file else "."
    return f"Sent {what}, {size}, to the terminal's clipboard ({names}). {doubt}{where}"


def _short(path: Path) -> str:
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (RuntimeError, ValueError):  # there is no home, or the path is elsewhere
        return str(path)


# For doctor


def describe(by: Sequence[Way]) -> str:
    """The way that is taken, and why, in words."""
    if not by:
        return "no clipboard: this terminal has none, and no tool for one was found"
    way = by[0]
    sure = "" if way.argv else "; no terminal confirms OSC 52, and some block it"
    return f"{way.name}, because {way.why}{sure}"


def probe(by: Sequence[Way], env: Mapping[str, str]) -> tuple[bool | None, str]:
    """Copy a short text and read it back: whether that worked, None where it can't be known, and the same in words.

    What was on the clipboard is put back. In tmux a buffer of its own is used, so that the terminal's clipboard stays.
    Takes seconds where tools do not answer.
    """
    way = by[0] if by else None
    if way is None or not way.argv:
        return None, "not tried: a terminal does not say what is on its clipboard"
    text = b"cekura-tui doctor"
    if way.kind == "multiplexer":
        named = ("-b", "cekura-tui-doctor")
        failure = _run(("tmux", "load-buffer", *named, "-"), text, env)
        back = read_output(("tmux", "show-buffer", *named), env)
        _run(("tmux", "delete-buffer", *named), b"", env)
    else:
        before = read_output(way.reads, env)
        failure = _run(way.argv, text, env)
        back = None if failure else _read_until(text, way.reads, env)
        if before:
            _run(way.argv, before, env)
    if failure:
        return False, failure
    return (True, "a test text was copied and read back") if back == text else (False, "a test text did not come back")


def _read_until(text: bytes, argv: Sequence[str], env: Mapping[str, str]) -> bytes | None:
    """What is on the clipboard, within a second: some tools end before the display knows that they have the text."""
    for _ in range(10):
        if (back := read_output(argv, env)) == text:
            break
        time.sleep(0.1)
    return back


def read_output(argv: Sequence[str], env: Mapping[str, str], patience: float = TIMEOUT) -> bytes | None:
    """What a tool prints, None where it fails, is not there or does not answer in so many seconds."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=without_key(env),
            timeout=patience,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
