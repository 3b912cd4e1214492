"""Completion of the filter term that the user is typing."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from cekura_tui.model.filter.parse import KnownNames, completions, parse, unknown_name

NAMES = KnownNames(
    scenarios=("Late refund", "Late delivery, angry", 'Say "hi"', "42"),
    agents=("Clinic", "Pizza line"),
    personalities=("In a hurry", "Talkative"),
    metrics=("Task completion", "Turn taking"),
    results=("50012", "50011", "Nightly batch"),
)


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        *(("sta", "status:"), ("STA", "status:"), ("mode:text sc", "mode:text scenario:"), ("-out", "-outcome:")),
        *(("!per", "!persona:"), ("du", "dur>"), ("duration", "dur>"), ("status", "status:"), ("che", "metric:")),
        *(("status:fa", "status:failed"), ("status:failed,ti", "status:failed,timeout")),
        *(("outcome:failed|e", "outcome:failed|error"), ("outcome:error,", "outcome:error,passed")),
        *(("reviewed:", "reviewed:yes"), ("since:t", "since:today"), ("until:y", "until:yesterday")),
        ("metric:Ta", 'metric:"Task completion"'),
        ("check:tu", 'check:"Turn taking"'),
        ('metric:"Ta', 'metric:"Task completion"'),
        ('metric:"Task co', 'metric:"Task completion"'),
        ('-metric:"Task completion",tu', '-metric:"Task completion","Turn taking"'),
        *(("agent:c", "agent:Clinic"), ('agent:"c', 'agent:"Clinic"'), ("agent:i", "agent:Clinic")),
        *(("scenario:refu", 'scenario:"Late refund"'), ("scenario:~refu", 'scenario:"Late refund"')),
        *(("agent:line", 'agent:"Pizza line"'), ('scenario:"late d', 'scenario:"Late delivery, angry"')),
        *(("scenario:say", 'scenario:"Say \\"hi\\""'), ("persona:IN", 'persona:"In a hurry"')),
        *(("result:50", "result:50012"), ("result:50012,", "result:50012,50011")),
    ],
)
def test_the_last_term_is_completed(typed: str, completed: str) -> None:
    assert next(completions(typed, NAMES), None) == completed


@pytest.mark.parametrize(
    "typed",
    [
        *("", " ", "sta ", "-", "refund", "status:failed", "agent:clinic", "metric:x", 'metric:"Task completion"'),
        *("zz:a", "scenario:4", "id:4", "dur>", "dur:", "since>t", '"status', "result:N", "scenario:late del"),
    ],
)
def test_no_completion_is_offered_if_nothing_fits_or_the_term_is_complete(typed: str) -> None:
    assert next(completions(typed, NAMES), None) is None


@pytest.mark.parametrize(
    ("wanted", "unknown"),
    [
        ("agent:clin", "agent:clin"),
        ("agent:clinic", None),
        ("agent:~clin", None),
        ("agent:12", None),
        ("-agent:clin", None),
        ('mode:text scenario:"late refund",refund', "scenario:refund"),
        ("metric:task", "metric:task"),
        ("refund status:failed result:12", None),
    ],
)
def test_an_unknown_name_in_a_filter_is_reported(wanted: str, unknown: str | None) -> None:
    found = unknown_name(parse(wanted).filter, NAMES)
    assert (None if found is None else str(found)) == unknown
    assert unknown_name(parse(wanted).filter, KnownNames()) is None


BEGUN = ["st", "status:f", "outcome:p", 'scenario:~"r', "agent:cl", "metric:ta", "persona:"]


@given(st.text('staoumecnrdipl:"~,|-! TL', max_size=8), st.sampled_from(["", "-", "!"]), st.sampled_from(BEGUN))
def test_completing_a_term_with_a_value_adds_no_error(before_it: str, sign: str, begun: str) -> None:
    typed = f"{before_it} {sign}{begun}"
    completed = next(completions(typed, NAMES), None)
    event("completed" if completed is not None and not completed.endswith((":", ">")) else "nothing to assert")
    if completed is not None and not completed.endswith((":", ">")):
        before = {(wrong.start, wrong.end) for wrong in parse(typed).problems if wrong.end < len(typed)}
        assert {(wrong.start, wrong.end) for wrong in parse(completed).problems} <= before


@given(st.sampled_from(["scenario", "agent", "persona", "metric"]), st.text(min_size=1, max_size=10))
def test_a_completed_name_is_parsed_as_the_name_that_the_server_sent(key: str, name: str) -> None:
    names = KnownNames(scenarios=(name,), agents=(name,), personalities=(name,), metrics=(name,))
    completed = next(completions(f"{key}:", names), None)
    if completed is not None:
        assert parse(completed).filter.terms[0].values[0].text == name
