"""`suggestion`: changes are decided, the agent's prompt is updated and restored, and conflicts are printed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from calling import call, called, objects, refused
from documented_shapes import read_all
from saved_jobs import SavedJobs
from scripted_server import Got, Reply, ScriptedServer

from cekura_tui.model.text import clock_text

SENT = "# Rules\n\nBe kind to callers.\n\n# Prices\n\nNever guess a price.\n"
PROPOSED = SENT.replace("kind to", "brief with").replace("guess", "estimate")
PROPOSED += "\n# End\n\n- Ask for the name.\n- Read it back.\n"
AGENT = "/test_framework/v1/aiagents/7/"


class Agent:
    """Agent 7 on a scripted server, whose prompt can be read and written."""

    def __init__(self, server: ScriptedServer) -> None:
        self.prompt = SENT
        self.reply: Reply | None = None
        self.unread_after_writes = self.is_unread = False
        server.on("GET", AGENT, lambda got: Reply({}, 503) if self.is_unread else Reply(self._whole()))
        server.on("PATCH", AGENT, self._write)

    def _whole(self) -> dict[str, Any]:
        return {"id": 7, "agent_name": "Agent 7", "description": self.prompt}

    def _write(self, got: Got) -> Reply:
        self.is_unread = self.unread_after_writes
        if self.reply is None:
            self.prompt = got.json()["description"]
        return self.reply or Reply(self._whole())


@pytest.fixture
def agent(api: ScriptedServer, jobs: SavedJobs) -> Agent:
    """Agent 7, whose prompt job 1 has improved from SENT to PROPOSED, in three changes; the third has three parts."""
    jobs.running(SENT)
    jobs.answer(1, {"status": "completed", "output": {"improved_prompt": PROPOSED, "summary_of_changes": ""}})
    return Agent(api)


def suggestion(*words: object, status: int = 0, **given: Any) -> str:
    """Run `suggestion …`, check its exit status, and return what it says on standard error."""
    result = call("suggestion", *words, **given)
    assert result.status == status, result.err
    return result.err


def decisions() -> list[str]:
    (shown,) = read_all("suggestion-show", called("suggestion", "show", 1, "--json").out)
    return [change["decision"] for change in shown["changes"]]


def staged() -> str:
    return called("jobs", "show", 1, "--staged").out


def test_changes_are_decided_by_number_and_undone_command_by_command(agent: Agent, tmp_path: Path) -> None:
    shown = called("suggestion", "show", 1).out
    assert "1. undecided: Rules › paragraph 1, +2 −2 words\n   − Be kind to callers.\n   + Be brief with" in shown
    assert suggestion("accept", 1, 1) == "job 1: 1 accepted, 2 undecided · staged +2 −2 words\n"
    suggestion("edit", 1, 2, "--text-file", "-", stdin=b"\xef\xbb\xbf  Never say\tany price. \n")
    assert staged() == SENT.replace("kind to", "brief with").replace("Never guess a price.", "  Never say\tany price. ")
    shown = called("suggestion", "show", 1).out
    assert "2. edited: Prices › paragraph 1, +2 −2 words" in shown
    assert "✎   Never say" in shown
    suggestion("edit", 1, 2, "--text-file", "-", stdin=b"")
    assert "✎ (removed)" in called("suggestion", "show", 1).out
    suggestion("undo", 1)
    assert suggestion("split", 1, 3) == "Split into changes 3, 4, 5.\n"
    suggestion("reject", 1, 5)
    assert decisions() == ["accepted", "edited", "undecided", "undecided", "rejected"]
    assert "change 5 is decided separately" in suggestion("split", 1, 3, status=2)
    assert "3 accepted, 1 rejected, 1 edited, 0 undecided" in suggestion("accept", 1, "--all")
    assert suggestion("undo", 1) == "Undone: 2 changes are as before.\n"
    suggestion("undo", 1)
    assert suggestion("split", 1, 3) == "Joined as change 3.\n"
    assert suggestion("undo", 1) == "Undone: change 2 is undecided.\n"
    suggestion("reject", 1, 2, 3)
    assert suggestion("undo", 1) == "Undone: 2 changes are as before.\n"
    assert decisions() == ["accepted", "undecided", "undecided"]
    assert suggestion("save", 1, "--out", tmp_path / "new.md").startswith("Saved the staged prompt to ")
    assert (tmp_path / "new.md").read_text() == called("suggestion", "save", 1, "--out", "-").out == staged()
    assert "exists already" in suggestion("save", 1, "--out", tmp_path / "new.md", status=2)
    suggestion("undo", 1)
    assert suggestion("undo", 1, status=3) == "Nothing to undo.\n"


def test_a_move_says_where_it_comes_from_and_formatting_has_no_text(jobs: SavedJobs) -> None:
    jobs.running(SENT)
    moved = "# Rules\n\nBe kind to `callers`.\n\nNever guess a price.\n\n# Prices\n"
    jobs.answer(1, {"status": "completed", "output": {"improved_prompt": moved, "summary_of_changes": ""}})
    shown = called("suggestion", "show", 1).out
    assert "undecided: Prices, moved down\n   ← # Prices\n" in shown
    assert shown.count("emphasis ` added") == 1
    assert "− `" not in shown


def test_wrong_use_changes_nothing(agent: Agent) -> None:
    for words, said in (
        (("accept", 1, 1, 4), "Job 1 has 3 changes, so no change 4."),
        (("accept", 1, "1-3"), "“1-3” is not a valid change number; use a number such as 2."),
        (("reject", 1), "Name the changes by number, or use --all."),
        (("reject", 1, 1, "--all"), "Name the changes by number, or use --all."),
        (("split", 1, 1), "Can't split: the change has no parts."),
        (("edit", 1, 1, "--text-file", "nowhere"), "There is no file nowhere."),
    ):
        refused(said, "suggestion", *words)
    assert decisions() == ["undecided"] * 3


def test_update_and_restore_verify_and_jobs_show_what_became_of_the_update(agent: Agent) -> None:
    assert "Agent 7 has this prompt" in suggestion("update", 1, "--yes", status=3)
    suggestion("accept", 1, 1, 2)
    would = "This would update the prompt of Agent 7 (+3 −3 words compared with its prompt). To do so, add --yes."
    assert would in suggestion("update", 1, status=2)
    assert "Read-only session" in call("--read-only", "suggestion", "update", 1, "--yes").err
    assert agent.prompt == SENT
    said = suggestion("update", 1, "--yes")
    assert said == "Note: Leaves out 1 undecided change.\nUpdated the prompt of Agent 7 · verified byte for byte\n"
    assert agent.prompt == staged()
    changed = called("prompts", "show", 7, 1, "--diff").out
    assert ("{+brief with+}" in changed, "Ask for the name" in changed) == (True, False), "not with the suggestion"
    suggestion("update", 1, "--yes", status=3)
    (job,) = objects("jobs", "list")
    assert (job["update"]["state"], job["update"]["job"]) == ("current", None)
    for words in ("jobs", "list"), ("jobs", "show", 1), ("suggestion", "show", 1):
        assert "on the agent since " in called(*words).out
    assert "This would restore a prompt of Agent 7" in suggestion("restore", 7, status=2)
    suggestion("restore", 7, "--yes")
    assert (agent.prompt, objects("jobs", "list")[0]["update"]["state"]) == (SENT, "taken_back")
    assert "was taken back already" in suggestion("restore", 7, "--yes", status=3), "a retry"
    suggestion("restore", 7, "--version", 1, "--yes", status=3)
    suggestion("restore", 7, "--version", "", "--yes", status=2)
    suggestion("update", 1, status=2)
    assert (agent.prompt, objects("jobs", "list")[0]["update"]["state"]) == (SENT, "taken_back"), "the agent was read"
    assert "No prompt 77 of agent 7." in suggestion("restore", 7, "--version", 77, "--yes", status=2)


def test_decisions_after_an_update_reach_the_agent_with_the_next_update(agent: Agent) -> None:
    suggestion("accept", 1, "--all")
    suggestion("update", 1, "--yes")
    suggestion("reject", 1, 2)
    behind = ", not as staged now"
    assert behind in called("suggestion", "show", 1).out
    suggestion("edit", 1, 1, "--text-file", "-", stdin=b"Be short with callers.")
    suggestion("update", 1, "--yes")
    assert agent.prompt == staged()
    assert behind not in called("suggestion", "show", 1).out
    suggestion("restore", 7, "--yes")
    assert agent.prompt == PROPOSED
    assert f"on the agent since {clock_text(time.time())}{behind}" in called("jobs", "show", 1).out
    suggestion("update", 1, "--yes")
    assert agent.prompt == staged()
    assert "Be short" in staged()
    assert "guess" in staged()
    agent.prompt = own = agent.prompt.replace("# Rules\n", "# Rules\n\nSay your name.\n")
    suggestion("update", 1, "--yes", status=3)
    suggestion("accept", 1, 2)
    suggestion("update", 1, "--yes")
    assert agent.prompt == own.replace("guess", "estimate")
    suggestion("undo", 1)
    suggestion("restore", 7, "--yes")
    suggestion("update", 1, "--yes", status=3)
    agent.prompt = staged()
    suggestion("reject", 1, 1, 2, 3)
    suggestion("update", 1, "--yes")
    assert agent.prompt == SENT
    assert "taken back" in called("suggestion", "show", 1).out


def test_rejected_changes_leave_restored_prompts_and_few_staged_prompts_are_kept(agent: Agent, jobs: SavedJobs) -> None:
    suggestion("accept", 1, 1)
    suggestion("restore", 7, "--version", 2, "--yes")
    assert agent.prompt == PROPOSED
    agent.prompt = agent.prompt.replace(*(own := ("# Rules\n", "# Rules\n\nSay your name.\n")))
    suggestion("update", 1, "--yes")
    assert agent.prompt == staged().replace(*own), "undecided changes leave the restored proposed prompt"
    suggestion("undo", 1)
    both = agent.prompt
    suggestion("update", 1, "--yes")
    suggestion("restore", 7, "--yes")
    assert agent.prompt == both
    suggestion("update", 1, "--yes")
    assert agent.prompt == SENT.replace(*own)
    jobs.execute("DELETE FROM prompt_uses WHERE how = 'written'")
    suggestion("accept", 1, 1)
    suggestion("update", 1, "--yes")
    assert jobs.execute("SELECT count(*) FROM typed WHERE hunk LIKE 'written %'") == [(2,)], "of three"


@pytest.mark.parametrize(
    ("reply", "status"),
    [(Reply({"detail": "No."}, 403), 4), (Reply({}, 503), 2), (Reply({"id": 7}), 6)],
    ids=["key", "failed", "not kept"],
)
def test_a_failed_update_exits_with_its_status(agent: Agent, no_retries: None, reply: Reply, status: int) -> None:
    suggestion("accept", 1, "--all")
    agent.reply = reply
    suggestion("update", 1, "--yes", status=status)
    assert agent.prompt == SENT


def test_unverified_writes_are_known_at_the_next_look(agent: Agent, no_retries: None) -> None:
    def state() -> str | None:
        update = objects("jobs", "list")[0]["update"]
        return update and update["state"]

    suggestion("accept", 1, "--all")
    agent.unread_after_writes = True
    suggestion("update", 1, "--yes", status=6)
    assert state() is None
    agent.is_unread = False
    suggestion("update", 1, "--yes", status=3)
    assert (agent.prompt, state()) == (PROPOSED, "current")
    suggestion("restore", 7, "--yes", status=6)
    agent.is_unread = False
    suggestion("restore", 7, "--yes", status=3)
    suggestion("update", 1, status=2)
    assert (agent.prompt, state()) == (SENT, "taken_back")


def test_conflicts_are_printed_and_solved_with_a_prompt_file(agent: Agent, tmp_path: Path) -> None:
    suggestion("accept", 1, "--all")
    agent.prompt = SENT.replace("kind to", "patient with")
    result = call("suggestion", "update", 1, "--yes")
    assert (result.status, agent.prompt) == (1, SENT.replace("kind to", "patient with"))
    (found,) = read_all("suggestion-update", result.out)
    (conflict,) = found["conflicts"]
    assert [conflict[name].strip() for name in ("sent", "agent", "staged")] == [
        f"Be {how} callers." for how in ("kind to", "patient with", "brief with")
    ]
    file = tmp_path / "solved.md"
    file.write_text(found["merged"])
    solving = ("update", 1, "--yes", "--prompt-file", file)
    assert "still has marks of conflicts" in suggestion(*solving, status=2)
    file.write_text(result.out)
    assert "JSON of the conflicts" in suggestion(*solving, status=2)
    file.write_text(PROPOSED.replace("brief with", "patient and brief with"))
    agent.prompt = agent.prompt.replace("patient", "calm and patient")
    assert "has changed since" in suggestion(*solving, status=1)
    suggestion(*solving)
    assert agent.prompt == (solved := file.read_text())
    suggestion(*solving, status=3)
    file.write_text("Another prompt.\n")
    assert "Leave out --prompt-file" in suggestion(*solving, status=2)
    assert agent.prompt == solved
    suggestion("update", 1, "--yes", status=3)
