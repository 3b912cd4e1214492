"""Parsing terminal input byte by byte: no input stops the parser, and broken sequences are not keys."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from cekura_tui.ui.terminal.cells import MAX_SIZE
from cekura_tui.ui.terminal.input_parser import MAX_PASTE, PASTE_BURST, InputParser

REPLACEMENT = "replacement_character"
PASTE_START = b"\x1b[200~"


def names(messages: Any) -> list[str]:
    """Keys by name, pastes by their text in quotes, other messages by class name."""

    def one(message: Message) -> str:
        if isinstance(message, events.Key):
            return message.key
        return f"“{message.text}”" if isinstance(message, events.Paste) else type(message).__name__

    return [one(message) for message in messages]


def read(*parts: bytes) -> list[str]:
    """Names of the messages that the parser makes of these parts, followed by a timeout."""
    parser = InputParser()
    found = [text for part in parts for text in names(parser.feed(part))]
    return found + names(parser.feed_timeout())


CONTROL_STRINGS = {
    "a device control string of letters": (b"\x1bPq q\x07q\x1b\\j", ["j"]),
    "an operating system command of letters": (b"\x1b]q q\x1b\\j", ["j"]),
    "an application program command": (b"\x1b_q q\x1b\\j", ["j"]),
    "a privacy message": (b"\x1b^q q\x1b\\j", ["j"]),
    "a string of any kind": (b"\x1bXq q\r\xe9q\x1b\\j", ["j"]),
    "one without an end": (b"\x1bPq q", []),
    "one that an arrow ends": (b"\x1bPq q\x1b[Aj", ["up", "j"]),
    "one that is cancelled": (b"\x1bPq q\x18j", ["j"]),
    "the clipboard": (b"\x1b]52;c;" + b"cXEg" * 2_000 + b"\x07j", ["j"]),
    "the clipboard without an end": (b"\x1b]52;c;" + b"cXEg" * 2_000, []),
}
SEQUENCES = {
    # Stray bytes
    "é in Latin-1": (b"\xe9q", [REPLACEMENT, "q"]),
    "é in Latin-1 and nothing after it": (b"a\xe9", ["a", REPLACEMENT]),
    "q with the eighth bit for meta": (b"\xf1j", [REPLACEMENT, "j"]),
    "an arrow by an 8-bit control": (b"\x9b1~", [REPLACEMENT, "1", "tilde"]),
    "a slash in more bytes than it needs": (b"\xc0\xafj", [REPLACEMENT, REPLACEMENT, "j"]),
    "half a character, as CESU-8 has it": (b"\xed\xa0\x80j", [REPLACEMENT, REPLACEMENT, REPLACEMENT, "j"]),
    "half a character and an arrow": (b"\xc3\x1b[A", [REPLACEMENT, "up"]),
    "alt with half a character": (b"\x1b\xe9", ["escape", REPLACEMENT]),
    # Sequences that are cut off or too long
    "a mouse report that is cut off": (b"\x1b[<35;10;2", []),
    "a mouse report that an arrow cuts off": (b"\x1b[<35;10;2\x1b[Bj", ["down", "j"]),
    "an old mouse report that is cut off": (b"\x1b[M #", []),
    "a sequence that ends in a letter with a meaning": (b"\x1b[1;q", []),
    "a long one": (b"\x1b[" + b"1;" * 40 + b"q", []),
    "one that is longer than any": (b"\x1b[" + b"1;" * 1_000 + b"qj", ["j"]),
    "one of digits alone": (b"\x1b[" + b"1" * 1_000 + b"qj", ["j"]),
    "an old modified arrow": (b"\x1bO5Aj", ["j"]),
    # Numbers
    "no character": (b"\x1b[1114112uj", ["j"]),
    "far too large": (b"\x1b[" + b"9" * 28 + b"uj", ["j"]),
    "half a character": (b"\x1b[97;;55296uj", ["\ud800", "j"]),
    "far too large, with alt": (b"\x1b[99999999999;9uj", ["j"]),
    "far too large, as xterm has it": (b"\x1b[27;5;99999999~j", ["j"]),
    "a terminal of any size": (b"\x1b[48;99999;99999;99999;99999tj", ["j"]),
    "a terminal without a size": (b"\x1b[48;0;0;0;0t\x1b[<0;3;3Mj", ["MouseDown", "j"]),
    # Mouse reports of X10
    "column 95": (b"\x1b[M \x7f!j", ["j"]),
    "column 96": (b"\x1b[M \x80!j", ["j"]),
    "bytes that would be a character": (b"\x1b[M#\xc3\xa9q", ["q"]),
    "bytes that would begin one": (b"\x1b[M \xe1\xf1q", ["q"]),
    # Keys and reports
    "escape": (b"\x1b", ["escape"]),
    "escape twice": (b"\x1b\x1b", ["escape", "escape"]),
    "alt and a letter": (b"\x1bx", ["alt+x"]),
    "alt and a letter that is not ASCII": (b"\x1b\xc3\xa9", ["alt+é"]),
    "alt and what begins sequences": (b"\x1bO", ["alt+shift+o"]),
    "ctrl and an arrow": (b"\x1b[1;5C", ["ctrl+right"]),
    "shift and delete of rxvt": (b"\x1b[3$", ["shift+delete"]),
    "F1 of the Linux console": (b"\x1b[[A", ["f1"]),
    "a letter of the kitty protocol": (b"\x1b[113;;113u", ["q"]),
    "a letter with all that is known of its key": (b"\x1b[97:65:97;2:1;65u", ["A"]),
    "one that is let go": (b"\x1b[97:65:97;2:3;65u", []),
    "an arrow that is held": (b"\x1b[1;5:2A", ["ctrl+up"]),
    "a capital as xterm has it": (b"\x1b[27;2;65~", ["A"]),
    "alt and another beginning, held": (b"\x1bX\x1bX", ["alt+shift+x", "alt+shift+x"]),
    "a composed word": (b"\x1b[0;;" + b":".join([b"27721"] * 8) + b"u", ["汉"] * 8),
    "a click": (b"\x1b[<0;10;2M\x1b[<0;10;2m", ["MouseDown", "MouseUp"]),
    "the focus": (b"\x1b[I\x1b[O", ["AppFocus", "AppBlur"]),
    "an answer that was asked for": (b"\x1b[?2026;1$y", ["TerminalSupportsSynchronizedOutput"]),
    # Pastes
    "marked": (b"\x1b[200~a\rb\xe9\x1b[201~j", ["“a\rb\ufffd”", "j"]),
    "marked, with colours": (b"\x1b[200~\x1b[31mred\x1b[0m\x1b[201~j", ["“\x1b[31mred\x1b[0m”", "j"]),
    "marked, with escapes": (b"\x1b[200~a\x1bq\x1b[201q\x1b\x1b]q\x1b[201~j", ["“a\x1bq\x1b[201q\x1b\x1b]q”", "j"]),
    "marked, and cut off": (b"\x1b[200~a q", ["“a q”"]),
}
BURST = b"2 U ! \r\x11" * PASTE_BURST
IN_ONE_READ = {
    "marked at its end alone": (b"a q\x1b[201~j", ["“a q”", "j"]),
    "marked, and empty": (b"\x1b[200~\x1b[201~j", ["j"]),
    "unmarked": (BURST, [f"“{BURST.decode()}”"]),
    "a key that was held while the connection stalled": (b"j" * 2 * PASTE_BURST, ["j"] * 2 * PASTE_BURST),
    "unmarked, with colours": (b"\x1b[31m" + BURST, [f"“{BURST.decode()}”"]),
}
"""Input with its expected messages, by description; split into several reads, this input has another meaning."""
ALL = {**CONTROL_STRINGS, **SEQUENCES, **IN_ONE_READ}


@pytest.mark.parametrize("what", ALL)
def test_bytes_are_parsed_as_keys_or_pastes_or_reports(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textual.constants.SMOOTH_SCROLL", False)  # as in the app
    sent, means = ALL[what]
    assert read(sent) == means
    if what not in IN_ONE_READ:
        assert read(*(bytes([byte]) for byte in sent)) == means, "byte by byte"


def test_unmarked_paste_ends_at_the_timeout() -> None:
    parser = InputParser()
    assert not names(parser.feed(BURST)) + names(parser.feed(b"q\r")) + names(parser.feed(BURST))
    assert names(parser.feed_timeout()) == [f"“{BURST.decode()}q\r{BURST.decode()}”"]
    assert names(parser.feed(b"q")) == ["q"]


def test_bracketed_paste_continues_after_a_timeout_unless_a_single_key_follows() -> None:
    parser = InputParser()
    for part in (PASTE_START + b"status:comple", b"ted\rq\r"):
        assert not names(parser.feed(part))
        assert names(parser.feed_timeout()) == [f"“{part.removeprefix(PASTE_START).decode()}”"]
    assert names(parser.feed(b" x\x1b[201~jj")) == ["“ x”", "j", "j"]
    sent = parser.feed(b"\x1b[200~a"), parser.feed_timeout(), parser.feed(b"q"), parser.feed(b"jj")
    assert [text for messages in sent for text in names(messages)] == ["“a”", "q", "j", "j"]


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"\x1b[", b"\x1b[200~", b"\x1b]1", b"\x1b[M", b"\x1b[<1;"])))
def test_a_key_is_recognised_after_any_bytes(parts: list[bytes]) -> None:
    parser = InputParser()
    for part in parts:
        names(parser.feed(part))
    while parser.timeout is not None:
        names(parser.feed_timeout())
    assert names(parser.feed(b"q")) == ["q"]


SPLIT = {
    **{what: case for what, case in CONTROL_STRINGS.items() if case[1] == ["j"]},  # only those with an end
    "a mouse report": (b"\x1b[<35;10;2Mj", ["MouseMove", "j"]),
    "a paste": (b"\x1b[200~a\x1bq q\xc3\xa9 2\x1b[201~j", ["“a\x1bq qé 2”", "j"]),
}


@pytest.mark.parametrize("what", SPLIT)
def test_sequence_interrupted_anywhere_is_not_parsed_as_keys(what: str) -> None:
    """If only one or two bytes arrive before the interruption, these bytes are a key, which is ignored here."""
    sent, means = SPLIT[what]
    for at in range(1, min(len(sent), 40) - 2):
        parser = InputParser()
        found = names(parser.feed(sent[:at])) + names(parser.feed_timeout())
        found = found[1:] if at <= 2 else found
        found += names(parser.feed(sent[at:])) + names(parser.feed_timeout())
        assert "".join(found).replace("”“", "") == "".join(means)


def test_a_key_with_ctrl_is_not_printable_and_a_lone_escape_is_a_key_at_the_timeout() -> None:
    parser = InputParser()
    (key,) = parser.feed(b"\x1b[27;5;97~")  # as xterm sends it
    assert isinstance(key, events.Key)
    assert (key.key, key.is_printable) == ("ctrl+a", False)
    assert names(parser.feed(b"\x1b")) + names(parser.feed_timeout()) + names(parser.feed_timeout()) == ["escape"]
    assert parser.timeout is None
    assert names(parser.feed(b"[q")) == ["left_square_bracket", "q"]


@given(st.lists(st.sampled_from([*"jé\r"]) | st.binary(max_size=30), min_size=1, max_size=6), st.data())
def test_paste_keeps_every_byte_wherever_the_stream_is_split(units: list[str | bytes], data: Any) -> None:
    sent, means = b"", ""
    for unit in units:  # keys as text, pastes as bytes
        if isinstance(unit, str):
            sent, means = sent + unit.encode(), means + unit
        else:
            pasted = (b"\x1b[Aq" + unit + b"q\x1b").replace(b"\x1b[201~", b"")
            sent += b"\x1b[200~" + pasted + b"\x1b[201~"
            means += f"“{pasted.decode('utf-8', 'replace')}”".replace("\0", "")
    places = sorted(data.draw(st.sets(st.integers(0, len(sent)), max_size=8)))
    parts = [sent[a:b] for a, b in zip([0, *places], [*places, len(sent)], strict=True)]
    assert "".join(read(*parts)).replace("enter", "\r") == means


def test_paste_is_cropped_to_the_maximum_size() -> None:
    parser = InputParser()
    for part in (b"\x1b[200~", *[b"pasted " * 9_000] * 40, b"\x1b[20"):
        assert not names(parser.feed(part))
    (message,) = parser.feed(b"1~")
    assert isinstance(message, events.Paste)
    assert len(message.text) == MAX_PASTE


@pytest.mark.parametrize(
    ("cells", "pixels", "known"),
    [((24, 80), (240, 640), 1), ((24, 80), (0, 0), 0), ((MAX_SIZE.height, MAX_SIZE.width + 1), (9999, 9999), 0)],
)
def test_reported_size_is_used_only_if_plausible(
    cells: tuple[int, int], pixels: tuple[int, int], known: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textual.constants.SMOOTH_SCROLL", True)
    assert read(b"\x1b[48;%d;%d;%d;%dt" % (*cells, *pixels)) == ["Resize"] * known
