"""Decisions about merge conflicts: about single conflicts, about groups, and after a reload."""

from __future__ import annotations

from cekura_tui.prose.conflicts import ConflictDecisions, Decision
from cekura_tui.prose.merge import Conflict, Merge

RULE = Conflict("- Be kind.\n", "- Be patient.\n", "- Be brief.\n")
OTHER = Conflict("Say goodbye.\n", "Say goodbye, Sir.\n", "")
MOVED = (Conflict("Ask first.\n", "", "Ask at first.\n"), Conflict("", "Ask first.\n", ""))
TWINS = Merge(("# One\n", RULE, "# Two\n", RULE), ((1,), (2,)))
PASSAGE = Merge((MOVED[0], "# Rules\n", MOVED[1], OTHER), ((1, 2), (3,)))


def loaded(merge: Merge) -> ConflictDecisions:
    decisions = ConflictDecisions()
    decisions.load_merge(merge)
    return decisions


def test_two_conflicts_with_the_same_texts_are_decided_one_by_one() -> None:
    decisions = loaded(TWINS)
    decisions.decide_side(2, "now")
    assert (decisions.of(1), decisions.of(2)) == (None, Decision("now", "- Be patient.\n"))
    assert (decisions.undecided, decisions.text) == ([1], None)
    decisions.decide_side(1, "staged")
    assert decisions.text == "# One\n- Be brief.\n# Two\n- Be patient.\n"


def test_both_places_of_a_moved_passage_are_decided_together() -> None:
    decisions = loaded(PASSAGE)
    assert (decisions.group_of(2), decisions.group_of(3)) == ((1, 2), (3,))
    decisions.decide_side(3, "staged")
    for number, side, text in ((2, "staged", "Ask at first.\n# Rules\n"), (1, "now", "# Rules\nAsk first.\n")):
        decisions.decide_side(number, side)  # type: ignore[arg-type]
        assert (decisions.undecided, decisions.text) == ([], text)


def test_a_moved_passage_edited_at_one_place_is_removed_at_the_other_place() -> None:
    decisions = loaded(PASSAGE)
    decisions.decide_side(3, "now")
    decisions.decide_side(1, "now")
    assert decisions.initial_text(1) == "Ask at first."  # the decided side is empty there
    decisions.decide_text(1, "Ask at once.")
    assert decisions.text == "Ask at once.\n# Rules\nSay goodbye, Sir.\n"
    assert decisions.initial_text(1) == "Ask at once."
    assert decisions.initial_text(2) == "Ask first."
    decisions.decide_text(2, "Ask later.")
    assert decisions.text == "# Rules\nAsk later.\nSay goodbye, Sir.\n"


def test_edited_text_keeps_the_line_end_and_blank_text_removes_the_line() -> None:
    decisions = loaded(Merge((RULE, "- Be quick.\n"), ((1,),)))
    decisions.decide_text(1, "- Be swift.")
    assert decisions.text == "- Be swift.\n- Be quick.\n"
    decisions.decide_text(1, " \n")
    assert decisions.text == "- Be quick.\n"


def test_edited_text_gets_the_line_ends_of_the_agents_prompt() -> None:
    decisions = loaded(Merge(("# Rules\r\n", Conflict("Be kind.", "Be patient.", "Be brief.")), ((1,),)))
    decisions.decide_text(1, "Be brief.\nBe kind.")
    assert decisions.text == "# Rules\r\nBe brief.\r\nBe kind."


def test_decisions_and_drafts_survive_a_reload_with_the_same_conflicts() -> None:
    decisions = loaded(PASSAGE)
    decisions.decide_side(1, "staged")
    key = decisions.key_of(3)
    decisions.save_typed(key, "Say farewell.")
    decisions.load_merge(Merge((RULE, *PASSAGE.parts, "# More\n"), ((1,), (2, 3), (4,))))
    assert (decisions.undecided, decisions.number_of(key)) == ([1, 4], 4)
    assert decisions.initial_text(4) == "Say farewell."
    decisions.load_merge(Merge(PASSAGE.parts, ((1,), (2,), (3,))))
    assert (decisions.undecided, decisions.number_of(key)) == ([1, 2, 3], 3)


def test_a_conflict_becomes_undecided_if_a_reload_removes_an_equal_conflict() -> None:
    decisions = loaded(TWINS)
    decisions.decide_side(1, "staged")
    decisions.load_merge(Merge(("# One\n- Be patient.\n# Two\n", RULE), ((1,),)))
    assert decisions.undecided == [1]


def test_conflict_keys_are_stable_across_versions_and_unique_by_place() -> None:
    # Saved texts are stored under this key.
    assert loaded(Merge((RULE,), ((1,),))).key_of(1) == (
        "conflict 223ea331e15ffceefa2ec25b528d9d1da2f13e6cd05bd4441325c218f7a7d9c6"
    )
    keys = [loaded(merge).key_of(number) for merge, last in ((TWINS, 2), (PASSAGE, 3)) for number in range(1, last + 1)]
    assert len(set(keys)) == 5


def test_restoring_saved_texts_does_not_overwrite_newer_typed_text() -> None:
    decisions = loaded(TWINS)
    one, two = decisions.key_of(1), decisions.key_of(2)
    decisions.save_typed(one, "Here.")
    decisions.restore_typed({one: "There.", two: "There, too.", "a hunk": "Else."})
    assert (decisions.initial_text(1), decisions.initial_text(2)) == ("Here.", "There, too.")
    assert decisions.typed_text("a hunk") is None


def test_typed_text_equal_to_the_initial_text_is_not_saved() -> None:
    decisions = loaded(TWINS)
    key = decisions.key_of(1)
    decisions.save_typed(key, "- Be brief.")
    assert decisions.typed_text(key) is None
    decisions.save_typed(key, "- Be brie")
    assert decisions.typed_text(key) == "- Be brie"
    decisions.save_typed(key, "- Be brief.")
    assert decisions.typed_text(key) is None
    decisions.decide_side(1, "now")
    decisions.save_typed(key, "- Be brief.")
    assert decisions.typed_text(key) == "- Be brief."


def test_an_edited_text_is_saved_until_the_text_is_written() -> None:
    decisions = loaded(TWINS)
    key = decisions.key_of(1)
    for text in ("- Be swift.", "- Be swift!", "- Be swift."):
        decisions.save_typed(key, text)
        if decisions.of(1) is None:
            decisions.decide_text(1, text)
    assert decisions.typed_text(key) == "- Be swift."
    assert decisions.forget_typed(decisions.edited_texts) == [key]
    assert decisions.typed_text(key) is None
    assert decisions.initial_text(1) == "- Be swift."
    decisions.save_typed(key, "- Be swift.")  # the editor was opened and closed
    assert decisions.typed_text(key) is None


def test_a_write_keeps_newer_typed_text_and_typed_text_that_was_not_written() -> None:
    decisions = loaded(TWINS)
    one, two = decisions.key_of(1), decisions.key_of(2)
    for number, key in ((1, one), (2, two)):
        decisions.save_typed(key, "- Be swift.")
        decisions.decide_text(number, "- Be swift.")
    decisions.decide_side(2, "now")
    taken = decisions.edited_texts
    assert taken == {one: "- Be swift."}
    decisions.save_typed(one, "- Be slow.")
    assert decisions.forget_typed(taken) == []
    assert (decisions.typed_text(one), decisions.typed_text(two)) == ("- Be slow.", "- Be swift.")
