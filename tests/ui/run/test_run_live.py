"""A run that has not finished is updated while the user reads it, also after errors of the server."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_on_a_server import WIDE, setup_of
from demo_client import Clock, served_by
from one_page import page_app
from run_pages import call, opened_from_list, path_of, reading, running
from scripted_server import Reply, ScriptedServer, serve_runs
from watching import sees, still

from cekura_tui.demo.corpus import FIRST_PROJECT
from cekura_tui.demo.server import DemoOptions, DemoServer
from cekura_tui.ui.run import loader
from cekura_tui.ui.run.screen import RunScreen


@pytest.fixture(autouse=True)
def fast_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll unfinished runs every 50 ms."""
    monkeypatch.setattr(loader, "POLL_INTERVAL", 0.05)


async def test_a_running_run_is_updated_from_its_first_turn_to_its_verdicts(scripted: ScriptedServer) -> None:
    async with reading(scripted, running(5, 0), size=WIDE) as reader:
        await reader.sees("live", "No turns yet", "No verdicts yet")
        serve_runs(scripted, running(5, 4))
        await reader.sees("4 turns", "Sentence 1.", gone="No turns")
        await reader.in_pane("transcript")
        await reader.press("j", "j")
        serve_runs(scripted, call(5))
        await reader.sees("✗ 2 checks", "Right time  failed", "6 turns", "cites 00:14, 00:19", gone="live")
        assert reader.turn == 3
        await still(reader.pilot)
        assert reader.page.loader._timer is None


async def test_a_running_demo_run_is_updated_until_it_has_verdicts(tmp_path: Path) -> None:
    clock = Clock()
    server = DemoServer(tmp_path / "demo", DemoOptions(runs=100, epoch=clock.now, live=5.0), clock=clock)
    with served_by(server):
        setup = setup_of(server.url, server.key, FIRST_PROJECT)
        async with page_app(setup, lambda state: RunScreen(state, 900_073), size=WIDE) as (_, pilot):
            await sees(pilot, "live", "8 turns", "No verdicts yet")
            clock.now += 20.0
            await sees(pilot, "evaluating", "15 turns", "No verdicts yet")
            clock.now += 10.0
            await sees(pilot, "✓ passed", "15 turns", gone="evaluating")


async def test_a_run_is_not_polled_while_paused_or_covered_by_another_page(scripted: ScriptedServer) -> None:
    async with opened_from_list(scripted, running(5, 3)) as reader:
        await reader.sees("live", "3 turns")
        page = reader.page
        await reader.press("L")
        await reader.sees("paused", gone="live")
        assert page.loader._timer is None
        serve_runs(scripted, running(5, 4))
        await reader.press("L")
        await reader.sees("live", "4 turns")
        await reader.press("2")
        await reader.sees("No jobs yet")
        await still(reader.pilot)
        assert page.loader._timer is None
        serve_runs(scripted, running(5, 5))
        await reader.press("escape")
        await reader.sees("5 turns")
        assert reader.page is page


async def test_turns_stay_on_screen_with_their_age_while_the_server_fails(scripted: ScriptedServer) -> None:
    serve_runs(scripted, running(5, 3))
    async with reading(scripted, call(5), served=False) as reader:  # in the list it has already ended
        await reader.sees("live", "3 turns")
        scripted.on("GET", path_of(5), Reply({"detail": "no"}, 503))
        await reader.sees("cached ", "3 turns", gone="live")
        serve_runs(scripted, running(5, 4))
        await reader.sees("live", "4 turns", gone="cached ")
        scripted.on("GET", path_of(5), Reply({"detail": "no"}, 404))
        await reader.sees("(Not found)", "4 turns", gone="live")
        await still(reader.pilot)
        assert reader.page.loader._timer is None
        serve_runs(scripted, running(5, 5))
        await reader.press("r")
        await reader.sees("live", "5 turns", gone="(Not found)")


async def test_a_cached_run_is_shown_with_its_evidence_while_the_server_is_down(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5)) as reader:
        await reader.sees("6 turns")
    scripted.on("GET", path_of(5), Reply({"detail": "no"}, 503))
    async with reading(scripted, call(5), served=False) as reader:
        await reader.sees("Run 5  ✗ 2 checks", "cached ", "6 turns")
        await reader.evidence()
        await reader.press("e")
        await reader.at(3)
        serve_runs(scripted, call(5))
        await reader.sees("1 of 2", gone="cached")
        assert reader.turn == 3
