"""Copy with `load-buffer -w` in tmux, chunked OSC 52 in screen, the display's tool if there is a display, else OSC 52,
which no terminal confirms. Does not import Textual, because `doctor` uses it."""

from __future__ import annotations

import base64
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from cekura_tui.config.atomic_file import atomic_file
from cekura_tui.config.paths import make_private
from cekura_tui.config.programs import run_program
from cekura_tui.model.text import count
from cekura_tui.ui.terminal.capabilities import Multiplexer, read_multiplexer, read_over_ssh
from cekura_tui.ui.terminal.passthrough import wrap

TIMEOUT = 2.0
"""Maximum seconds for all tools together: quitting waits for them, and a lost forwarded display makes one hang."""
LARGE = 50_000
"""Number of bytes above which the message warns that some terminals drop such a long text."""
MAX_BYTES = 750_000
"""Maximum number of bytes sent by OSC 52: one megabyte in base64, which is tmux's limit."""

Which = Callable[[str], str | None]
"""Returns the path of a program, or None if the program is not installed, like `shutil.which`."""


class CopyMethod(NamedTuple):
    """A way to copy: the command `argv`, or OSC 52 if `argv` is empty; `read_argv` prints the clipboard. `why` is the
    reason to show. Without `reaches_terminal`, only tmux can paste the text."""

    name: str
    kind: Literal["multiplexer", "display", "terminal"]
    why: str
    argv: tuple[str, ...] = ()
    read_argv: tuple[str, ...] = ()
    multiplexer: Multiplexer = ""
    reaches_terminal: bool = True


class Copied(NamedTuple):
    """The result of a copy: the methods that worked, else the `failure`; size in bytes; whether a tool confirmed it."""

    methods: tuple[str, ...]
    size: int
    confirmed: bool
    failure: str = ""


def copy_methods(
    env: Mapping[str, str], which: Which = shutil.which, platform: str = sys.platform
) -> tuple[CopyMethod, ...]:
    """The methods available in this environment, in the order to try them; may be empty."""
    multiplexer = read_multiplexer(env)
    display = tuple(_display_methods(env, which, platform))
    if multiplexer == "tmux":
        own = _TMUX_METHODS if which("tmux") else ()
        return *own, *display, CopyMethod("OSC 52 through tmux", "terminal", _IN_TMUX, multiplexer="tmux")
    if multiplexer == "screen":
        why = "it runs in screen"
        return CopyMethod("OSC 52 through screen", "multiplexer", why, multiplexer="screen"), *display
    if env.get("TERM") in ("linux", "dumb"):
        return display  # these terminals have no clipboard
    return *display, CopyMethod("OSC 52", "terminal", "there is no display, tmux or screen here")


_IN_TMUX, _SHOW_BUFFER = "it runs in tmux", ("tmux", "show-buffer")
_TMUX_METHODS = (
    CopyMethod("tmux", "multiplexer", _IN_TMUX, ("tmux", "load-buffer", "-w", "-"), _SHOW_BUFFER, "tmux"),
    # tmux before 3.2 has no -w.
    CopyMethod("tmux's buffer", "multiplexer", _IN_TMUX, ("tmux", "load-buffer", "-"), _SHOW_BUFFER, "", False),
)


def _display_methods(env: Mapping[str, str], which: Which, platform: str) -> Sequence[CopyMethod]:
    over_ssh = read_over_ssh(env)
    found: list[CopyMethod] = []
    if env.get("WAYLAND_DISPLAY") and not over_ssh:
        # Without a type, wl-copy guesses it, which is slow.
        argv = ("wl-copy", "--type", "text/plain")
        found.append(CopyMethod("wl-copy", "display", "WAYLAND_DISPLAY is set", argv, ("wl-paste", "--no-newline")))
    # Over SSH only a display with a host name is forwarded; ":0" is the remote machine's own.
    if env.get("DISPLAY") and (not over_ssh or not env["DISPLAY"].startswith(":")):
        why = "DISPLAY is set"
        xclip, xsel = ("xclip", "-selection", "clipboard"), ("xsel", "--clipboard")
        found.append(CopyMethod("xclip", "display", why, (*xclip, "-in"), (*xclip, "-out")))
        found.append(CopyMethod("xsel", "display", why, (*xsel, "--input"), (*xsel, "--output")))
    if platform == "darwin" and not over_ssh:
        # pbcopy and pbpaste use UTF-8 only in a UTF-8 locale.
        utf8 = ("env", "LC_ALL=en_US.UTF-8")
        found.append(CopyMethod("pbcopy", "display", "this is macOS", (*utf8, "pbcopy"), (*utf8, "pbpaste")))
    return [way for way in found if which(way.name)]


def copy(text: str, methods: Sequence[CopyMethod], env: Mapping[str, str], write: Callable[[str], object]) -> Copied:
    """Copy with the first working method of each kind, in at most `TIMEOUT`; use OSC 52 (by `write`) only if no tool
    reached the terminal's clipboard. In tmux and screen the display's tool is used, too."""
    end = time.monotonic() + TIMEOUT
    data = text.encode("utf-8", "surrogatepass")
    if not text:
        return Copied((), 0, False, "the text is empty")
    if data != text.encode("utf-8", "replace"):
        return Copied((), len(data), False, "the text has half a character, which no clipboard takes")
    succeeded: list[CopyMethod] = []
    failures: list[str] = []
    for way in methods:
        if any(way.kind == other.kind for other in succeeded):
            continue
        if way.kind == "terminal" and any(other.reaches_terminal for other in succeeded):
            continue
        if way.argv:
            failure = _send_to(way.argv, data, env, end - time.monotonic())
        elif len(data) > MAX_BYTES:
            failure = f"too long for {way.name}"
        else:
            failure = ""
            write(osc_52(data, way.multiplexer))
        if failure:
            failures.append(failure)
        else:
            succeeded.append(way)
    if not succeeded and not methods:
        failures.append("this terminal has no clipboard, and no tool for one was found")
    tools = [way for way in reversed(succeeded) if way.argv and way.reaches_terminal]
    confirmed = any(way.multiplexer != "tmux" or _tmux_passes_on(env, end) for way in tools)
    failure = "" if succeeded else "; ".join(failures)
    return Copied(tuple(way.name for way in succeeded), len(data), confirmed, failure)


def osc_52(data: bytes, multiplexer: Multiplexer = "") -> str:
    return wrap(f"\x1b]52;c;{base64.b64encode(data).decode()}\x07", multiplexer)


def _tmux_passes_on(env: Mapping[str, str], end: float) -> bool:
    """Whether tmux's client is a terminal with a clipboard, not tmux or screen: `load-buffer -w` does not say so."""
    query = ("display-message", "-p", "#{client_tty} #{client_termname}", ";", "show-messages", "-T")
    client, _, terminals = (read_output(("tmux", *query), env, end - time.monotonic()) or b"").partition(b"\n")
    tty, _, term = client.partition(b" ")
    ours = next((one for one in terminals.split(b"Terminal ") if b" for %b," % tty in one), b"")
    return bool(tty) and not term.startswith((b"screen", b"tmux")) and b" Ms: (string)" in ours


def _send_to(argv: Sequence[str], data: bytes, env: Mapping[str, str], timeout: float = TIMEOUT) -> str:
    """Run a tool with the text on its standard input; return an error message, or "" if the tool succeeded."""
    if timeout <= 0:
        return f"no time was left for {argv[0]}"
    failure = run_program(argv, env, data=data, limit=timeout).failure
    return f"{argv[0]} {failure}" if failure else ""


def save_copied(text: str, path: Path) -> str:
    """Write the exact text to a file with mode 0600; return an error message, or "" if the text was written."""
    try:
        make_private(path.parent)
        with atomic_file(path) as file:
            file.write(text.encode("utf-8", "surrogatepass"))
    except OSError as error:
        return f"Can't write {path}: {error.strerror}."
    return ""


def copy_message(copied: Copied, what: str, file: Path | None, save_error: str = "") -> str:
    """The notification about a copy; `what` names the text, for example "the prompt". `file` is a file with the same
    text, None if there is none. `save_error` says why saving to a file failed."""
    size = count(copied.size, "byte") + (f" (over {LARGE // 1000} kB)" if copied.size > LARGE else "")
    names = " and ".join(copied.methods)
    saved_in = save_error or (f"The text is in {_short(file)}." if file else "")
    if not copied.methods:
        return f"Can't copy {what}, {size}: {copied.failure}. {saved_in}".rstrip()
    if copied.confirmed:
        return f"Copied {what}, {size}, with {names}."
    doubt = "Some terminals drop that much" if copied.size > LARGE else "If nothing pastes, the terminal blocks copying"
    saved_in = f". {save_error}" if save_error else f": the text is also in {_short(file)}." if file else "."
    return f"Sent {what}, {size}, to the terminal's clipboard ({names}). {doubt}{saved_in}"


def _short(path: Path) -> str:
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (RuntimeError, ValueError):  # there is no home, or the file is elsewhere
        return str(path)


def describe(methods: Sequence[CopyMethod]) -> str:
    """The preferred method and the reason for it, for `doctor`."""
    if not methods:
        return "no clipboard: this terminal has none, and no tool for one was found"
    way = methods[0]
    confirmed = "" if way.argv else "; no terminal confirms OSC 52, and some block it"
    return f"{way.name}, because {way.why}{confirmed}"


def probe(methods: Sequence[CopyMethod], env: Mapping[str, str]) -> tuple[bool | None, str]:
    """Copy a short text with the preferred method and read it back, in tmux with a buffer of its own; restores the
    clipboard. Returns whether it came back, None if untestable, and a message. May take seconds."""
    way = methods[0] if methods else None
    if way is None or not way.argv:
        return None, "not tried: a terminal does not say what is on its clipboard"
    text = b"cekura-tui doctor"
    if way.kind == "multiplexer":
        named = ("-b", "cekura-tui-doctor")
        failure = _send_to(("tmux", "load-buffer", *named, "-"), text, env)
        back = read_output(("tmux", "show-buffer", *named), env)
        _send_to(("tmux", "delete-buffer", *named), b"", env)
    else:
        before = read_output(way.read_argv, env)
        failure = _send_to(way.argv, text, env)
        back = None if failure else _read_until(text, way.read_argv, env)
        if before:
            _send_to(way.argv, before, env)
    if failure:
        return False, failure
    return (True, "a test text was copied and read back") if back == text else (False, "a test text did not come back")


def _read_until(text: bytes, argv: Sequence[str], env: Mapping[str, str]) -> bytes | None:
    """Read the clipboard until it has `text`, for up to a second: some tools exit early. Return the last text."""
    for _ in range(10):
        if (back := read_output(argv, env)) == text:
            break
        time.sleep(0.1)
    return back


def read_output(argv: Sequence[str], env: Mapping[str, str], timeout: float = TIMEOUT) -> bytes | None:
    """A tool's standard output; None if the tool fails, is not installed, or takes longer than `timeout` seconds."""
    ended = run_program(argv, env, kept="stdout", most=1 << 24, limit=timeout)
    return None if ended.failure else ended.output
