"""Properties that the documented schema of a run declares, and a run with a value in each property."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any


def _kind(schema: dict[str, Any]) -> str:
    """Declared JSON type of a property, the first if there are several; "" if its schema has no `type`."""
    kind = schema.get("type", "")
    return kind if isinstance(kind, str) else kind[0]


DECLARED = json.loads((Path(__file__).parents[1] / "contract" / "run-page.json").read_text())["components"]["schemas"]
PROPERTIES: dict[str, str] = {name: _kind(of) for name, of in DECLARED["Run"]["properties"].items()}
RUN_ID = 7_000_001


def mark(name: str) -> str:
    """A unique text for a property or a nested field."""
    return f"<{name}>"


def marked_run() -> tuple[dict[str, object], dict[str, list[str]]]:
    """A run with a value in every declared property, and for each property the texts that must be on screen."""
    run: dict[str, object] = {}
    marks: dict[str, list[str]] = {}
    for n, (name, kind) in enumerate(PROPERTIES.items()):
        if kind == "integer":
            run[name], marks[name] = RUN_ID + n, [str(RUN_ID + n)]
        elif kind == "boolean":
            run[name], marks[name] = name != "success", [f"{name}): true"]
        elif kind == "string":
            run[name], marks[name] = mark(name), [mark(name)]
    marks["success"] = ["Success: false"]
    run["voice_recording_url"] = "https://recordings.example/<voice_recording_url>"
    run["transcript"] = "[00:01] Main Agent: Hello.\n" * 100 + mark("transcript")
    aligned = [{"outcome": mark("outcome"), "prompt_part": mark("part"), "aligned": False}]
    expected = {"score": 70.25, "explanation": ["Yes.", mark("outcome explained")], "outcome_alignments": aligned}
    metric = {"id": 880_001, "name": mark("metric"), "extra": {"categories": [mark("extra")]}}
    turns = [{"role": "Main Agent", "content": mark(f"turn {n}"), "timestamp": n + 0.125} for n in range(210)]
    category = {"category_id": 880_003, "category": mark("category"), "feedback": mark("category feedback")}
    profile = {"id": 880_004, "name": mark("profile"), "information": {mark("entry"): mark("information")}}
    nested: dict[str, tuple[object, str]] = {
        "expected_outcome": (expected, "70.25 <outcome explained> <outcome> <part> aligned: false"),
        "evaluation": ({"metrics": [metric]}, "880001 <metric> <extra>"),
        "rubric": ([{"metric_id": 880_002, "conditions": mark("conditions")}], "880002 <conditions>"),
        "transcript_object": (turns, "<turn 0> <turn 209> 209.125"),
        "metadata": ({"ended_reason": mark("ended"), "deep": {"er": [[mark("deep")]]}}, "<ended> <deep>"),
        "critical_categories": ([category], "880003 <category> <category feedback>"),
        "test_profile_data": (profile, "880004 <profile> <entry> <information>"),
        "generated_mock_tool_entries": ([{"tool": mark("tool"), "none": None}], "<tool> none: null"),
        "provider_call_details": ([[mark("details")], mark("second")], "<details> <second>"),
    }
    for name, (value, shown) in nested.items():
        run[name], marks[name] = value, re.findall(r"<[^>]+>|\w+: \w+|[\d.]+", shown)
    return run, marks
