"""A hunk with facts of a single call is marked with these facts; general rules are not marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from own_facts_cases import ONE_CALL_SETS, SETS, one_call_kinds, one_call_score, score

from cekura_tui.demo.answers import run_whole
from cekura_tui.demo.corpus import Corpus
from cekura_tui.demo.improver import improve
from cekura_tui.demo.library import agents_by_id
from cekura_tui.evidence import call_sentences, overfitting
from cekura_tui.evidence.overfitting import MOST, OwnFact, own_facts
from cekura_tui.evidence.particulars import particulars
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunView, view_of
from cekura_tui.model.text import clean_json
from cekura_tui.prose.compare import compare

SENT = """# Nora, the desk of Brightsmile Dental

## Booking
- Offer at most three slots, from 8:15 a.m. on.
- A cleaning is 48 euros. Room 204 is upstairs.
- Call {{clinic_name}} by its name.
"""
TURNS = (
    ("Main Agent", "Good morning, Brightsmile Dental, this is Nora. How can I help?"),
    ("Testing Agent", "This is Priya Raman. I need to move my cleaning with Doctor Okafor, before my trip to Lisbon."),
    ("Main Agent", "Which day suits you? We have the fourteenth of March at half past nine."),
    ("Testing Agent", "My dog ate the little card with the time. My number is five five five, oh one four eight."),
    ("Main Agent", "Your order is K V one nine. That is 62 dollars and 40 cents, for three visits within 24 hours."),
    ("Testing Agent", "Write to priya dot raman at example dot com, in English please. I live near the Old Mill."),
    ("Function Call", 'book {"reference": "77120"}'),
)
PROFILE = {
    "id": 3,
    "name": "Priya Raman",
    "information": {"date_of_birth": "1988-11-02", "address": {"street": "Cedar Street"}, "card_ends_in": 4782},
}


def run(turns: tuple[tuple[str, str], ...] = TURNS, **more: Any) -> RunView:
    payload = {
        "id": 900238,
        "agent_name": "Brightsmile Dental",
        "scenario": 5104,
        "scenario_name": "Cleaning moved before a trip",
        "test_profile_data": PROFILE,
        "transcript_object": [{"role": role, "content": text} for role, text in turns],
        **more,
    }
    return view_of(Run.read(clean_json(payload)), 0.0)


def facts(sentence: str, *views: RunView) -> tuple[str, ...]:
    """The facts of the runs that are found in a rule added to the prompt; () if there are none."""
    found = own_facts(compare(SENT, f"{SENT}- {sentence}\n"), SENT, views or (run(),))
    assert found.keys() <= {1}
    return texts(found).get(1, ())


def texts(found: Mapping[int, tuple[OwnFact, ...]]) -> dict[int, tuple[str, ...]]:
    return {number: tuple(fact.text for fact in facts) for number, facts in found.items()}


def test_facts_are_searched_only_in_added_text_up_to_a_maximum_length(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = "- Priya comes on 14 March.\n"
    sent = f"{SENT}{rule}- Say hello.\n"
    cut = sent.replace(rule, "")
    for other in (sent.replace("Say hello", "Say good day"), cut, cut.replace("## Booking\n", f"## Booking\n{rule}")):
        assert own_facts(compare(sent, other), sent, [run()]) == {}
    diff = compare(SENT, SENT + "\n## Notes\n" + "- Be kind to the caller.\n" * 50 + "- Greet Priya Raman.\n")
    assert list(texts(own_facts(diff, SENT, [run()])).values()) == [("Priya Raman",)]
    monkeypatch.setattr(overfitting, "_MOST_ADDED", 500)
    assert own_facts(diff, SENT, [run()]) == {}


def test_each_fact_of_any_run_is_reported_once_up_to_the_limit() -> None:
    other = run((("Testing Agent", "It is for my son Tomasz."),), id=900240, test_profile_data=None)
    assert facts("Priya and Tomasz and Priya again.", run(), other, run()) == ("Priya", "Tomasz")
    many = "Priya, Okafor, Lisbon, 14 March, 9:30, 77120, 4782, KV19."
    assert facts(many) == ("Priya", "Okafor", "Lisbon", "14 March", "9:30", "77120")[:MOST]


def test_capitalised_german_nouns_are_not_taken_for_names() -> None:
    said = "Ich möchte gern einen Termin bei der Praxis, weil mein Zahn seit einer Woche wehtut. Der Schmerz bleibt. "
    german = run((("Testing Agent", said * 8),), test_profile_data={"name": "Jana Weber"})
    assert facts("Frage nach dem Termin, dem Zahn und dem Schmerz von Jana.", german) == ("Jana",)


@pytest.mark.parametrize("name", SETS)
def test_found_facts_agree_with_the_facts_that_a_reader_marked(name: str) -> None:
    result = score(name)
    least = 0.9 if name == "read_held" else 0.95
    assert result.cases >= 50
    assert result.precision >= least
    assert result.recall >= least


LEAST_RECALL = {"fit": 0.95, "hard": 0.9, "held": 0.88}
"""`hard` has mostly values of the test profile, dates and conditions in unusual words. Rules were tuned on `fit` and
`hard`. The cases of `held` were not read, but its figures decided between variants of the rules."""


@pytest.mark.parametrize("name", ONE_CALL_SETS)
def test_found_pieces_agree_with_the_pieces_that_prompt_engineers_marked(name: str) -> None:
    result = one_call_score(name)
    assert result.precision >= 0.95
    assert result.recall >= LEAST_RECALL[name], one_call_kinds(name)


PLACES = {
    "Expect Priya on 14 March.": ["“Priya” (the test profile)", "“14 March” (run 900238 00:20)"],
    "Card 4782 pays $62.40.": ["“4782” (the test profile)", "“$62.40” (run 900238 01:00)"],
    "See run 900238: Cleaning moved before a trip.": [
        "“900238” (run 900238)",
        "“Cleaning moved before a trip” (the scenario's name)",
    ],
    'If they say "my cat ate the big card with the day", be kind.': [
        "“my cat ate the big card with the” (run 900238 00:45)"
    ],
    "If the dog ate the card, the caller is near the Old Mill and has a trip to Lisbon, be kind.": [
        "“If the dog ate the card, the caller…” (a narrow condition)",
        "“Old Mill” (run 900238 01:15)",
        "“Lisbon” (run 900238 00:10)",
    ],
}


@pytest.mark.parametrize("rule", PLACES)
def test_each_fact_names_its_place_in_the_call(rule: str) -> None:
    starts = (0, 10, 20, 45, 60, 75, 90)
    timed = [
        {"role": role, "content": text, "start_time": start} for (role, text), start in zip(TURNS, starts, strict=True)
    ]
    found = own_facts(compare(SENT, f"{SENT}- {rule}\n"), SENT, [run(transcript_object=timed)])
    assert [fact.words for fact in found[1]] == PLACES[rule]
    untimed = own_facts(compare(SENT, f"{SENT}- Expect her at 9:30 in Lisbon.\n"), SENT, [run()])
    assert [fact.place for fact in untimed[1]] == ["the agent", "the caller"]


BROAD = """
If the caller cancels and a fee is due, say how high the fee is, offer another slot and confirm the slot.
If the tool fails, or the caller rejects every slot, or the line is bad, offer a call back.
After the caller has named the day, repeat the day, the time and the dentist, and ask whether this is right.
Wenn der Anrufer auflegt oder nicht antwortet, beende das Gespräch und notiere den Grund und die Uhrzeit.
If the caller asks for a copy, collect all of these:␊- place and time of the visit␊- the name␊- the dentist's name
Cuando el cliente pida una factura, confirma el correo, envíala y pregunta si necesita algo más.
"""
NARROW = """
Waive the fee if the card was eaten by a dog, the caller sent photos, travels on Friday and the dentist agreed.
When the caller has refused the first slot, then the second slot, and then asks for a day before a trip, look again.
Wenn der Hund die Karte gefressen hat, die Kundin reist und am Freitag nicht kommt, biete Samstag an.
Si el cliente ya perdió la tarjeta, viaja a Lisbon y pide el lunes por la mañana, busca otra hora.
"""


def test_conditions_of_many_parts_are_narrow_if_they_have_words_of_the_call() -> None:
    for rule in BROAD.strip().replace("␊", "\n  ").split("\n"):
        assert facts(rule) == ()
    for rule in NARROW.strip().splitlines():
        added = rule.replace("␊", "\n")
        found = own_facts(compare(SENT, f"{SENT}{added}\n"), SENT, [run((("Testing Agent", rule[-60:]),))])
        assert "a narrow condition" in [fact.place for fact in found[1]], rule


HOUSE = {
    "15 euros": "A missed visit is fifteen euros, we charge that per visit.",
    "leave the key in the lockbox next to the door": "Please leave the key in the lockbox next to the door.",
    "los últimos cuatro dígitos de la tarjeta": "Dígame los últimos cuatro dígitos de la tarjeta, por favor.",
    "18:30": "We are open until half past six.",
}
OWN = {
    "49,95 Euro": "Auf der Rechnung stehen 49 Euro 95.",
    "49 Euro 95 monatlich": "Auf der Rechnung stehen 49,95 Euro.",
    "95 euros": "Me han cobrado noventa y cinco.",
    "Tochter Ballett": "Am Dienstag geht es nicht, da hat meine Tochter immer Ballett.",
    "boda de la hermana": "Voy a la boda de mi hermana.",
    "knee surgery": "I am having knee surgery.",
    "Lerchengasse": "Ich wohne in der Lerchengasse 4.",
    "Anhängerkupplung abnehmbar": "Die Anhängerkupplung ist abnehmbar.",
    "Biscuit": "Biscuit.",
}


def test_what_the_agent_recites_is_of_the_house_and_what_the_caller_says_of_the_call() -> None:
    turns = [("Main Agent", "Hello."), *(("Main Agent", text) for text in HOUSE.values())]
    view = run((*turns, ("Testing Agent", "Fifteen euros, until half past six, in the lockbox next to the door.")))
    assert facts(" - ".join(HOUSE), view) == ()
    for rule, said in OWN.items():
        (fact,) = facts(f"Mind: {rule}!", run((("Main Agent", "Hello, what is the name?"), ("Testing Agent", said))))
        assert fact.strip("“”") in rule
        assert own_facts(compare(rule, f"Mind: {rule}!"), f"{rule}.", [run((("Testing Agent", said),))]) == {}


@pytest.mark.parametrize("sent", ["49,95 €", "EUR 49,95", "49 Euro 95", "neunundvierzig fünfundneunzig"])
def test_an_amount_of_the_sent_prompt_is_known_in_every_notation(sent: str) -> None:
    said = run((("Testing Agent", "49,95 Euro oder 49 Euro 95 monatlich, also neunundvierzig fünfundneunzig?"),))
    for rule in ("49 Euro 95 monatlich", "49,95€", "49 Euro und 95 Cent", "neunundvierzig Euro fünfundneunzig"):
        assert own_facts(compare(f"{sent}\n", f"{sent}\n{rule}\n"), sent, [said]) == {}


@pytest.mark.parametrize("rule", ["Maple Grove", "maple grove", "Leeds", "calle Olmo", "Am Alten Markt", "62,40 €"])
def test_a_street_town_or_amount_of_the_test_profile_is_found_without_its_numbers(rule: str) -> None:
    places = ["22 Maple Grove, Leeds LS6", "calle Olmo 3, Madrid", "Am Alten Markt 4, 50667 Köln"]
    view = run(test_profile_data={"addresses": places, "due": 62.4})
    assert facts(f"Ask about {rule} first.", view) == (rule,)


@pytest.mark.parametrize("run_ids", [(900238,), (900188,), (900184,), (900238, 900184)])
def test_the_demo_servers_suggestions_contain_no_facts_of_a_single_call(run_ids: tuple[int, ...]) -> None:
    corpus = Corpus(240, 1_760_000_000.0)
    whole = [run_whole(corpus, known) for run_id in run_ids if (known := corpus.facts(run_id)) is not None]
    agent = agents_by_id()[whole[0]["agent"]]
    assert agent is not None
    views = [view_of(Run.read(clean_json(one)), 0.0) for one in whole]
    improved = improve(whole, agent.prompt).improved_prompt or ""
    assert own_facts(compare(agent.prompt, improved), agent.prompt, views) == {}
    name = str(whole[0]["test_profile_data"]["name"])
    own = improved.replace("the caller", f"the caller {name}", 1)
    found = texts(own_facts(compare(agent.prompt, own), agent.prompt, views))
    assert [name in result for result in found.values()] == [True]


def test_a_long_rule_is_compared_with_a_long_call_in_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = Counter[str]()

    def counted(module: ModuleType, name: str) -> None:
        work = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given: compared.update([name]) or work(*given))

    counted(call_sentences, "_common")
    spoken = " ".join(f"{one}alrus{other}" for one in "bcdfg" for other in "klmnp")
    view = run((*(("Testing Agent", spoken) for _ in range(8)), ("Testing Agent", "the otter " * 900)))
    rule = f"{'otter, ' * 900}{' '.join(reversed(spoken.split()))}."
    own_facts(compare("Be kind.", f"Be kind.\n{rule}"), "Be kind.", [view])
    assert compared == {"_common": 2 * 8 * 25}


PARTS = [*"aI1-:.@$({\"'\n K²日", "14", "March", "at", "dot", "Priya", "th", "8.30", "the", "double", "five"]


@given(st.lists(st.sampled_from(PARTS), max_size=40))
def test_a_reported_fact_is_in_the_call_and_in_the_added_text(parts: list[str]) -> None:
    text = "".join(parts)
    assert all(0 <= one.start < one.end <= len(text) for one in particulars(text))
    result = texts(own_facts(compare("Be kind.", text), "Be kind.", [run((("Testing Agent", text),))]))
    shown = " ".join(text.split())
    assert all(fact in shown or fact[0] == "“" for facts_ in result.values() for fact in facts_)
    assert own_facts(compare("Be kind.", text), text, [run((("Testing Agent", text),))]) == {}
