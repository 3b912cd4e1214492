"""`on_job_done`: what a command of the user's gets, and that whatever it does harms nothing."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from calling import call
from scripted_server import LAUNCH, PROGRESS, Reply, ScriptedServer, run_of, serve_runs
from waiting import eventually

from cekura_tui.model.job import Draft, Suggestion
from cekura_tui.model.text import Prompt
from cekura_tui.workspace.hook import JobHook
from cekura_tui.workspace.setup import make_setup
from cekura_tui.workspace.workspace import Workspace

PROPOSED = "Be kinder.\r\n\x1b[0m\ud83d"
DONE = Reply({"status": "completed", "output": {"improved_prompt": PROPOSED, "summary_of_changes": "Kinder."}})
Hook = Callable[..., JobHook]


def python(code: str, *words: object) -> str:
    """A command that runs this code."""
    return shlex.join([sys.executable, "-ISc", code, *map(str, words)])


def config(home: Path, command: str) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(f"on_job_done = {json.dumps(command)}\n")


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
def done(scripted: ScriptedServer, home: Path) -> Suggestion:
    """A job that brought a suggestion."""
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p"}))
    scripted.on("GET", PROGRESS, DONE)

    async def run() -> Suggestion:
        workspace = Workspace(make_setup(config_dir=str(home), env=env_of(scripted)))
        workspace.start(lambda: None)
        job = await workspace.call(lambda session: session.jobs.launch(Draft((5,), Prompt("Be kind."), 7, "Agent 7")))
        while job.state.going:
            await asyncio.sleep(0.01)
            job = await workspace.call(lambda session: session.jobs.get(1))
        suggestion = await workspace.call(lambda session: session.jobs.suggestion(1))
        await asyncio.to_thread(workspace.close)
        return suggestion

    return asyncio.run(run())


def env_of(server: ScriptedServer) -> dict[str, str]:
    return {"CEKURA_API_URL": server.url, "CEKURA_API_KEY": "key-of-the-test"}


KEEP = """
import os, sys
kept = dict(os.environ, INPUT=sys.stdin.buffer.read().decode(), WORDS=repr(sys.argv[2:]), PGID=str(os.getpgrp()))
import json
open(sys.argv[1] + ".part", "w").write(json.dumps(kept))
os.rename(sys.argv[1] + ".part", sys.argv[1])
"""


async def test_the_command_gets_the_job_as_json_and_neither_shell_nor_key(
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
        (python("import os; os.kill(os.getpid(), 9)"), "The on_job_done command ended with status -9."),
        ("/nowhere/at-all", "The on_job_done command could not be started: No such file or directory."),
        ("/", "The on_job_done command could not be started: Permission denied."),
        (python("pass"), ""),
        (python("import sys; sys.stdin.close()"), ""),
        (python("import sys; sys.stderr.write('x' * 300_000); sys.stdout.write('x' * 300_000)"), ""),
    ],
    ids=["status", "its words", "killed", "missing", "a directory", "reads nothing", "closes its input", "chatty"],
)
async def test_a_failing_command_is_reported_in_one_sentence(
    hook: Hook, done: Suggestion, reported: list[str], command: str, sentence: str
) -> None:
    made = hook(command)
    made.ended(done)
    await made.close()
    assert reported == ([sentence] if sentence else [])


@pytest.mark.long
async def test_a_command_that_does_not_end_is_stopped_with_all_that_it_started(
    hook: Hook, done: Suggestion, reported: list[str], tmp_path: Path
) -> None:
    child = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
    code = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', *sys.argv[1:]]); time.sleep(600)"
    made = hook(python(code, child, tmp_path / "begun"), limit=3.0)
    made.ended(done)
    await eventually((tmp_path / "begun").exists, "the command and its child run")
    await made.close()
    assert reported == ["The on_job_done command did not end within 3 seconds and was stopped."]
    await eventually(lambda: running(str(tmp_path / "begun")) == 0, "both are gone")


def running(word: str) -> int:
    """How many processes have this word in their command line."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes())
        except OSError:
            continue
    return sum(word.encode() in line for line in lines)


async def test_a_process_left_behind_by_the_command_is_not_waited_for(
    hook: Hook, done: Suggestion, reported: list[str], tmp_path: Path
) -> None:
    code = "import os, sys, time; os.fork() or (open(sys.argv[1], 'w').write(str(os.getpid())), time.sleep(600))"
    made = hook(python(code, tmp_path / "pid"))
    before = time.monotonic()
    made.ended(done)
    await made.close()
    assert time.monotonic() - before < 20
    assert reported == []
    await eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "the one left behind")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


async def test_the_same_failure_of_many_jobs_is_told_once(hook: Hook, done: Suggestion, reported: list[str]) -> None:
    made = hook("/nowhere/at-all")
    for _ in range(30):
        made.ended(done)
    await made.close()
    assert len(reported) == 1


async def test_a_command_still_running_at_the_end_is_stopped_and_reported(
    hook: Hook, done: Suggestion, reported: list[str], tmp_path: Path
) -> None:
    made = hook(python("import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)", tmp_path / "x"))
    made.ended(done)
    await eventually((tmp_path / "x").exists, "the command runs")
    await made.close(0.05)
    assert reported == ["1 call of the on_job_done command did not end in time."]
    await eventually(lambda: running(str(tmp_path / "x")) == 0, "it is gone")


async def test_in_the_app_each_finished_job_runs_the_command_once(
    scripted: ScriptedServer, home: Path, tmp_path: Path
) -> None:
    code = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read()); sys.exit('no luck')"
    config(home, python(code, tmp_path / "calls"))
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p"}))
    scripted.on("GET", PROGRESS, DONE)
    windows = [Workspace(make_setup(config_dir=str(home), env=env_of(scripted))) for _ in range(2)]
    for window in windows:
        window.start(lambda: None)
        await window.call(lambda session: session.jobs.all())
    await windows[0].call(lambda session: session.jobs.launch(Draft((5,), Prompt("Be kind."), 7)))
    await eventually(lambda: any(window.notices for window in windows), "the failure is there to be told")
    reported = [notice for window in windows for notice in window.notices]
    assert reported == ["The on_job_done command ended with status 1: no luck."]
    for window in windows:
        await asyncio.to_thread(window.close)
    (line,) = (tmp_path / "calls").read_text().splitlines()
    assert (json.loads(line)["job"], json.loads(line)["state"]) == (1, "succeeded")


def test_a_script_with_wait_reports_a_failed_command_with_status_0(
    scripted: ScriptedServer, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in env_of(scripted).items():
        monkeypatch.setenv(name, value)
    serve_runs(scripted, run_of(5))
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p"}))
    scripted.on("GET", PROGRESS, DONE)
    (tmp_path / "prompt.md").write_text("Be kind.")
    code = "import sys, time; time.sleep(0.3); open(sys.argv[1], 'w').write(sys.stdin.read()); sys.exit('no luck')"
    config(home, python(code, tmp_path / "call"))
    done = call("improve", 5, "--prompt-file", tmp_path / "prompt.md", "--wait", "--json")
    assert done.status == 0
    assert json.loads((tmp_path / "call").read_text()) == json.loads(done.out)
    assert "The on_job_done command ended with status 1: no luck." in done.err


@pytest.mark.parametrize("signed_in_anew", [False, True], ids=["left at once", "signed in anew, then left"])
async def test_a_command_running_when_the_app_closes_has_a_second_to_end(
    scripted: ScriptedServer, home: Path, tmp_path: Path, signed_in_anew: bool
) -> None:
    lines = tmp_path / "lines"
    file = shlex.quote(str(lines))
    config(home, shlex.join(["sh", "-c", f"echo begin >> {file}; sleep 0.4; echo end >> {file}"]))
    workspace = await leave_once_it_runs(scripted, home, lines, signed_in_anew)
    assert lines.read_text() == "begin\nend\n"
    assert list(workspace.notices) == []


async def test_a_longer_command_is_stopped_when_the_app_closes(
    scripted: ScriptedServer, home: Path, tmp_path: Path
) -> None:
    lines = tmp_path / "lines"
    config(home, python("import sys, time; open(sys.argv[1], 'w').write('begin'); time.sleep(600)", lines))
    before = time.monotonic()
    workspace = await leave_once_it_runs(scripted, home, lines)
    assert time.monotonic() - before < 20
    assert list(workspace.notices) == ["1 call of the on_job_done command did not end in time."]
    await eventually(lambda: running(str(lines)) == 0, "it is gone")


async def leave_once_it_runs(scripted: ScriptedServer, home: Path, lines: Path, anew: bool = False) -> Workspace:
    """Have a job end in the app, and close the app as soon as its command has begun."""
    scripted.on("POST", LAUNCH, Reply({"progress_id": "p"}))
    scripted.on("GET", PROGRESS, DONE)
    workspace = Workspace(make_setup(config_dir=str(home), env=env_of(scripted)))
    workspace.start(lambda: None)
    await workspace.call(lambda session: session.jobs.launch(Draft((5,), Prompt("Be kind."), 7)))
    await eventually(lambda: lines.exists() and lines.read_text(), "the command runs")
    if anew:
        await workspace.reopen(workspace.setup)
    await asyncio.to_thread(workspace.close)
    return workspace
