"""Check an answer against the API's contract, by path, method and status."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator


@cache
def contract() -> dict[str, Any]:
    whole, testing = _read("contract.json"), _read("contract-testing.json")
    whole["components"]["schemas"] = testing["components"]["schemas"] | whole["components"]["schemas"]
    for path, methods in testing["paths"].items():
        if _TESTS.search(path):
            whole["paths"][path] = {name: one for name, one in methods.items() if name in ("get", "post")}
    return whole


_TESTS = re.compile("/run_scenarios_|/end_calls/|/billing/|/scenarios/{id}/$")
"""The paths of contract-testing.json that the demo server serves."""


def _read(name: str) -> Any:
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    # "oneOf" is read as "anyOf", because its branches overlap: an ExpectedOutcome is also an object.
    return json.loads(text.replace('"oneOf"', '"anyOf"'))


@cache
def template_of(path: str) -> str:
    """The contract's path for a real path, which may be an alias or lack the last slash."""
    plain = path.replace("-external", "").rstrip("/") + "/"
    candidates = [plain, re.sub(r"/\d+/", "/{id}/", plain)]
    for candidate in candidates:
        if candidate in contract()["paths"]:
            return candidate
    raise AssertionError(f"{path} is not in the contract")


@cache
def _validator(template: str, method: str, status: int) -> Draft202012Validator:
    responses = contract()["paths"][template][method.lower()]["responses"]
    assert str(status) in responses, f"{method} {template} declares no {status}"
    schema = responses[str(status)]["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": contract()["components"]})


def check_answer(path: str, method: str, status: int, body: object) -> None:
    """Raise AssertionError with the first difference between an answer and the contract."""
    for error in _validator(template_of(path), method, status).iter_errors(body):
        where = "/".join(str(part) for part in error.absolute_path)
        raise AssertionError(f"{method} {path} {status}: {where}: {error.message[:300]}")
