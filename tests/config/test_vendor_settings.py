"""The vendor CLI's settings have the lowest precedence, and the server in them gets only the vendor CLI's key."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cekura_tui.config.vendor_file import find_vendor_file, read_vendor_file
from cekura_tui.workspace.setup import Setup, make_setup

EU = 'api_url = "https://eu.example"\ndashboard_url = "https://dash.example"\n'
SCOPE = 'default_project_id = "4022"\ndefault_organization_id = "310"\n'
KEY = 'api_key = "vendor-key"\n'
DEFAULT = "https://api.cekura.ai"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / ".cekura").mkdir()
    return tmp_path / ".cekura" / "config.toml"


@pytest.fixture
def opened(tmp_path: Path, path: Path) -> Any:
    def opened(vendor: str, *, settings: str = "", saved: dict[str, str] | None = None, **env: str) -> Setup:
        path.write_text(vendor)
        path.chmod(0o600)
        (tmp_path / "config.toml").write_text(settings)
        if saved is not None:
            (tmp_path / "credentials.json").write_text(json.dumps({"default": saved}))
            (tmp_path / "credentials.json").chmod(0o600)
        return make_setup(env={"HOME": str(tmp_path), "CEKURA_TUI_HOME": str(tmp_path), **env})

    return opened


def test_all_vendor_settings_are_used_together_with_the_vendors_key(opened: Any, path: Path) -> None:
    setup = opened(KEY + EU + SCOPE)
    own = setup.settings
    assert (setup.server.origin, own.api_url, setup.key.text) == (
        "https://eu.example",
        "https://eu.example",
        "vendor-key",
    )
    assert (own.dashboard_url, own.project_id, own.organization_id) == ("https://dash.example", 4022, 310)
    names = ("api_url", "dashboard_url", "project_id", "organization_id")
    assert {setup.origins[name] for name in names} == {str(path)}


MINE = {"CEKURA_API_KEY": "mine"}
SAVED = {"saved": {"api_url": DEFAULT, "api_key": "mine"}}
COMMAND = {"settings": 'api_key_command = "false"'}


@pytest.mark.parametrize(
    ("vendor", "others", "key", "project"),
    [
        pytest.param(KEY + SCOPE, {}, "vendor-key", 4022, id="its key and its project at the usual server"),
        pytest.param(KEY + EU + SCOPE, MINE, "mine", None, id="a key of the environment is not sent to its server"),
        pytest.param(SCOPE, MINE, "mine", 4022, id="its project for a key of the environment at the same server"),
        pytest.param(EU + SCOPE, {}, None, None, id="its server is not used without its key"),
        pytest.param(KEY + SCOPE, SAVED, "mine", None, id="its project is not used for a saved key"),
        pytest.param(KEY + EU + SCOPE, COMMAND, None, None, id="a command for the key comes first"),
        pytest.param(KEY + 'api_url = "http://eu.example"\n' + SCOPE, {}, None, None, id="a wrong server is not used"),
    ],
)
def test_the_vendors_project_is_used_unless_the_server_differs_or_the_key_is_saved(
    opened: Any, vendor: str, others: dict[str, Any], key: str | None, project: int | None
) -> None:
    setup = opened(vendor, **others)
    assert (setup.server.origin, setup.settings.api_url) == (DEFAULT, DEFAULT)
    assert setup.settings.dashboard_url == "https://dashboard.cekura.ai"
    assert (setup.key and setup.key.text, setup.settings.project_id) == (key, project)


def test_another_configured_server_does_not_get_the_vendors_key(opened: Any) -> None:
    setup = opened(KEY + EU + SCOPE, settings='api_url = "https://us.example"')
    assert setup.server.origin == setup.settings.api_url == "https://us.example"
    assert (setup.key, setup.settings.project_id) == (None, None)
    assert "https://eu.example" in setup.no_key.sentence()


def test_a_wrong_number_in_the_vendors_file_is_ignored(opened: Any) -> None:
    setup = opened(KEY + 'default_project_id = "mine"\ndefault_organization_id = "310"')
    assert (setup.settings.project_id, setup.settings.organization_id, setup.problems) == (None, 310, ())


def test_the_file_of_the_vendors_cli_is_found_in_the_home_directory(path: Path, tmp_path: Path) -> None:
    path.write_text(
        '# a comment = "x"\napi_key = "a-key"\napi_url = "https://eu.example"\n\ndefault_project_id = "4021"\n'
        'default_organization_id = \'7\'\naccess_token = "secret"\ndashboard_url = ""\n'
    )
    assert find_vendor_file({"HOME": str(tmp_path)}) == path
    scope = {"default_project_id": "4021", "default_organization_id": "7"}
    assert read_vendor_file(path) == {"api_key": "a-key", "api_url": "https://eu.example", **scope}


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[table]\nno value\n", b""], ids=["bytes", "no value", "empty"])
def test_a_damaged_vendor_file_has_no_settings(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert read_vendor_file(path) == {}


def test_a_vendor_file_that_is_missing_or_a_directory_or_a_pipe_has_no_settings(path: Path, tmp_path: Path) -> None:
    path.mkdir()
    for env in ({}, {"HOME": str(tmp_path)}, {"HOME": "a\0b"}):
        assert read_vendor_file(find_vendor_file(env)) == {}
    path.rmdir()
    os.mkfifo(path)
    assert read_vendor_file(find_vendor_file({"HOME": str(tmp_path)})) == {}
