"""`improve --command`: a program of the user's proposes the prompt, on this machine."""

from __future__ import annotations

import json
import re
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from calling import call, called, objects, refused
from documented_shapes import read_all
from running_commands import RunningCommand
from scripted_server import LAUNCH, Reply, ScriptedServer
from user_commands import MARK, processes, shell
from waiting import until

KEY = "ck_prod_Zm9vYmFyYmF6cXV4"
SENT = "# Rules\n\nBe kind to callers.\n"
BETTER = "# Rules\n\nBe kind to callers, and brief.\n"
Improve = tuple[object, ...]


@pytest.fixture(autouse=True)
def marked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(MARK, str(tmp_path))


@pytest.fixture
def program(tmp_path: Path) -> str:
    """A command that keeps the text that it reads in the file `read`, and proposes BETTER with a summary."""
    file = tmp_path / "better.py"
    file.write_text(
        f"import os, sys\nopen({str(tmp_path / 'read')!r}, 'w').write(sys.stdin.read())\n"
        f"sys.exit('has the key') if {KEY!r} in str(os.environ) else print({BETTER!r} + '--- summary\\n- Briefer')\n"
    )
    # The words of a path with random letters, as of a temporary environment, would not be shown.
    (python := tmp_path / "python").symlink_to(sys.executable)
    return shlex.join([str(python), str(file)])


def test_a_command_proposes_a_prompt_and_nothing_is_launched_on_the_server(
    api: ScriptedServer, improve: Improve, program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", KEY)
    out = tmp_path / "better.md"
    result = called(*improve, "--command", program, "--wait", "--out", out, "--json")
    (job,) = read_all("improve", result.out)
    assert (job["kind"], job["proposer"], job["state"]) == ("improve_by_command", program, "succeeded")
    assert (job["improved_prompt"], job["summary_of_changes"]) == (BETTER, "- Briefer")
    assert out.read_bytes() == BETTER.encode()
    assert result.err.endswith(f": succeeded\nSaved the improved prompt to {out}.\n")
    assert (tmp_path / "read").read_text() == called(*improve, "--print-input").out
    assert "{+, and brief+}" in called("jobs", "show", 1, "--diff").out
    shown = called("jobs", "show", 1).out
    assert ("runs: 5\n" in shown, f"proposed by: {program}\n" in shown) == (True, True)
    assert api.requests("POST") == []


def test_without_a_command_line_the_command_of_the_settings_proposes(
    api: ScriptedServer, improve: Improve, program: str, home: Path
) -> None:
    assert "config set improve.command" in refused("No command is set.", *improve, "--command").err
    assert api.seen == []
    called("config", "set", "improve.command", program)
    assert called(*improve, "--command", "--wait").out.startswith("- Briefer\n")
    refused("No command is set.", *improve, "--command", "")  # such as an empty variable of a shell
    called("improve", 5, "--prompt-file", "-", "--command", "--wait", stdin=SENT.encode())
    assert {job["kind"] for job in objects("jobs", "list", "--drafts")} == {"improve_by_command"}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("no-such-program -m x", "There is no program no-such-program."),
        ("llm -s 'be brief", "The command has an unclosed quote."),
        (f"echo {KEY}", "The command contains your API key"),
    ],
)
def test_a_command_that_cannot_run_is_refused_before_anything_is_read_or_saved(
    api: ScriptedServer, improve: Improve, home: Path, monkeypatch: pytest.MonkeyPatch, command: str, said: str
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", KEY)
    result = refused(said, *improve, "--command", command, "--wait")
    assert KEY not in result.err
    assert (api.seen, objects("jobs", "list", "--drafts")) == ([], [])
    assert not (home / "proposals").exists()


def test_a_wrong_template_and_a_read_only_session_are_refused_early(
    api: ScriptedServer, improve: Improve, program: str, tmp_path: Path
) -> None:
    refused("Read-only session: nothing was launched.", "--read-only", *improve, "--command", program)
    template = tmp_path / "template.txt"
    template.write_text("Improve {promt}")
    called("config", "set", "improve.template", template)
    refused("unknown placeholder {promt}", *improve, "--command", program)
    assert api.seen == []
    refused("unknown placeholder {promt}", *improve, "--print-input")
    template.write_text("Improve {prompt}")
    assert called(*improve, "--print-input").out.startswith("Improve <<<PROMPT ")


def test_the_input_is_printed_with_a_note_of_what_it_leaves_out_and_nothing_runs(
    api: ScriptedServer, tmp_path: Path, home: Path
) -> None:
    prompt = tmp_path / "long.md"
    prompt.write_bytes("\ufeffBe kind.\r\n".encode() + b"Never guess a price. \x1b\n" * 1_000)
    called("config", "set", "improve.characters", 5000)
    result = called("--read-only", "improve", 5, "--prompt-file", "-", "--print-input", stdin=prompt.read_bytes())
    assert prompt.read_bytes() in result.raw
    assert "too little of 5,000" in result.err
    assert (api.requests("POST"), objects("jobs", "list", "--drafts")) == ([], [])
    assert not (home / "proposals").exists()
    refused("--print-input launches no job.", "improve", 5, "--prompt-file", prompt, "--print-input", "--wait")


def test_a_key_in_the_text_for_a_command_is_refused_unless_it_is_allowed(
    api: ScriptedServer, improve: Improve, program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", KEY)
    template = tmp_path / "template.txt"
    template.write_text(f"The key is {KEY}. Improve {{prompt}}")
    called("config", "set", "improve.template", template)
    for words in (["--command", program], ["--print-input"]):
        result = refused("The text for the command contains your API key", *improve, *words)
        assert "--allow-key" in result.err
    assert not (tmp_path / "read").exists()
    called(*improve, "--command", program, "--wait", "--allow-key")
    assert KEY in (tmp_path / "read").read_text()


def test_a_failed_command_exits_with_1_and_an_unchanged_prompt_with_3(
    api: ScriptedServer, improve: Improve, prompt_file: Path
) -> None:
    failing = shell(r"printf '\033[31mError: no such model\033[0m\n' >&2; exit 7")
    result = call(*improve, "--command", failing, "--wait")
    assert (result.status, result.out) == (1, "")
    assert ": failed: The command ended with exit status 7." in result.err
    assert "Error: no such model" in result.err
    assert "standard error:\n  Error: no such model\n" in called("jobs", "show", 1).out
    refused_to = call(*improve, "--command", "echo 'Sorry, I can not.'", "--wait")
    assert (refused_to.status, refused_to.err.splitlines()[-2:]) == (1, ["standard output:", "  Sorry, I can not."])
    refused("Job 1 sent no requests.", "jobs", "show", 1, "--curl")
    assert call(*improve, "--command", f"cat {shlex.quote(str(prompt_file))}", "--wait").status == 3


def test_a_waiting_command_that_is_interrupted_leaves_the_proposal_running(
    api: ScriptedServer, improve: Improve, tmp_path: Path, start: Callable[..., RunningCommand]
) -> None:
    go = tmp_path / "go"
    command = shell(f"until test -e {go}; do sleep 0.02; done; echo 'Be kind and brief to callers.'")
    waiting = start(*improve, "--command", command, "--wait")
    waiting.reports(": running")
    assert waiting.ended(signal.SIGINT) == 130
    waiting.reports("Job 1 still runs on this machine. To wait for the job, run `")
    result = call(*improve, "--command", command, "--wait", "--timeout", 0.01)
    assert result.err.splitlines()[-1].startswith("Timed out. Job 2 still runs on this machine.")
    go.touch()
    called("jobs", "wait", 1, 2)
    assert {job["state"] for job in objects("jobs", "list")} == {"succeeded"}


def test_jobs_stop_ends_a_command_with_its_processes_once_it_is_confirmed(
    api: ScriptedServer, improve: Improve, tmp_path: Path
) -> None:
    called(*improve, "--command", shell("sleep 600 & sleep 600"))
    assert "To do so, add --yes." in refused("Nothing was stopped.", "jobs", "stop", 1).err
    assert processes(str(tmp_path))
    assert called("jobs", "stop", 1, "--yes").err.endswith(": stopped: The command was stopped.\n")
    until(lambda: not processes(str(tmp_path)), "no process of the command is left")
    refused("Can't stop job 1 (stopped).", "jobs", "stop", 1, "--yes")


def test_jobs_stop_stops_polling_a_job_of_the_server_without_a_question(server: ScriptedServer) -> None:
    assert "The job may still run on the server." in called("jobs", "stop", 1).err


def test_a_server_without_improve_jobs_leads_to_the_option_command(api: ScriptedServer, improve: Improve) -> None:
    api.on("POST", LAUNCH, Reply({"detail": "Not found."}, 404))
    refused("--command", *improve)


def test_the_script_in_the_readme_asks_a_model_on_a_server(
    api: ScriptedServer, improve: Improve, tmp_path: Path
) -> None:
    (lines,) = re.findall(r"```python\n(.*?)```", (Path(__file__).parents[2] / "README.md").read_text(), re.DOTALL)
    script = tmp_path / "improve.py"
    script.write_text(lines.replace("http://127.0.0.1:8080", api.url))
    script.chmod(0o755)
    api.on("POST", "/v1/chat/completions", Reply({"choices": [{"message": {"role": "assistant", "content": BETTER}}]}))
    assert called(*improve, "--command", script, "--wait", "--json").out.count(json.dumps(BETTER)) == 1
    (asked,) = api.requests("POST")
    assert asked.json()["messages"] == [{"role": "user", "content": called(*improve, "--print-input").out}]
    api.on("POST", "/v1/chat/completions", Reply({"error": "no model"}, 500))
    result = call(*improve, "--command", script, "--wait")
    assert (result.status, "HTTP Error 500" in result.err) == (1, True)


@pytest.mark.long
def test_the_demo_has_a_command_of_its_own(home: Path) -> None:
    (run, *_) = called("--demo", "runs", "list", "outcome:failed", "--csv", "--limit", 1).out.splitlines()[1].split(",")
    job = json.loads(called("--demo", "improve", run, "--from-agent", "--command", "--wait", "--json").out)
    assert (job["state"], job["proposer"].split()[-1]) == ("succeeded", "demo-improve")
