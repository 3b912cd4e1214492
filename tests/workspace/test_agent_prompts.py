"""Updating and restoring an agent's prompt: the replaced prompt is saved, and errors say which prompt the agent has."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scripted_server import Got, Hold, Reply, Reset, ScriptedServer
from waiting import eventually

from cekura_tui.api.errors import KeyRefused, NotFound
from cekura_tui.model.errors import Exit, UsageError
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt, sha256
from cekura_tui.store.errors import Unrecorded
from cekura_tui.store.store import Store
from cekura_tui.workspace.agent_prompts import AgentPromptDrifted, AgentPrompts, PromptUpdate, PromptUpdateFailed
from cekura_tui.workspace.session import Session

AGENT = "/test_framework/v1/aiagents/7/"
SENT = Prompt("# Rules\n\nBe kind to callers.\n\nNever guess a price.\n")
NEW = Prompt("# Rules\n\nBe kind and brief with callers.\n\nNever guess a price.\n")
CRLF = Prompt(SENT.replace("\n", "\r\n"))
DRIFTED = Prompt(f"{SENT}\nSay that the line may be recorded.\n")
LATE, GONE, LOST = Reply({"detail": "Later."}, 503), Reply({"detail": "Gone."}, 404), Reset()
KEPT = "The former prompt is in the prompt history and can be restored there."
KEPT_AS_WELL = "A copy of the former prompt is in the prompt history."
RELOAD = "Reload to see the prompt it has. "


def has(prompt: str | None, **more: object) -> Reply:
    return Reply({"id": 7, "agent_name": "Line", "description": prompt, **more})


class ScriptedAgent:
    """Agent 7 on the scripted server. `written` lists the prompts that the agent has had; the last is the
    current prompt."""

    def __init__(self, session: Session, scripted: ScriptedServer) -> None:
        self.session, self.scripted, self.written = session, scripted, [str(SENT)]
        self.now = 1_760_000_000.0
        self.prompts = self.with_read_only("")
        self.serve()

    def serve(self, keeps: Callable[[str], str] = str, answer: Reply | Reset | None = None, **more: object) -> None:
        """Answer reads with the current prompt and the fields `more`; `answer`, if given, is the answer to a write.
        After a write, the agent's prompt is what `keeps` returns for the written text."""

        def write(got: Got) -> Reply | Reset:
            self.written.append(keeps(got.json()["description"]))
            return answer or has(self.written[-1], **more)

        self.scripted.on("GET", AGENT, lambda got: has(self.written[-1], **more))
        self.scripted.on("PATCH", AGENT, write)

    def with_read_only(self, read_only: str) -> AgentPrompts:
        session = self.session
        return AgentPrompts(session.store, session.client, session.jobs, read_only=read_only, clock=self._clock)

    def _clock(self) -> float:
        self.now += 1
        return self.now

    async def job(self, sent: Prompt = SENT, name: str = "", agent: int | None = 7) -> int:
        return (self.session.store.jobs.save_draft(Draft((5,), sent, agent, name), 1.0)).number

    async def update(self, text: Prompt = NEW) -> PromptUpdate:
        """Plan an update of the agent's prompt to `text`, for a new job that sent SENT."""
        return await self.prompts.preview_update(await self.job(), text)

    def kept(self, how: str) -> list[Prompt]:
        """The prompts of the agent that are in the history with the use `how`, newest first."""
        uses = self.session.store.prompt_uses
        return [uses.text(use.sha256) for use in uses.all(7) if use.how == how]


@pytest.fixture
def agent(session: Session, scripted: ScriptedServer) -> ScriptedAgent:
    return ScriptedAgent(session, scripted)


async def test_a_prompt_is_written_exactly_and_the_update_is_taken_back_once(agent: ScriptedAgent) -> None:
    with pytest.raises(UsageError, match="Nothing was written to Line from here"):
        await agent.prompts.preview_restore(7)
    agent.session.store.prompt_uses.note(7, NEW, "seen", 1.0)
    (seen,) = agent.session.store.prompt_uses.all(7)
    chosen = await agent.prompts.preview_restore(7, seen)
    assert (chosen.text, chosen.warnings) == (NEW, ()), "it was only seen, and nothing was written from here"
    text = Prompt(f"{NEW}\r\n\tKeep “this” \x85\ud800 ")
    update = await agent.update(text)
    assert (update.merge.text({}), update.warnings, update.is_applied) == (text, (), False)
    assert update.change is not None
    assert (update.change.old, update.change.new) == (SENT, text)
    done = await agent.prompts.write(update, update.merge.text({}))
    assert done.message == "Updated the prompt of Line · verified byte for byte"
    assert (done.agent.prompt, done.previous, agent.written) == (text, SENT, [SENT, text])
    assert (agent.kept("replaced"), agent.kept("written")) == ([SENT], [text])

    again = await agent.prompts.preview_update(1, text)
    assert again.is_applied
    with pytest.raises(UsageError, match="already has this prompt"):
        await agent.prompts.write(again, again.merge.text({}))
    former = await agent.prompts.preview_restore(7)
    assert former.warnings == ()
    done = await agent.prompts.restore(former)
    assert done.agent.prompt == agent.written[-1] == SENT
    assert done.message == "Restored the former prompt of Line · verified byte for byte"
    with pytest.raises(UsageError, match="The last update of Line was taken back already, so there is nothing to"):
        await agent.prompts.preview_restore(7)


async def test_a_chosen_restore_of_an_updated_prompt_is_taken_back_again(agent: ScriptedAgent) -> None:
    newer = Prompt(NEW.replace("kind", "warm"))
    for text in NEW, newer:
        await agent.prompts.write(await agent.prompts.preview_update(await agent.job(), text), text)
    for chosen, offered in ((SENT, None), (newer, SENT), (NEW, newer), (newer, None), (SENT, None), (NEW, SENT)):
        use = next(one for one in agent.session.store.prompt_uses.writes(7) if one.sha256 == sha256(chosen))
        await agent.prompts.restore(await agent.prompts.preview_restore(7, use))
        former = await agent.prompts.previous_use(7, sha256(chosen))
        assert (former and former.sha256) == (offered and sha256(offered)), chosen
    await agent.prompts.restore(await agent.prompts.preview_restore(7))
    assert agent.written[-1] == SENT


async def test_a_prompt_that_contains_the_key_causes_a_warning_and_is_not_saved(agent: ScriptedAgent) -> None:
    with_key = Prompt(f"{SENT}Key: key-of-the-session\n")
    prompts, number = agent.session.agent_prompts, await agent.job()
    update = await prompts.preview_update(number, with_key)
    assert update.warnings[0].startswith("The new prompt contains your API key. ")
    assert (await prompts.preview_update(number, NEW)).warnings == ()
    agent.written.append(with_key)
    await prompts.preview_update(number, NEW)
    await agent.session.agent_prompt(7)
    assert with_key not in agent.kept("seen")


@pytest.mark.parametrize(
    ("current", "fields", "merged", "warnings"),
    [
        (
            DRIFTED,
            {},
            DRIFTED.replace("kind to", "kind and brief with"),
            [
                "The agent's current prompt is not the one that was sent with job 1 (+7 words); "
                "the update keeps that change."
            ],
        ),
        (
            CRLF,
            {},
            NEW.replace("\n", "\r\n"),
            [
                "The agent's current prompt is not the one that was sent with job 1 (formatting only); "
                "the update keeps that change.",
                "The merged prompt has the agent's line ends (CRLF).",
            ],
        ),
        (
            SENT,
            {"agent_name": "Desk", "auto_sync_prompt_enabled": True},
            NEW,
            [
                "Desk syncs its prompt from its voice platform (such as Vapi or Retell): "
                "change the prompt there too, or the next sync will undo the update.",
                "Agent 7 was named Line at job 1: check that this is the right agent.",
            ],
        ),
    ],
    ids=["changed since", "other line ends", "synced and renamed"],
)
async def test_an_update_keeps_changes_made_by_others_and_warns_of_those_changes(
    agent: ScriptedAgent, current: Prompt, fields: dict[str, Any], merged: str, warnings: list[str]
) -> None:
    agent.written.append(current)
    agent.serve(**fields)
    update = await agent.prompts.preview_update(await agent.job(name="Line"), NEW)
    assert (list(update.warnings), update.merge.text({})) == (warnings, merged)
    assert update.change is not None
    assert (update.change.added_words, update.change.removed_words) == (3, 1)
    await agent.prompts.write(update, update.merge.text({}))
    assert (agent.written[-1], agent.kept("replaced")) == (merged, [current])


async def test_an_update_with_a_conflict_has_no_diff_until_the_conflict_is_resolved(agent: ScriptedAgent) -> None:
    agent.written.append(SENT.replace("kind to callers", "patient with callers"))
    update = await agent.update()
    assert (len(update.merge.conflicts), update.change, update.is_applied) == (1, None, False)
    (conflict,) = update.merge.conflicts
    assert ("kind to" in conflict.base, "patient" in conflict.now, "brief" in conflict.staged) == (True, True, True)
    text = update.merge.text({1: conflict.staged})
    assert text == NEW
    assert (await agent.prompts.diff(update, text)).new == text
    assert agent.scripted.requests("PATCH") == []

    await agent.prompts.write(update, text)
    again = await agent.prompts.preview_update(1, update.staged)
    assert (again.merge.conflicts, again.is_applied) == ((), True), "resolved conflicts stay resolved"
    fewer = Prompt(SENT.replace("kind to", "brief with"))
    assert (await agent.prompts.preview_update(1, fewer)).merge.text({}) == fewer


async def test_a_prompt_that_changed_after_the_preview_is_not_overwritten(agent: ScriptedAgent) -> None:
    update = await agent.update()
    agent.written.append(DRIFTED)
    with pytest.raises(AgentPromptDrifted) as caught:
        await agent.prompts.write(update, NEW)
    assert caught.value.sentence() == (
        "The prompt of Line changed a moment ago, so nothing was written. Update again: that change is merged."
    )
    assert (caught.value.current, agent.written[-1], agent.kept("seen")) == (DRIFTED, DRIFTED, [SENT])
    again = await agent.prompts.preview_update(1, NEW)
    await agent.prompts.write(again, again.merge.text({}))
    assert agent.written[-1] == DRIFTED.replace("kind to", "kind and brief with")


async def test_a_write_without_an_answer_is_verified_by_reading_the_prompt(agent: ScriptedAgent) -> None:
    agent.serve(answer=LOST)
    done = await agent.prompts.write(await agent.update(), NEW)
    assert done.message == (
        "Updated the prompt of Line · verified byte for byte. The server did not confirm the write: "
        f"Lost the connection to {agent.scripted.url[7:]} before the answer came."
    )
    assert (agent.kept("replaced"), agent.kept("written")) == ([SENT], [NEW])


async def test_white_space_changed_by_the_server_is_reported_after_an_update_or_restore(agent: ScriptedAgent) -> None:
    agent.written.append(CRLF)
    agent.serve(lambda text: text.replace("\r", "").strip())
    update = await agent.update()
    with pytest.raises(PromptUpdateFailed) as caught:
        await agent.prompts.write(update, update.merge.text({}))
    assert caught.value.sentence() == (
        f"Line has the new prompt, but the server changed its white space; the words are the same. {KEPT}"
    )
    assert (caught.value.agent_has, agent.kept("replaced")) == ("new", [CRLF])
    with pytest.raises(PromptUpdateFailed, match="changed its white space"):
        await agent.prompts.restore(await agent.prompts.preview_restore(7))
    assert agent.written[-1] == SENT.strip()


OTHER = "Line now has neither its former prompt nor the new prompt: "
FORMER = "Line still has its former prompt. "
CUT_OFF = "Lost the connection to {host} before the answer came. "
UNKNOWN = "The current prompt is unknown: Not found on {host} (404: Gone.). "
REFUSED = "{host} refused the request (400: description: Too long.). "
TOO_LONG = Reply({"description": ["Too long."]}, 400)
WORDY = has(NEW.replace("brief", "short and sweet"))
FAILED_WRITES: dict[str, tuple[Reply | Reset, Reply, str, str]] = {
    "other words": (has(NEW), WORDY, "other", f"{OTHER}4 words differ from what was written. {RELOAD}"),
    "lost": (LOST, has("Call."), "other", f"{OTHER}12 words differ from what was written. {CUT_OFF}{RELOAD}"),
    "not kept": (
        has(NEW),
        has(SENT),
        "former",
        "The server accepted the write, but Line still has its former prompt. Reload before you retry. ",
    ),
    "refused": (TOO_LONG, has(SENT), "former", f"{FORMER}{REFUSED}"),
    "refused and gone": (TOO_LONG, GONE, "unknown", f"Nothing was written to Line. {REFUSED}{UNKNOWN}{RELOAD}"),
    "not allowed": (
        Reply({"detail": "Not yours."}, 403),
        has(SENT),
        "former",
        "This key can read Line, but not change it: Line still has its former prompt. {host} refused the API key "
        "(403: Not yours.). Use a key that can change agents. ",
    ),
    "lost, not kept": (LOST, has(SENT), "former", f"{FORMER}{CUT_OFF}Reload before you retry. "),
    "failed": (LATE, has(SENT), "former", f"{FORMER}{{host}} failed (503: Later.). Reload before you retry. "),
    "failed and gone": (
        LATE,
        GONE,
        "unknown",
        f"Line may have its former prompt or the new prompt. {{host}} failed (503: Later.). {UNKNOWN}{RELOAD}",
    ),
    "no prompt sent": (
        has(NEW),
        has(None),
        "unknown",
        "The server accepted the write to Line, but the prompt could not be verified: The server sent no prompt. "
        + RELOAD,
    ),
}


@pytest.mark.parametrize(("answer", "after", "agent_has", "said"), FAILED_WRITES.values(), ids=FAILED_WRITES)
async def test_every_failed_write_says_which_prompt_the_agent_has(
    agent: ScriptedAgent, answer: Reply | Reset, after: Reply, agent_has: str, said: str
) -> None:
    agent.scripted.on("GET", AGENT, has(SENT), has(SENT), after)
    agent.scripted.on("PATCH", AGENT, answer)
    update = await agent.update()
    with pytest.raises(PromptUpdateFailed) as caught:
        await agent.prompts.write(update, update.merge.text({}))
    kept = KEPT_AS_WELL if agent_has == "former" else KEPT
    assert caught.value.sentence() == said.format(host=agent.scripted.url[7:]) + kept
    assert (caught.value.agent_has, agent.kept("replaced")) == (agent_has, [SENT])
    assert [got.json() for got in agent.scripted.requests("PATCH")] == [{"description": NEW}]
    refused = isinstance(answer, Reply) and answer.status >= 400
    assert bool(caught.value.facts()) == refused
    if agent_has == "former":
        not_allowed = isinstance(answer, Reply) and answer.status == 403
        unconfirmed = Exit.WRONG_USE if answer != has(NEW) else Exit.NOT_VERIFIED
        assert caught.value.exit_status == (Exit.KEY_REFUSED if not_allowed else unconfirmed)
        with pytest.raises(UsageError, match="already has its former prompt, so there is nothing to restore"):
            await agent.prompts.preview_restore(7)


async def test_a_cancelled_write_finishes_and_both_prompts_are_in_the_history(agent: ScriptedAgent, home: Path) -> None:
    hold = Hold(has(NEW))
    agent.scripted.on("GET", AGENT, has(SENT), has(SENT), has(NEW))
    agent.scripted.on("PATCH", AGENT, hold)
    writing = asyncio.create_task(agent.prompts.write(await agent.update(), NEW))
    assert await asyncio.to_thread(hold.arrived.wait, 20)
    other = Store(home / "cekura.db", agent.scripted.url, "key-of-the-session", "default")
    (last,) = other.prompt_uses.writes(7)
    assert (other.prompt_uses.text(last.sha256), last.job) == (SENT, 1)
    other.close()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    hold.released.set()
    await eventually(lambda: agent.kept("written"), "the write was noted")
    assert agent.kept("written") == [NEW]


async def test_a_missing_database_prevents_a_write_or_is_reported_after_the_write(
    agent: ScriptedAgent, home: Path
) -> None:
    database, elsewhere = home / "cekura.db", home / "elsewhere.db"
    update = await agent.update()
    database.rename(elsewhere)
    with pytest.raises(Unrecorded, match=r"^Nothing was written to Line\. The database .* was removed"):
        await agent.prompts.write(update, NEW)
    assert agent.written == [SENT]

    elsewhere.rename(database)
    agent.serve(lambda text: text if database.rename(elsewhere) else "")
    done = await agent.prompts.write(update, NEW)
    assert done.message.startswith("Updated the prompt of Line · verified byte for byte. Can't add the update to")
    assert "removed" in done.message


async def test_a_restore_does_not_overwrite_a_prompt_that_changed_after_the_preview(agent: ScriptedAgent) -> None:
    await agent.prompts.write(await agent.update(), NEW)
    agent.written.append("Somebody else's.")
    former = await agent.prompts.preview_restore(7)
    assert former.warnings == ("The prompt of Line was changed elsewhere since; restoring overwrites that change.",)
    assert (former.current, former.text, former.change.removed_words) == ("Somebody else's.", SENT, 2)
    agent.written.append("And more.")
    with pytest.raises(AgentPromptDrifted) as caught:
        await agent.prompts.restore(former)
    assert caught.value.sentence() == (
        "The prompt of Line changed a moment ago, so nothing was restored. Restore again: that change is shown first."
    )
    assert agent.written[-1] == "And more."
    await agent.prompts.restore(await agent.prompts.preview_restore(7))
    assert agent.written[-1] == SENT
    assert agent.kept("replaced") == ["And more.", SENT]


async def test_a_restore_after_an_unrecorded_write_warns_of_a_possible_change_by_others(agent: ScriptedAgent) -> None:
    agent.session.store.prompt_uses.note(7, SENT, "replaced", 1.0, None)  # and no outcome was recorded
    agent.written.append(NEW)
    former = await agent.prompts.preview_restore(7)
    assert former.warnings == (
        "The current prompt of Line may have been written elsewhere; restoring overwrites that prompt.",
    )
    assert (await agent.prompts.restore(former)).agent.prompt == SENT


async def test_an_empty_prompt_can_be_restored_with_a_warning_about_the_agents_sync(agent: ScriptedAgent) -> None:
    agent.written.append("")
    agent.serve(auto_sync_prompt_enabled=True)
    await agent.prompts.write(await agent.update(), NEW)
    former = await agent.prompts.preview_restore(7)
    (warning,) = former.warnings
    assert warning.startswith("Line syncs its prompt from its voice platform")
    assert (await agent.prompts.restore(former)).agent.prompt == ""


@pytest.mark.parametrize(
    ("answer", "after", "said"),
    [
        (has(SENT), has(SENT), "Restored the former prompt of Line"),
        (Reply({}, 403), has(NEW), "but not change it: Line still has the prompt that was to be replaced."),
        (LATE, has(NEW), "Line still has the prompt that was to be replaced."),
        (LATE, GONE, "Line may have the prompt that was to be replaced or its former prompt."),
        (has(SENT), has("Call."), "Line now has neither the prompt that was to be replaced nor its former prompt"),
    ],
    ids=["restored", "refused", "failed", "not known", "others"],
)
async def test_the_outcome_of_a_restore_says_which_prompt_the_agent_has(
    agent: ScriptedAgent, answer: Reply, after: Reply, said: str
) -> None:
    agent.session.store.prompt_uses.note(7, SENT, "replaced", 1.0, None)
    agent.session.store.prompt_uses.note(7, NEW, "written", 2.0, None)
    agent.scripted.on("GET", AGENT, has(NEW), has(NEW), after)
    agent.scripted.on("PATCH", AGENT, answer)
    former = await agent.prompts.preview_restore(7)
    try:
        message = (await agent.prompts.restore(former)).message
    except PromptUpdateFailed as error:
        message = error.sentence()
        assert message.endswith("Both prompts are in the prompt history.")
    assert said in message


async def test_a_repeated_restore_restores_nothing_after_another_change_or_a_failed_update(
    agent: ScriptedAgent,
) -> None:
    await agent.prompts.write(await agent.update(), NEW)
    await agent.prompts.restore(await agent.prompts.preview_restore(7))
    agent.written.append("Somebody else's.")
    with pytest.raises(UsageError, match="The last update of Line was taken back already"):
        await agent.prompts.preview_restore(7)
    agent.written.append(SENT)
    agent.scripted.on("PATCH", AGENT, Reply({}, 403))
    with pytest.raises(PromptUpdateFailed):
        await agent.prompts.write(await agent.update(), NEW)
    with pytest.raises(UsageError, match="The last update of Line was taken back already"):
        await agent.prompts.preview_restore(7)


async def test_a_restore_after_a_failed_write_undoes_the_last_successful_write(agent: ScriptedAgent) -> None:
    newer = Prompt(NEW.replace("kind", "warm"))
    await agent.prompts.write(await agent.update(), NEW)
    agent.scripted.on("PATCH", AGENT, Reply({}, 403))
    with pytest.raises(PromptUpdateFailed):
        await agent.prompts.write(await agent.prompts.preview_update(1, newer), newer)
    with pytest.raises(PromptUpdateFailed):
        await agent.prompts.restore(await agent.prompts.preview_restore(7))
    assert [got.json()["description"] for got in agent.scripted.requests("PATCH")] == [NEW, newer, SENT]


async def test_a_read_only_session_writes_nothing_and_says_how_to_allow_writing(agent: ScriptedAgent) -> None:
    prompts = agent.with_read_only("Start without --read-only.")
    update = await prompts.preview_update(await agent.job(), NEW)
    with pytest.raises(UsageError) as caught:
        await prompts.write(update, NEW)
    assert caught.value.sentence() == "Read-only session: nothing was written. Start without --read-only."
    agent.session.store.prompt_uses.note(7, NEW, "replaced", 1.0, None)
    with pytest.raises(UsageError, match="nothing was restored"):
        await prompts.restore(await prompts.preview_restore(7))
    assert agent.written == [SENT]


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (GONE, NotFound, "There is no agent 7 any more, or this key can't see it, so nothing was written."),
        (Reply({}, 403), KeyRefused, "Can't load the prompt of Line, so nothing was written: "),
        (has(None), UsageError, "The server sent no prompt for Line, so nothing was written."),
    ],
    ids=["gone", "refused", "no prompt sent"],
)
async def test_a_prompt_is_not_written_if_the_current_prompt_cannot_be_read(
    agent: ScriptedAgent, answer: Reply, kind: type[Exception], said: str
) -> None:
    agent.scripted.on("GET", AGENT, has(SENT), answer)
    update = await agent.update()
    with pytest.raises(kind) as caught:
        await agent.prompts.write(update, NEW)
    assert str(caught.value).startswith(said)
    assert (agent.written, agent.kept("replaced")) == ([SENT], [])


async def test_an_update_needs_a_job_with_an_agent_and_a_text_that_is_not_blank(agent: ScriptedAgent) -> None:
    with pytest.raises(UsageError, match="did not name the agent of this run"):
        await agent.prompts.preview_update(await agent.job(agent=None), NEW)
    update = await agent.update()
    with pytest.raises(UsageError, match="The text is empty"):
        await agent.prompts.write(update, Prompt(" \n"))
    assert agent.written == [SENT]
