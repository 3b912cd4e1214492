"""Transcripts are what strangers said on the telephone: none of it may reach the terminal as anything but text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile import IMPROVED, SHOWN, serve_hostile
from odd_runs import EXTRA_RUNS, HOSTILE_FAILED, HOSTILE_PASSED
from raw_output import foreign_in
from scripted_server import ScriptedServer
from terminal import Start

from cekura_tui.demo.corpus import FIRST_PROJECT
from cekura_tui.demo.server import DemoServer

HEARD = ("[2J]0;owned", "[/red]", "[@click", "52;c;", "[31m")


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment that leads to a workspace with two calls in which the caller's words are hostile."""
    server = DemoServer(tmp_path / "served", speed=20, extra_runs=EXTRA_RUNS)
    server.start()
    project = str(FIRST_PROJECT)
    yield {"CEKURA_API_URL": server.url, "CEKURA_API_KEY": server.key, "CEKURA_PROJECT_ID": project}
    server.stop()


def test_the_checker_finds_what_a_transcript_would_send() -> None:
    for evil in ("\x1b[2J", "\x1b]0;owned\x07", "\x1b]52;c;cm0=\x07", "\x9b31m", "\u202e", "\x1b[31m", "\x07", "\x1b"):
        assert foreign_in(f"\x1b[3;1H\x1b[38;2;1;2;3mhello {evil} you\r\n".encode()), evil
    assert foreign_in(b"\x1b[?1049h\x1b[3;1Hhello [2J you\r\n\x1b[?1049l") == []


def test_a_hostile_call_is_shown_as_text_in_the_list_the_run_and_the_suggestion(
    start: Start, heard: dict[str, str]
) -> None:
    terminal = start(env=heard, columns=140, lines=90).wait("240 runs", "900232")
    terminal.press(*"jjjjjjjj")
    terminal.wait("Run 900232 · ✗", "[2J]0;owned")  # the preview
    terminal.press("enter")
    terminal.wait("Run 900232", "[2J]0;owned", "[/red]", "[@click=app.quit]")
    terminal.press("i")
    terminal.wait("Improve the prompt", "words,", "characters")
    terminal.settle().press("ctrl+g")
    terminal.wait("Job 1 launched")
    terminal.press("2")
    terminal.wait("succeeded")
    terminal.press("enter")
    terminal.wait("Suggestion of job 1", "· 1 of")
    terminal.press("q")
    assert terminal.ended() == 0
    assert foreign_in(terminal.raw) == []
    terminal.assert_handed_back()


@pytest.mark.parametrize("number", [str(HOSTILE_FAILED), str(HOSTILE_PASSED)])
def test_a_hostile_call_read_from_end_to_end_sends_nothing_of_its_own(
    start: Start, heard: dict[str, str], number: str
) -> None:
    terminal = start(number, env=heard, columns=80, lines=48).wait(f"Run {number}", "agent")
    seen: set[str] = set()
    for key in ("", *"jjjjjjjj", "G", "tab", *"jjjj", "G"):
        terminal.press(key)
        while terminal.written_within(0.08):
            pass
        seen |= {part for part in HEARD if part in terminal.text}
    assert seen >= {"[2J]0;owned", "[/red]", "[@click"}
    terminal.press("q")
    assert terminal.ended() == 0
    assert foreign_in(terminal.raw) == []


def test_a_server_that_is_hostile_in_every_word_changes_nothing_but_the_text(
    start: Start, scripted: ScriptedServer, tmp_path: Path
) -> None:
    serve_hostile(scripted)
    env = {"CEKURA_API_URL": scripted.url, "CEKURA_API_KEY": "key-of-the-test"}
    terminal = start(env=env, columns=140, lines=50).wait("2 runs", "102")
    terminal.wait(SHOWN)
    terminal.press("j")
    terminal.wait("Run 101 · ✗")
    terminal.press("enter")
    terminal.wait("Run 101", "Transcript", "4 turns", SHOWN)
    terminal.press("i")
    terminal.wait("Improve the prompt", "Ask for the name.")
    terminal.press("ctrl+g")
    terminal.wait("Job 1 launched")
    terminal.press("2")
    terminal.wait("1 succeeded", "Runs        101")
    terminal.press("enter")
    terminal.wait("Suggestion of job 1", "· 1 of", SHOWN)
    terminal.press("y")
    terminal.wait("Copy or save the prompt")
    terminal.press(str(tmp_path / "evil.md"))
    terminal.wait("evil.md")
    terminal.press("enter")
    terminal.wait("Saved to", "characters.")
    assert (tmp_path / "evil.md").read_bytes() == IMPROVED.encode()
    terminal.press("1")
    terminal.wait("2 runs", gone="Suggestion of")
    terminal.press("p")
    terminal.wait("List runs of", SHOWN[:40])
    terminal.press("ctrl+q")
    assert terminal.ended() == 0
    assert foreign_in(terminal.raw) == []
    terminal.assert_handed_back()
