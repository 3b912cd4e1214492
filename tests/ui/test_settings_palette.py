"""Settings in the app: each with its value and origin, and config.toml edited in the user's editor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from app_on_a_server import Served, opened
from one_dialog import burst
from own_settings import own_settings
from watching import sees

from cekura_tui.ui import settings_palette


async def test_settings_are_listed_and_a_wrong_edit_is_not_saved(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = own_settings('on_job_done = "notify sk-secret"\n[theme]\nname = "nord"\n')
    lines = []
    edits = iter(('[theme]\nname = "nrod"', 'hints = 5\n[theme]\nname = "nord"', "title = true\n"))

    def edit(app: Any, command: Sequence[str]) -> str:
        Path(command[-1]).write_text(next(edits))
        lines.append(command[-2])
        return ""

    monkeypatch.setattr(settings_palette, "run_in_front", edit)
    monkeypatch.setenv("EDITOR", "vim")
    async with opened(served.setup()) as pilot:
        await sees(pilot, "240 runs")
        burst(pilot.app, "colon", *"config", "enter")
        await sees(pilot, "project_id", "4021 · --project", "nord · config.toml:3", "… · config.toml:1")
        await pilot.press("enter")
        await sees(pilot, "line 2: [theme] There is no theme “nrod”. Did you mean nord?", "edit again", gone="secret")
        await pilot.press("ctrl+g")
        await sees(pilot, "line 1: hints must be true or false")
        await pilot.press("escape")
        await sees(pilot, "config.toml is not changed", " Your ")  # its line breaks depend on the path
        await pilot.press("escape")
        assert "sk-secret" in path.read_text()
        burst(pilot.app, "colon", *"settings", "enter", "enter")
        await sees(pilot, "Saved config.toml. In effect at the next start: on_job_done, title,")
        assert path.read_text() == "title = true\n"
        assert lines == ["+1", "+1", "+1"]
        burst(pilot.app, "colon", *"config", "enter")
        rows = ("true · config.toml:1 · from the next start", "theme               not set · from the next start")
        await sees(pilot, *rows, "read_only           false · default", gone="set · default")
        await pilot.press("escape", "escape")
        path.write_text('[theme]\nname = "dracula"\n')
        pilot.app.theme = "dracula"  # as chosen in the palette
        burst(pilot.app, "colon", *"config", "enter")
        await sees(pilot, "dracula · config.toml:2", gone="dracula · config.toml:2 · from")
