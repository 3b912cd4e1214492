"""What is done to runs, agents and sessions at the embedded server is seen in what it answers afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from demo_client import EPOCH, RUNS, Clock, listed, served_by

from cekura_tui.demo.corpus import FIRST_PROJECT, Arrivals, Corpus
from cekura_tui.demo.facts import Kind
from cekura_tui.demo.listing import CorpusListing, read_query
from cekura_tui.demo.server import DemoOptions, DemoServer

AGENT = "/test_framework/v1/aiagents/1201/"
SESSIONS = "/observability/v1/agent-improvement-sessions/"
HOUR = 3600.0


@pytest.fixture
def acted_on(tmp_path: Path, clock: Clock) -> Iterator[httpx.Client]:
    with served_by(DemoServer(tmp_path / "demo", DemoOptions(epoch=EPOCH), sessions=True, clock=clock)) as client:
        yield client


def ids(client: httpx.Client, **asked: Any) -> list[int]:
    return [row["id"] for row in listed(client, **asked)["results"]]


def test_an_ended_call_is_over_in_the_list_the_run_its_result_and_after_a_restart(
    acted_on: httpx.Client, tmp_path: Path
) -> None:
    spoken, queued = 900_240, 900_224
    before = acted_on.get(f"{RUNS}{spoken}/").json()
    # The filters have looked at these runs before they are ended.
    assert {spoken, queued} <= set(ids(acted_on, status__in="running,in_queue"))
    for run_id in (spoken, queued):
        assert acted_on.post(f"{RUNS}{run_id}/end_call/").status_code == 200
        assert acted_on.post(f"{RUNS}{run_id}/end_call/").json() == {"detail": "The call is not in progress."}
    ended = acted_on.get(f"{RUNS}{spoken}/").json()
    assert ended["status"] == "cancelled"
    assert ended["transcript"] == before["transcript"]
    assert ids(acted_on, status__in="running,in_queue") == []
    assert set(ids(acted_on, call_ended_reason__in="call-ended-by-user,cancelled-by-user")) >= {spoken, queued}
    result = acted_on.get(f"/test_framework/v1/results/{ended['result_id']}/").json()
    assert result["runs"][str(spoken)]["status"] == "cancelled"
    with served_by(DemoServer(tmp_path / "demo", DemoOptions(epoch=EPOCH))) as client:
        assert client.get(f"{RUNS}{spoken}/").json() == ended


def test_a_call_that_was_ended_stays_so_when_the_others_are_over(clock: Clock) -> None:
    corpus = Corpus(100, EPOCH, arrivals=Arrivals(EPOCH, 5.0, clock))
    clock.now += 30
    going = next(known for run_id in corpus.run_ids(0) if (known := corpus.facts(run_id)) and known.spoken)
    corpus.ended[going.id] = going.spoken
    clock.now += HOUR
    ended = corpus.facts(going.id)
    assert ended is not None
    assert (ended.fate.kind, ended.seconds, ended.script) == (Kind.ENDED, round(going.spoken or 0), going.script)
    asked = {"project_id": str(FIRST_PROJECT), "status": "cancelled", "duration__lte": str(ended.seconds)}
    assert going.id in CorpusListing(corpus).find(read_query(asked))


def test_no_run_of_an_old_workspace_is_still_in_progress(tmp_path: Path, clock: Clock) -> None:
    with served_by(DemoServer(tmp_path / "demo", clock=clock)) as client:
        going = ids(client, status__in="running,in_progress,evaluating,in_queue,pending,scaling_up")
        assert len(going) == 6
        about = {run_id: client.get(f"{RUNS}{run_id}/").json()["scenario"] for run_id in going}
        clock.now += HOUR
        assert ids(client, status__in="running,in_progress,evaluating,in_queue,pending,scaling_up") == []
        for run_id, scenario in about.items():
            run = client.get(f"{RUNS}{run_id}/").json()
            assert run["scenario"] == scenario
            assert run["duration"] is not None


def test_an_agent_has_a_history_and_is_restored_from_it(acted_on: httpx.Client, clock: Clock) -> None:
    made = acted_on.get(AGENT).json()
    for number in (1, 2):
        clock.now += HOUR
        changed = acted_on.patch(AGENT, json={"description": f"Prompt {number}"}).json()
        assert changed["created_at"] == made["created_at"] < changed["updated_at"]
    history = acted_on.get(f"{AGENT}history/").json()["results"]
    assert [one["description"] for one in history] == ["Prompt 2", "Prompt 1", made["description"]]
    assert [one["history_type"] for one in history] == ["~", "~", "+"]
    clock.now += HOUR
    for version, prompt in ((history[1], "Prompt 1"), (history[2], made["description"])):
        restored = acted_on.post(f"{AGENT}restore/", json={"history_id": version["history_id"]}).json()
        assert restored["description"] == acted_on.get(AGENT).json()["description"] == prompt
    newest = acted_on.get(f"{AGENT}history/", params={"page_size": 1}).json()
    assert newest["count"] == 5
    assert newest["results"][0]["history_change_reason"] == f"Restored version {history[2]['history_id']}"
    unknown = acted_on.post(f"{AGENT}restore/", json={"history_id": 7})
    assert (unknown.status_code, unknown.json().keys()) == (400, {"history_id"})
    too_long = acted_on.patch(AGENT, json={"agent_name": "x" * 256})
    assert (too_long.status_code, too_long.json().keys()) == (400, {"agent_name"})


def test_an_expected_outcome_is_judged_again(acted_on: httpx.Client, clock: Clock) -> None:
    run = acted_on.get(f"{RUNS}900238/").json()
    handle = acted_on.post(f"{RUNS}900238/run_expected_outcome_bg/").json()
    progress = f"{RUNS}run_expected_outcome_progress/"
    assert acted_on.get(progress, params=handle).json()["status"] == "running"
    clock.now += 60
    assert acted_on.get(progress, params=handle).json()["output"] == run["expected_outcome"]
    unjudged = acted_on.post(f"{RUNS}900236/run_expected_outcome_bg/").json()
    clock.now += 60
    assert acted_on.get(progress, params=unjudged).json()["status"] == "failed"
    assert acted_on.post(f"{RUNS}900240/run_expected_outcome_bg/").status_code == 400


def test_a_session_is_opened_followed_promoted_once_and_its_copy_discarded(
    acted_on: httpx.Client, clock: Clock
) -> None:
    opened = acted_on.post(SESSIONS, json={"source": "run", "run_ids": [900_238]}).json()
    one = f"{SESSIONS}{opened['id']}/"
    seen = []
    assert acted_on.post(f"{one}promote/").status_code == acted_on.post(f"{one}discard-copy/").status_code == 409
    for _ in range(10):
        seen.append((acted_on.get(one).json()["status"], acted_on.get(one).json()["stage"]))
        clock.now += 10
    words = [word for number, word in enumerate(seen) if word not in seen[:number]]
    assert words[0] == ("pending", None)
    assert words[-1] == ("succeeded", "finalize")
    assert ("running", "baseline_run") in words
    assert acted_on.post(f"{one}cancel/").json() == {"detail": "The session is over."}
    acted_on.patch(AGENT, json={"description": "Edited meanwhile."})
    assert "edited" in acted_on.post(f"{one}promote/").json()["detail"]
    clock.now += 1
    promoted = acted_on.post(f"{one}promote/", json={"force": True}).json()
    assert acted_on.post(f"{one}promote/").json() == promoted
    assert promoted["promoted_at"] is not None
    assert acted_on.get(AGENT).json()["description"] not in ("Edited meanwhile.", "")
    discarded = acted_on.post(f"{one}discard-copy/").json()
    assert acted_on.post(f"{one}discard-copy/").json() == discarded
    nothing = acted_on.post(SESSIONS, json={"source": "run", "run_ids": [900_239]}).json()
    clock.now += 100
    assert acted_on.get(f"{SESSIONS}{nothing['id']}/").json()["status"] == "no_improvement"
    assert [row["id"] for row in acted_on.get(SESSIONS).json()] == [nothing["id"], opened["id"]]
