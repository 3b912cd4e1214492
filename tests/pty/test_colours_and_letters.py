"""Only colours and letters that the terminal supports are sent, in each kind of terminal."""

from __future__ import annotations

import re

import pytest
from examples import nightly
from multiplexers import NEEDS_SCREEN, NEEDS_TMUX, Screen, Tmux
from terminal import PROGRAM, Start, Terminal


def _codes(raw: bytes) -> set[str]:
    """SGR codes except bold, underline and reverse. 256 and true colours lose their number: "38:5" or "48:2" stays."""
    found: set[str] = set()
    for sent in re.findall(rb"\x1b\[([0-9;]*)m", raw):
        text = re.sub(r"\b([34]8);5;\d+", r"\1:5", sent.decode())
        found.update(re.sub(r"\b([34]8);2;\d+;\d+;\d+", r"\1:2", text).split(";"))
    return found - {"", "0", "1", "4", "7", "22", "24", "27"}


def _walk(terminal: Terminal) -> Terminal:
    """Visit the list, the jobs, a run, its search and its verdicts, without escape: GNU screen swallows escape."""
    terminal.wait("240 runs", "900240").settle()
    terminal.press("j", "space", "k")
    terminal.wait("1 marked").press("j")
    terminal.settle().press("2")
    terminal.wait("No jobs yet").press("1")
    terminal.wait("900238").press("enter")
    terminal.wait("Run 900238", "00:14").press("/")
    terminal.settle().press("y", "o", "u", "enter")
    terminal.wait("1 of").press("tab")
    return terminal.settle()


@pytest.mark.parametrize(
    ("env", "allowed"),
    [
        pytest.param({"NO_COLOR": "1"}, r"(?!)", id="NO_COLOR"),
        nightly({"TERM": "vt220"}, r"(?!)", name="vt220"),
        pytest.param({"COLORTERM": ""}, r"[34]8:5", id="xterm-256color"),
        pytest.param({"COLORTERM": "", "TERM": "xterm-16color"}, r"(3|4|9|10)[0-7]", id="xterm-16color"),
        nightly({"TERM": "linux"}, r"(3|4|9|10)[0-7]", name="linux"),
        nightly({"TERM": "screen", "STY": "1.pts-0.host"}, r"(3|4|9|10)[0-7]", name="screen"),
        pytest.param({}, r"[34]8:2", id="truecolor"),
    ],
)
def test_only_colours_that_the_terminal_has_are_sent(start: Start, env: dict[str, str], allowed: str) -> None:
    terminal = _walk(start("--demo", env=env, command=PROGRAM))
    assert {code for code in _codes(terminal.raw) if not re.fullmatch(allowed, code)} == set()


@NEEDS_SCREEN
@pytest.mark.parametrize("term", ["xterm-256color", nightly("xterm")])
def test_gnu_screen_gets_no_colour_codes_that_gnu_screen_misreads(surroundings: dict[str, str], term: str) -> None:
    # As if screen were started in a true-colour terminal.
    env = {**surroundings, "TERM": term, "COLORTERM": "truecolor"}
    with Screen("--demo", env=env) as screen:
        _walk(screen.outer)
        assert {code for code in _codes(screen.outer.raw) if not re.fullmatch(_FROM_SCREEN, code)} == set()
        screen.press("ctrl+q")
        assert screen.outer.ended() == 0


# Resets of single attributes, and colours. It misreads true-colour codes as faint and blinking.
_FROM_SCREEN = r"2[2-9]|[34]9|(3|4|9|10)[0-7]|[34]8:5"


@NEEDS_TMUX
@pytest.mark.parametrize(
    ("colours", "arrive"), [("truecolor", "2"), *(nightly(some, "5") for some in ("", "truecolor"))]
)
def test_tmux_passes_on_only_colours_that_the_outer_terminal_has(
    surroundings: dict[str, str], colours: str, arrive: str
) -> None:
    rgb = 'set -as terminal-features ",xterm-256color:RGB"' if arrive == "2" else ""
    with Tmux("--demo", env={**surroundings, "COLORTERM": colours}, config=rgb) as tmux:
        _walk(tmux.outer)
        assert {code for code in _codes(tmux.outer.raw) if re.fullmatch(r"[34]8:.", code)} == {
            f"38:{arrive}",
            f"48:{arrive}",
        }
        tmux.press("ctrl+q")
        assert tmux.outer.ended() == 0


_JAPANESE = "900223"


def _cells(terminal: Terminal) -> list[list[str]]:
    terminal.settle()
    return [[line[x].data for x in range(terminal.screen.columns)] for line in terminal.screen.buffer.values()]


@pytest.mark.parametrize(
    "locale",
    [
        pytest.param({"LC_ALL": "C", "PYTHONUTF8": "0"}, id="LC_ALL=C without Python's own UTF-8"),
        nightly({"LC_ALL": "en_US.ISO-8859-1"}, name="a locale of ISO 8859-1"),
        nightly({"LC_ALL": "", "LC_CTYPE": "", "LANG": "C"}, name="LANG=C"),
        nightly({"LC_ALL": "C"}, name="LC_ALL=C"),
    ],
)
def test_a_locale_without_utf8_gets_ascii_in_aligned_columns(start: Start, locale: dict[str, str]) -> None:
    args = ("--demo", "--demo-epoch", "1800000000", _JAPANESE)
    whole = _cells(start(*args).wait(f"Run {_JAPANESE}", "00:14"))
    plain = start(*args, env=locale, command=PROGRAM).wait(f"Run {_JAPANESE}", "00:14")
    cells = _cells(plain)
    assert plain.raw.isascii()
    moved = [
        (y, x, one, other)
        for y, (line, others) in enumerate(zip(whole, cells, strict=True))
        for x, (one, other) in enumerate(zip(line, others, strict=True))
        if one.isascii() and one.isalnum() and one != other
    ]
    assert moved == []
    assert any("??" in "".join(line) for line in cells), "foreign letters are question marks"


def test_option_no_ascii_sends_utf8_in_the_c_locale(start: Start) -> None:
    terminal = start("--demo", "--no-ascii", env={"LC_ALL": "C", "PYTHONUTF8": "0"}, command=PROGRAM)
    terminal.wait("240 runs", "✓ passed")
