"""Text in any script is drawn completely, in aligned columns, and every line can be scrolled to."""

from __future__ import annotations

import json

from examples import COSTLY
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from one_widget import screen
from rich.cells import cell_len
from rich.style import Style
from transcripts import call, transcript_of

from cekura_tui.evidence.evidence import TurnMark
from cekura_tui.model.text import LONGEST_LINE, clean
from cekura_tui.model.transcript.search import TurnMatch, TurnMatches
from cekura_tui.model.transcript.timeline import Call, Timing
from cekura_tui.model.transcript.tool_call import pretty
from cekura_tui.model.transcript.transcript import Speaker, Turn
from cekura_tui.ui.kit.strips import strips_of
from cekura_tui.ui.run.turn_lines import MOST_LINES, TurnLook, line_of, pieces_of, raw_line, turn_lines
from cekura_tui.ui.terminal.cells import drawn

ODD = [
    *("a", "word ", "e\u0301", " ", "  ", "\n", "\n\n", "\t", "…", "-", "\xa0", "\xad", "x" * 60, "y" * 4_100),
    *("予約", "本", "안녕", "\u3000", "مرحبا", "שלום", "हिन्दी", "ไทย", "ﷺ", "İ", "ß", "ｆｕｌｌ", "予" * 40),
    *("👍", "👍🏽", "👩\u200d🚀", "❤\ufe0f", "🇩🇪", "👨\u200d👩\u200d👧", "\u200d", "\ufe0f", "\u200b", "\u0301"),
    *("\x1b[2J", "\x9b31m", "\u202e", "\x00", "\ud800", "\U000e0041", "\r\n", "\u2028"),
    *("[/b]", "[@click=app.quit]x[/]"),
]
TEXTS = st.lists(st.sampled_from(ODD) | st.text(max_size=20), max_size=40).map("".join)
LEAVES = TEXTS | st.integers() | st.none()

SPEAKERS: st.SearchStrategy[Speaker] = st.sampled_from(["testing", "main", "tool_result", "other"])

WIDTHS = st.integers(min_value=36, max_value=140)


def plain_ink(component: str) -> Style:
    marked = {"underline": "quoted", "reverse": "match", "bold": "here"}
    return Style(**{how: word in component or None for how, word in marked.items()})


def drawn_text(turn: Turn, look: TurnLook, width: int) -> list[str]:
    """The lines of a turn's text, without the columns left of the text. Checks that each line is `width` cells wide."""
    lines = turn_lines(turn, look, width, plain_ink)
    for strip in strips_of(lines, width, Style()):
        assert strip.cell_length == width == sum(cell_len(part.text) for part in strip) == cell_len(strip.text)
    above = 1 if look.timing_of(turn).silence else 0
    return ["".join(part.text for part in line[2 if n else 5 :]) for n, line in enumerate(lines[above:])]


def letters(text: str) -> str:
    """The text as it is drawn, without spaces and line breaks, which wrapping may change."""
    return drawn(clean(text)).replace(" ", "").replace("\n", "")


def capped(text: str) -> str:
    """The part of a text that is drawn: at most LONGEST_LINE characters of each line."""
    return "".join(line[:LONGEST_LINE] for line in clean(text).split("\n"))


@given(TEXTS, SPEAKERS, WIDTHS, st.booleans(), st.booleans(), st.data())
def test_the_whole_text_of_a_turn_is_drawn_in_aligned_columns(
    text: str, speaker: Speaker, width: int, silence: bool, overlap: bool, data: st.DataObject
) -> None:
    text = clean(text)
    turn = Turn(1, speaker, "Rôle 予約 👩\u200d🚀", 1.0, None, text)
    timing = Timing(silence=3.0) if silence else Timing(overlap=1.5) if overlap else Timing()
    places = st.integers(min_value=0, max_value=len(text))
    spans = tuple((min(pair), max(pair)) for pair in data.draw(st.lists(st.tuples(places, places), max_size=4)))
    asked = data.draw(st.sampled_from(["", "a", "予", "word", "\u0301", "x x"]))
    marks = {1: [TurnMark("pass", "Name", "quoted", "sure", spans)]}
    look = TurnLook(Call(timings={1: timing}), marks=marks, found=TurnMatches([turn], asked))
    texts = drawn_text(turn, look, width)
    if not text.strip():
        assert texts == ["(no words)"]
        return
    signs = [line for line in texts if line.startswith("… (")]
    assert len(signs) >= sum(len(line) > LONGEST_LINE for line in text.split("\n"))
    note = "(overlaps by 1.5 s)" if overlap and not silence else ""
    assert letters("".join(line for line in texts if line not in signs)) == letters(note + capped(text))
    # Exactly the quoted and found characters are marked.
    pieces = [piece for piece in pieces_of(text, look.room(width), note and f"{note} ") if not piece.hidden]
    seen = {k for piece in pieces for k in range(piece.start, piece.end)}
    ours = [part for line in turn_lines(turn, look, width, plain_ink) for part in line]
    quoted = "".join(part.text for part in ours if part.style and part.style.underline)
    found = "".join(part.text for part in ours if part.style and part.style.reverse and not part.text.startswith("… ("))
    for marked, where in ((quoted, spans), (found, look.found.spans(1))):
        inside = {k for start, end in where for k in range(start, end)}
        assert marked == "".join(text[k] for k in sorted(inside & seen))


@given(TEXTS, WIDTHS, st.booleans(), st.data())
def test_line_of_returns_the_line_on_which_a_character_is_drawn(
    text: str, width: int, overlap: bool, data: st.DataObject
) -> None:
    text = clean(text)
    offset = data.draw(st.integers(min_value=0, max_value=max(len(text) - 1, 0)))
    if not text[offset : offset + 1].strip():
        return
    turn = Turn(1, "testing", "", 1.0, None, text)
    look = TurnLook(Call(timings={1: Timing(overlap=2.0)} if overlap else {}), current=TurnMatch(1, offset, offset + 1))
    look.found = TurnMatches([turn], text[offset])
    if (offset, offset + 1) in look.found.spans(1):
        lines = turn_lines(turn, look, width, plain_ink)
        here = [y for y, line in enumerate(lines) if any(part.style and part.style.bold for part in line[2:])]
        assert here == [line_of(turn, offset, look, width)]


@given(st.recursive(LEAVES, lambda some: st.lists(some, max_size=4) | st.dictionaries(TEXTS, some, max_size=3)), WIDTHS)
@example(["y" * 4_100] * 5, 36)
@example([1] * 9_000, 36)
def test_all_arguments_of_a_tool_are_drawn_in_aligned_columns(value: object, width: int) -> None:
    turn = call(1, "find", json.dumps(value))
    assert len(turn_lines(turn, TurnLook(), width, plain_ink)) == 1
    look = TurnLook(unfolded={1})
    texts = drawn_text(turn, look, width)
    assert texts[0].startswith("▾ find")
    shown = letters("".join(line for line in texts[1:] if not line.startswith("… (")))
    whole = letters(capped(pretty(turn)))
    # In a narrow terminal the "… more" line is itself truncated.
    assert whole.startswith(shown) if len(texts) - 1 > MOST_LINES else whole == shown
    look.raw = {1}
    assert raw_line(turn, look, width) == len(texts)
    drawn_text(turn, look, width)


def test_a_megabyte_of_text_is_cut_and_the_hidden_part_is_counted() -> None:
    long = list(pieces_of("word " * 200_000, 57))
    assert long[-1].hidden == "996,000 characters more"
    many = list(pieces_of("line\n" * 500_000, 57))
    assert len(many) == MOST_LINES + 1
    assert many[-1].hidden == "499,001 lines more"
    assert [(piece.start, piece.end) for piece in pieces_of("", 57)] == [(0, 0)]


@settings(COSTLY, phases=[Phase.generate])  # shrinking takes minutes
@given(st.lists(st.tuples(TEXTS, SPEAKERS), min_size=1, max_size=12), WIDTHS)
async def test_scrolling_shows_every_line_of_every_turn_once(said: list[tuple[str, Speaker]], width: int) -> None:
    turns = [Turn(n, who, "Role", n * 3.0, n * 3.0 + 4, clean(text)) for n, (text, who) in enumerate(said, 1)]
    async with transcript_of(turns, size=(width, 12)) as (app, _):
        transcript = app.widget
        look, room = transcript._look, transcript._laid_out.width
        high = [transcript.viewport.measured_height(index) for index in range(len(turns))]
        assert high == [len(turn_lines(turn, look, room, transcript.style_of)) for turn in turns]
        total = transcript.viewport.heights.total
        assert total == sum(high)
        # Scrolling down with the wheel shows every line once, in order.
        seen = screen(transcript)[:total]
        for _ in range(total - 12):
            transcript.scroll_relative(y=1, animate=False)
            seen.append(screen(transcript)[-1])
        # The cursor's row differs only in colour.
        assert seen == [strip.text.rstrip() for n in range(len(turns)) for strip in transcript._strips_of(n)]
