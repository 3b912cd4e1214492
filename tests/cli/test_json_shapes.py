"""JSON for scripts matches its schemas, and contains the texts exactly as the server sent them."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calling import call, refused
from documented_shapes import read_all, schema
from hostile import EVIL, hostile_run, serve_hostile
from scripted_server import PROGRESS, Reply, ScriptedServer, run_of, serve_runs

from cekura_tui.manual import read_page
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import row_of
from cekura_tui.model.run.words import json_row
from cekura_tui.model.text import clean

KEY = "key-of-a-test-0123456789"
NAMES = ["runs-list", "runs-show", "transcript", "runs-export"]
NAMES += ["jobs-list", "jobs-show", "jobs-wait", "jobs-watch", "improve"]
NAMES += [
    "suggestion-show",
    "suggestion-update",
    "timeline",
    "speech",
    "groups",
    "compare",
    "test",
    "search",
    "views",
    "notes",
    "prompts-history",
    "doctor",
]
NAMES += ["auth-status", "config-show"]
SHOWN = [(1,), (2,), (1, "--diff"), (1, "--curl")]
Json = dict[str, Any]


@pytest.fixture
def hostile(api: ScriptedServer) -> ScriptedServer:
    serve_hostile(api)
    return api


def exported(rows: list[Json]) -> str:
    """The lines that the app writes when it exports these runs, with and without failed checks."""
    found = [row_of(Run.read(row)) for row in rows]
    return "".join(json_row(row, "call again", checks=checks) + "\n" for row in found for checks in (True, False))


@pytest.mark.parametrize(("some", "few"), [(15, 3), pytest.param(100, 25, marks=pytest.mark.nightly)])
def test_real_outputs_match_their_schemas(
    demo: Any, prompt_file: Path, tmp_path: Path, start: Callable[..., Any], some: int, few: int
) -> None:
    watching = start("jobs", "watch", "--json") if few > 3 else None
    listed = call("runs", "list", "--limit", some, "--json").out
    runs = read_all("runs-list", listed)
    ended = [run["id"] for run in runs if run["outcome"]["kind"] in ("passed", "failed")][:few]
    printed = {
        "runs-list": [listed],
        "runs-show": [call("runs", "show", run["id"], "--json").out for run in runs],
        "transcript": [call("runs", "show", run["id"], "--transcript", "--json").out for run in runs],
        "runs-export": [exported(runs)],
        "improve": [call("improve", number, "--prompt-file", prompt_file, "--json").out for number in ended],
        "jobs-wait": [call("jobs", "wait", *range(1, few + 1), "--json").out],
        "jobs-show": [call("jobs", "show", number + 1, "--json").out for number in range(few)],
        "jobs-list": [call("jobs", "list", "--json").out],
    }
    if watching is not None:
        watching.prints(f'"job": {few}, "state": "')
        printed["jobs-watch"] = ["\n".join(watching.out)]
    found = {name: [value for out in outs for value in read_all(name, out)] for name, outs in printed.items()}
    assert sum(map(len, found.values())) >= 4 * some
    assert {run["outcome"]["kind"] for run in runs} > {"passed", "failed", "error"}
    assert len({job["state"] for job in found["jobs-wait"]}) > 1


def test_each_json_output_has_a_schema_and_an_unknown_schema_is_refused() -> None:
    listed = call("schema").out.splitlines()
    assert [line.split()[0] for line in listed] == ["NAME", *NAMES]
    assert {schema(name).schema["$schema"] for name in NAMES} == {"https://json-schema.org/draft/2020-12/schema"}
    refused("No schema named “jobs”. Choose from runs-list, ", "schema", "jobs")


@pytest.mark.parametrize(
    "command",
    [
        *("groups", "compare", "test", "search", "views", "notes"),
        *("runs show --timeline", "prompts history", "suggestion show"),
    ],
)
def test_the_manual_names_every_field_of_json_output(command: str) -> None:
    name = command.replace("runs show --", "").replace(" ", "-")
    (row,) = re.findall(rf"^\| `{command}` \| (.*) \|$", read_page("scripts"), re.MULTILINE)
    assert set(schema(name).schema["properties"]) <= set(re.findall(r"\w+", row))


def _without(name: str) -> Callable[[Json], object]:
    return lambda value: value.pop(name)


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("runs-list", _without("id")),
        ("runs-list", _without("outcome")),
        ("runs-list", lambda run: run["outcome"].update(kind="broken")),
        ("runs-show", _without("verdicts")),
        ("runs-show", lambda run: run["verdicts"][0].update(score="True")),
        ("runs-show", lambda run: run["verdicts"][0].update(score=True)),
        ("runs-show", lambda run: run["verdicts"][0].update(more=1)),
        ("runs-show", lambda run: run["verdicts"][0].pop("raw_value")),
        ("runs-show", lambda run: run["turns"][0].update(speaker="somebody")),
        ("transcript", lambda run: run.update(more=1)),
        ("jobs-wait", lambda job: job.update(state="ended")),
        ("jobs-wait", lambda job: job.update(launched_at="today")),
        ("jobs-show", lambda job: job.update(more=1)),
        ("improve", _without("improved_prompt")),
    ],
)
def test_a_schema_rejects_undocumented_fields(
    server: ScriptedServer, name: str, spoil: Callable[[Json], object]
) -> None:
    serve_runs(server, hostile_run(5))
    server.on("GET", PROGRESS, Reply({"output": {"improved_prompt": "Be kind."}}))
    words = {"transcript": ("runs", "show", 5, "--transcript"), "jobs-wait": ("jobs", "wait", 1)}
    usual = ("runs", "show", 5) if name.startswith("runs") else ("jobs", "show", 1)
    (right,) = read_all(name, call(*words.get(name, usual), "--json").out)
    wrong = copy.deepcopy(right)
    spoil(wrong)
    assert not schema(name).is_valid(wrong)


def test_json_of_runs_has_exact_texts_with_control_characters_escaped(hostile: ScriptedServer) -> None:
    sent = hostile_run(102)
    listed, shown = call("runs", "list", "--json").out, call("runs", "show", 102, "--json").out
    assert (listed + shown).replace("\n", "").isprintable()
    row, run = read_all("runs-list", listed)[0], read_all("runs-show", shown)[0]
    for whole in (row, run):
        assert {name: whole[name] for name in sent} == sent
    assert row["outcome"] == run["outcome"] == {"kind": "failed", "text": "failed"}
    assert len(row["failing"]) == row["failed_checks"] == run["failed_checks"] == 2
    metric = next(verdict for verdict in run["verdicts"] if verdict["source"] == "metric")
    assert (metric["name"], metric["explanation"], metric["state"]) == (EVIL, [EVIL, EVIL], "fail")
    assert [turn["text"] for turn in run["turns"][:2]] == [f"Main Agent: {EVIL}", f"Testing Agent: {EVIL}"]
    assert run["turns"][3]["tool"] == {"name": EVIL, "arguments": {EVIL: EVIL}}
    alone = call("runs", "show", 102, "--transcript", "--json").out
    assert alone.replace("\n", "").isprintable()
    assert read_all("transcript", alone)[0]["turns"] == run["turns"]


def test_no_control_character_is_printed(hostile: ScriptedServer) -> None:
    hostile.on("GET", "/test_framework/v1/runs/bulk/", Reply([hostile_run(102), hostile_run(101)]))
    for more in (["list"], ["show", 102], ["show", 102, "--markdown"], ["show", 102, "--transcript"]):
        text = call("runs", *more).out
        assert text == clean(text) != ""
    for name, command in (
        ("timeline", "runs show 102 --timeline"),
        ("groups", "groups"),
        ("groups", "groups --by pair"),
        ("compare", "compare 102 101"),
        ("search", "search owned"),
        ("prompts-history", "prompts history 7 --current"),
    ):
        text, printed = call(*command.split()).out, call(*command.split(), "--json").out
        assert text == clean(text) != ""
        assert printed.replace("\n", "").isprintable()
        assert read_all(name, printed)


def test_json_of_jobs_has_exact_texts_and_text_output_is_cleaned(hostile: ScriptedServer, prompt_file: Path) -> None:
    summary = f"- \ud800 {EVIL}\n- {EVIL}"
    output = {"improved_prompt": f"Be kind. {EVIL}", "summary_of_changes": [f"\ud800 {EVIL}", EVIL]}
    hostile.on("GET", PROGRESS, Reply({"status": EVIL, "output": output}))
    improve = ("improve", 102, "--prompt-file", prompt_file)
    call(*improve)
    waited, said = call("jobs", "wait", 1, "--json").out, call("jobs", "wait", 1).err
    hostile.on("GET", PROGRESS, Reply({"status": "failed", "error": f"Broke: {EVIL}"}))
    call(*improve, "--wait")
    listed, shown = call("jobs", "list", "--json").out, call("jobs", "show", 1, "--json").out
    assert (waited + listed + shown).replace("\n", "").isprintable()
    assert shown == waited
    (job,) = read_all("jobs-wait", waited)
    assert (job["last_status"], job["summary_of_changes"]) == (EVIL, summary)
    assert job["improved_prompt"] == output["improved_prompt"]
    failed, _ = read_all("jobs-list", listed)
    assert failed["error"] == failed["reason"] == f"Broke: {EVIL}"
    texts = [call("jobs", *words).out for words in (["list"], *(["show", *more] for more in SHOWN))]
    for text in (said, *texts):
        assert text == clean(text) != ""
    assert clean(summary) in call("jobs", "show", 1).out


def test_fields_missing_in_an_answer_are_missing_in_json_or_null_in_an_export(hostile: ScriptedServer) -> None:
    turn = {"role": "Function Call Result", "data": {"id": "c1", "result": "texto"}}
    sent = {"id": 5, "status": "completed", "transcript_object": [turn]}
    serve_runs(hostile, sent)
    (run,) = read_all("runs-show", call("runs", "show", 5, "--json").out)
    assert [turn["text"] for turn in run["turns"]] == ["texto"]
    assert set(run) == {*sent, "outcome", "failed_checks", "failing", "turns", "verdicts"}
    row, _ = read_all("runs-export", exported([sent]))
    assert (row["scenario"], row["personality"], row["agent"]) == (None, None, None)
    for words in ([], ["--markdown"]):
        assert "deleted" not in call("runs", "show", 5, *words).out


@pytest.mark.parametrize("said", [f"Bearer {KEY} ", f"Bearer {KEY[:9]}\x00{KEY[9:]} "])
def test_the_key_is_redacted_in_the_texts_of_json(
    api: ScriptedServer, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", KEY)
    serve_runs(api, run_of(5, error_message=said, feedback={said: [f"\x1b {said}"]}))
    out = json.loads(call("runs", "show", 5, "--json").out)
    assert KEY not in clean(json.dumps(out, ensure_ascii=False).replace("\\u0000", ""))
    assert "[the key]" in out["error_message"]
