"""The embedded server answers every operation as the API's contract declares."""

from __future__ import annotations

import itertools
import json
from typing import Any

import httpx
import pytest
from contract_shapes import check_answer
from contract_walk import STARTS
from demo_client import answers_until_over
from waiting import until

from cekura_tui.demo.corpus import FIRST_PROJECT, SECOND_PROJECT

V1 = "/test_framework/v1"
V2 = "/test_framework/v2"
ENDED = {"completed", "failed", "timeout", "cancelled"}


def ask(client: httpx.Client, method: str, path: str, status: int = 200, **options: Any) -> Any:
    answer = client.request(method, path, **options)
    assert answer.status_code == status, answer.text[:300]
    body = answer.json()
    check_answer(path, method, status, body)
    return body


def every_page(client: httpx.Client, path: str, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for page in itertools.count(1):
        body = ask(client, "GET", path, params={**params, "page": page, "page_size": 100})
        found += body["results"]
        if body["next"] is None:
            break
        assert httpx.URL(body["next"]).params["page"] == str(page + 1)
    assert len(found) == body["count"]
    return found


@pytest.mark.parametrize(("root", "half"), [(V1, 0), (V2, 1)])
@pytest.mark.parametrize(("project", "count"), [(FIRST_PROJECT, 240), (SECOND_PROJECT, 60)])
def test_every_run_on_every_page_matches_the_contract(
    client: httpx.Client, root: str, half: int, project: int, count: int
) -> None:
    rows = every_page(client, f"{root}/runs/", project_id=project)
    assert len(rows) == count
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    for row in rows[half::2]:
        whole = ask(client, "GET", f"{root}/runs/{row['id']}/")
        assert not {"transcript_object", "evaluation"} & row.keys()
        for name in ("status", "evaluation_status", "duration", "timestamp", "error_message", "scenario_name"):
            assert row[name] == whole[name]


@pytest.mark.parametrize("root", [V1, V2])
def test_agents_and_results_and_bulk_runs_match_the_contract(client: httpx.Client, root: str) -> None:
    for agent in every_page(client, f"{root}/aiagents/"):
        assert ask(client, "GET", f"{root}/aiagents/{agent['id']}/") == agent
    for result in every_page(client, f"{root}/results/", project_id=SECOND_PROJECT):
        ask(client, "GET", f"{root}/results/{result['id']}/")
    bulk = ask(client, "GET", f"{root}/runs/bulk/", params={"run_ids": "900240,900238,1"})
    assert [run["id"] for run in bulk] == [900240, 900238]


def test_projects_match_the_contract(client: httpx.Client) -> None:
    projects = ask(client, "GET", "/user/v1/projects/")
    assert [project["id"] for project in projects] == [FIRST_PROJECT, SECOND_PROJECT]


def test_a_written_prompt_is_kept_byte_for_byte(client: httpx.Client) -> None:
    prompt = "# Ünï\r\n\ttabs\x1b and a lone \ud800\r\n"
    # The client would fail to encode the lone surrogate as UTF-8; JSON can escape it.
    written = json.dumps({"description": prompt}).encode()
    kind = {"content-type": "application/json"}
    body = ask(client, "PATCH", f"{V1}/aiagents/1206/", content=written, headers=kind)
    assert body["description"] == body["llm_system_prompt"] == prompt
    assert ask(client, "GET", f"{V2}/aiagents/1206/")["description"] == prompt
    ask(client, "PATCH", f"{V2}/aiagents/1206/", json={"name": "Renamed"})
    assert ask(client, "GET", f"{V1}/aiagents/1206/")["agent_name"] == "Renamed"


def test_every_state_of_a_job_matches_the_contract(client: httpx.Client) -> None:
    seen: set[str] = set()
    path = f"{V1}/runs/improve_prompt_progress/"
    for run_ids in ([900238], [900237], [900236]):
        handle = ask(client, "POST", f"{V1}/runs/improve_prompt_bg/", json={"run_ids": run_ids, "prompt": "Be kind."})
        answers = answers_until_over(lambda handle=handle: ask(client, "GET", path, params=handle))
        seen |= {answer["status"] for answer in answers}
        assert (answers[-1]["output"] is None) is (answers[-1]["status"] == "failed")
    assert {"completed", "failed"} <= seen


def test_the_issues_behind_a_suggestion_match_the_contract(client: httpx.Client) -> None:
    issues = ask(client, "POST", f"{V1}/runs/improve_prompt_issues/", json={"run_ids": [900238]})["issues"]
    assert issues
    assert all(issue["run_id"] == 900238 and issue["turns"] for issue in issues)


def test_refusals_match_the_contract(client: httpx.Client) -> None:
    for path, params in (
        ("runs", {}),
        ("runs", {"project_id": FIRST_PROJECT, "status": "gone"}),
        ("runs/bulk", {}),
        ("runs/bulk", {"run_ids": "[900240]"}),
    ):
        ask(client, "GET", f"{V1}/{path}/", 400, params=params)
    for method, path, status, detail in (
        ("GET", f"{V1}/runs/?project_id={FIRST_PROJECT}&page=25", 404, "Invalid page."),
        ("GET", "/test_framework/v9/runs/", 404, "Not found."),
        ("DELETE", f"{V1}/runs/900240/", 405, 'Method "DELETE" not allowed.'),
    ):
        answer = client.request(method, path)
        assert (answer.status_code, answer.json()) == (status, {"detail": detail})


def test_started_scenarios_and_what_they_cost_match_the_contract(client: httpx.Client) -> None:
    for suffix, body in STARTS.items():
        if suffix == "_agora":
            continue
        path = f"{V1}/scenarios/run_scenarios{suffix}"
        answer = client.post(path, json=body)
        check_answer(path, "POST", answer.status_code, answer.json())
        runs = [run["id"] for run in answer.json()["runs"]]

        def are_over(runs: list[int] = runs) -> bool:
            return all(ask(client, "GET", f"{V1}/runs/{run_id}/")["status"] in ENDED for run_id in runs)

        until(are_over, "the calls ended")
        for root in (V1, V2):
            ask(client, "GET", f"{root}/results/{answer.json()['id']}/")
            assert [run["id"] for run in ask(client, "GET", f"{root}/runs/bulk/", params={"ids": f"{runs[0]}"})]
    every_page(client, f"{V1}/results/", agent_id=1201)
    ask(client, "GET", "/test_framework/billing/info/")
    for scenario in every_page(client, f"{V1}/scenarios/"):
        ask(client, "GET", f"{V1}/scenarios/{scenario['id']}/")
