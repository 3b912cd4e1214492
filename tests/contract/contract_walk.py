"""Request every operation of the contract, with every filter and with bad input of every kind, and check the answers. A
refusal is fine if a sentence explains it: in `detail`, or in the list of the refused field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import httpx
from contract_shapes import check_answer, contract
from demo_client import seconds_of

from cekura_tui.demo.corpus import FIRST_PROJECT

Json = dict[str, Any]

V1, V2 = "/test_framework/v1", "/test_framework/v2"
NOT_SERVED = re.compile(
    "/(end_call|get_listen_url|mark_metric_vote|run_expected_outcome_bg|run_expected_outcome_progress|trace"
    "|improve_prompt|restore|short_list)/$|/agent-improvement-sessions/"
)
"""Contract paths that the demo server does not serve."""
FAILED, AGENT, RESULT, SCENARIO = 900_238, 1206, 50_030, 5104
STARTS: dict[str, Json] = {
    "": {"scenarios": [SCENARIO], "agent_id": 1201, "frequency": 2, "personality_ids": [71, 72], "name": "Again"},
    "_text": {"scenarios": [5401], "test_profile_ids": None},
    "_vapi_webrtc": {"scenarios": [SCENARIO], "vapi_assistant_id": "asst_1"},
    "_retell_webrtc": {"scenarios": [5201], "retell_agent_id": "agent_1"},
    "_elevenlabs": {"scenarios": [5501], "elevenlabs_data": {}},
    "_sip": {"scenarios": [5301], "sip_endpoint": "sip:staging@example.com"},
    "_chirp": {"scenarios": [5502], "websocket_url": "wss://staging.example.com"},
    "_agora": {"scenarios": [5501]},
    "_livekit_v2": {"scenarios": [{"scenario": 5601}], "name": None, "frequency": 2},
    "_pipecat_v2": {"scenarios": [{"scenario": 5302, "publish_data_message": {}}], "pipecat_data": {}},
    "_with_websockets": {"scenarios": [{"scenario": 5502, "websocket_url": "wss://a.example"}], "frequency": 1},
}
"""A valid body for each operation that starts scenarios, by the suffix of its path; no agent is called by Agora."""
METHODS = {"get", "post", "patch", "put", "delete"}
UNKNOWN_ID = 999_999_999
PAGING = {"page", "page_size"}
PAGE = 30


@dataclass
class Walked:
    """Findings about one operation; `wrong` is empty if the operation fulfils its contract."""

    method: str
    path: str
    served: str = ""
    filters: list[str] = field(default_factory=list)
    refused_filters: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        filters = f"{len(self.filters)} filter, {len(self.refused_filters)} refused" if self.filters else "–"
        return f"{self.method:5} {self.path:66} {self.served:42.42} {filters:23} {' '.join(self.errors)}"


def operations() -> Iterator[tuple[str, str, Json]]:
    """(method, path, declaration) of each operation."""
    for path, methods in contract()["paths"].items():
        for method, declared in methods.items():
            if method in METHODS:
                yield method.upper(), path, declared


def resolved(schema: Json) -> Json:
    name = schema.get("$ref", "").rpartition("/")[2]
    return contract()["components"]["schemas"][name] if name else schema


def body_of(declared: Json) -> Json | None:
    """The schema of an operation's request body; None if the operation takes no body."""
    body = declared.get("requestBody")
    return None if body is None else resolved(body["content"]["application/json"]["schema"])


def sentence_of(body: object) -> str:
    """The sentence in `body` that explains a refusal; empty if there is no sentence."""
    if not isinstance(body, dict) or not body:
        return ""
    found = next(iter(body.values()))
    while isinstance(found, list | dict) and found:
        found = next(iter(found.values())) if isinstance(found, dict) else found[0]
    return found if isinstance(found, str) and " " in found and found != "Not found." else ""


# Requests for each operation


@dataclass
class Walk:
    """One walk over the operations that a server serves."""

    client: httpx.Client

    @cached_property
    def tags(self) -> dict[int, list[str]]:
        """Tags by scenario id."""
        scenarios = rows_of(self.client.get(f"{V1}/scenarios/", params={"page_size": 100}))
        return {one["id"]: one["tags"] for one in scenarios}

    @cached_property
    def projects(self) -> dict[int, int]:
        """Project id by agent id."""
        return {one["id"]: one["project"] for one in rows_of(self.client.get(f"{V1}/aiagents/"))}

    def real_path(self, path: str) -> str:
        """The path with an existing id in place of `{id}`."""
        if "{id}" not in path:
            return path
        nouns = (("/runs/", FAILED), ("/results/", RESULT), ("/aiagents/", AGENT), ("/scenarios/", SCENARIO))
        for noun, known in nouns:
            if noun in path:
                return path.replace("{id}", str(known))
        raise AssertionError(f"nothing is known for {path}")

    def body(self, path: str) -> Json:
        """A valid request body for the operation; {} if the operation needs none."""
        tail = path.rstrip("/").rpartition("/")[2]
        known: dict[str, Json] = {
            "improve_prompt_bg": {"run_ids": [FAILED], "prompt": "Be kind."},
            "improve_prompt_issues": {"run_ids": [FAILED]},
            "{id}": {"description": "Be kind."},
        }
        return known.get(tail) or STARTS.get(tail.removeprefix("run_scenarios"), {})

    def query(self, path: str) -> Json:
        """The query parameters that the operation requires."""
        if path.endswith("/improve_prompt_progress/"):
            launched = self.client.post(f"{V1}/runs/improve_prompt_bg/", json=self.body("improve_prompt_bg"))
            return dict(launched.json())
        if path.endswith("/runs/bulk/"):
            return {"run_ids": f"{FAILED},{FAILED - 1},900100"}
        return {"project_id": FIRST_PROJECT} if path.endswith("/runs/") else {}

    def walk(self) -> list[Walked]:
        served = [one for one in operations() if not NOT_SERVED.search(one[1]) and "/billing/" not in one[1]]
        return [self._walked(*one) for one in served]

    def _walked(self, method: str, path: str, declared: Json) -> Walked:
        found = Walked(method, path)
        self._serve(found, declared)
        self._filter(found, declared)
        self._refuse(found, declared)
        return found

    def _serve(self, found: Walked, declared: Json) -> None:
        options: Json = {"params": self.query(found.path)}
        if body_of(declared) is not None:
            options["json"] = self.body(found.path)
        path = self.real_path(found.path)
        answer = self.client.request(found.method, path, **options)
        found.served = str(answer.status_code)
        if answer.is_success:
            if declared["responses"][found.served].get("content"):
                found.wrong += shape_of(path, found.method, answer)
            return
        sentence = sentence_of(json_of(answer))
        found.served += f" {sentence}"
        if not sentence or answer.status_code == 500:
            found.wrong.append(f"neither served nor refused with a sentence: {answer.status_code} {answer.text[:100]}")

    # Filters

    def _filter(self, found: Walked, declared: Json) -> None:
        names = [one["name"] for one in declared.get("parameters", ()) if one["in"] == "query"]
        filters = [name for name in names if name not in PAGING]
        if found.method != "GET" or "progress_id" in names or "{id}" in found.path or not filters:
            return
        base = {**self.query(found.path), "page_size": PAGE}
        rows = rows_of(self.client.get(found.path, params=base))
        for name in filters:
            self._filter_by(found, name, base, rows)

    def _filter_by(self, found: Walked, name: str, base: Json, rows: list[Json]) -> None:
        """Filter by a value that a row has and by values that no row has; add the findings to `found`."""
        sample = SAMPLES.get(name, lambda walk, row: "x")
        row, value = next(((row, value) for row in rows[::-1] if (value := sample(self, row)) is not None), ({}, "x"))
        bulk = name in ("ids", "run_ids")
        asked = ({} if bulk else base) | {name: value}
        answer = self.client.request("GET", found.path, params=asked)
        if answer.status_code == 400:
            (found.refused_filters if sentence_of_field(answer, name) else found.wrong).append(name)
            return
        found.filters.append(name)
        listed = rows_of(answer)
        if row.get("id") not in [one["id"] for one in listed]:
            found.wrong.append(f"{name}={value} leaves out run {row.get('id')}, which has it")
        for one in listed:
            if not FITS.get(name, lambda walk, row, value: sample(walk, row) == value)(self, one, value):
                found.wrong.append(f"{name}={value} lists {one['id']}, which lacks it")
                break
        for absent in ABSENT.get(name, ("zz-none", str(UNKNOWN_ID))):
            answer = self.client.request("GET", found.path, params=({} if bulk else base) | {name: absent})
            if answer.status_code == 400:
                if not sentence_of_field(answer, name):
                    found.wrong.append(f"{name}={absent} is refused without its name: {answer.text[:80]}")
            elif rows_of(answer):
                found.wrong.append(f"{name}={absent} is ignored")

    # Errors

    def _refuse(self, found: Walked, declared: Json) -> None:
        method, path = found.method, self.real_path(found.path)
        self._refuse_keys(found, path)
        self._refuse_method(found, path)
        for unknown in (str(UNKNOWN_ID), "9" * 5000) if "{id}" in found.path else ():
            self._expect(found, 404, found.path.replace("{id}", unknown), json=self.body(found.path) or None)
        for one in declared.get("parameters", ()):
            kind = one["schema"].get("type")
            if one["in"] != "query" or (kind == "string" and one["schema"].get("format") != "date-time"):
                continue
            wanted = 404 if one["name"] == "page" else 400
            answer = self.client.request(method, path, params=self.query(found.path) | {one["name"]: "x"})
            if answer.status_code != wanted or not (wanted == 404 or sentence_of_field(answer, one["name"])):
                found.wrong.append(f"{one['name']}=x is not refused by its name: {answer.status_code}")
        if path.endswith("_progress/"):
            self._expect(found, 400, path)
            self._expect(found, 404, path, params={"progress_id": "nobody"})
        if (schema := body_of(declared)) is not None:
            self._refuse_bodies(found, path, schema)

    def _refuse_keys(self, found: Walked, path: str) -> None:
        for headers, status in (({"X-CEKURA-API-KEY": ""}, 401), ({"X-CEKURA-API-KEY": "other"}, 403)):
            answer = self.client.request(found.method, path, headers=headers)
            found.errors.append(str(answer.status_code))
            if answer.status_code != status:
                found.wrong.append(f"with another key: {answer.status_code}")
            elif str(status) in contract()["paths"][found.path][found.method.lower()]["responses"]:
                found.wrong += shape_of(path, found.method, answer)

    def _refuse_method(self, found: Walked, path: str) -> None:
        answer = self.client.request("DELETE", path)
        found.errors.append(str(answer.status_code))
        allowed = {word.strip() for word in answer.headers.get("allow", "").split(",")}
        declared = {method.upper() for method in contract()["paths"][found.path] if method in METHODS}
        if answer.status_code != 405 or allowed - {"HEAD"} != declared:
            found.wrong.append(f"DELETE: {answer.status_code}, Allow: {sorted(allowed)}")

    def _refuse_bodies(self, found: Walked, path: str, schema: Json) -> None:
        kind = {"content-type": "application/json"}
        deep = [b'{"a": ' + b"[" * levels + b"]" * levels + b"}" for levels in (150, 2000)]
        for content in (b'{"a": ', b"[1]", b'{"a": NaN}', *deep):
            self._expect(found, 400, path, content=content, headers=kind)
        self._expect(found, 415, path, content=b"x", headers={"content-type": "text/plain"})
        right = self.body(found.path)
        for name in schema.get("required", ()):
            self._expect(found, 400, path, name, json={key: value for key, value in right.items() if key != name})
        for name, declared in schema.get("properties", {}).items():
            for value in wrong_values(declared):
                self._expect(found, 400, path, name, json={**right, name: value})

    def _expect(self, found: Walked, status: int, path: str, name: str = "", **options: Any) -> None:
        if options.get("json", 0) is None:
            del options["json"]
        answer = self.client.request(found.method, path, **options)
        text = str(answer.status_code)
        if text not in found.errors:
            found.errors.append(text)
        body = json_of(answer)
        given = str(options)[:80]
        if answer.status_code != status:
            found.wrong.append(f"{status} expected for {given}: {text} {answer.text[:80]}")
        elif not isinstance(body, dict) or (name and not sentence_of_field(answer, name)):
            found.wrong.append(f"{status} for {given} does not name {name}: {answer.text[:80]}")
        elif text in contract()["paths"][found.path][found.method.lower()]["responses"]:
            found.wrong += shape_of(path, found.method, answer)


def json_of(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return None


def shape_of(path: str, method: str, answer: httpx.Response) -> list[str]:
    """The first difference between an answer and its declared shape, as a list; empty if there is no difference."""
    try:
        check_answer(path, method, answer.status_code, json_of(answer))
    except AssertionError as error:
        return [str(error)]
    return []


def rows_of(answer: httpx.Response) -> list[Json]:
    assert answer.status_code == 200, f"{answer.request.url} {answer.status_code} {answer.text[:200]}"
    body = answer.json()
    return list(body["results"] if isinstance(body, dict) else body)


def sentence_of_field(answer: httpx.Response, name: str) -> str:
    body = json_of(answer)
    return sentence_of({name: body[name]}) if isinstance(body, dict) and name in body else ""


def wrong_values(declared: Json) -> Iterator[object]:
    """Values that a declared property of a body does not allow."""
    kinds = declared.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and "string" not in kinds:
        yield "x"
    if kinds and not {"integer", "number"} & set(kinds):
        yield 7
    if kinds and "null" not in kinds and "string" in kinds and len(kinds) == 1:
        yield None
    if "maxLength" in declared:
        yield "x" * (declared["maxLength"] + 1)
    if "maxItems" in declared:
        yield list(range(FAILED - declared["maxItems"], FAILED + 1))
    if "enum" in declared:
        yield "no such word"


# For each filter: a value that a row has, and a test whether a row matches


def tags_of(walk: Walk, row: Json) -> list[str]:
    return walk.tags[row.get("scenario", row["id"])]


def project(walk: Walk, row: Json) -> Any:
    return row.get("project", row["id"]) if "agent" not in row else walk.projects[row["agent"]]


Sample = Callable[[Walk, Json], Any]


def column(*names: str) -> Sample:
    """A function that returns the first of these columns that a row has; None if the row has none of them."""
    return lambda walk, row: next((row[name] for name in names if row.get(name) is not None), None)


def yes_or_no(name: str) -> Sample:
    return lambda walk, row: None if row.get(name) is None else str(row[name]).lower()


def scenario(walk: Walk, row: Json) -> Any:
    return row["scenario"] if "scenario" in row else row["scenarios"][0]["id"]


AGENT_ID = column("agent", "id")
SAMPLES: dict[str, Sample] = {
    **dict.fromkeys(("id", "id__in", "ids", "run_ids"), column("id")),
    **dict.fromkeys(("agent_id", "result__agent_id", "result__agent_id__in"), AGENT_ID),
    **dict.fromkeys(("result_id", "result__id"), column("result_id")),
    **dict.fromkeys(("project_id", "project"), project),
    **dict.fromkeys(("timestamp__gte", "timestamp__lte", "created_at_from", "created_at_to"), column("timestamp")),
    **dict.fromkeys(("status", "status__in"), column("status")),
    **dict.fromkeys(("duration__gte", "duration__lte"), lambda walk, row: seconds_of(row)),
    **dict.fromkeys(("scenario__id", "scenario__id__in", "scenarios"), scenario),
    **dict.fromkeys(("personality__id", "personality__id__in", "personalities"), column("personality")),
    "success": yes_or_no("success"),
    "result__run_as_text": yes_or_no("run_as_text"),
    "tags": lambda walk, row: next(iter(tags_of(walk, row)), None),
    "folder_path": column("folder_path"),
    "organization_id": lambda walk, row: 310,
    "search": column("scenario_name", "name"),
    "q": column("agent_name", "name"),
}
Fits = Callable[[Walk, Json, Any], bool]


def since(walk: Walk, row: Json, value: str) -> bool:
    return datetime.fromisoformat(row["timestamp"]) >= datetime.fromisoformat(value)


def until(walk: Walk, row: Json, value: str) -> bool:
    return datetime.fromisoformat(row["timestamp"]) <= datetime.fromisoformat(value)


FITS: dict[str, Fits] = {
    **dict.fromkeys(("timestamp__gte", "created_at_from"), since),
    **dict.fromkeys(("timestamp__lte", "created_at_to"), until),
    "duration__gte": lambda walk, row, value: (length := seconds_of(row)) is not None and length >= value,
    "duration__lte": lambda walk, row, value: (length := seconds_of(row)) is not None and length <= value,
    "scenarios": lambda walk, row, value: (
        value in [row.get("scenario"), *(one["id"] for one in row.get("scenarios", ()))]
    ),
    "tags": lambda walk, row, value: value in tags_of(walk, row),
}
ABSENT: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("timestamp__gte", "created_at_from"), ("2100-01-01", "yesterday")),
    **dict.fromkeys(("timestamp__lte", "created_at_to"), ("1990-01-01", "yesterday")),
    "duration__gte": ("100000", "nan", "long"),
    "duration__lte": ("-1", "inf", "long"),
    **dict.fromkeys(("success", "result__run_as_text"), ("maybe",)),
}
