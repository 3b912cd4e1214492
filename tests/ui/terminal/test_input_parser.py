"""What a terminal sends is read byte for byte: nothing ends the reading, and what is broken is no key."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from cekura_tui.ui.terminal.input_parser import BURST, InputParser

ODD = "replacement_character"


def said(messages: Any) -> list[str]:
    """Keys by name, pastes as their text, the rest by what it is."""

    def one(message: Message) -> str:
        if isinstance(message, events.Key):
            return message.key
        return f"“{message.text}”" if isinstance(message, events.Paste) else type(message).__name__

    return [one(message) for message in messages]


def read(*parts: bytes) -> list[str]:
    """What these bytes are, read one part after the other, and nothing afterwards."""
    parser = InputParser()
    found = [text for part in parts for text in said(parser.feed(part))]
    return found + said(parser.pause())


STRAY = {
    "é in Latin-1": (b"\xe9q", [ODD, "q"]),
    "é in Latin-1 and nothing after it": (b"a\xe9", ["a", ODD]),
    "a byte of a bad line": (b"\xffj", [ODD, "j"]),
    "q with the eighth bit for meta": (b"\xf1j", [ODD, "j"]),
    "an arrow by an 8-bit control": (b"\x9b1~", [ODD, "1", "tilde"]),
    "a slash in more bytes than it needs": (b"\xc0\xafj", [ODD, ODD, "j"]),
    "half a character, as CESU-8 has it": (b"\xed\xa0\x80j", [ODD, ODD, ODD, "j"]),
    "half a character and an arrow": (b"\xc3\x1b[A", [ODD, "up"]),
    "alt with half a character": (b"\x1b\xe9", ["escape", ODD]),
}
CUT = {
    "a mouse report": (b"\x1b[<35;10;2", []),
    "a mouse report, by an arrow": (b"\x1b[<35;10;2\x1b[Bj", ["down", "j"]),
    "an old mouse report": (b"\x1b[M #", []),
    "a sequence that ends in a letter with a meaning": (b"\x1b[1;q", []),
    "a shortest one of that kind": (b"\x1b[q", []),
    "a long one": (b"\x1b[" + b"1;" * 40 + b"q", []),
    "an endless one": (b"\x1b[" + b"1;" * 100, []),
    "an old modified arrow": (b"\x1bO5Aj", ["j"]),
    "the answer to somebody else's question": (b"\x1b]11;rgb:10/20/qq\x07j", ["j"]),
    "another one": (b"\x1bP1+r71\x1b\\j", ["j"]),
    "an answer that is cut off": (b"\x1b]11;rgb:q", []),
}
NUMBERS = {
    "no character": (b"\x1b[1114112uj", ["j"]),
    "far too large": (b"\x1b[" + b"9" * 28 + b"uj", ["j"]),
    "half a character": (b"\x1b[97;;55296uj", ["\ud800", "j"]),
    "two where one belongs": (b"\x1b[97:65;1:3uj", ["j"]),
    "a terminal without a size": (b"\x1b[48;0;0;0;0t\x1b[<0;3;3Mj", ["MouseDown", "j"]),
}
X10 = {
    "column 95": (b"\x1b[M \x7f!j", ["j"]),
    "column 96": (b"\x1b[M \x80!j", ["j"]),
    "bytes that would be a character": (b"\x1b[M#\xc3\xa9q", ["q"]),
    "bytes that would begin one": (b"\x1b[M \xe1\xf1q", ["q"]),
}
KEYS = {
    "escape": (b"\x1b", ["escape"]),
    "escape twice": (b"\x1b\x1b", ["escape", "escape"]),
    "alt and a letter": (b"\x1bx", ["alt+x"]),
    "alt and a letter that is not ASCII": (b"\x1b\xc3\xa9", ["alt+é"]),
    "alt and what begins sequences": (b"\x1bO", ["alt+shift+o"]),
    "ctrl and an arrow": (b"\x1b[1;5C", ["ctrl+right"]),
    "shift and delete of rxvt": (b"\x1b[3$", ["shift+delete"]),
    "F1 of the Linux console": (b"\x1b[[A", ["f1"]),
    "a letter of the kitty protocol": (b"\x1b[113;;113u", ["q"]),
    "a composed word": (b"\x1b[0;;" + b":".join([b"27721"] * 8) + b"u", ["汉"] * 8),
    "a click": (b"\x1b[<0;10;2M\x1b[<0;10;2m", ["MouseDown", "MouseUp"]),
    "the focus": (b"\x1b[I\x1b[O", ["AppFocus", "AppBlur"]),
    "an answer that was asked for": (b"\x1b[?2026;1$y", ["TerminalSupportsSynchronizedOutput"]),
}
LONG = b"2 U ! \r\x11" * BURST
PASTES = {
    "marked": (b"\x1b[200~a\rb\xe9\x1b[201~j", ["“a\rb\ufffd”", "j"]),
    "marked, with colours": (b"\x1b[200~\x1b[31mred\x1b[0m\x1b[201~j", ["“\x1b[31mred\x1b[0m”", "j"]),
    "marked, and cut off": (b"\x1b[200~a q", ["“a q”"]),
    "marked at its end alone": (b"a q\x1b[201~j", ["“a q”", "j"]),
    "marked, and empty": (b"\x1b[200~\x1b[201~j", ["j"]),
    "unmarked": (LONG, [f"“{LONG.decode()}”"]),
    "unmarked, with colours": (b"\x1b[31m" + LONG, [f"“{LONG.decode()}”"]),
}


ALL = {**STRAY, **CUT, **NUMBERS, **X10, **KEYS, **PASTES}


@pytest.mark.parametrize("what", ALL)
def test_what_is_sent_means_what_it_means(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textual.constants.SMOOTH_SCROLL", False)  # as the program has it
    sent, means = ALL[what]
    assert read(sent) == means


@pytest.mark.parametrize("what", [*STRAY, *CUT, *X10, *KEYS])
def test_bytes_that_come_one_by_one_mean_the_same(what: str) -> None:
    sent, means = ALL[what]
    assert read(*(bytes([byte]) for byte in sent)) == means


def test_an_unmarked_paste_goes_on_until_a_pause() -> None:
    parser = InputParser()
    assert not said(parser.feed(LONG)) + said(parser.feed(b"q\r")) + said(parser.feed(LONG))
    assert said(parser.pause()) == [f"“{LONG.decode()}q\r{LONG.decode()}”"]
    assert said(parser.feed(b"q")) == ["q"]


def test_a_marked_paste_that_pauses_is_no_keys() -> None:
    parser = InputParser()
    assert not said(parser.feed(b"\x1b[200~status:comple"))
    assert said(parser.pause()) == ["“status:comple”"]
    assert not said(parser.feed(b"ted\rq\r"))
    assert said(parser.pause()) == ["“ted\rq\r”"]
    assert said(parser.feed(b" x\x1b[201~jj")) == ["“ x”", "j", "j"]


def test_after_a_paste_without_an_end_a_key_is_a_key_and_so_are_those_after_it() -> None:
    parser = InputParser()
    said(parser.feed(b"\x1b[200~a"))
    said(parser.pause())
    assert said(parser.feed(b"q")) + said(parser.feed(b"jj")) == ["q", "j", "j"]


def test_a_key_that_was_held_while_the_connection_stalled_is_no_paste() -> None:
    assert read(b"j" * 2 * BURST) == ["j"] * 2 * BURST


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"\x1b[", b"\x1b[200~", b"\x1b]1", b"\x1b[M", b"\x1b[<1;"])))
def test_after_any_bytes_at_all_a_key_is_a_key(parts: list[bytes]) -> None:
    parser = InputParser()
    for part in parts:
        said(parser.feed(part))
    said(parser.pause())
    assert parser.patience is None
    assert said(parser.feed(b"q")) == ["q"]
