"""The details of a run: every property has a label and a group, and missing properties are listed."""

from __future__ import annotations

import pytest
from run_properties import PROPERTIES, marked_run

from cekura_tui.model.json_tree import Node, TreeRow
from cekura_tui.model.run.details import GROUPS, details_of, details_tree, value_at


def texts(source: dict[str, object]) -> list[str]:
    """A run's rows as first shown: label, name, and value or summary."""
    rows = details_tree().rows(details_of(source), {})
    return [" | ".join(filter(None, (row.label, row.name, row.text))) for row in rows]


def test_every_property_is_in_one_group_and_has_its_own_label() -> None:
    entries = [entry for labels in GROUPS.values() for entry in labels.items()]
    assert sorted(name for name, _ in entries) == sorted(PROPERTIES)
    assert len({words for _, words in entries}) == 39
    details = details_of(marked_run()[0])
    assert [row.text for row in details if isinstance(row, TreeRow)] == [*GROUPS]
    assert isinstance(details[-1], Node)
    assert details[-1].label != "Not sent"


def test_absent_properties_share_the_last_line_and_unknown_properties_are_shown() -> None:
    source: dict[str, object] = dict.fromkeys(PROPERTIES)
    source |= {"id": 5, "success": False, "testing_channel_index": 0, "feedback": " \n", "rubric": [], "metadata": {}}
    del source["trace_id"]
    *shown, absent = texts(source)
    call = ["Call", "Run | id | 5", "Caller channel | testing_channel_index | 0"]
    assert shown == [*call, "Verdict", "Success | false"]
    names = absent.removeprefix("Not sent | ").split(", ")
    assert sorted(names) == sorted(set(PROPERTIES) - {"id", "success", "testing_channel_index"})
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
def test_values_of_unexpected_types_are_shown(name: str, odd: object, shown: str) -> None:
    assert any(text.endswith(shown) for text in texts({name: odd}))


def test_long_instructions_are_unfolded_and_a_long_transcript_is_folded() -> None:
    words = "Say this. " * 5_000
    shown = texts({"scenario_instructions": words, "transcript": words})
    assert "Transcript text | transcript | 50,000 characters, 1 line" in shown
    at = shown.index("Caller instructions | scenario_instructions | 50,000 characters, 1 line")
    assert "".join(shown[at + 1 : at + 51]) == words


WEB_LINKS = ["https://a.example/b.wav?c=d", "HTTP://a.example"]
NO_WEB = ["file:///etc/passwd", "javascript:alert(1)", "-https://a.example"]
OTHER_LINKS = [*NO_WEB, "https://a.example/b c", "https:///b", "http://[a"]


@pytest.mark.parametrize("link", [*WEB_LINKS, *OTHER_LINKS, 7])
def test_only_web_links_can_be_copied(link: object) -> None:
    rows = details_tree().rows(details_of({"voice_recording_url": link}), {})
    (note,) = [row.note for row in rows if row.kind == "leaf" and row.path[0] == "voice_recording_url"]
    assert note == ("{run.hand-off} copy" if link in WEB_LINKS else "not a web link; never opened")


@pytest.mark.parametrize(
    ("path", "value"), [(("a", 0, "b"), 1), (("a", 1, "b"), None), (("a", "b"), None), (("c",), None)]
)
def test_the_value_at_a_path_is_found_and_a_wrong_path_gives_none(path: tuple[str | int, ...], value: object) -> None:
    assert value_at({"a": [{"b": 1}]}, path) == value
