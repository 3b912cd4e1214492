"""Fetch recordings, and keep them for a day in files or, in a read-only session, in memory."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin

from cekura_tui.api.http import httpx
from cekura_tui.audio import RecordingError
from cekura_tui.config.atomic_file import atomic_file
from cekura_tui.config.credentials import is_loopback
from cekura_tui.config.paths import make_private, remove_old_recordings
from cekura_tui.model.run.details import web_link
from cekura_tui.model.text import clean_line

MAX_BYTES, MAX_SECONDS, MAX_REDIRECTS = 200_000_000, 120.0, 5
Progress = Callable[[int, int | None], None]
"""Called with the bytes fetched so far, and the bytes of the whole recording, None if unknown."""
_HEADERS = {"User-Agent": "cekura-tui", "Accept-Encoding": "identity"}
_RETRY, _BROWSER = "Try again later.", "Open the link in a browser."
_ENDINGS = {rb"RIFF|RF64": "wav", rb"fLaC": "flac", rb"OggS": "ogg", rb"(?s)....ftyp": "m4a", rb"ID3|\xff": "mp3"}
"""Endings of file names by the first bytes of a file."""


class LinkExpired(RecordingError):
    """The host refused the link, or answered with a page instead of a recording."""


class Recording(NamedTuple):
    """A file that other programs can open. `memory` is its descriptor if the file exists in memory only."""

    path: Path
    memory: int | None = None

    def discard(self) -> None:
        """Delete the file, or free the memory; call it once."""
        with suppress(OSError):
            self.path.unlink() if self.memory is None else os.close(self.memory)


async def find_recording(directory: Path, run: str, link: object, progress: Progress, read_only: str) -> Recording:
    """The recording of a run, kept in `directory` or fetched now; fetched into memory in a read-only session, and
    `read_only` says how to end that. Raises LinkExpired and other RecordingErrors."""
    if not link:
        raise RecordingError("This run has no recording.")
    url = _read_url(str(link), "The link to the recording")
    if read_only:
        if not hasattr(os, "memfd_create"):
            raise RecordingError("A read-only session can't keep a recording on this system.", read_only)
        data = await _fetch(url, progress)
        memory = os.memfd_create("recording")
        os.write(memory, data)
        return Recording(Path(f"/proc/{os.getpid()}/fd/{memory}"), memory)
    remove_old_recordings(directory, time.time())
    name = "cekura-" + hashlib.sha256(f"{run} {url.copy_with(query=None)}".encode()).hexdigest()[:32]
    for kept in directory.glob(f"{name}.*"):  # noqa: ASYNC240 # a small directory
        return Recording(kept)
    data = await _fetch(url, progress)
    path = directory / f"{name}.{next((_ENDINGS[start] for start in _ENDINGS if re.match(start, data)), 'bin')}"
    try:
        make_private(directory)
        with atomic_file(path) as file:
            file.write(data)
    except OSError as error:
        raise RecordingError(f"Can't save the recording: {error.strerror}.", f"Check {directory}.") from None
    return Recording(path)


def _read_url(link: str, what: str) -> httpx.URL:
    """A link as URL; raises RecordingError unless the link may be fetched."""
    with suppress(httpx.InvalidURL):
        if (url := httpx.URL(web_link(link) or "")).host and not url.userinfo and (url.port or 0) < 65_536:
            return url
    raise RecordingError(f"{what} is no web link, or contains a password.", "Only http and https links are fetched.")


async def _fetch(url: httpx.URL, progress: Progress) -> bytearray:
    """The recording behind a link. No key, cookie or password is sent. Raises LinkExpired, other RecordingErrors."""
    shown = clean_line(str(url.copy_with(query=None, fragment=None)), 120)  # the query may be a signature
    try:
        async with asyncio.timeout(MAX_SECONDS):
            for _ in range(MAX_REDIRECTS + 1):
                async with (
                    httpx.AsyncClient(headers=_HEADERS, timeout=20.0, trust_env=not is_loopback(url.host)) as http,
                    http.stream("GET", url) as response,
                ):
                    if not response.has_redirect_location:
                        return await _read(response, progress)
                    url = _read_url(urljoin(str(url), response.headers["location"]), "the link of a redirect")
        failure = RecordingError(f"the host redirects more than {MAX_REDIRECTS} times.", _BROWSER)
    except RecordingError as error:
        failure = error
    except (TimeoutError, httpx.TimeoutException):
        failure = RecordingError("the recording did not come in time.", _RETRY)
    except (httpx.HTTPError, httpx.InvalidURL, ImportError, ValueError, OSError):  # perhaps with the proxy's password
        failure = RecordingError("no connection to the host.", "Check network, certificates (SSL_CERT_FILE) and proxy.")
    failure.message = f"Can't fetch {shown}: {failure.message}"
    raise failure


async def _read(response: httpx.Response, progress: Progress) -> bytearray:
    status, headers, data = response.status_code, response.headers, bytearray()
    if 400 <= status < 500:
        raise LinkExpired("the link has expired.")
    if not response.is_success:
        raise RecordingError(f"the host answered with status {status}.", _RETRY)
    if headers.get("content-encoding", "identity") != "identity":
        raise RecordingError("the host compressed the recording.", _BROWSER)
    total = int(headers.get("content-length", 0)) or None
    try:
        async for piece in response.aiter_raw():
            data += piece
            if max(len(data), total or 0) > MAX_BYTES:
                raise RecordingError(f"the recording is larger than {MAX_BYTES / 1e6:,.0f} MB.", _BROWSER)
            progress(len(data), total)
    except httpx.HTTPError:
        of = f" of {total / 1e6:,.1f}" if total else ""
        raise RecordingError(f"the connection was lost; {len(data) / 1e6:,.1f}{of} MB came.", _RETRY) from None
    if not data:
        raise RecordingError("the host sent an empty file.", _RETRY)
    if re.match(rb"(\xef\xbb\xbf)?\s*[<{]", data):  # HTML, XML or JSON, whatever its type
        raise LinkExpired("the link has expired.")
    return data
