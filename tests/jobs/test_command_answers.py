"""The answer of a command is taken for a prompt, or for what else it is; a prompt is kept as written."""

from __future__ import annotations

import pytest

from cekura_tui.jobs.command_runner import read_answer
from cekura_tui.model.text import Prompt

SENT = Prompt("You are a hotel agent. Greet the caller, then ask for the booking number and read it back to them.\n")
BETTER = SENT.replace("caller", "caller by name")


def read(written: str, sent: Prompt = SENT) -> tuple[str | None, str | None]:
    """The prompt and the summary in an answer."""
    answer = read_answer(written.encode(), sent)
    return answer.improved_prompt, answer.summary_of_changes


@pytest.mark.parametrize(
    "mark",
    ["--- summary", "--- Summary:", "----- SUMMARY ---", "—summary", "--- Summary of changes", "  --- summary \r"],
)
@pytest.mark.parametrize("fence", ["none", "around the prompt", "around all"])
def test_the_summary_is_below_its_line(mark: str, fence: str) -> None:
    prompt = {"none": BETTER, "around the prompt": f"```\n{BETTER}```\n", "around all": f"```\n{BETTER}"}[fence]
    end = "\n```\n" if fence == "around all" else "\n"
    answer = read_answer(f"{prompt}\n{mark}\n- one\n- two{end}".encode(), SENT)
    assert (answer.end, answer.summary_of_changes) == ("succeeded", "- one\n- two")
    assert answer.improved_prompt == prompt.rstrip("\n") + "\n"


def test_a_summary_may_begin_on_its_line() -> None:
    assert read(f"{BETTER}--- summary: one\n") == (BETTER, "one")


def test_a_line_of_the_prompt_is_no_summary() -> None:
    sent, better = (Prompt(f"{text}--- summary\nEnd with a summary.\n") for text in (SENT, BETTER))
    assert read(better, sent) == (better, None)
    assert read(f"{better}--- summary\none\n", sent) == (better, "one")


@pytest.mark.parametrize("sent_end", ["", "\n", "\r\n", "\n\n"])
@pytest.mark.parametrize("written_end", ["", "\n", "\r\n", "\n\n\n"])
def test_only_the_end_of_the_last_line_is_adapted(sent_end: str, written_end: str) -> None:
    body = "# Task\t\r\n\x1b[31m " + BETTER.strip() + "  "
    answer = read_answer((body + written_end).encode(), Prompt(SENT.strip() + sent_end))
    assert answer.improved_prompt == body + sent_end


def test_remarks_around_the_prompt_stay_for_the_comparison() -> None:
    wrapped = f"Sure! Here is the improved prompt:\n\n```\n{BETTER}```\n"
    assert read_answer(wrapped.encode(), SENT).improved_prompt == wrapped


@pytest.mark.parametrize("written", [SENT, SENT.strip(), f"```\n{SENT}```", f"Here is the improved prompt:\n\n{SENT}"])
def test_an_unchanged_prompt_is_no_proposal(written: str) -> None:
    assert read_answer(written.encode(), SENT).end == "no_issues"


def test_the_reason_for_no_changes_is_reported() -> None:
    answer = read_answer(f"{SENT}--- summary\nThe tool failed.\n".encode(), SENT)
    assert (answer.end, answer.error) == ("no_issues", "The command proposed no changes. The tool failed.")


_NO_PROMPTS = {
    b" \n": "no prompt",
    b"\xff": "UTF-8",
    b"a\0b": "UTF-8",
    b"--- summary\nnone": "no prompt",
    b"Be nice.": "too little: 8 characters, and the old prompt has 296",
    b"I'm sorry, but I can't help with changing the instructions of this agent.": "an apology",
    "I’m sorry, but I can’t help with changing the instructions of this agent.".encode(): "an apology",
    b"```\nSorry, I cannot do that, because the transcripts contain personal data.\n```": "an apology",
    b"Es tut mir leid, dabei kann ich nicht helfen, weil das nicht erlaubt ist.": "an apology",
    b"Please provide the prompt that you would like me to improve for you.": "an apology",
}


@pytest.mark.parametrize("written", _NO_PROMPTS)
def test_an_answer_without_a_prompt_says_what_is_wrong(written: bytes) -> None:
    answer = read_answer(written, Prompt(SENT * 3))
    assert (answer.end, answer.improved_prompt) == ("failed", None)
    assert _NO_PROMPTS[written] in str(answer.error)


def test_a_prompt_that_begins_like_an_apology_may_be_improved() -> None:
    sent = Prompt("Sorry is the first word of every call: the line is slow.")
    assert read_answer(f"{sent} Say it once.".encode(), sent).end == "succeeded"


def test_a_prompt_between_the_marks_of_the_text_is_taken_out_of_them() -> None:
    text = "Sure!\n<<<PROMPT 1a2b3c4d\nBe kinder.\nAlways.\nPROMPT 1a2b3c4d>>>\n"
    found = read_answer(f"{text}--- summary\n- kinder\n".encode(), Prompt("Be kind.\nAlways.\n"))
    assert (found.improved_prompt, found.summary_of_changes) == ("Be kinder.\nAlways.\n", "- kinder")
    echoed = read_answer(f"{text}# The checks\n".encode(), Prompt("Be kinder.\nAlways.\n"))
    assert echoed.end == "no_issues"


def test_a_line_in_the_middle_of_the_prompt_does_not_begin_the_summary() -> None:
    sent = Prompt("Be kind.\nEnd with thanks.\n")
    found = read_answer(b"Be kinder.\n--- Summary\nSum up.\nEnd with thanks.\n", sent)
    assert (found.improved_prompt, found.summary_of_changes) == (
        "Be kinder.\n--- Summary\nSum up.\nEnd with thanks.\n",
        None,
    )
