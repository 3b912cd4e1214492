"""Every property that the vendor's page declares is read as declared, and nothing that came is lost."""

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
MODELS: dict[str, type[Payload]] = {
    "Run": Run,
    "ExpectedOutcome": ExpectedOutcome,
    "Evaluation": Evaluation,
    "RunListCriticalCategories": CriticalCategory,
    "TestProfileData": CallerProfile,
    "OutcomeAlignment": AlignmentPayload,
    "CallLogListSerializerMetricsWithExplanation": Metric,
}
ANYTHING = [{"metric_id": 3, "metric_name": "Polite", "passed": True}]
"""A value where the page declares nothing: the form that `rubric` has in practice, and `metadata` may have too."""
PROPERTIES = [(schema, name) for schema in MODELS for name in SCHEMAS[schema]["properties"]]


def values(schema: dict[str, Any]) -> list[Any]:
    """Values of a declared form, null among them where it is declared."""
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
    """What a model read, as JSON."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True)
    return [plain(item) for item in value] if isinstance(value, list) else value


def read(schema: str, fields: dict[str, Any]) -> Payload:
    return Run.read({"id": 1, **fields}) if schema == "Run" else MODELS[schema].model_validate(fields)


def test_the_page_declares_the_39_properties_that_are_read() -> None:
    assert len(SCHEMAS["Run"]["properties"]) == 39
    assert set(SCHEMAS) - {"RunListTranscriptObject"} == set(MODELS)


def test_a_turn_of_the_declared_form_is_read_as_it_was_sent() -> None:
    assert set(SCHEMAS["RunListTranscriptObject"]["properties"]) == {"role", "content", "timestamp"}
    turn = {"role": "Main Agent", "content": "Good day.", "timestamp": 1.5}
    (read,) = read_transcript(Run.read({"id": 1, "transcript_object": [turn]})).turns
    assert {"role": read.role, "content": read.text, "timestamp": read.start} == turn


@pytest.mark.parametrize(("schema", "name"), PROPERTIES)
def test_a_declared_property_is_shown_as_the_server_sent_it(schema: str, name: str) -> None:
    assert name in MODELS[schema].model_fields
    for sent in values(SCHEMAS[schema]["properties"][name]):
        assert plain(getattr(read(schema, {name: sent}), name)) == sent


@pytest.mark.parametrize(("schema", "name"), [pair for pair in PROPERTIES if pair != ("Run", "id")])
def test_a_property_that_comes_as_null_is_as_good_as_absent(schema: str, name: str) -> None:
    assert getattr(read(schema, {name: None}), name) is None
    assert getattr(read(schema, {}), name) is None


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


@given(st.dictionaries(st.sampled_from(NAMES), ODD, max_size=8))
def test_no_odd_value_of_any_property_costs_the_run(fields: dict[str, Any]) -> None:
    sent = {"id": 1, **fields}
    run = Run.read(sent)
    assert (run.sent or run.source) is sent


@given(st.sampled_from(PROPERTIES[39:]), ODD)
def test_no_odd_value_of_a_nested_property_costs_its_object(place: tuple[str, str], odd: object) -> None:
    schema, name = place
    assert isinstance(read(schema, {name: odd}), MODELS[schema])


@pytest.mark.parametrize(
    ("fields", "name", "shown"),
    [
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
    ],
)
def test_odd_forms_that_have_been_seen_are_taken(fields: dict[str, Any], name: str, shown: object) -> None:
    assert getattr(Run.read({"id": 1, **fields}), name) == shown


@pytest.mark.parametrize(
    ("sent", "meant"), [("yes", True), ("No", False), (" TRUE ", True), (False, False), ("?", None)]
)
def test_aligned_is_read_as_yes_or_no_in_either_form(sent: object, meant: bool | None) -> None:
    assert AlignmentPayload.model_validate({"aligned": sent}).aligned is meant


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("One text", ["One text"]),
        ([" a", None, 3], [" a", "3"]),
        ("", []),
        ({"a": 1}, ['{"a": 1}']),
        ([{"b": 2}], ['{"b": 2}']),
    ],
)
def test_an_explanation_is_read_as_a_list_or_as_one_text(sent: object, shown: list[str] | None) -> None:
    assert Metric.model_validate({"explanation": sent}).explanation == shown


@pytest.mark.parametrize("value", [True, False, 3, 2.5, "True", None, [1], {"a": 2}])
def test_a_metric_value_of_any_kind_is_kept_as_it_is(value: object) -> None:
    assert Metric.model_validate({"value": value}).value == value


@pytest.mark.parametrize("payload", [None, [], "run", 3, {}, {"id": None}, {"id": "abc"}, {"id": -1}, {"id": 2**63}])
def test_something_that_is_no_run_is_said_to_be_none(payload: object) -> None:
    with pytest.raises(NotARun):
        Run.read(payload)


def test_an_id_that_comes_as_text_is_the_same_run() -> None:
    assert Run.read({"id": "48213"}).id == 48213


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("1970-01-01T00:01:00Z", 60.0),
        ("1970-01-01T00:01:00", 60.0),
        ("1970-01-01T02:01:00+02:00", 60.0),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_time_without_a_zone_is_utc_and_a_bad_one_is_none(stamp: str, at: float | None) -> None:
    assert Run.read({"id": 1, "timestamp": stamp}).at == at


def test_the_time_of_execution_stands_in_for_a_missing_time() -> None:
    assert Run.read({"id": 1, "timestamp": "soon", "executed_at": "1970-01-01T00:01:00Z"}).at == 60.0


@pytest.mark.parametrize("minutes", [400, 5_000])
def test_a_length_of_thousands_of_digits_is_not_known_and_costs_nothing_else(minutes: int) -> None:
    view = view_of(Run.read({"id": 1, "duration": "1" * minutes + ":00", "transcript": "[00:01] Main Agent: Hi"}), 0.0)
    assert view.row.seconds is None
    assert view.timeline.turns == 1
