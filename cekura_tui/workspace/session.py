"""One signed-in session on one event loop: store, client, job engine, and methods that combine these parts."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import shutil
import sys
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError, KeyRefused, NoApiKey, NotFound, NotSent, ServerFault, Unreachable
from cekura_tui.config.credentials import KEY_HINT
from cekura_tui.config.own_file import unwritable
from cekura_tui.config.paths import make_private
from cekura_tui.config.programs import command_words
from cekura_tui.jobs.command_runner import CommandRunner
from cekura_tui.jobs.engine import JobEngine, spawn
from cekura_tui.jobs.polling import Budget
from cekura_tui.model.errors import CekuraTuiError, KeyMissing, UsageError
from cekura_tui.model.filter.match import Matcher
from cekura_tui.model.job import BY_COMMAND, FROM_FILE, MAX_RUNS, Draft, Job, JobState, Suggestion
from cekura_tui.model.request_log import RequestRecord
from cekura_tui.model.run.paging import ListPage
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunRow, RunView, view_of
from cekura_tui.model.scope import Agent, NoScope, Project, Scope
from cekura_tui.model.text import Prompt, clean_line, count
from cekura_tui.model.transcript.search import Hit, TranscriptHits, read_query
from cekura_tui.store.errors import RestartNeeded, StoreError
from cekura_tui.store.store import Store
from cekura_tui.store.transcript_search import hit_of
from cekura_tui.store.unsaved import Slot
from cekura_tui.workspace.job_service import JobService
from cekura_tui.workspace.last_passed import last_passed
from cekura_tui.workspace.notes_and_views import RunNotes, SavedViews
from cekura_tui.workspace.opened_runs import OpenedRuns, RunEvidence, RunPrefetch, SingleFlight, precompute
from cekura_tui.workspace.run_findings import RunFindings, TranscriptLoad
from cekura_tui.workspace.run_lists import RunLists, claim_request
from cekura_tui.workspace.setup import Setup, refuse_read_only

if TYPE_CHECKING:
    from cekura_tui.audio.fetch import Recording
    from cekura_tui.demo.server import DemoServer
    from cekura_tui.evidence.improve_text import ImproveText
    from cekura_tui.workspace.agent_prompts import AgentPrompts
    from cekura_tui.workspace.all_runs import MatchingPage
    from cekura_tui.workspace.scenario_tests import ScenarioTests
    from cekura_tui.workspace.suggestions import StagingService, Suggestions


@dataclass(frozen=True, slots=True)
class Improvable:
    """One to three runs of one agent, loaded and checked for a job."""

    views: tuple[RunView, ...]
    agent_id: int | None
    agent_name: str

    @property
    def run_ids(self) -> tuple[int, ...]:
        return tuple(view.row.id for view in self.views)

    @property
    def unfinished(self) -> str:
        """A warning about unfinished runs; empty if all runs had finished when they were read."""
        ids = [str(view.row.id) for view in self.views if not view.row.outcome.settled]
        named = f"Run {ids[0]} has" if len(ids) == 1 else f"Runs {', '.join(ids)} have"
        return f"{named} not finished, so transcripts and verdicts may be incomplete." if ids else ""

    def focuses(self) -> list[tuple[str, int, str]]:
        """The focuses that these runs offer, without duplicates: ("metric" or "category", id, name)."""
        found: dict[tuple[str, int], str] = {}
        for verdict in (verdict for view in self.views for verdict in view.verdicts):
            if verdict.id is not None and verdict.source == "critical_category":
                found["category", verdict.id] = verdict.name
            elif verdict.id is not None and verdict.workflow:
                found["metric", verdict.id] = verdict.name
        return [(kind, number, name) for (kind, number), name in found.items()]


class Session:
    """One signed-in session, used on one loop. Methods raise subclasses of CekuraTuiError."""

    def __init__(
        self,
        setup: Setup,
        store: Store,
        client: Client,
        engine: JobEngine,
        commands: CommandRunner,
        budget: Budget,
        demo: DemoServer | None,
        window: str,
    ) -> None:
        self.setup, self.store, self.client, self.engine, self.commands = setup, store, client, engine, commands
        self.budget = budget
        """The request budget that all background requests share."""
        self.no_key = _refusal(setup)
        """The error to raise instead of sending a request in an offline session; else None."""
        self.jobs = JobService(store, client, engine, no_key=self.no_key)
        self._window = window
        self.lists = RunLists(store, client, engine, budget, lambda: time.time())
        self.notes, self.saved_views = RunNotes(store), SavedViews(store)
        self.findings = RunFindings(store, client, budget, self.lists.save_whole)
        self.prefetch = RunPrefetch(self._prefetch_run, budget)
        self._opened = OpenedRuns(store.runs, self.prefetch)
        self._reads = SingleFlight[RunView]()
        self._load: TranscriptLoad | None = None
        self.evidence = RunEvidence().find
        self._demo = demo
        self._summaries: set[asyncio.Task[object]] = set()
        self.closed = False

    # Import the modules that compare prompts only when they are needed.

    @cached_property
    def staging(self) -> StagingService:
        from cekura_tui.workspace.suggestions import StagingService

        return StagingService(self.store, window=self._window, clock=lambda: time.time())

    @cached_property
    def suggestions(self) -> Suggestions:
        from cekura_tui.workspace.suggestions import Suggestions

        return Suggestions(self.jobs, self.staging, self.store.stagings, self.client, self.run, self.evidence)

    @cached_property
    def agent_prompts(self) -> AgentPrompts:
        from cekura_tui.workspace.agent_prompts import AgentPrompts

        read_only, keys, changed = self.setup.read_only, self.setup.known_keys, self.engine.notify
        return AgentPrompts(self.store, self.client, self.jobs, read_only=read_only, keys=keys, changed=changed)

    @cached_property
    def tests(self) -> ScenarioTests:
        from cekura_tui.workspace.scenario_tests import ScenarioTests

        read_only, clock = self.setup.read_only, lambda: time.time()
        return ScenarioTests(
            self.store, self.client, self.engine, self.jobs, self.budget, read_only=read_only, clock=clock
        )

    @classmethod
    def open(
        cls,
        setup: Setup,
        *,
        changed: Callable[[], None] = lambda: None,
        ended: Callable[[Suggestion], None] = lambda done: None,
        window: str = "",
        requests: deque[RequestRecord] | None = None,
    ) -> Self:
        """Open the database and the client, and start the demo server if needed; sends no request yet.

        `changed` is called after every committed change to a job by any process, `ended` with each job whose end this
        process recorded. `window` names this process in staged choices. Raises KeyMissing if a needed key is missing.
        """
        if setup.key is None and not setup.demo and not setup.offline:
            raise setup.no_key or KeyMissing("No API key found.")
        client, key, demo = connect(setup, requests)
        try:
            store = Store(setup.paths.database, setup.origin, key or None, setup.profile)
        except BaseException:
            if demo is not None:
                demo.stop()
            raise
        setup.known_keys()  # so that no key of any profile is shown or passed on
        client.refusal = lambda: _refusal(setup) or _restart_needed(store)
        budget, commands = Budget(), CommandRunner(setup.paths.home)
        read_only = UsageError("Read-only session: nothing was launched.", setup.read_only)
        refusal = read_only if setup.read_only else _refusal(setup)
        engine = JobEngine(
            store.jobs,
            client,
            commands,
            refusal=refusal,
            changed=changed,
            ended=lambda job: session._job_ended(job, ended),
            budget=budget,
        )
        with contextlib.suppress(StoreError):
            # Resolve launches of dead processes, even for commands that only list jobs.
            engine.reload()
        session = cls(setup, store, client, engine, commands, budget, demo, window)
        return session

    def _job_ended(self, job: Job, ended: Callable[[Suggestion], None]) -> None:
        """Report the end of a job; sum up the calls of a test, so that lists of jobs show what became of the test."""
        ended(self.store.jobs.suggestion(job))
        if not job.proposes and job.state == JobState.SUCCEEDED:
            spawn(self._summaries, self._sum_up(job.number))

    async def _sum_up(self, number: int) -> None:
        with contextlib.suppress(CekuraTuiError):
            await self.tests.report(number)
            self.engine.notify()

    async def close(self) -> None:
        """Stop polling, give a launch in flight a moment, and close everything."""
        self.closed = True
        try:
            self._opened.write()
            if self._load is not None:
                self._load.stop()
            await self.prefetch.close()
            for task in self._summaries:
                task.cancel()
            await self.engine.close()
            await self.client.aclose()
        finally:
            self._opened.write()  # runs that arrived meanwhile
            self.store.close()
            if self._demo is not None:
                self._demo.stop()

    async def save_input(self, slot: Slot, value: Any) -> None:
        """Save a text or a decision of the user."""
        saves: dict[str, Callable[..., Awaitable[object]]] = {
            "note": self.notes.save,
            "typed note": self.notes.save_draft,
            "filter": self.saved_views.save_filter,
            "choice of columns": self.saved_views.save_columns,
            "text": lambda *given: self.staging.save_typed(*given),
            "decision": lambda number, _, made: self.suggestions.choose_again(number, made),
            "draft": lambda _, given: self.jobs.save_draft_again(*given),
        }
        await saves[slot[0]](*slot[1:], value)

    # Scope

    async def projects(self) -> list[Project]:
        """The projects of the configured organization that this key can access."""
        return await self.client.projects(self.setup.settings.organization_id)

    async def agents(self, project_id: int | None, page: int = 1, q: str = "") -> ListPage[Agent]:
        """A page of the agents of a project, or of all projects without `project_id`. The server searches for `q`."""
        organization = self.setup.settings.organization_id
        return await self.client.agents(project_id, page, q, organization_id=organization)

    async def scope(self) -> Scope:
        """The scope of the run list: the configured scope, else the scope chosen last, else the only project. Raises
        NoScope if the user must choose a project."""
        if (known := self.known_scope()) is not None:
            return known
        if self.no_key is not None:
            raise NoApiKey(f"No project chosen. {self.no_key.message}", f"Add --project ID. {self.no_key.hint}")
        projects = await self.projects()
        if self.setup.demo or len(projects) == 1:
            return await self.choose(Scope("project", projects[0].id, projects[0].name))
        raise NoScope(projects)

    def known_scope(self) -> Scope | None:
        """The configured scope, else the scope chosen last; None if there is neither."""
        if self.setup.scope is not None or not (chosen := self.store.chosen()):
            return self.setup.scope
        return Scope("agent" if chosen[0] == "agent" else "project", chosen[1], chosen[2])

    async def choose(self, scope: Scope) -> Scope:
        """Remember a project or agent as the scope for this key, unless the session is read-only; returns the scope."""
        if scope.kind != "result" and not self.store.database.unwritable:
            self.store.choose(scope.kind, scope.id, scope.name)
        return scope

    # Runs

    async def whole_run(self, run_id: int) -> tuple[Run, bool]:
        """A full run from the server, and False. If the server is unreachable or failing, the cached run and True.
        Raises ApiError if there is no cached run."""
        try:
            return await self._fetch_run(run_id), False
        except (Unreachable, ServerFault, NoApiKey, NotSent) as error:
            if (cached := self.store.runs.opened(run_id)) is None:
                raise _not_cached(run_id, error) from None
            return cached[0], True

    async def _fetch_run(self, run_id: int, *, once: bool = False) -> Run:
        try:
            return await self.client.run(run_id, once=once)
        except NotFound as error:
            raise NotFound(
                f"Run {run_id} not found, or not visible to this key.", "See `runs list`.", status=error.status
            ) from None

    async def run(self, run_id: int, *, once: bool = False) -> RunView:
        """A full run from the server. If the server is unreachable or failing, the cached run, with the reason in
        `why`. Raises ApiError if there is no cached run. With `once`, a failed request is not retried."""
        if not once and self._reads.reading((run_id, True)):
            # Join the request without retries in flight; if it fails, send one with retries.
            with contextlib.suppress(CekuraTuiError):
                return await self._reads.get((run_id, True), lambda: self._read_run(run_id, once=True))
        return await self._reads.get((run_id, once), lambda: self._read_run(run_id, once=once))

    async def _read_run(self, run_id: int, *, once: bool) -> RunView:
        try:
            run = await self._fetch_run(run_id, once=once)
        except (Unreachable, ServerFault, NoApiKey, NotSent) as error:
            if (cached := await self.cached_run(run_id)) is None:
                raise _not_cached(run_id, error) from None
            return replace(cached, why=error.title)
        view = precompute(view_of(run, time.time()))
        self._opened.add(run, view)
        self.lists.remember_whole((view.row,))
        return view

    async def _prefetch_run(self, run_id: int) -> RunView:
        view = self._opened.fresh(run_id) or await self.run(run_id, once=True)
        self._opened.write()  # no screen waits for a prefetched run
        return view

    async def known_run(self, run_id: int) -> tuple[RunView | None, bool]:
        """Look up a run without a request; returns the run, and whether the server sent the run a moment ago. An older
        run is read from the store; None if the run is not stored."""
        if (cached := self._opened.fresh(run_id)) is not None:
            return cached, True
        return self._opened.cached(run_id), False

    async def cached_run(self, run_id: int) -> RunView | None:
        return self._opened.cached(run_id)

    async def searchable_runs(self, query: RunQuery | None) -> dict[int, RunRow]:
        """The rows of the query's runs whose transcripts are cached, by run id; of all such runs without a query."""
        self._opened.write()
        behind = True
        while behind:  # add newly opened runs in steps, to let other tasks run
            behind = not self.store.database.unwritable and self.store.transcript_search.catch_up()
            await asyncio.sleep(0)
        rows = self.store.transcript_search.rows()
        if query is None:
            return rows
        scope, passes = query.scope, Matcher(query.filter, now=time.time(), notes=self.store.notes.all())
        in_scope = (row for row in rows.values() if row.owner(scope.kind) in (scope.id, None))
        return {row.id: row for row in in_scope if passes(row)}

    async def search_transcripts(
        self, text: str, run_ids: Collection[int] | None = None, most: int | None = None
    ) -> TranscriptHits:
        """Find the turns that contain all words of a query in the cached transcripts of these runs, by default of all
        runs; at most `most` turns are returned, further ones are only counted. A query has words, a "phrase", and
        speakers such as `caller:`, `agent:` or `tool:`."""
        if run_ids is None:
            run_ids = await self.searchable_runs(None)
        query, hits, counts = read_query(text), list[Hit](), Counter[int]()
        for found in self.store.transcript_search.search(query, run_ids):
            counts.update(turn["run_id"] for turn in found)
            hits += [hit_of(turn, query) for turn in found[: None if most is None else max(0, most - len(hits))]]
            await asyncio.sleep(0)
        covered = self.store.transcript_search.searchable(run_ids, with_text=True)
        return TranscriptHits(len(covered), tuple(hits), counts)

    async def transcript_load(self, query: RunQuery) -> TranscriptLoad:
        """The load of this list's transcripts: the last one, which may still be running, or a new one."""
        if self._load is None or self._load.query.key != query.key:
            if self._load is not None:
                self._load.stop()
            self._load = TranscriptLoad(query, self.store, self.findings, self.searchable_runs, self.matching_runs)
        await self._load.look_up()
        return self._load

    def matching_runs(
        self,
        query: RunQuery,
        on_wait: Callable[[ApiError, float], None],
        now: float | None = None,
        since: float | None = None,
        **options: Any,
    ) -> AsyncGenerator[MatchingPage, None]:
        """Yield the runs of a query page by page, newest first; if `since` (Unix time) is given, only runs created
        since then. `on_wait` and `options` are fields of `ListOptions`. Raises ApiError."""
        from cekura_tui.workspace.all_runs import ListOptions, matching_runs  # not needed for the first frame

        async def load_whole(ids: Sequence[int]) -> ApiError | None:
            return (await self.findings.all(ids, on_wait, fresh=True))[1]

        how = ListOptions(on_wait=on_wait, filled=self.lists.filled, **{"load_whole": load_whole, **options})
        now = time.time() if now is None else now
        return matching_runs(self.client, self.budget, query, self.store.notes.all(), now, how, since=since)

    async def passed_before(self, view: RunView) -> RunView | None:
        """The last run of the same scenario and agent that passed before this run. If no earlier run passed, the newest
        passed run; None if no run passed."""
        opened, cached = self.store.runs.opened_rows, self.cached_run
        return await last_passed(view.row, self.client, self.budget, opened=opened, read=self.run, read_cached=cached)

    async def recording(self, run_id: int, link: object, progress: Callable[[int, int | None], None]) -> Recording:
        """The recording of a run, kept or fetched; the run is read again if the link has expired. `progress` gets the
        bytes so far and in total (None if unknown). Raises RecordingError and ApiError."""
        from cekura_tui.audio.fetch import LinkExpired, find_recording

        run, read_only = f"{self.setup.origin} {run_id}", self.setup.read_only or self.store.database.unwritable
        find = partial(find_recording, self.setup.paths.audio, run, progress=progress, read_only=read_only)
        with contextlib.suppress(LinkExpired):
            return await find(link)
        view = await self.run(run_id)
        with contextlib.suppress(LinkExpired):
            if (new := view.source.get("voice_recording_url")) != link:
                return await find(new)
        again = f". Reading the run again: {view.why}." if view.why else ", also after reading the run again."
        raise LinkExpired(f"The link to the recording has expired{again}")

    # Improving

    async def improvable(self, run_ids: Sequence[int]) -> Improvable:
        """Load the runs for a job; raises UsageError unless there are one to three runs, all of one agent."""
        wanted = tuple(dict.fromkeys(run_ids))
        if not wanted:
            raise UsageError("No run given.", f"Choose one to {MAX_RUNS} runs of one agent.")
        if len(wanted) > MAX_RUNS:
            named = count(len(wanted), "run")
            raise UsageError(f"{named} given; a job takes up to {MAX_RUNS}.", "Leave some out.")
        views = [await self.run(number) for number in wanted]
        agents = {view.row.agent_id: view.row.agent for view in views}
        if len(agents) > 1:
            whose = ", ".join(f"{view.row.id} of {view.row.agent or 'an unknown agent'}" for view in views)
            raise UsageError(f"The runs belong to different agents: {whose}.", "Choose runs of one agent only.")
        (agent_id, agent_name), *_ = agents.items()
        return Improvable(tuple(views), agent_id, agent_name)

    def improve_command(self) -> str:
        """The user's command that proposes prompts; the demo has one. Empty if none is set."""
        if (command := self.setup.settings.improvement.command) or not self.setup.demo:
            return command
        program = "cekura-tui" if shutil.which("cekura-tui") else f"{shlex.quote(sys.executable)} -m cekura_tui"
        return f"{program} demo-improve"

    async def improve_text(self, draft: Draft, runs: Improvable) -> ImproveText:
        """The text that a command gets for a draft. Raises UsageError if the template is unreadable or wrong."""
        from cekura_tui.evidence.improve_text import improve_text

        template, most = self.improve_template(), self.setup.settings.improvement.characters
        calls = [(view, await self.evidence(view)) for view in runs.views]
        chosen = {("category", number) for number in draft.category_ids}
        chosen |= {("metric", number) for number in draft.workflow_metric_ids}
        focus = [name for kind, number, name in runs.focuses() if (kind, number) in chosen]
        return await asyncio.to_thread(improve_text, template, draft.prompt, calls, focus=focus, most=most)

    def improve_template(self) -> str:
        """The template of the text that a command gets. Raises UsageError if it is unreadable or wrong."""
        from cekura_tui.evidence import improve_text
        from cekura_tui.workspace.prompt_files import read_text_file

        default = str(Path(improve_text.__file__).with_name("improve_template.txt"))
        text = read_text_file(self.setup.settings.improvement.template or default, ordinary=True)
        improve_text.check_template(text)
        return text

    def check_command(self, command: str) -> None:
        """Raise UsageError if a command that proposes prompts can't be run, or the template of its input is wrong."""
        refuse_read_only(self.setup.read_only, "nothing was launched")
        self.improve_template()
        if not command.strip():
            raise UsageError("No command is set.", "Set one, as in `config set improve.command 'llm -m gpt-5'`.")
        words = command_words(command)
        if whose := self.setup.known_keys().found_in("\n".join((command, *words))):
            raise UsageError(f"The command contains {whose}; nothing was started.", "Remove the key.")
        if not words or shutil.which(words[0]) is None:
            named = f"There is no program {clean_line(words[0], 60)}" if words else "The command has an unclosed quote"
            raise UsageError(f"{named}.", "Check the command.")
        if marks := {"|", "||", "&", "&&", ";", "<", ">", ">>"}.intersection(words):
            hint = "Use sh -c '…', or a script."
            raise UsageError(f"The command has “{marks.pop()}”, but it is not run by a shell.", hint)

    def prepared(self, draft: Draft, text: str) -> Draft:
        """A draft with what its launch needs: `text` is the input of its command, or the prompt from its file. Raises
        UsageError if the command can't be run, or `text` can't be saved."""
        more: dict[str, object] = {}
        if draft.kind == BY_COMMAND:
            self.check_command(str(draft.parameters["command"]))
            minutes = self.setup.settings.improvement.minutes
            more = {"folder": self.commands.prepare(text, draft.prompt), "minutes": minutes}
        elif draft.kind == FROM_FILE:
            refuse_read_only(self.setup.read_only, "nothing was saved")
            more = {"folder": self.commands.prepare_result(text, draft.prompt)}
        return replace(draft, parameters={**draft.parameters, **more})

    async def agent_prompt(self, agent_id: int | None, *, background: bool = False) -> tuple[Agent, Prompt]:
        """An agent and its exact prompt; raises ApiError, and UsageError if the agent is unknown or has no prompt. A
        `background` request waits for the shared budget, and is not retried."""
        if agent_id is None:
            raise UsageError("The server did not report the run's agent.", "Give the prompt as a file.")
        try:
            if background:
                await claim_request(self.budget)
            agent = await self.client.agent(agent_id, once=background)
        except KeyRefused:
            raise
        except ApiError as error:
            error.message = f"Can't read the prompt of agent {agent_id}: {error.message}"
            error.hint = "Try again, or give the prompt as a file."
            raise
        if agent.prompt is None or not agent.prompt.strip():
            raise UsageError(f"{agent.name} has no prompt on the server.", "Give the prompt as a file.")
        # A prompt that contains a key is saved only when the user launches it.
        if not self.setup.known_keys().found_in(agent.prompt):
            with contextlib.suppress(StoreError):
                self.store.prompt_uses.note(agent_id, agent.prompt, "seen", time.time())
        return agent, agent.prompt


def _not_cached(run_id: int, error: ApiError) -> ApiError:
    """The error for a run that is not cached and that the server did not send because of `error`."""
    if isinstance(error, NoApiKey):
        return NoApiKey(f"Run {run_id} is not cached on this machine. {error.message}", error.hint)
    return error


def _refusal(setup: Setup) -> NoApiKey | None:
    """The error to raise instead of sending a request in an offline session; None for any other session."""
    if not setup.offline:
        return None
    reason = setup.no_key or KeyMissing("The server refused the API key.", KEY_HINT)
    return NoApiKey(reason.message, reason.hint)


def _restart_needed(store: Store) -> NotSent | None:
    """The error to raise instead of sending a request if this process can no longer use the database; else None."""
    try:
        store.jobs.version()
    except StoreError as error:  # other errors, such as a locked database, prevent no request
        if isinstance(error, RestartNeeded):
            return NotSent(error.message, error.hint)
    return None


def connect(setup: Setup, requests: deque[RequestRecord] | None = None) -> tuple[Client, str, DemoServer | None]:
    """Create the client and, for the demo, start the demo server; the caller must close both. Returns the client, its
    API key (or an empty text), and the demo server or None. Raises UsageError if the server cannot be started."""
    if not setup.demo:
        key = setup.key.text if setup.key is not None else ""
        return Client(setup.server.base, key, loopback=setup.server.loopback, requests=requests), key, None
    from cekura_tui.demo.server import DemoServer

    demo = DemoServer(setup.paths.home, setup.demo)
    try:
        make_private(setup.paths.home)
        demo.start()
    except OSError as error:
        hint = unwritable(setup.paths.database)
        raise UsageError(f"Can't start the demo server: {error.strerror or error}.", hint) from None
    return Client(demo.url, demo.key, loopback=True, requests=requests), demo.key, demo
