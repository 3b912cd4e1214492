"""Evidence: the turns that a verdict speaks of, by everything an explanation may point with, and nothing besides."""

from __future__ import annotations

import time

import pytest
from evidence_cases import evidence_in, pairs, score
from hypothesis import example, given
from hypothesis import strategies as st
from recorded_answers import changed

from cekura_tui.evidence.evidence import NEAR, Evidence, TurnMark, marks_of, reason_words
from cekura_tui.evidence.spoken_words import root, words_of
from cekura_tui.model.run.verdict import State, Verdict
from cekura_tui.model.transcript.transcript import Turn

CALL = (
    ("main", 0.4, 4.0, "Good morning, Brightsmile Dental, this is Nora. How can I help?"),
    ("testing", 5.0, 10.0, "Hi, uh, I have a cleaning on Thursday at 10:30, I need to move it."),
    ("main", 11.0, 15.0, "Sure. May I have your full name, please?"),
    ("testing", 16.0, 20.0, "It's Mr. Brown."),
    ("tool_call", 21.0, 21.1, "rescheduleAppointment"),
    ("tool_result", 22.0, 22.1, "rescheduleAppointment"),
    ("main", 30.0, 36.0, "All done, you are booked for Wednesday, the twenty-first. That is forty-eight euros."),
    ("testing", 37.0, 40.0, "No, I said Tuesday."),
    ("main", 41.0, 45.0, "Is there anything else that I can do for you?"),
)


def call() -> list[Turn]:
    turns = []
    for n, (speaker, start, end, text) in enumerate(CALL, 1):
        tool = None
        if speaker.startswith("tool"):
            name = "arguments" if speaker == "tool_call" else "result"
            tool = {"id": "1", "name": text, name: {"new_start": "2025-05-21T15:45"}}
        turns.append(Turn(n, speaker, "", start, end, text, tool))  # type: ignore[arg-type]
    return turns


def found(*explanation: str) -> dict[int, Evidence]:
    return {one.n: one for one in evidence_in(call(), [explanation])[0]}


@pytest.mark.parametrize(
    ("said", "turns"),
    [
        ('The agent said "you are booked for Wednesday".', [7]),
        ("The agent said “YOU ARE BOOKED for wednesday!”", [7]),
        ("Confirmed «you are booked for Wednesday, the 21st».", [7]),
        ("„I have a cleaning on Thursday“ was what she wanted.", [2]),
        ("'It's Mister Brown' is all that he told.", [4]),
        ("It named the price: `that is 48 euros`.", [7]),
        ("It sent “2025-05-21T15:45”.", [5]),
        ('"All done … the twenty-first" is wrong.', [7]),
        ("[00:16] the name", [4]),
        ("at 00:41 it asks", [9]),
        ("(0:30)", [7]),
        ("At about 37 seconds the caller objects.", [8]),
        ("at 1 m 5 s", []),
        ("Between 00:05 and 00:16 they got to know each other.", [2, 3, 4]),
        ("Turn 3 asks for the name.", [3]),
        ("Turns 3, 4 and 7-8.", [3, 4, 7, 8]),
        ("In the 4th turn.", [4]),
        ("T9: nothing new", [9]),
        ("Turn 99 is none.", []),
        ("`rescheduleAppointment` was called with the wrong day.", [5]),
        ("The reschedule appointment call is wrong.", [5]),
        ("The reschedule tool returned another day.", [6]),
        ("The result of rescheduleAppointment was passed over.", [6]),
        ("rescheduleAppointment was never called.", []),
        ("There was no rescheduleAppointment call.", []),
        ("cancelAppointment was called.", []),
        ("The agent was polite throughout the call.", []),
        ('The agent should have said "Let me check your date of birth first".', []),
        ("The practice opens at 09:00 and closes at 17:30.", []),
        ("The appointment was at 12:00 pm.", []),
        ('The caller said "yes".', []),
        ("", []),
    ],
)
def test_what_an_explanation_points_with_is_found_and_nothing_else(said: str, turns: list[int]) -> None:
    assert sorted(found(said)) == turns


def test_each_turn_says_how_sure_it_is_and_why_in_plain_words() -> None:
    exact = found('It said "you are booked for Wednesday".')[7]
    assert (exact.sure, exact.why) == ("sure", "quoted")
    assert [call()[6].text[start:end] for start, end in exact.spans] == ["you are booked for Wednesday"]
    nearly = found('It said "you are now booked for Wednesday".')[7]
    assert (nearly.sure, nearly.why) == ("likely", "quoted in other words")
    assert found("around 00:42 nothing")[9].sure == "likely"
    timed = found("At 00:42 nothing")[9]
    assert reason_words(timed.why, timed.sure) == "cited at 00:42"
    assert reason_words(nearly.why, nearly.sure) == "quoted in other words (likely)"
    assert reason_words(NEAR, "maybe") == "next to the quote (uncertain)"


def test_failed_verdicts_come_first_among_the_marks_of_a_turn_then_those_to_review() -> None:
    states: tuple[State, ...] = ("pass", "na", "review", "fail")
    verdicts = [Verdict("metric", n, f"{state}ed", state, None, None) for n, state in enumerate(states)]
    marks = marks_of((verdict, [Evidence(7, "sure", "quoted", ((0, 4),))]) for verdict in verdicts)
    assert [mark.name for mark in marks[7]] == ["failed", "reviewed", "passed", "naed"]
    assert marks[7][0] == TurnMark("fail", "failed", "quoted", "sure", ((0, 4),))


AGAIN = "you are booked for the early appointment"
REPEATING = (
    *("Good morning, how can I help?", "I want to come on Monday.", f"Fine, {AGAIN}.", "And the invoice?"),
    *("I will mail it.", "One more thing.", "Yes?", "What about the invoice?", f"It is paid, {AGAIN}.", "Bye."),
)


@pytest.mark.parametrize(
    ("explanation", "turn"),
    [
        (("Turn 2 names the day.", f"About the invoice that is paid it said “{AGAIN}”."), 3),
        ((f"About the invoice that is paid it said “{AGAIN}”.",), 9),
        ((f"It said “{AGAIN}”.",), 3),
        (("The caller said “invoice about to be mailed by the agent”.", f"It said “{AGAIN}”."), 3),
    ],
)
def test_repeated_words_are_found_after_the_turn_before_or_near_the_topic(
    explanation: tuple[str, ...], turn: int
) -> None:
    turns = [
        Turn(n, "testing" if n % 2 == 0 else "main", "", n * 10.0, n * 10.0 + 5, text)
        for n, text in enumerate(REPEATING, 1)
    ]
    assert [one.n for one in evidence_in(turns, [explanation])[0]][-1] == turn


@pytest.mark.parametrize(("who", "n"), [("caller", 2), ("agent", 3)])
def test_words_that_both_said_are_found_where_the_named_one_said_them(who: str, n: int) -> None:
    words = "The table is for seven people tonight"
    said = (("main", "Hello."), ("testing", f"{words}."), ("main", f"{words}, fine."), ("testing", "Yes."))
    turns = [Turn(at, speaker, "", None, None, text) for at, (speaker, text) in enumerate(said, 1)]  # type: ignore[arg-type]
    assert [one.n for one in evidence_in(turns, [[f"{who.title()} said “{words}”."]])[0]] == [n]


def test_without_times_no_time_points_at_anything() -> None:
    turns = [Turn(n, "main", "", None, None, text) for n, text in enumerate(("Hello there.", "How are you?"), 1)]
    assert evidence_in(turns, [["At 00:01 the agent said “How are you?”"]])[0][0].n == 2
    assert evidence_in(turns, [["At 00:01 the agent hesitates."]]) == [()]


@pytest.mark.parametrize(("half", "recall"), [("cases", 0.8), ("held", 0.75)])
def test_a_reader_would_point_at_the_same_turns(half: str, recall: float) -> None:
    # What was aimed at is 0.8 for both; of the half that nobody tunes on 0.77 is reached, and shall not get worse.
    told = score(list(pairs(half)))
    assert told.pairs >= 49
    assert told.precision >= 0.9
    assert told.recall >= recall


def test_the_evidence_for_every_verdict_on_a_hand_marked_call_is_as_recorded() -> None:
    assert changed("evidence/answers.txt") == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("two thousand, one hundred and twenty five", "2,125"),
        ("Mister Brown, uh, okay", "mr. brown OK"),
        ("N W, 4 1 2", "NW 412"),
        ("twenty-five percent", "25 %"),
        ("It’s", "it's"),
        ("€72.50", "72.5 euro"),
        ("Señor", "senor"),
        ("thirty-one pounds eighty", "£31.80"),
        ("two dollars and five cents", "$2.05"),
        ("oh four one two", "0412"),
        ("half past nine", "9:30"),
        ("at nine fifteen", "at 9:15"),
        ("nine o'clock", "9:00"),
        ("neun Uhr dreißig", "9:30"),
        ("halb acht, Viertel vor neun", "7:30, 8:45"),
        ("einhundertzweiundsechzig Euro vierzig", "€ 162,40"),
        ("achtzehntausendvierhundertzwölf", "18412"),
        ("eins null vier sieben", "1047"),
        ("mil doscientos cuarenta y cinco euros", "1245 €"),
        ("a las once y a las nueve y cuarto", "a las 11 y a las 9:15"),
        ("one hundred and", "100 and"),
    ],
)
def test_what_is_said_and_what_is_written_are_the_same_words(one: str, other: str) -> None:
    # "€ 2.50" and "2.50 €" are the same; what is said is compared in the order in which it is written.
    assert sorted(word.form for word in words_of(one)) == sorted(word.form for word in words_of(other))


@pytest.mark.parametrize(
    ("said", "quote"),
    [
        ("It costs two pounds fifty.", "costs £2.50"),
        ("At nine fifteen.", "at 9:15"),
        ("Wir öffnen um 9 Uhr, 12 Personen warten.", "12 Personen warten"),
        ("Um 9 Uhr 60 Leute warten dort.", "60 Leute warten"),
        ("Table nine. Twenty guests, yes.", "twenty guests, yes"),
        ("You have nine twenty dollar bills.", "twenty dollar bills"),
        ("The refund is 20 dollars. 5 days later you get it.", "5 days later"),
        ("It is 20 euros 15 people pay.", "15 people pay"),
        ("We open at nine. Fifteen people wait.", "we open at nine"),
        ("My son once told me.", "once told me"),
        ("Oh, five is fine.", "five is fine"),
    ],
)
def test_a_quote_in_figures_is_found_where_they_were_spoken_and_never_over_a_stop(said: str, quote: str) -> None:
    turns = [Turn(1, "testing", "", 0.0, 1.0, "And?"), Turn(2, "main", "", 2.0, 3.0, said)]
    ((found,),) = evidence_in(turns, [[f"The agent said “{quote}”."]])
    assert (found.n, found.sure) == (2, "sure")


@pytest.mark.parametrize("forms", ["transfer transferring transferred", "stop stopping stopped", "call calling called"])
def test_the_forms_of_a_word_are_one_word(forms: str) -> None:
    assert len({root(form) for form in forms.split()}) == 1


@pytest.mark.parametrize("part", ["1 ", "one ", "oh one ", "null null ", "one hundred ", "einhundert", "mil ", "A. "])
def test_very_long_figures_are_read_quickly(part: str) -> None:
    begun = time.process_time()
    assert words_of(part * (60_000 // len(part)))
    assert time.process_time() - begun < 2  # each word beside each takes many seconds


@pytest.mark.parametrize("text", ["once more", "a null value", "one of the first", "y media", "twelve fifteen nine"])
def test_what_is_no_number_or_no_time_stays_as_it_is(text: str) -> None:
    assert not any(":" in word.form for word in words_of(text))
    assert [word.form for word in words_of(text) if not word.form.isdecimal()] == [
        word for word in text.split() if word not in ("one", "twelve", "fifteen", "nine")
    ]


@pytest.mark.parametrize("text", ["it was past {}", "a silence of {} seconds", "turn {} at second {}:00"])
def test_a_figure_of_thousands_of_digits_is_a_word_like_any_other(text: str) -> None:
    said = text.replace("{}", "1" * 5_000)
    turns = [Turn(1, "main", "", 0.0, 1.0, said), Turn(2, "testing", "", 2.0, 3.0, "Hm.")]
    assert evidence_in(turns, [[said]])


@pytest.mark.parametrize("part", ["1", "` ", "“a” ", '"a" ', "12 s ", "10:30 ", "User: ", "‘a", " "])
def test_every_explanation_is_read_quickly(part: str) -> None:
    begun = time.process_time()
    assert len(evidence_in(call(), [["`User:" + part * (20_000 // len(part)) + '"']])) == 1
    assert time.process_time() - begun < 5  # it took minutes


def test_a_call_with_thousands_of_tools_is_searched_quickly() -> None:
    names = [f"get_thing_{n}_now" for n in range(3_000)] + ["a_" * 100_000]
    turns = [Turn(n, "tool_call", "", float(n), None, name, {"name": name}) for n, name in enumerate(names, 1)]
    begun = time.process_time()
    assert evidence_in(turns, [["It called get_thing_0_now."]])[0][0].n == 1
    assert time.process_time() - begun < 5  # it took a minute


@given(st.text(max_size=80), st.lists(st.text(max_size=60), max_size=4))
def test_no_text_breaks_the_search_and_every_turn_that_is_found_exists(explanation: str, said: list[str]) -> None:
    turns = [Turn(n, "main", "", n * 2.0, None, text) for n, text in enumerate(said, 1)]
    for one in evidence_in(turns, [[explanation]])[0]:
        assert 1 <= one.n <= len(turns)
        for start, end in one.spans:
            assert 0 <= start < end <= len(turns[one.n - 1].text)


@given(st.text(min_size=1, max_size=80))
@example("I'm here")
def test_words_stand_where_they_say(text: str) -> None:
    before = (0, 0)
    for word in words_of(text):
        # Both words of a short form stand where it does.
        assert before[1] <= word.start or before == (word.start, word.end)
        assert word.start < word.end <= len(text)
        before = (word.start, word.end)
