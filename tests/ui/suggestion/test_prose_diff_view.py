"""The prompt diff on screen: signs, headings, folds, and the staged text beside the diff."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from rich.style import Style
from textual.app import ComposeResult
from textual.pilot import Pilot
from themed_app import ThemedApp

from cekura_tui.prose.compare import compare
from cekura_tui.prose.lines import passages
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.ui.suggestion.diff_lines import DiffStyle, diff_lines
from cekura_tui.ui.suggestion.diff_rows import HunkNotes, diff_rows
from cekura_tui.ui.suggestion.diff_view import ProseDiffView
from cekura_tui.ui.suggestion.staged_text import StagedText
from cekura_tui.ui.theme import DARK, GROUNDS, TINTS, tokens

OLD = "# Role\nYou are Ava.\n\n## Verification\n" + "".join(f"- Rule {n} stays as it is\n" for n in range(30))
NEW = (
    OLD.replace("You are Ava.", "Greet every caller.")
    .replace("- Rule 9 stays as it is", "- Rule 9 stays as it was")
    .replace("- Rule 20 stays as it is\n", "")
    + "- Say goodbye.\n"
)
BIRTH = "- Always ask for the date of birth before anything else."
FULL_BIRTH = BIRTH.replace("date", "full date")
MOVED_OLD = f"# One\n\n{BIRTH}\n- Be kind.\n\n# Two\n\nEnd the call.\n"
MOVED_NEW = f"# One\n\n- Be kind.\n\n# Two\n\nEnd the call.\n\n{FULL_BIRTH}\n"
YES, NO = HunkChoice("accepted"), HunkChoice("rejected")


def drawn(
    old: str,
    new: str,
    width: int = 80,
    *,
    choices: Mapping[int, HunkChoice] | None = None,
    notes: Mapping[int, HunkNotes] | None = None,
    signs: bool = False,
) -> list[str]:
    """All lines of the diff of `old` and `new`, `width` cells wide; with `signs`, signs mark the changed words."""
    diff = compare(old, new)
    rows = diff_rows(diff, passages(diff, choices or {}), choices or {}, notes or {})
    look = DiffStyle(lambda name: Style(), signs)
    return ["".join(part.text for part in line).rstrip() for row in rows for line in diff_lines(row, width, look)]


def side_by_side(old: str, new: str) -> list[tuple[str, ...]]:
    """The lines of the diff in two columns, each as the texts of its columns."""
    return [tuple(part.strip() for part in line.split(" │")) for line in drawn(old, new, 137)]


class DiffApp(ThemedApp):
    def __init__(self, old: str, new: str) -> None:
        super().__init__()
        self.diff = compare(old, new)
        self.view, self.staged = ProseDiffView(), StagedText()
        self.visited: list[int] = []
        self.split_requests = 0

    def compose(self) -> ComposeResult:
        yield self.view

    def on_mount(self) -> None:
        self.view.show_diff(self.diff)
        self.view.focus()

    def on_prose_diff_view_hunk_moved(self, event: ProseDiffView.HunkMoved) -> None:
        self.visited.append(event.hunk)

    def on_prose_diff_view_split_requested(self) -> None:
        self.split_requests += 1


class StagedApp(DiffApp):
    def compose(self) -> ComposeResult:
        yield self.staged


@asynccontextmanager
async def shown(
    old: str, new: str, height: int, width: int = 80, kind: type[DiffApp] = DiffApp
) -> AsyncIterator[tuple[DiffApp, Pilot[None]]]:
    """Show the diff in a terminal of this size."""
    app = kind(old, new)
    async with app.run_test(size=(width, height)) as pilot:
        await pilot.pause()
        yield app, pilot


def screen(view: ProseDiffView | StagedText) -> list[str]:
    return [view.render_line(y).text.rstrip() for y in range(view.size.height)]


def test_each_hunk_shows_its_place_and_each_changed_line_shows_its_sign() -> None:
    lines = [
        "   # Role",
        " · 1 of 4 · Role › paragraph 1 · +3 −3 · 2 parts",
        " − You are Ava.",
        " + Greet every caller.",
        "",
        "   ## Verification",
        " … 7 lines unchanged",
        "   - Rule 7 stays as it is",
        "   - Rule 8 stays as it is",
        " · 2 of 4 · Verification › item 10 · +1 −1",
        " − - Rule 9 stays as it is",
        " + - Rule 9 stays as it was",
        "   - Rule 10 stays as it is",
        "   - Rule 11 stays as it is",
        " … 6 lines unchanged",
        "   - Rule 18 stays as it is",
        "   - Rule 19 stays as it is",
        " · 3 of 4 · Verification › item 21 · −6",
        " − - Rule 20 stays as it is",
        "   - Rule 21 stays as it is",
        "   - Rule 22 stays as it is",
        " … 5 lines unchanged",
        "   - Rule 28 stays as it is",
        "   - Rule 29 stays as it is",
        " · 4 of 4 · Verification › item 30 · +2",
        " + - Say goodbye.",
    ]
    assert drawn(OLD, NEW) == lines
    without_colour = drawn(OLD, NEW, signs=True)
    assert without_colour[10:12] == [" − - Rule 9 stays as it [-is-]", " + - Rule 9 stays as it {+was+}"]
    assert [*without_colour[:10], *without_colour[12:]] == [*lines[:10], *lines[12:]]


def test_diff_is_side_by_side_from_140_columns() -> None:
    lines = side_by_side(OLD, NEW)
    assert lines[2:6] == [
        ("− You are Ava.", "+ Greet every caller."),
        ("", ""),
        ("## Verification", "## Verification"),
        ("… 7 lines unchanged",),
    ]
    assert lines[9] == ("− - Rule 9 stays as it is", "+ - Rule 9 stays as it was")
    assert lines[16:18] == [("− - Rule 20 stays as it is", ""), ("- Rule 21 stays as it is",) * 2]
    assert (f"− {BIRTH}", f"+ {FULL_BIRTH}") in side_by_side(MOVED_OLD, MOVED_NEW.replace("the call.", "the call now."))
    assert drawn(OLD, NEW, 136) == drawn(OLD, NEW)


def test_renumbered_item_is_not_shown_as_a_change() -> None:
    numbered = "1. Be kind.\n2. Say goodbye.\n", "1. Be kind.\n2. Be brief.\n3. Say goodbye.\n"
    lines = ["   1. Be kind.", " · 1 of 1 · rule 2 · +2", " + 2. Be brief.", "   2→3. Say goodbye."]
    assert drawn(*numbered) == drawn(*numbered, signs=True) == lines
    assert side_by_side(*numbered)[3] == ("2. Say goodbye.", "3. Say goodbye.")


@pytest.mark.parametrize(
    ("choice", "sign", "counts", "proposed"),
    [
        (YES, "✓", "+1 −1 · accepted", "was"),
        (NO, "✗", "+1 −1 · rejected", "was"),
        (HunkChoice("edited", "- Rule 9 stays as it will be"), "✎", "+2 −1 · edited", "will be"),
    ],
)
def test_heading_of_a_hunk_shows_its_choice(choice: HunkChoice, sign: str, counts: str, proposed: str) -> None:
    assert drawn(OLD, NEW, choices={2: choice})[9:12] == [
        f" {sign} 2 of 4 · Verification › item 10 · {counts}",
        " − - Rule 9 stays as it is",
        f" + - Rule 9 stays as it {proposed}",
    ]


def test_reasons_and_call_specific_words_are_below_the_heading() -> None:
    facts = "“14 March” (the caller)", "“Pri\x1b[31mya”"
    notes = {2: HunkNotes(("likely reason: ✗ Identity check · run 900238 00:14",), facts)}
    assert drawn(OLD, NEW, notes=notes)[9:13] == [
        " · 2 of 4 · Verification › item 10 · +1 −1",
        "   likely reason: ✗ Identity check · run 900238 00:14",
        " ! specific to this call: “14 March” (the caller), “Pri[31mya” · B dismiss",
        " − - Rule 9 stays as it is",
    ]


def test_moved_text_is_one_line_in_its_old_place_and_complete_in_its_new_place() -> None:
    lines = drawn(MOVED_OLD, MOVED_NEW)
    assert " → moved to Two › item 1 (10 words)" in lines
    head = next(
        n for n, line in enumerate(lines) if line.startswith(" · ") and line.endswith("moved from One › item 1")
    )
    assert f" + {FULL_BIRTH}" in lines[head:]


def test_moved_text_has_arrows_also_where_its_list_mark_changes() -> None:
    old = "# One\n- Call the duty vet at once.\n- Be kind.\n\n# Two\n1. Ask for the name.\n\n## End\nSay goodbye.\n"
    new = "# One\n- Be kind.\n\n## End\nSay goodbye.\n\n# Two\n1. Ask for the name.\n2. Call the duty vet at once.\n"
    lines = drawn(old, new)
    assert " → - Call the duty vet at once." in lines
    assert " ← 2. Call the duty vet at once." in lines
    assert not {" →", " ←"} & {line for line, after in pairwise(lines) if " of " in after}


def test_hidden_characters_are_shown_and_equal_texts_are_reported_as_equal() -> None:
    lines = drawn("Be polite to them.\n", "Be polite to them.\x1b[31m\u202e\tNow\rhere.\n")
    assert "them.␛[31m⟨U+202E⟩    Now␍here." in lines[2]
    assert drawn(OLD, OLD) == ["   Both texts are the same."]


def test_very_long_line_is_drawn_to_its_end_with_unchanged_text_folded() -> None:
    words = " ".join(f"word{n}" for n in range(6_000))
    lines = " ".join(line[3:] for line in drawn(words, words.replace("word4000 ", "FIRST ")))
    for part in ("characters unchanged) … word", "word3999 word4000 word4001", "word3999 FIRST word4001"):
        assert part in lines
    replaced = drawn("a" * 9_000 + "END", "b" * 9_000 + "FIN")
    assert any(line.startswith(" − ") and line.endswith("aEND") for line in replaced)
    assert replaced[-1].endswith("bFIN")


# The list of lines in a terminal


def backgrounds(view: ProseDiffView, y: int) -> list[tuple[str, str]]:
    """The text runs of line `y`, each with the theme token of its background; blank text is ""."""
    names = {tokens(DARK)[name]: name for name in (*GROUNDS, *TINTS)}
    found = [(segment.text, names[str(segment.style.bgcolor.triplet.hex)]) for segment in view.render_line(y)]  # type: ignore[union-attr]
    return [(text if text.strip() else "", ground) for text, ground in found]


async def test_changed_lines_have_a_background_and_changed_words_a_brighter_background() -> None:
    old, new = OLD.replace("is\n- Rule 10", "is_now\n- Rule 10"), NEW.replace("was", "was_now")
    async with shown(old, new, 30) as (app, pilot):
        gone, come, word_gone, word_come = (f"{op}{of}-ground" for of in ("", "-word") for op in ("removed", "added"))
        assert {ground for _, ground in backgrounds(app.view, 2)} == {gone}, "the whole removed line"
        assert (" - Rule 9 stays as it ", gone) in backgrounds(app.view, 10)
        assert backgrounds(app.view, 10)[-2:] == [("is_now", word_gone), ("", gone)]
        assert backgrounds(app.view, 11)[-2:] == [("was_now", word_come), ("", come)]
        assert {ground for _, ground in backgrounds(app.view, 12)} == {"background"}
        app.view.show_diff(app.diff, {2: NO})
        assert {ground for _, ground in backgrounds(app.view, 11)} == {"background"}
        await pilot.press("n", "down")
        assert {ground for _, ground in backgrounds(app.view, 11)} == {"cursor"}, "the cursor on a changed line"


async def test_common_words_of_a_replaced_sentence_are_not_highlighted() -> None:
    old = "If it is a birthday, we hide a card in the room, so get the name right and ask how it is spelled.\n"
    new = "For a birthday, ask for the first name and its spelling, and add it to the booking note.\n"
    async with shown(f"{old}\nGive no reason.\n", f"{new}\nClose at noon today.\n", 20, 120) as (app, _):
        marked = " ".join(text for y in range(20) for text, ground in backgrounds(app.view, y) if "word" in ground)
        assert "ask for the first name and its spelling, and add it to the booking note" in marked
        assert "birthday" not in marked
        assert "noon" not in marked, "no words are highlighted in unrelated lines"


async def test_n_moves_from_hunk_to_hunk_and_shows_each_hunk_completely() -> None:
    async with shown(OLD, NEW, 8) as (app, pilot):
        await pilot.press(*"nnnnNNnn")
        assert app.visited == [1, 2, 3, 4, 3, 2, 3, 4], "the last hunk is visited once"
        assert screen(app.view)[-1] == " + - Say goodbye."
        await pilot.press("N", "down", "down")
        assert (app.view.hunk, app.visited[-1]) == (None, 0)


def test_text_around_the_answer_is_left_out_unless_accepted() -> None:
    wrapped = OLD, f"Sure, here is the improved prompt:\n\n```markdown\n{NEW}```\n"
    assert drawn(*wrapped, 79)[:6] == [
        " ✗ 1 of 5 · +7 · the answer comes with remarks by the model and is wrapped in",
        "   a code fence · left out unless accepted",
        " + Sure, here is the improved prompt:",
        " +",
        " + ```markdown",
        "   # Role",
    ]
    first, second, *_ = drawn(*wrapped, 79, choices={1: YES})
    assert first.startswith(" ✓ 1 of 5 · +7")
    assert second == "   a code fence · accepted"


async def test_formatting_changes_are_one_line_at_the_end_and_f_requests_a_split() -> None:
    old = 'Say "yes" here.\n\nSay "no" there.\n\nThird.\n'
    new = old.replace(' "', " “").replace('" ', "” ").replace("Third", "The third")
    async with shown(old, new, 14) as (app, pilot):
        assert app.view.hunk is app.diff.hunks[0]
        assert screen(app.view)[7] == ' ⋯ 2 of 2 · quotation marks " → “, 2 places'
        await pilot.press("z", "n", "f")
        assert app.split_requests == 1
        split = compare(app.diff.old, app.diff.new, {app.diff.hunks[1].key})
        app.view.show_diff(split)
        assert app.view.hunk is split.hunks[0]
        first = [' · 1 of 3 · paragraph 1 · quotation marks " → “', ' − Say "yes" here.', " + Say “yes” here."]
        assert screen(app.view)[:3] == first
        app.view.show_diff(split, {2: YES})
        await pilot.press("n")
        app.view.show_diff(app.diff)
        assert app.view.hunk is app.diff.hunks[1]
        assert not any(line.startswith("   ") for line in screen(app.view)), "unchanged lines are still hidden"


async def test_f_unfolds_one_passage_or_all_and_w_hides_unchanged_lines() -> None:
    async with shown(OLD, NEW, 60) as (app, pilot):

        def folded() -> int:
            return sum("unchanged" in line for line in screen(app.view))

        await pilot.press("n", "up", "up", "up", "f")
        assert "   - Rule 0 stays as it is" in screen(app.view)
        assert folded() == 2
        await pilot.press("f")
        assert folded() == 3
        await pilot.press("N", "f")
        assert folded() == 0
        await pilot.press("z")
        assert not any(line.startswith(("   ", " …")) for line in screen(app.view))
        assert app.view.hunk is app.diff.hunks[0]
        await pilot.press("z")
        assert "   - Rule 0 stays as it is" in screen(app.view)


async def test_staged_text_scrolls_to_the_hunk_and_marks_accepted_lines() -> None:
    async with shown(OLD, NEW, 8, kind=StagedApp) as (app, pilot):
        app.staged.show(app.diff, {}, hunk=2)
        await pilot.pause()
        assert "   - Rule 9 stays as it is" in screen(app.staged)
        app.staged.show(app.diff, {2: YES, 3: YES}, hunk=2)
        await pilot.pause()
        assert " ~ - Rule 9 stays as it was" in screen(app.staged)
        app.staged.go_to_hunk(3)
        await pilot.pause()
        assert " − - Rule 19 stays as it is" in screen(app.staged)
        assert not any("Rule 20" in line for line in screen(app.staged))


async def test_staged_text_scrolls_to_the_change_in_a_very_long_line() -> None:
    text = " ".join(f"Word{n}." for n in range(4_000))
    changed = text.replace("Word2000.", "CHANGED.").replace("Word3999.", "LAST.")
    async with shown(text, changed, 8, kind=StagedApp) as (app, pilot):
        for hunk, word in zip(app.diff.hunks, ("CHANGED.", "LAST."), strict=True):
            app.staged.show(app.diff, dict.fromkeys((1, 2), YES), hunk=hunk.number)
            for width in (80, 60 + hunk.number):
                await pilot.resize_terminal(width, 8)
                await pilot.pause()
                assert any(word in line for line in screen(app.staged)), f"{word} in {width} columns"


async def test_change_under_the_cursor_stays_visible_when_reasons_arrive() -> None:
    rules = "\n".join(f"- Rule {n} of the desk is kept." for n in range(30))
    async with shown(rules, rules.replace("Rule 25 of", "Rule 25 at"), 7, 60) as (app, pilot):
        app.view.viewport.place(0, 0)
        app.view.go_to(1)  # its last line is the last screen line
        for notes, height in (((), 7), (("reason: ✗ Rules kept", "possible reason: ✗ Tone"), 7), ((), 5)):
            if notes:
                app.view.show_diff(app.diff, notes={1: HunkNotes(notes)})
            await pilot.resize_terminal(60, height)
            await pilot.pause()
            assert any(line.startswith(" + ") and "Rule 25 at" in line for line in screen(app.view))
