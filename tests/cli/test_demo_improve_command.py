"""`demo-improve` improves a prompt of the demo from a text on standard input, as a user's command does."""

from __future__ import annotations

import subprocess

import pytest
from calling import called, ended, process, refused
from demo_client import EPOCH
from improve_input import improve_input

from cekura_tui.demo.answers import run_whole
from cekura_tui.demo.corpus import Corpus
from cekura_tui.demo.improver import NO_ISSUES, improve
from cekura_tui.demo.library import agents_by_id
from cekura_tui.jobs.command_runner import read_answer
from cekura_tui.model.text import Prompt, prompt_bytes

FAILED, PASSED = 900_238, 900_239
CORPUS = Corpus(240, EPOCH)
PROMPT = Prompt(f"{agents_by_id()[1201].prompt}\r\n\x1b\r--- summary\r\n\n")


def text_of(run_id: int) -> tuple[dict[str, object], bytes]:
    """A run as JSON, and the text that a command gets for it."""
    facts = CORPUS.facts(run_id)
    assert facts is not None
    run = run_whole(CORPUS, facts)
    return run, prompt_bytes(improve_input([run], PROMPT))


def test_the_answer_for_a_run_equals_the_answer_of_a_job_on_the_demo_server() -> None:
    run, text = text_of(FAILED)
    started = process("demo-improve", "--seconds", 0, stdin=subprocess.PIPE)
    out, err = started.communicate(text, timeout=60)
    expected = improve([run], PROMPT)
    assert expected.improved_prompt is not None
    assert isinstance(expected.summary, str)
    assert out == prompt_bytes(f"{expected.improved_prompt}\n--- summary\n{expected.summary}\n")
    answer = read_answer(out, PROMPT)
    found = (answer.end, answer.improved_prompt, answer.summary_of_changes)
    assert found == ("succeeded", expected.improved_prompt, expected.summary)
    assert [*err.decode().split("\n")][1:-1] == expected.summary.split("\n\n")


def test_the_prompt_of_a_passed_run_is_printed_unchanged() -> None:
    result = called("demo-improve", "--seconds", 0, stdin=text_of(PASSED)[1])
    assert result.raw == prompt_bytes(f"{PROMPT}\n--- summary\n{NO_ISSUES}\n")
    assert read_answer(result.raw, PROMPT).end == "no_issues"


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", text_of(FAILED)[1].replace(b"\nPROMPT ", b"\nPROMPTS ")])
def test_a_text_without_a_prompt_between_the_marks_is_refused(text: bytes) -> None:
    result = refused("Standard input has no prompt between the lines <<<PROMPT", "demo-improve", stdin=text)
    assert (result.raw, len(result.err.splitlines())) == (b"", 1)


def test_progress_is_reported_and_a_terminated_command_prints_no_prompt() -> None:
    _, text = text_of(FAILED)
    started = process("demo-improve", "--seconds", 3600, stdin=subprocess.PIPE)
    assert started.stdin is not None
    assert started.stderr is not None
    started.stdin.write(text)
    started.stdin.close()
    started.stdin = None
    try:
        assert started.stderr.readline() == f"Read {len(text):,} bytes.\n".encode()
    finally:
        started.terminate()
    assert (ended(started).raw, started.returncode) == (b"", -15)
