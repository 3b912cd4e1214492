"""The diff of two prompts on screen: marks beside every line, hunks one key apart, nothing hidden."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from textual.app import ComposeResult
from themed_app import ThemedApp

from cekura_tui.prose.compare import compare
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.ui.suggestion.diff_view import HunkNotes, ProseDiffView
from cekura_tui.ui.suggestion.staged_text import StagedText
from cekura_tui.ui.theme import DARK, GROUNDS, TINTS, tokens

OLD = "# Role\nYou are Ava.\n\n## Verification\n" + "".join(f"- Rule {n} stays as it is\n" for n in range(30))
NEW = (
    OLD.replace("You are Ava.", "Greet every caller.")
    .replace("- Rule 9 stays as it is", "- Rule 9 stays as it was")
    .replace("- Rule 20 stays as it is\n", "")
    + "- Say goodbye.\n"
)
MOVED_OLD = "# One\n\n- Always ask for the date of birth before anything else.\n- Be kind.\n\n# Two\n\nEnd the call.\n"
MOVED_NEW = (
    "# One\n\n- Be kind.\n\n# Two\n\nEnd the call.\n\n- Always ask for the full date of birth before anything else.\n"
)


class DiffApp(ThemedApp):
    def __init__(self, old: str, new: str) -> None:
        super().__init__()
        self.diff = compare(old, new)
        self.view, self.staged = ProseDiffView(), StagedText()
        self.entered: list[int] = []
        self.asked_to_split = 0

    def compose(self) -> ComposeResult:
        yield self.view

    def on_mount(self) -> None:
        self.view.show_diff(self.diff)
        self.view.focus()

    def on_prose_diff_view_hunk_moved(self, event: ProseDiffView.HunkMoved) -> None:
        self.entered.append(event.hunk)

    def on_prose_diff_view_split_requested(self) -> None:
        self.asked_to_split += 1


class StagedApp(DiffApp):
    def compose(self) -> ComposeResult:
        yield self.staged


def screen(view: ProseDiffView | StagedText) -> list[str]:
    return [view.render_line(y).text.rstrip() for y in range(view.size.height)]


@contextmanager
def painted(view: ProseDiffView, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The lines that are asked to be painted again; -1 stands for all."""
    lines: list[int] = []
    refresh = view.refresh

    def refreshed(*regions: object, **asked: bool) -> object:
        lines.extend([region.y for region in regions] or [-1])  # type: ignore[attr-defined]
        return refresh(*regions, **asked)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(view, "refresh", refreshed)
        yield lines


async def test_every_hunk_says_where_it_is_and_every_line_what_became_of_it() -> None:
    app = DiffApp(OLD, NEW)
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.pause()
        assert screen(app.view) == [
            "   # Role",
            " · 1 of 4 · Role › paragraph 1 · +3 −3",
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
            *[""] * 4,
        ]


def grounds(view: ProseDiffView, y: int) -> list[tuple[str, str]]:
    """The stretches of a line, each with the token that its ground has."""
    names = {tokens(DARK)[name]: name for name in (*GROUNDS, *TINTS)}
    found = [(segment.text, names[str(segment.style.bgcolor.triplet.hex)]) for segment in view.render_line(y)]  # type: ignore[union-attr]
    return [(text if text.strip() else "", ground) for text, ground in found]


async def test_changed_lines_have_a_ground_and_changed_words_a_brighter_one() -> None:
    app = DiffApp(OLD.replace("is\n- Rule 10", "is_now\n- Rule 10"), NEW.replace("was", "was_now"))
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.pause()
        gone, come = "removed-ground", "added-ground"
        words = ("removed-word-ground", "added-word-ground")
        assert {ground for _, ground in grounds(app.view, 2)} == {gone}, "all of a line that went"
        assert grounds(app.view, 10)[-2:] == [("is_now", words[0]), ("", gone)]
        assert (" - Rule 9 stays as it ", gone) in grounds(app.view, 10)
        assert grounds(app.view, 11)[-2:] == [("was_now", words[1]), ("", come)]
        assert {ground for _, ground in grounds(app.view, 12)} == {"background"}
        app.view.show_diff(app.diff, {2: HunkChoice("rejected")})
        assert {ground for _, ground in grounds(app.view, 11)} == {"background"}
        await pilot.press("n", "down")
        assert {ground for _, ground in grounds(app.view, 11)} == {"cursor"}, "the cursor is seen on a changed line"


async def test_common_words_of_a_replaced_sentence_are_not_marked() -> None:
    old = "If it is a birthday, we hide a card in the room, so get the name right and ask how it is spelled.\n"
    new = "For a birthday, ask for the first name and its spelling, and add it to the booking note.\n"
    others = "\nGive no reason.\n", "\nClose at noon today.\n"
    app = DiffApp(old + others[0], new + others[1])
    async with app.run_test(size=(120, 20)) as pilot:
        await pilot.pause()
        marked = [text for y in range(20) for text, ground in grounds(app.view, y) if "word" in ground]
        assert not any("birthday" in text for text in marked)
        assert "ask for the first name and its spelling, and add it to the booking note" in " ".join(marked)
        assert not any("noon" in text for text in marked), "of what has nothing in common the line is marked alone"


async def test_without_colour_signs_are_around_the_changed_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = DiffApp(OLD, NEW)
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.pause()
        assert screen(app.view)[10:12] == [" − - Rule 9 stays as it [-is-]", " + - Rule 9 stays as it {+was+}"]
        assert screen(app.view)[18] == " − - Rule 20 stays as it is"


async def test_from_140_cells_the_sent_text_is_beside_the_proposed_text() -> None:
    app = DiffApp(OLD, NEW)
    async with app.run_test(size=(140, 30)) as pilot:
        await pilot.pause()
        wide = [tuple(part.rstrip() for part in line.split(" │")) for line in screen(app.view)]
        assert wide[2] == (" − You are Ava.", "  + Greet every caller.")
        assert wide[5] == (" … 7 lines unchanged",)
        assert wide[9] == (" − - Rule 9 stays as it is", "  + - Rule 9 stays as it was")
        assert wide[16] == (" − - Rule 20 stays as it is", "")
        assert wide[17] == ("   - Rule 21 stays as it is", "    - Rule 21 stays as it is")
        await pilot.resize_terminal(137, 30)
        await pilot.pause()
        assert screen(app.view)[2:4] == [" − You are Ava.", " + Greet every caller."]


async def test_n_goes_from_hunk_to_hunk_and_shows_all_of_it() -> None:
    app = DiffApp(OLD, NEW)
    async with app.run_test(size=(80, 8)) as pilot:
        await pilot.pause()
        numbers = []
        for key in "nnnnNN":
            await pilot.press(key)
            assert app.view.hunk is not None
            numbers.append(app.view.hunk.number)
        assert numbers == [2, 3, 4, 4, 3, 2]
        await pilot.press("n", "n")
        assert screen(app.view)[-1] == " + - Say goodbye."
        await pilot.press("N", "down", "down")
        assert app.view.hunk is None
        assert app.entered == [1, 2, 3, 4, 3, 2, 3, 4, 3]


async def test_formatting_is_one_line_at_the_end_and_f_asks_for_its_places() -> None:
    old = 'Say "yes" here.\n\nSay "no" there.\n\nThird.\n'
    app = DiffApp(old, old.replace(' "', " “").replace('" ', "” ").replace("Third", "The third"))
    async with app.run_test(size=(80, 14)) as pilot:
        await pilot.pause()
        assert app.view.hunk is app.diff.hunks[0]
        assert screen(app.view)[7] == ' ⋯ 2 of 2 · quotation marks " → “, 2 places'
        await pilot.press("w", "n")
        assert app.view.hunk is app.diff.hunks[1]
        await pilot.press("f")
        assert app.asked_to_split == 1
        split = compare(app.diff.old, app.diff.new, {app.diff.hunks[1].key})
        app.view.show_diff(split)
        assert app.view.hunk is split.hunks[0]
        assert screen(app.view)[:7] == [
            ' · 1 of 3 · paragraph 1 · quotation marks " → “',
            ' − Say "yes" here.',
            " + Say “yes” here.",
            "",
            ' · 2 of 3 · paragraph 2 · quotation marks " → “',
            ' − Say "no" there.',
            " + Say “no” there.",
        ]
        app.view.show_diff(split, {2: HunkChoice("accepted")})
        await pilot.press("n")
        app.view.show_diff(app.diff)
        assert app.view.hunk is app.diff.hunks[1]
        assert not any(line.startswith("   ") for line in screen(app.view)), "still the changes alone"


async def test_text_around_an_answer_is_left_out_and_the_cursor_on_the_first_undecided() -> None:
    app = DiffApp(OLD, f"Sure, here is the improved prompt:\n\n```markdown\n{NEW}```\n")
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.pause()
        assert screen(app.view)[:6] == [
            " ✗ 1 of 5 · +7 · the answer comes with remarks of the model and is wrapped in",
            "   a code fence · left out unless accepted",
            " + Sure, here is the improved prompt:",
            " +",
            " + ```markdown",
            "   # Role",
        ]
        assert app.view.hunk is app.diff.hunks[1]
        app.view.show_diff(app.diff, {1: HunkChoice("accepted")})
        assert screen(app.view)[1] == "   a code fence · accepted"
        assert screen(app.view)[0].startswith(" ✓ 1 of 5 · +7")


async def test_a_choice_shows_in_the_header_and_paints_that_hunk_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    app = DiffApp(OLD, NEW)
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.press("n")
        with painted(app.view, monkeypatch) as lines:
            app.view.show_diff(app.diff, {2: HunkChoice("accepted")}, {})
        assert lines
        assert set(lines) <= {9, 10, 11}
        assert screen(app.view)[9] == " ✓ 2 of 4 · Verification › item 10 · +1 −1 · accepted"
        with painted(app.view, monkeypatch) as lines:
            app.view.show_diff(app.diff, {2: HunkChoice("accepted")}, {})
        assert not lines
        app.view.show_diff(app.diff, {2: HunkChoice("edited", "- Rule 9 stays as it will be")}, {})
        assert screen(app.view)[9:12] == [
            " ✎ 2 of 4 · Verification › item 10 · +2 −1 · edited",
            " − - Rule 9 stays as it is",
            " + - Rule 9 stays as it will be",
        ]
        assert app.view.hunk is app.diff.hunks[1]


async def test_reasons_and_facts_of_the_call_are_below_the_header() -> None:
    app = DiffApp(OLD, NEW)
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.press("n")
        told = HunkNotes(("likely reason: ✗ Identity check · run 900238 00:14",), ("14 March", "Pri\x1b[31mya"))
        app.view.show_diff(app.diff, {}, {2: told})
        assert screen(app.view)[9:13] == [
            " · 2 of 4 · Verification › item 10 · +1 −1",
            "   likely reason: ✗ Identity check · run 900238 00:14",
            " ! specific to this call: 14 March, Pri[31mya",
            " − - Rule 9 stays as it is",
        ]
        assert app.view.hunk is app.diff.hunks[1]


async def test_a_move_is_one_line_where_it_was_and_whole_where_it_is() -> None:
    app = DiffApp(MOVED_OLD, MOVED_NEW)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        lines = screen(app.view)
        number = app.diff.worded[-1].number
        assert " → moved to Two › item 1 (10 words)" in lines
        head = next(n for n, line in enumerate(lines) if line.startswith(f" · {number} of "))
        assert lines[head].endswith("moved from One › item 1")
        assert " + - Always ask for the full date of birth before anything else." in lines[head:]


async def test_f_unfolds_one_passage_or_all_and_w_hides_unchanged_lines() -> None:
    app = DiffApp(OLD, NEW)
    async with app.run_test(size=(80, 60)) as pilot:
        await pilot.press("n", "up", "up", "up", "f")
        lines = screen(app.view)
        assert "   - Rule 0 stays as it is" in lines
        assert sum("unchanged" in line for line in lines) == 2
        await pilot.press("f")
        assert sum("unchanged" in line for line in screen(app.view)) == 3
        await pilot.press("N", "f")
        assert not any("unchanged" in line for line in screen(app.view))
        assert app.view.hunk is app.diff.hunks[0]
        await pilot.press("w")
        assert [line for line in screen(app.view) if line.startswith(("   ", " …"))] == []
        assert app.view.hunk is app.diff.hunks[0]
        await pilot.press("w")
        assert "   - Rule 0 stays as it is" in screen(app.view)


async def test_hidden_characters_of_a_prompt_are_seen() -> None:
    app = DiffApp("Be polite to them.\n", "Be polite to them.\x1b[31m\u202e\tNow\rhere.\n")
    async with app.run_test(size=(80, 8)) as pilot:
        await pilot.pause()
        assert "them.␛[31m⟨U+202E⟩    Now␍here." in screen(app.view)[2]


async def test_two_equal_texts_say_so() -> None:
    app = DiffApp(OLD, OLD)
    async with app.run_test(size=(80, 8)) as pilot:
        await pilot.press("n", "f", "w")
        assert screen(app.view)[0] == "   Both texts are the same."
        assert app.view.hunk is None


async def test_in_a_very_long_line_every_change_is_shown_and_unchanged_text_is_counted() -> None:
    words = [f"word{n}" for n in range(6_000)]
    app = DiffApp(" ".join(words), " ".join(words).replace("word4000 ", "FIRST ") + " LAST")
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.pause()
        shown = " ".join(line[3:] for line in screen(app.view))
        assert "characters unchanged) … word" in shown
        assert "word3999 word4000 word4001" in shown
        assert "word3999 FIRST word4001" in shown
        assert "word5999 LAST" in shown


async def test_a_very_long_line_in_place_of_another_is_drawn_to_its_end() -> None:
    app = DiffApp("a" * 9_000 + "END", "b" * 9_000 + "FIN")
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.press("G", "pagedown", "pagedown", "pagedown", "pagedown", "pagedown")
        assert any(line.startswith(" + ") and line.endswith("bFIN") for line in screen(app.view))
        await pilot.press(*["pageup"] * 3)
        assert any(line.startswith(" − ") and line.endswith("aEND") for line in screen(app.view))


async def test_the_staged_text_follows_the_hunk_and_marks_what_is_taken() -> None:
    app = StagedApp(OLD, NEW)
    async with app.run_test(size=(80, 8)) as pilot:
        app.staged.show(app.diff, {}, hunk=2)
        await pilot.pause()
        assert "   - Rule 9 stays as it is" in screen(app.staged)
        app.staged.show(app.diff, {2: HunkChoice("accepted"), 3: HunkChoice("accepted")}, hunk=2)
        await pilot.pause()
        assert " ~ - Rule 9 stays as it was" in screen(app.staged)
        app.staged.follow(3)
        await pilot.pause()
        assert " − - Rule 19 stays as it is" in screen(app.staged)
        assert not any("Rule 20" in line for line in screen(app.staged))


async def test_the_staged_text_shows_all_of_a_very_long_line_and_follows_to_the_words() -> None:
    words = [f"Word{n}." for n in range(4_000)]
    new = " ".join(words).replace("Word2000.", "CHANGED.").replace("Word3999.", "LAST.")
    app = StagedApp(" ".join(words), new)
    async with app.run_test(size=(80, 8)) as pilot:
        accepted = {hunk.number: HunkChoice("accepted") for hunk in app.diff.hunks}
        for hunk, word in zip(app.diff.hunks, ("CHANGED.", "LAST."), strict=True):
            app.staged.show(app.diff, accepted, hunk=hunk.number)
            await pilot.pause()
            assert any(word in line for line in screen(app.staged)), word
            await pilot.resize_terminal(60 + hunk.number, 8)
            await pilot.pause()
            assert any(word in line for line in screen(app.staged)), f"{word} in another width"


async def test_side_by_side_a_moved_passage_stands_beside_what_it_was() -> None:
    app = DiffApp(MOVED_OLD, MOVED_NEW.replace("End the call.", "End the call now."))
    async with app.run_test(size=(150, 24)) as pilot:
        await pilot.pause()
        wide = [tuple(part.strip() for part in line.split(" │")) for line in screen(app.view)]
        assert (
            "− - Always ask for the date of birth before anything else.",
            "+ - Always ask for the full date of birth before anything else.",
        ) in wide


@pytest.mark.parametrize("colour", ["", "1"])
async def test_a_number_that_follows_from_another_change_is_not_shown_as_one(
    colour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", colour)
    app = DiffApp("1. Be kind.\n2. Say goodbye.\n", "1. Be kind.\n2. Be brief.\n3. Say goodbye.\n")
    async with app.run_test(size=(150, 8)) as pilot:
        await pilot.pause()
        wide = [tuple(part.rstrip() for part in line.split(" │")) for line in screen(app.view)]
        assert wide[3] == ("   2. Say goodbye.", "    3. Say goodbye.")
        await pilot.resize_terminal(80, 8)
        await pilot.pause()
        assert screen(app.view)[:4] == [
            "   1. Be kind.",
            " · 1 of 1 · rule 2 · +2",
            " + 2. Be brief.",
            "   2→3. Say goodbye.",
        ]


async def test_later_reasons_and_less_room_leave_the_change_under_the_cursor_whole() -> None:
    rules = "\n".join(f"- Rule {n} of the desk is kept." for n in range(30))
    app = DiffApp(rules, rules.replace("Rule 25 of", "Rule 25 at"))

    def is_whole() -> bool:
        return any(line.startswith(" + ") and "Rule 25 at" in line for line in screen(app.view))

    async with app.run_test(size=(60, 7)) as pilot:
        await pilot.pause()
        app.view.viewport.place(0, 0)
        app.view.go_to(1)  # its last line is the last one of the screen
        await pilot.pause()
        assert is_whole()
        app.view.show_diff(app.diff, notes={1: HunkNotes(("reason: ✗ Rules kept", "possible reason: ✗ Tone"))})
        await pilot.pause()
        assert is_whole()
        await pilot.resize_terminal(60, 5)
        await pilot.pause()
        assert is_whole()
