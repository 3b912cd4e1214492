"""What a suggestion changes, out of the command line: patches that others take, what was staged, and files."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from calling import Result, call, refused
from saved_jobs import SavedJobs
from scripted_server import LAUNCH, PROGRESS, Got, Reply, ScriptedServer

from cekura_tui.prose.compare import compare
from cekura_tui.prose.staging import HunkChoice, staged
from cekura_tui.workspace.prompt_files import source_of
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import make_setup

SENT = "# Rules\r\n\n- Greet the caller.\n- Ask for a name\x0c and a number.\n\n## Closing\n\nSay goodbye to them."
PROPOSED = SENT.replace("Greet", "Warmly greet").replace("to them.", "and thank them.\n\n\x1b[1mAlways.\x1b[0m")
Suggested = Callable[[Path], None]
PROGRAMS = {"git": ("git", "apply"), "patch": ("patch", "-p1", "-s", "--binary")}


@pytest.fixture
def source(api: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A prompt's file below the directory one is in, and a server that proposes a better one."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    place = tmp_path / "agents of the clinic"
    place.mkdir()
    monkeypatch.chdir(place)
    file = Path("desk/prompt.md")
    file.parent.mkdir()
    file.write_bytes(SENT.encode())
    api.on("GET", PROGRESS, Reply({"status": "completed", "output": {"improved_prompt": PROPOSED}}))
    return file


def improve(source: Path, *more: object) -> Result:
    return call("improve", 5, "--prompt-file", source, "--wait", *more)


@pytest.fixture
def suggested(jobs: SavedJobs) -> Suggested:
    """Let job 1 have sent the prompt of a file, and have a better one proposed."""

    def suggest(file: Path) -> None:
        jobs.running(SENT, source=source_of(str(file)))
        jobs.answer(1, {"status": "completed", "output": {"improved_prompt": PROPOSED}})

    return suggest


def choose(home: Path, choices: Mapping[int, HunkChoice]) -> str:
    """Choose hunks as the app does; returns the text that comes of it."""
    diff = compare(SENT, PROPOSED)

    async def stage() -> None:
        session = Session.open(make_setup(config_dir=str(home), env=os.environ))
        await session.staging.choose(1, diff, choices)
        await session.close()

    asyncio.run(stage())
    return staged(diff, choices)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_patch_makes_the_prompts_file_the_proposed_one_to_the_byte(
    source: Path, suggested: Suggested, program: str
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"this machine has no {program}")
    suggested(source)
    result = call("jobs", "show", 1, "--patch")
    assert (result.status, result.err) == (0, "")
    assert result.raw.startswith(b"--- a/desk/prompt.md\n+++ b/desk/prompt.md\n@@ ")
    subprocess.run(PROGRAMS[program], input=result.raw, check=True)
    assert source.read_bytes() == PROPOSED.encode()


def test_what_was_staged_is_printed_as_text_patch_and_diff(source: Path, suggested: Suggested, home: Path) -> None:
    suggested(source)
    text = choose(home, {1: HunkChoice("accepted"), 2: HunkChoice("rejected")})
    assert text not in (SENT, PROPOSED)
    printed = [call("jobs", "show", 1, "--staged", *more) for more in ([], ["--patch"], ["--diff"])]
    assert [(result.status, result.err) for result in printed] == [(0, "")] * 3
    assert printed[0].raw == text.encode()
    assert b"+- Warmly greet the caller." in printed[1].raw
    assert b"thank" not in printed[1].raw
    assert "{+" in printed[2].out
    assert "thank" not in printed[2].out
    assert call("jobs", "show", 1, "--prompt").raw == PROPOSED.encode()


def test_where_nothing_was_staged_it_is_what_was_sent_and_this_is_said(source: Path, suggested: Suggested) -> None:
    suggested(source)
    for more, printed in ([], SENT.encode()), (["--patch"], b""), (["--diff"], b""):
        result = call("jobs", "show", 1, "--staged", *more)
        assert (result.status, result.raw) == (0, printed)
        assert result.err == "No changes: the staged prompt equals the sent prompt.\n"


@pytest.mark.parametrize("words", [["--patch"], ["--staged"], ["--staged", "--diff"]], ids=str)
def test_a_job_without_a_suggestion_has_nothing_to_give(server: ScriptedServer, words: list[str]) -> None:
    refused("Job 1 has no suggestion (running).", "jobs", "show", 1, *words)


@pytest.mark.parametrize("words", [("--patch", "--diff"), ("--staged", "--prompt"), ("--staged", "--json")], ids=str)
def test_what_cannot_be_both_is_refused(source: Path, suggested: Suggested, words: tuple[str, ...]) -> None:
    suggested(source)
    result = call("jobs", "show", 1, *words)
    assert (result.status, result.out) == (2, "")


def test_the_prompts_own_file_takes_the_improved_one(source: Path) -> None:
    result = improve(source, "--out", source, "--force")
    assert result.status == 0
    assert source.read_bytes() == PROPOSED.encode()


@pytest.mark.parametrize(
    ("now", "shown"),
    [
        (SENT.replace("goodbye", "farewell").encode(), "{+farewell+}"),
        (b"\x89PNG\xff", "not a text in UTF-8"),
        (b"x" * 300_000, "over 200,000 bytes"),
    ],
    ids=["edited", "no text", "huge"],
)
def test_a_prompt_file_that_changed_meanwhile_is_not_overwritten_even_with_force(
    scripted: ScriptedServer, source: Path, now: bytes, shown: str
) -> None:
    def launch(got: Got) -> Reply:
        source.write_bytes(now)
        return Reply({"progress_id": "p-1"})

    scripted.on("POST", LAUNCH, launch)
    result = improve(source, "--out", source.absolute(), "--force")
    assert result.status == 2
    assert "prompt.md has changed since its prompt was sent, so nothing was written. Choose another file" in result.err
    assert "Changes in the file since:" in result.err
    assert shown in result.err
    assert "To print the improved prompt, run `cekura-tui jobs show 1 --prompt`" in result.err
    assert source.read_bytes() == now
    assert call("jobs", "show", 1, "--prompt").raw == PROPOSED.encode()


ODD = ["Prompt at 9.41\u202fAM.md", "prompt\u00a0v2.md", "caf\udce9.md"]
"""As macOS names a file, with a space that does not break, and in Latin-1."""


@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_a_file_of_an_odd_name_that_changed_while_waiting_is_left_also_when_forced(
    scripted: ScriptedServer, source: Path, name: str
) -> None:
    own = Path(name)
    own.write_bytes(SENT.encode())

    def launch(got: Got) -> Reply:
        own.write_bytes(b"Mine.")
        return Reply({"progress_id": "p-1"})

    scripted.on("POST", LAUNCH, launch)
    result = improve(own, "--out", own, "--force")
    assert (result.status, own.read_bytes()) == (2, b"Mine.")
    assert "has changed since its prompt was sent, so nothing was written." in result.err


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_the_patch_finds_a_file_of_an_odd_name(source: Path, suggested: Suggested, program: str, name: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"this machine has no {program}")
    own = Path(name)
    own.write_bytes(SENT.encode())
    suggested(own)
    subprocess.run(PROGRAMS[program], input=call("jobs", "show", 1, "--patch").raw, check=True)
    assert own.read_bytes() == PROPOSED.encode()
    shown = call("jobs", "show", 1)
    assert (shown.status, "\nprompt: /" in shown.out) == (0, True)
    assert json.loads(call("jobs", "show", 1, "--json").out)["improved_prompt"] == PROPOSED


def test_a_prompt_file_that_was_removed_meanwhile_is_created_again_with_a_message(
    scripted: ScriptedServer, source: Path
) -> None:
    def launch(got: Got) -> Reply:
        source.unlink()
        return Reply({"progress_id": "p-1"})

    scripted.on("POST", LAUNCH, launch)
    result = improve(source, "--out", source, "--force")
    assert (result.status, source.read_bytes()) == (0, PROPOSED.encode())
    assert (
        "prompt to desk/prompt.md. The file was deleted since its prompt was sent, and was created again." in result.err
    )


def test_another_file_may_have_changed_where_it_is_forced(source: Path) -> None:
    Path("other.md").write_text("Anything.")
    assert improve(source, "--out", "other.md", "--force").status == 0
    assert Path("other.md").read_bytes() == PROPOSED.encode()


def test_the_prompts_own_file_is_known_from_every_directory(
    source: Path, suggested: Suggested, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suggested(source)
    done = call("jobs", "show", 1)
    own = source.absolute()
    assert f"prompt: {own}, sha256" in done.out
    assert call("jobs", "show", 1, "--patch").raw.startswith(b"--- a/desk/prompt.md\n")
    monkeypatch.chdir(own.parent)
    assert call("jobs", "show", 1, "--patch").raw.startswith(b"--- a/prompt.md\n")
    monkeypatch.chdir(tmp_path)
    assert call("jobs", "show", 1, "--patch").raw.startswith(b'--- "a/agents of the clinic/desk/prompt.md"\n')


def test_a_directory_removed_meanwhile_is_reported_with_the_way_to_the_prompt(
    scripted: ScriptedServer, source: Path
) -> None:
    place = Path("gone")
    place.mkdir()

    def launch(got: Got) -> Reply:
        place.rmdir()
        return Reply({"progress_id": "p-1"})

    scripted.on("POST", LAUNCH, launch)
    result = improve(source, "--out", "gone/better.md")
    assert result.status == 2
    assert "gone/better.md: No such file or directory." in result.err
    assert "To print the improved prompt, run `cekura-tui jobs show 1 --prompt`" in result.err
    assert "Warmly" in result.out  # the changes are printed all the same


def test_out_to_standard_output_is_refused_before_anything_is_sent(scripted: ScriptedServer, source: Path) -> None:
    result = improve(source, "--out", "-")
    assert (result.status, result.out) == (2, "")
    assert "To print the improved prompt, use `jobs show ID --prompt`" in result.err
    assert scripted.seen == []
    assert not Path("-").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes every file")
def test_a_file_without_the_right_to_write_is_refused_before_anything_is_sent(
    scripted: ScriptedServer, source: Path
) -> None:
    source.chmod(0o444)
    result = improve(source, "--out", source, "--force")
    assert result.status == 2
    assert "may not be written to" in result.err
    assert scripted.seen == []


def test_what_is_printed_ends_with_its_last_line(source: Path) -> None:
    launched = improve(source)
    for result in (launched, call("jobs", "show", 1, "--diff")):
        assert result.out.endswith("\n")
        assert not result.out.endswith("\n\n")
        assert "\n\n\n" not in result.out
