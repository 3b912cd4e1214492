"""The doctor queries a terminal and restores the terminal's state, even if no answer comes."""

from __future__ import annotations

import os
import pty
import select
import termios
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from cekura_tui.doctor.terminal import TerminalAnswers, ask_terminal, check_terminal

KNOWS_ALL = b"\x1bP>|kitty(0.36.4)\x1b\\\x1b[?2026;2$y\x1b[?1004;1$y\x1b[?62;c"


@dataclass
class Wire:
    """A pseudo-terminal. `inner` and `outer` are the file descriptors of the program's end and of the
    terminal's end."""

    outer: int
    inner: int

    def answer(self, data: bytes) -> None:
        """Start a thread that sends this answer after the last query has arrived."""

        def wait_and_answer() -> None:
            asked = b""
            while not asked.endswith(b"\x1b[c"):
                asked += os.read(self.outer, 4096)
            os.write(self.outer, data)

        threading.Thread(target=wait_and_answer, daemon=True).start()

    @property
    def unread(self) -> bytes:
        """Bytes that are left in the program's input, read as in raw mode; empty if nothing is left."""
        raw = termios.tcgetattr(self.inner)
        raw[3] &= ~termios.ICANON
        termios.tcsetattr(self.inner, termios.TCSANOW, raw)
        return os.read(self.inner, 4096) if select.select([self.inner], [], [], 0)[0] else b""


@pytest.fixture
def wire() -> Iterator[Wire]:
    outer, inner = pty.openpty()
    yield Wire(outer, inner)
    for handle in (outer, inner):
        os.close(handle)


def test_name_and_modes_of_a_terminal_are_read_from_its_answers(wire: Wire) -> None:
    for answer, name, has_modes in (
        (KNOWS_ALL, "kitty(0.36.4)", True),
        (b"\x1b[?2026;0$y\x1b[?1004;4$y\x1b[?6c", "", False),  # unknown modes, or modes that can't be set
        (b"\x1b[?2026;0$y\x1b[?1004;4$y\x1bP>|evil\x07\x9b31m\x1b\\\x1b[?6c", "evil\ufffd31m", False),
    ):
        wire.answer(answer)
        answers = ask_terminal(wire.inner, wire.inner, within=20)
        assert answers == TerminalAnswers(name, {2026: has_modes, 1004: has_modes}, True)


@pytest.mark.parametrize("answer", [KNOWS_ALL, b"\x1b[?2026;1$y", b"\x1b[?20"], ids=["all", "one", "half"])
def test_the_terminal_is_restored_and_no_answer_stays_in_its_input(wire: Wire, answer: bytes) -> None:
    before = termios.tcgetattr(wire.inner)
    os.write(wire.outer, answer)  # an answer later than the timeout would stay in the input
    answers = ask_terminal(wire.inner, wire.inner, within=20 if answer is KNOWS_ALL else 0.05)
    assert answers.complete is (answer is KNOWS_ALL)
    assert termios.tcgetattr(wire.inner) == before
    assert wire.unread == b""


def test_the_way_to_draw_blank_cells_is_reported_with_the_reason() -> None:
    for term, found in (
        ("xterm-256color", "erased in their colour (TERM is xterm-256color)"),
        ("screen-256color", "written as spaces (screen, TERM is screen-256color)"),
        ("", "written as spaces (TERM is not set)"),
    ):
        assert {check.name: check.found for check in check_terminal({"TERM": term})}["blank cells"] == found


def test_input_that_is_not_a_terminal_is_not_queried() -> None:
    reader, writer = os.pipe()
    try:
        with pytest.raises(termios.error):
            ask_terminal(reader, writer)
        assert not select.select([reader], [], [], 0)[0]
    finally:
        os.close(reader)
        os.close(writer)
