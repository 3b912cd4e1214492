"""Hostile text in every field of a call, in a real terminal: no sequence takes effect, and all text can be read."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pyte
import pytest
from examples import nightly
from hostile import IMPROVED, SHOWN, serve_hostile
from hostile_calls import ENDS, SEQUENCES, TEXTS, UNENDED, as_text, huge, run, serve_calls, visible_text
from raw_output import copied_in, foreign_in
from scripted_server import ScriptedServer
from terminal import Start, Terminal

from cekura_tui.model.text import clean

PAGE_DOWN, PAGE_UP = "\x1b[6~", "\x1b[5~"


def without_odd_marks(text: str) -> str:
    """The text without marks that the emulator cannot combine; the emulator would stop drawing at such a mark."""
    return "".join(letter for letter in text if not _is_odd_mark(letter))


def _is_odd_mark(letter: str) -> bool:
    if "\u1160" <= letter <= "\u11ff":
        return True
    return (
        "\u0300" <= letter <= "\uffff" and unicodedata.category(letter)[0] == "M" and not unicodedata.combining(letter)
    )


class Emulated(pyte.Screen):
    """An emulator that drops the marks that it cannot combine, instead of stopping at such a mark."""

    def draw(self, data: str) -> None:
        super().draw(without_odd_marks(data))


@pytest.fixture
def calls(scripted: ScriptedServer) -> dict[str, str]:
    """Environment for a server with a failed call and a passed call of the same scenario."""
    passed = run(101, success=True, evaluation_status="success", transcript_object=None, transcript=as_text())
    serve_calls(scripted, run(102), passed)
    account = {"CEKURA_API_URL": scripted.url, "CEKURA_API_KEY": "key-of-the-test", "CEKURA_PROJECT_ID": "1"}
    return {**account, "SSH_TTY": "x"}


@pytest.fixture
def opened(start: Start, calls: dict[str, str], tmp_path: Path) -> Callable[..., Terminal]:
    def begin(*args: str, columns: int = 120, lines: int = 40) -> Terminal:
        terminal = start(*args, env=calls, columns=columns, lines=lines)
        terminal.screen = Emulated(columns, lines)
        terminal._stream = pyte.ByteStream(terminal.screen)
        return terminal

    return begin


def press_until_idle(terminal: Terminal, *keys: str) -> str:
    """Press keys, waiting after each until the program is idle; return the text on screen."""
    for key in keys or ("",):
        terminal.press(key)
        terminal.wait_idle(checks=15 if key == "esc" else 5)  # escape waits for the rest of a possible sequence
    return terminal.text


def scroll_through(terminal: Terminal, key: str = PAGE_DOWN, most: int = 150) -> list[str]:
    """Press a key until it no longer changes the screen; return the text of each screen."""
    seen = [press_until_idle(terminal)]
    while (now := press_until_idle(terminal, key)) != seen[-1]:
        seen.append(now)
        assert len(seen) < most, f"there is no end\n{now}"
    return seen


def quit_clean(terminal: Terminal, copies: int = 0) -> None:
    """Quit, and check that no sequence took effect and the terminal is restored."""
    terminal.quit("ctrl+q")
    assert foreign_in(terminal.raw, copies=copies) == []
    terminal.assert_restored()


def words_not_shown(screens: list[str], texts: list[str]) -> list[str]:
    """Words of `texts` that none of `screens` shows; long or non-ASCII words are checked letter by letter."""
    shown = unicodedata.normalize("NFC", "\n".join(screens))
    words = {word for text in texts for word in without_odd_marks(clean(text)).split()}
    parts = {part for word in words for part in ([word] if word.isascii() and len(word) < 30 else visible_text(word))}
    letters = (visible_text(part) for part in parts if not unicodedata.combining(part[0]))
    return sorted(letter for letter in letters if letter not in shown)


def test_the_checker_finds_every_hostile_sequence_and_nothing_else() -> None:
    families = [sent.encode("utf-8", "surrogatepass") for sent in SEQUENCES.values()]
    split = [(first + second).encode() for first, second in zip(UNENDED.values(), ENDS, strict=True)]
    for sent in (*families, *split, b"\x9b31m", b"\x90q~\x9c", b"\x1b", b"\xe2\x80\xa8", b"\x1b[31m"):
        assert foreign_in(b"\x1b[3;1H\x1b[38;2;1;2;3mhello " + sent + b" you\r\n") != [], sent
    assert foreign_in(b"\x1b[?1049h\x1b[3;1Hhello [2J you\r\n\x1b[?1049l") == []
    assert foreign_in(b"hello \x1b]52;c;aGk=\x07", copies=1) == []
    assert copied_in(b"hello \x1b]52;c;aGk=\x07") == ["hi"]
    assert foreign_in(b"\x1b]52;c;aGk=\x07 \x1b]52;c;aGk=\x07", copies=1) != []


@pytest.mark.parametrize("columns", [80, nightly(120)])
def test_a_hostile_transcript_can_be_read_completely(opened: Callable[..., Terminal], columns: int) -> None:
    terminal = opened("102", columns=columns, lines=100).wait("Run 102", "begin-csi")
    screens = scroll_through(terminal)
    assert words_not_shown(screens, list(TEXTS.values())) == []
    assert "[3" in "\n".join(screens)
    press_until_idle(terminal, "g", "z")
    scroll_through(terminal)
    for key in ("X", "t", "t", "t", "t", "t", "t", "l", "e", "E", "G", "X", "g"):
        press_until_idle(terminal, key)
    press_until_idle(terminal, "/", "end-osc-clip", "enter", "n", "N")
    terminal.wait("“end-osc-clip”", " of ")
    press_until_idle(terminal, "/", "\x1b[200~\x1b]52;c;cm0=\x07[/red]\x1b[201~", "enter")
    quit_clean(terminal)


def test_columns_stay_aligned_beside_hostile_verdicts(opened: Callable[..., Terminal]) -> None:
    terminal = opened("102").wait("Run 102", "begin-csi", "✗")
    press_until_idle(terminal, "tab")
    # After a resize all lines are redrawn, each across both panes.
    places = set()
    for n in range(4):
        terminal.resize(120, 40 - n % 2)
        for key in ("", PAGE_DOWN):
            press_until_idle(terminal, key)
            for y in range(6, terminal.screen.lines - 1):
                row = [terminal.screen.buffer[y][x].data for x in range(120)]
                line = "".join(cell or "\u3000" for cell in row)
                places |= {
                    x for x in range(60, 110) if "".join(row[x : x + 6]) == "begin-" and line[x - 2 : x] in ("  ", "▎ ")
                }
    assert len(places) in (1, 2), places
    quit_clean(terminal)


def test_hostile_verdicts_and_details_can_be_read_completely(opened: Callable[..., Terminal]) -> None:
    terminal = opened("102", columns=80, lines=100).wait("Run 102", "begin-csi")
    press_until_idle(terminal, "tab", "g")
    assert words_not_shown(scroll_through(terminal), list(TEXTS.values())) == []
    press_until_idle(terminal, "enter", "shift+tab", "tab", "tab", "g")
    terminal.wait("Details")
    for _ in range(20):  # unfold every folded row
        press_until_idle(terminal, "enter", "j")
    scroll_through(terminal)
    press_until_idle(terminal, "/", "begin-apc", "enter", "n", "n", "n")
    terminal.wait("“begin-apc”")
    press_until_idle(terminal, "X", "g")
    press_until_idle(terminal, *[PAGE_DOWN] * 8, "G")
    quit_clean(terminal)


def test_hostile_text_is_harmless_in_the_list_and_a_comparison_and_the_search(opened: Callable[..., Terminal]) -> None:
    terminal = opened(columns=140, lines=100).wait("2 runs", "102", "begin-csi")
    press_until_idle(terminal, "j", "k", "enter")
    terminal.wait("Run 102", "Transcript")
    press_until_idle(terminal, "=")
    terminal.wait("run 101", "only ◀")
    scroll_through(terminal)
    press_until_idle(terminal, "n", "N", "z", "esc")
    terminal.wait("Run 102")
    press_until_idle(terminal, "]")
    terminal.wait("Run 101", "begin-csi")
    scroll_through(terminal)
    press_until_idle(terminal, "esc")
    press_until_idle(terminal, "\x10", "Search transcripts", "enter")
    terminal.wait("go to hits")
    press_until_idle(terminal, "owned")
    terminal.wait("hits in")
    press_until_idle(terminal, "enter", *"jjjj", "enter")
    terminal.wait("Run 10", "Transcript")
    press_until_idle(terminal, "?")
    quit_clean(terminal)


def _answered(terminal: Terminal) -> bool:
    text = terminal.text
    return "Copy or save run 102" not in text or "enter again" in text or "Save the transcript of run 102" in text


def test_copied_text_is_clean_and_saved_files_have_safe_names(
    opened: Callable[..., Terminal], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    terminal = opened("102").wait("Run 102", "begin-csi")
    copies = 0
    for down in range(12):
        press_until_idle(terminal, "y", "j" * down)
        terminal.wait("Copy or save run 102")
        terminal.press("enter")
        terminal.until(lambda: _answered(terminal), "an answer to enter")
        if terminal.shows("Save the transcript"):
            press_until_idle(terminal, "enter")
            if terminal.shows("already exists"):
                press_until_idle(terminal, "esc", "esc")
                break
            terminal.wait("Saved to")
        else:
            copies += 1
    texts = copied_in(terminal.raw)
    assert len(texts) == copies >= 5
    assert [text for text in texts if clean(text) != text] == []
    assert any("begin-csi" in text for text in texts)
    files = [path for path in tmp_path.iterdir() if path.name.startswith("run-")]
    assert files
    assert all(path.name.isascii() and path.name.isprintable() for path in files)
    quit_clean(terminal, copies)


def test_endless_lines_and_blank_lines_can_be_scrolled_through(
    opened: Callable[..., Terminal], scripted: ScriptedServer
) -> None:
    every = " ".join(str(turn["content"]) for turn in huge() if isinstance(turn, dict))
    expected = {"score": 0, "explanation": [every]}
    serve_calls(scripted, run(103, transcript_object=huge(), expected_outcome=expected, scenario_name=every[:200_000]))
    terminal = opened("103", lines=100).wait("Run 103", "begin-long")
    screens = scroll_through(terminal)
    for mark in ("begin-wide", "begin-ends", "begin-marks", "begin-joined", "begin-last end-last", "characters more"):
        assert mark in "\n".join(screens)
    press_until_idle(terminal, "X", "tab", "G", "g", "tab", "G", "g", "X", "G", "esc")
    quit_clean(terminal)


FORMS = [(), ("--json",), *map(nightly, (("--transcript",), ("--markdown",), ("--transcript", "--markdown")))]


@pytest.mark.parametrize("form", FORMS)
def test_a_hostile_run_is_printed_as_text_on_a_terminal_and_into_a_pipe(
    start: Start, calls: dict[str, str], surroundings: dict[str, str], form: tuple[str, ...]
) -> None:
    terminal = start("runs", "show", "102", *form, env=calls)
    assert terminal.ended() == 0
    said = terminal.raw.decode("utf-8", "surrogateescape")
    assert [letter for letter in said.replace("\r\n", "") if letter < " " or "\x7f" <= letter <= "\x9f"] == []
    assert not {"\u202e", "\u2066", "\U000e0068"} & set(said)
    command = [sys.executable, "-m", "cekura_tui", "runs", "show", "102", *form]
    piped = subprocess.run(command, env={**surroundings, **calls}, capture_output=True, check=True, timeout=60)
    assert piped.stdout.decode() == said.replace("\r\n", "\n")
    if form == ("--json",):
        printed, sent = json.loads(piped.stdout), json.loads(json.dumps(run(102)))
        assert [ascii(name) for name, item in sent.items() if printed[name] != item] == []
    assert "begin-osc-clipboard" in said


def test_a_server_hostile_in_every_field_changes_nothing_but_text(
    start: Start, scripted: ScriptedServer, tmp_path: Path
) -> None:
    """The test goes from the list to a saved suggestion, then to the scope picker."""
    serve_hostile(scripted)
    env = {"CEKURA_API_URL": scripted.url, "CEKURA_API_KEY": "key-of-the-test"}
    terminal = start(env=env, columns=140, lines=50).wait("2 runs", "102")
    terminal.wait(SHOWN).press("j").wait("Run 101 · ✗")
    terminal.press("enter").wait("Run 101", "Transcript", "4 turns", SHOWN)
    terminal.press("i").wait("Improve the prompt", "Ask for the name.")
    terminal.press("ctrl+g").wait("Job 1 launched")
    terminal.press("2").wait("1 succeeded", "Runs        101")
    terminal.press("enter").wait("Suggestion of job 1", "· 1 of", SHOWN)
    terminal.press("y").wait("Copy or save the prompt")
    terminal.press(str(tmp_path / "evil.md")).wait("evil.md")
    terminal.press("enter").wait("Saved to", "characters.")
    assert (tmp_path / "evil.md").read_bytes() == IMPROVED.encode()
    terminal.press("1").wait("2 runs", gone="Suggestion of")
    terminal.press("p").wait("List runs of", SHOWN[:40])
    terminal.quit("ctrl+q")
    assert foreign_in(terminal.raw) == []
    terminal.assert_restored()
