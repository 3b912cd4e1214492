"""The details of a run in words: every property has its place, and what was not told is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from run_properties import PROPERTIES, marked_run

from cekura_tui.model.run.details import GROUPS, details_of, details_tree, value_at

PAGE_OF_THE_VENDOR = Path(__file__).parents[2] / "contract" / "run-page.json"


def texts(source: dict[str, object]) -> list[str]:
    """The rows of a run as they are at first: words, name and value or summary."""
    rows = details_tree().rows(details_of(source).roots(), {})
    return [" | ".join(filter(None, (row.label, row.name, row.text))) for row in rows]


def test_the_properties_are_those_of_the_vendors_page() -> None:
    declared = json.loads(PAGE_OF_THE_VENDOR.read_text())["components"]["schemas"]["Run"]["properties"]
    assert set(PROPERTIES) == set(declared)
    assert len(PROPERTIES) == 39


def test_every_property_is_in_one_group_and_has_words_of_its_own() -> None:
    told = [entry for _, properties in GROUPS for entry in properties]
    assert sorted(name for name, _ in told) == sorted(PROPERTIES)
    assert len({words for _, words in told}) == 39


def test_a_whole_run_has_nothing_that_was_not_told() -> None:
    details = details_of(marked_run()[0])
    assert details.absent == ()
    assert [title for title, _ in details.groups] == [title for title, _ in GROUPS]


def test_absent_and_empty_ones_are_one_line_of_names_and_false_and_zero_are_told() -> None:
    source: dict[str, object] = dict.fromkeys(PROPERTIES)
    source |= {"id": 5, "success": False, "testing_channel_index": 0, "feedback": " \n", "rubric": [], "metadata": {}}
    del source["trace_id"]
    shown = texts(source)
    assert shown[:-1] == [
        "Call",
        "Run | id | 5",
        "Caller channel | testing_channel_index | 0",
        "Verdict",
        "Success | false",
    ]
    names = shown[-1].removeprefix("Not sent | ").split(", ")
    assert sorted(names) == sorted(set(PROPERTIES) - {"id", "success", "testing_channel_index"})


def test_unknown_properties_come_last_and_keep_their_names() -> None:
    shown = texts({"brand_new": {"a": 1}, "id": 5, "other": None, "agent_name": "Ava"})
    assert shown[2:5] == ["Also sent", "brand_new | 1 entry: a", "agent_name | Ava"]
    assert shown[-1].endswith(", other")


@pytest.mark.parametrize(
    ("name", "odd", "shown"),
    [
        ("feedback", 12.50, "Feedback | 12.5"),
        ("status", ["a", "b"], "Status | 2 entries"),
        ("metadata", "free text", "Metadata | free text"),
        ("expected_outcome", [{"score": 1}], "expected_outcome | 1 entry"),
        ("transcript_object", {"__encrypted__": "x"}, "transcript_object | 1 entry: __encrypted__"),
        ("transcript", {"a": 1}, "transcript | 1 entry: a"),
        ("agent", "seven", "Agent | seven"),
        ("success", "maybe", "Success | maybe"),
        ("duration", 75, "Duration | 75"),
        ("id", 10**40, f"Run | id | {10**40}"),
        ("rubric", True, "Thresholds | rubric | true"),
    ],
)
def test_odd_values_are_shown_and_not_dropped(name: str, odd: object, shown: str) -> None:
    assert any(text.endswith(shown) for text in texts({name: odd}))


def test_long_texts_are_read_at_once_and_a_long_transcript_is_folded() -> None:
    words = "Say this. " * 5_000
    shown = texts({"scenario_instructions": words, "transcript": words})
    assert "Transcript text | transcript | 50,000 characters, 1 line" in shown
    at = shown.index("Caller instructions | scenario_instructions | 50,000 characters, 1 line")
    assert "".join(shown[at + 1 : at + 51]) == words


@pytest.mark.parametrize(
    ("link", "is_one"),
    [
        ("https://a.example/b.wav?c=d", True),
        ("HTTP://a.example", True),
        ("file:///etc/passwd", False),
        ("javascript:alert(1)", False),
        ("https://a.example/b c", False),
        ("https:///b", False),
        ("-https://a.example", False),
        (7, False),
        (None, False),
    ],
)
def test_only_links_of_the_web_are_links(link: object, is_one: bool) -> None:
    source = {"voice_recording_url": link}
    notes = [
        row.note
        for row in details_tree().rows(details_of(source).roots(), {})
        if row.kind == "leaf" and row.path[0] in source
    ]
    assert notes == ([] if link is None else ["{run.hand-off} copy" if is_one else "not a web link; never opened"])


def test_a_path_leads_to_its_value_and_a_wrong_one_to_none() -> None:
    source = {"a": [{"b": 1}]}
    assert value_at(source, ("a", 0, "b")) == 1
    assert value_at(source, ("a", 1, "b")) is None
    assert value_at(source, ("a", "b")) is None
    assert value_at(source, ("c",)) is None
