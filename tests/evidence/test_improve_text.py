"""The text for a command that improves a prompt has the exact prompt, the failures and the calls, within a limit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from itertools import count
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.evidence import improve_text as module
from cekura_tui.evidence.evidence import EvidenceFinder
from cekura_tui.evidence.improve_text import PLACEHOLDERS, ImproveText, check_template, improve_text
from cekura_tui.model.errors import UsageError
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunView, view_of

SHIPPED = files("cekura_tui.evidence").joinpath("improve_template.txt").read_text("utf-8")
PROMPT = "# Nora\r\n\r\n- Greet {{name}}.\rEnd {prompt}\t\x0b \n\n"
TURNS = (
    ("Main Agent", "Hello, this is Nora."),
    ("Testing Agent", "I need to move my cleaning."),
    ("Function Call", "find {}"),
    ("Main Agent", "You are booked for Wednesday.\n> 00:00 Agent: I said so."),
    ("Testing Agent", "No, I said \x1b[31mTuesday."),
    ("Main Agent", "Thank you, goodbye."),
)
WHY = 'Around 00:03 the caller said it. "You are booked for Wednesday", it said, then "Thank you, goodbye".'
FAILED = {"id": 1, "name": "Read back", "score": 2, "passed": False, "explanation": [WHY]}
PASSED = {"id": 2, "name": "Polite", "score": 5, "passed": True}
VAGUE = {"id": 3, "name": "Tone", "score": 3}


def call(
    turns: Sequence[tuple[str, str]] = TURNS, metrics: Sequence[object] = (FAILED, PASSED, VAGUE), **more: Any
) -> RunView:
    entries = [{"role": role, "content": text, "start_time": n * 3.0} for n, (role, text) in enumerate(turns)]
    rubric = [{"metric_id": 1, "conditions": "score gte 4", "passed": False}] if FAILED in metrics else []
    run = {"id": 900238, "transcript_object": entries, "evaluation": {"metrics": metrics}, "rubric": rubric}
    return view_of(Run.read(run | {"evaluation_status": "failure"} | more), 0.0)


def written(*views: RunView, most: int = 120_000, focus: Sequence[str] = (), prompt: str = PROMPT) -> ImproveText:
    finders = [(view, EvidenceFinder(view.transcript.turns)) for view in views]
    calls = [(view, [(one, finder.find(one.reasons)) for one in view.judgements]) for view, finder in finders]
    return improve_text(SHIPPED, prompt, calls, focus=focus, most=most)


def between(text: str, mark: str) -> str:
    """The text between the only two lines with this mark and the code of the text."""
    code = re.findall(r"(?m)^<<<PROMPT ([0-9a-f]{8})$", text)[0]
    _, body, _ = re.split(rf"(?m)^<<<{mark} {code}\n|\n{mark} {code}>>>$", text)
    assert body.count(code) == 0
    return body


def test_the_text_has_the_exact_prompt_failed_checks_with_turns_and_calls() -> None:
    text, left_out = written(call(), call(id=7), focus=["Tone"])
    assert between(text, "PROMPT") == PROMPT
    assert between(text, "FAILED").split("\n")[:6] == [
        "- Read back (run 900238): failed · 2, needs ≥ 4",
        f"    {WHY}",
        "    > 00:09 Agent: You are booked for Wednesday. > 00:00 Agent: I said so. [quoted]",
        "    > 00:15 Agent: Thank you, goodbye. [quoted]",
        "    > 00:03 Caller: I need to move my cleaning. [cited at 00:03 (likely)]",
        "- Tone (run 900238): needs review · found 3, no expected value",
    ]
    assert (
        between(text, "CALL 7")
        == between(text, "CALL 900238")
        == (
            "result: failed, 1 check\n"
            "  00:00 Agent: Hello, this is Nora.\n"
            "> 00:03 Caller: I need to move my cleaning.\n"
            "  00:06 Tool call: find {}\n"
            "> 00:09 Agent: You are booked for Wednesday.\n"
            "        > 00:00 Agent: I said so.\n"
            "  00:12 Caller: No, I said [31mTuesday.\n"
            "> 00:15 Agent: Thank you, goodbye."
        )
    )
    assert 'Focus: "Tone".' in text
    assert 'still pass with your prompt: "Polite".' in text
    assert "variables such as {{name}}" in text
    assert left_out == ""
    assert all(f"{{{name}}}" in SHIPPED for name in PLACEHOLDERS)


def test_a_review_and_a_call_without_turns_or_checks_are_described() -> None:
    reviewed = call(metrics=[PASSED], evaluation_status="reviewed_failure", feedback="Too pushy.")
    assert between(written(reviewed).text, "FAILED") == "- Review (run 900238): failed\n    Too pushy."
    overruled = call(evaluation_status="reviewed_success", feedback="Too strict.")
    assert between(written(overruled).text, "FAILED") == "No failed check in run 900238."
    sealed = call(metrics=[], transcript_object={"__encrypted__": "x" * 40}, error_message="The call dropped.")
    text = written(sealed).text
    assert between(text, "FAILED") == "No failed check in run 900238."
    assert "error: The call dropped.\nThis transcript is encrypted" in between(text, "CALL 900238")
    assert "Focus: none." in text
    assert "prompt: none." in text


def test_long_calls_keep_cited_turns_and_their_neighbours_and_say_what_is_missing() -> None:
    long = [(role, f"{text} Turn {n}.") for n in range(2_500) for role, text in TURNS[1:5]]
    why = 'The agent said "You are booked for Wednesday. > 00:00 Agent: I said so. Turn 1700."'
    views = [call(long, [FAILED | {"explanation": [why]}], id=n) for n in (1, 2, 3)]
    text, left_out = written(*views, most=30_000)
    assert 28_000 < len(text) <= 30_000
    sizes = [len(between(text, f"CALL {n}")) for n in (1, 2, 3)]
    assert max(sizes) - min(sizes) < 300
    body = between(text, "CALL 2").split("\n")
    (cited,) = [n for n, line in enumerate(body) if line.startswith(">")]
    assert all(f"Turn {near}." in "".join(body[cited - 4 : cited + 6]) for near in (1699, 1700, 1701))
    left = [int(n.replace(",", "")) for n in re.findall(r"(?m)^\[([\d,]+) turns left out\]$", "\n".join(body))]
    assert len(left) == 2
    assert f"{sum(left):,} of 10,000 turns of run 2" in left_out


def test_huge_reasons_and_prompts_leave_room_for_the_other_parts() -> None:
    loud = [FAILED | {"name": f"Check {n}", "explanation": ["no " * 60_000]} for n in range(3)]
    text, left_out = written(call(metrics=[*loud, FAILED | {"name": "Short"}]), call(id=7), most=40_000)
    assert len(text) <= 40_000
    assert text.count(" characters more)\n") == 3
    assert WHY in text
    assert "goodbye." in between(text, "CALL 7")
    assert left_out == "Left out to keep the text short: parts of 3 checks and calls."
    prompt = "Be kind. " * 25_000
    text, left_out = written(call(), call(metrics=loud), prompt=prompt)
    assert between(text, "PROMPT") == prompt
    assert len(text) < len(prompt) + 20_000
    assert WHY in text
    assert f"The text has {len(text):,} characters: the prompt and the template leave too little" in left_out


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{prompt}\n\n{promt} {x}", "Line 3 of the template has an unknown placeholder {promt}."),
        ("{prompt} { calls }", "Line 1 of the template has an unknown placeholder { calls }."),
        ("{prompt}\n{calls\n}", "Line 2 of the template has an unclosed placeholder {calls."),
        ("{{prompt}} {calls}", "The template has no {prompt}, so the prompt to improve would be missing."),
    ],
)
def test_a_wrong_template_is_refused_with_its_line_and_the_known_placeholders(template: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        improve_text(template, PROMPT, [], focus=[], most=100)
    assert error.value.message == message
    assert all(f"{{{name}}}" in error.value.hint for name in PLACEHOLDERS)
    check_template("{{{prompt}}} }")


PIECES = [
    "\n",
    "\r",
    "\u2028",
    "\x1b[2J",
    "> 00:01 Agent: ",
    "<<<",
    "CALL 900238 ",
    "FAILED ",
    "00000000",
    ">>>",
    "{token}",
    "ok ",
]
TEXT = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@given(st.lists(TEXT, max_size=9), TEXT, st.sampled_from([1, 30, 900]), st.integers(19_000, 60_000))
def test_no_text_can_end_its_part_and_no_turn_is_missing_without_notice(
    said: list[str], why: str, times: int, most: int
) -> None:
    turns = [("Main Agent", text) for text in said] * times
    codes = (f"{n:08x}" for n in count())
    with patch.object(module, "sha256", lambda _: next(codes)):
        view = call(turns, [FAILED | {"name": why, "explanation": [why * times]}])
        text = written(view, most=most, prompt=why).text
    assert len(text) <= most
    assert between(text, "PROMPT") == why
    assert "\x1b" not in between(text, "FAILED")
    body = between(text, "CALL 900238")
    gaps = re.findall(r"(?m)^\[([\d,]+) turns? left out", body)
    shown = re.findall(r"(?m)^[> ] [\d:]+ Agent:", body)
    assert len(shown) + sum(int(gap.replace(",", "")) for gap in gaps) == len(turns)
