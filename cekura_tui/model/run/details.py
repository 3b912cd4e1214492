"""All properties that the server sent of a run, in labelled groups, and the run's web links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from cekura_tui.model.json_tree import JsonTree, Node, Path, TreeRow, shown_name
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.scope import Scope
from cekura_tui.model.text import clean_line


def web_link(text: object) -> str | None:
    """The text without surrounding spaces if it is an http(s) link with a host, else None."""
    if not isinstance(text, str) or not text.isprintable() or any(sign.isspace() for sign in text.strip()):
        return None
    link = text.strip()
    try:
        parts = urlsplit(link)
        return link if parts.scheme in ("http", "https") and parts.hostname else None
    except ValueError:
        return None


def result_link(dashboard: str, row: RunRow, scope: Scope | None) -> str | None:
    """Dashboard link of a run's result; None unless project and result are known from the run or the scope."""
    ids = {"project": row.project_id, "result": row.result_id}
    if scope is not None and scope.kind in ids and ids[scope.kind] is None:
        ids[scope.kind] = scope.id
    if None in ids.values():
        return None
    return f"{clean_line(dashboard, None).rstrip('/')}/{ids['project']}/results/{ids['result']}"


def result_links(dashboard: str, rows: Iterable[RunRow], scope: Scope | None) -> tuple[str, ...]:
    """Dashboard links of the runs' results, without duplicates, in the order of the runs."""
    links = (result_link(dashboard, row, scope) for row in rows)
    return tuple(dict.fromkeys(link for link in links if link is not None))


GROUPS: dict[str, dict[str, str]] = {
    "What was expected": {"expected_outcome_prompt": "Expected outcome"},
    "Call": {
        "id": "Run",
        "status": "Status",
        "run_type": "Run type",
        "run_as_text": "Text run",
        "duration": "Duration",
        "timestamp": "Created",
        "executed_at": "Executed",
        "provider_call_id": "Provider call ID",
        "trace_id": "Trace",
        "testing_channel_index": "Caller channel",
        "voice_recording_url": "Recording",
        "email_id": "Email",
    },
    "Scenario and caller": {
        "scenario_name": "Scenario",
        "scenario": "Scenario ID",
        "personality_name": "Personality",
        "personality": "Personality ID",
        "test_profile_data": "Test profile",
    },
    "Agent and numbers": {
        "agent": "Agent",
        "agent_number": "Agent phone number",
        "outbound_number": "Called from",
        "inbound_number": "Called to",
    },
    "Result": {"result_name": "Result", "result_id": "Result ID"},
    "Verdict": {
        "success": "Success",
        "evaluation_status": "Evaluation",
        "is_reviewed": "Reviewed",
        "expected_outcome": "Expected outcome verdict",
        "evaluation": "Metrics",
        "rubric": "Thresholds",
        "critical_categories": "Critical categories",
    },
    "Texts": {
        "error_message": "Error",
        "feedback": "Feedback",
        "scenario_instructions": "Caller instructions",
        "transcript": "Transcript text",
    },
    "Data": {
        "transcript_object": "Transcript turns",
        "metadata": "Metadata",
        "provider_call_details": "Provider call details",
        "generated_mock_tool_entries": "Mock tools",
    },
}
"""The label of every property that the API documents for a run, by group title and name."""
OPEN_FIELDS = ("error_message", "feedback", "expected_outcome_prompt", "scenario_instructions")
"""Fields whose texts are initially open, however long."""
_KNOWN = frozenset(name for labels in GROUPS.values() for name in labels)
_ABSENT_KEY, _NOTE_KEY = -10_000, -10_001


def details_of(source: Mapping[str, Any], note: str = "") -> list[Node | TreeRow]:
    """The top level of the tree: the user's note on a run, the properties in the run's cleaned object by group, and the
    names of missing or empty ones. Unknown properties, which have no label, form the last group, `Also sent`."""
    top: list[Node | TreeRow] = [Node((_NOTE_KEY,), "", note, 0, "Note")] if note else []
    absent: list[str] = []
    unknown = {name: "" for name in source if name not in _KNOWN}
    for n, (title, labels) in enumerate({**GROUPS, "Also sent": unknown}.items(), 1):
        given = []
        for name, label in labels.items():
            value = source.get(name)
            # False and 0 are values.
            if value in (None, {}, []) or (isinstance(value, str) and not value.strip()):
                absent.append(shown_name(name))
            else:
                shown = "" if label.lower() == name else shown_name(name)
                given.append(Node((name,), shown, value, 0, label, _link_note(name, value)))
        if given:
            top += [TreeRow((-n,), "title", 0, title), *given]
    return [*top, Node((_ABSENT_KEY,), "", ", ".join(absent), 0, "Not sent")] if absent else top


def details_tree() -> JsonTree:
    """The tree that shows details, with the note and the texts of OPEN_FIELDS open."""
    return JsonTree((name,) for name in (*OPEN_FIELDS, _NOTE_KEY))


def value_at(source: Mapping[Any, Any], path: Path) -> object:
    """The value at a path; None if the path leads nowhere."""
    value: Any = source
    for step in path:
        if isinstance(value, list):
            value = value[step] if isinstance(step, int) and 0 <= step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _link_note(name: str, value: object) -> str:
    if name != "voice_recording_url":
        return ""
    return "{run.hand-off} copy" if web_link(value) else "not a web link; never opened"
