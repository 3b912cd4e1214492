"""A suggestion is saved and copied byte for byte. A file is overwritten without confirmation only if it is the
unchanged source of the prompt."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

import pytest
from one_dialog import OneDialog, answer, ask_again, opened_dialog
from textual.pilot import Pilot
from textual.widgets import Button, Input
from waiting import eventually
from watching import sees

from cekura_tui.model.job import Job, JobState, Suggestion
from cekura_tui.model.text import Prompt, sha256
from cekura_tui.prose.patch import unified_patch
from cekura_tui.ui.kit.lists import ChoiceList
from cekura_tui.ui.suggestion.hand_off import HandOffDialog
from cekura_tui.ui.terminal.foreground import pager
from cekura_tui.workspace.setup import Setup

SENT = Prompt("# Rules\r\n\nBe kind.\n\tAsk the caller for a name.\n")
STAGED = Prompt("# Rules\r\n\nBe kinder.\n\tAsk the caller for a name.\n")
PROPOSED = Prompt("# Rules\r\n\nBe kinder.\n\tAsk the caller for a \x1b[31mname and a birthday.\n")


def suggestion(source: str = "agent") -> Suggestion:
    job = Job(4, JobState.SUCCEEDED, "", "", "", "", (5,), 7, "Desk", (), (), sha256(SENT), prompt_source=source)
    return Suggestion(job, SENT, PROPOSED)


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory; PAGER is unset."""
    folder = tmp_path / "empty_folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("PAGER", raising=False)
    return folder


def handing_off(
    setup: Setup, staged: Prompt = STAGED, source: str = "agent", *, size: tuple[int, int] = (80, 24)
) -> AbstractAsyncContextManager[tuple[OneDialog, Pilot[None]]]:
    """An app with the dialog for a job whose prompt came from `source` and whose staged prompt is `staged`."""
    done = suggestion(source)
    return opened_dialog(setup, lambda state: HandOffDialog(done, lambda: staged), size=size)


async def choose(app: OneDialog, pilot: Pilot[None], key: str) -> None:
    what = app.screen.query_one(ChoiceList)
    what.focus()
    what.move_to(key)
    await pilot.press("space")
    await eventually(lambda: what.chosen == {key}, f"{key} is chosen")
    await pilot.pause()


async def save(app: OneDialog, pilot: Pilot[None]) -> str:
    app.screen.query_one(Input).focus()
    message = await answer(app, pilot, "enter")
    assert isinstance(message, str)
    return message


OFFERED = {
    "staged": ("improved-prompt-4.md", STAGED),
    "proposed": ("improved-prompt-4.md", PROPOSED),
    "staged patch": ("improved-prompt-4.patch", unified_patch(SENT, STAGED, "prompt.md")),
    "proposed patch": ("improved-prompt-4.patch", unified_patch(SENT, PROPOSED, "prompt.md")),
}


async def test_prompts_and_patches_are_saved_and_copied_byte_for_byte(quiet: Setup, empty_folder: Path) -> None:
    async with handing_off(quiet) as (app, pilot):
        assert app.screen.query_one(ChoiceList).chosen == {"staged"}
        for key, (name, text) in OFFERED.items():
            await choose(app, pilot, key)
            app.screen.query_one("#copy", Button).press()
            await eventually(lambda text=text: app.copied[-1:] == [text], f"the {key} is copied")
            await ask_again(app)
            await choose(app, pilot, key)
            controls = " The file has control characters." if "\x1b" in text else ""
            assert await save(app, pilot) == f"Saved to {empty_folder / name}.{controls}"
            assert (empty_folder / name).read_bytes() == text.encode()
            (empty_folder / name).unlink()
            await ask_again(app)


async def test_proposed_prompt_is_preselected_if_nothing_is_staged(quiet: Setup, empty_folder: Path) -> None:
    async with handing_off(quiet, SENT) as (app, pilot):
        await answer(app, pilot, "enter")
        assert (empty_folder / "improved-prompt-4.md").read_bytes() == PROPOSED.encode()
        await ask_again(app)
        await sees(pilot, "Staged prompt (your decisions) · nothing accepted yet")
        await choose(app, pilot, "staged patch")
        for button in ("#save", "#copy", "#read"):
            app.screen.query_one(Input).value = f"for {button}"
            await sees(pilot, gone="No patch")
            app.screen.query_one(button, Button).press()
            await sees(pilot, "No patch: the staged prompt is the same as the original.")
    assert (len(app.answers), app.copied, os.listdir(empty_folder)) == (1, [], ["improved-prompt-4.md"])


async def test_folder_of_the_file_is_shown_while_its_name_is_typed(quiet: Setup, empty_folder: Path) -> None:
    async with handing_off(quiet) as (app, pilot):
        await sees(pilot, f"{str(empty_folder)[-30:]} ", "Patch from the original to the staged prompt")
        for name, folder in (("~/prompts/mine.md", "in ~/prompts"), ("/srv/mine.md", "in /srv"), ("~n", "File ")):
            app.screen.query_one(Input).value = name
            await sees(pilot, folder, gone=f"in {str(empty_folder)[:10]}")
        await choose(app, pilot, "staged patch")
        assert app.screen.query_one(Input).value == "~n", "a typed name is kept"


# The file that the prompt came from


async def test_source_file_is_overwritten_without_confirmation_even_through_a_link(
    quiet: Setup, empty_folder: Path
) -> None:
    own, link = empty_folder / "prompt.md", empty_folder / "link.md"
    own.write_bytes(SENT.encode())
    link.symlink_to("prompt.md")
    async with handing_off(quiet, source=str(own)) as (app, pilot):
        assert app.screen.query_one(Input).value == "prompt.md", "its relative name is proposed"
        for typed in ("prompt.md", "link.md"):
            own.write_bytes(SENT.encode())
            app.screen.query_one(Input).value = typed
            await sees(pilot, "The prompt came from this file")
            await save(app, pilot)
            assert own.read_bytes() == STAGED.encode()
            await ask_again(app)
    assert link.is_symlink()


async def test_changed_source_file_is_not_overwritten_and_the_change_is_shown(quiet: Setup, empty_folder: Path) -> None:
    own = empty_folder / "prompt.md"
    own.write_bytes(SENT.replace("kind", "quick").encode())
    async with handing_off(quiet, source="prompt.md") as (app, pilot):
        for _ in range(3):
            await pilot.press("enter")
            await sees(pilot, "has changed since its prompt was sent", "Changes in the file:", "quick.+}", "esc close")
        assert app.answers == []
        app.screen.query_one(Input).value = "other.md"
        await sees(pilot, gone="Changes in the file:")
        await answer(app, pilot, "enter")
    assert own.read_bytes() == SENT.replace("kind", "quick").encode()
    assert (empty_folder / "other.md").read_bytes() == STAGED.encode()


@pytest.mark.parametrize(
    ("name", "offered"), [("Prompt at 9.41\u202fAM.md", "Prompt at 9.41\u202fAM.md"), ("caf\udce9.md", None)], ids=ascii
)
async def test_source_file_is_proposed_only_if_its_name_can_be_typed(
    quiet: Setup, empty_folder: Path, name: str, offered: str | None
) -> None:
    (empty_folder / name).write_bytes(b"Changed.")
    source = str(empty_folder / name)
    async with handing_off(quiet, source=source) as (app, pilot):
        assert app.screen.query_one(Input).value == (offered or "improved-prompt-4.md")
        await pilot.press("enter")
        if offered:
            await sees(pilot, "has changed since its prompt was sent")
        else:
            await eventually(lambda: app.answers, "it is saved")
    assert (empty_folder / name).read_bytes() == b"Changed."


async def test_overwriting_needs_confirmation_for_other_files_and_for_patches(quiet: Setup, empty_folder: Path) -> None:
    (empty_folder / "other.md").write_bytes(SENT.encode())
    (empty_folder / "prompt.md").write_bytes(SENT.encode())
    async with handing_off(quiet, source="prompt.md") as (app, pilot):
        app.screen.query_one(Input).value = "other.md"
        await pilot.press("enter")
        await sees(pilot, "Overwrite other.md?", "exists already")
        await pilot.press("enter")
        await sees(pilot, "enter save", gone="Overwrite")
        await choose(app, pilot, "staged patch")
        app.screen.query_one(Input).value = "prompt.md"
        app.screen.query_one(Input).focus()
        await pilot.press("enter")
        await sees(pilot, "Overwrite prompt.md?")
    assert [(empty_folder / name).read_bytes() for name in ("other.md", "prompt.md")] == [SENT.encode()] * 2


# A pager

PAGER = """\
import os, sys
assert "CEKURA_API_KEY" not in os.environ
with open(sys.argv[1], "wb") as file:
    file.write(sys.stdin.buffer.read())
"""


async def test_pager_gets_the_patch_with_escaped_control_characters_but_no_api_key(
    quiet: Setup, empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_folder / "a pager.py").write_text(PAGER)
    monkeypatch.setenv("PAGER", f"'{sys.executable}' 'a pager.py' read")
    monkeypatch.setenv("CEKURA_API_KEY", "sesame")
    async with handing_off(quiet, SENT, size=(120, 36)) as (app, pilot):
        # The test driver cannot be suspended; everything else is real.
        monkeypatch.setattr(app, "suspend", nullcontext)
        await sees(pilot, f"Open patch in {Path(sys.executable).name}")
        app.screen.query_one("#read", Button).press()
        await eventually((empty_folder / "read").exists, "the pager has run")
        read = (empty_folder / "read").read_text()
        assert read.startswith("--- a/prompt.md\n+++ b/prompt.md\n@@ ")
        assert "\n-Be kind.\n" in read
        assert "␛[31mname and a birthday." in read
        monkeypatch.setenv("PAGER", "/nowhere/pager")
        app.screen.query_one("#read", Button).press()
        await sees(pilot, "/nowhere/pager could not be started: No such file or")
        assert app.answers == []
        monkeypatch.setenv("PAGER", "")
        monkeypatch.setenv("PATH", str(empty_folder))
        await answer(app, pilot, "escape")
        await ask_again(app)
        await sees(pilot, "Copy or save the prompt", gone="Open patch")


LESS, DELTA = ["less", "-R", "-+F"], ["delta", "--paging=always"]


@pytest.mark.parametrize(
    ("own", "installed", "command"),
    [
        ("most -s", ("less",), ["most", "-s"]),
        ("less -FRX", (), ["less", "-FRX", "-+F"]),
        ("cat", ("less",), LESS),
        ("'no end", ("less",), LESS),
        (" ", ("less",), LESS),
        ("", ("delta", "less"), DELTA),
        ("", (), []),
    ],
)
def test_pager_comes_from_the_environment_or_is_delta_or_the_program_less(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch, own: str, installed: tuple[str, ...], command: list[str]
) -> None:
    for name in installed:
        (empty_folder / name).write_text("#!/bin/sh\n")
        (empty_folder / name).chmod(0o700)
    monkeypatch.setenv("PATH", str(empty_folder))
    monkeypatch.setenv("PAGER", own)
    assert pager() == command
