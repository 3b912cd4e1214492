"""Escape sequences for desktop notifications and the title."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.ui.terminal.notifications import BELL, MAX_TEXT, Title, kind_for, notification, without_controls
from cekura_tui.ui.terminal.passthrough import MAX_CHUNK

KITTY = {"TERM": "xterm-kitty"}
IN_TMUX = {"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "TMUX": "/tmp/tmux-0/default,1,0"}
IN_SCREEN = {"TERM": "screen.xterm-kitty", "STY": "1.pts-0.box"}
EVIL = "a\x1b]0;owned\x07b\x9c;c\u202e\ud800\n\x7f"

ANYTHING = st.text(st.characters() | st.sampled_from("\x00\x07\x1b\x7f\x90\x9b\x9c\x9d;\\\r\n\u202e\u2066\u2028\udc80"))


XTERM = {"TERM": "xterm-256color"}
SENT = {"osc777": "\x1b]777;notify;me;job 1 failed\x07", "osc9": "\x1b]9;me: job 1 failed\x07", "bell": "\x07"}


@pytest.mark.parametrize(
    ("env", "kind"),
    [
        *((env, "osc777") for env in (KITTY, IN_SCREEN, {"TERM": "xterm-ghostty"}, {"TERM": "foot-extra"})),
        ({**XTERM, "TERM_PROGRAM": "WezTerm"}, "osc777"),
        ({**XTERM, "KONSOLE_VERSION": "230800"}, "osc777"),
        ({**XTERM, "TERM_PROGRAM": "iTerm.app", "LC_TERMINAL": "iTerm2"}, "osc9"),
        ({**XTERM, "LC_TERMINAL": "iTerm2", "SSH_TTY": "/dev/pts/1"}, "osc9"),
        ({**IN_TMUX, "KITTY_WINDOW_ID": "1"}, "osc777"),
        ({**IN_TMUX, "ITERM_SESSION_ID": "w0t0p0"}, "osc9"),
        *((env, "bell") for env in ({}, XTERM, IN_TMUX, {"TERM": "rxvt-unicode-256color"})),
        ({**XTERM, "TERM_PROGRAM": "vscode", "KITTY_WINDOW_ID": "1", "LC_TERMINAL": "iTerm2"}, "bell"),
    ],
    ids=str,
)
def test_each_terminal_gets_a_notification_of_its_kind_or_else_the_bell(env: dict[str, str], kind: str) -> None:
    assert kind_for(env) == kind
    assert notification("auto", "me", "job 1 failed", {**env, "TMUX": "", "STY": ""}) == SENT[kind]


@pytest.mark.parametrize("env", [KITTY, IN_TMUX, IN_SCREEN, {}], ids=["kitty", "tmux", "screen", "nothing"])
def test_the_setting_overrides_the_detected_kind_and_off_sends_nothing(env: dict[str, str]) -> None:
    sent = {kind: notification(kind, "t", "x", env) for kind in ("off", "bell", "osc9", "osc777")}
    assert (sent["off"], sent["bell"]) == ("", BELL)
    assert "]9;t: x\x07" in sent["osc9"]
    assert "]777;notify;t;x\x07" in sent["osc777"]


def test_notification_in_tmux_is_wrapped_and_the_kind_auto_also_rings_the_bell() -> None:
    passed = "\x1bPtmux;\x1b\x1b]777;notify;t;x\x07\x1b\\"
    assert notification("osc777", "t", "x", {**IN_TMUX, "STY": "1.pts-0.box"}) == passed
    assert notification("auto", "t", "x", {**IN_TMUX, "KITTY_WINDOW_ID": "1"}) == passed + BELL


def test_notification_in_gnu_screen_is_wrapped_in_ascii_chunks() -> None:
    sent = notification("osc777", "ü" * 200, "“é”" * 50, IN_SCREEN)
    assert sent.isascii()
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", sent, re.DOTALL)
    assert sent == "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    assert [len(piece) <= MAX_CHUNK for piece in pieces] == [True, True]
    assert "".join(pieces) == f"\x1b]777;notify;{'?' * 119}?;{'?' * 120}\x07"


def test_hostile_text_cannot_end_the_sequence_or_split_its_fields() -> None:
    assert notification("osc777", "me", EVIL, KITTY) == "\x1b]777;notify;me;a]0,ownedb,c\x07"
    assert len(without_controls("long " * 100)) == MAX_TEXT


@given(ANYTHING, ANYTHING, st.sampled_from(["osc777", "osc9", "bell"]), st.sampled_from([KITTY, IN_TMUX, IN_SCREEN]))
def test_no_text_adds_a_control_character(title: str, text: str, kind: str, env: dict[str, str]) -> None:
    sent = notification(kind, title, text, env)
    sent.encode()  # a lone surrogate could not be written
    controls = re.sub(r"[^\x00-\x1f\x7f-\x9f]", "", sent)
    if kind == "bell":
        assert sent == BELL
    elif env is IN_SCREEN:
        assert sorted(controls) == ["\x07", *["\x1b"] * (1 + 2 * sent.count("\x1bP"))]
    else:
        assert controls == {"xterm-kitty": "\x1b\x07", "tmux-256color": "\x1b\x1b\x1b\x07\x1b"}[env["TERM"]]
    fields = {"osc777": 3, "osc9": 1, "bell": 0}[kind] + (kind != "bell" and env is IN_TMUX)
    assert sent.count(";") == fields


def test_title_is_written_only_after_a_change_and_can_be_restored() -> None:
    written: list[str] = []
    title = Title(written.append)
    assert title.restore_sequence == ""
    for text in ("cekura-tui", "cekura-tui", "1 running", "1 running", EVIL):
        title.show(text)
    assert written == ["\x1b[22;2t\x1b]2;cekura-tui\x07", "\x1b]2;1 running\x07", "\x1b]2;a]0,ownedb,c\x07"]
    assert title.restore_sequence.endswith("\x1b[23;2t")
