"""Decisions of conflicts: each for itself, those of one passage together, and still there after another look."""

from __future__ import annotations

from cekura_tui.model.conflict_decisions import ConflictDecisions, Decision
from cekura_tui.model.prompt_merge import Conflict, Merge

RULE = Conflict("- Be kind.\n", "- Be patient.\n", "- Be brief.\n")
OTHER = Conflict("Say goodbye.\n", "Say goodbye, Sir.\n", "")
MOVED = (Conflict("Ask first.\n", "", "Ask at first.\n"), Conflict("", "Ask first.\n", ""))
TWINS = Merge(("# One\n", RULE, "# Two\n", RULE), ((1,), (2,)))
PASSAGE = Merge((MOVED[0], "# Rules\n", MOVED[1], OTHER), ((1, 2), (3,)))


def taken_up(merge: Merge) -> ConflictDecisions:
    decisions = ConflictDecisions()
    decisions.take_up(merge)
    return decisions


def test_two_conflicts_with_the_same_texts_are_decided_one_by_one() -> None:
    decisions = taken_up(TWINS)
    decisions.take(2, "now")
    assert (decisions.of(1), decisions.of(2)) == (None, Decision("now", "- Be patient.\n"))
    assert (decisions.undecided, decisions.text) == ([1], None)
    decisions.take(1, "staged")
    assert decisions.text == "# One\n- Be brief.\n# Two\n- Be patient.\n"


def test_the_places_of_a_moved_passage_are_decided_together_so_that_it_stands_there_once() -> None:
    decisions = taken_up(PASSAGE)
    assert (decisions.together(2), decisions.together(3)) == ((1, 2), (3,))
    decisions.take(3, "staged")
    for number, side, text in (
        (2, "staged", "Ask at first.\n# Rules\n"),
        (1, "now", "# Rules\nAsk first.\n"),
    ):
        decisions.take(number, side)  # type: ignore[arg-type]
        assert (decisions.undecided, decisions.text) == ([], text)


def test_a_moved_passage_that_is_worded_at_one_place_leaves_the_other() -> None:
    decisions = taken_up(PASSAGE)
    decisions.take(3, "now")
    decisions.take(1, "now")
    assert decisions.wording(1) == "Ask at first."  # where that side has nothing, it begins with the other
    decisions.word(1, "Ask at once.")
    assert decisions.text == "Ask at once.\n# Rules\nSay goodbye, Sir.\n"
    assert decisions.wording(1) == "Ask at once."
    assert decisions.wording(2) == "Ask first."
    decisions.word(2, "Ask later.")
    assert decisions.text == "# Rules\nAsk later.\nSay goodbye, Sir.\n"


def test_other_words_keep_the_white_space_around_and_no_words_leave_nothing() -> None:
    decisions = taken_up(Merge((RULE, "- Be quick.\n"), ((1,),)))
    decisions.word(1, "- Be swift.")
    assert decisions.text == "- Be swift.\n- Be quick.\n"
    decisions.word(1, " \n")
    assert decisions.text == "- Be quick.\n"


def test_other_words_have_the_line_ends_of_the_agents_prompt() -> None:
    decisions = taken_up(Merge(("# Rules\r\n", Conflict("Be kind.", "Be patient.", "Be brief.")), ((1,),)))
    decisions.word(1, "Be brief.\nBe kind.")
    assert decisions.text == "# Rules\r\nBe brief.\r\nBe kind."


def test_a_decision_and_what_was_typed_hold_for_another_look_with_the_same_conflicts() -> None:
    decisions = taken_up(PASSAGE)
    decisions.take(1, "staged")
    spot = decisions.spot(3)
    decisions.typed(spot, "Say farewell.")
    decisions.take_up(Merge((RULE, *PASSAGE.parts, "# More\n"), ((1,), (2, 3), (4,))))
    assert (decisions.undecided, decisions.number(spot)) == ([1, 4], 4)
    assert decisions.wording(4) == "Say farewell."
    decisions.take_up(Merge(PASSAGE.parts, ((1,), (2,), (3,))))
    assert (decisions.undecided, decisions.number(spot)) == ([1, 2, 3], 3)


def test_where_somebody_settled_one_of_two_equal_conflicts_the_other_is_decided_anew() -> None:
    decisions = taken_up(TWINS)
    decisions.take(1, "staged")
    decisions.take_up(Merge(("# One\n- Be patient.\n# Two\n", RULE), ((1,),)))
    assert decisions.undecided == [1]
