"""The vendor's own client works against the embedded server."""

from __future__ import annotations

import time

import pytest

from cekura_tui.demo.corpus import FIRST_PROJECT
from cekura_tui.demo.server import DemoServer

cekura = pytest.importorskip("cekura")


def test_the_vendor_s_client_reads_runs_and_gets_a_better_prompt(server: DemoServer) -> None:
    vendor = cekura.Cekura(api_key=server.key, base_url=server.url)
    listed = vendor.runs.list(project_id=FIRST_PROJECT, page_size=100)["results"]
    failed = next(row["id"] for row in listed if row["evaluation_status"] == "failure")
    run = vendor.runs.get(failed)
    assert run["evaluation"]["metrics"]
    assert [one["id"] for one in vendor.runs.bulk(run_ids=f"{failed}")] == [failed]
    prompt = vendor.agents.get(run["agent"])["description"]
    handle = vendor.runs.improve_prompt_bg(run_ids=[failed], prompt=prompt, agent=run["agent"])
    deadline = time.monotonic() + 10
    answer = vendor.runs.improve_prompt_progress(**handle)
    while answer["status"] != "completed" and time.monotonic() < deadline:
        answer = vendor.runs.improve_prompt_progress(**handle)
    assert answer["output"]["improved_prompt"] != prompt
    assert vendor.runs.improve_prompt_issues(run_ids=[failed], agent=run["agent"])["issues"]
    assert len(vendor.projects.list()) == 2
    assert vendor.results.list(project_id=FIRST_PROJECT)["count"] == 40
