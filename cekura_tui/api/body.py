"""Read the body of an answer, at most `MAX_BYTES` after decompression."""

from __future__ import annotations

import zlib

from cekura_tui.api.errors import BadAnswer, TooLarge
from cekura_tui.api.http import httpx

MB = 2**20
MAX_BYTES = 16 * MB
"""Limit in bytes of one decompressed answer. A run of 10,000 turns has 5 MB."""
MAX_ENTRIES = 10_000
"""Limit of entries on one page of a list; the client asks for 100."""


def too_large(what: str, status: int = 0) -> TooLarge:
    """The error for an answer beyond a limit; `what` names the limit."""
    hint = "Check the API URL; if correct, contact Cekura support."
    return TooLarge(f"The server's answer is too large: {what}.", hint, status=status)


async def read_body(response: httpx.Response) -> bytes:
    """Read and decompress the body of a response. Raises BadAnswer, and TooLarge beyond `MAX_BYTES`."""
    body, status = bytearray(), response.status_code
    gzip, received = _gzip_of(response), False
    async for chunk in response.aiter_raw():
        received = True
        try:
            # One byte over the limit shows that there is more.
            body += gzip.decompress(chunk, MAX_BYTES + 1 - len(body)) if gzip else chunk
        except zlib.error:
            raise BadAnswer("The server's answer is not valid gzip.", status=status) from None
        if len(body) > MAX_BYTES:
            raise too_large(f"it may have {MAX_BYTES // MB} MB", status)
    if gzip and received and not gzip.eof:
        raise BadAnswer("The server's answer was cut off (incomplete gzip).", "Try again.", status=status)
    return bytes(body)


def _gzip_of(response: httpx.Response) -> zlib._Decompress | None:
    """A decompressor for a gzip response, None for an uncompressed one; raises BadAnswer for any other encoding."""
    coding = response.headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        return None
    if coding in ("gzip", "x-gzip"):
        return zlib.decompressobj(zlib.MAX_WBITS | 16)
    named = coding if len(coding) <= 40 and coding.isprintable() else f"{coding[:40]!a}…"
    why = f'The server\'s answer is encoded as "{named}"; only gzip is supported.'
    raise BadAnswer(why, "A proxy may have changed the encoding.", status=response.status_code)
