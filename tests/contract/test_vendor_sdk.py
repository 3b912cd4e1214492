"""The vendor's own Python client works against the embedded server."""

from __future__ import annotations

import pytest
from demo_client import answers_until_over

from cekura_tui.demo.corpus import FIRST_PROJECT
from cekura_tui.demo.server import DemoServer

cekura = pytest.importorskip("cekura")


def test_the_vendor_sdk_reads_runs_and_gets_a_better_prompt(server: DemoServer) -> None:
    vendor = cekura.Cekura(api_key=server.key, base_url=server.url)
    listed = vendor.runs.list(project_id=FIRST_PROJECT, page_size=100)["results"]
    failed = next(row["id"] for row in listed if row["evaluation_status"] == "failure")
    run = vendor.runs.get(failed)
    assert run["evaluation"]["metrics"]
    assert [one["id"] for one in vendor.runs.bulk(run_ids=f"{failed}")] == [failed]
    prompt = vendor.agents.get(run["agent"])["description"]
    handle = vendor.runs.improve_prompt_bg(run_ids=[failed], prompt=prompt, agent=run["agent"])
    answer = answers_until_over(lambda: vendor.runs.improve_prompt_progress(**handle))[-1]
    assert answer["output"]["improved_prompt"] != prompt
    assert vendor.runs.improve_prompt_issues(run_ids=[failed], agent=run["agent"])["issues"]
    assert len(vendor.projects.list()) == 2
    assert vendor.results.list(project_id=FIRST_PROJECT)["count"] == 40


def test_the_vendor_sdk_reads_results_and_writes_an_agent(server: DemoServer) -> None:
    vendor = cekura.Cekura(api_key=server.key, base_url=server.url)
    assert vendor.projects.get(FIRST_PROJECT)["name"] == "Front desks"
    speaking, failed = 900_240, 900_238
    assert [run["id"] for run in vendor.results.get_runs([failed, speaking])] == [speaking, failed]
    result = vendor.runs.get(failed)["result_id"]
    assert vendor.results.get(result)["id"] == result
    assert vendor.agents.list(project_id=FIRST_PROJECT)["results"][0]["telephony"]["phone_number"]
    vendor.agents.update(1203, description="Be brief.")
    assert vendor.agents.get(1203)["description"] == "Be brief."
    assert vendor.scenarios.list(agent_id=1203)["count"] > 0


def test_the_vendor_sdk_starts_scenarios_waits_for_the_result_and_reruns_it(server: DemoServer) -> None:
    vendor = cekura.Cekura(api_key=server.key, base_url=server.url)
    begun = vendor.scenarios.run(agent_id=1201, scenarios=[5104], frequency=2, name="By the vendor's client")
    result = vendor.results.wait(begun["id"], poll_interval=0.05, timeout=20)
    assert (result["status"], result["total_runs_count"]) == ("completed", 2)
    assert vendor.results.rerun(begun["id"])["id"] == begun["id"] + 1
    for start in (vendor.scenarios.run_text, vendor.scenarios.run_vapi):
        again = start(scenarios=[5104], vapi_assistant_id="asst_1")
        vendor.results.end_calls(again["id"])
    assert vendor.results.list(agent_id=1201, search="vendor's")["results"][0]["id"] == begun["id"]
