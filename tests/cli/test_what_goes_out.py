"""Commands print improved prompts, patches and staged prompts, or write improved prompts to files."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from calling import Result, call, called, objects
from saved_jobs import SavedJobs
from scripted_server import LAUNCH, PROGRESS, Got, Reply, ScriptedServer

from cekura_tui.prose.compare import compare
from cekura_tui.prose.staging import HunkChoice, staged
from cekura_tui.workspace.prompt_files import source_of
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import make_setup

SENT = "# Rules\r\n\n- Greet the caller.\n- Ask for a name\x0c and a number.\n\n## Closing\n\nSay goodbye to them."
PROPOSED = SENT.replace("Greet", "Warmly greet").replace("to them.", "and thank them.\n\n\x1b[1mAlways.\x1b[0m")
DONE = {"status": "completed", "output": {"improved_prompt": PROPOSED}}
TO_PRINT = "To print the improved prompt, run `cekura-tui jobs show 1 --prompt`"
CHANGED = "has changed since its prompt was sent, so nothing was written."
Suggested = Callable[[Path], None]


@pytest.fixture
def source(api: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The relative path of a prompt file below the current directory. The server answers polls with PROPOSED."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    place = tmp_path / "agents of the clinic"
    place.mkdir()
    monkeypatch.chdir(place)
    file = Path("desk/prompt.md")
    file.parent.mkdir()
    file.write_bytes(SENT.encode())
    api.on("GET", PROGRESS, Reply(DONE))
    return file


def improve(source: Path, *more: object) -> Result:
    return call("improve", 5, "--prompt-file", source, "--wait", *more)


@pytest.fixture
def meanwhile(api: ScriptedServer) -> Callable[[Callable[[], object]], None]:
    """A function that takes a callback; the callback is called when a launch arrives, before the server answers."""

    def let(happens: Callable[[], object]) -> None:
        def launch(_: Got) -> Reply:
            happens()
            return Reply({"progress_id": "p-1"})

        api.on("POST", LAUNCH, launch)

    return let


@pytest.fixture
def suggested(jobs: SavedJobs) -> Suggested:
    """A function that saves the finished job 1, which improved the prompt of a file."""

    def suggest(file: Path) -> None:
        jobs.running(SENT, source=source_of(str(file)))
        jobs.answer(1, DONE)

    return suggest


def choose(home: Path, choices: Mapping[int, HunkChoice]) -> str:
    """Save choices for the hunks of job 1 as the app does, and return the staged prompt."""
    diff = compare(SENT, PROPOSED)

    async def stage() -> None:
        session = Session.open(make_setup(config_dir=str(home), env=os.environ))
        await session.staging.choose(1, diff, choices)
        await session.close()

    asyncio.run(stage())
    return staged(diff, choices)


ODD = ["Prompt at 9.41\u202fAM.md", "prompt\u00a0v2.md", "caf\udce9.md"]
"""Odd file names: with the narrow space that macOS writes, with a non-breaking space, and in Latin-1."""


@pytest.mark.parametrize("program", ["git apply", "patch -p1 -s --binary"])
@pytest.mark.parametrize("name", ["desk/prompt.md", *ODD], ids=ascii)
def test_applying_the_patch_gives_exactly_the_improved_prompt(
    source: Path, suggested: Suggested, program: str, name: str
) -> None:
    if shutil.which(program.split()[0]) is None:
        pytest.skip(f"this machine has no {program}")
    own = Path(name)
    own.write_bytes(SENT.encode())
    suggested(own)
    patch = called("jobs", "show", 1, "--patch")
    assert patch.err == ""
    subprocess.run(program.split(), input=patch.raw, check=True)
    assert own.read_bytes() == PROPOSED.encode()
    assert "\nprompt: /" in called("jobs", "show", 1).out
    assert [job["improved_prompt"] for job in objects("jobs", "show", 1)] == [PROPOSED]


def test_the_staged_prompt_is_printed_as_text_or_patch_or_diff(source: Path, suggested: Suggested, home: Path) -> None:
    suggested(source)
    for more, printed in ([], SENT.encode()), (["--patch"], b""), (["--diff"], b""):
        result = called("jobs", "show", 1, "--staged", *more)
        assert (result.raw, result.err) == (printed, "No changes: the staged prompt equals the sent prompt.\n")
    staged_text = choose(home, {1: HunkChoice("accepted"), 2: HunkChoice("rejected")})
    assert staged_text not in (SENT, PROPOSED)
    text, patch, diff = (called("jobs", "show", 1, "--staged", *more) for more in ([], ["--patch"], ["--diff"]))
    assert (text.raw, text.err, patch.err, diff.err) == (staged_text.encode(), "", "", "")
    assert "+- Warmly greet the caller." in patch.out
    assert "{+" in diff.out
    assert "thank" not in patch.out + diff.out
    assert call("jobs", "show", 1, "--prompt").raw == PROPOSED.encode()


def test_the_option_out_with_force_overwrites_the_prompt_file_and_other_files(source: Path) -> None:
    assert improve(source, "--out", source, "--force").status == 0
    assert source.read_bytes() == PROPOSED.encode()
    Path("other.md").write_text("Anything.")
    assert improve(source, "--out", "other.md", "--force").status == 0
    assert Path("other.md").read_bytes() == PROPOSED.encode()


@pytest.mark.parametrize(
    ("name", "now", "shown"),
    [
        ("desk/prompt.md", SENT.replace("goodbye", "farewell").encode(), "{+farewell+}"),
        ("desk/prompt.md", b"\x89PNG\xff", "no longer UTF-8 text"),
        ("desk/prompt.md", b"x" * 300_000, "over 200,000 bytes"),
        *((name, b"Mine.", "Mine.") for name in ODD),
    ],
    ids=["edited", "no text", "huge", *map(ascii, ODD)],
)
def test_a_prompt_file_changed_since_the_launch_is_never_overwritten(
    source: Path, meanwhile: Callable[..., None], name: str, now: bytes, shown: str
) -> None:
    own = Path(name)
    own.write_bytes(SENT.encode())
    meanwhile(lambda: own.write_bytes(now))
    result = improve(own, "--out", own.absolute(), "--force")
    assert (result.status, own.read_bytes()) == (2, now)
    for said in (f"{CHANGED} Choose another file", "Changes in the file since:", shown, TO_PRINT):
        assert said in result.err
    assert call("jobs", "show", 1, "--prompt").raw == PROPOSED.encode()


def test_a_prompt_file_removed_since_the_launch_is_created_again(source: Path, meanwhile: Callable[..., None]) -> None:
    meanwhile(source.unlink)
    result = improve(source, "--out", source, "--force")
    assert (result.status, source.read_bytes()) == (0, PROPOSED.encode())
    said = "prompt to desk/prompt.md. The file was deleted since its prompt was sent, and was created again."
    assert said in result.err


def test_an_output_directory_removed_since_the_launch_is_reported(source: Path, meanwhile: Callable[..., None]) -> None:
    place = Path("gone")
    place.mkdir()
    meanwhile(place.rmdir)
    result = improve(source, "--out", "gone/better.md")
    assert result.status == 2
    assert "gone/better.md: No such file or directory." in result.err
    assert TO_PRINT in result.err
    assert "Warmly" in result.out  # the changes are printed even so


def test_a_patch_names_the_prompt_file_relative_to_the_current_directory(
    source: Path, suggested: Suggested, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suggested(source)
    own = source.absolute()
    assert f"prompt: {own}, sha256" in call("jobs", "show", 1).out
    for place, name in (
        (own.parents[1], b"a/desk/prompt.md"),
        (own.parent, b"a/prompt.md"),
        (tmp_path, b'"a/agents of the clinic/desk/prompt.md"'),
    ):
        monkeypatch.chdir(place)
        assert call("jobs", "show", 1, "--patch").raw.startswith(b"--- " + name + b"\n")


def test_an_unwritable_output_is_refused_before_the_launch(scripted: ScriptedServer, source: Path) -> None:
    result = improve(source, "--out", "-")
    assert (result.status, result.out, Path("-").exists()) == (2, "", False)
    assert "To print the improved prompt, use `jobs show ID --prompt`" in result.err
    if os.geteuid() != 0:  # root may write every file
        source.chmod(0o444)
        result = improve(source, "--out", source, "--force")
        assert (result.status, "may not be written to" in result.err) == (2, True)
    assert scripted.seen == []


def test_printed_changes_end_with_one_newline(source: Path) -> None:
    launched = improve(source)
    for result in (launched, call("jobs", "show", 1, "--diff")):
        assert "{+" in result.out
        assert "@@ 1 of " in result.out
        assert result.out[-1] == "\n" != result.out[-2]
        assert "\n\n\n" not in result.out
