"""Fetch recordings, and keep them for a day in files or, in a read-only session, in memory."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import urljoin

from cekura_tui.api.http import httpx
from cekura_tui.audio import RecordingError
from cekura_tui.config.atomic_file import atomic_file
from cekura_tui.config.credentials import is_loopback
from cekura_tui.config.paths import make_private, remove_old_recordings
from cekura_tui.model.run.details import web_link
from cekura_tui.model.text import clean_line

MB = 1_000_000
MAX_BYTES, MAX_SECONDS = 200 * MB, 120.0
MAX_REDIRECTS = 5
Progress = Callable[[int, int | None], None]
"""Called with the bytes fetched so far, and the bytes of the whole recording, None if unknown."""
_HEADERS = {"User-Agent": "cekura-tui", "Accept-Encoding": "identity"}
_RETRY, _BROWSER = "Try again later.", "Open the link in a browser."
_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<[!?a-zA-Z]")
_HEAD = 64
_ENDINGS = {
    ".wav": rb"(RIFF|RF64)....WAVE",
    ".mp3": rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]",
    ".flac": rb"fLaC",
    ".ogg": rb"OggS",
    ".m4a": rb"....ftyp",
}
"""Patterns of a file's first bytes, by the ending of its name."""


class LinkExpired(RecordingError):
    """The host refused the link, or answered with a page instead of a recording."""


class Recording(NamedTuple):
    """A recording in a file that other processes of this user can open. `memory` is the descriptor of a file that is in
    memory only, else None; `link` is the link from which the recording was fetched."""

    path: Path
    link: str
    memory: int | None = None

    def discard(self) -> None:
        """Delete the file, or free the memory; call it once."""
        with suppress(OSError):
            self.path.unlink() if self.memory is None else os.close(self.memory)


async def find_recording(
    directory: Path,
    run: str,
    link: object,
    progress: Progress,
    *,
    read_only: str = "",
    most: int = MAX_BYTES,
    seconds: float = MAX_SECONDS,
) -> Recording:
    """The recording of a run in `directory` or, if it is not there, fetched into a file there. With `read_only`, which
    says how to end a read-only session, fetched into memory. Raises LinkExpired and other RecordingErrors."""
    if not link:
        raise RecordingError("This run has no recording.")
    address = str(link).strip()
    url = _read_url(address)
    name = hashlib.sha256(f"{run} {address.partition('?')[0]}".encode()).hexdigest()[:32]
    if not read_only:
        remove_old_recordings(directory, time.time())
    if kept := _find(directory, name):
        return Recording(kept, address)
    try:
        if read_only:
            if not hasattr(os, "memfd_create"):
                raise RecordingError("This system can't keep a recording in memory.", read_only)
            memory = os.memfd_create("recording")
            try:
                with os.fdopen(memory, "wb", closefd=False) as file:
                    await fetch(url, file, progress, most=most, seconds=seconds)
            except BaseException:
                os.close(memory)
                raise
            return Recording(Path(f"/proc/{os.getpid()}/fd/{memory}"), address, memory)
        make_private(directory)
        part = directory / name
        with atomic_file(part) as file:  # the content decides the ending
            ending = await fetch(url, file, progress, most=most, seconds=seconds)
        path = part.rename(part.with_suffix(ending))
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise RecordingError(f"Can't save the recording: {why}.", f"Check {directory}, and the space there.") from None
    remove_old_recordings(directory, time.time())
    return Recording(path, address)


def _find(directory: Path, name: str) -> Path | None:
    return next(directory.glob(f"{name}.*"), None)


def _read_url(link: str, base: str = "") -> httpx.URL:
    """A link, or a redirect from the URL `base`, as URL; raises RecordingError unless it may be fetched."""
    whose = "the host redirects to a link that" if base else "The link to the recording"
    try:
        url = httpx.URL(web_link(urljoin(base, link)) or "")
        is_web = bool(url.host)
    except (httpx.InvalidURL, ValueError):
        is_web = False
    if not is_web:
        raise RecordingError(f"{whose} is no web link.", "Only http and https links are fetched.")
    if url.userinfo:
        raise RecordingError(f"{whose} contains a user name or a password.", "Fetch it with another program.")
    return url


def _open(host: str) -> httpx.AsyncClient:
    """A client without key and cookies, as for any stranger's server; it reads no ~/.netrc."""
    local = is_loopback(host)  # must not go through a proxy from the environment
    timeout = httpx.Timeout(20.0, connect=10.0)
    try:
        return httpx.AsyncClient(headers=_HEADERS, timeout=timeout, trust_env=not local)
    except (ValueError, ImportError, OSError, httpx.InvalidURL):
        # The error's own text may contain the proxy's password.
        hint = "Check HTTPS_PROXY, ALL_PROXY, NO_PROXY and SSL_CERT_FILE."
        raise RecordingError("the proxy or the certificates set in the environment can't be used.", hint) from None


async def fetch(
    url: httpx.URL, file: IO[bytes], progress: Progress, *, most: int = MAX_BYTES, seconds: float = MAX_SECONDS
) -> str:
    """Write the recording behind a link to a file; returns the ending of the file's name. Raises LinkExpired and other
    RecordingErrors, and OSErrors of the file."""
    target = url
    try:
        async with asyncio.timeout(seconds):
            for _ in range(MAX_REDIRECTS + 1):
                async with _open(target.host) as http, http.stream("GET", target) as response:
                    if not response.has_redirect_location:
                        return await _save(response, file, progress, most)
                    target = _read_url(response.headers["location"], str(target))
        raise RecordingError(f"the host redirects more than {MAX_REDIRECTS} times.", _BROWSER)
    except (RecordingError, TimeoutError, httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        failure = error if isinstance(error, RecordingError) else RecordingError(*_reason(error, seconds))
        shown = url.copy_with(query=None, fragment=None)  # the query may be a signature
        failure.message = f"Can't fetch {clean_line(str(shown), 120)}: {failure.message}"
        raise failure from None


def _reason(error: Exception, seconds: float) -> tuple[str, str]:
    if isinstance(error, TimeoutError):
        return f"the recording did not come within {seconds:g} seconds.", _RETRY
    if isinstance(error, httpx.TimeoutException):
        return "the host did not answer in time.", _RETRY
    if "CERTIFICATE" in str(error):
        return "the certificate of the host can't be trusted.", "See `cekura-tui manual trouble`."
    return "no connection to the host.", "Check the network, then try again."


async def _save(response: httpx.Response, file: IO[bytes], progress: Progress, most: int) -> str:
    status, headers = response.status_code, response.headers
    page = re.search("html|xml", headers.get("content-type", "").lower())
    expired = LinkExpired("the link has expired, or the recording was deleted.", "Reload the run.")
    if status in (403, 404, 410) or (page and (status == 400 or response.is_success)):
        raise expired
    if not response.is_success:
        raise RecordingError(f"the host answered with status {status}.", _RETRY)
    coding, length = headers.get("content-encoding", "identity").lower(), headers.get("content-length", "")
    if coding not in ("identity", "gzip"):
        raise RecordingError("the host compressed the recording, but not with gzip.", _BROWSER)
    gzip = zlib.decompressobj(zlib.MAX_WBITS | 16) if coding == "gzip" else None
    too_large = RecordingError(f"the recording is larger than {most // MB:,} MB.", _BROWSER)
    total = int(length) if length.isdecimal() else None
    if (total or 0) > most:
        raise too_large
    came, done, head = 0, 0, b""
    try:
        async for piece in response.aiter_raw():
            came += len(piece)
            # One byte over the limit shows that there is more.
            data = gzip.decompress(piece, most + 1 - done) if gzip else piece
            done += len(data)
            if done > most:
                raise too_large
            head += data[: _HEAD - len(head)]
            file.write(data)
            progress(done, None if gzip else total)
        if gzip and came and not gzip.eof:
            raise httpx.ReadError("incomplete gzip")
    except (httpx.HTTPError, httpx.StreamError):
        of = f" of {total / MB:,.1f}" if total else ""
        raise RecordingError(f"the connection was lost; {came / MB:,.1f}{of} MB came.", _RETRY) from None
    except zlib.error:
        raise RecordingError("the host sent damaged gzip.", _RETRY) from None
    if not done:
        raise RecordingError("the host sent an empty file.", _RETRY)
    if _PAGE.match(head):
        raise expired
    return next((one for one, pattern in _ENDINGS.items() if re.match(pattern, head, re.DOTALL)), ".bin")
