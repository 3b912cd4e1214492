"""A run that goes on while it is read, and a server that does not answer meanwhile."""

from __future__ import annotations

import asyncio

import pytest
from app_on_a_server import SMALL, WIDE, no_crash, opened, setup_of
from run_pages import Reader, by_number, call, path_of, reading, reading_served, running, serve
from scripted_server import Reply, ScriptedServer, serve_runs
from waiting import eventually
from watching import sees, still

from cekura_tui.ui.run import loader


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that goes on is read again at once."""
    monkeypatch.setattr(loader, "REPOLL", 0.05)


def asked(server: ScriptedServer) -> int:
    return len(server.requests("GET", path_of(5)))


async def asked_more(server: ScriptedServer, times: int = 3) -> None:
    """Wait until the run was asked for so many times more."""
    before = asked(server)
    await eventually(lambda: asked(server) >= before + times, "the run is read again")


async def asked_no_more(server: ScriptedServer, reader: Reader) -> None:
    """See that the run is not read again in ten times the time after which it would be."""
    await still(reader.pilot)
    workers = reader.pilot.app.workers
    await eventually(lambda: all(one.is_finished or one.group != "run" for one in workers), "the last answer")
    before = asked(server)
    await asyncio.sleep(0.5)  # nothing is to happen: there is no condition to wait for
    assert asked(server) == before


async def test_turns_come_at_the_bottom_and_are_followed_from_there_alone(scripted: ScriptedServer) -> None:
    async with reading(scripted, running(5, 30)) as reader:
        await reader.sees("Run 5 ", "live", "30 turns")
        await reader.press("G")
        serve_runs(scripted, running(5, 40))
        await reader.sees("40 turns", "Sentence 40.")
        await reader.at(40)
        await reader.press("k", "k")
        serve_runs(scripted, running(5, 50))
        await reader.sees("50 turns")
        assert reader.turn == 38
        await reader.press("g")
        serve_runs(scripted, running(5, 60))
        await reader.sees("60 turns", "Sentence 1.")
        assert reader.turn == 1
        await reader.press("G")
        serve_runs(scripted, running(5, 61))
        await reader.sees("61 turns", "Sentence 61.")


async def test_when_it_ends_its_outcome_and_verdicts_come_and_it_is_asked_for_no_more(scripted: ScriptedServer) -> None:
    async with reading(scripted, running(5, 4), size=WIDE) as reader:
        await reader.sees("live", "4 turns", "No verdicts yet")
        await reader.press("j", "j")
        serve_runs(scripted, call(5))
        await reader.sees("✗ 2 checks", "Right time  failed", "6 turns", "cites 00:14, 00:19", gone="live")
        assert reader.turn == 3
        await asked_no_more(scripted, reader)


async def test_before_anything_was_said_it_says_so_and_the_first_turns_are_shown(scripted: ScriptedServer) -> None:
    async with reading(scripted, running(5, 0)) as reader:
        await reader.sees("live", "No turns yet")
        serve_runs(scripted, running(5, 2))
        await reader.sees("2 turns", "Sentence 1.", gone="No turns")
        await reader.in_pane("transcript")
        await reader.press("j")
        await reader.at(2)


async def test_a_run_that_has_ended_is_not_read_again(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5)) as reader:
        await reader.sees("6 turns")
        await asked_no_more(scripted, reader)


async def test_capital_l_stops_following_and_goes_on(scripted: ScriptedServer) -> None:
    async with reading(scripted, running(5, 3)) as reader:
        await reader.sees("live", "3 turns")
        await reader.press("L")
        await reader.sees("paused", gone="live")
        await asked_no_more(scripted, reader)
        serve_runs(scripted, running(5, 4))
        await reader.press("L")
        await reader.sees("live", "4 turns")
        await asked_more(scripted)


async def test_below_something_else_it_is_not_asked_for_and_is_read_when_one_comes_back(
    scripted: ScriptedServer,
) -> None:
    async with reading(scripted, running(5, 3)) as reader:
        await reader.sees("3 turns")
        page = reader.page
        await reader.press("2")
        await reader.sees("No jobs yet")
        await asked_no_more(scripted, reader)
        serve_runs(scripted, running(5, 4))
        await reader.press("escape")
        await reader.sees("4 turns")
        assert reader.page is page
        await asked_more(scripted)
        await reader.press("escape")
        await asked_no_more(scripted, reader)


async def test_a_server_that_fails_is_asked_less_and_less_and_what_was_read_stays_with_its_time(
    scripted: ScriptedServer,
) -> None:
    async with by_number(scripted, running(5, 3)) as reader:
        await reader.sees("live", "3 turns")
        scripted.on("GET", path_of(5), Reply({"detail": "no"}, 503))
        await reader.sees("cached ", "3 turns", gone="live")
        await eventually(lambda: reader.page.loader.failures >= 2, "two failures")
        serve_runs(scripted, running(5, 4))
        await reader.sees("live", "4 turns", gone="cached ")
        assert reader.page.loader.failures == 0


async def test_a_server_that_refuses_a_run_is_not_asked_again_by_itself(scripted: ScriptedServer) -> None:
    async with by_number(scripted, running(5, 3)) as reader:
        await reader.sees("live", "3 turns")
        scripted.on("GET", path_of(5), Reply({"detail": "no"}, 404))
        await reader.sees("(Not found)", "3 turns", gone="live")
        await asked_no_more(scripted, reader)
        serve_runs(scripted, running(5, 4))
        await reader.press("r")
        await reader.sees("live", "4 turns", gone="(Not found)")


async def test_without_the_server_a_run_that_was_opened_is_shown_with_its_time(scripted: ScriptedServer) -> None:
    async with reading(scripted, call(5)) as reader:
        await reader.sees("6 turns")
    scripted.on("GET", path_of(5), Reply({"detail": "no"}, 503))
    async with opened(setup_of(scripted.url, "key-of-the-test", 1), size=SMALL, run_id=5) as pilot:
        await sees(pilot, "Run 5  ✗ 2 checks", "cached ", "6 turns")
        reader = Reader(pilot)
        await reader.evidence()
        await pilot.press("e")
        await reader.at(3)
        serve_runs(scripted, call(5))
        await sees(pilot, "1 of 2", gone="cached")
        assert reader.turn == 3
        no_crash(pilot)


async def test_a_running_run_is_reloaded_though_the_list_has_it_as_ended(scripted: ScriptedServer) -> None:
    serve(scripted, call(5))
    serve_runs(scripted, running(5, 3))
    async with reading_served(scripted, 5) as reader:
        await reader.sees("live", "3 turns")
        await asked_more(scripted)
