"""The language of the filter line: text is parsed and written back in one normal form, and wrong parts are marked."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cekura_tui.model.filter.filter import (
    ALL,
    BUILT_IN_VIEWS,
    ID,
    KEYS,
    LENGTH,
    METRIC,
    MOMENT,
    NAME,
    NOTE,
    WORD,
    Filter,
    FilterKey,
    Term,
    Value,
    id_of,
    word_of,
)
from cekura_tui.model.filter.parse import join_words, parse, suggested_terms

MOMENTS = [
    *("30m", "3h", "2d", "1w", "today", "yesterday", "14:05", "2026-11-01", "2026-11-01T10:00", "2026-11-01T10:00Z")
]
LENGTHS = ["0", "120", "90s", "2m", "1m30s", "1h", "2:30", "1:02:30"]
PIECES = [
    *('-!~"\\,|:<>= \t\n'),
    *("status", "STATUS", "dur", "since", "note", "failed", "Late refund", "2d", "12", "é\x1b\0", "\u200b\u202e"),
    *("\ud800", "9" * 40, " and ", " days "),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text(max_size=30)
NAMES = st.text(min_size=1, max_size=8) | st.sampled_from(["Late refund", "-x", "~x", 'say "hi"', "a,b|c", "\\", "a:b"])
SHELL_NAMES = st.from_regex(r"[abé]+( [abé]+)*", fullmatch=True)


def values_of(key: FilterKey) -> st.SearchStrategy[tuple[Value, ...]]:
    plain = st.builds(Value, NAMES.filter(lambda text: id_of(text) is None), st.just(False))
    part = st.builds(Value, NAMES, st.just(True))
    number = st.integers(0, 10**12).map(lambda number: Value(str(number)))
    one = st.sampled_from([Value(text) for text in key.words] or [Value("0")])
    if key.kind in (LENGTH, MOMENT):
        one = st.sampled_from([Value(text) for text in (LENGTHS if key.kind is LENGTH else MOMENTS)])
    elif key.kind is not WORD:
        one = {NAME: plain | part | number, METRIC: plain | part | number, ID: number, NOTE: one | part}[key.kind]
    return st.lists(one, min_size=1, max_size=1 if key.kind.single else 3).map(tuple)


def terms_of(key: FilterKey) -> st.SearchStrategy[Term]:
    return st.builds(Term, st.just(key.name), values_of(key), st.sampled_from(key.kind.signs), st.booleans())


TERMS = st.sampled_from(KEYS).flatmap(terms_of) | st.builds(
    Term, st.just(""), st.tuples(st.builds(Value, NAMES, st.just(False))), st.just(":"), st.booleans()
)


@given(TEXTS)
@example('note:"yes" note:yes scenario:"007" metric:"007"')
@example('-"" !-x "~x" ~"~x" a"b c"d')
@example('since:"2026-11-01 10:00" dur>"2M" status:In-Progress')
@example("status:failed,faild\r\nid:1,,2 -")
@example("refund\ud800 scenario:\udcff")
def test_the_filter_of_any_text_stays_the_same_when_written_and_parsed_again(text: str) -> None:
    """The filter of any typed text stays the same when written and parsed again. Errors are marked inside the text."""
    found = parse(text)
    again = parse(str(found.filter))
    assert (again.filter, again.problems) == (found.filter, ())
    places = [(wrong.start, wrong.end) for wrong in found.problems]
    assert places == sorted(places)
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert all(wrong.message.isprintable() for wrong in found.problems)


@given(st.lists(TERMS, max_size=4))
def test_every_filter_can_be_written_as_text_and_parsed_again(terms: list[Term]) -> None:
    wanted = Filter(tuple(terms))
    found = parse(str(wanted))
    assert (found.filter, found.problems) == (wanted, ())


@pytest.mark.parametrize("odd", ["\u202e", "\u200b", "\x1b[2J", "\ud800", "\ue000", "\0"])
def test_unprintable_characters_are_not_in_error_messages_and_shift_no_error_mark(odd: str) -> None:
    (wrong,) = parse(f"x{odd}y status:a{odd}b").problems
    assert wrong.start == len(f"x{odd}y status:")
    assert wrong.message.isprintable()
    assert wrong.message.startswith("unknown status “a")
    (term,) = parse("ref\udcffund").filter.terms
    assert term.values[0].text == "ref\ufffdund", "a lone surrogate is replaced"


@pytest.mark.parametrize("sign", ['"', "\\", "-", "!", ":", "~", ",", "|", "<", ">=", " ", "\n"])
def test_a_filter_of_punctuation_stays_the_same_when_written_and_parsed_again(sign: str) -> None:
    for around in ("{}", "status:{}", "scenario:~{}", "x {}", '"{}', "-{}", "dur>{}"):
        for times in (1, 2, 3, 400):
            text = around.format(sign * times)
            found = parse(text)
            again = parse(str(found.filter))
            assert (again.filter, again.problems) == (found.filter, ()), text
            assert found.filter or found.problems or not text.strip(), text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", ""),
        ("   ", ""),
        ("status:failed,timeout", "status:failed,timeout"),
        ("outcome:failed|error", "outcome:failed,error"),
        ("STATUS:Failed  !mode:Text", "status:failed -mode:text"),
        ("status:canceled,in-progress outcome:fail", "status:cancelled,in_progress outcome:failed"),
        ("scenarios:~refund personality:71 duration>=2m", "scenario:~refund persona:71 dur>=2m"),
        ('checks:"Task completion"', 'metric:"Task completion"'),
        ("metric:Task", "metric:Task"),
        ("since:2D until:2026-11-01t10:00z", "since:2d until:2026-11-01T10:00Z"),
        ('since:"2026-11-01 10:00"', "since:2026-11-01T10:00"),
        ("since:14:05 dur<2:30", "since:14:05 dur<2:30"),
        ("id:48213,,48214,", "id:48213,48214"),
        ("id:007", "id:7"),
        ('note:yes note:"yes" note:late', "note:yes note:~yes note:~late"),
        ('"late refund" -angry ~half', '"late refund" -angry half'),
        ('"status:failed"', '"status:failed"'),
        ("http://x 10:30 a>b", "http://x 10:30 a>b"),
        ('scenario:"a, b",c', 'scenario:"a, b",c'),
        (r'scenario:"say \"hi\" \\ \n"', r'scenario:"say \"hi\" \\ \\n"'),
        ('scenario:late" refund"', 'scenario:"late refund"'),
    ],
)
def test_every_way_to_type_a_filter_is_normalised_to_one_text(typed: str, said: str) -> None:
    assert parse(typed).problems == ()
    assert str(parse(typed).filter) == said


@pytest.mark.parametrize(
    ("text", "part", "message"),
    [
        ("mode:text status:failed,faild", "faild", "unknown status “faild”; did you mean failed? (completed, failed,"),
        ("outcome:zzz", "zzz", "unknown outcome “zzz” (passed, failed, error, review, running, unknown)"),
        ("staus:failed", "staus:", "unknown term “staus:”; did you mean status?"),
        ("outcоme:failed", "outcоme:", "“о” in “outcоme:” is the Cyrillic small letter o: write outcome:"),
        ("-dür>120", "dür>", "“ü” in “dür>” is the Latin small letter u with diaeresis: write dur>"),
        ("-qqqq:1", "qqqq:", "unknown term “qqqq:” (status, outcome"),
        ("since:12x", "12x", "“12x” is not a time (2d, 3h, today, yesterday, 14:05 or 2026-11-01)"),
        ("since:yesteday", "yesteday", "“yesteday” is not a time; did you mean yesterday? (2d, 3h, today, yesterday"),
        ("until:2026-02-30", "2026-02-30", "“2026-02-30” is not a time"),
        ("since:25:00", "25:00", "“25:00” is not a time"),
        ("since:today,2d", "2d", "since takes one value"),
        ("x status:", "status:", "status needs a value: completed, failed"),
        ("-since:,", "since:,", "since needs a value: since:2d"),
        ('scenario:x,""', '""', "scenario needs a value"),
        ("scenario:~", "~", "scenario needs a value: scenario:~refund"),
        ('metric:"Task completion', '"Task completion', 'missing closing quote: add "'),
        ("dur:120", "dur:120", "write dur>120 or dur<120"),
        ("dur=5x", "dur=5x", "write dur>120 or dur<120"),
        ("dur>5x", "5x", "“5x” is not a duration: 120, 2m, 1m30s or 2:30"),
        ("since>2d", "since>2d", "write since:2d"),
        ("status=failed", "status=failed", "write status:failed"),
        ("id:x", "x", "“x” is not a number: id:48213"),
        ("id:~4", "~4", "id does not support “~”: id:48213"),
        ("result:" + "9" * 5_000, "9" * 5_000, "is not a number"),
        ("since:2 fast", "2", "“2” is not a time; did you mean 2d? (2d, 2h, today,"),
        ("scenario: Card", "scenario:", "no space after “scenario:”: write scenario:Card"),
        ("scenario:'Late fees'", "'Late", 'use double quotes: scenario:"Late …"'),
        ("when:2d", "when:", "unknown term “when:”; did you mean since?"),
        ("name:card", "name:", "unknown term “name:”; did you mean scenario?"),
        ("card AND since:2d", "AND", "“AND” is not needed: all terms have to match"),
        ("x -", "-", "“-” needs a word or a term after the sign"),
        ('x ""', '""', "nothing between the quotes"),
        ("outcome:failed , error", ",", ""),
        ("\u201crefund\u201d", "\u201crefund\u201d", ""),
        ("agent:~\u201ebank\u201c", "~\u201ebank\u201c", ""),
    ],
)
def test_a_wrong_part_is_marked_and_the_message_says_how_to_fix_the_term(text: str, part: str, message: str) -> None:
    (wrong,) = parse(text).problems
    assert text[wrong.start : wrong.end] == part
    assert message in wrong.message


def test_every_wrong_value_is_marked_and_valid_terms_still_apply() -> None:
    found = parse("status:faild,xx mode:text nope:1 refund")
    assert [wrong.start for wrong in found.problems] == [7, 13, 26]
    assert str(found.filter) == "mode:text refund"


@pytest.mark.parametrize(
    "text", ["since:2 days", "since:2 days ago", 'since:"2 days ago"', 'last:"2 days"', "within:2D", "from:2-day"]
)
def test_two_days_ago_is_understood_in_every_spelling(text: str) -> None:
    found = parse(f"{text} refund")
    assert (str(found.filter), found.problems) == ("since:2d refund", ())


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("card last 2 days", ["since:2d"]),
        (">2d", ["since:2d"]),
        ("age<48h", ["since:48h"]),
        ("failed today", ["since:today", "outcome:failed"]),
        ("card 2 since:2d -today", []),
    ],
)
def test_plain_words_that_mean_a_time_or_an_outcome_suggest_a_filter_term(text: str, meant: list[str]) -> None:
    assert list(suggested_terms(parse(text).filter)) == meant


def test_all_examples_of_keys_and_all_built_in_views_are_valid_filters() -> None:
    for key in KEYS:
        found = parse(key.example)
        assert (found.problems, found.filter.terms[0].key) == ((), key.name)
        if key.kind == "word":
            assert [word_of(key, word.upper()) for word in key.words] == list(key.words)
    for view in BUILT_IN_VIEWS:
        found = parse(view.filter)
        assert (str(found.filter), found.problems, view.built_in) == (view.filter, (), True)
    assert (parse(" ").filter, bool(ALL), bool(parse("x").filter)) == (ALL, False, True)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["status:failed", "dur>120"], "status:failed dur>120"),
        (["metric:Task completion"], 'metric:"Task completion"'),
        (["scenario:~late refund"], 'scenario:~"late refund"'),
        (["-personality:In a hurry"], '-personality:"In a hurry"'),
        (["late refund", "-very angry"], '"late refund" -"very angry"'),
        (['metric:"Task completion"'], 'metric:"Task completion"'),
        (["status:failed refund dur>120"], "status:failed refund dur>120"),
        (["since:2026-11-01 10:00"], 'since:"2026-11-01 10:00"'),
        (["", "x", ""], "x"),
        ([], ""),
    ],
)
def test_quotes_that_the_shell_removed_are_restored_in_a_filter(words: list[str], text: str) -> None:
    assert join_words(words) == text
    assert parse(join_words(words)).problems == ()


@given(st.sampled_from(["scenario", "agent", "persona", "metric"]), SHELL_NAMES)
def test_a_name_of_several_words_stays_one_value_without_shell_quotes(key: str, name: str) -> None:
    (term,) = parse(join_words([f"{key}:{name}"])).filter.terms
    assert (term.key, term.values) == (key, (Value(name),))
