"""After a megabyte pasted into any input, with or without paste marks, the next key still works."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from terminal import Start, Terminal

# Would quit, open, launch and choose if it were handled as keys; the last two bytes are not valid text.
PATTERN = b"quit q 2U!i y\x11\xe9\xff " * 10 + b"\r"
MEGABYTE = PATTERN * (1_000_000 // len(PATTERN))
TYPED, CUT, REFUSED = "Ω", "quit q", "Nothing pasted"


@dataclass(frozen=True)
class Place:
    """An input, how to reach it, and how to leave it.

    `way` has keys and the text that each shows. `shows` is a text after a paste. `enter` is the message after enter;
    "" if enter leaves the input. `back` has keys, each with a text that appears and a text that disappears.
    """

    way: Sequence[tuple[str, str]]
    shows: str = CUT
    enter: str = ""
    back: Sequence[tuple[str, str, str]] = (("esc", "Groups", TYPED),)


RUN, JOB = ("\r", "Run 9002"), ("2", "Jobs ·")
SUGGESTION = (JOB, ("\x1b[Hj", "Job 3"), ("\r", "· 1 of 2"))
IMPROVE = ("\x1b[Hjji", "792 words")
SIGN_IN = Place((), "•••", "is not an API key")
PLACES = {
    "the filter": Place([("/", "persona:")]),
    "a change": Place(
        [*SUGGESTION, ("c", "Edit change")],
        shows=REFUSED,
        back=[("esc", "Suggestion", TYPED), ("esc", "Jobs ·", ""), ("1", "Groups", "")],
    ),
    "a search in a run": Place([RUN, ("/", "Find text")], back=[("esc", "Run 900240", TYPED), ("esc", "Groups", "")]),
    "a search in all runs": Place([("\x10", "type to find one"), ("Search tr", "of the listed"), ("\r", "go to hits")]),
    "a note": Place(
        [("m", "Note on run")], enter="too long", back=[("esc", "Discard", ""), ("ctrl+g", "Groups", TYPED)]
    ),
    "an export": Place([("w", "Export runs")]),
    "a project": Place([("p", "Northgrid")]),
    "a command": Place([("\x10", "type to find one")], shows="at most 100 characters"),
    "the path of a prompt": Place([IMPROVE, ("\x1b[Hj ", "Path of the file")], enter="0 words"),
    "a prompt": Place([IMPROVE, ("\t", "enter edit"), ("\r", "")], shows=REFUSED),
    "a file to save to": Place(
        [*SUGGESTION, ("y", "Copy or save the prompt")],
        enter="long",
        back=[("esc", "Suggestion", TYPED), ("esc", "Jobs ·", ""), ("1", "Groups", "")],
    ),
    "a view": Place(
        [("/", "persona:"), ("outcome:failed\r", "71 failed"), ("v", "save filter"), ("w", "enter save")],
        enter="characters",
        back=[("esc", "save filter", TYPED), ("esc", "Groups", "save filter")],
    ),
}

ONE_OF_A_KIND = ("the filter", "a change", "a note", "a command")
"""Places for unmarked pastes, one per kind of input; only the input parser knows whether a paste was marked."""


def paste_and_type(terminal: Terminal, place: Place, marked: bool) -> None:
    """Paste a megabyte and type a character after it; press enter if enter shows a message in this place."""
    terminal.send(b"\x1b[200~" + MEGABYTE + b"\x1b[201~" if marked else MEGABYTE)
    terminal.wait(place.shows)
    if place.shows != REFUSED:
        terminal.press("backspace")  # the input is full
    terminal.press(TYPED)
    if place is not SIGN_IN:
        terminal.wait(TYPED)
    if place.enter:
        terminal.press("enter").wait(place.enter)


@pytest.mark.parametrize("marked", [True, False], ids=["marked", "unmarked"])
def test_keys_work_after_a_megabyte_pasted_into_any_input(
    start: Start, home: Path, prepared: Path, marked: bool
) -> None:
    shutil.copytree(prepared / "demo", home)
    terminal = start("--demo").wait("240 runs", "900238")
    for name in PLACES if marked else ONE_OF_A_KIND:
        place = PLACES[name]
        for keys, seen in place.way:
            terminal.press(keys)
            terminal.wait(seen) if seen else terminal.settle()
        paste_and_type(terminal, place, marked)
        for key, seen, gone in place.back:
            terminal.press(key).wait(seen, gone=gone)
    terminal.quit()


@pytest.mark.parametrize("marked", [True, False], ids=["marked", "unmarked"])
def test_keys_work_after_a_megabyte_pasted_as_api_key(start: Start, marked: bool) -> None:
    terminal = start().wait("API key", "Sign in")
    terminal.press("enter").wait("Settings › API keys")
    paste_and_type(terminal, SIGN_IN, marked)
    terminal.press("esc").wait("Environment")
    terminal.press("esc")
    assert terminal.ended() == 0
    terminal.assert_restored()
