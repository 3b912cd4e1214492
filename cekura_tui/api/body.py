"""Reading the body of an answer, whatever a server sends, in a bounded amount of memory.

Limited are its bytes, what gzip may make of them, and how many values its JSON may hold: small values take a hundred
times the memory of their text.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
import zlib
from dataclasses import dataclass

from cekura_tui.api.errors import BadAnswer, TooLarge
from cekura_tui.api.http import httpx
from cekura_tui.model.text import JSON_TEXT, MAX_VALUES, has_more_values

MB = 2**20
MAX_ENTRIES = 10_000
"""Entries of one page of a list, of which 100 were asked for."""
MAX_RATIO = 200
"""How many times its size gzip may make of an answer; JSON that servers send grows to 5 or 20 times."""
ANY_RATIO = MB
"""Bytes of an answer that may be compressed as well as it likes."""
TURN_FROM = 4 * MB
"""Bytes from which on an answer is read in its turn, one at a time."""
_HINT = "Check the API URL; if correct, contact Cekura support."


@dataclass(frozen=True, slots=True)
class Limit:
    """How many bytes an answer may have, and values of JSON; `noun` is what it is. Where a text of it stays exact,
    `size` is what may be beside that, and `whole` what all of it may have."""

    noun: str
    size: int
    whole: int = 0
    values: int = MAX_VALUES

    @property
    def bytes(self) -> int:
        """How many are read."""
        return self.whole or self.size


RUN, RUNS_BY_ID = Limit("a run", 32 * MB, values=400_000), Limit("an answer with runs", 32 * MB)
PAGE = Limit("a page of a list", 32 * MB, values=400_000)
AGENT = Limit("an agent", 16 * MB)
LAUNCH, ISSUES = Limit("an answer about a job", 8 * MB), Limit("an answer about issues", 8 * MB)
JOB = Limit("an answer about a job", 8 * MB, 64 * MB)
"""Its prompt is stored, shown from its start, and handed on whole; nothing reads it line by line."""
REFUSAL = Limit("a refusal", MB)


def too_large(what: str, status: int = 0) -> TooLarge:
    """The error for an answer beyond a limit; `what` says which."""
    return TooLarge(f"The server's answer is too large: {what}.", _HINT, status=status)


async def read_body(response: httpx.Response, limit: Limit, turn: asyncio.Lock) -> bytes:
    """The body of an answer, decoded; of large ones one is read at a time, by `turn`. Raises BadAnswer."""
    body, status = bytearray(), response.status_code
    gzip = _gzip_of(response)
    received = 0
    async with contextlib.AsyncExitStack() as held:
        waited = False
        async for chunk in response.aiter_raw():
            received += len(chunk)
            inflated = max(ANY_RATIO, MAX_RATIO * received)
            try:
                # One byte more than fits tells that there is more.
                body += gzip.decompress(chunk, min(limit.bytes, inflated) + 1 - len(body)) if gzip else chunk
            except zlib.error:
                raise BadAnswer("The server's answer is not valid gzip.", status=status) from None
            if max(len(body), received) > limit.bytes:
                raise too_large(f"{limit.noun} may have {limit.bytes // MB} MB", status)
            if len(body) > inflated:
                raise too_large(f"compressed to less than 1/{MAX_RATIO} of its size", status)
            if len(body) > TURN_FROM and not waited:
                waited = True
                await held.enter_async_context(turn)
    if gzip and received and not gzip.eof:
        raise BadAnswer("The server's answer was cut off (incomplete gzip).", "Try again.", status=status)
    return bytes(body)


def _gzip_of(response: httpx.Response) -> zlib._Decompress | None:
    """What decodes an answer, or None where it is as it is; raises BadAnswer for any coding but one gzip."""
    coding = response.headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        return None
    if coding in ("gzip", "x-gzip"):
        return zlib.decompressobj(zlib.MAX_WBITS | 16)
    named = coding if len(coding) <= 40 and coding.isprintable() else f"{coding[:40]!a}…"
    raise BadAnswer(
        f'The server\'s answer is encoded as "{named}"; only gzip is supported.',
        "A proxy may have changed the encoding.",
        status=response.status_code,
    )


MAX_LINES = 100_000
"""Line ends and tabs in the texts of one answer: a line of two letters takes as much memory as one of fifty."""
MAX_TEXT = 4_000_000
"""Characters of one text, as it is written in JSON."""
MOST_WIDE = 20 * MB
"""Characters of an answer of which each takes four bytes."""
_LINE_ENDS = (r"\n", r"\r", r"\t", r"\u000", r"\u2028", r"\u2029", "\u2028", "\u2029")
_PAIR = re.compile(r"\\u[dD][89abAB]")


def beyond_limits(json_text: str, limit: Limit) -> str:
    """What is too much about JSON to be read, or nothing."""
    if has_more_values(json_text, limit.values):
        return f"{limit.noun} may hold {limit.values:,} values"
    if wide := _too_wide(json_text, limit):
        return wide
    return "" if limit.whole else _texts_beyond_limits(json_text, limit)


def rest_beyond_limits(rest: object, limit: Limit) -> str:
    """Likewise, of JSON that was read, without the text that may be long."""
    json_text = json.dumps(rest, ensure_ascii=False)
    if len(json_text) > limit.size:
        return f"{limit.noun} may have {limit.size // MB} MB besides its prompt"
    return _texts_beyond_limits(json_text, limit)


def _texts_beyond_limits(json_text: str, limit: Limit) -> str:
    # Nearly all hold few escapes of any kind.
    if sum(map(json_text.count, "\\\u2028\u2029")) > MAX_LINES < sum(map(json_text.count, _LINE_ENDS)):
        return f"the texts of {limit.noun} may have {MAX_LINES:,} lines"
    if len(json_text) > MAX_TEXT and any(
        found.end() - found.start() > MAX_TEXT for found in JSON_TEXT.finditer(json_text)
    ):
        return f"a text of {limit.noun} may have {MAX_TEXT // 10**6} million characters"
    return ""


def _too_wide(json_text: str, limit: Limit) -> str:
    """That there are too many characters for a text of which each takes the most memory."""
    # A text with one emoji takes four bytes a character, however it was written.
    wide = min(limit.bytes // 2, MOST_WIDE)
    if len(json_text) > wide and (sys.getsizeof(json_text) > 3 * len(json_text) or _PAIR.search(json_text)):
        return f"{limit.noun} with emoji may have {wide // MB} million characters"
    return ""
