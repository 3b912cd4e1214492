"""Two terminal emulators that must show the same screen, from the app's output and from the cell writer's output."""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from unicodedata import combining

import pyte
from wcwidth import wcwidth

from cekura_tui.ui.terminal.cell_writer import CellWriter

# Not supported by the emulator: CSI with the prefixes < = >, and mode queries.
_NOT_EMULATED = re.compile(r"\x1b\[(?:[<>=][0-9;]*[a-zA-Z]|\?[0-9;]*(?:\$p|[a-gi-km-z]))|\x1bP.*?\x1b\\", re.DOTALL)


@cache
def _is_drawn(character: str) -> bool:
    """False if the emulator would drop all text drawn together with this character."""
    return wcwidth(character) > 0 or bool(combining(character)) or ord(character) < 0xA0


class PlainErasing(pyte.Screen):
    """A terminal without back_color_erase: it erases with its default background."""

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        self._plainly(super().erase_in_line, how)

    def erase_characters(self, count: int | None = None) -> None:
        self._plainly(super().erase_characters, count)

    def erase_in_display(self, how: int = 0, *args: Any, **kwargs: Any) -> None:
        self._plainly(super().erase_in_display, how)

    def _plainly(self, erase: Any, how: int | None) -> None:
        attributes, self.cursor.attrs = self.cursor.attrs, self.default_char
        erase(how)
        self.cursor.attrs = attributes


def visible(cell: pyte.screens.Char) -> tuple[object, ...]:
    """Visible attributes of a cell. A blank has only its background, unless it is underlined or similar."""
    if cell.data == " " and not (cell.underscore or cell.strikethrough or cell.reverse or cell.blink):
        return (" ", cell.bg)
    return tuple(cell)


class TwoScreens:
    """`written` shows the app's output, `sent` the shorter output that the cell writer makes of the app's output."""

    def __init__(self, columns: int, lines: int, *, bce: bool = True) -> None:
        kind = pyte.Screen if bce else PlainErasing
        self.bce = bce
        self.written, self.sent = kind(columns, lines), kind(columns, lines)
        self._streams = pyte.Stream(self.written), pyte.Stream(self.sent)
        self.writer = CellWriter(columns, lines, bce=bce)
        self.bytes_written = self.bytes_sent = 0

    def feed(self, data: str) -> str:
        """Feed both emulators; returns the output of the cell writer."""
        sent = self.writer.feed(data)
        self.bytes_written += len(data.encode())
        self.bytes_sent += len(sent.encode())
        for stream, text in zip(self._streams, (data, sent), strict=True):
            text = _NOT_EMULATED.sub("", text)
            stream.feed(text if text.isascii() else "".join(filter(_is_drawn, text)))
        return sent

    def resize(self, columns: int, lines: int) -> None:
        for screen in (self.written, self.sent):
            screen.resize(lines, columns)
        self.writer.resize(columns, lines, bce=self.bce)

    def difference(self) -> str:
        """The first difference, in words; "" if there is none. Compares the cursors and the lines that were changed
        since the last call."""
        one, other = self.written, self.sent
        if (one.cursor.x, one.cursor.y) != (other.cursor.x, other.cursor.y):
            return f"the cursor is at {other.cursor.x}, {other.cursor.y}, not at {one.cursor.x}, {one.cursor.y}"
        if one.cursor.attrs != other.cursor.attrs or one.cursor.hidden != other.cursor.hidden:
            return f"the cursor has {other.cursor.attrs}, not {one.cursor.attrs}"
        changed = one.dirty | other.dirty
        one.dirty.clear()
        other.dirty.clear()
        for y in sorted(changed):
            if y >= one.lines or one.buffer[y] == other.buffer[y]:
                continue
            for x in range(one.columns):
                if (now := visible(other.buffer[y][x])) != (wanted := visible(one.buffer[y][x])):
                    return f"line {y}, column {x}: {now}, not {wanted}"
        return ""
