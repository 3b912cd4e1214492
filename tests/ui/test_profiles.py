"""Switching profiles: each key is sent only to its own server, and the first profile stays unchanged."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from app_on_a_server import LIST, SMALL, Served, no_crash, on_run, opened
from saved_suggestion import RUN, save_suggestion
from scripted_server import Reply, ScriptedServer
from textual.widgets import Input
from waiting import eventually
from watching import sees

from cekura_tui.config.credentials import ApiKey, read_server, remove_key, save_key, saved_keys
from cekura_tui.workspace.setup import Setup, make_setup

PROJECTS = "/user/v1/projects/"


@pytest.fixture
def staging(scripted: ScriptedServer) -> ScriptedServer:
    """A server with one project and no runs."""
    scripted.on("GET", PROJECTS, Reply([{"id": 7, "name": "Rehearsal"}]))
    scripted.on("GET", LIST, Reply({"count": 0, "next": None, "previous": None, "results": []}))
    return scripted


@pytest.fixture
def saved(home: Path, served: Served, staging: ScriptedServer) -> Path:
    """The credentials file, with the keys of two profiles and their servers."""
    path = home / "credentials.json"
    save_key(path, read_server(served.server.url), ApiKey(served.server.key, "typed"))
    save_key(path, read_server(staging.url), ApiKey("key-of-staging", "typed"), "staging")
    (home / "config.toml").write_text("project_id = 4021\n[profiles.staging]\nproject_id = 7\n")
    return path


def setup(**env: str) -> Setup:
    return make_setup(env={"CEKURA_TUI_HOME": os.environ["CEKURA_TUI_HOME"], **env})


def keys_at(server: ScriptedServer) -> set[str]:
    return {got.headers["X-CEKURA-API-KEY"] for got in list(server.seen)}


async def choose(pilot: Any, *moves: str, profile: str, runs: int) -> None:
    """Choose a profile in the dialog with the keys `moves`, and wait until its name and number of runs are shown."""
    await pilot.press("P", *moves, "enter")
    await sees(pilot, f"Profile {profile}", f"{runs} runs")


async def add(pilot: Any, name: str, server: str, key: str) -> None:
    await pilot.press("P", "plus")
    await sees(pilot, "Add profile", "Name", "Server", "API key")
    for line, text in zip(pilot.app.screen.query(Input), (name, server, key), strict=True):
        line.value = text
    await pilot.press("enter")


async def test_each_profile_has_its_own_key_and_jobs_and_the_sign_in_adds_a_profile(
    saved: Path, served: Served, staging: ScriptedServer
) -> None:
    save_suggestion(served)
    async with opened(setup()) as pilot:
        await sees(pilot, "240 runs", "Profile default")
        await pilot.press("P")
        await sees(pilot, "● default", "  staging", f"127.0.0.1:{staging.port}", "saved key", "Demo")
        await pilot.press("j", "enter")
        await sees(pilot, "Profile staging", "0 runs", gone="900240")
        assert keys_at(staging) == {"key-of-staging"}
        asked = len(served.log)
        await pilot.press("P", "k", "enter")
        await sees(pilot, "Profile default", "240 runs", "900240")
        await eventually(lambda: len(served.log) > asked, "runs come from the server, not only from the cache")
        await pilot.press("2", "enter")
        await sees(pilot, "Suggestion of job 1", "Changes")
        await choose(pilot, "j", profile="staging", runs=0)
        await pilot.press("2")
        await sees(pilot, "No jobs yet", gone="900238")
        await choose(pilot, "k", profile="default", runs=240)
        await pilot.press("2")
        await sees(pilot, "succeeded", "900238")
        await add(pilot, "work", staging.url, "key-of-work")
        await sees(pilot, "Profile work", "0 runs")
        await choose(pilot, "G", profile="demo", runs=240)
        await choose(pilot, "g", profile="default", runs=240)
        no_crash(pilot)
    added = saved_keys(saved)["work"]
    assert (added.api_url, added.api_key) == (staging.url, "key-of-work")
    assert len(saved_keys(saved)) == 3


async def test_a_key_from_the_environment_is_used_only_for_the_first_profile(
    saved: Path, served: Served, staging: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", served.server.key)
    monkeypatch.setenv("CEKURA_API_URL", served.server.url)
    async with opened(setup(CEKURA_API_KEY=served.server.key, CEKURA_API_URL=served.server.url)) as pilot:
        await sees(pilot, "240 runs")
        await choose(pilot, "j", profile="staging", runs=0)
        assert keys_at(staging) == {"key-of-staging"}
        await pilot.press("P")
        await sees(pilot, "CEKURA_API_KEY", "saved key")
        await pilot.press("k", "enter")
        await sees(pilot, "Profile default", "240 runs")


async def test_sign_in_opens_for_a_profile_without_a_key_and_closes_for_another_profile(
    saved: Path, home: Path
) -> None:
    (home / "config.toml").write_text("project_id = 4021\n[profiles.work]\nproject_id = 7\n")
    async with opened(setup()) as pilot:
        await sees(pilot, "240 runs")
        await pilot.press("P")
        await sees(pilot, "work", "no key · sign in")
        await pilot.press("G", "k", "enter")
        await sees(pilot, "Ways to start", "No API key found.")
        await pilot.press("P", "g", "enter")
        await sees(pilot, "Profile default", "240 runs", gone="Ways to start")
        no_crash(pilot)


@pytest.mark.long
async def test_a_profile_that_cannot_be_added_changes_nothing(
    saved: Path, served: Served, staging: ScriptedServer
) -> None:
    before = saved_keys(saved)
    async with opened(setup(), size=SMALL) as pilot:
        await sees(pilot, "240 runs")
        await add(pilot, "staging", staging.url, "another-key")
        await sees(pilot, "There is a profile staging already.")
        pilot.app.screen.query_one("#profile-name", Input).value = "a/b"
        await pilot.press("enter")
        await sees(pilot, "The name of a profile must be 1 to 40 letters")
        assert staging.seen == []
        staging.on("GET", PROJECTS, Reply({"detail": "Expired."}, 401))
        pilot.app.screen.query_one("#profile-name", Input).value = "work"
        await pilot.press("enter")
        await sees(pilot, "refused the API key (401: Expired.)", "Check the key.", gone="auth login")
        await pilot.press("escape")
        await sees(pilot, "240 runs", gone="Add profile")
        await pilot.press("r")
        await sees(pilot, "default", "900240")
    assert saved_keys(saved) == before


@pytest.mark.long
async def test_cached_runs_and_jobs_are_shown_without_a_key_and_without_a_request(saved: Path, served: Served) -> None:
    save_suggestion(served)
    async with opened(setup()) as pilot:
        await on_run(pilot, RUN)
        await pilot.press("enter")
        await sees(pilot, "Verdicts", "Transcript")
    remove_key(saved, "default")
    served.log.clear()
    async with opened(make_setup(api_url=served.server.url, env={"CEKURA_TUI_HOME": str(saved.parent)})) as pilot:
        await sees(pilot, "Ways to start", "Cached")
        await pilot.press("G", "k", "enter")
        await sees(pilot, "900238", "No API key: showing what is saved here.")
        pilot.app.clear_notifications()
        await sees(pilot, "900238", "no API key · cached")
        await pilot.press("G", "i")
        await sees(pilot, "Press P to sign in.")
        await pilot.press("g", "j", "j", "enter")
        await sees(pilot, "Verdicts", "Transcript", "cached")
        await pilot.press("2")
        await sees(pilot, "succeeded", "900238")
        assert served.log == []
        await pilot.press("P", "enter")
        await sees(pilot, "Ways to start", "No API key found.")
        await pilot.press("enter")
        await eventually(lambda: pilot.app.screen.query("#key"), "the input for a key")
        pilot.app.screen.query_one("#key", Input).value = served.server.key
        await pilot.press("enter")
        pilot.app.clear_notifications()
        await sees(pilot, "240 runs", "as of")
        no_crash(pilot)


def damage(file: Path) -> None:
    file.write_text("{ damaged")


@pytest.mark.long
async def test_esc_in_the_sign_in_of_a_profile_without_a_key_goes_back(saved: Path) -> None:
    async with opened(setup()) as pilot:
        await sees(pilot, "240 runs", "Profile default")
        damage(saved)
        for move in ("k", "j"):  # the profile in use, and another
            await pilot.press("P")
            await sees(pilot, "Profiles", "sign in")
            await pilot.press(move, "enter")
            await sees(pilot, "Ways to start", "esc Back")
            await pilot.press("enter")
            await sees(pilot, "API key")
            await pilot.press("escape", "escape")
            await sees(pilot, "240 runs", "Profile default", gone="Ways to start")
        no_crash(pilot)
