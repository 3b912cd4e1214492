"""The conflict resolver without its dialog: position, decisions and saved texts."""

from __future__ import annotations

import pytest

from cekura_tui.prose.compare import compare
from cekura_tui.prose.conflicts import ConflictDecisions
from cekura_tui.prose.merge import Merge, merge
from cekura_tui.ui.suggestion.conflicts import ConflictResolver

SENT = "# Rules\n\nBe kind to callers.\n\n# Prices\n\nNever guess a price.\n\n# End\n\nSay goodbye.\n"
THEIRS = SENT.replace("kind to", "patient with").replace("guess", "invent").replace("goodbye", "goodbye, Sir")
STAGED = SENT.replace("kind to", "brief with").replace("guess", "estimate")


def merged(current: str = THEIRS) -> Merge:
    return merge(SENT, compare(SENT, current), compare(SENT, STAGED))


@pytest.fixture
def saved() -> dict[str, str | None]:
    """The typed texts that the resolver has saved, by conflict key; None for a deleted text."""
    return {}


@pytest.fixture
def resolver(saved: dict[str, str | None]) -> ConflictResolver:
    resolver = ConflictResolver(ConflictDecisions(), saved.__setitem__)
    resolver.load(merged())
    return resolver


def test_decisions_show_the_next_conflict_and_the_last_decision_shows_the_change(resolver: ConflictResolver) -> None:
    assert resolver.headline() == "Conflict 1 of 2 · Rules › paragraph 1 · 2 undecided"
    assert resolver.move(1)
    assert not resolver.move(1), "there is none after the last"
    resolver.decide("now")
    assert (resolver.number, resolver.undecided, resolver.text, resolver.is_shown) == (1, [1], None, True)
    assert not resolver.can_review
    resolver.decide("staged")
    assert resolver.text == THEIRS.replace("patient with", "brief with")
    assert (resolver.is_shown, resolver.can_review) == (False, True)
    resolver.reviewing = True
    assert resolver.is_shown
    assert resolver.headline() == "Conflict 1 of 2 · Rules › paragraph 1 · all decided · tab changes"
    assert [row.text for row in resolver.rows(1, "Line") if row.chosen and not row.is_head] == [
        "Be brief with callers."
    ]


def test_decisions_survive_a_reload_of_the_agent_unless_their_conflict_changed(resolver: ConflictResolver) -> None:
    resolver.decide("staged")
    resolver.load(None)
    assert (resolver.conflicts, resolver.text, resolver.is_shown) == ((), None, False)
    resolver.load(merged(f"{THEIRS}\nMore.\n"))
    assert (resolver.undecided, resolver.number) == ([2], 2)
    resolver.load(merged(THEIRS.replace("patient with", "slow with")))
    assert resolver.undecided == [1, 2], "a changed conflict is undecided"


def test_typed_text_is_saved_until_written_to_the_agent(
    resolver: ConflictResolver, saved: dict[str, str | None]
) -> None:
    key = resolver.decisions.key_of(1)
    assert not resolver.save_typed(key, resolver.decisions.initial_text(1)), "unchanged text is not saved"
    assert saved == {}
    assert resolver.save_typed(key, "Be swift.")
    assert resolver.edit(key, "Be swift.")
    assert (saved, resolver.number) == ({key: "Be swift."}, 2)
    resolver.decide("now")
    assert resolver.text == THEIRS.replace("Be patient with callers.", "Be swift.")
    resolver.forget(resolver.decisions.edited_texts)
    assert saved == {key: None}


def test_text_for_a_resolved_conflict_decides_nothing(resolver: ConflictResolver) -> None:
    key = resolver.decisions.key_of(1)
    resolver.load(merged(SENT.replace("guess", "invent")))
    assert not resolver.edit(key, "Be swift.")
    assert resolver.undecided == [1]


def test_a_passage_that_was_moved_and_changed_is_decided_in_both_places_at_once(resolver: ConflictResolver) -> None:
    first, *others = (
        "Be kind to every caller.",
        "Ask for the order number first.",
        "Never guess a price.",
        "Say goodbye.",
    )
    sent, now = "\n\n".join([first, *others]), "\n\n".join([*others, first])
    staged = sent.replace("every caller", "every caller, and brief")
    resolver.load(merge(sent, compare(sent, now), compare(sent, staged)))
    assert "decided together with 2" in resolver.headline()
    assert [row.text for row in resolver.rows(1, "Line") if not row.is_head] == [
        first,
        "(nothing)",
        f"{first[:-1]}, and brief.",
    ]
    assert resolver.move(1)
    assert "decided together with 1" in resolver.headline()
    assert [row.text for row in resolver.rows(1, "Line") if not row.is_head] == ["(nothing)", first, "(nothing)"]
    resolver.decide("now")
    assert resolver.text == now
    resolver.reviewing = True
    resolver.decide("staged")
    assert resolver.text == staged
