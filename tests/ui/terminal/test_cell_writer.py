"""The cell writer sends fewer bytes that show the same cells."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from two_screens import TwoScreens
from wcwidth import wcwidth

from cekura_tui.ui.terminal.cell_writer import _MAX_CACHED, Attributes, CellWriter

RUNS = "\x1b[1;1Hruns\x1b[2;1H"
BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"
_CODES = ("1", "2", "3", "4", "5", "7", "9")
_COLOURS = st.sampled_from(["", "1", "7", "5;208", "5;17", "2;42;50;73", "2;171;181;202"])


@st.composite
def _attributes(draw: st.DrawFn) -> str:
    """Parameters of one SGR sequence as written by Textual; "" for no attributes."""
    codes = draw(st.lists(st.sampled_from(_CODES), max_size=2, unique=True))
    for base in (3, 4):
        colour = draw(_COLOURS)
        codes += [f"{base}{colour}" if len(colour) == 1 else f"{base}8;{colour}"] if colour else []
    return ";".join(sorted(codes, key=len))


_WORDS = st.sampled_from(
    ["a", "run", "failed", " ", "   ", " " * 13, "─" * 5, "│", "✗ failed", "…", "漢", "😀 ok", "한글", "e\u0301a", "é"]
)
_STYLES = st.lists(_attributes(), min_size=1, max_size=4)


@st.composite
def _line(draw: st.DrawFn, columns: int, styles: list[str]) -> list[tuple[str, str, int]]:
    """Segments as (SGR parameters, text, cells), together at most `columns` wide."""
    left, segments = columns, []
    for word in draw(st.lists(_WORDS, min_size=1, max_size=8)):
        cells = sum(2 if one in "漢😀한글" else one != "\u0301" for one in word)
        if cells <= left:
            segments.append((draw(st.sampled_from(styles)), word, cells))
            left -= cells
    if draw(st.booleans()):
        segments.append((draw(st.sampled_from(styles)), " " * left, left))
    return segments


@st.composite
def _frame(draw: st.DrawFn, columns: int, lines: int, styles: list[str]) -> str:
    """A frame as Textual writes it: parts of lines, line breaks between them, and a final cursor position."""
    drawn = []
    rows = sorted(draw(st.sets(st.integers(0, lines - 1), max_size=lines)))
    for number, y in enumerate(rows):
        x = 0
        for _ in range(draw(st.integers(1, 2))):
            x = draw(st.integers(x, columns - 1))
            segments = draw(_line(columns - x, styles))
            drawn.append(f"\x1b[{y + 1};{x + 1}H")
            drawn += [f"\x1b[{style}m{text}\x1b[0m" if style else text for style, text, _ in segments]
            x = min(x + sum(cells for *_, cells in segments), columns - 1)
        drawn += ["\n"] * (number < len(rows) - 1)
    drawn.append(f"\x1b[{draw(st.integers(1, lines))};{draw(st.integers(1, columns))}H")
    return "".join(drawn)


_FOREIGN = st.sampled_from(
    [
        *("\x1b]2;a title\x07", "\x07", "\x1b[?25h", "\x1b[?2048$p", "\x1b[2J", "\x1b[K", "\x1b[3;2Hanother program"),
        *("text\r\n", "\n", "\r", "\x1b[31m", "\x1b[44;1m", "\x1b[0m", "\x1b[L", "\x1b[M", "\x1b[2P", "\x1b[@"),
        *("\x1bM", "\x1b7", "\x1b8", "\x1b[1;1H\x1b[7mx", "\x1b[999;999H", "e\u0301"),
    ]
)


@given(data=st.data(), bce=st.booleans(), columns=st.integers(2, 40), lines=st.integers(2, 6))
def test_terminal_shows_the_same_cells_with_and_without_the_cell_writer(
    data: st.DataObject, bce: bool, columns: int, lines: int
) -> None:
    screens = TwoScreens(columns, lines, bce=bce)
    styles = data.draw(_STYLES)
    frames: list[str] = []
    screens.feed("\x1b[?7l")
    for _ in range(data.draw(st.integers(1, 8))):
        match data.draw(st.sampled_from(["frame", "frame", "frame", "again", "foreign", "resize"])):
            case "foreign":
                screens.feed(data.draw(_FOREIGN))
            case "resize":
                columns, lines = data.draw(st.integers(2, 40)), data.draw(st.integers(2, 6))
                screens.resize(columns, lines)
                frames.clear()
            case "again" if frames:
                screens.feed(data.draw(st.sampled_from(frames)))
            case _:
                frames.append(frame := data.draw(_frame(columns, lines, styles)))
                for part in (BEGIN, frame, END) if data.draw(st.booleans()) else (frame,):
                    screens.feed(part)
        assert not (difference := screens.difference()), difference


_CODE_SETS = st.sets(st.sampled_from(["1", "2", "3", "4", "5", "6", "7", "8", "9", "21", "51", "52", "53"]))
_ANY = st.builds(
    Attributes,
    _CODE_SETS.map(lambda codes: tuple(sorted(codes, key=int))),
    st.sampled_from(["", "31", "97", "38;5;208", "38;2;1;2;3"]),
    st.sampled_from(["", "41", "107", "48;5;208", "48;2;1;2;3"]),
)


@given(before=_ANY, wanted=_ANY)
def test_sgr_sequence_sets_only_the_attributes_that_differ(before: Attributes, wanted: Attributes) -> None:
    assert wanted.sequence_after(wanted) == ""
    sent = wanted.sequence_after(before)
    assert (before.changed_by(sent[2:-1]) if sent else before) == wanted
    assert len(sent) <= len(wanted.sequence_from_reset())


def last_sent(*frames: str, bce: bool = True) -> str:
    """The output for the last of these frames."""
    writer = CellWriter(40, 4, bce=bce)
    return [writer.feed(frame) for frame in frames][-1]


def test_unknown_terminal_gets_only_vt100_sequences() -> None:
    words = "\x1b[1mrun\x1b[0m:{}\x1b[4;44mfailed\x1b[0m", " " * 14, "\x1b[1mwhen\x1b[0m", " " * 11
    writer = CellWriter(40, 4, bce=False)
    sent = "".join(writer.feed(f"\x1b[1;1H{''.join(words)}\x1b[2;1H".format(number)) for number in range(3))
    assert set(re.findall(r"\x1b\[[0-9;]*([A-Za-z])", sent)) <= set("HCKm")
    assert set(";".join(re.findall(r"\x1b\[([0-9;]*)m", sent)).split(";")) == {"", "0", "1", "4", "44"}


def test_unchanged_frame_sends_nothing() -> None:
    writer = CellWriter(10, 2, bce=True)
    frame = "\x1b[1;1H\x1b[31mruns\x1b[0m\x1b[2;1H"
    assert [writer.feed(BEGIN), writer.feed(frame)[: len(BEGIN)], writer.feed(END)] == ["", BEGIN, END]
    assert [writer.feed(part) for part in (BEGIN, frame, END)] == ["", "", ""]


def test_changed_word_sends_only_that_word() -> None:
    frame = "\x1b[1;1H\x1b[31mrun 7\x1b[0m: \x1b[32m{}\x1b[0m of it\x1b[1;1H"
    assert last_sent(frame.format("going"), frame.format("ended")) == "\x1b[7C\x1b[32mended\r\x1b[m"


def test_lines_of_one_colour_are_sent_one_after_the_other() -> None:
    frame = "".join(f"\x1b[{y};1H\x1b[3{colour}m{{}}" for y, colour in ((1, 1), (2, 2), (3, 1))) + "\x1b[0m"
    assert last_sent(*(frame.format(*text) for text in ("aaa", "bbb"))).count("\x1b[31m") == 1


def test_trailing_blanks_are_sent_as_an_erase_if_erased_cells_look_like_the_blanks() -> None:
    coloured, usual = "\x1b[1;1H\x1b[44mx" + " " * 39 + "\x1b[0m\x1b[2;1H", "\x1b[1;1Hx" + " " * 39 + "\x1b[2;1H"
    assert "x\x1b[K" in last_sent(coloured)
    assert "\x1b[K" not in last_sent(coloured, bce=False)
    assert "x\x1b[K" in last_sent(usual, bce=False)
    assert "\x1b[K" not in last_sent("\x1b[1;1H\x1b[4;44mx" + " " * 39 + "\x1b[0m\x1b[2;1H")


def test_long_blanks_within_a_line_are_erased_and_jumped_over() -> None:
    for last, sent in ("x" * 13, ""), ("c" * 13, f"\x1b[14C{'c' * 13}"):
        screens = TwoScreens(40, 2)
        screens.feed(f"\x1b[1;1H{'x' * 40}\x1b[2;1H")
        line = f"a{' ' * 11}b{' ' * 14}{last}"
        assert screens.feed(f"\x1b[1;1H{line}\x1b[2;1H") == f"\x1b[Ha\x1b[11X\x1b[11Cb\x1b[14X{sent}\x1b[2H"
        assert not (difference := screens.difference()), difference


@pytest.mark.parametrize("quiet", ["\x1b]2;title\x07", "\x1bPtmux;\x1b\x1b]52;c;\x1b\x1b\\\x1b\\", "\x07", "\x1b[>25u"])
def test_sequence_that_draws_nothing_is_sent_alone_and_no_cell_is_sent_again(quiet: str) -> None:
    assert (last_sent(RUNS, quiet), last_sent(RUNS, quiet, RUNS)) == (quiet, "")


@pytest.mark.parametrize("drawing", ["\x1b[?1049h", "\x1b[2J", "\x1bc", "\x1b[S", "\x1b[?6h", "\x1b[1;2r", "\n"])
def test_all_cells_are_sent_after_a_sequence_that_may_draw(drawing: str) -> None:
    assert last_sent(RUNS, drawing) == drawing
    assert "runs" in last_sent(RUNS, drawing, RUNS)


def test_all_cells_are_sent_after_a_resize() -> None:
    writer = CellWriter(40, 4, bce=True)
    writer.feed(RUNS)
    writer.resize(40, 4, bce=True)
    assert "runs" in writer.feed(RUNS)


def test_a_changed_line_is_sent_completely_from_its_wide_character_on() -> None:
    frame = "\x1b[1;1Hrun 漢 {} of it\x1b[1;20Hbeside\x1b[2;1H"
    sent = last_sent(frame.format("7"), frame.format("8"))
    assert re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "|", sent) == "|漢 8 of it|beside|"


@pytest.mark.parametrize("text", ["漢字\x1b[1;2Hx", "漢字\x1b[1;2Hxy", "\x1b[31m\x1b[1;2Hx漢"])
def test_overwriting_half_a_wide_character_shows_the_right_cells_and_colour(text: str) -> None:
    screens = TwoScreens(10, 2)
    for frame in (f"\x1b[1;1H{text}\x1b[2;1H", "\x1b[0m\x1b[1;1H      \x1b[2;1H"):
        screens.feed(frame)
        assert not (difference := screens.difference()), difference


def test_thousands_of_colours_do_not_fill_memory() -> None:
    writer = CellWriter(10, 2, bce=True)
    for number in range(2 * _MAX_CACHED):
        writer.feed(f"\x1b[1;1H\x1b[38;2;{number >> 8};{number & 255};0mx\x1b[0m")
    assert max(map(len, (writer._by_id, writer._transitions, writer._after_sgr))) <= _MAX_CACHED + 1


@pytest.mark.parametrize("step", [25, pytest.param(1, marks=pytest.mark.nightly)])
def test_cells_are_right_if_terminal_and_textual_disagree_about_a_characters_width(step: int) -> None:
    odd = [one for one in map(chr, range(0x300, 0x20000)) if cell_len(one) != wcwidth(one) >= 0]
    assert len(odd) > 500
    for character in odd[::step]:
        screens = TwoScreens(20, 2)
        screens.feed("\x1b[?7l")
        for text in (f"a{character}1 end", f"a{character}2 end", "a plain one"):
            screens.feed(f"\x1b[1;1H\x1b[44m{text}\x1b[0m\x1b[41m{' ' * (20 - cell_len(text))}\x1b[0m\x1b[2;1H")
            assert not (difference := screens.difference()), f"{character!a}: {difference}"
