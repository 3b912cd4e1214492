"""Clipboard methods by environment, copies with fake tools, and the message about the result."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from cekura_tui.ui.terminal import clipboard
from cekura_tui.ui.terminal.clipboard import Copied, CopyMethod, copy, copy_message, copy_methods, describe, probe

TMUX = {"TMUX": "/tmp/tmux-0/default,1,0", "TERM": "tmux-256color", "TERM_PROGRAM": "tmux"}
SCREEN = {"STY": "1.pts-0.box", "TERM": "screen.xterm-256color"}
X11, WAYLAND, SSH = {"DISPLAY": ":0"}, {"WAYLAND_DISPLAY": "wayland-0"}, {"SSH_CONNECTION": "1 2 3 4"}
FORWARDED = {"DISPLAY": "localhost:10.0", **SSH}
ALL = "tmux wl-copy xclip xsel pbcopy"
IN_TMUX = ["tmux", "tmux's buffer"]


@pytest.mark.parametrize(
    ("env", "programs", "platform", "names"),
    [
        ({}, ALL, "linux", ["OSC 52"]),
        (X11, ALL, "linux", ["xclip", "xsel", "OSC 52"]),
        (X11, "xsel", "linux", ["xsel", "OSC 52"]),
        (WAYLAND | X11, ALL, "linux", ["wl-copy", "xclip", "xsel", "OSC 52"]),
        (SSH | X11 | WAYLAND, ALL, "linux", ["OSC 52"]),
        (FORWARDED, ALL, "linux", ["xclip", "xsel", "OSC 52"]),
        ({}, ALL, "darwin", ["pbcopy", "OSC 52"]),
        (SSH, ALL, "darwin", ["OSC 52"]),
        (TMUX, ALL, "linux", [*IN_TMUX, "OSC 52 through tmux"]),
        (TMUX, "", "linux", ["OSC 52 through tmux"]),
        (TMUX | X11, ALL, "linux", [*IN_TMUX, "xclip", "xsel", "OSC 52 through tmux"]),
        (SCREEN, ALL, "linux", ["OSC 52 through screen"]),
        (SCREEN | X11, ALL, "linux", ["OSC 52 through screen", "xclip", "xsel"]),
        (SCREEN | TMUX, ALL, "linux", [*IN_TMUX, "OSC 52 through tmux"]),
        (TMUX | {"TERM_PROGRAM": ""} | SCREEN, ALL, "linux", ["OSC 52 through screen"]),
        ({"TERM": "linux"}, ALL, "linux", []),
        ({"TERM": "linux"} | X11, "xclip", "linux", ["xclip"]),
    ],
)
def test_copy_methods_depend_on_the_environment(
    env: dict[str, str], programs: str, platform: str, names: list[str]
) -> None:
    found = copy_methods(env, lambda name: f"/bin/{name}" if name in programs.split() else None, platform)
    assert [way.name for way in found] == names


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for fake tools, first in PATH. Raises the timeouts, because a busy machine starts tools slowly."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    assert clipboard.TIMEOUT <= 3
    monkeypatch.setattr(clipboard, "TIMEOUT", 60.0)
    for function in (clipboard._send_to, clipboard.read_output):
        monkeypatch.setattr(function, "__defaults__", (60.0,))
    return folder


def tool(tools: Path, name: str, script: str) -> None:
    (tools / name).write_text(f'#!/bin/sh\ncd "{tools}"\n{script}\n')
    (tools / name).chmod(0o755)


def methods_with(tools: Path, env: dict[str, str]) -> tuple[CopyMethod, ...]:
    return tuple(copy_methods(env, lambda name: str(tools / name) if (tools / name).exists() else None, "linux"))


def copied(tools: Path, env: dict[str, str], text: str) -> tuple[Copied, str]:
    """The result of copying `text`, and the output written to the terminal."""
    written: list[str] = []
    copy_result = copy(text, methods_with(tools, env), {**env, "PATH": os.environ["PATH"]}, written.append)
    return copy_result, "".join(written)


SAVES = "cat > saved; echo noise; echo noise >&2"


def tmux_in(*terminals: str, attached: str = "/dev/pts/0 xterm") -> str:
    """Script of a fake tmux that accepts a text and reports these terminals."""
    printed = "\n".join((attached, *terminals))
    return f'[ "$1" = display-message ] && exec echo "{printed}"; {SAVES}'


XTERM = "Terminal 0: xterm for /dev/pts/0, flags=0x20:\n 193: Ms: (string) 52"
CONSOLE = "Terminal 1: linux for /dev/tty1, flags=0x20:\n 193: Ms: [missing]"
OLD_TMUX = f'[ "$2" = -w ] && exit 1; {SAVES}'


@pytest.mark.parametrize(
    ("env", "scripts", "worked", "confirmed", "sent"),
    [
        (X11, {"xclip": SAVES}, ("xclip",), True, ""),
        (X11, {"xclip": "exit 1", "xsel": SAVES}, ("xsel",), True, ""),
        (X11, {"xclip": "exit 1"}, ("OSC 52",), False, "\x1b]52;c;"),
        (TMUX, {"tmux": tmux_in(XTERM)}, ("tmux",), True, ""),
        (TMUX, {"tmux": tmux_in(CONSOLE, XTERM)}, ("tmux",), True, ""),
        (TMUX, {"tmux": tmux_in(XTERM, CONSOLE, attached="/dev/tty1 linux")}, ("tmux",), False, ""),
        (TMUX, {"tmux": tmux_in(XTERM, attached="/dev/pts/0 tmux-256color")}, ("tmux",), False, ""),
        (TMUX, {"tmux": tmux_in(attached=" ")}, ("tmux",), False, ""),
        (TMUX | X11, {"tmux": SAVES, "xclip": SAVES}, ("tmux", "xclip"), True, ""),
        (TMUX, {"tmux": OLD_TMUX}, ("tmux's buffer", "OSC 52 through tmux"), False, "\x1bPtmux;\x1b\x1b]52;c;"),
        (TMUX, {"tmux": "exit 1"}, ("OSC 52 through tmux",), False, "\x1bPtmux;\x1b\x1b]52;c;"),
        (SCREEN, {}, ("OSC 52 through screen",), False, "\x1bP\x1b]52;c;"),
        (SCREEN | X11, {"xclip": SAVES}, ("OSC 52 through screen", "xclip"), True, "\x1bP\x1b]52;c;"),
    ],
)
def test_next_copy_method_is_tried_after_a_copy_method_failed(
    tools: Path, env: dict[str, str], scripts: dict[str, str], worked: tuple[str, ...], confirmed: bool, sent: str
) -> None:
    for name, script in scripts.items():
        tool(tools, name, script)
    result, written = copied(tools, env, "Grüße\x1b\0 👍\n")
    assert (result.methods, result.confirmed, result.size) == (worked, confirmed, 15)
    assert written.startswith(sent) if sent else not written
    if SAVES in "".join(scripts.values()):
        assert (tools / "saved").read_bytes() == "Grüße\x1b\0 👍\n".encode()


def test_hanging_tools_share_one_timeout(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipboard, "TIMEOUT", 0.2)
    for name in ("tmux", "xclip", "xsel"):
        tool(tools, name, f"touch started-{name}; exec sleep 60")
    result, written = copied(tools, TMUX | X11, "text")
    assert (result.methods, "52;c;dGV4dA==" in written) == (("OSC 52 through tmux",), True)
    assert not {path.name for path in tools.glob("started-*")} - {"started-tmux"}


def test_tool_that_stays_in_the_background_does_not_block_the_copy(tools: Path) -> None:
    tool(tools, "xclip", "cat > saved; env > env; sleep 60 & echo $! > pid")
    result, _ = copied(tools, X11 | {"CEKURA_API_KEY": "secret-key"}, "text")
    os.kill(int((tools / "pid").read_text()), 9)  # fails if it is no longer running
    assert (result.methods, result.confirmed) == (("xclip",), True)
    env = (tools / "env").read_text()
    assert ("secret-key" in env, "DISPLAY=:0" in env) == (False, True), "no tool gets the key"


@pytest.mark.parametrize("size", [3_000, 50_000])
def test_long_text_goes_through_gnu_screen_in_chunks(tools: Path, size: int) -> None:
    text = "x" * size
    pieces = copied(tools, SCREEN, text)[1].removesuffix("\x1b\\").split("\x1b\\")
    assert all(piece.startswith("\x1bP") and len(piece) <= 242 for piece in pieces)
    whole = "".join(piece.removeprefix("\x1bP") for piece in pieces)
    assert base64.b64decode(whole.removeprefix("\x1b]52;c;").removesuffix("\x07")).decode() == text


def test_text_that_cannot_be_copied_is_not_sent_and_the_reason_is_given(tools: Path) -> None:
    for env, text, why in (
        ({}, "", "the text is empty"),
        ({}, "half \ud83d", "half a character"),
        ({}, "x" * (clipboard.MAX_BYTES + 1), "too long for OSC 52"),
        ({"TERM": "linux"}, "text", "this terminal has no clipboard"),
    ):
        result, written = copied(tools, env, text)
        assert (result.methods, result.confirmed, written, why in result.failure) == ((), False, "", True), why


OVER = "60,000 bytes (over 50 kB)"
SAVED = "the text is also in /c/copied.txt."


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (Copied(("tmux",), 3_214, True), "Copied the prompt, 3,214 bytes, with tmux."),
        (Copied(("tmux", "xclip"), clipboard.LARGE, True), "Copied the prompt, 50,000 bytes, with tmux and xclip."),
        (
            Copied(("OSC 52",), 1, False),
            "Sent the prompt, 1 byte, to the terminal's clipboard (OSC 52). "
            f"If nothing pastes, the terminal blocks copying: {SAVED}",
        ),
        (
            Copied(("OSC 52 through screen",), 60_000, False),
            f"Sent the prompt, {OVER}, to the terminal's clipboard (OSC 52 through screen). "
            f"Some terminals drop that much: {SAVED}",
        ),
        (
            Copied((), clipboard.LARGE + 1, False, "too long for OSC 52"),
            "Can't copy the prompt, 50,001 bytes (over 50 kB): too long for OSC 52. The text is in /c/copied.txt.",
        ),
    ],
)
def test_message_names_the_method_and_the_size_and_the_file(result: Copied, words: str) -> None:
    assert copy_message(result, "the prompt", Path("/c/copied.txt")) == words
    assert copy_message(result, "the prompt", None, "Can't write.").endswith("Can't write.") == ("/c/copied" in words)


# For doctor

HOLDS = 'case "$*" in *-out) cat held;; *) cat > held;; esac'


def test_probe_restores_the_clipboard_and_reports_failures(tools: Path) -> None:
    for script, result in (
        (HOLDS, (True, "a test text was copied and read back")),
        ("exit 3", (False, "xclip ended with status 3")),
        ("cat > held", (False, "a test text did not come back")),
    ):
        (tools / "held").write_text("mine")
        tool(tools, "xclip", script)
        assert probe(methods_with(tools, X11), {**os.environ, **X11}) == result
        assert script != HOLDS or (tools / "held").read_text() == "mine"
    assert probe(methods_with(tools, {}), {**os.environ})[0] is None


def test_doctor_names_the_copy_method_and_its_reason() -> None:
    assert describe(copy_methods(TMUX, lambda name: name)) == "tmux, because it runs in tmux"
    assert "no terminal confirms OSC 52" in describe(copy_methods({}, lambda name: None, "linux"))
    assert describe(copy_methods({"TERM": "linux"}, lambda name: None, "linux")).startswith("no clipboard")
