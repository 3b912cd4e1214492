"""Reduce an app's output to the fewest bytes that change the terminal's cells.

Pure: text in, text out. Unknown sequences pass through, and the whole screen is sent after them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import compress
from operator import ne, or_
from typing import NamedTuple

from rich.cells import cell_len, get_character_cell_size

_PRINTED = r"[^\x00-\x1f\x7f-\x9f]"
_TOKEN = re.compile(
    rf"\x1b\[([0-9;]*)m({_PRINTED}*)(\x1b\[0?m)?"  # attributes, with their text and their end
    r"|((?:\r?\n)+)?\x1b\[([0-9]+);([0-9]+)H"  # the cursor to a line and column; Textual ends the line before
    rf"|({_PRINTED}+)"
    r"|(\x1b\[\?2026h)|(\x1b\[\?2026l)"  # a frame begins, and ends
    r"|("
    r"\x1bPtmux;(?:[^\x1b]|\x1b\x1b)*\x1b\\"  # wrapped for the terminal around tmux
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC
    r"|\x1b[PX^_](?s:.)*?\x1b\\"  # DCS, SOS, PM, APC
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[ -/]*[0-~]"
    r"|(?s:.)"
    r")"
)
_HARMLESS = re.compile(
    r"\x1bPtmux;.*|\x1bP\x1b.*"  # wrapped for the terminal around tmux or screen
    r"|\x1b\](?!8;).*"  # titles, notifications, the clipboard, the shape of the pointer; 8 is links
    r"|\x1b\[\?(?:7|12|25|1000|1002|1003|1004|1005|1006|1015|1016|2004|2048)[hl]"
    r"|\x1b\[[<>=?][0-9;]*u"  # the keyboard
    r"|\x1b\[\?[0-9]+\$p|\x1b\[[0-9]*n|\x1b\[[>=]?[0-9]*c|\x07",  # questions, and the bell
    re.DOTALL,
)
"""Sequences that change neither cells nor attributes nor the cursor."""
# Characters that take one cell in every terminal.
_SURE = re.compile(
    r"[\x00-\x7e\xa0-\xa8\xaa-\xac\xaf-\u024f\u2010-\u2027\u2030-\u203a\u20ac\u2190-\u2193\u2212\u2260\u2264\u2265"
    r"\u2500-\u259f\u25a0\u25a1\u25b0-\u25b5\u25b8-\u25bf\u25c6-\u25e6\u2605\u2606\u2713\u2717]*"
)
_SETS_ATTRIBUTES = re.compile(r"\x1b(?:[c8]|\[[0-9;:]*m|\[!p|\[u|\[\?104[89]l|[()].*)")
"""Sequences that may change attributes."""
_BEGIN = "\x1b[?2026h"
_UNKNOWN_CHARACTER, _UNKNOWN = "\0", -1
_TABLE = 4096
"""Cached combinations of attributes, and transitions between them."""
_SHORT_GAP, _SHORT_ERASE = 4, 3
"""Cells that are written rather than jumped over, and blanks that are written rather than erased."""
_LONG_BLANKS = re.compile(" {11,}")
"""Blanks that take fewer bytes to erase and jump over than to write."""
_BLANKS = " " * 11
_JUMP = 5
"""Bytes of a move within a line."""
_Piece = tuple[int, int, int]
"""The first cell on a line, the one after the last, and the number of their attributes."""

# The code of each attribute, and the one that ends it.
_END = {"1": 22, "2": 22, "3": 23, "4": 24, "21": 24, "5": 25, "6": 25, "7": 27, "8": 28, "9": 29, "51": 54, "52": 54}
_END["53"] = 55
_SEEN_ON_BLANKS = frozenset({"4", "21", "5", "6", "7", "9", "51", "52", "53"})


class Attributes(NamedTuple):
    """Ascending codes such as "1", and the parameters of colours, "" for the defaults."""

    codes: tuple[str, ...] = ()
    foreground: str = ""
    background: str = ""

    def changed_by(self, parameters: str) -> Attributes | None:
        """The attributes after `ESC [ parameters m`; None if a parameter is unknown."""
        codes, foreground, background = set(self.codes), self.foreground, self.background
        left = iter(parameters.split(";"))
        for parameter in left:
            number = int(parameter or 0)
            code = str(number)
            if number == 0:
                codes, foreground, background = set(), "", ""
            elif code in _END:
                codes.add(code)
            elif number in _END.values():
                codes = {one for one in codes if _END[one] != number}
            elif number in (38, 48):
                more = {"5": 1, "2": 3}.get(next(left, ""), 0)
                colour = [part for part in (next(left, "") for _ in range(more)) if part]
                if not more or len(colour) != more:
                    return None
                whole = ";".join((code, "5" if more == 1 else "2", *colour))
                foreground, background = (whole, background) if number == 38 else (foreground, whole)
            elif 30 <= number <= 37 or 90 <= number <= 97 or number == 39:
                foreground = "" if number == 39 else code
            elif 40 <= number <= 47 or 100 <= number <= 107 or number == 49:
                background = "" if number == 49 else code
            else:
                return None
        return Attributes(tuple(sorted(codes, key=int)), foreground, background)

    def from_reset(self) -> str:
        """The sequence that sets them from any attributes."""
        parameters = [part for part in (*self.codes, self.foreground, self.background) if part]
        return f"\x1b[{';'.join(['0', *parameters])}m" if parameters else "\x1b[m"

    def after(self, before: Attributes, *, ends: bool = True) -> str:
        """The shortest sequence that sets them after `before`; `ends` is whether the terminal can end one attribute
        alone."""
        if self == before:
            return ""
        ended = {_END[code] for code in before.codes if code not in self.codes}
        fewer_colours = (before.foreground and not self.foreground) or (before.background and not self.background)
        if not ends and (ended or fewer_colours):
            return self.from_reset()
        parameters = [str(end) for end in sorted(ended)]
        parameters += [code for code in self.codes if code not in before.codes or _END[code] in ended]
        if self.foreground != before.foreground:
            parameters.append(self.foreground or "39")
        if self.background != before.background:
            parameters.append(self.background or "49")
        return min(f"\x1b[{';'.join(parameters)}m", self.from_reset(), key=len)


_USUAL = 0
"""The number of no attributes at all."""
_SHARED: dict[str, str] = {}
"""One string object for each character: slicing makes new ones of all but ASCII."""


@lru_cache(1024)
def _is_sure(text: str) -> bool:
    return _SURE.fullmatch(text) is not None


class _Row:
    """The cells of a line: characters, "" for the second cell of a wide one, and the numbers of their attributes."""

    __slots__ = ("attributes", "characters", "sure")

    def __init__(self, characters: list[str], attributes: list[int], sure: bool) -> None:
        self.characters = characters
        self.attributes = attributes
        self.sure = sure

    def copy(self) -> _Row:
        return _Row(self.characters[:], self.attributes[:], self.sure)


class CellWriter:
    """Tracks the cells that output writes, and returns what to send instead.

    `fills` is whether the terminal erases with the background that is set; others get only sequences that old terminals
    know. Not safe for threads.
    """

    def __init__(self, columns: int, lines: int, *, fills: bool) -> None:
        self._numbers: dict[Attributes, int] = {}
        self._looks: list[Attributes] = []
        self._erasing: list[bool] = []
        self._blank: list[int] = []
        """For each number of attributes, the number of those that show the same blank."""
        self._after_sgr: dict[tuple[int, str], int] = {}
        self._transitions: dict[tuple[int, int], str] = {}
        self._rows: list[_Row] = []
        self._known = True
        """Whether any cell of them may be known."""
        self._new: dict[int, tuple[_Row, list[int]]] = {}
        """Lines written since the last flush: their new cells, and the starts and ends of what was written."""
        self._out: list[str] = []
        # The terminal's.
        self._terminal_x, self._terminal_y = _UNKNOWN, _UNKNOWN
        self._terminal_pen = _UNKNOWN
        # The writer's, which the terminal has once all is sent.
        self._x, self._y = _UNKNOWN, _UNKNOWN
        self._pen = _USUAL
        self._row: _Row | None = None
        """The line being written; None if the cursor's line is unknown."""
        self._spans: list[int] = []
        self._begin_due = False
        """Whether a frame has begun of which nothing was sent yet."""
        self.resize(columns, lines, fills=fills)

    def resize(self, columns: int, lines: int, *, fills: bool) -> None:
        """Use another size; all cells are unknown."""
        self._columns, self._lines, self._fills = columns, lines, fills
        pen = self._looks[self._pen] if self._looks and self._pen >= 0 else Attributes()
        self._numbers.clear()
        self._looks.clear()
        self._erasing.clear()
        self._blank.clear()
        self._after_sgr.clear()
        self._transitions.clear()
        self._number(Attributes())
        self._pen = self._number(pen) if self._pen >= 0 else _UNKNOWN
        self._terminal_pen = _UNKNOWN
        self._known = True  # that many lines are not there
        self._forget()

    @property
    def size(self) -> tuple[int, int]:
        return self._columns, self._lines

    def feed(self, data: str) -> str:
        """The output to send instead of `data`; "" if nothing changes."""
        if len(self._looks) > _TABLE:
            self.resize(self._columns, self._lines, fills=self._fills)
        columns, shared = self._columns, _SHARED.setdefault
        after_sgr = self._after_sgr
        for parameters, text, reset, newline, line, column, plain, begin, end, other in _TOKEN.findall(data):
            if text or plain:
                if text:
                    pen = after_sgr.get((self._pen, parameters), _UNKNOWN)
                    self._pen = pen if pen >= 0 else self._change_pen(parameters)
                    if self._terminal_pen < 0:
                        self._set_pen()
                else:
                    text = plain
                row = self._row or self._enter_line()
                at = self._x
                end_at = at + len(text)
                if row is not None and end_at <= columns and (text.isascii() or _is_sure(text)):
                    if not row.sure:
                        row = self._cut_wide(row, at, end_at)
                    row.characters[at:end_at] = text if text.isascii() else map(shared, text, text)
                    row.attributes[at:end_at] = [self._pen] * len(text)
                    self._x = end_at
                else:
                    self._put_unsure(row, text)
                if reset:
                    self._reset_pen()
            elif line:
                self._move(int(column) - 1, int(line) - 1, newline)
            elif begin:
                self._flush()
                self._begin_due = True
            elif end:
                self._flush()
                if self._begin_due:
                    self._begin_due = False
                else:
                    self._out.append(end)
            elif other:
                self._pass(other)
            elif reset:
                self._reset_pen()
            else:
                self._pen = self._change_pen(parameters)
                self._set_pen()
        self._flush()
        sent = "".join(self._out)
        self._out.clear()
        return sent

    # Reading

    def _move(self, x: int, y: int, newline: str) -> None:
        if newline and not 0 <= self._y < self._lines - newline.count("\n"):
            self._pass(newline)  # the terminal scrolls
        self._leave_line()
        if 0 <= x < self._columns and 0 <= y < self._lines:
            self._x, self._y = x, y
        else:
            self._pass(f"\x1b[{y + 1};{x + 1}H")

    def _enter_line(self) -> _Row | None:
        """Begin to write the cursor's line; None if the cursor or the attributes are unknown."""
        y = self._y
        if y < 0 or self._pen < 0:
            return None
        self._known = True
        new = self._new.get(y)
        if new is None:
            new = self._new[y] = (self._rows[y].copy(), [])
        self._row, self._spans = new
        self._spans.append(self._x)
        return self._row

    def _leave_line(self) -> None:
        if self._row is not None:
            self._spans.append(self._x)
            self._row = None

    def _put_unsure(self, row: _Row | None, text: str) -> None:
        """Write text that may take other cells in some terminals, or that does not fit."""
        characters: list[str] = []
        at = self._x
        for character in text if row is not None else "":
            width = get_character_cell_size(character)
            if width:
                characters += (character, "")[:width]
            elif characters:
                characters[-1 if characters[-1] else -2] += character
            else:
                break
        end = at + len(characters)
        if row is None or not characters or end > self._columns or len(characters) != cell_len(text):
            self._pass(text)
            return
        row = self._cut_wide(row, at, end)
        row.characters[at:end] = characters
        row.attributes[at:end] = [self._pen] * len(characters)
        row.sure = False
        self._x = end

    def _cut_wide(self, row: _Row, start: int, end: int) -> _Row:
        """Prepare to overwrite half of a wide character, whose other half becomes unknown; return the line to write."""
        halves = [start - 1] if 0 < start < self._columns and not row.characters[start] else []
        halves += [end] if end < self._columns and not row.characters[end] else []
        if halves:
            self._flush()  # the whole character is sent before
            row = self._enter_line() or row
        for x in halves:
            row.characters[x], row.attributes[x] = _UNKNOWN_CHARACTER, _UNKNOWN
        return row

    def _pass(self, text: str) -> None:
        """Send a sequence as it is, after all earlier output."""
        self._flush()
        self._begin()
        self._out.append(text)
        if not _HARMLESS.fullmatch(text):
            self._forget()
            if _SETS_ATTRIBUTES.fullmatch(text):
                self._pen = self._terminal_pen = _UNKNOWN

    def _forget(self) -> None:
        """Treat the terminal's cells and cursor as unknown."""
        self._row = None
        self._terminal_x = self._terminal_y = self._x = self._y = _UNKNOWN
        if self._known:
            self._known = False
            columns = self._columns
            self._rows = [_Row([_UNKNOWN_CHARACTER] * columns, [_UNKNOWN] * columns, True) for _ in range(self._lines)]

    # Attributes

    def _number(self, attributes: Attributes) -> int:
        number = self._numbers.setdefault(attributes, len(self._looks))
        if number == len(self._looks):
            self._looks.append(attributes)
            plain = _SEEN_ON_BLANKS.isdisjoint(attributes.codes)  # a blank shows only its background
            self._erasing.append(plain and (self._fills or not attributes.background))
            self._blank.append(number)
            if plain:
                self._blank[number] = self._number(Attributes(background=attributes.background))
        return number

    def _change_pen(self, parameters: str) -> int:
        """The number of the attributes after these parameters; if unknown -1, and the sequence is passed on."""
        before = self._pen
        if before < 0 and (not parameters or parameters.split(";")[0] in ("", "0")):
            before = _USUAL
        attributes = self._looks[before].changed_by(parameters) if before >= 0 else None
        if attributes is None:
            self._pass(f"\x1b[{parameters}m")
            return _UNKNOWN
        if len(self._after_sgr) > _TABLE:
            self._after_sgr.clear()
        self._pen = self._after_sgr[before, parameters] = self._number(attributes)
        return self._pen

    def _reset_pen(self) -> None:
        self._pen = _USUAL
        self._set_pen()

    def _set_pen(self) -> None:
        """Set the attributes at once if the terminal's are unknown: the next text may be passed on as it is."""
        if self._terminal_pen < 0 <= self._pen:
            self._begin()
            self._out.append(self._switch_to(self._pen))

    def _switch_to(self, number: int) -> str:
        """The sequence that sets these attributes in the terminal."""
        way = self._transition(self._terminal_pen, number)
        self._terminal_pen = number
        return way

    def _transition(self, before: int, number: int) -> str:
        transition = self._transitions.get((before, number))
        if transition is None:
            if len(self._transitions) > _TABLE:
                self._transitions.clear()
            wanted = self._looks[number]
            transition = wanted.from_reset() if before < 0 else wanted.after(self._looks[before], ends=self._fills)
            self._transitions[before, number] = transition
        return transition

    # Sending

    def _begin(self) -> None:
        if self._begin_due:
            self._begin_due = False
            self._out.append(_BEGIN)

    def _flush(self) -> None:
        """Send what brings the terminal to the writer's state."""
        self._leave_line()
        for y, (row, spans) in self._new.items():
            before, self._rows[y] = self._rows[y], row
            if before.characters != row.characters or before.attributes != row.attributes:
                if before.sure and row.sure:
                    self._send_changes(y, before, row, spans)
                else:
                    row.sure = _SURE.fullmatch("".join(row.characters)) is not None
                    self._send_spans(y, before, row, spans)
        self._new.clear()
        x, y = self._x, self._y
        if y >= 0 and (x != self._terminal_x or y != self._terminal_y):
            if x < self._columns:
                self._go(x, y)
            else:  # the cursor waits behind the last column
                row = self._rows[y]
                last = x - 1 if row.characters[x - 1] else x - 2
                self._send(y, last, x, row.attributes[last], row, erases=False)
        if self._terminal_pen >= 0 and self._pen >= 0 and (switch := self._switch_to(self._pen)):
            self._begin()
            self._out.append(switch)

    def _send_changes(self, y: int, before: _Row, row: _Row, spans: Sequence[int]) -> None:
        """Send the cells of a line that differ."""
        low, high = min(spans), max(spans)
        was, now = before.characters, row.characters
        had, has = before.attributes, row.attributes
        differ = map(or_, map(ne, was[low:high], now[low:high]), map(ne, had[low:high], has[low:high]))
        blank = self._blank
        changed = [
            x
            for x in compress(range(low, high), differ)
            if now[x] != " " or was[x] != " " or blank[had[x]] != blank[has[x]]
        ]
        if not changed:
            return
        erased = self._blank_from(row)
        end = changed[-1] + 1
        if end - erased <= _SHORT_ERASE:
            erased = end
        pieces: list[_Piece] = []
        start = previous = changed[0]
        for x in changed:
            if x >= erased:
                break
            gap = x - previous - 1
            if gap > 0 and (gap > _SHORT_GAP or any(has[at] != has[previous] for at in range(previous + 1, x))):
                self._add_pieces(pieces, start, previous + 1, row)
                start = x
            previous = x
        if start < erased:
            self._add_pieces(pieces, start, previous + 1, row)
        for start, end_of_piece, pen in self._ordered(pieces):
            self._send(y, start, end_of_piece, pen, row, erases=True)
        if erased < end:
            self._erase(y, max(erased, changed[0]), row)

    def _blank_from(self, row: _Row) -> int:
        """The first cell of the line's end that can be erased; the number of columns if there is none."""
        last = row.attributes[-1]
        if last < 0 or not self._erasing[last]:
            return self._columns
        blank, attributes = self._blank, row.attributes
        at, background = self._columns, blank[last]
        first = len("".join(row.characters).rstrip(" "))
        while at > first and row.characters[at - 1] == " " and blank[attributes[at - 1]] == background:
            at -= 1
        return at

    def _send_spans(self, y: int, before: _Row, row: _Row, spans: Sequence[int]) -> None:
        """Send all that was written to a line from the first changed cell: terminals disagree where the text after some
        characters is."""
        was, now = before.characters, row.characters
        begun = False
        for start, end in zip(spans[::2], spans[1::2], strict=True):
            if not begun:
                for x in range(start, end):
                    if was[x] != now[x] or before.attributes[x] != row.attributes[x]:
                        begun = True
                        break
                    if not (_is_sure(now[x]) and _is_sure(was[x])):
                        begun = was[x:end] != now[x:end] or before.attributes[x:end] != row.attributes[x:end]
                        break
                if not begun:
                    continue
                start = x
            pieces: list[_Piece] = []
            self._add_pieces(pieces, start, end, row)
            for piece_start, piece_end, pen in pieces:
                self._send(y, piece_start, piece_end, pen, row, erases=False)
            self._terminal_x = _UNKNOWN

    def _add_pieces(self, pieces: list[_Piece], x: int, end: int, row: _Row) -> None:
        """Add cells of a line, split by attributes."""
        blank = self._blank
        characters, attributes = row.characters, row.attributes
        before = pieces[-1][2] if pieces else self._terminal_pen
        while x < end:
            pen = attributes[x]
            if characters[x] == " " and pen != before:
                pen = self._pen_for_blanks(x, end, row, before)
            background = blank[pen]
            at = x + 1
            while at < end and (
                attributes[at] == pen or (characters[at] == " " and blank[attributes[at]] == background)
            ):
                at += 1
            pieces.append((x, at, pen))
            x, before = at, pen

    def _ordered(self, pieces: list[_Piece]) -> list[_Piece]:
        """Pieces of a line in the order that takes the fewest bytes: a jump takes fewer than setting colours twice."""
        by_pen: dict[int, list[_Piece]] = {}
        for piece in pieces:
            by_pen.setdefault(piece[2], []).append(piece)
        if len(by_pen) == len(pieces):
            return pieces

        def length(before: int, number: int) -> int:
            return len(self._transition(before, number))

        sequential, pen, at = 0, self._terminal_pen, pieces[0][0]
        for piece in pieces:
            sequential += length(pen, piece[2]) + _JUMP * (piece[0] != at)
            at, pen = piece[1], piece[2]
        ordered: list[_Piece] = []
        cost, pen = 0, self._terminal_pen
        at = pieces[0][0]
        while by_pen:
            _, nearest = min([(length(pen, one), one) for one in by_pen])
            cost += length(pen, nearest)
            pen = nearest
            for piece in by_pen.pop(pen):
                cost += _JUMP * (piece[0] != at)
                at = piece[1]
                ordered.append(piece)
        return ordered if cost < sequential else pieces

    def _send(self, y: int, x: int, end: int, pen: int, row: _Row, *, erases: bool) -> None:
        """Send adjacent cells with the same attributes; `erases` is whether blanks may be erased and jumped over."""
        self._go(x, y)
        if pen != self._terminal_pen:
            self._out.append(self._switch_to(pen))
        text = "".join(row.characters[x:end])
        if erases and self._fills and _BLANKS in text and self._erasing[pen]:
            at = 0
            for blanks in _LONG_BLANKS.finditer(text):
                first, last = blanks.span()
                if first > at:
                    self._go(x + at, y)
                    self._out.append(text[at:first])
                    self._terminal_x = x + first
                self._go(x + first, y)
                self._out.append(f"\x1b[{last - first}X")
                at = last
            if at == len(text):
                return
            self._go(x + at, y)
            text = text[at:]
        self._out.append(text)
        self._terminal_x = end

    def _pen_for_blanks(self, x: int, end: int, row: _Row, before: int) -> int:
        """Attributes that show the same blank, if possible those `before` or those of the text after it."""
        pen, blank = row.attributes[x], self._blank
        background = blank[pen]
        if before >= 0 and blank[before] == background:
            return before
        while x < end and row.characters[x] == " " and blank[row.attributes[x]] == background:
            x += 1
        return row.attributes[x] if x < end and blank[row.attributes[x]] == background else pen

    def _erase(self, y: int, x: int, row: _Row) -> None:
        """Erase the rest of a line."""
        self._go(x, y)
        pen = self._pen_for_blanks(x, self._columns, row, self._terminal_pen)
        self._out.append(f"{self._switch_to(pen)}\x1b[K")

    def _go(self, x: int, y: int) -> None:
        """Move the terminal's cursor."""
        self._begin()
        if x == self._terminal_x and y == self._terminal_y:
            return
        if y == self._terminal_y and 0 <= self._terminal_x < self._columns:
            if far := max(x - self._terminal_x, 0):
                self._out.append(f"\x1b[{far}C" if far > 1 else "\x1b[C")
            elif not x:
                self._out.append("\r")
            else:
                self._out.append(f"\x1b[{x + 1}G" if self._fills else f"\x1b[{y + 1};{x + 1}H")
        else:  # behind the last column, terminals disagree where the cursor is
            self._out.append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H")
        self._terminal_x, self._terminal_y = x, y
