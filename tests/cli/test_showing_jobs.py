"""`jobs show` prints unconfirmed launches, relaunched jobs, and requests as curl commands."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from calling import call, called, objects
from saved_jobs import SENT, SavedJobs
from scripted_server import LAUNCH, PROGRESS, Reply, ScriptedServer

from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import make_setup

HOST = socket.gethostname()
NO_PID = 2**22 + 1
"""A number that is higher than any process id on Linux."""


@pytest.fixture
def unconfirmed(server: ScriptedServer, jobs: SavedJobs) -> ScriptedServer:
    """A scripted server; job 2 was launched by this process and got no clear answer."""
    jobs.unconfirmed()
    return server


def test_an_unconfirmed_job_shows_when_and_by_which_process_it_was_sent(unconfirmed: ScriptedServer) -> None:
    result = call("jobs", "show", 2).out
    assert result.startswith("job 2: unconfirmed: ")
    for pattern in (
        r"\nsent: .*\d\d:\d\d:\d\d\n",
        rf"\nsent by: process {os.getpid()} on {re.escape(HOST)}, still running\n",
        r"\nwhat to do: to remove the job from this machine, run `cekura-tui jobs forget 2`\n",
        r"\ndistinct answers: 1\n",
        r"\nhistory:\n  .*[\d:]+ launching\n  .*[\d:]+ unconfirmed: \S",
    ):
        assert re.search(pattern, result), pattern


@pytest.mark.parametrize(
    ("owner", "said"),
    [
        ({"host": HOST, "pid": NO_PID, "start": "x"}, f"process {NO_PID} on {HOST}, ended"),
        ({"host": "far\x1b[31m-away", "pid": 12, "start": "x"}, "process 12 on far[31m-away, maybe still running"),
        ({}, "an unknown process"),
    ],
    ids=["ended", "another host", "unknown"],
)
@pytest.mark.usefixtures("unconfirmed")
def test_an_unconfirmed_job_shows_whether_its_process_still_runs(
    jobs: SavedJobs, owner: dict[str, object], said: str
) -> None:
    jobs.execute("UPDATE jobs SET owner = ? WHERE number = 2", json.dumps(owner))
    assert f"\nsent by: {said}\n" in call("jobs", "show", 2).out


@pytest.mark.usefixtures("unconfirmed")
def test_a_relaunched_job_and_its_repetition_name_each_other(home: Path) -> None:
    async def launch_again() -> None:
        session = Session.open(make_setup(config_dir=str(home), env=os.environ))
        await session.jobs.launch_again(2)
        await session.close()

    asyncio.run(launch_again())
    assert "\nrelaunched: as job 3\n" in call("jobs", "show", 2).out
    assert "\nrepeats: job 2\n" in call("jobs", "show", 3).out
    assert [job["again_of"] for job in objects("jobs", "show", 3)] == [2]


def test_curl_commands_end_with_the_launch_and_do_not_contain_the_key(
    unconfirmed: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", "sesame")
    result = called("jobs", "show", 1, "--curl").out
    asking, launching, body, _ = result.splitlines()
    assert asking == f"curl '{unconfirmed.url}{PROGRESS}?progress_id=p-1' -H \"X-CEKURA-API-KEY: $CEKURA_API_KEY\""
    assert launching.startswith(f"curl -X POST {unconfirmed.url}{LAUNCH} ")
    assert json.loads(body)["run_ids"] == [5]
    assert "sesame" not in result
    without_id = call("jobs", "show", 2, "--curl").out
    assert (without_id[:13], without_id.count("curl ")) == ("curl -X POST ", 1)


def test_a_diff_first_reports_a_code_fence_around_the_prompt(server: ScriptedServer, jobs: SavedJobs) -> None:
    proposed = f"```markdown\n{SENT}Be brief.\n```\n"
    jobs.answer(1, {"status": "completed", "output": {"improved_prompt": proposed}})
    diff = call("jobs", "show", 1, "--diff").out
    assert re.match(r"@@ 1 of 2 @@ \(.*the answer is wrapped in a code fence\)\n\{\+```markdown\+\}\n", diff)
    assert "\n{+Be brief.+}\n" in diff
    assert diff.endswith("\n@@ 1 of 2 @@ also here\n{+```+}\n")


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_running_the_curl_commands_repeats_the_requests(api: ScriptedServer, prompt_file: Path) -> None:
    longest = "é" * 60_000  # too long for a command-line argument
    prompt_file.write_bytes(f'It\'s "quoted" $HOME `id` \\n\r\n\t\x1b[0m \U0001f642\n{longest}'.encode())
    api.on("POST", LAUNCH, Reply({"progress_id": "p&2"}))
    call("improve", 5, "--prompt-file", prompt_file)
    env = {**os.environ, "CEKURA_API_KEY": "of the shell"}
    script = call("jobs", "show", 1, "--curl").out.encode()
    subprocess.run(["sh"], input=script, env=env, capture_output=True, check=True)
    (sent, again), asked = api.requests("POST", LAUNCH), api.requests("GET", PROGRESS)[-1]
    assert (again.json(), asked.query) == (sent.json(), {"progress_id": "p&2"})
    assert {again.headers["X-CEKURA-API-KEY"], asked.headers["X-CEKURA-API-KEY"]} == {"of the shell"}
