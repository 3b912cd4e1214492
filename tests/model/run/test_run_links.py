"""A copied link opens the run's result, in a browser and with `cekura-tui LINK`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_server import row

from cekura_tui.model.run.details import result_link, result_links
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.scope import Scope, scope_of_link

DASHBOARD = "https://dashboard.cekura.ai"
IDS = st.integers(0, 10**18 - 1)


@pytest.mark.parametrize(
    ("run", "scope", "link"),
    [
        (row(5, project_id=4021, result_id=991), None, f"{DASHBOARD}/4021/results/991"),
        (row(5, project_id=4021, result_id=991), Scope("project", 7), f"{DASHBOARD}/4021/results/991"),
        (row(5, result_id=991), Scope("project", 7), f"{DASHBOARD}/7/results/991"),
        (row(5, project_id=4021), Scope("result", 12), f"{DASHBOARD}/4021/results/12"),
        (row(5, project_id=0, result_id=0), None, f"{DASHBOARD}/0/results/0"),
        (row(5, project_id=4021), Scope("project", 4021), None),
        (row(5, result_id=991), Scope("agent", 7), None),
        (row(5, result_id=991), None, None),
        (row(5), Scope("result", 12), None),
    ],
)
def test_a_run_has_a_link_if_its_project_and_its_result_are_known(
    run: RunRow, scope: Scope | None, link: str | None
) -> None:
    assert result_link(DASHBOARD, run, scope) == link


def test_runs_of_one_result_share_a_link_that_has_no_control_characters() -> None:
    rows = [row(5, result_id=2), row(5, result_id=1), row(5), row(5, result_id=2), row(5, result_id=3)]
    links = result_links(DASHBOARD, rows, Scope("project", 7))
    assert [link.rpartition("/")[2] for link in links] == ["2", "1", "3"]
    assert result_links(DASHBOARD, [], None) == ()
    link = result_link("https://a.example/\x1b]0;x\x07\udcff", row(5, project_id=1, result_id=2), None)
    assert link == "https://a.example/]0;x/1/results/2"


@pytest.mark.parametrize(
    "dashboard", [DASHBOARD, f"{DASHBOARD}/", "https://eu.example:8443/app//", "http://localhost:3"]
)
@given(project=IDS, result=IDS)
def test_the_link_of_a_run_leads_back_to_the_result_of_the_run(dashboard: str, project: int, result: int) -> None:
    link = result_link(dashboard, row(5, project_id=project, result_id=result), None)
    assert link is not None
    assert scope_of_link(link, dashboard) == Scope("result", result)
