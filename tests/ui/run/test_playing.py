"""The user hears a call: the recording plays from the turn under the cursor, and the cursor follows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from app_on_a_server import WIDE
from job_server import toasts
from players import FFPLAY, IGNORES_SIGTERM, MPV, make_player, make_sound, marked_env
from run_pages import Reader, call, opened_from_list, reading
from scripted_server import Hold, Reply, ScriptedServer
from user_commands import none_left, processes
from waiting import eventually

from cekura_tui.ui.actions import ACTIONS


@pytest.fixture
def players(tmp_path: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with all programs that the app finds, and a server with the recording of run 5."""
    for name, value in marked_env(tmp_path, PATH=str(tmp_path)).items():
        monkeypatch.setenv(name, value)
    scripted.on("GET", "/5.wav", Reply(make_sound(tmp_path).read_bytes()))
    yield tmp_path
    assert not processes(tmp_path)


def recorded(scripted: ScriptedServer) -> dict[str, object]:
    return call(5, voice_recording_url=f"{scripted.url}/5.wav?signature=secret")


@asynccontextmanager
async def hearing(scripted: ScriptedServer, run: dict[str, object]) -> AsyncIterator[Reader]:
    async with reading(scripted, run, size=WIDE) as reader:
        await reader.sees("6 turns")
        yield reader


async def said(reader: Reader, sentence: str) -> None:
    await eventually(lambda: sentence in toasts(reader.pilot), sentence)


@pytest.mark.parametrize(("name", "script"), [("mpv", MPV), ("ffplay", FFPLAY)], ids=["mpv", "ffplay"])
async def test_a_call_plays_from_the_turn_under_the_cursor(
    players: Path, scripted: ScriptedServer, name: str, script: str
) -> None:
    make_player(players, name, script)
    async with hearing(scripted, recorded(scripted)) as reader:
        await reader.press("j", "j", "full_stop")  # turn 3 begins at 14 s and ends at 18 s
        await reader.sees("▶ 00:1")
        await reader.press("full_stop")
        await reader.sees("paused at 00:1")
        await reader.press("right_square_bracket", "full_stop")
        await reader.at(4)  # the cursor follows
        await reader.sees("▶ 00:")
        await reader.press("left_square_bracket")
        await reader.at(3)
        await eventually(lambda: len(processes(str(players))) == 2, "the player and its guard run")
        await reader.press("escape")
        await reader.sees("Timeline · 00:30", gone="▶")
        assert not processes(str(players))
        assert reader.page.is_current


async def test_a_cursor_that_the_user_moved_stays_and_is_played_from_next(
    players: Path, scripted: ScriptedServer
) -> None:
    make_player(players, "ffplay", FFPLAY)
    async with hearing(scripted, recorded(scripted)) as reader:
        await reader.press("full_stop")
        await reader.sees("▶ 00:0")
        await reader.press("G", "right_square_bracket")
        await eventually(lambda: (playback := reader.page.playback) and playback.line >= "▶ 00:05", "5 s on")
        assert reader.turn == 6
        await reader.press("full_stop", "full_stop")
        await reader.sees("▶ 00:2")


async def test_a_verdict_is_heard_from_its_first_turn(players: Path, scripted: ScriptedServer) -> None:
    make_player(players, "ffplay", FFPLAY)
    async with hearing(scripted, recorded(scripted)) as reader:
        await reader.evidence()
        await reader.press("tab")
        await reader.in_pane("verdicts")
        await reader.press("full_stop")
        await reader.sees("▶ 00:1")
        await reader.in_pane("verdicts")


async def test_the_player_ends_with_the_run(players: Path, scripted: ScriptedServer) -> None:
    make_player(players, "ffplay", IGNORES_SIGTERM)
    async with opened_from_list(scripted, call(6), recorded(scripted), down=1) as reader:
        for leave, back in (("2", "escape"), ("1", "enter")):
            await reader.press("full_stop")
            await reader.sees("▶ 00:0")
            await reader.press(leave)
            await none_left(str(players))
            await reader.press(back)
            await reader.sees("Run 5 ")


async def test_a_recording_that_is_being_fetched_can_be_left(players: Path, scripted: ScriptedServer) -> None:
    make_player(players, "ffplay", FFPLAY)
    hold = Hold(Reply(b"RIFF"))
    scripted.on("GET", "/5.wav", hold)
    async with hearing(scripted, recorded(scripted)) as reader:
        await reader.press("full_stop")
        await reader.sees("fetching the recording")
        await reader.press("escape")
        await reader.sees("Timeline · 00:30", gone="fetching")
        hold.released.set()


async def test_a_player_that_fails_and_a_link_that_leads_nowhere_are_sentences(
    players: Path, scripted: ScriptedServer
) -> None:
    make_player(players, "ffplay", "sys.stderr.write('\\x1b[31mno device\\x1b[0m'); sys.exit(3)\n")
    async with hearing(scripted, recorded(scripted)) as reader:
        await reader.press("full_stop")
        await said(reader, "ffplay ended with status 3: no device.")
    scripted.on("GET", "/gone.wav", Reply(b"<html>gone</html>", 404))
    gone = call(5, voice_recording_url=f"{scripted.url}/gone.wav")
    async with hearing(scripted, gone) as reader:
        await reader.press("comma")
        await said(reader, "The link to the recording has expired, also after reading the run again.")


async def test_without_a_recording_the_key_says_so(players: Path, scripted: ScriptedServer) -> None:
    async with hearing(scripted, call(5)) as reader:
        for action in ("run.play", "run.by-sound"):
            assert ACTIONS[action].why_not(reader.page) == "This run has no recording."


async def test_without_a_player_the_browser_opens_the_place(
    players: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = players / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {players}/part\n/bin/mv {players}/part {players}/opened\n')
    browser.chmod(0o700)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    async with hearing(scripted, recorded(scripted)) as reader:
        await reader.press("j", "j", "full_stop")
        await said(reader, "Neither mpv nor ffplay, cvlc or afplay is installed: opened the recording in a browser.")
    assert (players / "opened").read_text() == f"{scripted.url}/5.wav?signature=secret#t=14\n"


async def test_over_ssh_without_a_device_the_link_to_the_place_is_offered(
    players: Path, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_player(players, "mpv", MPV)
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")
    monkeypatch.setattr("cekura_tui.audio.player._SOUND_DEVICES", players / "none")
    for name in ("PULSE_SERVER", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    async with hearing(scripted, recorded(scripted)) as reader:
        await reader.press("j", "j", "full_stop")
        await reader.sees("no audio device", "/5.wav?signature=secret#t=14")
        assert not scripted.requests("GET", "/5.wav")


async def test_a_recording_at_its_end_keeps_the_keys_until_it_is_stopped(
    players: Path, scripted: ScriptedServer
) -> None:
    make_player(players, "ffplay", FFPLAY)
    async with hearing(scripted, recorded(scripted)) as reader:
        await reader.press("G", "full_stop")
        await reader.sees("▶ 00:2")
        await reader.press("right_square_bracket")
        await reader.sees("paused at 00:")
        await reader.press("right_square_bracket", "left_square_bracket")
        await reader.sees("paused at 00:24 of 00:30")
        await reader.at(5)
        await reader.press("full_stop")
        await reader.sees("▶ 00:2")
        await reader.press("escape")
        await reader.sees("Timeline · 00:30", gone="▶")
