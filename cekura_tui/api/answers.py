"""Reading answers: JSON, pages, projects and agents, and what a refusal says."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TypeVar

from cekura_tui.api.errors import (
    ApiError,
    BadAnswer,
    Busy,
    KeyRefused,
    NotFound,
    Rejected,
    ServerFault,
    at_clock,
    read_retry_after,
)
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.run.listing import ListPage
from cekura_tui.model.scope import Agent, Project
from cekura_tui.model.text import Prompt, clean, clean_json, clean_line

T = TypeVar("T")

PROMPTS = frozenset({"description", "llm_system_prompt", "prompt"})
"""The fields of an agent that hold a prompt: never cleaned, always exact."""
THE_KEY = "[the key]"
"""What stands in an answer where the server repeated the key."""
_CONTROLS = re.compile(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")
_REQUEST_IDS = ("x-request-id", "x-amzn-requestid", "cf-ray")


@dataclass(frozen=True)
class ApiResponse:
    """An answer of the server; header names are in lower case.

    It may repeat the key that it was asked with. What is read of it is shown, recorded and printed, so the key is in
    none of that, but for a prompt, which is exact.
    """

    status: int
    headers: dict[str, str]
    raw: bytes = field(repr=False)
    key: str = field(default="", repr=False)

    @cached_property
    def text(self) -> str:
        """The body as text, without the key; bytes that are no UTF-8 are replaced.

        It is as it came, unless the key was written with escapes: then it is the same JSON, written anew.
        """
        text = self.raw.decode("utf-8", "replace")
        if not self._may_repeat:
            return text
        text = text.replace(self.key, THE_KEY)
        with contextlib.suppress(ValueError, RecursionError):
            redacted = _without(self._parsed, self.key)
            text = text if redacted == self._parsed or _is_json_of(text, redacted) else json.dumps(redacted)
        # What is drawn is cleaned, which may join what a character in between kept apart.
        return clean(text).replace(self.key, THE_KEY) if self.key in clean(text) else text

    @cached_property
    def _may_repeat(self) -> bool:
        """Whether the key may be in the body: as it is, with escapes or other characters, or in another encoding."""
        raw, key = self.raw, self.key
        if not key:
            return False
        escaped = b"\\u" in raw or (any(mark in key for mark in '"\\/') and b"\\" in raw)
        return key.encode() in raw or escaped or not raw.isascii() or _CONTROLS.search(raw) is not None

    @cached_property
    def _parsed(self) -> object:
        return json.loads(self.raw, parse_constant=lambda _: None)

    @property
    def at(self) -> float | None:
        """The server's own time (Unix) of its answer, where it told one."""
        try:
            return parsedate_to_datetime(self.headers.get("date", "")).timestamp()
        except (ValueError, TypeError, IndexError, OverflowError):
            return None

    @property
    def request_id(self) -> str:
        """The server's name for this request, to tell its support."""
        name = next((self.headers[name] for name in _REQUEST_IDS if name in self.headers), "")
        return clean_line(name.replace(self.key, THE_KEY) if self.key else name, 80)

    def json(self, keep: frozenset[str] = frozenset()) -> object:
        """The body as JSON, every text cleaned but those of the fields in `keep`; raises BadAnswer."""
        return self._read(lambda value: clean_json(value, keep), keep)

    def exact(self) -> object:
        """The body as JSON, every text as it came but for the key; none may reach a terminal so. Raises BadAnswer."""
        return self._read(lambda value: value)

    def _read(self, convert: Callable[[object], object], keep: frozenset[str] = frozenset()) -> object:
        try:
            value = convert(self._parsed)
            return _without(value, self.key, keep) if self._may_repeat else value
        except (ValueError, RecursionError):
            raise self.unexpected("is not JSON" if self.raw.strip() else "is empty") from None

    def unexpected(self, what: str) -> BadAnswer:
        """The error for an answer that is not what was promised."""
        return BadAnswer(
            f"The server's answer {what}.",
            "Check that the API URL is Cekura's; if it is, try again later.",
            status=self.status,
            request_id=self.request_id,
            body=clean(self.text[:2000]),
        )


def _without(value: object, key: str, keep: frozenset[str] = frozenset()) -> object:
    """Parsed JSON in which no text repeats the key, names of fields neither; texts of the fields in `keep` stay."""
    if isinstance(value, str):
        return _text_without(value, key)
    if isinstance(value, list):
        return [_without(item, key, keep) for item in value]
    if isinstance(value, dict):
        return {
            _text_without(name, key): item if name in keep and isinstance(item, str) else _without(item, key, keep)
            for name, item in value.items()
        }
    return value


def _text_without(text: str, key: str) -> str:
    """A text without the key, also where only cleaning would join it."""
    text = text.replace(key, THE_KEY)
    shown = clean(text)
    return shown.replace(key, THE_KEY) if key in shown else text


def _is_json_of(text: str, value: object) -> bool:
    """Whether a text is JSON and says just this."""
    try:
        return bool(json.loads(text, parse_constant=lambda _: None) == value)
    except ValueError:
        return False


def no_connection(host: str, error: Exception) -> tuple[str, str]:
    """Message and hint where no connection came about."""
    why = clean_line(_cause(error), 120) or type(error).__name__
    return f"{host} cannot be reached: {why}.", "Check the network and the API URL, then try again."


def _cause(error: BaseException) -> str:
    """The system's own words for it, which stand deep under those of the libraries."""
    seen: list[BaseException] = [error]
    for one in seen:
        if isinstance(one, OSError) and one.strerror:
            # The event loop words a refused connection itself; a name that is not found has a negative code.
            cause = os.strerror(one.errno) if one.errno and one.errno > 0 else one.strerror
            return cause[:1].lower() + cause[1:]
        deeper = [*one.exceptions] if isinstance(one, BaseExceptionGroup) else []
        deeper += [inner for inner in (one.__cause__, one.__context__) if inner is not None]
        seen += [inner for inner in deeper if inner not in seen]
    return str(error)


def refusal(answer: ApiResponse, host: str, now: float) -> ApiError:
    """The error that an answer other than 2xx stands for. `now` is Unix time."""
    server_message = _server_message(answer)
    status = answer.status
    wait = read_retry_after(answer.headers.get("retry-after"), now)
    kind: type[ApiError]
    if status in (401, 403):
        kind, message = KeyRefused, f"{host} refused the API key ({status}{server_message})."
        hint = "Sign in again with `cekura-tui auth login`, or check CEKURA_API_KEY."
    elif status in (404, 410):
        kind, message = NotFound, f"{host} does not have it ({status}{server_message})."
        hint = "It may be gone, or belong to another key."
    elif status == 429:
        kind, message = Busy, f"{host} asks to slow down (429{server_message})."
        hint = f"It will answer again at {at_clock(now, wait)}." if wait is not None else "Try again in a minute."
    elif status >= 500:
        kind, message, hint = ServerFault, f"{host} failed ({status}{server_message}).", "Try again later."
    elif 300 <= status < 400:
        kind, message = BadAnswer, f"{host} sent us on to another address ({status}), which is not followed."
        hint = "Set the API URL to the server's own address."
    else:
        kind, message, hint = Rejected, f"{host} did not accept it ({status}{server_message}).", ""
    return kind(
        message,
        hint,
        status=status,
        request_id=answer.request_id,
        body=clean(answer.text[:2000]),
        retry_after=wait,
    )


def _server_message(answer: ApiResponse) -> str:
    """What a refusal says, as `: text`: `{"detail": …}`, `{field: [text]}`, or that it is an HTML page."""
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
    """A page `{count, next, previous, results}`; a bare list is taken as the only page."""
    if isinstance(body, list):
        items = read_list(body, read)
        return ListPage(len(items), tuple(items), False)
    if not isinstance(body, dict) or not isinstance(body.get("results"), list):
        raise BadAnswer("The server's answer is not a list.", "Check that the API URL is Cekura's.")
    items = read_list(body["results"], read)
    count = body.get("count")
    whole = count if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 2**63 else len(items)
    return ListPage(whole, tuple(items), bool(body.get("next")))


def read_list(body: object, read: Callable[[object], T]) -> list[T]:
    """A bare list; an entry that cannot be read does not cost the others."""
    if not isinstance(body, list):
        raise BadAnswer("The server's answer is not a list.", "Check that the API URL is Cekura's.")
    items: list[T] = []
    for entry in body:
        try:
            items.append(read(entry))
        except CekuraTuiError:
            continue
    return items


def read_projects(body: object) -> list[Project]:
    """Projects come as a bare list; a page of them is taken too."""
    return list(read_page(body, _project).items)


def _project(body: object) -> Project:
    number = _id_of(body)
    assert isinstance(body, dict)
    return Project(number, clean_line(str(body.get("name") or f"project {number}"), 80))


def read_agent(body: object) -> Agent:
    """An agent of v1 (`agent_name`) or v2 (`name`)."""
    number = _id_of(body)
    assert isinstance(body, dict)
    prompt = body.get("description")
    project = body.get("project")
    provider = body.get("provider")
    synced = body.get("auto_sync_prompt_enabled") is True
    synced = synced or (isinstance(provider, dict) and provider.get("auto_sync_prompt") is True)
    name = body.get("agent_name") or body.get("name") or f"agent {number}"
    return Agent(
        number,
        clean_line(str(name), 80),
        project if isinstance(project, int) and not isinstance(project, bool) else None,
        Prompt(prompt) if isinstance(prompt, str) else None,
        synced,
    )


def _id_of(body: object) -> int:
    number = body.get("id") if isinstance(body, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**63:
        raise BadAnswer("The server's answer lacks an id.", "Check that the API URL is Cekura's.")
    return number


def progress(answer: ApiResponse, exact: Collection[tuple[str, ...]]) -> object:
    """How far a job is, as its kind reads it: the texts at the paths `exact` as they came, all others cleaned."""
    cleaned, whole = answer.json(), answer.json(frozenset(path[-1] for path in exact))
    for *parents, name in exact:
        place, source = cleaned, whole
        for parent in parents:
            place, source = (one.get(parent) if isinstance(one, dict) else None for one in (place, source))
        if isinstance(place, dict) and isinstance(source, dict) and isinstance(source.get(name), str):
            place[name] = source[name]
    return cleaned


def progress_id(answer: ApiResponse, name: str) -> str | None:
    """The id by which a launched job is asked for, a text or a number, in the field `name` of the answer."""
    try:
        body = json.loads(answer.raw)
    except (ValueError, RecursionError):
        return None
    found = body.get(name) if isinstance(body, dict) else None
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    if not isinstance(found, str) or not found.strip():
        return None
    # Half a surrogate pair cannot be sent back in a query, and the key is not kept as an id: both are as good as none.
    unfit = any("\ud800" <= letter <= "\udfff" for letter in found) or (answer.key and answer.key in found)
    return None if unfit else found
