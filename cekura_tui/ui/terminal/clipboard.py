"""The ways to the clipboard, which of them apply here, and the message about a copy; without Textual, for `doctor`.

In tmux `load-buffer -w`, which works with any `set-clipboard`; in screen OSC 52 in pieces; with a display the
display's tool; else OSC 52, which no terminal confirms and some block.
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
"""Seconds for all tools together, because the end of the program waits for them: a forwarded display may be gone."""
LARGE = 50_000
"""Bytes of text above which the message warns: some terminals drop more."""
LONGEST = 750_000
"""Bytes of text sent to a terminal at most; in base64 a megabyte, where tmux drops a sequence."""

Which = Callable[[str], str | None]
"""Where a program is, None if it is not there."""


class Way(NamedTuple):
    """A way to the clipboard: a command, or without `argv` OSC 52, written to the terminal.

    `why` is the reason in words, `reads` the command that prints the clipboard. Without `outside` only tmux can paste.
    """

    name: str
    kind: Literal["multiplexer", "display", "terminal"]
    why: str
    argv: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    multiplexer: Multiplexer = ""
    outside: bool = True


class Copied(NamedTuple):
    """The result of a copy: the names of the ways it went, none if it failed, and then `why_not`.

    `size` is in bytes; `sure` is whether a tool confirmed the copy.
    """

    ways: tuple[str, ...]
    size: int
    sure: bool
    why_not: str = ""


def ways(env: Mapping[str, str], which: Which = shutil.which, platform: str = sys.platform) -> tuple[Way, ...]:
    """The ways in this environment, in the order to try; perhaps none."""
    multiplexer = read_multiplexer(env)
    display = tuple(_of_display(env, which, platform))
    if multiplexer == "tmux":
        own = _OF_TMUX if which("tmux") else ()
        return *own, *display, Way("OSC 52 through tmux", "terminal", "it runs in tmux", multiplexer="tmux")
    if multiplexer == "screen":
        why = "it runs in screen"
        return Way("OSC 52 through screen", "multiplexer", why, multiplexer="screen"), *display
    if env.get("TERM") in ("linux", "dumb"):
        return display  # they have no clipboard
    return *display, Way("OSC 52", "terminal", "there is no display, tmux or screen here")


_SHOW = ("tmux", "show-buffer")
_OF_TMUX = (
    Way("tmux", "multiplexer", "it runs in tmux", ("tmux", "load-buffer", "-w", "-"), _SHOW, "tmux"),
    # tmux before 3.2 knows no -w.
    Way("tmux's buffer", "multiplexer", "it runs in tmux", ("tmux", "load-buffer", "-"), _SHOW, outside=False),
)


def _of_display(env: Mapping[str, str], which: Which, platform: str) -> Sequence[Way]:
    over_ssh = read_over_ssh(env)
    found: list[Way] = []
    if env.get("WAYLAND_DISPLAY") and not over_ssh:
        # Guessing the type takes a while.
        argv = ("wl-copy", "--type", "text/plain")
        found.append(Way("wl-copy", "display", "WAYLAND_DISPLAY is set", argv, ("wl-paste", "--no-newline")))
    # Over SSH a display with a host was forwarded; others belong to the remote machine.
    if env.get("DISPLAY") and (not over_ssh or not env["DISPLAY"].startswith(":")):
        why = "DISPLAY is set"
        xclip, xsel = ("xclip", "-selection", "clipboard"), ("xsel", "--clipboard")
        found.append(Way("xclip", "display", why, (*xclip, "-in"), (*xclip, "-out")))
        found.append(Way("xsel", "display", why, (*xsel, "--input"), (*xsel, "--output")))
    if platform == "darwin" and not over_ssh:
        # Without a locale they do not use UTF-8.
        utf8 = ("env", "LC_ALL=en_US.UTF-8")
        found.append(Way("pbcopy", "display", "this is macOS", (*utf8, "pbcopy"), (*utf8, "pbpaste")))
    return [way for way in found if which(way.name)]


def copy(text: str, by: Sequence[Way], env: Mapping[str, str], write: Callable[[str], object]) -> Copied:
    """Copy by the first way of each kind that works, by OSC 52 only if no other reaches the terminal's clipboard.

    The display's tool is used in tmux and screen, too: not every terminal around them accepts OSC 52. Takes at most
    `TIMEOUT`; `write` writes to the terminal.
    """
    end = time.monotonic() + TIMEOUT
    data = text.encode("utf-8", "surrogatepass")
    if not text:
        return Copied((), 0, False, "the text is empty")
    if data != text.encode("utf-8", "replace"):
        return Copied((), len(data), False, "the text has half a character, which no clipboard takes")
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
    tools = [way for way in reversed(went) if way.argv and way.outside]
    sure = any(way.multiplexer != "tmux" or _tmux_passes_on(env, end) for way in tools)
    return Copied(tuple(way.name for way in went), len(data), sure, "" if went else "; ".join(failures))


def osc_52(data: bytes, multiplexer: Multiplexer = "") -> str:
    return wrap(f"\x1b]52;c;{base64.b64encode(data).decode()}\x07", multiplexer)


def _tmux_passes_on(env: Mapping[str, str], end: float) -> bool:
    """Whether tmux is attached to a terminal with a clipboard, and not to another tmux or screen: `load-buffer -w`
    never fails without one."""
    asked = ("display-message", "-p", "#{client_tty} #{client_termname}", ";", "show-messages", "-T")
    client, _, terminals = (read_output(("tmux", *asked), env, end - time.monotonic()) or b"").partition(b"\n")
    tty, _, term = client.partition(b" ")
    ours = next((one for one in terminals.split(b"Terminal ") if b" for %b," % tty in one), b"")
    return bool(tty) and not term.startswith((b"screen", b"tmux")) and b" Ms: (string)" in ours


def _run(argv: Sequence[str], data: bytes, env: Mapping[str, str], patience: float = TIMEOUT) -> str:
    """Give a tool the text; return why it failed. Some tools stay in the background to serve the text."""
    if patience <= 0:
        return f"no time was left for {argv[0]}"
    try:
        done = _finished(argv, data, subprocess.DEVNULL, env, patience)
    except subprocess.TimeoutExpired:
        return f"{argv[0]} did not answer in {TIMEOUT:g} seconds"
    except OSError as error:
        return f"can't run {argv[0]}: {error.strerror}"
    return f"{argv[0]} failed with status {done.returncode}" if done.returncode else ""


def _finished(
    argv: Sequence[str], data: bytes, stdout: int, env: Mapping[str, str], patience: float
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        argv,
        input=data,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a tool that stays outlives the terminal and gets none of its signals
        env=without_key(env),
        timeout=patience,
        check=False,
    )


# The message


def save_copied(text: str, path: Path) -> str:
    """Write the exact text to a file that only this user can read; return why that failed."""
    try:
        make_private(path.parent)
        with atomic_file(path) as file:
            file.write(text.encode("utf-8", "surrogatepass"))
    except OSError as error:
        return f"Can't write {path}: {error.strerror}."
    return ""


def copy_message(copied: Copied, what: str, file: Path | None, trouble: str = "") -> str:
    """The result of a copy in words: `file` has the text, or `trouble` says why it could not be saved."""
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
    except (RuntimeError, ValueError):  # no home, or not in it
        return str(path)


# For doctor


def describe(by: Sequence[Way]) -> str:
    """The first way, and its reason, in words."""
    if not by:
        return "no clipboard: this terminal has none, and no tool for one was found"
    way = by[0]
    sure = "" if way.argv else "; no terminal confirms OSC 52, and some block it"
    return f"{way.name}, because {way.why}{sure}"


def probe(by: Sequence[Way], env: Mapping[str, str]) -> tuple[bool | None, str]:
    """Copy a short text and read it back: whether that worked, None if unknown, and the same in words.

    Restores the clipboard; in tmux it uses a buffer of its own. Takes seconds if tools do not answer.
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
    """Read the clipboard for up to a second: some tools exit before the display has the text."""
    for _ in range(10):
        if (back := read_output(argv, env)) == text:
            break
        time.sleep(0.1)
    return back


def read_output(argv: Sequence[str], env: Mapping[str, str], patience: float = TIMEOUT) -> bytes | None:
    """A tool's output; None if it fails, is not there, or does not answer in this many seconds."""
    try:
        done = _finished(argv, b"", subprocess.PIPE, env, patience)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
