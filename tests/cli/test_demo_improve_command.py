"""`demo-improve` improves a prompt of the demo from a text on standard input, as a user's command does."""

from __future__ import annotations

import subprocess

from calling import called, process, refused

from cekura_tui.demo.library import agents_by_id

CLINIC = agents_by_id()[1201]
RULE = CLINIC.rule("verify")


def text_of(prompt: str, *lines: str) -> bytes:
    return "\n".join([*lines, "<<<PROMPT 0a1b2c3d", prompt, "PROMPT 0a1b2c3d>>>", ""]).encode()


FAILED = text_of(f"\r\n{CLINIC.prompt}", f"- {RULE.name} (run 900238): The agent asked for no date of birth.")


def test_the_improved_prompt_is_printed_with_a_summary_and_every_other_byte_is_kept() -> None:
    result = called("demo-improve", "--seconds", 0, stdin=FAILED)
    prompt, mark, summary = result.raw.partition(b"\n--- summary\n")
    assert prompt == f"\r\n{CLINIC.prompt}".replace(RULE.weak, RULE.strong).encode()
    assert mark
    assert summary.decode().startswith("Rewrote a sentence in “Identity and privacy”. ")
    assert summary.decode().strip() in result.err


def test_a_prompt_without_failed_checks_is_printed_unchanged() -> None:
    result = called("demo-improve", "--seconds", 0, stdin=text_of(CLINIC.prompt, "No check failed."))
    assert result.raw == CLINIC.prompt.encode() + b"\n"
    assert "No issues were found in the selected runs.\n" in result.err


def test_a_text_without_a_prompt_between_the_marks_is_refused() -> None:
    for text in (b"", b"\xff\xfe", FAILED.replace(b"d>>>", b"e>>>")):
        result = refused("Standard input has no prompt between the lines <<<PROMPT", "demo-improve", stdin=text)
        assert (result.raw, len(result.err.splitlines())) == (b"", 1)


def test_progress_is_reported_before_the_end_and_a_terminated_command_prints_no_prompt() -> None:
    started = process("demo-improve", "--seconds", 3600, stdin=subprocess.PIPE)
    assert started.stdin is not None
    assert started.stderr is not None
    started.stdin.write(FAILED)
    started.stdin.close()
    try:
        assert started.stderr.readline() == f"Read {len(FAILED):,} bytes.\n".encode()
    finally:
        started.terminate()
    assert started.stdout is not None
    assert (started.stdout.read(), started.wait(60)) == (b"", -15)
