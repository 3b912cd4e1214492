"""A staged text put onto an agent: whatever goes wrong, the former prompt is kept and a sentence tells what it has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from demo_faults import DRIFTED, faulty_server
from scripted_server import Got, Hold, Reply, Reset, ScriptedServer
from waiting import eventually

from cekura_tui.api.errors import KeyRefused, NotFound
from cekura_tui.model.errors import Exit, UsageError
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt
from cekura_tui.store.errors import Unrecorded
from cekura_tui.store.store import Store
from cekura_tui.workspace.agent_prompts import AgentPromptDrifted, AgentPrompts, PromptUpdate, PromptUpdateFailed
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import make_setup

CLINIC, BANK, AIR = 1201, 1204, 1203
KEPT = "The former prompt is in the prompt history and can be restored there."
KEPT_AS_WELL = "A copy of the former prompt is in the prompt history."
AGENT = "/test_framework/v1/aiagents/7/"
SENT = Prompt("# Rules\n\nBe kind to callers.\n\nNever guess a price.\n")
NEW = Prompt("# Rules\n\nBe kind and brief with callers.\n\nNever guess a price.\n")


class Ticks:
    """A clock that every look puts forward."""

    def __init__(self) -> None:
        self.now = 1_760_000_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@dataclass
class Desk:
    """A session on a server, and the prompts of its agents."""

    session: Session
    url: str
    key: str

    def __post_init__(self) -> None:
        self.prompts = self.with_switch("")

    def with_switch(self, read_only: str) -> AgentPrompts:
        session = self.session
        return AgentPrompts(session.store, session.client, session.jobs, read_only=read_only, clock=Ticks())

    async def job(self, agent_id: int, sent: Prompt, name: str = "") -> int:
        """A job that this prompt was sent with."""
        return (await self.session.jobs.save_draft(Draft((5,), sent, agent_id, name))).number

    async def holds(self, agent_id: int) -> Prompt:
        """What the server holds, asked for past the program."""
        async with httpx.AsyncClient(headers={"X-CEKURA-API-KEY": self.key}, trust_env=False) as client:
            answer = await client.get(f"{self.url}/test_framework/v1/aiagents/{agent_id}/")
            return Prompt(answer.json()["description"])

    async def update(self, text: Prompt = NEW) -> PromptUpdate:
        """An update of agent 7 to a text, which a job with SENT proposed."""
        return await self.prompts.preview_update(await self.job(7, SENT), text)

    def kept(self, agent_id: int, how: str) -> list[Prompt]:
        """The prompts that the history has of an agent, newest first."""
        uses = self.session.store.prompt_uses
        return [uses.text(use.sha256) for use in uses.all(agent_id) if use.how == how]


@asynccontextmanager
async def desk_on(home: Path, url: str, key: str) -> AsyncIterator[Desk]:
    env = {"CEKURA_TUI_HOME": str(home), "CEKURA_API_KEY": key}
    session = Session.open(make_setup(api_url=url, project_id=1, env=env))
    yield Desk(session, url, key)
    await session.close()


@asynccontextmanager
async def demo_desk(home: Path, tmp_path: Path, *faults: str) -> AsyncIterator[Desk]:
    server = faulty_server(tmp_path / "served", *faults)
    server.start()
    try:
        async with desk_on(home, server.url, server.key) as desk:
            yield desk
    finally:
        server.stop()


@pytest.fixture
async def desk(home: Path, scripted: ScriptedServer) -> AsyncIterator[Desk]:
    """On a scripted server with agent 7."""
    async with desk_on(home, scripted.url, "key") as opened:
        yield opened


def has(prompt: str | None, **more: object) -> Reply:
    return Reply({"id": 7, "agent_name": "Line", "description": prompt, **more})


def better(prompt: Prompt) -> Prompt:
    """A prompt with a changed heading line, as a suggestion has it."""
    first, rest = prompt.split("\n", 1)
    return Prompt(f"{first.rstrip()} (revised)\n{rest}")


async def test_a_text_is_written_exactly_and_the_former_prompt_is_kept(home: Path, tmp_path: Path) -> None:
    async with demo_desk(home, tmp_path) as desk:
        agent, sent = await desk.session.agent_prompt(CLINIC)
        text = Prompt(f"{better(sent)}\r\n\tKeep “this” \x85\ud800 ")
        update = await desk.prompts.preview_update(await desk.job(CLINIC, sent, agent.name), text)
        assert (update.merge.text({}), update.warnings, update.is_applied) == (text, (), False)
        assert update.change is not None
        assert (update.change.old, update.change.new) == (sent, text)
        done = await desk.prompts.write(update, update.merge.text({}))
        assert done.message == f"Updated the prompt of {agent.name} · verified byte for byte"
        assert (done.agent.prompt, done.previous) == (text, sent)
        assert await desk.holds(CLINIC) == text
        assert (desk.kept(CLINIC, "replaced"), desk.kept(CLINIC, "written")) == ([sent], [text])

        again = await desk.prompts.preview_update(1, text)
        assert again.is_applied
        with pytest.raises(UsageError, match="already has this prompt"):
            await desk.prompts.write(again, again.merge.text({}))


async def test_a_key_in_the_new_prompt_is_reported_and_one_at_the_agent_not_kept(
    home: Path, scripted: ScriptedServer
) -> None:
    key = "ck_test_0123456789abcdef"
    with_key = Prompt(f"{SENT}Key: {key}\n")
    async with desk_on(home, scripted.url, key) as desk:
        prompts, number = desk.session.agent_prompts, await desk.job(7, SENT)
        scripted.on("GET", AGENT, has(SENT))
        update = await prompts.preview_update(number, with_key)
        assert update.warnings[0].startswith("The new prompt contains your API key. ")
        assert (await prompts.preview_update(number, NEW)).warnings == ()
        scripted.on("GET", AGENT, has(with_key))
        await prompts.preview_update(number, NEW)
        await desk.session.agent_prompt(7)
        assert with_key not in desk.kept(7, "seen")


async def test_what_others_wrote_since_the_job_was_launched_stays(home: Path, tmp_path: Path) -> None:
    async with demo_desk(home, tmp_path, "drift") as desk:
        _, sent = await desk.session.agent_prompt(CLINIC)
        update = await desk.prompts.preview_update(await desk.job(CLINIC, sent), better(sent))
        assert update.warnings == (
            "The agent's prompt has changed since job 1 (+11 words); the update keeps that change.",
        )
        assert update.change is not None
        assert (update.change.added_words, update.change.removed_words) == (1, 0)
        await desk.prompts.write(update, update.merge.text({}))
        there = await desk.holds(CLINIC)
        assert "(revised)" in there
        assert DRIFTED in there
        assert desk.kept(CLINIC, "replaced") == [update.current]


async def test_other_line_ends_at_the_agent_are_reported_and_no_conflict(desk: Desk, scripted: ScriptedServer) -> None:
    scripted.on("GET", AGENT, has(SENT.replace("\n", "\r\n")))
    update = await desk.prompts.preview_update(await desk.job(7, SENT, "Line"), NEW)
    assert update.warnings == (
        "The agent's prompt has changed since job 1 (formatting only); the update keeps that change.",
        "The merged prompt has the agent's line ends (CRLF).",
    )
    assert update.merge.text({}) == NEW.replace("\n", "\r\n")


async def test_a_conflict_is_decided_before_anything_is_written(desk: Desk, scripted: ScriptedServer) -> None:
    theirs = Prompt(SENT.replace("kind to callers", "patient with callers"))
    scripted.on("GET", AGENT, has(theirs))
    update = await desk.update()
    assert (len(update.merge.conflicts), update.change, update.is_applied) == (1, None, False)
    (conflict,) = update.merge.conflicts
    assert ("kind to" in conflict.base, "patient" in conflict.now, "brief" in conflict.staged) == (True, True, True)
    text = update.merge.text({1: conflict.staged})
    assert text == NEW
    assert (await desk.prompts.diff(update, text)).new == text
    assert scripted.requests("PATCH") == []


async def test_a_synced_or_renamed_agent_is_warned_of(home: Path, tmp_path: Path) -> None:
    async with demo_desk(home, tmp_path) as desk:
        agent, sent = await desk.session.agent_prompt(BANK)
        update = await desk.prompts.preview_update(await desk.job(BANK, sent, "Old Bank"), better(sent))
        assert update.warnings == (
            f"{agent.name} syncs its prompt from its voice platform (such as Vapi or Retell): "
            "change the prompt there too, or the next sync will undo the update.",
            f"Agent {BANK} was named Old Bank at job 1: check that this is the right agent.",
        )


async def test_a_prompt_changed_while_it_was_shown_is_not_overwritten(home: Path, tmp_path: Path) -> None:
    async with demo_desk(home, tmp_path, "drift") as desk:
        sent = Prompt("# A file\n\nOnly this.\n")
        number = await desk.job(CLINIC, sent)
        update = await desk.prompts.preview_update(number, better(sent))
        with pytest.raises(AgentPromptDrifted) as caught:
            await desk.prompts.write(update, better(update.current))
        assert caught.value.sentence() == (
            f"The prompt of {update.agent.name} changed a moment ago, so nothing was written. "
            "Below, that change is merged."
        )
        there = await desk.holds(CLINIC)
        assert there == caught.value.current != update.current
        assert desk.kept(CLINIC, "seen") == [update.current]
        update = await desk.prompts.preview_update(number, better(sent))
        await desk.prompts.write(update, better(there))
        assert await desk.holds(CLINIC) == better(there)


async def test_a_write_whose_answer_is_lost_is_found_to_be_there(home: Path, tmp_path: Path) -> None:
    async with demo_desk(home, tmp_path, "write-half") as desk:
        agent, sent = await desk.session.agent_prompt(CLINIC)
        update = await desk.prompts.preview_update(await desk.job(CLINIC, sent), better(sent))
        done = await desk.prompts.write(update, better(sent))
        assert done.message == (
            f"Updated the prompt of {agent.name} · verified byte for byte. "
            f"The server did not confirm the write: Lost the connection to {desk.url[7:]} before the answer came."
        )
        assert await desk.holds(CLINIC) == better(sent)
        assert (desk.kept(CLINIC, "replaced"), desk.kept(CLINIC, "written")) == ([sent], [better(sent)])


async def test_a_server_that_changes_white_space_is_reported_and_can_be_reverted(home: Path, tmp_path: Path) -> None:
    agent_id = BANK  # its prompt has the line ends of Windows
    async with demo_desk(home, tmp_path, "write-trimmed") as desk:
        agent, sent = await desk.session.agent_prompt(agent_id)
        update = await desk.prompts.preview_update(await desk.job(agent_id, sent), better(sent))
        with pytest.raises(PromptUpdateFailed) as caught:
            await desk.prompts.write(update, better(sent))
        assert caught.value.sentence() == (
            f"{agent.name} has the new prompt, but the server changed its white space; the words are the same. {KEPT}"
        )
        there = await desk.holds(agent_id)
        assert (caught.value.agent_has, there.split(), there == better(sent)) == ("new", better(sent).split(), False)
        assert desk.kept(agent_id, "replaced") == [sent]
        with pytest.raises(PromptUpdateFailed, match="changed its white space"):
            await desk.prompts.restore(await desk.prompts.preview_restore(agent_id))
        assert (await desk.holds(agent_id)).split() == sent.split()


LATE = Reply({"detail": "Later."}, 503)
GONE = Reply({"detail": "Gone."}, 404)


@pytest.mark.parametrize(
    ("answer", "after", "agent_has", "said"),
    [
        (
            has(NEW),
            has(NEW.replace("brief", "short and sweet")),
            "other",
            "Line now has neither its former prompt nor the new prompt: 4 words differ from what was written. "
            "Reload to see the prompt it has. ",
        ),
        (
            Reset(),
            has("Call."),
            "other",
            "Line now has neither its former prompt nor the new prompt: 12 words differ from what was written. "
            "Lost the connection to {host} before the answer came. Reload to see the prompt it has. ",
        ),
        (
            has(NEW),
            has(SENT),
            "former",
            "The server accepted the write, but Line still has its former prompt. Reload before you retry. ",
        ),
        (
            Reply({"description": ["Too long."]}, 400),
            has(SENT),
            "former",
            "Line still has its former prompt. {host} refused the request (400: description: Too long.). ",
        ),
        (
            Reply({"description": ["Too long."]}, 400),
            GONE,
            "unknown",
            "Nothing was written to Line. {host} refused the request (400: description: Too long.). "
            "The current prompt is unknown: Not found on {host} (404: Gone.). Reload to see the prompt it has. ",
        ),
        (
            Reply({"detail": "Not yours."}, 403),
            has(SENT),
            "former",
            "This key can read Line, but not change it: Line still has its former prompt. {host} refused the API key "
            "(403: Not yours.). Use a key that can change agents. ",
        ),
        (
            Reset(),
            has(SENT),
            "former",
            "Line still has its former prompt. Lost the connection to {host} before the answer came. "
            "Reload before you retry. ",
        ),
        (
            LATE,
            has(SENT),
            "former",
            "Line still has its former prompt. {host} failed (503: Later.). Reload before you retry. ",
        ),
        (
            LATE,
            GONE,
            "unknown",
            "Line may have its former prompt or the new prompt. {host} failed (503: Later.). "
            "The current prompt is unknown: Not found on {host} (404: Gone.). Reload to see the prompt it has. ",
        ),
        (
            has(NEW),
            has(None),
            "unknown",
            "The server accepted the write to Line, but the prompt could not be verified: The server sent no prompt. "
            "Reload to see the prompt it has. ",
        ),
    ],
    ids=[
        "other words",
        "lost and others",
        "taken and not kept",
        "refused",
        "refused and gone",
        "not allowed",
        "lost",
        "failed",
        "failed and gone",
        "not told",
    ],
)
async def test_every_failed_write_says_what_the_agent_has(
    desk: Desk, scripted: ScriptedServer, answer: Reply | Reset, after: Reply, agent_has: str, said: str
) -> None:
    scripted.on("GET", AGENT, has(SENT), has(SENT), after)
    scripted.on("PATCH", AGENT, answer)
    update = await desk.update()
    with pytest.raises(PromptUpdateFailed) as caught:
        await desk.prompts.write(update, update.merge.text({}))
    kept = KEPT_AS_WELL if agent_has == "former" else KEPT
    assert caught.value.sentence() == said.format(host=scripted.url[7:]) + kept
    assert caught.value.agent_has == agent_has
    assert desk.kept(7, "replaced") == [SENT]
    assert [got.json() for got in scripted.requests("PATCH")] == [{"description": NEW}]
    if agent_has == "former":
        not_allowed = isinstance(answer, Reply) and answer.status == 403
        assert caught.value.exit_status == (Exit.KEY_REFUSED if not_allowed else Exit.WRONG_USE)
        with pytest.raises(UsageError, match="already has its former prompt, so there is nothing to restore"):
            await desk.prompts.preview_restore(7)


async def test_the_former_prompt_is_on_disk_before_the_write_which_finishes_alone(
    desk: Desk, scripted: ScriptedServer, home: Path
) -> None:
    hold = Hold(has(NEW))
    scripted.on("GET", AGENT, has(SENT), has(SENT), has(NEW))
    scripted.on("PATCH", AGENT, hold)
    update = await desk.update()
    writing = asyncio.create_task(desk.prompts.write(update, NEW))
    assert await asyncio.to_thread(hold.arrived.wait, 20)
    other = Store(home / "cekura.db", scripted.url, "key", "default")
    (last,) = other.prompt_uses.writes(7)
    assert (other.prompt_uses.text(last.sha256), last.job) == (SENT, 1)
    other.close()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    hold.released.set()
    await eventually(lambda: desk.kept(7, "written"), "the write was noted")
    assert desk.kept(7, "written") == [NEW]


async def test_nothing_is_sent_if_the_former_prompt_cannot_be_kept(
    desk: Desk, scripted: ScriptedServer, home: Path
) -> None:
    scripted.on("GET", AGENT, has(SENT))
    update = await desk.update()
    (home / "cekura.db").rename(home / "elsewhere.db")
    with pytest.raises(Unrecorded, match=r"^Nothing was written to Line\. The database .* was removed"):
        await desk.prompts.write(update, NEW)
    assert scripted.requests("PATCH") == []


async def test_a_write_that_could_not_be_recorded_is_reported_as_done(
    desk: Desk, scripted: ScriptedServer, home: Path
) -> None:
    def written(_: Got) -> Reply:
        (home / "cekura.db").rename(home / "elsewhere.db")
        return has(NEW)

    scripted.on("GET", AGENT, has(SENT), has(SENT), has(NEW))
    scripted.on("PATCH", AGENT, written)
    update = await desk.update()
    done = await desk.prompts.write(update, NEW)
    assert done.message.startswith("Updated the prompt of Line · verified byte for byte. Can't add the update to")
    assert (
        done.message.endswith("was removed while the program ran, or is not to be found.") or "removed" in done.message
    )


async def test_what_the_server_answered_to_a_write_is_among_the_facts(desk: Desk, scripted: ScriptedServer) -> None:
    scripted.on("GET", AGENT, has(SENT))
    scripted.on("PATCH", AGENT, Reply({"detail": "No."}, 400))
    update = await desk.update()
    with pytest.raises(PromptUpdateFailed) as caught:
        await desk.prompts.write(update, NEW)
    assert caught.value.failure is not None
    assert caught.value.facts() == caught.value.failure.facts() != []


async def test_a_resolved_and_written_conflict_is_none_any_more(desk: Desk, scripted: ScriptedServer) -> None:
    scripted.on("GET", AGENT, has(NEW))
    number, staged = await desk.job(7, SENT), Prompt(SENT.replace("kind to", "brief with"))
    assert (await desk.prompts.preview_update(number, staged)).merge.conflicts
    again = await desk.prompts.preview_update(number, staged, NEW)
    assert again.merge.conflicts == ()
    assert again.is_applied


async def test_a_replaced_prompt_is_restored_and_replaced_again(home: Path, tmp_path: Path) -> None:
    async with demo_desk(home, tmp_path) as desk:
        agent, sent = await desk.session.agent_prompt(AIR)
        with pytest.raises(UsageError, match=f"Nothing was written to {agent.name} from here"):
            await desk.prompts.preview_restore(AIR)
        update = await desk.prompts.preview_update(await desk.job(AIR, sent), better(sent))
        await desk.prompts.write(update, better(sent))
        for wanted in (sent, better(sent), sent):
            done = await desk.prompts.restore(await desk.prompts.preview_restore(AIR))
            assert done.agent.prompt == await desk.holds(AIR) == wanted
            assert done.message == f"Restored the former prompt of {agent.name} · verified byte for byte"


class Held:
    """Agent 7, as it was written last."""

    def __init__(self, scripted: ScriptedServer, **more: object) -> None:
        self.prompts = [str(SENT)]
        self._more = more
        scripted.on("GET", AGENT, lambda got: has(self.prompts[-1], **self._more))
        scripted.on("PATCH", AGENT, self._keep)

    def _keep(self, got: Got) -> Reply:
        self.prompts.append(got.json()["description"])
        return has(self.prompts[-1], **self._more)


async def test_a_restore_replaces_no_prompt_that_was_not_shown(desk: Desk, scripted: ScriptedServer) -> None:
    held = Held(scripted)
    update = await desk.update()
    await desk.prompts.write(update, NEW)
    assert (await desk.prompts.preview_restore(7)).warnings == ()
    held.prompts.append("Somebody else's.")
    former = await desk.prompts.preview_restore(7)
    assert former.warnings == ("The prompt of Line was changed elsewhere since; restoring overwrites that change.",)
    assert (former.current, former.text, former.change.removed_words) == ("Somebody else's.", SENT, 2)
    held.prompts.append("And more.")
    with pytest.raises(AgentPromptDrifted) as caught:
        await desk.prompts.restore(former)
    assert caught.value.sentence() == (
        "The prompt of Line changed a moment ago, so nothing was restored. Restore again: that change is shown first."
    )
    assert held.prompts[-1] == "And more."
    await desk.prompts.restore(await desk.prompts.preview_restore(7))
    assert held.prompts[-1] == SENT
    assert desk.kept(7, "replaced") == ["And more.", SENT]


async def test_a_write_interrupted_by_a_kill_is_not_called_another_change(desk: Desk, scripted: ScriptedServer) -> None:
    held = Held(scripted)
    desk.session.store.prompt_uses.note(7, SENT, "replaced", 1.0, None)  # and then nothing more was noted
    held.prompts.append(NEW)
    former = await desk.prompts.preview_restore(7)
    assert former.warnings == (
        "The current prompt of Line may have been written elsewhere; restoring overwrites that prompt.",
    )
    assert (await desk.prompts.restore(former)).agent.prompt == SENT


async def test_a_restore_warns_if_the_provider_would_undo_it(desk: Desk, scripted: ScriptedServer) -> None:
    Held(scripted, auto_sync_prompt_enabled=True)
    await desk.prompts.write(await desk.update(), NEW)
    (warning,) = (await desk.prompts.preview_restore(7)).warnings
    assert warning.startswith("Line syncs its prompt from its voice platform")


async def test_an_agent_that_had_no_prompt_gets_none_again(desk: Desk, scripted: ScriptedServer) -> None:
    held = Held(scripted)
    held.prompts.append("")
    update = await desk.update()
    await desk.prompts.write(update, NEW)
    assert (await desk.prompts.restore(await desk.prompts.preview_restore(7))).agent.prompt == ""


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
async def test_a_failed_restore_says_which_prompt_the_agent_has(
    desk: Desk, scripted: ScriptedServer, answer: Reply, after: Reply, said: str
) -> None:
    desk.session.store.prompt_uses.note(7, SENT, "replaced", 1.0, None)
    desk.session.store.prompt_uses.note(7, NEW, "written", 2.0, None)
    scripted.on("GET", AGENT, has(NEW), has(NEW), after)
    scripted.on("PATCH", AGENT, answer)
    former = await desk.prompts.preview_restore(7)
    try:
        told = (await desk.prompts.restore(former)).message
    except PromptUpdateFailed as error:
        told = error.sentence()
        assert told.endswith("Both prompts are in the prompt history.")
    assert said in told


async def test_a_failed_write_does_not_hide_what_the_last_one_replaced(desk: Desk, scripted: ScriptedServer) -> None:
    newer = Prompt(NEW.replace("kind", "warm"))
    scripted.on("GET", AGENT, has(SENT), has(SENT), has(NEW))
    scripted.on("PATCH", AGENT, has(NEW), Reply({}, 403))
    number = await desk.job(7, SENT)
    await desk.prompts.write(await desk.prompts.preview_update(number, NEW), NEW)
    with pytest.raises(PromptUpdateFailed):
        await desk.prompts.write(await desk.prompts.preview_update(number, newer), newer)
    former = await desk.prompts.preview_restore(7)
    with pytest.raises(PromptUpdateFailed):
        await desk.prompts.restore(former)
    assert [got.json()["description"] for got in scripted.requests("PATCH")] == [NEW, newer, SENT]


@pytest.mark.parametrize("mend", ["Start without --read-only.", "Remove read_only = true from /etc/c.toml."])
async def test_a_read_only_session_writes_nothing(desk: Desk, scripted: ScriptedServer, mend: str) -> None:
    scripted.on("GET", AGENT, has(SENT))
    prompts = desk.with_switch(mend)
    update = await prompts.preview_update(await desk.job(7, SENT), NEW)
    with pytest.raises(UsageError) as caught:
        await prompts.write(update, NEW)
    assert caught.value.sentence() == f"Read-only session: nothing was written. {mend}"
    desk.session.store.prompt_uses.note(7, NEW, "replaced", 1.0, None)
    with pytest.raises(UsageError, match="nothing was restored"):
        await prompts.restore(await prompts.preview_restore(7))
    assert scripted.requests("PATCH") == []


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (GONE, NotFound, "There is no agent 7 any more, or this key can't see it, so nothing was written. "),
        (Reply({}, 403), KeyRefused, "Can't load the prompt of Line, so nothing was written: "),
        (has(None), UsageError, "The server sent no prompt for Line, so nothing was written."),
    ],
    ids=["gone", "refused", "not told"],
)
async def test_an_agent_that_cannot_be_read_is_not_written(
    desk: Desk, scripted: ScriptedServer, answer: Reply, kind: type[Exception], said: str
) -> None:
    scripted.on("GET", AGENT, has(SENT), answer)
    update = await desk.update()
    with pytest.raises(kind) as caught:
        await desk.prompts.write(update, NEW)
    assert str(caught.value).startswith(said.strip())
    assert (scripted.requests("PATCH"), desk.kept(7, "replaced")) == ([], [])


async def test_a_job_without_agent_and_an_empty_text_are_refused(desk: Desk, scripted: ScriptedServer) -> None:
    scripted.on("GET", AGENT, has(SENT))
    draft = await desk.session.jobs.save_draft(Draft((5,), SENT, None))
    with pytest.raises(UsageError, match="did not name the agent of this run"):
        await desk.prompts.preview_update(draft.number, NEW)
    update = await desk.update()
    with pytest.raises(UsageError, match="The text is empty"):
        await desk.prompts.write(update, Prompt(" \n"))
    assert scripted.requests("PATCH") == []
