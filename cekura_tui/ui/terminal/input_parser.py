"""Parse the terminal's bytes into keys, clicks and pastes; ignore incomplete and unknown sequences."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator

from textual import constants, events
from textual.message import Message

from cekura_tui.ui.terminal.cells import MAX_SIZE
from cekura_tui.ui.terminal.textual_private import events_of, new_parser

REST_TIMEOUT = 0.5
"""Seconds to wait for the rest of a sequence, paste or character before it counts as cut off."""
LATE_REST = 1.0
"""Seconds after `REST_TIMEOUT` in which the rest of a cut-off sequence is still recognised, and ignored."""
PASTE_BURST = 500
"""Number of bytes of text above which a single read counts as a paste, for terminals without bracketed paste."""
MAX_PASTE = 1 << 20
"""Maximum number of bytes kept of a paste; no input field accepts more."""

_ESC = b"\x1b"
_PASTE, _PASTED = b"\x1b[200~", b"\x1b[201~"
# OSC, DCS, SOS, PM and APC: answers to queries of another program, such as an editor's for the background colour. BEL
# ends only OSC ("]").
_STRINGS = b"]PX^_"
_OSC, _OTHER_STRING = rb"\][^\x07\x18\x1a\x1b]*", rb"[PX^_][^\x18\x1a\x1b]*"
_STRING = rb"(?:" + _OSC + rb"|" + _OTHER_STRING + rb")"
_COMPLETE_STRING = rb"(?:" + _OSC + rb"\x07|" + _STRING + rb"(?:[\x18\x1a]|\x1b\\))"
_COMPLETE = re.compile(
    rb"\x1b(?:"
    rb"\[M[ -\xff]{3}"  # X10 mouse report: three bytes, above 0x7f beyond column 95
    rb"|\[\[[@-~]"  # function keys of the Linux console
    rb"|\[\d+\$"  # shifted keys of rxvt
    rb"|\[(?![M\[])[0-?]*[ -/]*[@-~]"
    rb"|O[\d;]*[@-~]"
    rb"|" + _COMPLETE_STRING + rb"|(?![\[O\]PX^_])[\x00-\x1a\x1c-\x7f]"  # alt and a key
    rb"|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
    rb")"
)
_CUT_OFF = rb"\x1b(?:\[M[ -\xff]{0,2}|\[\[|\[[0-?]*[ -/]*|O[\d;]*|" + _STRING + rb")?"
_INCOMPLETE = re.compile(rb"(?:" + _CUT_OFF + rb"|\x1b" + _STRING + rb"\x1b|\x1b[\xc2-\xf4][\x80-\xbf]{0,2})\Z")
_BROKEN = re.compile(_CUT_OFF)
# The start of a paste's end marker, or of a character.
_SPLIT_END = re.compile(rb"(?:\x1b(?:\[(?:2(?:01?)?)?)?|[\xc2-\xf4][\x80-\xbf]{0,2})\Z")
_NOT_TEXT = re.compile(_COMPLETE.pattern + rb"|" + _CUT_OFF)
_LATE_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|" + _COMPLETE_STRING + rb")")
_RESIZE_REPORT = re.compile(rb"\x1b\[48" + rb";(\d+)(?::[\d:]*)?" * 4 + rb"t")
_KEY = re.compile(rb"\x1b\[(\d*)(?::[\d:]*)?(?:;(\d*)(?::(\d*))?(;[\d:]*)?)?([u~A-HPQRS])")
_OTHER_KEY = re.compile(rb"\x1b\[27;(\d+);(\d+)~")
_RELEASED = b"3"
_MAX_KEY, _MAX_SEQUENCE = 1_024, 40
"""Maximum bytes of a key's sequence, which may carry composed text, and of any other sequence."""
_MAX_ALT = 2
"""Maximum bytes of an incomplete sequence that may be a key: escape, or alt and a letter."""


class InputParser:
    """Splits input into whole sequences for Textual's parser, which fails on invalid UTF-8 and on unknown sequences."""

    def __init__(self, escape_delay: float = constants.ESCAPE_DELAY) -> None:
        self._escape_delay = escape_delay
        self._textual = new_parser()
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._pending = b""
        self._pasted: bytearray | None = None
        self._paste_marked = False
        """Whether the terminal marks the end of the current paste."""
        self._paste_paused = False
        """Whether a bracketed paste timed out before its end. Input of more than one key continues the paste."""
        self._cut_off = b""
        """A sequence that timed out; the rest of the sequence is ignored if it arrives in time."""

    @property
    def timeout(self) -> float | None:
        """Seconds to wait for more bytes before `feed_timeout`; None if nothing is incomplete."""
        if self._pasted is None and 0 < len(self._pending) <= _MAX_ALT:
            return self._escape_delay
        begun = self._pasted is not None or self._pending or self._decoder.getstate()[0]
        return REST_TIMEOUT if begun else LATE_REST if self._cut_off else None

    def feed(self, data: bytes) -> Iterator[Message]:
        cut_off, self._cut_off = self._cut_off, b""
        continues = len(data) > 1 and (self._paste_paused or _LATE_SEQUENCE.match(cut_off + data))
        self._pending += cut_off + data if continues else data
        if self._pasted is None:
            text = _NOT_TEXT.sub(b"", self._pending.partition(_PASTE)[0])
            key_repeat = not text.strip(text[:1])  # one key, held down while the connection stalled
            if len(text) > (1 if self._paste_paused else PASTE_BURST) and (self._paste_paused or not key_repeat):
                self._begin_paste(marked=self._paste_paused)
            self._paste_paused = False
        yield from self._parse()

    def feed_timeout(self) -> Iterator[Message]:
        """Parse the incomplete input, because its rest did not arrive in time."""
        self._cut_off = self._pending
        if self._pasted is not None:
            split_end = _SPLIT_END.search(self._pending)
            self._cut_off = split_end[0] if split_end else b""
            self._pending = self._pending.removesuffix(self._cut_off)
        yield from self._parse(final=True)
        yield from self._decode(b"", final=True)

    def _parse(self, *, final: bool = False) -> Iterator[Message]:
        while self._pending or self._pasted is not None:
            if self._pasted is not None:
                if not self._read_paste(final=final):
                    return
                yield from self._end_paste()
            elif not self._pending.startswith(_ESC):
                text, escape, rest = self._pending.partition(_ESC)
                self._pending = escape + rest
                if self._pending.startswith(_PASTED):  # the start was lost, or the paste timed out
                    self._pending, self._pasted = text + self._pending, bytearray()
                else:
                    yield from self._decode(text)
            else:
                found = _COMPLETE.match(self._pending)
                if found is None and not final and _INCOMPLETE.match(self._pending):
                    self._trim_pending()
                    return
                found = found or _BROKEN.match(self._pending)
                assert found is not None
                self._pending = self._pending[found.end() :]
                yield from self._decode(b"", final=True)
                if found[0] == _PASTE:
                    self._begin_paste(marked=True)
                else:
                    yield from self._parse_sequence(found[0])

    def _trim_pending(self) -> None:
        """Limit the memory that an unterminated sequence takes."""
        if _is_string(self._pending):
            escape = _ESC if self._pending.endswith(_ESC, _MAX_ALT + 1) else b""
            self._pending = self._pending[: _MAX_ALT + 1] + escape
        else:
            self._pending = self._pending[: _MAX_KEY + 1]

    def _begin_paste(self, *, marked: bool) -> None:
        self._pasted, self._paste_marked = bytearray(), marked

    def _read_paste(self, *, final: bool) -> bool:
        """Move pending bytes to the paste; return whether the paste has ended."""
        assert self._pasted is not None
        pasted, end, rest = self._pending.partition(_PASTED)
        if not end and not final:  # the last bytes may start the end marker
            known = max(0, len(pasted) - len(_PASTED) + 1)
            pasted, rest = pasted[:known], pasted[known:]
        self._pending = rest
        self._pasted += pasted[: MAX_PASTE - len(self._pasted)]
        self._paste_paused = self._paste_marked and not end and final
        return final or bool(end)

    def _end_paste(self) -> Iterator[Message]:
        assert self._pasted is not None
        pasted = bytes(self._pasted) if self._paste_marked else _COMPLETE.sub(b"", self._pasted)
        self._pasted = None
        if text := pasted.decode("utf-8", "replace").replace("\0", ""):
            yield events.Paste(text)

    def _decode(self, text: bytes, *, final: bool = False) -> Iterator[Message]:
        known, _ = events_of(self._textual, self._decoder.decode(text, final))
        yield from known

    def _parse_sequence(self, sequence: bytes) -> Iterator[Message]:
        if _is_string(sequence) or not (sequence := _to_textual_form(sequence)):
            return  # an answer to another program
        try:
            known, keys = events_of(self._textual, sequence.decode())
        except (ValueError, ArithmeticError):  # a number that is no valid character or size
            self._textual = new_parser()
            return
        yield from known or (keys if len(sequence.decode()) <= _MAX_ALT else ())


def _is_string(sequence: bytes) -> bool:
    return len(sequence) > _MAX_ALT and sequence[1] in _STRINGS


def _to_textual_form(sequence: bytes) -> bytes:
    """Rewrite a sequence as Textual knows it, without alternate keys and event types; b"" if it must be ignored."""
    key = _KEY.fullmatch(sequence)
    if len(sequence) > (_MAX_KEY if key else _MAX_SEQUENCE):
        return b""
    if sequence.startswith(b"\x1b[48;") and sequence.endswith(b"t"):
        size = _RESIZE_REPORT.fullmatch(sequence)
        lines, columns, height, width = map(int, size.groups()) if size else (0, 0, 0, 0)
        fits = 0 < lines <= min(MAX_SIZE.height, height) and 0 < columns <= min(MAX_SIZE.width, width)
        return sequence if constants.SMOOTH_SCROLL and fits else b""
    if (other := _OTHER_KEY.fullmatch(sequence)) and other[1] not in (b"1", b"2"):
        return b"\x1b[%b;%bu" % (other[2], other[1])
    if key is None or b":" not in sequence:
        return sequence
    code, modifiers, event, text, end = key.groups(b"")
    return b"" if event == _RELEASED else b"\x1b[%b;%b%b%b" % (code, modifiers, text, end)
