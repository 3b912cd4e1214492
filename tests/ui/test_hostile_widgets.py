"""Hostile texts in the lists of a run: every line is as wide as its list, and no text is lost."""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import Any

import pytest
from hostile_calls import TEXTS, as_text, huge, run, turns, visible_text
from hypothesis import given
from hypothesis import strategies as st
from one_widget import widget_app
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from wcwidth import wcwidth

from cekura_tui.evidence.turn_alignment import align
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunView, view_of
from cekura_tui.model.text import clean, clean_json
from cekura_tui.ui.kit.strips import strips_of, wrap
from cekura_tui.ui.kit.virtual_list import VirtualList
from cekura_tui.ui.run.compare import TurnPairs
from cekura_tui.ui.run.details import RunDetails
from cekura_tui.ui.run.timeline import TimelineStrip
from cekura_tui.ui.run.transcript import TranscriptView
from cekura_tui.ui.run.verdicts import Verdicts
from cekura_tui.ui.terminal.cells import drawn, fit
from cekura_tui.ui.terminal.filters import ControlFilter

SIZES = [(80, 24), (41, 24)]
TEXT = st.lists(st.sampled_from([*"ab ✓", *"".join(TEXTS.values())]), max_size=60).map("".join)
BLACK = Color(0, 0, 0)


def hostile_view(**fields: object) -> RunView:
    """A hostile run as it is read from the network."""
    return view_of(Run.read(clean_json(json.loads(json.dumps(run(102, **fields))))), 0.0)


def cells_in_a_terminal(text: str) -> int:
    """Width of a text in a terminal that draws joined characters, such as emoji, one by one."""
    return sum(wcwidth(character) for character in text)


def lines(shown: VirtualList[Any]) -> dict[Hashable, list[str]]:
    """All lines by row key. Checks that each line is as wide as the list, also if no characters are joined, and has no
    control characters."""
    found = defaultdict(list)
    for index, row in enumerate(shown.rows):
        for strip in shown._strips_of(index):
            text = strip.text
            assert cell_len(text) == strip.cell_length == shown._laid_out.width, repr(text)
            assert cells_in_a_terminal(text) == shown._laid_out.width, repr(text)
            assert drawn(clean(text)) == text, repr(text)
            found[shown.key_of(row)].append(text)
    return found


def solid(texts: Iterable[str]) -> str:
    return unicodedata.normalize("NFC", "".join("".join(texts).split()))


def missing(lines: Iterable[str], texts: Iterable[str]) -> list[str]:
    """The elements of `texts` that `lines` do not contain in full."""
    there = solid(lines)
    return [text for text in texts if visible_text(text) not in there]


@pytest.mark.parametrize("size", SIZES)
async def test_a_hostile_transcript_keeps_width_and_text_if_folded_or_unfolded_or_raw(size: tuple[int, int]) -> None:
    view, shown = hostile_view(), TranscriptView()
    async with widget_app(shown, lambda shown: shown.show_call(view.call, reset=True), size=size) as (_, pilot):
        assert len(lines(shown)) == len(view.transcript.turns)
        assert missing((line[19:] for of in lines(shown).values() for line in of), TEXTS.values()) == []
        await pilot.press("z")
        unfolded = {turn.n: of for turn, of in zip(shown.rows, lines(shown).values(), strict=True)}
        for turn in view.transcript.turns:
            if turn.speaker == "tool_call" and turn.tool:
                in_json = json.dumps(clean(TEXTS[turn.tool["id"]]), ensure_ascii=False)[1:-1]
                assert missing([line[19:] for line in unfolded[turn.n]], [in_json]) == []
        for turn in view.transcript.turns:
            shown.go_to(turn.n)
            shown.action_raw()
        lines(shown)


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_verdicts_and_compared_runs_and_a_timeline_keep_their_width(size: tuple[int, int]) -> None:
    here, there = hostile_view(), hostile_view(transcript_object=None, transcript=as_text())
    verdicts, pairs, strip = Verdicts(), TurnPairs(), TimelineStrip()
    async with widget_app(verdicts, lambda shown: shown.show_run(here), size=size):
        assert missing([line[4:] for of in lines(verdicts).values() for line in of], TEXTS.values()) == []
    both = align(here.transcript.turns, there.transcript.turns)
    async with widget_app(pairs, lambda shown: shown.show_pairs(both, only_differences=False, reset=True), size=size):
        lines(pairs)
    async with widget_app(strip, lambda shown: shown.show(here.timeline, {1: "fail"}), size=size):
        texts = [strip.render_line(y).text for y in range(strip.size.height)]
        assert [cells_in_a_terminal(text) for text in texts] == [size[0]] * len(texts)
        assert [drawn(clean(text)) for text in texts] == texts


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.long
async def test_hostile_details_keep_their_width_with_everything_unfolded(size: tuple[int, int]) -> None:
    shown = RunDetails()
    metrics: Any = run(102)["evaluation"]
    fewer = {"evaluation": {"metrics": metrics["metrics"][:4]}, "transcript_object": turns()[::20]}
    async with widget_app(shown, lambda shown: shown.show_run(hostile_view(**fewer)), size=size) as (_, pilot):
        place = 0
        while place < len(shown.rows):
            if shown.rows[place].kind in ("closed", "more"):
                shown.move_to(shown.rows[place].key)
                shown.action_unfold()
            else:
                place += 1
        assert len(shown.rows) > 500
        lines(shown)
        await pilot.press("X")
        assert shown._raw is not None
        lines(shown)
        for text in TEXTS.values():
            shown.find(text)
            shown.next_match()
        lines(shown)


async def test_huge_lines_and_thousands_of_line_ends_are_truncated_with_a_note() -> None:
    view, shown = hostile_view(transcript_object=huge()), TranscriptView()
    async with widget_app(shown, lambda shown: shown.show_call(view.call, reset=True)):
        long, wide, ends, marks, joined, last = ("".join(of) for of in lines(shown).values())
        assert [said for said in (long, wide, marks, joined) if "more)" not in solid([said])] == []
        assert "linesmore" in solid([ends])
        assert "begin-last end-last" in last


@given(TEXT, st.integers(2, 40))
def test_drawn_text_has_the_same_width_with_and_without_joined_emoji(text: str, width: int) -> None:
    text = clean(text)
    strips = strips_of([[Segment(line)] for line in wrap(text, width)], width, Style.null())
    for strip in strips:
        assert cell_len(strip.text) == cells_in_a_terminal(strip.text) == width
    assert solid(strip.text for strip in strips) == visible_text(text)
    assert cells_in_a_terminal(fit(text, width)) == width
    (segment,) = ControlFilter().apply([Segment(text.replace("\n", " "))], BLACK)
    assert cells_in_a_terminal(segment.text) == cell_len(segment.text) == cell_len(text.replace("\n", " "))


@pytest.mark.parametrize(
    ("text", "in_rows", "elsewhere"),
    [
        ("👨\u200d👩\u200d👧.", "👨👩👧.", "👨."),
        ("❤\ufe0f.", "❤.", "❤ ."),
        ("👍🏿.", "👍.", "👍."),
        ("🇩🇪.", "DE.", "DE."),
        ("1\ufe0f\u20e3.", "1\u20e3.", "1\u20e3 ."),
        ("so\u00adft", "soft", "so-ft"),
        ("a\u200eb", "ab", "ab"),
    ],
)
def test_joined_emoji_are_split_in_rows_and_elsewhere_reduced_to_the_first_emoji(
    text: str, in_rows: str, elsewhere: str
) -> None:
    (segment,) = ControlFilter().apply([Segment(text)], BLACK)
    assert (drawn(text), segment.text) == (in_rows, elsewhere)
