"""Explanations in free wording lead to the turns that they describe, also in another language than the call's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from evidence_cases import findings_in

from cekura_tui.evidence.evidence import surest_first
from cekura_tui.model.transcript.transcript import Turn

SAID = (
    ("main", "Good evening, Harbour Taxi. How can I help?"),
    ("testing", "Hi. My taxi has not come yet, and I have a train to catch."),
    ("main", "I see. May I have your phone number?"),
    ("testing", "It's 0171 555 48 20."),
    ("tool_call", "find_ride"),
    ("tool_result", "find_ride"),
    ("main", "Your driver will be with you in twenty-five minutes."),
    ("testing", "That is far too late. Can I talk to a human being?"),
    ("main", "I am afraid that everybody is busy."),
    ("testing", "Then what does it cost, and does he take cards?"),
    ("main", "It is eighteen euros, and he takes all of them."),
    ("testing", "And why was I charged twice last week?"),
    ("main", "I don't see a second payment here."),
    ("testing", "Fine. My name is Ada Winter, note my complaint."),
    ("main", "I will, Ms. Winter. Goodbye."),
)
TOOL = {
    "tool_call": {"id": "1", "name": "find_ride", "arguments": {"phone": "01715554820"}},
    "tool_result": {"id": "1", "name": "find_ride", "result": {"eta_minutes": 40, "pickup_zone": "north pier"}},
}
TWICE, SECOND = "“why was I charged twice last week”", "“I don't see a second payment here”"


def call() -> Iterator[Turn]:
    for n, (speaker, text) in enumerate(SAID, 1):
        yield Turn(n, speaker, "", n * 9.0, n * 9.0 + 5, text, TOOL.get(speaker))  # type: ignore[arg-type]


def shown(explanation: str) -> tuple[list[int], list[int]]:
    """The cited turns in the order in which they are shown, and the closest turns."""
    turns = surest_first(findings_in(list(call()), [[explanation]])[0].turns)
    return [one.n for one in turns if one.sure != "closest"], [one.n for one in turns if one.sure == "closest"]


@pytest.mark.parametrize(
    ("explanation", "turns", "others"),
    [
        # A step: the answer, not the request for it
        ("After the caller supplied the phone number, the agent looked up the ride.", [4], [3]),
        ("The caller just gave the phone number.", [4], [3]),
        # A result, not the call; a figure of a result and the figure said
        ("find_ride indicates pickup_zone: north pier, which the agent never mentions.", [6], [5]),
        ("The lookup returned 40 minutes while the agent told the caller 25.", [6, 7], [5]),
        ("find_ride lieferte 40 Minuten, der Agent nannte der Anruferin aber 25.", [6, 7], [5]),
        # The words around a quote that no turn contains
        ("When asked about recent charges, it said “you were charged twice last week by mistake”.", [12], []),
        # Each part of a list in brackets
        (
            "The caller raises several points (a human being, price, last week's charge, complaint).",
            [8, 11, 12, 14],
            [],
        ),
        # Other words for the same thing, also in other languages
        ("The caller wanted a representative, and the agent declined.", [8], []),
        ("Die Anruferin wollte mit einem Mitarbeiter sprechen.", [8], []),
        ("La clienta pidió hablar con una persona.", [8], []),
        ("Elle voulait parler à un conseiller.", [8], []),
        ("Die Anruferin nannte ihren Namen, Winter, und beschwerte sich.", [14], []),
        ("Der Agent nannte 18 Euro als Preis.", [11], [10]),
    ],
)
def test_an_explanation_leads_to_the_turns_that_it_describes(
    explanation: str, turns: list[int], others: list[int]
) -> None:
    cited, _ = shown(explanation)
    assert {*turns} <= {*cited}
    assert {*others}.isdisjoint(cited)


@pytest.mark.parametrize(
    ("explanation", "cited", "closest"),
    [
        ("The payment stays open.", [], [13]),
        (f"The payment stays open: {TWICE}.", [12], []),
        ("No payment stays open.", [], []),
    ],
)
def test_a_closest_turn_is_shown_only_without_any_other_and_not_for_a_denial(
    explanation: str, cited: list[int], closest: list[int]
) -> None:
    assert shown(explanation) == (cited, closest)


def test_quoted_turns_come_before_cited_ones_and_the_agent_before_the_caller() -> None:
    assert shown(f"In turn 4, and again in {TWICE}, which got {SECOND}; the driver came in 25 minutes.")[0] == [
        13,
        12,
        4,
        7,
    ]
