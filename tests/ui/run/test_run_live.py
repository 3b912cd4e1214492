"""A running run that is being read, and a server that fails meanwhile."""

from __future__ import annotations

import pytest
from app_on_a_server import WIDE
from run_pages import Reader, call, opened_from_list, path_of, reading, running
from scripted_server import Reply, ScriptedServer, serve_runs
from watching import still

from cekura_tui.ui.run import loader


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A running run is polled at once."""
    monkeypatch.setattr(loader, "REPOLL", 0.05)


def is_polling(reader: Reader) -> bool:
    """Whether the run will be requested again."""
    return reader.page.loader._timer is not None


async def test_new_turns_are_followed_from_the_last_turn_only(scripted: ScriptedServer) -> None:
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


async def test_a_run_is_watched_from_before_its_first_turn_to_its_verdicts(scripted: ScriptedServer) -> None:
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
        assert not is_polling(reader)


async def test_capital_l_pauses_and_resumes_following(scripted: ScriptedServer) -> None:
    async with reading(scripted, running(5, 3)) as reader:
        await reader.sees("live", "3 turns")
        await reader.press("L")
        await reader.sees("paused", gone="live")
        serve_runs(scripted, running(5, 4))
        await reader.press("L")
        await reader.sees("live", "4 turns")


async def test_a_run_below_another_page_is_not_polled_until_it_is_back(scripted: ScriptedServer) -> None:
    async with opened_from_list(scripted, running(5, 3)) as reader:
        await reader.sees("3 turns")
        page = reader.page
        await reader.press("2")
        await reader.sees("No jobs yet")
        await still(reader.pilot)
        assert page.loader._timer is None
        serve_runs(scripted, running(5, 4))
        await reader.press("escape")
        await reader.sees("4 turns")
        assert reader.page is page


async def test_a_failing_server_leaves_the_turns_on_screen_with_their_time(scripted: ScriptedServer) -> None:
    async with reading(scripted, running(5, 3)) as reader:
        await reader.sees("live", "3 turns")
        scripted.on("GET", path_of(5), Reply({"detail": "no"}, 503))
        await reader.sees("cached ", "3 turns", gone="live")
        serve_runs(scripted, running(5, 4))
        await reader.sees("live", "4 turns", gone="cached ")
        scripted.on("GET", path_of(5), Reply({"detail": "no"}, 404))
        await reader.sees("(Not found)", "4 turns", gone="live")
        await still(reader.pilot)
        assert not is_polling(reader)
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
