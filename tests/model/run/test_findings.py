"""The reasons why a run failed; one fault has the same text in every run."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cekura_tui.model.run import groups
from cekura_tui.model.run.groups import LONGEST, Finding, findings_of, generalised, normalised
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.verdict import State, Verdict, read_verdicts

PIECES = st.sampled_from(
    [
        *("…", '"', "'", "“", "”", "12", "12:30", "May 5", "e.g. ", ". ", "! ", "\n", "❌ ", "İ", "ß", "ﬁ", "a@b.c"),
        *("$5 ", " ", "pm"),
    ]
)
TEXTS = st.text(max_size=200) | st.lists(PIECES | st.text(max_size=5), max_size=60).map("".join)


def test_only_the_shown_part_of_long_explanations_and_long_verdict_lists_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []
    monkeypatch.setattr(groups, "_message_of", lambda line: read.append(line) or line)
    said = "The caller was not asked for the date of birth.\n" * 200
    assert len(findings_of([verdict(said)] * 3)) == 1
    assert len(read) == 3
    many = [verdict("Nothing was read back to the caller.", name=f"Rule {n}") for n in range(2 * groups.MOST_FAILED)]
    assert len(findings_of(many)) == groups.MOST_FAILED


def verdict(*explanation: str, state: State = "fail", name: str = "Read back") -> Verdict:
    return Verdict("metric", 5, name, state, 0, explanation=explanation)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The agent spoke at 00:12.", "The agent spoke at [01:05]!"),
        ("Waited 12 seconds before the answer", "Waited 4.5 seconds before the answer"),
        ("Charged $5.00 without asking.", "Charged €1,250 without asking."),
        ("Charged 5 dollars without asking.", "Charged 12.50 EUR without asking."),
        ('Called the caller "Mrs. Chen".', "Called the caller “Mr. O'Neil”."),
        ("Called the caller 'Ann'.", "Called the caller `Bob`."),
        ("Sent it to ann@example.org.", "Sent it to bob.x+y@mail.example.com."),
        ("Dialled +1 (555) 123-4567 twice", "Dialled 0171 23 45 twice"),
        ("Booked for 18 August 2026.", "Booked for May 3rd."),
        ("Booked for 2026-08-18.", "Booked for Tuesday."),
        ("Booked order AB-1234 again", "Booked order 9f3c1e again"),
        ("❌ The total was not said.", "the TOTAL   was not said"),
        ("The total was not said. It was 12.", "The total was not said. The caller hung up."),
        ("The total was not said.\nSee below", "The total was not said"),
        ("It ended at 3 pm today", "It ended at 11:30 a.m. today"),
    ],
)
def test_equal_faults_have_equal_texts(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The total was not said.", "The total was said twice."),
        ("Dr. Chen was not offered", "Dr. Patel was not offered"),
        ("No. The total was not said.", "No. The name was not said."),
        ("The agent didn't greet, the caller's wife did", "The agent didn't stop, the caller's wife did"),
        ("合計を読み上げませんでした。", "名前を確認しませんでした。"),
    ],
)
def test_different_faults_have_different_texts(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_a_generalised_explanation_keeps_upper_and_lower_case() -> None:
    text = 'The agent told Ms. Chen "it is free" at 00:12, but it costs $12.50. See [01:05].'
    assert generalised(text) == "The agent told Ms. Chen … at …, but it costs …"
    assert normalised(text) == "the agent told ms. chen … at …, but it costs …"


@given(TEXTS)
@example("::::::::::\u0130\r0.")
def test_normalising_an_explanation_is_idempotent_and_its_length_is_bounded(text: str) -> None:
    once = normalised(text)
    assert normalised(once) == once == normalised(generalised(text))
    assert len(once) <= LONGEST
    assert "\n" not in once
    assert not any(char.isdecimal() and char.isascii() for char in once)


@pytest.mark.parametrize(
    "unit", ['"', "“", "'", "' ", " 'a", "‘a ", "…,", "a", "1", ". ", "e.g. ", "\n", "may 1 ", "❌", "[0:0"]
)
def test_a_megabyte_of_hostile_explanation_is_read_quickly(unit: str) -> None:
    # Quadratic code would take hours.
    text = unit * (1_000_000 // len(unit))
    assert len(findings_of([verdict(text)])) == 1
    assert len(normalised(text)) <= LONGEST


SAID = '[00:12] Main Agent: "That is booked."'


@pytest.mark.parametrize(
    ("explanation", "shown"),
    [
        ([], [""]),
        ([SAID, "❌ The total was not said [00:12]."], ["The total was not said."]),
        ([SAID, "The agent said “bye” at once."], ["The agent said … at once."]),
        (["Failed.", "The total was not said."], ["The total was not said."]),
        (["Failed."], ["Failed."]),
        ([SAID], [""]),
        (["✅ It greeted.", "❌ It did not read back.", "❌ It was rude."], ["It did not read back.", "It was rude."]),
        (["✅ It greeted. ❌ It was rude."], ["It was rude."]),
        (["❌ Waited 5 s long", "❌ Waited 9 s long"], ["Waited 5 s long"]),
    ],
)
def test_each_failure_reason_is_shown_without_times_and_quotations(explanation: list[str], shown: list[str]) -> None:
    others = [verdict("It was kept.", state="pass"), verdict("?", state="review"), verdict("x", state="na")]
    assert findings_of([*others, verdict(*explanation)]) == tuple(Finding("Read back", text) for text in shown)


def test_only_unmet_parts_of_the_expected_outcome_are_findings() -> None:
    name, total = "The name is asked for", "The total is said"
    parts = [{"prompt_part": name, "aligned": True}, {"prompt_part": total, "aligned": "no"}]
    expected = {"score": 50, "explanation": [name, f"{total} This did not happen."], "outcome_alignments": parts}
    run = Run.read({"id": 1, "expected_outcome": expected})
    assert findings_of(read_verdicts(run)) == (Finding("Expected outcome", f"Not met: {total}"),)
