"""The properties of the page's `Run` and their types, and a run with a mark of its own in each of them."""

from __future__ import annotations

PROPERTIES = {
    "id": "integer",
    "provider_call_id": "string",
    "trace_id": "string",
    "scenario": "integer or null",
    "scenario_name": "string",
    "personality": "integer or null",
    "personality_name": "string",
    "agent": "integer",
    "result_id": "integer",
    "result_name": "string",
    "expected_outcome_prompt": "string",
    "expected_outcome": "ExpectedOutcome",
    "evaluation": "Evaluation",
    "rubric": "any or null",
    "transcript": "string",
    "transcript_object": "array",
    "duration": "string",
    "voice_recording_url": "string",
    "email_id": "string or null",
    "status": "string",
    "evaluation_status": "string",
    "metadata": "any",
    "success": "boolean",
    "is_reviewed": "boolean",
    "feedback": "string",
    "timestamp": "string",
    "executed_at": "string or null",
    "outbound_number": "string",
    "inbound_number": "string",
    "critical_categories": "array",
    "error_message": "string",
    "scenario_instructions": "string",
    "run_as_text": "boolean",
    "test_profile_data": "TestProfileData or null",
    "generated_mock_tool_entries": "array",
    "provider_call_details": "any",
    "agent_number": "string or null",
    "testing_channel_index": "integer or null",
    "run_type": "string or null",
}
RUN_ID = 7_000_001


def mark(name: str) -> str:
    """The mark of a property, or of something inside of one."""
    return f"<{name}>"


def marked_run() -> tuple[dict[str, object], dict[str, list[str]]]:
    """A run of which every property is told, in its declared type, and the marks in each, as they are to be read. A
    number is its own mark; one that is true or false is told by its name beside it."""
    run: dict[str, object] = {}
    marks: dict[str, list[str]] = {}
    for n, (name, kind) in enumerate(PROPERTIES.items()):
        if kind.startswith("integer"):
            run[name] = RUN_ID + n
            marks[name] = [str(RUN_ID + n)]
        elif kind == "boolean":
            run[name] = name != "success"
            marks[name] = [f"{name}): {str(name != 'success').lower()}"]
        elif kind.startswith("string"):
            run[name] = mark(name)
            marks[name] = [mark(name)]
    # Written out where it is not the name alone that tells one property's line from another's.
    marks["success"] = ["Success: false"]
    run["voice_recording_url"] = "https://recordings.example/<voice_recording_url>"
    run["transcript"] = "[00:01] Main Agent: Hello.\n" * 100 + mark("transcript")
    nested: dict[str, tuple[object, list[str]]] = {
        "expected_outcome": (
            {
                "score": 70.25,
                "explanation": ["Yes.", mark("outcome explained")],
                "outcome_alignments": [{"outcome": mark("outcome"), "prompt_part": mark("part"), "aligned": False}],
            },
            ["70.25", mark("outcome explained"), mark("outcome"), mark("part"), "aligned: false"],
        ),
        "evaluation": (
            {"metrics": [{"id": 880_001, "name": mark("metric"), "extra": {"categories": [mark("extra")]}}]},
            ["880001", mark("metric"), mark("extra")],
        ),
        "rubric": ([{"metric_id": 880_002, "conditions": mark("conditions")}], ["880002", mark("conditions")]),
        "transcript_object": (
            [{"role": "Main Agent", "content": mark(f"turn {n}"), "timestamp": n + 0.125} for n in range(210)],
            [mark("turn 0"), mark("turn 209"), "209.125"],
        ),
        "metadata": ({"ended_reason": mark("ended"), "deep": {"er": [[mark("deep")]]}}, [mark("ended"), mark("deep")]),
        "critical_categories": (
            [{"category_id": 880_003, "category": mark("category"), "feedback": mark("category feedback")}],
            ["880003", mark("category"), mark("category feedback")],
        ),
        "test_profile_data": (
            {"id": 880_004, "name": mark("profile"), "information": {mark("entry"): mark("information")}},
            ["880004", mark("profile"), mark("entry"), mark("information")],
        ),
        "generated_mock_tool_entries": ([{"tool": mark("tool"), "none": None}], [mark("tool"), "none: null"]),
        "provider_call_details": ([[mark("details")], mark("second")], [mark("details"), mark("second")]),
    }
    for name, (value, shown) in nested.items():
        run[name], marks[name] = value, shown
    return run, marks
