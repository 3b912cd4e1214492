"""A flag or a setting makes a session read-only. A read-only session launches nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calling import called, refused

from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import DemoOptions, demo_setup, make_setup

Write = Callable[[str], Path]
FLAG, REMOVE = "Start without --read-only.", "Remove read_only = true from {path}."


@pytest.mark.parametrize(
    ("flags", "text", "mend"),
    [
        (["--read-only"], "", FLAG),
        ([], "read_only = true", REMOVE),
        (["--read-only"], "read_only = true", FLAG),
        (["--read-only"], "read_only = false", FLAG),
        ([], "[profiles.default]\nread_only = true", REMOVE),
        ([], "\nreadonly = true\n", "Correct {path}, line 2: unknown setting “readonly”; use read_only."),
    ],
    ids=["the flag", "the settings", "both", "the flag against the settings", "the profile", "misspelled"],
)
def test_a_launch_in_a_read_only_session_is_refused_with_the_reason(
    demo: Any, failed: int, settings: Write, flags: list[str], text: str, mend: str
) -> None:
    said = f"Read-only session: nothing was launched. {mend.format(path=settings(text))}"
    refused(said, *flags, "improve", failed, "--from-agent")
    assert demo.posts() == []
    called(*flags, "runs", "list", "--limit", 1)


def test_a_job_is_launched_if_the_session_is_not_read_only(demo: Any, failed: int, settings: Write) -> None:
    settings("read_only = false")
    called("improve", failed, "--from-agent")
    assert len(demo.posts()) == 1


async def test_the_app_launches_nothing_if_read_only_is_set_in_the_settings(
    demo: Any, home: Path, settings: Write
) -> None:
    path = settings("read_only = true")
    env = {"CEKURA_TUI_HOME": str(home), "CEKURA_API_KEY": demo.server.key}
    session = Session.open(make_setup(api_url=demo.server.url, env=env))
    with pytest.raises(UsageError, match="Read-only session") as caught:
        await session.engine.launch(Draft((5,), Prompt("Be kind."), 1201))
    assert str(path) in caught.value.hint
    await session.close()
    assert demo.posts() == []


def test_only_the_flag_makes_the_demo_read_only(home: Path, settings: Write) -> None:
    path = settings("read_only = true")
    env = {"CEKURA_TUI_HOME": str(home)}
    account = make_setup(env=env)
    assert account.read_only == REMOVE.format(path=path)
    assert make_setup(env=env, demo=DemoOptions()).read_only == ""
    assert make_setup(env=env, demo=DemoOptions(), read_only=True).read_only == FLAG
    assert demo_setup(account.paths, DemoOptions(), read_only=account.read_only).read_only == ""
