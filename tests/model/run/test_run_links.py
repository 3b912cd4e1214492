"""A link that is copied opens the run's result, in a browser and with `cekura-tui LINK`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.cli.opening import scope_of_link
from cekura_tui.model.run.details import result_link, result_links
from cekura_tui.model.run.outcome import Outcome
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.scope import Scope

DASHBOARD = "https://dashboard.cekura.ai"
IDS = st.integers(0, 10**18 - 1)


def row(*, project: int | None = None, result: int | None = None, number: int = 5) -> RunRow:
    outcome = Outcome("passed", "passed")
    return RunRow(number, "", "", None, "", outcome, "", None, project_id=project, result_id=result)


@pytest.mark.parametrize(
    ("run", "scope", "link"),
    [
        (row(project=4021, result=991), None, f"{DASHBOARD}/4021/results/991"),
        (row(project=4021, result=991), Scope("project", 7), f"{DASHBOARD}/4021/results/991"),
        (row(result=991), Scope("project", 7), f"{DASHBOARD}/7/results/991"),
        (row(project=4021), Scope("result", 12), f"{DASHBOARD}/4021/results/12"),
        (row(project=0, result=0), None, f"{DASHBOARD}/0/results/0"),
        (row(project=4021), Scope("project", 4021), None),
        (row(result=991), Scope("agent", 7), None),
        (row(result=991), None, None),
        (row(), Scope("result", 12), None),
    ],
)
def test_a_run_is_linked_by_its_result_where_run_or_scope_tell_all_that_is_needed(
    run: RunRow, scope: Scope | None, link: str | None
) -> None:
    assert result_link(DASHBOARD, run, scope) == link


def test_runs_of_one_result_have_one_link_of_plain_characters() -> None:
    rows = [row(result=2), row(result=1), row(), row(result=2), row(result=3)]
    links = result_links(DASHBOARD, rows, Scope("project", 7))
    assert [link.rpartition("/")[2] for link in links] == ["2", "1", "3"]
    assert result_links(DASHBOARD, [], None) == ()
    link = result_link("https://a.example/\x1b]0;x\x07\udcff", row(project=1, result=2), None)
    assert link == "https://a.example/]0;x/1/results/2"


@pytest.mark.parametrize(
    "dashboard", [DASHBOARD, f"{DASHBOARD}/", "https://eu.example:8443/app//", "http://localhost:3"]
)
@given(project=IDS, result=IDS)
def test_a_copied_link_opens_what_it_was_copied_from(dashboard: str, project: int, result: int) -> None:
    link = result_link(dashboard, row(project=project, result=result), None)
    assert link is not None
    assert scope_of_link(link, dashboard) == Scope("result", result)
