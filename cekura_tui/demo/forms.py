"""Read and validate request bodies, and write the API's answers and errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cekura_tui.demo.corpus import Corpus
from cekura_tui.demo.listing import Invalid, number, require

_LARGEST = 64 * 1024 * 1024
_DEEPEST = 100
"""Maximum depth of nested lists and objects in a body; no operation needs more than three levels."""
_TOO_DEEP = {"detail": f"JSON parse error - nested more than {_DEEPEST} levels deep."}
_LISTS = (
    *("run_ids", "category_ids", "workflow_metric_ids"),
    *("scenarios", "personality_ids", "test_profile_ids", "mock_tool_names", "tags"),
)
REQUIRED = ["This field is required."]


@dataclass(frozen=True, slots=True)
class LaunchForm:
    prompt: str
    run_ids: tuple[int, ...]
    agent: int
    category_ids: tuple[int, ...]
    metric_ids: tuple[int, ...]


async def read_fields(request: Request) -> dict[str, object]:
    """The fields of a request's body, not validated. Raises Invalid or, for another media type, HTTPException."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        async with request.form(max_part_size=_LARGEST) as form:
            given: dict[str, object] = {name: value for name, value in form.items() if isinstance(value, str)}
            for name in _LISTS:
                texts = [value for value in form.getlist(name) if isinstance(value, str)]
                if texts:
                    given[name] = [part.strip() for text in texts for part in text.split(",") if part.strip()]
                if texts and texts[0].startswith("{"):  # objects, each as JSON
                    given[name] = _parsed(f"[{','.join(texts)}]")
            return given
    raw = await request.body()
    if kind not in ("application/json", ""):
        raise HTTPException(415, f'Unsupported media type "{kind}" in request.')
    if not raw:
        return {}
    fields = _parsed(raw)
    if not isinstance(fields, dict):
        got = type(fields).__name__
        raise Invalid({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {got}."]})
    level: list[object] = [fields]
    for _ in range(_DEEPEST):
        level = [value for one in level for value in _inside(one)]
    if level:
        raise Invalid(_TOO_DEEP)
    return fields


def _parsed(raw: str | bytes) -> object:
    try:
        return json.loads(raw, parse_constant=_refuse_constant)
    except ValueError as error:
        raise Invalid({"detail": f"JSON parse error - {error}"}) from None
    except RecursionError:
        raise Invalid(_TOO_DEEP) from None


def _inside(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _refuse_constant(word: str) -> object:
    raise ValueError(f"Out of range float values are not JSON compliant: {word}")


def text_field(fields: Mapping[str, object], name: str, most: int | None = None, blank: bool = True) -> str | None:
    """An optional string of at most `most` characters; None if the field is missing. Raises Invalid. Unless `blank`, a
    blank string is invalid. If `most` is given, lone surrogates are invalid."""
    if name not in fields:
        return None
    value = fields[name]
    require(value is not None, name, "This field may not be null.")
    if not isinstance(value, str):
        raise Invalid({name: ["Not a valid string."]})
    require(blank or value.strip(), name, "This field may not be blank.")
    if most is not None:
        require(len(value) <= most, name, f"Ensure this field has no more than {most} characters.")
        has_surrogates = any("\ud800" <= character <= "\udfff" for character in value)
        require(not has_surrogates, name, "Surrogate characters are not allowed.")
    return value


def read_launch(fields: Mapping[str, object], corpus: Corpus) -> LaunchForm:
    """Validate the fields of a launch. Raises Invalid with the errors of all fields."""
    errors: dict[str, object] = {} if "prompt" in fields else {"prompt": REQUIRED}
    read: list[Any] = []
    parts: list[Callable[[], object]] = [
        lambda: text_field(fields, "prompt", blank=False),
        lambda: read_runs(fields, corpus),
        *(partial(integers, fields.get(name) or [], name) for name in ("category_ids", "workflow_metric_ids")),
    ]
    for part in parts:
        try:
            read.append(part())
        except Invalid as invalid:
            errors |= invalid.errors
    if errors:
        raise Invalid(errors)
    prompt, (run_ids, agent), categories, metrics = read
    return LaunchForm(prompt, run_ids, agent, categories, metrics)


def read_runs(fields: Mapping[str, object], corpus: Corpus) -> tuple[tuple[int, ...], int]:
    """Ids of one to three runs of one agent, and the agent's id. Raises Invalid."""
    require(fields.get("run_ids") is not None, "run_ids", *REQUIRED)
    run_ids = tuple(dict.fromkeys(integers(fields["run_ids"], "run_ids")))
    require(run_ids, "run_ids", "This list may not be empty.")
    require(len(run_ids) <= 3, "run_ids", "Ensure this field has no more than 3 elements.")
    found = {run_id: corpus.facts(run_id) for run_id in run_ids}
    missing = [f'Invalid pk "{run_id}" - object does not exist.' for run_id, facts in found.items() if facts is None]
    require(not missing, "run_ids", *missing)
    agent, *others = {facts.agent_id for facts in found.values() if facts is not None}
    require(not others, "run_ids", "All runs must belong to the same agent.")
    for name in ("agent", "agent_id"):
        given = fields.get(name)
        require(given is None or str(given) == str(agent), name, "The selected runs belong to another agent.")
    return run_ids, agent


def whole_number(value: object) -> int:
    """Convert to int. Raises ValueError for a bool, a text that is no number, and a number that exceeds 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int | str) or abs(number := int(value)) >= 2**63:
        raise ValueError
    return number


def integers(value: object, name: str) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise Invalid({name: [f'Expected a list of items but got type "{type(value).__name__}".']})
    numbers: list[int] = []
    wrong: dict[str, object] = {}
    for index, item in enumerate(value):
        try:
            numbers.append(whole_number(item))
        except ValueError:
            wrong[str(index)] = ["A valid integer is required."]
    if wrong:
        raise Invalid({name: wrong})
    return tuple(numbers)


LARGEST_PAGE = 100
LONGEST_NAME = 255


class Reply(JSONResponse):
    """A JSON response in UTF-8. With lone surrogates, which UTF-8 cannot encode, the response is escaped to ASCII."""

    def render(self, content: Any) -> bytes:
        try:
            return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        except UnicodeEncodeError:
            return json.dumps(content, separators=(",", ":")).encode("ascii")


def detail(status: int, text: str) -> Reply:
    return Reply({"detail": text}, status)


def not_found() -> Reply:
    return detail(404, "Not found.")


def paged(request: Request, found: Sequence[int], render: Callable[[int], object]) -> Reply:
    """One page of a list of ids, or 404; `render` is called only for the ids on the page. Raises Invalid."""
    size = number(request.query_params, "page_size")
    require(size is None or size >= 1, "page_size", "Ensure this value is greater than or equal to 1.")
    size = min(LARGEST_PAGE, size or 10)
    last = max(1, -(-len(found) // size))
    wanted = request.query_params.get("page", "1")
    page = last if wanted == "last" else int(wanted) if wanted.isdecimal() and len(wanted) < 20 else 0
    if not 1 <= page <= last:
        return detail(404, "Invalid page.")
    return Reply(
        {
            "count": len(found),
            "next": str(request.url.include_query_params(page=page + 1)) if page < last else None,
            "previous": str(request.url.include_query_params(page=page - 1)) if page > 1 else None,
            "results": [render(item) for item in found[(page - 1) * size : page * size]],
        }
    )


async def invalid_reply(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Invalid)
    return Reply(error.errors, 400)


async def http_reply(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        refusal = detail(405, f'Method "{request.method}" not allowed.')
        refusal.headers.update(error.headers or {})
        return refusal
    return not_found() if error.status_code == 404 else detail(error.status_code, error.detail)


async def failure_reply(_request: Request, _error: Exception) -> Response:
    return detail(500, "Internal server error.")


HANDLERS = {Invalid: invalid_reply, HTTPException: http_reply, Exception: failure_reply}
