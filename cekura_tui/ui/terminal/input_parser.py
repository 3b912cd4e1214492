"""Parse a terminal's bytes into keys, clicks and pastes; cut off or unknown sequences are no keys."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator

from textual import constants, events
from textual.message import Message

from cekura_tui.ui.terminal.cells import MOST
from cekura_tui.ui.terminal.textual_private import events_of, new_parser

PAUSE = 0.5
"""Seconds without a byte after which a sequence, paste or character counts as cut off."""
LATE = 1.0
"""Seconds after that in which the rest of a sequence, if it comes at once, is still no keys."""
BURST = 500
"""Bytes of text at once that count as pasted in a terminal that does not mark pastes."""
MOST_PASTED = 1 << 20
"""Bytes of a paste that are kept, more than any input takes."""

_ESC = b"\x1b"
_PASTE, _PASTED = b"\x1b[200~", b"\x1b[201~"
# Strings are answers to another program's questions, such as an editor's for the background colour. BEL ends only
# those that begin with "]".
_STRINGS = b"]PX^_"
_COMMAND, _OTHER = rb"\][^\x07\x18\x1a\x1b]*", rb"[PX^_][^\x18\x1a\x1b]*"
_STRING = rb"(?:" + _COMMAND + rb"|" + _OTHER + rb")"
_ENDED = rb"(?:" + _COMMAND + rb"\x07|" + _STRING + rb"(?:[\x18\x1a]|\x1b\\))"
_WHOLE = re.compile(
    rb"\x1b(?:"
    rb"\[M[ -\xff]{3}"  # the mouse in the oldest way: three bytes of any value, beyond column 95 over 0x7f
    rb"|\[\[[@-~]"  # function keys of the Linux console
    rb"|\[\d+\$"  # shifted keys of rxvt
    rb"|\[(?![M\[])[0-?]*[ -/]*[@-~]"
    rb"|O[\d;]*[@-~]"
    rb"|" + _ENDED + rb"|(?![\[O\]PX^_])[\x00-\x1a\x1c-\x7f]"  # with alt
    rb"|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
    rb")"
)
_CUT_OFF = rb"\x1b(?:\[M[ -\xff]{0,2}|\[\[|\[[0-?]*[ -/]*|O[\d;]*|" + _STRING + rb")?"
_BEGUN = re.compile(rb"(?:" + _CUT_OFF + rb"|\x1b" + _STRING + rb"\x1b|\x1b[\xc2-\xf4][\x80-\xbf]{0,2})\Z")
_BROKEN = re.compile(_CUT_OFF)
_HALF = re.compile(rb"(?:\x1b(?:\[(?:2(?:01?)?)?)?|[\xc2-\xf4][\x80-\xbf]{0,2})\Z")  # of the end, or of a character
_NO_TEXT = re.compile(_WHOLE.pattern + rb"|" + _CUT_OFF)
_LATE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|" + _ENDED + rb")")
_RESIZED = re.compile(rb"\x1b\[48" + rb";(\d+)(?::[\d:]*)?" * 4 + rb"t")
_KEY = re.compile(rb"\x1b\[(\d*)(?::[\d:]*)?(?:;(\d*)(?::(\d*))?(;[\d:]*)?)?([u~A-HPQRS])")
_OTHER_KEY = re.compile(rb"\x1b\[27;(\d+);(\d+)~")
_RELEASED = b"3"
_LONGEST, _LONGEST_OTHER = 1_024, 40
"""Bytes of the longest key, a composed word, and of any other sequence."""
_ALT = 2
"""Bytes of the longest unfinished sequence that may be a key: escape, or a key with alt."""


class InputParser:
    """Textual's own fails at a byte that is not UTF-8, and makes a key of each character of an unknown sequence."""

    def __init__(self, escape_delay: float = constants.ESCAPE_DELAY) -> None:
        self._escape_delay = escape_delay
        self._textual = new_parser()
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._rest = b""
        self._pasted: bytearray | None = None
        self._marked = False
        """Whether the terminal marks the end of the paste."""
        self._paused = False
        """Whether the end of a marked paste is missing: more than a key at once belongs to it."""
        self._cut = b""
        """A sequence whose rest is missing; if it comes, it is no keys."""

    @property
    def patience(self) -> float | None:
        """Seconds to wait for the rest of what has begun; None if nothing has."""
        if self._pasted is None and 0 < len(self._rest) <= _ALT:
            return self._escape_delay
        begun = self._pasted is not None or self._rest or self._decoder.getstate()[0]
        return PAUSE if begun else LATE if self._cut else None

    def feed(self, data: bytes) -> Iterator[Message]:
        cut, self._cut = self._cut, b""
        self._rest += cut + data if len(data) > 1 and (self._paused or _LATE.match(cut + data)) else data
        if self._pasted is None:
            text = _NO_TEXT.sub(b"", self._rest.partition(_PASTE)[0])
            held = not text.strip(text[:1])  # a key that was held while the connection stalled
            if len(text) > (1 if self._paused else BURST) and (self._paused or not held):
                self._begin_paste(marked=self._paused)
            self._paused = False
        yield from self._parse()

    def pause(self) -> Iterator[Message]:
        """Parse what has begun, whose rest did not come in time."""
        self._cut = self._rest
        if self._pasted is not None:
            half = _HALF.search(self._rest)
            self._cut = half[0] if half else b""
            self._rest = self._rest.removesuffix(self._cut)
        yield from self._parse(over=True)
        yield from self._decoded(b"", over=True)

    def _parse(self, *, over: bool = False) -> Iterator[Message]:
        while self._rest or self._pasted is not None:
            if self._pasted is not None:
                if not self._read_paste(over=over):
                    return
                yield from self._end_paste()
            elif not self._rest.startswith(_ESC):
                text, escape, rest = self._rest.partition(_ESC)
                self._rest = escape + rest
                if self._rest.startswith(_PASTED):  # its begin was lost, or it paused for too long
                    self._rest, self._pasted = text + self._rest, bytearray()
                else:
                    yield from self._decoded(text)
            else:
                found = _WHOLE.match(self._rest)
                if found is None and not over and _BEGUN.match(self._rest):
                    self._shorten()
                    return
                found = found or _BROKEN.match(self._rest)
                assert found is not None
                self._rest = self._rest[found.end() :]
                yield from self._decoded(b"", over=True)
                if found[0] == _PASTE:
                    self._begin_paste(marked=True)
                else:
                    yield from self._sequence(found[0])

    def _shorten(self) -> None:
        """Keep only what is needed to find the end of a sequence."""
        if _is_string(self._rest):
            self._rest = self._rest[: _ALT + 1] + (_ESC if self._rest.endswith(_ESC, _ALT + 1) else b"")
        else:
            self._rest = self._rest[: _LONGEST + 1]

    # Pastes

    def _begin_paste(self, *, marked: bool) -> None:
        self._pasted, self._marked = bytearray(), marked

    def _read_paste(self, *, over: bool) -> bool:
        """Add the new bytes; return whether the paste has ended."""
        assert self._pasted is not None
        pasted, end, rest = self._rest.partition(_PASTED)
        if not end and not over:  # the last bytes may be where the end begins
            known = max(0, len(pasted) - len(_PASTED) + 1)
            pasted, rest = pasted[:known], pasted[known:]
        self._rest = rest
        self._pasted += pasted[: MOST_PASTED - len(self._pasted)]
        self._paused = self._marked and not end and over
        return over or bool(end)

    def _end_paste(self) -> Iterator[Message]:
        assert self._pasted is not None
        pasted = bytes(self._pasted) if self._marked else _WHOLE.sub(b"", self._pasted)
        self._pasted = None
        if text := pasted.decode("utf-8", "replace").replace("\0", ""):
            yield events.Paste(text)

    # Keys

    def _decoded(self, text: bytes, *, over: bool = False) -> Iterator[Message]:
        known, _ = events_of(self._textual, self._decoder.decode(text, over))
        yield from known

    def _sequence(self, sequence: bytes) -> Iterator[Message]:
        if _is_string(sequence) or not (sequence := _as_textual_reads(sequence)):
            return  # nobody asked for it here
        try:
            known, keys = events_of(self._textual, sequence.decode())
        except (ValueError, ArithmeticError):  # numbers that stand for no character or no size
            self._textual = new_parser()
            return
        yield from known or (keys if len(sequence.decode()) <= _ALT else ())


def _is_string(sequence: bytes) -> bool:
    return len(sequence) > _ALT and sequence[1] in _STRINGS


def _as_textual_reads(sequence: bytes) -> bytes:
    """The sequence in Textual's form, without alternate keys and event types; empty if it means nothing."""
    key = _KEY.fullmatch(sequence)
    if len(sequence) > (_LONGEST if key else _LONGEST_OTHER):
        return b""
    if sequence.startswith(b"\x1b[48;") and sequence.endswith(b"t"):
        size = _RESIZED.fullmatch(sequence)
        lines, columns, height, width = map(int, size.groups()) if size else (0, 0, 0, 0)
        fits = 0 < lines <= min(MOST.height, height) and 0 < columns <= min(MOST.width, width)
        return sequence if constants.SMOOTH_SCROLL and fits else b""
    if (other := _OTHER_KEY.fullmatch(sequence)) and other[1] not in (b"1", b"2"):
        return b"\x1b[%b;%bu" % (other[2], other[1])
    if key is None or b":" not in sequence:
        return sequence
    code, modifiers, event, text, end = key.groups(b"")
    return b"" if event == _RELEASED else b"\x1b[%b;%b%b%b" % (code, modifiers, text, end)
