"""Reduce Textual's output to the bytes that change cells of the terminal. Pure: text in, text out. An unknown sequence
is passed through; after such a sequence, all cells are sent again."""

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
    rf"\x1b\[([0-9;]*)m({_PRINTED}*)(\x1b\[0?m)?"  # attributes, perhaps with text and a reset
    r"|((?:\r?\n)+)?\x1b\[([0-9]+);([0-9]+)H"  # a cursor position; Textual writes line breaks before it
    rf"|({_PRINTED}+)"
    r"|(\x1b\[\?2026h)|(\x1b\[\?2026l)"  # begin and end of a frame
    r"|("
    r"\x1bPtmux;(?:[^\x1b]|\x1b\x1b)*\x1b\\"  # for the terminal outside tmux
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC
    r"|\x1b[PX^_](?s:.)*?\x1b\\"  # DCS, SOS, PM, APC
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[ -/]*[0-~]"
    r"|(?s:.)"
    r")"
)
_NEUTRAL = re.compile(
    r"\x1bPtmux;.*|\x1bP\x1b.*"  # for the terminal outside tmux or screen
    r"|\x1b\](?!8;).*"  # titles, notifications, clipboard, pointer shape; not links (8)
    r"|\x1b\[\?(?:7|12|25|1000|1002|1003|1004|1005|1006|1015|1016|2004|2048)[hl]"
    r"|\x1b\[[<>=?][0-9;]*u"  # keyboard protocol
    r"|\x1b\[\?[0-9]+\$p|\x1b\[[0-9]*n|\x1b\[[>=]?[0-9]*c|\x07",  # queries, and the bell
    re.DOTALL,
)
"""Sequences that leave cells, attributes and cursor unchanged."""
# Characters that every terminal draws in one cell.
_PREDICTABLE = re.compile(
    r"[\x00-\x7e\xa0-\xa8\xaa-\xac\xaf-\u024f\u2010-\u2027\u2030-\u203a\u20ac\u2190-\u2193\u2212\u2260\u2264\u2265"
    r"\u2500-\u259f\u25a0\u25a1\u25b0-\u25b5\u25b8-\u25bf\u25c6-\u25e6\u2605\u2606\u2713\u2717]*"
)
_SETS_ATTRIBUTES = re.compile(r"\x1b(?:[c8]|\[[0-9;:]*m|\[!p|\[u|\[\?104[89]l|[()].*)")
_BEGIN = "\x1b[?2026h"
_UNKNOWN_CHARACTER, _UNKNOWN = "\0", -1
_MAX_CACHED = 4096
"""Maximum number of cached combinations of attributes, and of cached transitions between two combinations."""
_SHORT_GAP, _SHORT_ERASE = 4, 3
"""Number of cells up to which rewriting is cheaper than a jump, and of blanks up to which writing beats erasing."""
_FEW_LINES = 4
"""Up to this number of changed lines, a line in the terminal's current colours is sent first, to set fewer colours."""
_LONG_BLANKS = re.compile(" {11,}")
"""A run of blanks that takes more bytes to write than to erase and jump over."""
_BLANKS = " " * 11
_JUMP = 5
"""Bytes of a cursor move within a line, for estimates."""
_Piece = tuple[int, int, int]
"""Adjacent cells of a line with the same attributes: start column, end column (exclusive), attributes id."""

# By SGR code of an attribute: the code that ends it.
_END_CODE = {
    **{"1": 22, "2": 22, "3": 23, "4": 24, "21": 24, "5": 25, "6": 25},
    **{"7": 27, "8": 28, "9": 29, "51": 54, "52": 54, "53": 55},
}
_VISIBLE_ON_BLANKS = frozenset({"4", "21", "5", "6", "7", "9", "51", "52", "53"})


class Attributes(NamedTuple):
    """A cell's attributes as SGR parameters: ascending codes such as "1" (bold), and colours ("" for the default)."""

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
            elif code in _END_CODE:
                codes.add(code)
            elif number in _END_CODE.values():
                codes = {one for one in codes if _END_CODE[one] != number}
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

    def sequence_from_reset(self) -> str:
        """The sequence that resets all attributes and sets these attributes."""
        parameters = [part for part in (*self.codes, self.foreground, self.background) if part]
        return f"\x1b[{';'.join(['0', *parameters])}m" if parameters else "\x1b[m"

    def sequence_after(self, before: Attributes, *, can_end: bool = True) -> str:
        """The shortest sequence that changes `before` to these attributes; "" if both are equal. Without `can_end`, for
        terminals that cannot end a single attribute, the sequence ends attributes by a reset."""
        if self == before:
            return ""
        ended = {_END_CODE[code] for code in before.codes if code not in self.codes}
        fewer_colours = (before.foreground and not self.foreground) or (before.background and not self.background)
        if not can_end and (ended or fewer_colours):
            return self.sequence_from_reset()
        parameters = [str(end) for end in sorted(ended)]
        parameters += [code for code in self.codes if code not in before.codes or _END_CODE[code] in ended]
        if self.foreground != before.foreground:
            parameters.append(self.foreground or "39")
        if self.background != before.background:
            parameters.append(self.background or "49")
        return min(f"\x1b[{';'.join(parameters)}m", self.sequence_from_reset(), key=len)


_DEFAULT = 0
"""Id of the default attributes."""
_INTERNED: dict[str, str] = {}
"""One shared string for each character, to save memory, because Python shares only Latin-1 characters."""


@lru_cache(1024)
def _is_predictable(text: str) -> bool:
    """Whether every terminal draws each character of the text in one cell."""
    return _PREDICTABLE.fullmatch(text) is not None


class _Row:
    """A character and an attributes id for each cell of a line; a wide character's second cell has the character "". If
    `predictable`, every terminal draws each character in one cell."""

    __slots__ = ("attributes", "characters", "predictable")

    def __init__(self, characters: list[str], attributes: list[int], predictable: bool) -> None:
        self.characters = characters
        self.attributes = attributes
        self.predictable = predictable

    def copy(self) -> _Row:
        return _Row(self.characters[:], self.attributes[:], self.predictable)


class CellWriter:
    """Tracks the terminal's cells, and returns the shortest output with the same effect as Textual's. `bce`: erasing
    takes the current background; without it, only sequences of old terminals. Not thread-safe."""

    def __init__(self, columns: int, lines: int, *, bce: bool) -> None:
        self._ids: dict[Attributes, int] = {}
        self._by_id: list[Attributes] = []
        self._erasable: list[bool] = []
        self._blank_ids: list[int] = []
        """By attributes id: the id of the simplest attributes that draw a blank in the same way."""
        self._after_sgr: dict[tuple[int, str], int] = {}
        self._transitions: dict[tuple[int, int], str] = {}
        self._rows: list[_Row] = []
        self._any_known = True
        """False while all cells are unknown."""
        self._dirty_rows: dict[int, tuple[_Row, list[int]]] = {}
        """Lines being changed, by number: the new cells, and alternating starts and ends of the written spans."""
        self._out: list[str] = []
        # State of the terminal.
        self._terminal_x, self._terminal_y = _UNKNOWN, _UNKNOWN
        self._terminal_pen = _UNKNOWN
        # State to reach with the next flush.
        self._x, self._y = _UNKNOWN, _UNKNOWN
        self._pen = _DEFAULT
        self._row: _Row | None = None
        """The line being written; None before its first text, or if the cursor's line is unknown."""
        self._spans: list[int] = []
        self._begin_pending = False
        """Whether a frame's begin sequence is held back until the frame sends output."""
        self.resize(columns, lines, bce=bce)

    def resize(self, columns: int, lines: int, *, bce: bool) -> None:
        """Change the size and mark all cells as unknown."""
        self._columns, self._lines, self._bce = columns, lines, bce
        pen = self._by_id[self._pen] if self._by_id and self._pen >= 0 else Attributes()
        self._ids.clear()
        self._by_id.clear()
        self._erasable.clear()
        self._blank_ids.clear()
        self._after_sgr.clear()
        self._transitions.clear()
        self._id_of(Attributes())
        self._pen = self._id_of(pen) if self._pen >= 0 else _UNKNOWN
        self._terminal_pen = _UNKNOWN
        self._any_known = True  # the number of lines may have changed
        self._forget_cells()

    @property
    def size(self) -> tuple[int, int]:
        return self._columns, self._lines

    def feed(self, data: str) -> str:
        """The output to send instead of `data`; "" if `data` changes nothing."""
        if len(self._by_id) > _MAX_CACHED:
            self.resize(self._columns, self._lines, bce=self._bce)
        columns, shared = self._columns, _INTERNED.setdefault
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
                if row is not None and end_at <= columns and (text.isascii() or _is_predictable(text)):
                    if not row.predictable:
                        row = self._split_wide(row, at, end_at)
                    row.characters[at:end_at] = text if text.isascii() else map(shared, text, text)
                    row.attributes[at:end_at] = [self._pen] * len(text)
                    self._x = end_at
                else:
                    self._put_unpredictable(row, text)
                if reset:
                    self._reset_pen()
            elif line:
                self._move_cursor(int(column) - 1, int(line) - 1, newline)
            elif begin:
                self._flush()
                self._begin_pending = True
            elif end:
                self._flush()
                if self._begin_pending:
                    self._begin_pending = False
                else:
                    self._out.append(end)
            elif other:
                self._pass_through(other)
            elif reset:
                self._reset_pen()
            else:
                self._pen = self._change_pen(parameters)
                self._set_pen()
        self._flush()
        sent = "".join(self._out)
        self._out.clear()
        return sent

    # Reading output

    def _move_cursor(self, x: int, y: int, newline: str) -> None:
        if newline and not 0 <= self._y < self._lines - newline.count("\n"):
            self._pass_through(newline)  # the terminal scrolls
        self._leave_line()
        if 0 <= x < self._columns and 0 <= y < self._lines:
            self._x, self._y = x, y
        else:
            self._pass_through(f"\x1b[{y + 1};{x + 1}H")

    def _enter_line(self) -> _Row | None:
        """Start writing at the cursor and return the cursor's line; None if the cursor or the pen is unknown."""
        y = self._y
        if y < 0 or self._pen < 0:
            return None
        self._any_known = True
        new = self._dirty_rows.get(y)
        if new is None:
            new = self._dirty_rows[y] = (self._rows[y].copy(), [])
        self._row, self._spans = new
        self._spans.append(self._x)
        return self._row

    def _leave_line(self) -> None:
        if self._row is not None:
            self._spans.append(self._x)
            self._row = None

    def _put_unpredictable(self, row: _Row | None, text: str) -> None:
        """Write text that does not fit on the line, or whose width differs between terminals."""
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
            self._pass_through(text)
            return
        row = self._split_wide(row, at, end)
        row.characters[at:end] = characters
        row.attributes[at:end] = [self._pen] * len(characters)
        row.predictable = False
        self._x = end

    def _split_wide(self, row: _Row, start: int, end: int) -> _Row:
        """If writing overwrites half of a wide character, mark the other half as unknown; return the line to write."""
        halves = [start - 1] if 0 < start < self._columns and not row.characters[start] else []
        halves += [end] if end < self._columns and not row.characters[end] else []
        if halves:
            self._flush()  # while the wide character is still whole
            row = self._enter_line() or row
        for x in halves:
            row.characters[x], row.attributes[x] = _UNKNOWN_CHARACTER, _UNKNOWN
        return row

    def _pass_through(self, text: str) -> None:
        """Flush, then send the text unchanged; forget the cells unless the text is known to leave cells unchanged."""
        self._flush()
        self._begin()
        self._out.append(text)
        if not _NEUTRAL.fullmatch(text):
            self._forget_cells()
            if _SETS_ATTRIBUTES.fullmatch(text):
                self._pen = self._terminal_pen = _UNKNOWN

    def _forget_cells(self) -> None:
        """Mark the terminal's cells and cursor as unknown."""
        self._row = None
        self._terminal_x = self._terminal_y = self._x = self._y = _UNKNOWN
        if self._any_known:
            self._any_known = False
            columns = self._columns
            self._rows = [_Row([_UNKNOWN_CHARACTER] * columns, [_UNKNOWN] * columns, True) for _ in range(self._lines)]

    # Attributes

    def _id_of(self, attributes: Attributes) -> int:
        number = self._ids.setdefault(attributes, len(self._by_id))
        if number == len(self._by_id):
            self._by_id.append(attributes)
            plain = _VISIBLE_ON_BLANKS.isdisjoint(attributes.codes)  # a blank shows only its background
            self._erasable.append(plain and (self._bce or not attributes.background))
            self._blank_ids.append(number)
            if plain:
                self._blank_ids[number] = self._id_of(Attributes(background=attributes.background))
        return number

    def _change_pen(self, parameters: str) -> int:
        """Apply SGR parameters and return the new attributes id; pass unknown parameters through and return -1."""
        before = self._pen
        if before < 0 and (not parameters or parameters.split(";")[0] in ("", "0")):
            before = _DEFAULT
        attributes = self._by_id[before].changed_by(parameters) if before >= 0 else None
        if attributes is None:
            self._pass_through(f"\x1b[{parameters}m")
            return _UNKNOWN
        if len(self._after_sgr) > _MAX_CACHED:
            self._after_sgr.clear()
        self._pen = self._after_sgr[before, parameters] = self._id_of(attributes)
        return self._pen

    def _reset_pen(self) -> None:
        self._pen = _DEFAULT
        self._set_pen()

    def _set_pen(self) -> None:
        """Send the attributes now if the terminal's are unknown, because the next text may be passed through."""
        if self._terminal_pen < 0 <= self._pen:
            self._begin()
            self._out.append(self._switch_to(self._pen))

    def _switch_to(self, number: int) -> str:
        sequence = self._transition(self._terminal_pen, number)
        self._terminal_pen = number
        return sequence

    def _transition(self, before: int, number: int) -> str:
        transition = self._transitions.get((before, number))
        if transition is None:
            if len(self._transitions) > _MAX_CACHED:
                self._transitions.clear()
            wanted = self._by_id[number]
            known = self._by_id[before] if before >= 0 else None
            transition = wanted.sequence_after(known, can_end=self._bce) if known else wanted.sequence_from_reset()
            self._transitions[before, number] = transition
        return transition

    # Sending to the terminal

    def _begin(self) -> None:
        if self._begin_pending:
            self._begin_pending = False
            self._out.append(_BEGIN)

    def _flush(self) -> None:
        """Send the changed cells, then the cursor's position and the attributes."""
        self._leave_line()
        left = list(self._dirty_rows.items())
        while left:
            y, (row, spans) = left.pop(self._cheapest_line(left) if len(left) <= _FEW_LINES else 0)
            before, self._rows[y] = self._rows[y], row
            if before.characters != row.characters or before.attributes != row.attributes:
                if before.predictable and row.predictable:
                    self._send_changes(y, before, row, spans)
                else:
                    row.predictable = _PREDICTABLE.fullmatch("".join(row.characters)) is not None
                    self._send_spans(y, before, row, spans)
        self._dirty_rows.clear()
        x, y = self._x, self._y
        if y >= 0 and (x != self._terminal_x or y != self._terminal_y):
            if x < self._columns:
                self._go_to(x, y)
            else:  # the cursor is after the last column: rewrite the last character
                row = self._rows[y]
                last = x - 1 if row.characters[x - 1] else x - 2
                self._send(y, last, x, row.attributes[last], row, erases=False)
        if self._terminal_pen >= 0 and self._pen >= 0 and (switch := self._switch_to(self._pen)):
            self._begin()
            self._out.append(switch)

    def _cheapest_line(self, lines: Sequence[tuple[int, tuple[_Row, Sequence[int]]]]) -> int:
        """The index of a line whose changed cells all have the terminal's current attributes; 0 if there is none."""
        for n, (y, (row, spans)) in enumerate(lines):
            old, cells = self._rows[y], slice(min(spans), max(spans))
            before = zip(old.characters[cells], old.attributes[cells], strict=True)
            now = zip(row.characters[cells], row.attributes[cells], strict=True)
            if {cell[1] for was, cell in zip(before, now, strict=True) if was != cell} == {self._terminal_pen}:
                return n
        return 0

    def _send_changes(self, y: int, before: _Row, row: _Row, spans: Sequence[int]) -> None:
        """Send the differing cells of a line; if the line ends in blanks, erase its end instead of writing blanks."""
        low, high = min(spans), max(spans)
        old, new = before.characters, row.characters
        old_ids, new_ids = before.attributes, row.attributes
        differ = map(or_, map(ne, old[low:high], new[low:high]), map(ne, old_ids[low:high], new_ids[low:high]))
        blank = self._blank_ids
        changed = [
            x
            for x in compress(range(low, high), differ)
            if new[x] != " " or old[x] != " " or blank[old_ids[x]] != blank[new_ids[x]]
        ]
        if not changed:
            return
        erased = self._erasable_from(row)
        end = changed[-1] + 1
        if end - erased <= _SHORT_ERASE:
            erased = end
        pieces: list[_Piece] = []
        start = previous = changed[0]
        for x in changed:
            if x >= erased:
                break
            gap = x - previous - 1
            if gap > 0 and (gap > _SHORT_GAP or any(new_ids[at] != new_ids[previous] for at in range(previous + 1, x))):
                self._add_pieces(pieces, start, previous + 1, row)
                start = x
            previous = x
        if start < erased:
            self._add_pieces(pieces, start, previous + 1, row)
        for start, end_of_piece, pen in self._cheapest_order(pieces):
            self._send(y, start, end_of_piece, pen, row, erases=True)
        if erased < end:
            self._erase(y, max(erased, changed[0]), row)

    def _erasable_from(self, row: _Row) -> int:
        """The column from which the line can be erased to its end; the number of columns if nothing can be erased."""
        last = row.attributes[-1]
        if last < 0 or not self._erasable[last]:
            return self._columns
        blank, attributes = self._blank_ids, row.attributes
        at, background = self._columns, blank[last]
        first = len("".join(row.characters).rstrip(" "))
        while at > first and row.characters[at - 1] == " " and blank[attributes[at - 1]] == background:
            at -= 1
        return at

    def _send_spans(self, y: int, before: _Row, row: _Row, spans: Sequence[int]) -> None:
        """Send everything that was written to a line, from its first changed cell on. Used for lines with characters of
        unpredictable width, because terminals disagree where the text after such a character starts."""
        old, new = before.characters, row.characters
        begun = False
        for start, end in zip(spans[::2], spans[1::2], strict=True):
            if not begun:
                for x in range(start, end):
                    if old[x] != new[x] or before.attributes[x] != row.attributes[x]:
                        begun = True
                        break
                    if not (_is_predictable(new[x]) and _is_predictable(old[x])):
                        begun = old[x:end] != new[x:end] or before.attributes[x:end] != row.attributes[x:end]
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
        """Append the cells from `x` to `end` (exclusive) to `pieces`, split where the attributes change."""
        blank = self._blank_ids
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

    def _cheapest_order(self, pieces: list[_Piece]) -> list[_Piece]:
        """Group a line's pieces by attributes if jumping back takes fewer bytes than setting colours again."""
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
        """Send cells that have the same attributes; with `erases`, erase long runs of blanks and jump over them."""
        self._go_to(x, y)
        if pen != self._terminal_pen:
            self._out.append(self._switch_to(pen))
        text = "".join(row.characters[x:end])
        if erases and self._bce and _BLANKS in text and self._erasable[pen]:
            at = 0
            for blanks in _LONG_BLANKS.finditer(text):
                first, last = blanks.span()
                if first > at:
                    self._go_to(x + at, y)
                    self._out.append(text[at:first])
                    self._terminal_x = x + first
                self._go_to(x + first, y)
                self._out.append(f"\x1b[{last - first}X")
                at = last
            if at == len(text):
                return
            self._go_to(x + at, y)
            text = text[at:]
        self._out.append(text)
        self._terminal_x = end

    def _pen_for_blanks(self, x: int, end: int, row: _Row, before: int) -> int:
        """Choose attributes for the blanks at `x` that save switches: the ones in use (`before`) if blanks look the
        same in them, else the attributes of the text after the blanks, else the blanks' own."""
        pen, blank = row.attributes[x], self._blank_ids
        background = blank[pen]
        if before >= 0 and blank[before] == background:
            return before
        while x < end and row.characters[x] == " " and blank[row.attributes[x]] == background:
            x += 1
        return row.attributes[x] if x < end and blank[row.attributes[x]] == background else pen

    def _erase(self, y: int, x: int, row: _Row) -> None:
        """Erase from column `x` to the end of the line."""
        self._go_to(x, y)
        pen = self._pen_for_blanks(x, self._columns, row, self._terminal_pen)
        self._out.append(f"{self._switch_to(pen)}\x1b[K")

    def _go_to(self, x: int, y: int) -> None:
        """Move the terminal's cursor with the shortest sequence."""
        self._begin()
        if x == self._terminal_x and y == self._terminal_y:
            return
        if y == self._terminal_y and 0 <= self._terminal_x < self._columns:
            if far := max(x - self._terminal_x, 0):
                self._out.append(f"\x1b[{far}C" if far > 1 else "\x1b[C")
            elif not x:
                self._out.append("\r")
            else:
                self._out.append(f"\x1b[{x + 1}G" if self._bce else f"\x1b[{y + 1};{x + 1}H")
        else:  # also after the last column, where terminals disagree about the cursor
            self._out.append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H")
        self._terminal_x, self._terminal_y = x, y
