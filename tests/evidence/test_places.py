"""Places and times in words, such as "its third response" and "a minute and a half in", lead to turns of the call."""

from __future__ import annotations

import pytest
from evidence_cases import evidence_in

from cekura_tui.model.transcript.transcript import Turn

CALL = (
    ("main", 0, "Welcome to Tram Help."),
    ("testing", 6, "Hello. Does the 4 stop here?"),
    ("main", 13, "Yes. Where do you go?"),
    ("testing", 21, "To the harbour."),
    ("tool_call", 22, "find_route"),
    ("tool_result", 23, "find_route"),
    ("main", 31, "Change at Oak Street."),
    ("testing", 43, "Is that far?"),
    ("main", 55, "Nine stops."),
    ("testing", 64, "Oh dear. And the fare?"),
    ("main", 88, "Three crowns."),
    ("testing", 118, "Thanks, bye."),
    ("main", 149, "Goodbye."),
)
TURNS = [Turn(n, who, "", at, at + 5, text) for n, (who, at, text) in enumerate(CALL, 1)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("explanation", "turns"),
    [
        ("It is curt in its third response.", [9]),
        ("The agent's second answer is wrong.", [7]),
        ("Its very first line names a firm; the second thing it says is vague.", [1, 3]),
        ("The second thing the caller says is vague.", [4]),
        ("The caller's last turn shows relief.", [12]),
        ("The final message is short.", [13]),
        ("The caller is lost. In his second reply he only names the place.", [4]),
        ("The caller's first question is left open and the agent's first question is odd.", [2, 3]),
        ("The penultimate turn shows relief.", [12]),
        ("The agent shrugs in her 4th reply.", [11]),
        ("The agent repeats this in its 3rd message.", [7]),
        ("Seine zweite Antwort ist falsch, die letzte Äußerung der Anruferin nicht.", [7, 12]),
        ("Falsch war die vorletzte Nachricht des Agenten.", [11]),
        ("Su tercera respuesta es falsa, y la última intervención del cliente lo muestra.", [9, 12]),
        ("La dernière réplique de l'agent est brève, sa deuxième réponse est fausse.", [7, 13]),
        ("The agent gives no name in the opening.", []),
        ("It names the company in the opening.", [1]),
        ("The agent's opening line names the company.", [1]),
        ("The caller asks for the tram in her opening.", [2]),
        ("In der Begrüßung nennt die Agentin die Firma.", [1]),
        ("En el saludo el agente nombra la empresa.", [1]),
        ("Dans l'accueil, l'agent nomme l'entreprise.", [1]),
        ("About the 45-second mark there is doubt.", [8]),
        ("Forty-five seconds in, there is doubt.", [8]),
        ("One minute in, there is an answer.", [9]),
        ("Just after the one-minute mark there is an answer.", [9]),
        ("One minute and thirty seconds in it names the price.", [11]),
        ("Nach 45 Sekunden im Gespräch fragt sie nach.", [8]),
        ("Nach fünfundvierzig Sekunden im Gespräch fragt sie nach, bei Sekunde 90 nennt sie den Preis.", [8, 11]),
        ("A los cuarenta y cinco segundos duda.", [8]),
        ("Au bout d'une minute, il répond.", [9]),
        ("Line 7 is vague, lines 8 and 9 repeat it.", [7, 8, 9]),
        ("Zeile 3 fragt nach, línea 7 no, ligne 9 non plus.", [3, 7, 9]),
        # No place of the call
        ("The first name and the last four digits; the second fee, the first one.", []),
        ("The first line of the address was misheard.", []),
        ("It takes line 4, the tram of line 7.", []),
        ("Its first response time is long; the bank's last message was read.", []),
        ("Its first response after the question is right, its second response to the question is not.", []),
        ("A visit takes about ten minutes to fifteen minutes; at a 12-second pause.", []),
        ("He left a final message; a second answer came from the form.", []),
        ("The agent must give the price in its first response.", []),
        ("No recording notice at the start of the call.", []),
        ("The agent never names the company in the greeting.", []),
        ("The shop opens at nine; the opening hours are right, and so is the closing date.", []),
        ("A silence of twelve seconds. It waited a minute, for forty-five seconds, within two minutes.", []),
        ("One minute in silence; au bout d'une minute d'attente; a two-minute wait.", []),
        ("The tenth response is kind.", []),
    ],
)
def test_a_place_or_a_time_in_words_leads_to_its_turn(explanation: str, turns: list[int]) -> None:
    found = evidence_in(TURNS, [[explanation]])[0]
    assert [one.n for one in found if one.why.startswith("cited")] == turns


def test_an_exact_place_is_likely_and_a_vague_place_is_less_sure() -> None:
    (vague, exact) = evidence_in(TURNS, [["Its third response is curt. It names the company in the opening."]])[0]
    assert (exact.sure, exact.why) == ("likely", "cited as its third response")
    assert (vague.sure, vague.why) == ("maybe", "cited as the opening")


def test_a_time_in_words_is_likely_and_reported_as_written() -> None:
    (found,) = evidence_in(TURNS, [["About forty-five seconds in, there is doubt."]])[0]
    assert (found.n, found.sure, found.why) == (8, "likely", "cited at forty-five seconds")


def test_the_place_of_a_quoted_turn_leads_to_no_other_turn() -> None:
    (found,) = evidence_in(TURNS, [["In its first response it says “Change at Oak Street”."]])
    assert [one.n for one in found] == [7]
