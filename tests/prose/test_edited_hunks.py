"""Editing a hunk: the initial text of the editor, and the text that the typed text replaces."""

from __future__ import annotations

import pytest
from hypothesis import given
from test_prose_lines import VERSIONS

from cekura_tui.prose.compare import compare
from cekura_tui.prose.staging import HunkChoice, staged, wording


@given(VERSIONS)
def test_typing_the_initial_text_again_accepts_the_hunk(texts: tuple[str, str]) -> None:
    diff = compare(*texts)
    for hunk in diff.worded:
        words = wording(diff, hunk)
        typed = {hunk.number: HunkChoice("edited", words.begin)}
        accepted = staged(diff, {hunk.number: HunkChoice("accepted")})
        if words.proposed:
            assert staged(diff, typed) == accepted
            assert words.choice(words.begin) == HunkChoice("accepted")


def test_the_editor_of_a_moved_rule_does_not_show_the_renumbered_rules() -> None:
    sent = "1. Always ask for the date of birth.\n2. Never promise a slot.\n\nSay goodbye.\n"
    proposed = "1. Never promise a slot.\n\nSay goodbye.\n\n- Always ask for the full date of birth.\n"
    diff = compare(sent, proposed)
    move, change = diff.worded
    words = wording(diff, move)
    assert (words.sent, words.proposed, words.others) == (
        "1. Always ask for the date of birth.",
        "- Always ask for the date of birth.",
        0,
    )
    typed = "- Ask for the date of birth twice."
    moved = "1. Never promise a slot.\n\nSay goodbye.\n\n"
    assert staged(diff, {move.number: words.choice(typed)}) == f"{moved}{typed}\n"
    assert words.choice(words.sent).what == "edited", "the rule is at another place now"
    assert "date of birth" not in staged(diff, {move.number: words.choice("")})
    words = wording(diff, change)
    assert (words.sent, words.proposed) == (
        "Always ask for the date of birth.",
        "Always ask for the full date of birth.",
    )
    assert words.choice(words.sent).what == "rejected"
    choices = {change.number: words.choice("Ask for the date of birth twice.")}
    assert staged(diff, choices) == sent.replace("Always ask for the date of birth", "Ask for the date of birth twice")
    assert staged(diff, {**choices, move.number: HunkChoice("accepted")}) == f"{moved}{typed}\n"
    whole = {move.number: HunkChoice("edited", typed), change.number: HunkChoice("edited", "Ask twice.")}
    assert staged(diff, whole) == staged(diff, dict(reversed(whole.items()))) == f"{moved}{typed}\n"
    assert staged(diff, {change.number: HunkChoice("edited", "")}) == "1. Never promise a slot.\n\nSay goodbye.\n"


def test_the_editor_shows_what_is_added_to_a_passage_that_moves() -> None:
    slow, price = "- Speak slowly and clearly to everybody. {}Never hurry.\n", "# Fees\n{}- Say the price once.\n"
    old = f"# Style\n- Be kind.\n{slow.format('')}\n{price.format('')}"
    new = f"# Style\n- Be kind.\n\n{price.format(slow.format('Read it back. '))}"
    diff = compare(old, new)
    move, added = diff.worded
    words = wording(diff, added)
    assert (words.sent, words.proposed) == ("", "Read it back.")
    choices = {added.number: words.choice("Spell it.")}
    assert staged(diff, choices) == old.replace("Never hurry", "Spell it. Never hurry")
    assert staged(diff, {**choices, move.number: HunkChoice("accepted")}) == new.replace("Read it back.", "Spell it.")


def test_editing_a_hunk_of_several_places_changes_only_the_typed_lines() -> None:
    diff = compare("```\ncode\n\tx = 1\n```\n", "```\ncode\n\tx = 2\n\ty = 3\n```\n")
    (hunk,) = diff.worded
    words = wording(diff, hunk)
    text = staged(diff, {hunk.number: words.choice(words.begin.replace("2", "5"))})
    assert text == "```\ncode\n\tx = 5\n\ty = 3\n```\n"


def test_typed_lines_get_the_line_ends_of_the_passage() -> None:
    diff = compare("# Role\r\nBe kind.\r\n", "# Role\r\nBe very kind.\r\n")
    words = wording(diff, diff.hunks[0])
    assert words.choice("Be kind.\nBe brief.\r\nBe there.").text == "Be kind.\r\nBe brief.\r\nBe there."
    assert words.choice("Be kind.").what == "rejected"


@pytest.mark.parametrize("mark", ["", "- "])
def test_text_typed_for_a_removed_line_becomes_a_line_of_its_own(mark: str) -> None:
    sent = f"{mark}Be kind.\n{mark}Ask the name.\n{mark}Say bye.\n"
    diff = compare(sent, f"{mark}Be kind.\n\n{mark}Say bye.\n")
    (hunk,) = diff.hunks
    typed = f"{mark}Ask for both names."
    assert staged(diff, {hunk.number: HunkChoice("edited", typed)}) == sent.replace(f"{mark}Ask the name.", typed)
