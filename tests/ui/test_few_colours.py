"""With 256, 16 or no colours, every state is visible, readable, and sent in codes that the terminal supports."""

from __future__ import annotations

import pytest
from rich.color import EIGHT_BIT_PALETTE, ColorType
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from cekura_tui.ui.few_colours import colour_filter, reduce_colours
from cekura_tui.ui.terminal.capabilities import Colours as Depth
from cekura_tui.ui.theme import CHIPS, DARK, GROUNDS, INKS, LIGHT, TINTS, contrast, tokens

# What the 16 colours look like: xterm, the console (VGA), Windows, and Tango on its own dark grey.
TABLES = {
    "xterm": "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 "
    "7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff",
    "console": "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa "
    "555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff",
    "windows": "0c0c0c c50f1f 13a10e c19c00 0037da 881798 3a96dd cccccc "
    "767676 e74856 16c60c f9f1a5 3b78ff b4009e 61d6d6 f2f2f2",
    "tango": "2e3436 cc0000 4e9a06 c4a000 3465a4 75507b 06989a d3d7cf "
    "555753 ef2929 8ae234 fce94f 729fcf ad7fa8 34e2e2 eeeeec",
}
# Tango's black is grey, and its red and green are dark: signs and words repeat their meaning.
LEAST = {"xterm": 4.5, "console": 4.5, "windows": 4.5, "tango": 3.0}
BLACK = Color(0, 0, 0)
STATES = ("success", "warning", "error", "info")


def _drawn(depth: Depth, made: dict[str, str], ink: str, ground: str, *, reverse: bool = False) -> Style:
    """The style that is sent for words in this ink on this ground."""
    style = Style(color=made[ink], bgcolor=made[ground], reverse=reverse)
    (segment,) = colour_filter(depth).apply([Segment("words", style)], BLACK)
    assert segment.style is not None
    return segment.style


def _numbers(style: Style) -> tuple[int, int]:
    assert style.color is not None
    assert style.bgcolor is not None
    assert style.color.type == style.bgcolor.type == ColorType.STANDARD
    return style.color.number or 0, style.bgcolor.number or 0


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_256_colours_are_sent_as_chosen_and_avoid_the_first_16(dark: bool) -> None:
    made = reduce_colours(tokens(DARK if dark else LIGHT), "256", dark=dark)
    for ink in INKS:
        for ground in (*GROUNDS, *TINTS, "selection"):
            sent = _drawn("256", made, ink, ground)
            for colour, name in ((sent.color, ink), (sent.bgcolor, ground)):
                assert colour is not None
                assert colour.type == ColorType.EIGHT_BIT
                assert (number := colour.number or 0) >= 16, "the user may have changed the first 16"
                assert EIGHT_BIT_PALETTE[number].hex == made[name]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_text_in_16_colours_is_readable_in_common_terminals(table: str, dark: bool) -> None:
    colours = [f"#{colour}" for colour in TABLES[table].split()]
    made = reduce_colours(tokens(DARK if dark else LIGHT), "16", dark=dark)
    grounds = (*GROUNDS, *TINTS, "selection", *(f"{kind}-ground" for kind in CHIPS))
    too_faint = {
        f"{ink} on {ground}": round(contrast(colours[front], colours[back]), 2)
        for ink in INKS
        for ground in grounds
        for front, back in [_numbers(_drawn("16", made, ink, ground))]
        if contrast(colours[front], colours[back]) < LEAST[table]
    }
    assert not too_faint


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_in_16_colours_cursor_rows_differ_from_other_rows_and_nothing_is_reversed(dark: bool) -> None:
    made = reduce_colours(tokens(DARK if dark else LIGHT), "16", dark=dark)
    rows = ("background", "cursor", "cursor-blurred")
    plain, cursor, blurred = (_drawn("16", made, "text", ground) for ground in rows)
    assert _numbers(plain)[1] != _numbers(cursor)[1]
    assert (plain.underline, blurred.underline) == (None, True)
    if dark:
        for ground in rows:
            assert len({_numbers(_drawn("16", made, state, ground)) for state in STATES}) == len(STATES)
        sent = _drawn("16", made, "text", "background", reverse=True)
        assert (bool(sent.reverse), _numbers(sent)) == (False, (0, 15))


def test_reverse_and_underline_replace_grounds_in_terminals_without_colour() -> None:
    made = reduce_colours(tokens(DARK), "none", dark=True)
    sent = {
        ground: _drawn("none", made, "error", ground)
        for ground in (*GROUNDS, *TINTS, "selection", "accent", "faint", "field")
    }
    assert [ground for ground, style in sent.items() if style.color or style.bgcolor] == []
    assert sent["background"] == sent["panel"] == Style()
    assert sent["cursor-blurred"].underline
    # A focused button, the thumb of a scroll bar, and a selection, even on the cursor's row.
    assert all(sent[ground].reverse for ground in ("cursor", "accent", "faint", "selection"))
    assert sent["selection"].underline


def test_without_colour_the_whole_cursor_row_is_reversed() -> None:
    made = reduce_colours(tokens(DARK), "none", dark=True)
    row = [
        Segment(" run ", Style(color=made["text"], bgcolor=made["cursor"])),
        Segment(" failed ", Style(color=made["error"], bgcolor=made["bad-ground"])),
    ]
    assert all(style is not None and style.reverse for _, style, _ in colour_filter("none").apply(row, BLACK))


@pytest.mark.parametrize("depth", ["16", "none"])
def test_an_unfocused_cursor_row_underlines_words_but_not_blanks(depth: Depth) -> None:
    made = reduce_colours(tokens(DARK), depth, dark=True)
    row = Segment("  two words   ", Style(color=made["text"], bgcolor=made["cursor-blurred"]))
    drawn = [(text, bool(style and style.underline)) for text, style, _ in colour_filter(depth).apply([row], BLACK)]
    assert drawn == [("  ", False), ("two words", True), ("   ", False)]


@pytest.mark.parametrize("depth", ["256", "16", "none"])
def test_reduced_colours_keep_bold_text_and_click_actions(depth: Depth) -> None:
    made = reduce_colours(tokens(DARK), depth, dark=True)
    style = Style(color=made["text"], bgcolor=made["panel"], bold=True) + Style.from_meta({"@click": "app.quit"})
    (segment,) = colour_filter(depth).apply([Segment("words", style)], BLACK)
    assert segment.style is not None
    assert (segment.style.bold, segment.style.meta) == (True, {"@click": "app.quit"})


def test_an_unreadable_theme_is_made_readable() -> None:
    grey = dict.fromkeys(tokens(DARK), "#808080")
    assert reduce_colours(grey, "256", dark=True)["text"] == "#ffffff"
