"""Models of the program `llm` propose prompts: in pieces, with an error, and interrupted.

The environment variable LLM_CLI names the `llm` program to run; if it is not set, the tests are skipped. Install `llm`
with `pip install llm llm-echo tests/support/llm_models` in a venv of its own.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
from pathlib import Path
from typing import Any

import pytest
from calling import call, called, objects
from scripted_server import ScriptedServer
from user_commands import MARK, processes
from waiting import until

LLM = os.environ.get("LLM_CLI")
pytestmark = [pytest.mark.long, pytest.mark.skipif(LLM is None, reason="LLM_CLI names no program llm")]
SENT = "# Rules\n\nBe kind to callers.\n"
Improve = tuple[object, ...]


@pytest.fixture(autouse=True)
def llm_files(api: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("LLM_USER_PATH", "llm"), ("LLM_GO", "go"), (MARK, "")):
        monkeypatch.setenv(name, str(tmp_path / value))


def model(name: str) -> str:
    return f"{shlex.quote(str(LLM))} -m {name}"


def begun(improve: Improve, home: Path) -> Path:
    """Launch a job, wait until the model has written the first piece of its answer, and return the answer's file."""
    called(*improve, "--command", model("in-pieces"))
    (folder,) = (home / "proposals").iterdir()
    until(lambda: (folder / "output").read_text() == SENT, "the first piece of the answer is on the disk")
    return folder / "output"


def shown() -> dict[str, Any]:
    (job,) = objects("jobs", "show", 1)
    return job


def test_an_answer_in_pieces_is_a_suggestion_once_it_is_whole(improve: Improve, home: Path, tmp_path: Path) -> None:
    begun(improve, home)
    assert call("jobs", "wait", 1, "--timeout", 0.5).status == 1
    assert (shown()["state"], shown()["improved_prompt"]) == ("running", None)
    (tmp_path / "go").touch()
    called("jobs", "wait", 1)
    assert (shown()["improved_prompt"], shown()["summary_of_changes"]) == (f"{SENT}Be brief.\n", "- Brief")


def test_an_error_of_the_model_is_shown_on_the_job_without_its_unfinished_answer(improve: Improve) -> None:
    result = call(*improve, "--command", model("overloaded"), "--wait")
    assert (result.status, shown()["state"], shown()["improved_prompt"]) == (1, "failed", None)
    for text in (result.err, called("jobs", "show", 1).out):
        assert "The command ended with exit status 1." in text
        assert "Error: The model is overloaded." in text


def test_an_answer_interrupted_by_a_signal_is_no_suggestion(improve: Improve, home: Path, tmp_path: Path) -> None:
    begun(improve, home)
    running = processes(str(tmp_path))
    words = {one: Path(f"/proc/{one}/cmdline").read_text() for one in running}
    (llm,) = (one for one, line in words.items() if "in-pieces" in line and "supervisor.py" not in line)
    os.kill(llm, signal.SIGKILL)
    assert call("jobs", "wait", 1).status == 1
    assert (shown()["error"], shown()["improved_prompt"]) == ("The command was ended by signal 9.", None)


def test_the_model_gets_the_whole_text_that_print_input_prints(improve: Improve, home: Path) -> None:
    call(*improve, "--command", model("echo"), "--wait")
    (folder,) = (home / "proposals").iterdir()
    assert json.loads((folder / "output").read_text())["prompt"] == called(*improve, "--print-input").out
