"""The setup of a workspace: the API key that is used, and the curl command for a run."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from cekura_tui.config.credentials import ApiKey, check_key, save_key, saved_key
from cekura_tui.workspace.setup import KEYBOARD, DemoOptions, make_setup, run_command


def test_the_curl_command_of_a_run_is_shell_safe_and_has_no_key(home: Path) -> None:
    setup = make_setup(api_url="https://api.cekura.ai", env={"CEKURA_API_KEY": "a-secret"})
    command = run_command(setup, 5)
    assert command is not None
    assert "a-secret" not in command
    assert shlex.split(command)[:2] == ["curl", "https://api.cekura.ai/test_framework/v1/runs/5/"]
    assert run_command(make_setup(demo=DemoOptions(), env={}), 5) is None


@pytest.mark.parametrize("env", [{}, {"CEKURA_API_KEY": "of-the-environment"}])
def test_a_newly_saved_key_does_not_replace_a_key_of_the_environment(home: Path, env: dict[str, str]) -> None:
    setup = make_setup(config_dir=str(home), env=env)
    assert setup.ready == bool(env)
    assert setup.newly_saved_key() is None
    key = check_key("new", KEYBOARD)
    save_key(setup.paths.credentials, setup.server, key)
    found = setup.newly_saved_key()
    assert (found.text if found else None) == (None if env else "new")
    assert setup.with_key(key).newly_saved_key() is None, "the same key"
    saved, piped = saved_key(setup.paths.credentials, setup.server), setup.with_key(ApiKey("piped", "standard input"))
    assert setup.with_key(check_key("old", KEYBOARD)).newly_saved_key() == saved
    assert piped.without_key().looked_up_again() == piped, "standard input can be read only once"
    assert replace(setup, key=saved).looked_up_again().key == (setup.key or saved)
    assert make_setup(config_dir=str(home), demo=DemoOptions(), env={}).newly_saved_key() is None


def test_a_known_key_in_a_text_is_reported_with_its_profile(home: Path) -> None:
    setup = make_setup(env={"CEKURA_TUI_HOME": str(home), "CEKURA_API_KEY": "ck_mine_0123456789"})
    save_key(setup.paths.credentials, setup.server, ApiKey("ck_work_0123456789", ""), "work")
    save_key(setup.paths.credentials, setup.server, ApiKey("short", ""), "brief")
    keys = setup.known_keys()
    assert keys.found_in("key: ck_mine_0123456789.") == "your API key"
    assert keys.found_in("\nck_work_0123456789\n") == "the API key of profile work"
    assert keys.found_in("A short text on ck_mine_012345678 and ck_work_012345678.") == ""
    assert "0123456789" not in repr(keys)
