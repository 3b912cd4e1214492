"""What a terminal sends, byte for byte, as keys, clicks and pastes. What is cut off or unknown is no key."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator

from textual import constants, events
from textual.message import Message

from cekura_tui.ui.terminal.textual_private import events_of, new_parser

PAUSE = 0.5
"""Seconds without a byte after which the rest of a sequence, of a paste or of a character does not come any more."""
BURST = 500
"""Bytes of text at once that nobody types: they were pasted in a terminal that does not mark what is pasted."""

_ESC = b"\x1b"
_PASTE, _PASTED = b"\x1b[200~", b"\x1b[201~"
# Answers to questions that another program asked, such as an editor for the background colour.
_STRING = rb"(?:\]\d|P[\d>!$+]|_G)[^\x07\x1b]{0,4096}"
_WHOLE = re.compile(
    rb"\x1b(?:"
    rb"\[M[ -\xff]{3}"  # the mouse in the oldest way: three bytes of any value, beyond column 95 over 0x7f
    rb"|\[\[[@-~]"  # function keys of the Linux console
    rb"|\[\d+\$"  # shifted keys of rxvt
    rb"|\[(?![M\[])[0-?]{0,4096}[ -/]*[@-~]"
    rb"|O[\d;]*[@-~]"
    rb"|" + _STRING + rb"(?:\x07|\x1b\\)"
    rb"|(?![\[O\]P_])[\x00-\x1a\x1c-\x7f]"  # with alt
    rb"|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
    rb")"
)
_CUT_OFF = rb"\x1b(?:\[M[ -\xff]{0,2}|\[\[|\[[0-?]{0,4096}[ -/]*|O[\d;]*|" + _STRING + rb"\x1b?|[\]P_])?"
_BEGUN = re.compile(rb"(?:" + _CUT_OFF + rb"|\x1b[\xc2-\xf4][\x80-\xbf]{0,2})\Z")
_BROKEN = re.compile(_CUT_OFF.replace(rb"\x1b?", b""))
_ANSWER = re.compile(rb"\x1b" + _STRING)
_RESIZED = re.compile(rb"\x1b\[48;[^t]*t")
_ALT = 2
"""Bytes up to which what was begun may be a key: escape itself, or one pressed with alt."""


class InputParser:
    """Textual's own ends at a byte that is not UTF-8, and makes a key of each character of what it does not know."""

    def __init__(self, escape_delay: float = constants.ESCAPE_DELAY) -> None:
        """`escape_delay` is as `read_escape_delay` has it."""
        self._escape_delay = escape_delay
        self._textual = new_parser()
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._rest = b""
        self._pasted: bytearray | None = None
        """What is being pasted."""
        self._marked = False
        """Whether the terminal says where that ends."""
        self._paused = False
        """Whether the end of a marked paste is missing: more than a key at once is more of it."""

    @property
    def patience(self) -> float | None:
        """Seconds that the rest of what was begun is waited for; None where nothing was."""
        if self._pasted is None and 0 < len(self._rest) <= _ALT:
            return self._escape_delay
        begun = self._pasted is not None or self._rest or self._decoder.getstate()[0]
        return PAUSE if begun else None

    def feed(self, data: bytes) -> Iterator[Message]:
        """What these bytes mean, after those before them."""
        self._rest += data
        if self._pasted is None:
            text = _WHOLE.sub(b"", self._rest.partition(_PASTE)[0])
            held = not text.strip(text[:1])  # a key that was held while the connection stalled
            if len(text) > (1 if self._paused else BURST) and (self._paused or not held):
                self._begin_paste(marked=self._paused)
            self._paused = False
        yield from self._parse()

    def pause(self) -> Iterator[Message]:
        """What was begun means without the rest, which did not come in time."""
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
                    return
                found = found or _BROKEN.match(self._rest)
                assert found is not None
                self._rest = self._rest[found.end() :]
                yield from self._decoded(b"", over=True)
                if found[0] == _PASTE:
                    self._begin_paste(marked=True)
                else:
                    yield from self._sequence(found[0])

    # Pastes

    def _begin_paste(self, *, marked: bool) -> None:
        self._pasted, self._marked = bytearray(), marked

    def _read_paste(self, *, over: bool) -> bool:
        """Add what came; whether that was the end."""
        assert self._pasted is not None
        before = max(0, len(self._pasted) - len(_PASTED))
        self._pasted += self._rest
        self._rest = b""
        end = self._pasted.find(_PASTED, before)
        if end >= 0:
            self._rest = bytes(self._pasted[end + len(_PASTED) :])
            del self._pasted[end:]
        self._paused = self._marked and end < 0 and over
        return over or end >= 0

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
        if _ANSWER.match(sequence) or (_RESIZED.match(sequence) and not constants.SMOOTH_SCROLL):
            return  # nobody asked for it here
        try:
            known, keys = events_of(self._textual, sequence.decode())
        except (ValueError, ArithmeticError):  # numbers that stand for no character or no size
            self._textual = new_parser()
            return
        yield from known or (keys if len(sequence.decode()) <= _ALT else ())
