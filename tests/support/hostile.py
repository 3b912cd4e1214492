"""A server that returns hostile text in every field: control sequences and markup in names and transcripts."""

from __future__ import annotations

from scripted_server import LAUNCH, PROGRESS, Reply, ScriptedServer

EVIL = (
    "\x1b[2J\x1b]0;owned\x07[/red] [@click=app.quit]press[/] \x9b31m\u202egnirts\u202c"
    " \x1b[?1049l\x1b[31mRED\x1b[0m \U000e0068\x90\x08\x7f[INFO] end"
)
"""Hostile text: control sequences (CSI, OSC and C1), a bidirectional override, hidden tag characters, and markup."""
SHOWN = "[2J]0;owned[/red] [@click=app.quit]press[/] 31mgnirts"
"""Start of `EVIL` as it appears on screen, after cleaning."""

WIDE_EVIL = f"我想 z\u0300\u0327 {EVIL}"
"""`EVIL` after wide characters and a letter with two combining marks."""

AGENT_PROMPT = f"# Greeting\r\n\tSay hello. {EVIL}\n\n## Identity\nAsk for the name.\n"
IMPROVED = f"# Greeting\r\n\tSay hello. {EVIL}\n\n## Identity\nAsk for the name and {EVIL}.\n"


def hostile_run(number: int) -> dict[str, object]:
    """A failed run as the API sends it, with `EVIL` in each free text."""
    turns = [
        {"role": role, "content": f"{role}: {EVIL}", "start_time": n * 4.0, "end_time": n * 4.0 + 3}
        for n, role in enumerate(("Main Agent", "Testing Agent", f"Somebody {EVIL}"))
    ]
    metric = {"id": 5, "name": EVIL, "type": "binary_workflow_adherence", "score": 0, "explanation": [EVIL, EVIL]}
    return {
        "id": number,
        "agent": 7,
        "agent_name": EVIL,
        "status": "completed",
        "evaluation_status": "failure",
        "scenario": 3,
        "scenario_name": EVIL,
        "personality_name": EVIL,
        "error_message": EVIL,
        "ended_reason": EVIL,
        "feedback": EVIL,
        "duration": "01:10",
        "timestamp": "2026-08-18T10:00:00Z",
        "transcript_object": [
            *turns,
            {"role": "Function Call", "content": "", "data": {"name": EVIL, "arguments": {EVIL: EVIL}}},
        ],
        "evaluation": {"metrics": [metric]},
        "critical_categories": [{"id": 9, "category": EVIL, "explanation": [EVIL]}],
        "expected_outcome": {"score": 0, "explanation": [EVIL]},
    }


def serve_hostile(server: ScriptedServer, *, end: dict[str, object] | None = None) -> None:
    """Serve a project with two runs, the agent of the runs, and jobs whose answer is `end`, by default a suggestion."""
    runs = [hostile_run(102), hostile_run(101)]
    server.on("GET", "/user/v1/projects/", Reply([{"id": 1, "name": EVIL}]))
    server.on("GET", "/test_framework/v1/runs/", Reply({"count": 2, "next": None, "previous": None, "results": runs}))
    for run in runs:
        server.on("GET", f"/test_framework/v1/runs/{run['id']}/", Reply(run))
    agent = {"id": 7, "agent_name": EVIL, "project": 1, "description": AGENT_PROMPT}
    server.on("GET", "/test_framework/v1/aiagents/7/", Reply(agent))
    page = {"count": 1, "next": None, "previous": None, "results": [agent]}
    server.on("GET", "/test_framework/v1/aiagents/", Reply(page))
    server.on("POST", LAUNCH, Reply({"progress_id": f"p {EVIL}"}))
    output = {"improved_prompt": IMPROVED, "summary_of_changes": [EVIL, f"second {EVIL}"]}
    server.on("GET", PROGRESS, Reply(end or {"status": EVIL, "output": output}))
