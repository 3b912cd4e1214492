"""Validate printed JSON against the schemas that `cekura-tui schema` prints."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from calling import call
from jsonschema import Draft202012Validator

JOB_KEYS = ["job", "state", "state_since", "reason", "profile", "run_ids", "agent_id", "agent_name", "category_ids"]
JOB_KEYS += ["workflow_metric_ids", "progress_id", "last_status", "prompt_sha256", "error", "again_of"]
JOB_KEYS += ["launched_at", "finished_at", "update"]
TEXTS = ["improved_prompt", "summary_of_changes"]


@cache
def schema(name: str) -> Draft202012Validator:
    """A validator for the output of `cekura-tui schema NAME`."""
    printed = json.loads(call("schema", name).out)
    Draft202012Validator.check_schema(printed)
    return Draft202012Validator(printed)


def read_all(name: str, out: str) -> list[Any]:
    """The JSON objects in the output of a command, validated against the schema. The output is one indented object, or
    one object per line."""
    values = [json.loads(out)] if out.startswith("{\n") else [json.loads(line) for line in out.splitlines()]
    for value in values:
        schema(name).validate(value)
    return values
