"""What makes a session read-only, and that it launches nothing then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from calling import call, refused

from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import DemoOptions, demo_setup, make_setup


def settings(home: Path, text: str) -> Path:
    home.mkdir(exist_ok=True)
    path = home / "config.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("flags", "text", "mend"),
    [
        (["--read-only"], "", "Start without --read-only."),
        ([], "read_only = true", "Remove read_only = true from {path}."),
        (["--read-only"], "read_only = true", "Start without --read-only."),
        (["--read-only"], "read_only = false", "Start without --read-only."),
        ([], "[profiles.default]\nread_only = true", "Remove read_only = true from {path}."),
    ],
    ids=["the flag", "the settings", "both", "the flag against the settings", "the profile"],
)
def test_a_launch_is_refused_with_what_made_the_session_read_only(
    demo: Any, failed: int, home: Path, flags: list[str], text: str, mend: str
) -> None:
    path = settings(home, text)
    refused(
        f"Read-only session: nothing was launched. {mend.format(path=path)}", *flags, "improve", failed, "--from-agent"
    )
    assert demo.posts() == []


@pytest.mark.parametrize("text", ["", "read_only = false"])
def test_otherwise_it_is_launched(demo: Any, failed: int, home: Path, text: str) -> None:
    settings(home, text)
    assert call("improve", failed, "--from-agent").status == 0
    assert len(demo.posts()) == 1


async def test_the_app_is_refused_a_launch_by_the_settings_as_well(demo: Any, home: Path) -> None:
    path = settings(home, "read_only = true")
    env = {"CEKURA_TUI_HOME": str(home), "CEKURA_API_KEY": demo.server.key}
    session = Session.open(make_setup(api_url=demo.server.url, env=env))
    with pytest.raises(UsageError, match="Read-only session") as caught:
        await session.jobs.launch(Draft((5,), Prompt("Be kind."), 1201))
    assert str(path) in caught.value.hint
    await session.close()
    assert demo.posts() == []


def test_the_embedded_workspace_is_read_only_by_the_flag_alone(home: Path) -> None:
    path = settings(home, "read_only = true")
    env = {"CEKURA_TUI_HOME": str(home)}
    assert make_setup(env=env).read_only == f"Remove read_only = true from {path}."
    assert make_setup(env=env, demo=DemoOptions()).read_only == ""
    assert make_setup(env=env, demo=DemoOptions(), read_only=True).read_only == "Start without --read-only."
    account = make_setup(env=env)
    entered = demo_setup(account.paths, DemoOptions(), read_only=account.read_only)
    assert entered.read_only == ""
