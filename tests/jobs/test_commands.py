"""A command that proposes a prompt runs detached, once, without keys, and is reported for what it did."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from user_commands import BETTER, MARK, SENT, draft_of, end_of, launched, none_left, progress, run, shell
from waiting import answered, eventually

from cekura_tui.jobs import supervisor
from cekura_tui.jobs.command_runner import CommandNotStarted, CommandRunner
from cekura_tui.model import secrets
from cekura_tui.model.errors import UsageError
from cekura_tui.model.improve_prompt import IMPROVE_PROMPT
from cekura_tui.model.job import Draft


@pytest.fixture
async def runner(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CommandRunner]:
    """Commands in the config directory. After the test, none of their processes may be left."""
    monkeypatch.setenv(MARK, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield CommandRunner(home)
    await none_left(str(tmp_path))


def all_files(home: Path) -> list[Path]:
    return [file for file in home.rglob("*") if file.is_file()]


async def test_a_command_gets_the_text_and_its_answer_is_the_prompt(runner: CommandRunner) -> None:
    script = "cat; echo '--- summary'; echo '- uses the name'"
    ended = await run(runner, shell(script))
    assert (ended["end"], ended["improved_prompt"]) == ("succeeded", BETTER)
    assert (ended["summary_of_changes"], ended["exit"], ended["error"]) == ("- uses the name", 0, None)


async def test_standard_error_is_shown_while_the_command_runs(runner: CommandRunner, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    folder = await launched(runner, shell("printf '\\033[1Gthin\\033[31mking…' >&2; cat go; cat"))
    running = await answered(lambda: progress(runner, folder), lambda now: now["errors"], "its errors are shown")
    assert (running["status"], running["errors"]) == ("running", "thinking…")
    assert (await runner.progress(IMPROVE_PROMPT, folder)).raw == '{"status": "running"}'
    (tmp_path / "go").write_text("")
    assert (await end_of(runner, folder))["end"] == "succeeded"


_FAILING = {
    "echo oops; echo why >&2; exit 3": "The command ended with exit status 3.",
    "kill -9 $$": "The command was ended by signal 9.",
    "exit 0": "The command wrote no prompt.",
    "cat; printf '\\000'": "The command wrote something that is not text in UTF-8.",
    "printf '\\377'": "The command wrote something that is not text in UTF-8.",
    "yes": "The command wrote over 1 MB.",
    "exec sleep 600": "The command did not end within 0.001 min.",
}


@pytest.mark.parametrize("script", _FAILING)
async def test_a_failed_command_is_reported_with_its_answer(runner: CommandRunner, script: str) -> None:
    ended = await run(runner, shell(script), 0.001 if "sleep" in script else 5.0)
    assert (ended["end"], ended["error"]) == ("failed", _FAILING[script])
    assert ended.get("improved_prompt") is None
    if "oops" in script:
        assert (ended["answer"], ended["errors"], ended["exit"]) == ("oops\n", "why", 3)


@pytest.mark.parametrize("command", ["", "no-such-program x", "/", "./plain.txt", "sh -c 'cat"])
async def test_a_command_that_cannot_run_is_not_started(runner: CommandRunner, tmp_path: Path, command: str) -> None:
    (tmp_path / "plain.txt").write_text("")
    folder = runner.prepare("text", SENT)
    with pytest.raises(CommandNotStarted) as refused:
        await runner.launch(draft_of(folder, command))
    assert (refused.value.not_accepted, runner.started(folder)) == (True, False)
    assert (await runner.launch(draft_of(folder, "cat"))).progress_id == folder
    await end_of(runner, folder)


async def test_a_program_that_cannot_be_executed_is_reported(runner: CommandRunner, tmp_path: Path) -> None:
    (tmp_path / "script").write_bytes(b"#!/no/such/interpreter\n")
    (tmp_path / "script").chmod(0o700)
    ended = await run(runner, "./script")
    assert ended["error"] == "The command could not be started: No such file or directory."


async def test_a_command_is_started_once(runner: CommandRunner, home: Path, tmp_path: Path) -> None:
    command = shell("echo started >> times; cat")
    folder = await launched(runner, command)
    with pytest.raises(CommandNotStarted, match="already started"):
        await CommandRunner(home).launch(draft_of(folder, command))
    await end_of(runner, folder)
    with pytest.raises(CommandNotStarted, match="already started"):
        await runner.launch(draft_of(folder, command))
    assert (tmp_path / "times").read_text() == "started\n"
    copy = runner.again(folder)
    assert (home / "proposals" / copy / "input").read_bytes() == BETTER.encode()
    assert not runner.started(copy)
    await runner.launch(draft_of(copy, command))
    assert (await end_of(runner, copy))["improved_prompt"] == BETTER
    assert (tmp_path / "times").read_text() == "started\n" * 2


async def test_stop_ends_every_process_of_the_command(runner: CommandRunner, tmp_path: Path) -> None:
    folder = await launched(runner, shell("trap '' TERM; sleep 600 & sleep 601 & echo part; echo > ready; wait"))
    await eventually((tmp_path / "ready").exists, "the command runs")
    await runner.stop(folder)
    await none_left(str(tmp_path))
    stopped = await progress(runner, folder)
    assert (stopped["end"], stopped["error"], stopped["answer"]) == ("stopped", "The command was stopped.", "part\n")


async def test_no_key_reaches_the_command(
    runner: CommandRunner, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", "key-of-the-environment")
    monkeypatch.setenv("CEKURA_PROFILE", "mine")
    monkeypatch.setenv("CURL_OPTIONS", "-H key-of-the-environment")
    monkeypatch.setenv("ANOTHER", "key-of-the-file")
    secrets.known_keys.add("key-of-the-file")
    dump = "env; tr '\\0' ' ' < /proc/$$/cmdline; cat /proc/$PPID/cmdline /proc/$PPID/environ | tr '\\0' ' '"
    try:
        ended = await run(runner, shell(f"({dump}) > dump; env >&2; cat"))
    finally:
        secrets.known_keys.discard("key-of-the-file")
    assert ended["end"] == "succeeded"
    seen = (tmp_path / "dump").read_text()
    assert "PATH=" in seen
    assert "supervisor.py" in seen
    texts = [seen, *(file.read_text() for file in all_files(home))]
    assert [text for text in texts if "key-of" in text or "CEKURA_PROFILE" in text] == []


async def test_only_the_user_can_read_the_files(runner: CommandRunner, home: Path) -> None:
    folder = home / "proposals" / await launched(runner, "cat")
    await end_of(runner, folder.name)
    files = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
    assert files == dict.fromkeys(("input", "sent", "run", "status", "output", "errors"), 0o600)
    assert [place.stat().st_mode & 0o777 for place in (folder, folder.parent)] == [0o700, 0o700]
    runner.forget(folder.name)
    assert not folder.exists()
    assert (await progress(runner, folder.name))["error"] == "The files of the command were deleted."


def test_nothing_is_left_if_the_text_cannot_be_saved(home: Path) -> None:
    home.mkdir()
    (home / "proposals").write_text("")
    with pytest.raises(UsageError, match=r"Can't write .*proposals"):
        CommandRunner(home).prepare("text", SENT)
    assert [path.name for path in home.iterdir()] == ["proposals"]


async def test_a_running_command_is_not_forgotten(runner: CommandRunner) -> None:
    folder = await launched(runner, "sleep 600")
    runner.forget(folder)
    assert (await progress(runner, folder))["status"] == "running"
    await runner.stop(folder)


async def test_a_prompt_from_a_file_needs_no_process(runner: CommandRunner) -> None:
    folder = runner.prepare_result(BETTER, SENT)
    draft = Draft((5,), SENT, 7, parameters={"file": "a.md", "folder": folder})
    assert (await runner.launch(draft)).progress_id == folder
    assert (await progress(runner, folder))["improved_prompt"] == BETTER
    unchanged = await progress(runner, runner.prepare_result(SENT, SENT))
    assert (unchanged["end"], unchanged["error"]) == ("no_issues", "The file has the same prompt.")


def test_a_start_time_distinguishes_processes() -> None:
    assert supervisor.start_of(os.getpid()) not in ("", supervisor.start_of(os.getppid()))
