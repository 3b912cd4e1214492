"""The app's workspace: a session in a daemon thread. A stalled UI never stops polling; parsing never blocks the UI."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextvars import Context
from typing import TYPE_CHECKING, Any, TypeVar

from cekura_tui.config.paths import remove_old_recordings
from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.request_log import MAX_RECORDS, RequestRecord
from cekura_tui.store.unsaved import Slot, UnsavedInput

if TYPE_CHECKING:
    from cekura_tui.model.scope import Project
    from cekura_tui.store.errors import SentUnrecorded
    from cekura_tui.workspace.hook import JobHook
    from cekura_tui.workspace.session import Session
    from cekura_tui.workspace.setup import ProfileFacts, Setup

T = TypeVar("T")
CLOSING = 1.8
"""Maximum seconds to close, with HOOK_GRACE for `on_job_done` calls to end and KILL_GRACE to kill the rest."""
HOOK_GRACE = 1.0
KILL_GRACE = 0.2
KEY_CHECK_EVERY = 3.0
"""Seconds between checks for a key saved by another process, while the key is missing or refused."""
_log = logging.getLogger("cekura_tui")


class Closed(CekuraTuiError):
    """The workspace is closed or closing, so a call cannot be completed."""

    title = "Closed"


class Workspace:
    """Runs a session on a background thread. `start` opens the session; `call` calls a function with the session."""

    def __init__(self, setup: Setup) -> None:
        self.setup = self._first_setup = setup
        self.notices: deque[str] = deque()
        """Messages to show to the user once, such as a message about a damaged database."""
        self._unrecorded: list[SentUnrecorded] = []
        """Errors about unrecorded launches of earlier sessions."""
        self.key_changes = 0
        """How many times the workspace switched to a key that another process saved."""
        self._requests = deque[RequestRecord](maxlen=MAX_RECORDS)
        self._on_change: Callable[[], None] = lambda: None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._session: asyncio.Future[Session] | None = None
        self._running = Future[None]()
        """A future that is done once the background loop runs or the workspace is closed."""
        self.unwritable = ""
        """How to make the read-only database file or directory writable; empty if both are writable."""
        self.unsaved, self._refusal = UnsavedInput(lambda: self._on_change()), ""
        self._window = ""
        """The name of this process in all sessions; empty until the first session is opened."""
        self._hooks: dict[str, JobHook] = {}
        """Hooks by command. The calls of a hook continue when the session is reopened."""

    @property
    def started(self) -> bool:
        return self._loop is not None

    def start(self, on_change: Callable[[], None]) -> None:
        """Open the session in a thread, which calls `on_change` after each change of a job, notice or key."""
        self._on_change = on_change
        started = threading.Event()
        self._thread = threading.Thread(target=self._run_loop, args=(started,), name="workspace", daemon=True)
        self._thread.start()
        started.wait()
        if not self._running.done():
            self._running.set_result(None)

    def _run_loop(self, started: threading.Event) -> None:
        loop = asyncio.new_event_loop()
        self._loop = loop
        asyncio.set_event_loop(loop)
        self.start_log()
        self._session = loop.create_future()
        # In this order, so that `start` returns before the session is open.
        loop.call_soon(started.set)
        loop.call_soon(self._open_now)
        watching = loop.create_task(self._watch_for_new_key())
        try:
            loop.run_forever()
        finally:
            watching.cancel()
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            loop.close()

    def _open_now(self) -> None:
        assert self._session is not None
        try:
            from cekura_tui.jobs.owner import this_process
            from cekura_tui.workspace.session import Session

            self._window = self._window or this_process()
            hook = self._find_hook()
            ended = hook.ended if hook else lambda done: None
            session = Session.open(
                self.setup, changed=self._on_change, ended=ended, window=self._window, requests=self._requests
            )
            self._show_database_notice(session)
            if (mend := session.store.database.unwritable) and mend != self.unwritable:
                self.notices.append(f"Read-only session: nothing is saved or launched. {mend}")
            self.unwritable = mend
            if not (self.setup.read_only or mend):
                remove_old_recordings(self.setup.paths.audio, time.time())
            if not (self.setup.offline or mend):
                session.engine.start()
            if self.setup.key_is_saved:
                session.jobs.take_over()
        except Exception as error:  # the thread's outermost handler: waiting callers must get an error
            if not isinstance(error, CekuraTuiError):
                _log.exception("opening the workspace failed")
                error = CekuraTuiError("Can't open the workspace.", f"See {self.setup.paths.log}.")
            self._session.set_exception(error)
            self._session.exception()  # mark as retrieved: there may be no caller
        else:
            self._session.set_result(session)
            self._take_over_input(session)

    def _find_hook(self) -> JobHook | None:
        command = self.setup.settings.on_job_done
        if not command or command in self._hooks:
            return self._hooks.get(command)
        from cekura_tui.workspace.hook import JobHook

        hook = self._hooks[command] = JobHook(command, self._show_notice)
        return hook

    def _show_notice(self, sentence: str) -> None:
        self.notices.append(sentence)
        with contextlib.suppress(RuntimeError):  # the UI loop may be closed already
            self._on_change()

    def start_log(self) -> None:
        from cekura_tui.workspace.log_file import log_to  # not needed for the first frame

        log_to(self.setup.paths)

    def requests(self) -> tuple[RequestRecord, ...]:
        """Records of the last requests to the server, in the order in which the requests ended; thread-safe."""
        return tuple(self._requests)

    async def call(self, ask: Callable[[Session], Awaitable[T]]) -> T:
        """Call `ask` with the session once it is open. Raises the error of `ask`, or of opening the session."""
        await asyncio.shield(asyncio.wrap_future(self._running))
        return await asyncio.wrap_future(self.send(ask))

    async def do(self, ask: Callable[[Session], T]) -> T:
        """Like `call`, for a synchronous function."""

        async def asked(session: Session) -> T:
            return ask(session)

        return await self.call(asked)

    def send(self, ask: Callable[[Session], Awaitable[T]]) -> Future[T]:
        """Start a call of `ask`, which ends even if the future is dropped. Raises Closed if the loop does not run."""
        if self._loop is None or not self._loop.is_running():
            raise Closed("cekura-tui is closing.")
        # In a new context: a timer, even a cancelled one, would keep the caller's screen in memory for a minute.
        return Context().run(asyncio.run_coroutine_threadsafe, self._ask(ask), self._loop)

    def save(self, slot: Slot, value: Any, write: Callable[[Session], Awaitable[T]] | None = None) -> Future[T]:
        """Save a text or a decision of the user with `write`, by default `Session.save_input`; retry while the database
        is unavailable. A later input of the slot replaces an unsaved one."""
        ask: Callable[[Session], Awaitable[Any]] = write or (lambda session: session.save_input(slot, value))
        future = self.unsaved.put(slot, value, lambda: self._ask(ask))
        with contextlib.suppress(Closed):  # the app keeps the input in the file
            self.send(lambda _: self.unsaved.save())
        return future

    def put(self, slot: Slot, value: Any, write: Callable[[Session], Awaitable[T]] | None = None) -> Future[T]:
        """Like `save`, but show an error to the user, unless the last input had the same error."""
        (future := self.save(slot, value, write)).add_done_callback(self._show_refusal)
        return future

    def _show_refusal(self, saved: Future[Any]) -> None:
        before, error = self._refusal, saved.exception()
        self._refusal = f"Not saved. {error.sentence()}" if isinstance(error, CekuraTuiError) else ""
        if self._refusal and self._refusal != before:
            self._show_notice(self._refusal)

    def _take_over_input(self, session: Session) -> None:
        """Save the input that ended processes could not save."""
        from cekura_tui.jobs.owner import is_alive

        account = session.store.account
        self.unsaved.open(session.store.database.path, (account.origin, account.key_id), self._window)
        if not session.store.database.unwritable:
            for slot, value in self.unsaved.left_behind(is_alive):
                self.put(slot, value)
            self.unsaved.keep()

    async def _ask(self, ask: Callable[[Session], Awaitable[T]]) -> T:
        assert self._session is not None
        session = await asyncio.shield(self._session)
        try:
            return await ask(session)
        except RuntimeError:
            if session.closed:  # raised by a closed client
                raise Closed("The workspace was closed.") from None
            raise
        finally:
            self._show_database_notice(session)

    def _show_database_notice(self, session: Session) -> None:
        """Show the database's notice, since any call may have found and repaired damage."""
        if notice := session.store.database.notice:
            session.store.database.notice = ""
            self._show_notice(notice)

    def known_key(self) -> str:
        """The API key to which cached runs and jobs belong; empty if unknown."""
        if self.setup.demo:
            with contextlib.suppress(OSError):  # the demo's server creates the file on its first start
                return (self.setup.paths.home / "key").read_text(encoding="utf-8")
            return ""
        return self.setup.key.text if self.setup.key else ""

    async def sign_in(self, text: str, *, over: bool = False) -> list[Project]:
        """Check, use and save a key that the user typed; returns the projects that it can access. Raises KeyMissing if
        it is malformed, KeyRefused, and KeyTaken if the profile has another saved key and `over` is false."""
        from cekura_tui.config.credentials import check_key, save_key
        from cekura_tui.workspace.setup import KEYBOARD

        key = check_key(text, KEYBOARD)
        if not (over or self.setup.key_is_saved) and (taken := self.setup.key_conflict(key)) is not None:
            raise taken
        await self.reopen(self.setup.with_key(key))
        projects = await self.call(lambda session: session.projects())
        save_key(self.setup.paths.credentials, self.setup.server, key, self.setup.profile)
        return projects

    async def enter_demo(self) -> None:
        """Reopen the workspace as the demo. If the program was started as a demo, the original options are used."""
        from cekura_tui.demo import DemoOptions
        from cekura_tui.workspace.setup import demo_setup

        setup = self.setup
        personal = setup.settings.personal()
        demo = demo_setup(setup.paths, DemoOptions(), read_only=setup.read_only, settings=personal)
        await self.reopen(self._first_setup if self._first_setup.demo else demo)

    def profiles(self) -> list[ProfileFacts]:
        """The name, server and key source, or the error, of every profile on this machine. No key command is run."""
        from cekura_tui.config.credentials import PROFILE
        from cekura_tui.workspace.setup import ProfileFacts, account_paths, profile_names

        found = []
        for name in profile_names(account_paths(self.setup), PROFILE if self.setup.demo else self.setup.profile):
            try:
                setup = self.setup_of_profile(name, may_run=False)
            except CekuraTuiError as error:
                found.append(ProfileFacts(name, wrong=error.message))
            else:
                found.append(ProfileFacts(name, setup.server.origin, setup.key_from))
        return found

    def setup_of_profile(self, name: str, *, may_run: bool = True) -> Setup:
        """The setup of a profile, with its key looked up again, by its command only if `may_run`. Raises UsageError."""
        from cekura_tui.workspace.setup import other_profile

        for known in (self.setup, self._first_setup):
            if not known.demo and known.profile == name:
                return known.looked_up_again(may_run=may_run)
        return other_profile(self._first_setup, name, os.environ, may_run=may_run)

    async def add_profile(self, name: str, api_url: str, text: str) -> None:
        """Create a profile with a key that the user typed: check, save and use the key. Raises KeyMissing if the key is
        malformed, KeyRefused if the server refuses the key, and UsageError if the profile exists."""
        from cekura_tui.config.credentials import check_key, save_key
        from cekura_tui.config.settings import wrong_profile_name
        from cekura_tui.workspace.setup import KEYBOARD, account_paths, other_profile, profile_names

        if wrong := wrong_profile_name(name):
            raise UsageError(wrong.capitalize())
        if name in profile_names(account_paths(self.setup)):
            raise UsageError(f"There is a profile {name} already.", "Choose another name.")
        setup = other_profile(self._first_setup, name, os.environ, api_url=api_url, new_profile=True, may_run=False)
        setup = setup.with_key(check_key(text, KEYBOARD))

        async def check() -> None:
            from cekura_tui.workspace.session import Session

            session = Session.open(setup)
            try:
                await session.projects()
            finally:
                await session.close()

        assert self._loop is not None
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(check(), self._loop))
        assert setup.key is not None
        save_key(setup.paths.credentials, setup.server, setup.key, name)
        await self.reopen(setup)

    async def reopen(self, setup: Setup) -> None:
        assert self._loop is not None
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._reopen(setup), self._loop))

    async def _reopen(self, setup: Setup) -> None:
        assert self._loop is not None
        before = self._open_session
        if before is not None:
            await before.close()
            self._unrecorded += before.engine.unrecorded
        self.setup = setup
        self._session = self._loop.create_future()
        self._open_now()
        session = await self._session
        if before is not None and before.engine.paused and before.setup.origin == setup.origin:
            # This key replaces a refused one: try it for that key's jobs, too.
            session.jobs.take_over(lost=True)

    @property
    def _open_session(self) -> Session | None:
        session = self._session
        return session.result() if session is not None and session.done() and not session.exception() else None

    @property
    def unrecorded(self) -> list[SentUnrecorded]:
        return [*self._unrecorded, *(self._open_session.engine.unrecorded if self._open_session is not None else ())]

    async def _watch_for_new_key(self) -> None:
        """While the API key is missing or refused, reopen the session with any key that another process saves."""
        while True:
            await asyncio.sleep(KEY_CHECK_EVERY)
            session, setup = self._open_session, self.setup
            refused = session is not None and session.engine.paused is not None
            if (setup.key is None or refused) and (key := setup.newly_saved_key()):
                with contextlib.suppress(CekuraTuiError):
                    await self._reopen(setup.with_key(key))
                    self.key_changes += 1
                    self._on_change()

    async def _close(self) -> None:
        """Close the session, then wait until CLOSING, at most HOOK_GRACE, for running `on_job_done` calls."""
        began = time.monotonic()
        try:
            if self._open_session is not None:
                await self._open_session.close()
        finally:
            left = CLOSING - KILL_GRACE - (time.monotonic() - began)
            await asyncio.gather(*(hook.close(max(0.0, min(HOOK_GRACE, left))) for hook in self._hooks.values()))

    def close(self) -> None:
        """Close the session and end the background thread, within about `CLOSING` seconds."""
        loop, thread = self._loop, self._thread
        if not self._running.done():
            self._running.set_result(None)
        if loop is None or thread is None or not thread.is_alive():
            return
        closing = asyncio.run_coroutine_threadsafe(self._close(), loop)
        try:
            closing.result(CLOSING)
        except (TimeoutError, CekuraTuiError) as error:
            _log.warning("closing: %r", error)
        if self.unsaved.file.is_file():
            self.notices.append(f"Not saved yet. The next start saves your input from {self.unsaved.file}.")
        loop.call_soon_threadsafe(loop.stop)
        thread.join(0.2)
