"""The sign-in appears only without a key or after the server refused it, and a key is sent only to its own server."""

from __future__ import annotations

import stat
from pathlib import Path

from agents_on_a_server import sees_wrapped
from app_on_a_server import PROJECT, SMALL, Served, no_crash, opened, setup_of
from one_dialog import burst
from textual import events
from textual.widgets import Input
from watching import sees, still

from cekura_tui.config.credentials import ApiKey, read_server, save_key, saved_keys


async def test_without_an_api_key_there_are_ways_to_start_and_a_typed_key_stays_secret(
    served: Served, home: Path
) -> None:
    async with opened(setup_of(served.server.url, None), size=SMALL) as pilot:
        await sees(
            pilot,
            "See why test calls",
            "No API key found.",
            "Sign in",
            "Demo   ",
            "Environment",
            "tab next · enter choose",
        )
        await pilot.press("enter")
        await sees(pilot, "Settings › API keys", "esc Back", gone="Environment")
        await pilot.press("enter")
        await sees(pilot, "Paste or type an API key first.")
        await pilot.press(*"secretkey")
        await sees(pilot, "•••••••••", gone="secret")
        await pilot.press("shift+home", "ctrl+c")
        await sees(pilot, "Can't copy the API key.")
        assert pilot.app.clipboard == ""
        assert not (home / "copied.txt").exists()
        await pilot.press("escape")
        await sees(pilot, "invented runs", gone="Settings › API keys")
        pilot.app.clear_notifications()
        pilot.app.post_message(events.Paste("d-1"))
        await sees(pilot, "API key", "•••", gone="Environment")
        await pilot.press("escape")
        await sees(pilot, "Environment  ")
        await pilot.press("down", "tab", "enter")
        await sees(pilot, "Sent the line, 22 bytes", "Quit, run export CEKURA_API_KEY=<your key>")
        assert pilot.app.clipboard == "export CEKURA_API_KEY="
        pilot.app.clear_notifications()
        await pilot.press("shift+tab", "enter")
        await sees(pilot, "240 runs", "Front desks", "900240")
        assert served.log == []
        no_crash(pilot)


async def test_a_wrong_key_is_refused_and_the_right_key_is_saved_and_opens_the_runs(served: Served, home: Path) -> None:
    async with opened(setup_of(served.server.url, None)) as pilot:
        await sees(pilot, "Ways to start")
        await pilot.press("tab", "shift+tab", "enter")
        await sees(pilot, "Settings › API keys")
        burst(pilot.app, *"wrong", "enter")
        await sees(pilot, "refused the API key", "Check the key, then press enter.")
        assert not (home / "credentials.json").exists()
        pilot.app.screen.query_one("#key", Input).value = served.server.key
        await pilot.press("enter")
        await sees(pilot, "List runs of", "Front desks", "Hospitality and grid")
        await pilot.press("escape")
        await sees(pilot, "Which project?", "No project chosen", gone="List runs of")
        await pilot.press("p")
        await sees(pilot, "List runs of", "Hospitality and grid")
        await pilot.press("enter")
        await sees(pilot, "240 runs", "900240")
        no_crash(pilot)
    kept = home / "credentials.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert saved_keys(kept)["default"].api_url.startswith(served.server.url)
    async with opened(setup_of(served.server.url, None)) as pilot:
        await sees(pilot, "240 runs", "Front desks")


async def test_a_saved_key_of_another_server_is_replaced_only_after_a_question(served: Served, home: Path) -> None:
    save_key(home / "credentials.json", read_server("https://other.example"), ApiKey("theirs", "typed"))
    async with opened(setup_of(served.server.url, None, PROJECT), size=SMALL) as pilot:
        await sees(pilot, "belongs to https://other.example", "Ways to start")
        await pilot.press("enter")
        await sees(pilot, "Settings › API keys")
        pilot.app.screen.query_one("#key", Input).value = served.server.key
        await pilot.press("enter")
        await sees(pilot, "Replace the saved key?", "has the key of https://other.example.", "esc, then P.")
        assert saved_keys(home / "credentials.json")["default"].api_key == "theirs"
        assert served.log == []
        await pilot.press("ctrl+g")
        await sees(pilot, "240 runs")
    assert saved_keys(home / "credentials.json")["default"].api_key == served.server.key


async def test_a_refused_saved_key_is_not_sent_again_while_cached_runs_are_shown(served: Served, home: Path) -> None:
    save_key(home / "credentials.json", read_server(served.server.url), ApiKey("an-old-key", "typed"))
    async with opened(setup_of(served.server.url, None, PROJECT), size=SMALL) as pilot:
        await sees(pilot, "Sign in", "refused the API key (403", "Invalid API key")
        await pilot.press("escape")
        await sees(pilot, "Cached")
        await pilot.press("down", "down", "down", "enter")
        await sees(pilot, "showing what is saved here", "r retries", gone="invented runs")
        await still(pilot)  # the list that fails shows the toast again, which would cover the header
        pilot.app.clear_notifications()
        await sees(pilot, "no API key")
        served.log.clear()
        await pilot.press("r")
        await sees(pilot, "Press P to sign in.")
        assert served.log == []


async def test_a_credentials_file_that_others_can_read_is_reported_with_the_fix(served: Served, home: Path) -> None:
    save_key(home / "credentials.json", read_server(served.server.url), ApiKey(served.server.key, "typed"))
    (home / "credentials.json").chmod(0o644)
    async with opened(setup_of(served.server.url, None, PROJECT)) as pilot:
        # Where the lines break depends on the length of the path.
        await sees_wrapped(pilot, "Other users can open", "mode 0644", "chmod 600", "Ways to start")
        assert served.log == []
