"""Read the API's answers: JSON, pages of a list, projects, agents, and the error that a refusal becomes."""

from __future__ import annotations

import json
import math
import os
import re
import ssl
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import quote

from cekura_tui.api.body import MAX_ENTRIES, MB, too_large
from cekura_tui.api.errors import (
    ApiError,
    BadAnswer,
    Busy,
    KeyRefused,
    NotConnected,
    NotFound,
    NotSecure,
    Rejected,
    ServerFault,
    Unreachable,
    clock_time,
    read_retry_after,
)
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.run.paging import ListPage
from cekura_tui.model.scope import Agent, AgentVersion, Project, Scenario
from cekura_tui.model.secrets import redact
from cekura_tui.model.text import Prompt, clean, clean_json, clean_line, sha256

T = TypeVar("T")

PROMPTS = frozenset({"description", "llm_system_prompt", "prompt"})
"""Fields of an agent that hold a prompt. Prompts are kept byte for byte, never cleaned."""
_BEGINNING, _LONG = 2_000, 8 * MB
"""Number of characters of an answer that an error shows, and size in bytes above which an answer's text is cut."""
_REQUEST_IDS = ("x-request-id", "x-amzn-requestid", "cf-ray")


@dataclass
class ApiResponse:
    """An answer of the server; header names are in lower case. As it may echo the API key, the key is redacted in texts
    and JSON, except in `raw`, `parsed`, and the fields that a caller names because they hold prompts."""

    status: int
    headers: dict[str, str]
    raw: bytes = field(repr=False)
    key: str = field(default="", repr=False)
    tls: str = ""
    """TLS version of the connection, empty for plain HTTP."""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def allow(self) -> frozenset[str]:
        """Methods listed in the `Allow` header, in upper case."""
        return frozenset(name.strip().upper() for name in self.headers.get("allow", "").split(",") if name.strip())

    @property
    def text(self) -> str:
        """The body, with the key redacted; over `_LONG` bytes, its beginning followed by its size and hash."""
        text = redact(self.raw.decode(json.detect_encoding(self.raw), "replace"), [self.key])
        if len(self.raw) <= _LONG:
            return text
        # The hash distinguishes long answers with the same beginning.
        return f"{text[: 5 * _BEGINNING]}… ({len(self.raw):,} bytes, SHA-256 {sha256(self.raw)})"

    def parsed(self) -> tuple[object, bool]:
        """The body as uncleaned JSON, and whether the body contains the key. Raises BadAnswer if it is not JSON."""
        try:
            # Decode as `json.loads` decodes bytes.
            text = self.raw.decode(json.detect_encoding(self.raw), "surrogatepass")
            return json.loads(text, parse_constant=lambda _: None), redact(text, [self.key]) is not text
        except (ValueError, RecursionError):
            raise self.unexpected("is not JSON" if self.raw.strip() else "is empty") from None

    @property
    def at(self) -> float | None:
        """The `Date` header as Unix time; None if missing or invalid."""
        try:
            return parsedate_to_datetime(self.headers.get("date", "")).timestamp()
        except (ValueError, TypeError, IndexError, OverflowError):
            return None

    @property
    def request_id(self) -> str:
        """The server's id of this request, for its support; empty if none, "?" if it has unusual characters."""
        name = next((self.headers[name] for name in _REQUEST_IDS if name in self.headers), "")
        return redact(name, [self.key]) if re.fullmatch(r"[\w.-]{0,64}", name, re.ASCII) else "?"

    def json(self, keep: frozenset[str] = frozenset(), *, cleaned: bool = True) -> object:
        """The body as JSON with the key redacted; raises BadAnswer. Strings in the fields `keep` are not cleaned or
        redacted. If not `cleaned`, clean all strings before a terminal shows them."""
        return self._safe(*self.parsed(), keep, cleaned=cleaned)

    def json_with(self, exact: Collection[tuple[str, ...]]) -> object:
        """The body as JSON, as `json` returns it, but the strings at the paths `exact` as sent. Raises BadAnswer."""
        value, repeats = self.parsed()
        texts = [(path, _at(value, path)) for path in exact]
        cleaned = self._safe(value, repeats)
        for (*parents, name), text in texts:
            place = _at(cleaned, parents)
            if isinstance(place, dict) and isinstance(text, str):
                place[name] = text
        return cleaned

    def _safe(
        self, value: object, repeats_key: bool, keep: frozenset[str] = frozenset(), *, cleaned: bool = True
    ) -> object:
        try:
            value = clean_json(value, keep) if cleaned else value
            return _without_key(value, self.key, keep) if repeats_key else value
        except RecursionError:
            raise self.unexpected("is nested too deeply") from None

    def unexpected(self, what: str) -> BadAnswer:
        return BadAnswer(
            f"The server's answer {what}.",
            "Check the API URL; if correct, try again later.",
            status=self.status,
            request_id=self.request_id,
            body=clean(self.text[:_BEGINNING]),
        )


def _without_key(value: object, key: str, keep: frozenset[str]) -> object:
    """Redact the key in all strings and field names of a JSON value, except in strings of the fields `keep`."""
    if isinstance(value, str):
        return redact(value, [key])
    if isinstance(value, list):
        return [_without_key(item, key, keep) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        redact(name, [key]): item if name in keep and isinstance(item, str) else _without_key(item, key, keep)
        for name, item in value.items()
    }


def _at(value: object, path: Sequence[str]) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def no_connection(host: str, error: Exception) -> NotConnected:
    cause = _cause(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return NotSecure(*_bad_certificate(host, cause))
    if isinstance(cause, ssl.SSLError):
        reason = cause.reason or str(cause.strerror)
        if reason in _NO_TLS:
            hint = "Check the port of the API URL, and https:// before the host."
            return NotSecure(f"{host} does not use TLS there.", hint)
        hint = "Check the API URL, or ask who runs the server."
        return NotConnected(f"No secure connection to {host}: {_reason_text(reason)}.", hint)
    why = clean_line(_system_message(cause), 120) or type(error).__name__
    return NotConnected(f"Can't reach {host}: {why}.", "Check the network and the API URL, then try again.")


_EXPIRED, _NOT_YET_VALID, _OTHER_NAMES = 10, 9, (62, 64)
"""OpenSSL's verify codes of a bad certificate (`X509_V_ERR_…`)."""
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"})
"""Reasons that versions of OpenSSL give for an answer that is not TLS."""


def _bad_certificate(host: str, error: ssl.SSLCertVerificationError) -> tuple[str, str]:
    """Message and hint for a certificate that fails verification."""
    if error.verify_code == _EXPIRED:
        return f"The certificate of {host} has expired.", "Check this machine's clock, or ask who runs the server."
    if error.verify_code == _NOT_YET_VALID:
        return f"The certificate of {host} is not valid yet.", "Check this machine's clock."
    if error.verify_code in _OTHER_NAMES:
        return f"The certificate of {host} is for another host name.", "Check the host in the API URL."
    why = clean_line(error.verify_message, 120).rstrip(".")  # some of OpenSSL's messages end with a full stop
    hint = "If the server, or a proxy on the way, has its own authority, set SSL_CERT_FILE to its certificate (PEM)."
    return f"Can't trust the certificate of {host}: {why}.", hint


def lost_connection(host: str, error: Exception) -> Unreachable:
    """The error for a connection that was lost before the answer was complete; `error` is the cause."""
    why = f": {_reason_text(error.reason)}" if isinstance(error, ssl.SSLError) and error.reason else ""
    return Unreachable(f"Lost the connection to {host} before the answer came{why}.", "Try again.")


def _reason_text(reason: str) -> str:
    return clean_line(reason.replace("_", " ").lower(), 120)


def _system_message(cause: BaseException) -> str:
    if not isinstance(cause, OSError):
        return str(cause)
    # asyncio replaces the system's text for a refused connection; getaddrinfo errors have negative codes.
    words = os.strerror(cause.errno) if cause.errno and cause.errno > 0 else str(cause.strerror)
    return words[:1].lower() + words[1:]


def _cause(error: BaseException) -> BaseException:
    """The first OSError in the chain of causes that has a system message, else the error itself."""
    seen: list[BaseException] = [error]
    for one in seen:
        if isinstance(one, OSError) and one.strerror:
            return one
        deeper = [*one.exceptions] if isinstance(one, BaseExceptionGroup) else []
        deeper += [inner for inner in (one.__cause__, one.__context__) if inner is not None]
        seen += [inner for inner in deeper if inner not in seen]
    return error


_CREDITS = re.compile(r"\b(?:credits?|balance|quota|billing|payment)\b", re.IGNORECASE)


def refusal(answer: ApiResponse, host: str, now: float) -> ApiError:
    """The error for an answer whose status is not 2xx; `now` is Unix time."""
    server_message = _server_message(answer)
    status = answer.status
    wait = read_retry_after(answer.headers.get("retry-after"), now)
    kind: type[ApiError]
    if status == 402 or (status == 403 and _CREDITS.search(server_message)):
        kind, message = Rejected, f"The workspace has too few credits ({status}{server_message})."
        hint = "Add credits in the dashboard, or plan fewer calls."
    elif status in (401, 403):
        kind, message = KeyRefused, f"{host} refused the API key ({status}{server_message})."
        hint = "Sign in again with `cekura-tui auth login`, or check CEKURA_API_KEY."
    elif status in (404, 410):
        kind, message = NotFound, f"Not found on {host} ({status}{server_message})."
        hint = "Deleted, or not visible to this key."
    elif status == 429:
        kind, message = Busy, f"Too many requests to {host} (429{server_message})."
        hint = f"Try again at {clock_time(now, wait)}." if wait is not None else "Try again in a minute."
    elif status >= 500:
        kind, message, hint = ServerFault, f"{host} failed ({status}{server_message}).", "Try again later."
    elif 300 <= status < 400:
        kind, message = BadAnswer, f"{host} redirects to another address ({status}); redirects are not followed."
        hint = "Set the API URL to the final address."
    else:
        kind, message, hint = Rejected, f"{host} refused the request ({status}{server_message}).", ""
    return kind(
        message,
        hint,
        status=status,
        request_id=answer.request_id,
        body=clean(answer.text[:_BEGINNING]),
        retry_after=wait,
    )


def _server_message(answer: ApiResponse) -> str:
    """The message in the server's answer, with ": " before it; empty if there is none. JSON holds the message as
    `{"detail": …}` or `{field: [text]}`. For HTML, ", an HTML page" is returned."""
    try:
        body = answer.json()
    except BadAnswer:
        html = "html" in answer.headers.get("content-type", "") or answer.raw.lstrip()[:1] == b"<"
        return ", an HTML page" if html else ""
    if not isinstance(body, dict):
        return f": {clean_line(str(body), 200)}" if body else ""
    parts = []
    for name, value in body.items():
        texts = value if isinstance(value, list) else [value]
        text = " ".join(item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in texts)
        parts.append(text if name in ("detail", "non_field_errors", "message", "error") else f"{name}: {text}")
    return f": {clean_line('; '.join(parts), 300)}" if parts else ""


def read_page(body: object, read: Callable[[object], T]) -> ListPage[T]:
    """Parse a page `{count, next, previous, results}`, or a bare list as the only page, as `read_list` does."""
    page = body if isinstance(body, dict) else {"results": body}
    items = read_list(page.get("results"), read)
    count = page.get("count")
    whole = count if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 2**63 else len(items)
    return ListPage(whole, tuple(items), bool(page.get("next")))


def read_list(body: object, read: Callable[[object], T]) -> list[T]:
    """Parse a bare list; skip entries that `read` rejects. Raises BadAnswer."""
    if not isinstance(body, list):
        raise BadAnswer("The server's answer is not a list.", "Check the API URL.")
    if len(body) > MAX_ENTRIES:
        raise too_large(f"a page of a list may have {MAX_ENTRIES:,} entries")
    items: list[T] = []
    for entry in body:
        try:
            items.append(read(entry))
        except CekuraTuiError:
            continue
    return items


def read_projects(body: object) -> list[Project]:
    """Parse a list of projects: a bare list, as the API sends, or a page. Raises BadAnswer."""
    return list(read_page(body, _project).items)


def _project(body: object) -> Project:
    number, sent = _with_id(body)
    return Project(number, clean_line(str(sent.get("name") or f"project {number}"), 80))


def read_agent(body: object) -> Agent:
    """Parse an agent of API v1 (`agent_name`) or v2 (`name`). Raises BadAnswer."""
    number, sent = _with_id(body)
    prompt, project, provider = sent.get("description"), sent.get("project"), sent.get("provider")
    synced = sent.get("auto_sync_prompt_enabled") is True
    synced = synced or (isinstance(provider, dict) and provider.get("auto_sync_prompt") is True)
    name = sent.get("agent_name") or sent.get("name") or f"agent {number}"
    return Agent(
        number,
        clean_line(str(name), 80),
        project if isinstance(project, int) and not isinstance(project, bool) else None,
        Prompt(prompt) if isinstance(prompt, str) else None,
        synced,
        *_setup_of(sent),
    )


_SETUP = {"contact_number": "number", "phone_number": "number", "sip_uri": "sip", "websocket_url": "websocket"}
_SETUP |= {"chat_agent_details": "chat", "websocket_headers": "websocket"}


def _setup_of(body: dict[str, object]) -> tuple[str, tuple[str, ...], str]:
    """An agent's provider, ways to call it and id there; of other fields, perhaps credentials, only the presence."""
    provider = body.get("provider")
    places = [body, *(place for place in (provider, body.get("telephony")) if isinstance(place, dict))]
    kind = body.get("assistant_provider") or (provider.get("type") if isinstance(provider, dict) else provider)
    words = dict.fromkeys(word for place in places for name, word in _SETUP.items() if place.get(name))
    if any(place.get("inbound") is False for place in places):
        words["outbound"] = None
    number = body.get("assistant_id") or (provider.get("agent_id") if isinstance(provider, dict) else None)
    named = clean_line(number, 200) if isinstance(number, str) else ""
    return clean_line(str(kind or ""), 40).lower(), tuple(words), named


def read_scenario(body: object) -> Scenario:
    number, sent = _with_id(body)
    personality = sent.get("personality")
    return Scenario(
        number,
        clean_line(str(sent.get("name") or f"scenario {number}"), 120),
        personality if isinstance(personality, int) and not isinstance(personality, bool) else None,
        clean_line(str(sent.get("personality_name") or ""), 80),
    )


def read_version(body: object) -> AgentVersion:
    """Parse a row of an agent's history. Raises BadAnswer."""
    if not isinstance(body, dict) or not isinstance(body.get("history_id"), int):
        raise BadAnswer("The server's answer has no version.", "Check the API URL.")
    prompt, version = body.get("description"), body.get("version_id")
    named = frozenset(str(value) for value in (body["history_id"], version) if value not in (None, ""))
    return AgentVersion(named, Prompt(prompt) if isinstance(prompt, str) else None)


def read_credits(body: object) -> float | None:
    """The remaining credits, which are sent as a text; None if missing or invalid."""
    try:
        found = float(body["credits_remaining"]) if isinstance(body, dict) else math.nan
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _with_id(body: object) -> tuple[int, dict[str, object]]:
    sent = body if isinstance(body, dict) else {}
    if not isinstance(number := sent.get("id"), int) or isinstance(number, bool) or not 0 <= number < 2**63:
        raise BadAnswer("The server's answer has no id.", "Check the API URL.")
    return number, sent


MAX_ID = 60_000
"""Longest id in bytes, URL-encoded, that still fits in a request."""


def progress_id(answer: ApiResponse, name: str) -> str | None:
    """The id of a launched job, from the answer's field `name` (string or number); None if there is no usable id."""
    try:
        body, _ = answer.parsed()
    except BadAnswer:
        return None
    found = body.get(name) if isinstance(body, dict) else None
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    if not isinstance(found, str) or not found.strip():
        return None
    # Lone surrogates and over-long ids can't be sent in a query, and the key must not be stored as an id.
    unfit = any("\ud800" <= letter <= "\udfff" for letter in found) or len(quote(found)) > MAX_ID
    return None if unfit or redact(found, [answer.key]) != found else found
