"""The command of `on_job_done` gets each ended job as JSON. A failing command is reported and affects nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from calling import call
from open_window import NewWindow
from scripted_server import Reply, ScriptedServer, run_of, serve_job, serve_runs
from simulated_time import SleepClock
from waiting import PATIENCE, eventually

from cekura_tui.model.job import Draft, Job, JobState, Suggestion
from cekura_tui.model.text import Prompt, sha256
from cekura_tui.workspace.hook import JobHook
from cekura_tui.workspace.workspace import Workspace

PROPOSED = "Be kinder.\r\n\x1b[0m\ud83d"
SENT = Prompt("Be kind.")
DONE = {"status": "completed", "output": {"improved_prompt": "Be kinder."}}
Hook = Callable[..., JobHook]


def python(code: str, *words: object) -> str:
    """A shell command that runs Python code with `words` as arguments."""
    return shlex.join([sys.executable, "-ISc", code, *map(str, words)])


@pytest.fixture
async def reported() -> list[str]:
    return []


@pytest.fixture
async def hook(reported: list[str]) -> AsyncIterator[Hook]:
    made: list[JobHook] = []

    def make(command: str, **options: Any) -> JobHook:
        made.append(JobHook(command, reported.append, **options))
        return made[-1]

    yield make
    for one in made:
        await one.close(0)


@pytest.fixture
def done() -> Suggestion:
    job = Job(1, JobState.SUCCEEDED, "", "", "", "", (5,), 7, "Agent 7", (), (), sha256(SENT), prompt_source="agent")
    return Suggestion(job, SENT, Prompt(PROPOSED))


@pytest.fixture
def configure(scripted: ScriptedServer, home: Path) -> Callable[[str], None]:
    """A function that sets the command in config.toml, and lets the server answer each launch with a suggestion."""

    def write(command: str) -> None:
        serve_job(scripted, Reply(DONE))
        home.mkdir(parents=True)
        (home / "config.toml").write_text(f"on_job_done = {json.dumps(command)}\n")

    return write


KEEP = """
import os, sys
kept = dict(os.environ, INPUT=sys.stdin.buffer.read().decode(), WORDS=repr(sys.argv[2:]), PGID=str(os.getpgrp()))
import json
open(sys.argv[1] + ".part", "w").write(json.dumps(kept))
os.rename(sys.argv[1] + ".part", sys.argv[1])
"""


async def test_the_command_gets_the_job_as_json_without_a_shell_and_without_the_key(
    hook: Hook, done: Suggestion, reported: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", "key-of-the-test")
    monkeypatch.setenv("OTHER", "kept")
    made = hook(python(KEEP, tmp_path / "kept", "$(touch no)", "a b", "; touch no"))
    made.ended(done)
    await made.close()
    text = (tmp_path / "kept").read_text()
    kept = json.loads(text)
    assert "key-of-the-test" not in text
    assert (kept["OTHER"], kept["WORDS"]) == ("kept", "['$(touch no)', 'a b', '; touch no']")
    assert kept["INPUT"].count("\n") == 1
    assert json.loads(kept["INPUT"]) == done.to_json()
    assert done.to_json()["improved_prompt"] == PROPOSED
    assert reported == []


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (python("import sys; sys.exit(3)"), "The on_job_done command ended with status 3."),
        (
            python("import sys; sys.stderr.write('one\\ntwo\\x1b[31m;[/red].\\n\\n'); sys.exit(1)"),
            "The on_job_done command ended with status 1: two[31m;[/red].",
        ),
        (
            python("import sys; sys.stderr.write('n ' * 2_000); sys.exit(1)"),
            f"The on_job_done command ended with status 1: {'n ' * 99}n….",
        ),
        (python("import os; os.kill(os.getpid(), 9)"), "The on_job_done command was ended by signal 9."),
        ("/nowhere/at-all", "The on_job_done command could not be started: No such file or directory."),
        ("/", "The on_job_done command could not be started: Permission denied."),
        (python("pass"), ""),
        (python("import sys; sys.stdin.close()"), ""),
        (python("import sys; sys.stderr.write('x' * 300_000); sys.stdout.write('x' * 300_000)"), ""),
    ],
    ids=[
        "status",
        "words",
        "many words",
        "killed",
        "missing",
        "a directory",
        "reads nothing",
        "closes input",
        "chatty",
    ],
)
async def test_a_failing_command_is_reported_in_one_sentence(
    hook: Hook, done: Suggestion, reported: list[str], command: str, sentence: str
) -> None:
    made = hook(command)
    made.ended(done)
    await made.close()
    assert reported == ([sentence] if sentence else [])


@pytest.mark.long
async def test_a_command_that_does_not_end_is_killed_with_its_children(
    hook: Hook, done: Suggestion, reported: list[str], tmp_path: Path
) -> None:
    child = """sh -c 'touch "$0"; sleep 600; true' "$0" & wait"""  # shells, which begin long before the limit
    made = hook(shlex.join(["sh", "-c", child, str(tmp_path / "begun")]), limit=3.0)
    made.ended(done)
    await eventually((tmp_path / "begun").exists, "the command and its child run")
    await made.close()
    assert reported == ["The on_job_done command did not end within 3 seconds."]
    await eventually(lambda: running(str(tmp_path / "begun")) == 0, "both are gone")


def running(word: str) -> int:
    """The number of processes that have `word` in their command line."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes())
        except OSError:
            continue
    return sum(word.encode() in line for line in lines)


async def test_a_background_process_of_the_command_is_not_awaited(
    hook: Hook, done: Suggestion, reported: list[str], tmp_path: Path
) -> None:
    code = "import os, sys, time; os.fork() or (open(sys.argv[1], 'w').write(str(os.getpid())), time.sleep(600))"
    made = hook(python(code, tmp_path / "pid"))
    made.ended(done)
    await made.close()
    assert reported == []
    await eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "the one left behind")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


async def test_up_to_four_commands_run_at_once_and_a_failure_is_reported_once_a_minute(
    hook: Hook, done: Suggestion, reported: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, at_once, most = SleepClock(), list[str](), list[int]()
    monkeypatch.setattr("cekura_tui.workspace.hook.time", SimpleNamespace(monotonic=clock))
    made = hook("/nowhere/at-all")
    failed = made._run

    async def counted(job: str) -> str:
        at_once.append(job)
        most.append(len(at_once))
        try:
            await asyncio.sleep(0)  # yield once, since a missing command fails at once
            return await failed(job)
        finally:
            at_once.pop()

    made._run = counted  # type: ignore[method-assign]
    for seconds, times in ((0, 1), (60, 1), (0.1, 2)):
        clock.now += seconds
        for _ in range(6):
            made.ended(done)
        await made.close()
        assert (len(reported), max(most)) == (times, 4)


async def test_a_command_still_running_when_the_hook_closes_is_stopped_and_reported(
    hook: Hook, done: Suggestion, reported: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    code = "import os, sys, time; print(os.getpid(), file=open(sys.argv[1], 'w', 1)); time.sleep(600)"
    made = hook(python(code, file))
    made.ended(done)
    await eventually(lambda: file.exists() and file.read_text().endswith("\n"), "the command runs")
    await made.close(0.05)
    assert reported == ["1 call of the on_job_done command did not end in time."]
    with pytest.raises(ProcessLookupError):  # killed and reaped
        os.kill(int(file.read_text()), 0)


async def test_a_job_that_finishes_in_the_app_runs_the_command_once_for_all_windows(
    configure: Callable[[str], None], open_window: NewWindow, tmp_path: Path
) -> None:
    code = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read()); sys.exit('no luck')"
    configure(python(code, tmp_path / "calls"))
    windows = [open_window() for _ in range(2)]
    for window in windows:
        await window.do(lambda session: session.store.jobs.all())
    await windows[0].call(lambda session: session.engine.launch(Draft((5,), SENT, 7)))
    await eventually(lambda: any(window.notices for window in windows), "the failure is reported")
    reported = [notice for window in windows for notice in window.notices]
    assert reported == ["The on_job_done command ended with status 1: no luck."]
    for window in windows:
        await asyncio.to_thread(window.close)
    (line,) = (tmp_path / "calls").read_text().splitlines()
    assert (json.loads(line)["job"], json.loads(line)["state"]) == (1, "succeeded")


def test_improve_with_the_option_wait_reports_a_failed_command_and_exits_with_0(
    scripted: ScriptedServer, configure: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_URL", scripted.url)
    monkeypatch.setenv("CEKURA_API_KEY", "key-of-the-test")
    serve_runs(scripted, run_of(5))
    (tmp_path / "prompt.md").write_text(SENT)
    code = "import sys, time; time.sleep(0.3); open(sys.argv[1], 'w').write(sys.stdin.read()); sys.exit('no luck')"
    configure(python(code, tmp_path / "call"))
    done = call("improve", 5, "--prompt-file", tmp_path / "prompt.md", "--wait", "--json")
    assert done.status == 0
    assert json.loads((tmp_path / "call").read_text()) == json.loads(done.out)
    assert "The on_job_done command ended with status 1: no luck." in done.err


@pytest.mark.parametrize("signed_in_again", [False, True])
async def test_a_short_command_that_runs_when_the_app_closes_may_finish(
    configure: Callable[[str], None],
    open_window: NewWindow,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    signed_in_again: bool,
) -> None:
    monkeypatch.setattr("cekura_tui.workspace.workspace.HOOK_GRACE", PATIENCE)
    lines = tmp_path / "lines"
    file = shlex.quote(str(lines))
    configure(shlex.join(["sh", "-c", f"echo begin >> {file}; sleep 0.4; echo end >> {file}"]))
    workspace = await close_once_it_runs(open_window, lines, signed_in_again)
    assert (lines.read_text(), list(workspace.notices)) == ("begin\nend\n", [])


async def test_a_long_command_is_stopped_and_reported_when_the_app_closes(
    configure: Callable[[str], None], open_window: NewWindow, tmp_path: Path
) -> None:
    lines = tmp_path / "lines"
    configure(python("import sys, time; open(sys.argv[1], 'w').write('begin'); time.sleep(600)", lines))
    workspace = await close_once_it_runs(open_window, lines)
    assert list(workspace.notices) == ["1 call of the on_job_done command did not end in time."]
    await eventually(lambda: running(str(lines)) == 0, "it is gone")


async def close_once_it_runs(open_window: NewWindow, lines: Path, signed_in_again: bool = False) -> Workspace:
    """Launch a job, close the app as soon as the command for the ended job has started, and return the workspace. With
    `signed_in_again`, the session is reopened before the app is closed."""
    workspace = open_window()
    await workspace.call(lambda session: session.engine.launch(Draft((5,), SENT, 7)))
    await eventually(lambda: lines.exists() and lines.read_text(), "the command runs")
    if signed_in_again:
        await workspace.reopen(workspace.setup)
    await asyncio.to_thread(workspace.close)
    return workspace
