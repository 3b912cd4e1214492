"""Every property that the vendor's API page declares is read as declared, and nothing that was sent is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from cekura_tui.model.run.run import (
    AlignmentPayload,
    CallerProfile,
    CriticalCategory,
    Evaluation,
    ExpectedOutcome,
    Metric,
    NotARun,
    Payload,
    Run,
)
from cekura_tui.model.run.view import view_of
from cekura_tui.model.transcript.transcript import read_transcript

SCHEMAS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "contract" / "run-page.json").read_text())[
    "components"
]["schemas"]
METRIC = "CallLogListSerializerMetricsWithExplanation"
MODELS: dict[str, type[Payload]] = {
    "Run": Run,
    "ExpectedOutcome": ExpectedOutcome,
    "Evaluation": Evaluation,
    "RunListCriticalCategories": CriticalCategory,
    "TestProfileData": CallerProfile,
    "OutcomeAlignment": AlignmentPayload,
    METRIC: Metric,
}
ANYTHING = [{"metric_id": 3, "metric_name": "Polite", "passed": True}]
"""A value for properties whose type the schema does not declare, such as `rubric` and `metadata`."""
PROPERTIES = [(schema, name) for schema in MODELS for name in SCHEMAS[schema]["properties"]]


def values(schema: dict[str, Any]) -> list[Any]:
    """Sample values for a declared schema, with null if null is allowed."""
    if "$ref" in schema:
        named = SCHEMAS[schema["$ref"].rsplit("/", 1)[1]]
        return [{name: values(inner)[0] for name, inner in named["properties"].items()}]
    if "allOf" in schema:
        return values(schema["allOf"][0])
    if "oneOf" in schema:
        return [value for inner in schema["oneOf"] for value in values(inner)]
    if "enum" in schema:
        return list(schema["enum"])
    kinds = schema["type"] if isinstance(schema.get("type"), list) else [schema.get("type")]
    return [value for kind in kinds for value in _plain(kind, schema)]


def _plain(kind: str | None, schema: dict[str, Any]) -> list[Any]:
    if kind == "array":
        return [[values(schema.get("items", {}))[0]] * 2, []]
    if kind == "string":
        return {"date-time": ["2026-10-03T14:05:10.25Z"], "email": ["caller@example.com"]}.get(
            schema.get("format", ""), ["Some text", ""]
        )
    return {
        "integer": [48213, 0, 2**53 + 1],
        "number": [3.5, 0.0, 100.0],
        "boolean": [True, False],
        "null": [None],
        "object": [{"a": 1, "b": {"c": [None, "x"]}}],
        None: [ANYTHING],
    }[kind]


def plain(value: object) -> object:
    """A value that a model has read, as JSON."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True)
    return [plain(item) for item in value] if isinstance(value, list) else value


def read(schema: str, fields: dict[str, Any]) -> Payload:
    return Run.read({"id": 1, **fields}) if schema == "Run" else MODELS[schema].model_validate(fields)


def test_all_39_declared_properties_are_read() -> None:
    assert len(SCHEMAS["Run"]["properties"]) == 39
    assert set(SCHEMAS) - {"RunListTranscriptObject"} == set(MODELS)
    turn = {"role": "Main Agent", "content": "Good day.", "timestamp": 1.5}
    assert set(SCHEMAS["RunListTranscriptObject"]["properties"]) == set(turn)
    (read,) = read_transcript(Run.read({"id": 1, "transcript_object": [turn]})).turns
    assert {"role": read.role, "content": read.text, "timestamp": read.start} == turn


@pytest.mark.parametrize(("schema", "name"), PROPERTIES)
def test_a_declared_property_is_read_as_sent_and_null_is_read_as_absent(schema: str, name: str) -> None:
    assert name in MODELS[schema].model_fields
    for sent in values(SCHEMAS[schema]["properties"][name]):
        assert plain(getattr(read(schema, {name: sent}), name)) == sent
    if (schema, name) != ("Run", "id"):
        assert getattr(read(schema, {name: None}), name) is getattr(read(schema, {}), name) is None


@pytest.mark.parametrize("schema", MODELS)
def test_undeclared_properties_are_kept(schema: str) -> None:
    sent = {"id": 1, "new_field": {"deep": [1, None]}, "other": "text"}
    kept = read(schema, sent)
    assert kept.model_extra is not None
    assert kept.model_extra["new_field"] == {"deep": [1, None]}
    if isinstance(kept, Run):
        assert kept.source == sent


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
NAMES = [name for name in Run.model_fields if name != "id"]


@given(st.dictionaries(st.sampled_from(NAMES), ODD, max_size=8), st.sampled_from(PROPERTIES[39:]), ODD)
def test_an_odd_value_never_makes_a_run_or_a_nested_object_unreadable(
    fields: dict[str, Any], place: tuple[str, str], odd: object
) -> None:
    sent = {"id": 1, **fields}
    run = Run.read(sent)
    assert (run.sent or run.source) is sent
    schema, name = place
    assert isinstance(read(schema, {name: odd}), MODELS[schema])


@pytest.mark.parametrize(
    ("fields", "name", "shown"),
    [
        ({"id": "48213"}, "id", 48213),
        ({"duration": 75}, "duration", "01:15"),
        ({"duration": 75.9}, "duration", "01:15"),
        ({"duration": "1:02"}, "duration", "1:02"),
        ({"duration": float("nan")}, "duration", None),
        ({"agent": "7"}, "agent", 7),
        ({"agent": 10**4000}, "agent", None),
        ({"result_id": "none"}, "result_id", None),
        ({"success": "yes please"}, "success", None),
        ({"status": "some_new_word"}, "status", "some_new_word"),
        ({"scenario_name": 12}, "scenario_name", "12"),
        ({"critical_categories": "Identity"}, "critical_categories", [CriticalCategory(category="Identity")]),
        ({"expected_outcome": {}}, "expected_outcome", ExpectedOutcome()),
        ({"expected_outcome": "Call booked"}, "expected_outcome", ExpectedOutcome(explanation=["Call booked"])),
        ({"expected_outcome": " "}, "expected_outcome", None),
        ({"metrics": [1, None, {"id": 2}]}, "metrics", [Metric(id=2)]),
        ({"metadata": [1]}, "ended_reason", ""),
        ({"metadata": {"ended_reason": 5}}, "ended_reason", ""),
        ({"timestamp": "1970-01-01T00:01:00Z"}, "at", 60.0),
        ({"timestamp": "1970-01-01T00:01:00"}, "at", 60.0),
        ({"timestamp": "1970-01-01T02:01:00+02:00"}, "at", 60.0),
        ({"timestamp": "yesterday"}, "at", None),
        ({"timestamp": ""}, "at", None),
        ({"timestamp": "soon", "executed_at": "1970-01-01T00:01:00Z"}, "at", 60.0),
    ],
)
def test_known_odd_values_of_a_run_are_accepted(fields: dict[str, Any], name: str, shown: object) -> None:
    assert getattr(Run.read({"id": 1, **fields}), name) == shown


@pytest.mark.parametrize(
    ("schema", "name", "sent", "shown"),
    [
        *(("OutcomeAlignment", "aligned", sent, True) for sent in ("yes", " TRUE ")),
        *(("OutcomeAlignment", "aligned", sent, False) for sent in ("No", False)),
        ("OutcomeAlignment", "aligned", "?", None),
        (METRIC, "explanation", "One text", ["One text"]),
        (METRIC, "explanation", [" a", None, 3], [" a", "3"]),
        (METRIC, "explanation", "", []),
        (METRIC, "explanation", {"a": 1}, ['{"a": 1}']),
        (METRIC, "explanation", [{"b": 2}], ['{"b": 2}']),
        *((METRIC, "value", sent, sent) for sent in (True, False, 3, 2.5, "True", None, [1], {"a": 2})),
    ],
)
def test_known_odd_values_in_nested_objects_are_accepted(schema: str, name: str, sent: object, shown: object) -> None:
    found = getattr(read(schema, {name: sent}), name)
    assert (found, type(found)) == (shown, type(shown))


@pytest.mark.parametrize("payload", [None, [], "run", 3, {}, {"id": None}, {"id": "abc"}, {"id": -1}, {"id": 2**63}])
def test_a_payload_that_is_no_run_is_rejected(payload: object) -> None:
    with pytest.raises(NotARun):
        Run.read(payload)


@pytest.mark.parametrize("minutes", [400, 5_000])
def test_a_run_with_a_duration_of_thousands_of_digits_has_an_unknown_length(minutes: int) -> None:
    view = view_of(Run.read({"id": 1, "duration": "1" * minutes + ":00", "transcript": "[00:01] Main Agent: Hi"}), 0.0)
    assert view.row.seconds is None
    assert view.timeline.turns == 1
