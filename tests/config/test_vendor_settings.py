"""The settings of the vendor's CLI: the last source, and never a way for another key to its server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cekura_tui.workspace.setup import Setup, make_setup

EU = 'api_url = "https://eu.example"\ndashboard_url = "https://dash.example"\n'
SCOPE = 'default_project_id = "4022"\ndefault_organization_id = "310"\n'
KEY = 'api_key = "vendor-key"\n'
DEFAULT = "https://api.cekura.ai"


@pytest.fixture
def opened(tmp_path: Path) -> Any:
    def opened(vendor: str, *, settings: str = "", saved: dict[str, str] | None = None, **env: str) -> Setup:
        (tmp_path / ".cekura").mkdir()
        path = tmp_path / ".cekura" / "config.toml"
        path.write_text(vendor)
        path.chmod(0o600)
        (tmp_path / "config.toml").write_text(settings)
        if saved is not None:
            (tmp_path / "credentials.json").write_text(json.dumps({"default": saved}))
            (tmp_path / "credentials.json").chmod(0o600)
        return make_setup(env={"HOME": str(tmp_path), "CEKURA_TUI_HOME": str(tmp_path), **env})

    return opened


def seen(setup: Setup) -> tuple[str, str, str | None, int | None]:
    return setup.server.origin, setup.settings.api_url, setup.key and setup.key.text, setup.settings.project_id


def test_with_its_own_key_all_its_settings_count(opened: Any, tmp_path: Path) -> None:
    setup = opened(KEY + EU + SCOPE)
    assert seen(setup) == ("https://eu.example", "https://eu.example", "vendor-key", 4022)
    assert (setup.settings.dashboard_url, setup.settings.organization_id) == ("https://dash.example", 310)
    names = ("api_url", "dashboard_url", "project_id", "organization_id")
    assert {setup.came_from[name] for name in names} == {str(tmp_path / ".cekura" / "config.toml")}


def test_at_the_usual_server_its_key_and_its_project_count(opened: Any) -> None:
    assert seen(opened(KEY + SCOPE)) == (DEFAULT, DEFAULT, "vendor-key", 4022)


def test_the_key_of_the_environment_is_never_sent_to_the_vendor_files_server(opened: Any) -> None:
    setup = opened(KEY + EU + SCOPE, CEKURA_API_KEY="mine")
    assert seen(setup) == (DEFAULT, DEFAULT, "mine", None)
    assert setup.settings.dashboard_url == "https://dashboard.cekura.ai"


def test_without_any_key_its_server_is_not_used(opened: Any) -> None:
    assert seen(opened(EU + SCOPE)) == (DEFAULT, DEFAULT, None, None)


def test_its_project_counts_for_a_key_of_the_environment_at_its_own_server(opened: Any) -> None:
    assert seen(opened(SCOPE, CEKURA_API_KEY="mine")) == (DEFAULT, DEFAULT, "mine", 4022)


def test_its_project_does_not_count_for_a_key_that_was_saved_here(opened: Any) -> None:
    setup = opened(KEY + SCOPE, saved={"api_url": DEFAULT, "api_key": "mine"})
    assert seen(setup) == (DEFAULT, DEFAULT, "mine", None)


def test_a_server_of_the_settings_wins_and_the_vendors_key_stays_at_home(opened: Any) -> None:
    setup = opened(KEY + EU + SCOPE, settings='api_url = "https://us.example"')
    assert seen(setup) == ("https://us.example", "https://us.example", None, None)
    assert "https://eu.example" in setup.no_key.sentence()


def test_a_command_for_the_key_comes_first_and_its_server_stays(opened: Any) -> None:
    setup = opened(KEY + EU + SCOPE, settings='api_key_command = "false"')
    assert seen(setup) == (DEFAULT, DEFAULT, None, None)


def test_a_wrong_number_in_it_counts_for_nothing(opened: Any) -> None:
    setup = opened(KEY + 'default_project_id = "mine"\ndefault_organization_id = "310"')
    assert (setup.settings.project_id, setup.settings.organization_id, setup.problems) == (None, 310, ())


def test_a_wrong_server_in_it_counts_for_nothing(opened: Any) -> None:
    assert seen(opened(KEY + 'api_url = "http://eu.example"\n' + SCOPE)) == (DEFAULT, DEFAULT, None, None)
