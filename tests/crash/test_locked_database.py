"""Another process locks the database for 1, 10 or 40 seconds: everything typed or decided meanwhile is saved after the
lock, without another key, and a kill loses nothing of it."""

from __future__ import annotations

import json
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import terminal
from forked import Forker
from fronts import improve_dialog
from newer_database import NOTHING, migrate
from one_job import launches
from scripted_server import ScriptedServer
from terminal import Terminal, environment

from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt
from cekura_tui.store.errors import StoreError
from cekura_tui.store.schema import VERSION
from cekura_tui.store.store import Store
from cekura_tui.workspace.setup import make_setup

SECONDS = (40, 10, 1)
SENT = "Be kind to callers.\n\nSay your name first.\n"
PROPOSED = "Be brief with callers.\n\nSay your name and the date first.\n"
_starting = threading.Lock()


class Locked:
    """The program in a terminal, with a database of its own that another process locks for some seconds."""

    def __init__(self, server: ScriptedServer, place: Path, forker: Forker, seconds: float) -> None:
        self._server, self._forker, self.seconds = server, forker, seconds
        place.mkdir()
        self._env = environment(place / "home", place)
        with self.store() as store:
            job = store.jobs.begin_launch(Draft((5,), Prompt(SENT), 7, "Agent 7"), time.time() - 60, "")
            store.jobs.record_progress_id(job.number, "p", json.dumps({"progress_id": "p"}), time.time() - 50)
            answer = {"status": "completed", "output": {"improved_prompt": PROPOSED}}
            store.jobs.record_answer(job.number, read_progress(answer), json.dumps(answer), time.time() - 40)
            self.database = store.database.path

    @contextmanager
    def store(self) -> Iterator[Store]:
        setup = make_setup(env=self._env)
        with closing(Store(setup.paths.database, setup.origin, "key", setup.profile)) as store:
            yield store

    def start(self) -> Terminal:
        with _starting:
            terminal = Terminal(env=self._env, columns=120, lines=36, forker=self._forker)
        return terminal.wait("1 run", "Books a table")

    @property
    def launched(self) -> list[str]:
        """The prompts that this program sent."""
        return [prompt for prompt in launches(self._server) if f"{self.seconds} Typed" in prompt]

    @contextmanager
    def lock(self, terminal: Terminal) -> Iterator[None]:
        """Hold the lock during the block and then for the rest of the seconds."""
        with closing(sqlite3.connect(self.database, isolation_level=None, timeout=20)) as other:
            other.execute("BEGIN EXCLUSIVE")
            end = time.monotonic() + self.seconds
            yield
            while (left := end - time.monotonic()) > 0:
                terminal.pump(left) or time.sleep(min(left, 0.05))


def typing_a_prompt(locked: Locked) -> Terminal:
    terminal = improve_dialog(locked.start()).press("tab").wait("enter edit")
    return terminal.press("enter", "x").wait("edited")


def draft(locked: Locked) -> str:
    """What was typed before the agent's prompt in the saved draft; empty if the draft is replaced while it is read."""
    with suppress(StoreError), locked.store() as store:
        if (saved := store.jobs.latest_draft(7, (5,))) is not None:
            return store.jobs.draft_of(saved).prompt.partition("\ufeffBe kind.")[0]
    return ""


def wait_for_draft(locked: Locked, terminal: Terminal, typed: str) -> None:
    terminal.until(lambda: draft(locked) == typed, "the draft is saved")


def type_a_prompt(locked: Locked) -> None:
    with typing_a_prompt(locked) as terminal:
        with locked.lock(terminal):
            terminal.press(*"Typed. ")
        wait_for_draft(locked, terminal, "xTyped. ")
        terminal.kill()
    assert draft(locked) == "xTyped. "


def close_the_dialog(locked: Locked) -> None:
    with typing_a_prompt(locked) as terminal:
        with locked.lock(terminal):
            terminal.press(*"Typed. ", "esc").wait("not saved yet").press("ctrl+g").wait(gone="Improve the prompt")
        wait_for_draft(locked, terminal, "xTyped. ")
        terminal.kill()
    assert draft(locked) == "xTyped. "


def decide(locked: Locked) -> None:
    with locked.start() as terminal:
        terminal.press("2").wait("Job 1", "1 succeeded").press("enter")
        terminal.wait("Suggestion of job 1", "Changes · 1 of 2")
        with locked.lock(terminal):
            terminal.press("a").wait("Changes · 2 of 2").press("x", "c").wait("ctrl+g apply").press(*"Typed. ")

        def decided() -> bool:
            with suppress(StoreError), locked.store() as store:
                choices = sorted(choice.what for choice in store.stagings.choices(1).values())
                texts = [text[-7:] for text in store.stagings.typed(1).values()]
                return (choices, texts) == (["accepted", "rejected"], ["Typed. "])
            return False

        terminal.until(decided, "the decisions and the text are saved")
        terminal.kill()
    assert decided()


def write_notes(locked: Locked) -> None:
    with locked.start() as terminal:
        with locked.lock(terminal):
            terminal.press("m").wait("Note on run 5").press(*"Typed. ", "enter").wait(gone="Note on run 5")
            terminal.press("m").wait("Note on run 5").press(*"More. ")

        def noted() -> bool:
            with suppress(StoreError), locked.store() as store:
                return store.notes.all() == {5: "Typed."} and store.notes.draft(5).endswith("More.")
            return False

        terminal.until(noted, "the note and the text are saved")
        terminal.kill()
    assert noted()


def launch(locked: Locked) -> None:
    with typing_a_prompt(locked) as terminal:
        terminal.press(f"{locked.seconds} Typed. ").wait("Typed.")
        with locked.lock(terminal):
            terminal.press("ctrl+g").wait("Nothing was launched", "Typed.")
            assert locked.launched == []
        wait_for_draft(locked, terminal, f"x{locked.seconds} Typed. ")
        terminal.press("ctrl+g").wait("Job 2 launched")
        terminal.kill()
    assert [sent.partition("\ufeff")[0] for sent in locked.launched] == [f"x{locked.seconds} Typed. "]
    with locked.store() as store:
        assert [job.state for job in store.jobs.all()] == ["running", "succeeded"]


def _leave(locked: Locked, how: Callable[[Terminal], object], *statuses: int) -> None:
    with typing_a_prompt(locked) as terminal, locked.lock(terminal):
        terminal.press(*"Typed. ").wait("xTyped. ")
        how(terminal)
        assert terminal.ended() in statuses
    with locked.start() as terminal:
        wait_for_draft(locked, terminal, "xTyped. ")
        terminal.kill()


def quit_(locked: Locked) -> None:
    _leave(locked, lambda terminal: terminal.press("ctrl+q"), 0)


def be_terminated(locked: Locked) -> None:
    _leave(locked, lambda terminal: terminal.process.send_signal(signal.SIGTERM), 143)


def be_killed_meanwhile(locked: Locked) -> None:
    def kill(terminal: Terminal) -> None:
        terminal.wait("Not saved yet")
        terminal.kill()

    _leave(locked, kill, -9)


def lose_the_terminal(locked: Locked) -> None:
    _leave(locked, Terminal.close, 129)


def hang_up_two_windows(locked: Locked) -> None:
    with typing_a_prompt(locked) as one, typing_a_prompt(locked) as two, locked.lock(one):
        for terminal, text in ((one, "One. "), (two, "Two. ")):
            terminal.press(text).wait(text)
            terminal.close()
            assert terminal.ended() == 129

    def drafts() -> str:
        with suppress(StoreError), locked.store() as store:
            return "".join(store.jobs.draft_of(job).prompt for job in store.jobs.all(drafts=True) if job.number > 1)
        return ""

    with locked.start() as terminal:
        terminal.until(lambda: all(text in drafts() for text in ("One. ", "Two. ")), "both drafts are saved")
        terminal.kill()


def be_left_by_a_newer_version(locked: Locked) -> None:
    with typing_a_prompt(locked) as terminal:
        migrate(locked.database, NOTHING)
        terminal.press(*"Typed. ").wait("Not saved yet: 1 draft (restart needed).").press("ctrl+q")
        assert terminal.ended() == 0
        assert "The next start saves your input" in terminal.raw.decode()
        assert "Traceback" not in terminal.raw.decode()
    with closing(sqlite3.connect(locked.database)) as older:
        older.execute(f"PRAGMA user_version = {VERSION}")
    with locked.start() as terminal:
        wait_for_draft(locked, terminal, "xTyped. ")
        terminal.kill()


STORIES = (
    type_a_prompt,
    close_the_dialog,
    decide,
    write_notes,
    launch,
    quit_,
    be_terminated,
    be_killed_meanwhile,
    lose_the_terminal,
    hang_up_two_windows,
    be_left_by_a_newer_version,
)


def test_nothing_typed_or_decided_during_a_lock_is_lost(
    server: ScriptedServer, tmp_path: Path, forker: Forker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "PATIENCE", 60)

    def run(cell: tuple[float, Callable[[Locked], None]]) -> str:
        seconds, story = cell
        try:
            story(Locked(server, tmp_path / f"{story.__name__}-{seconds}", forker, seconds))
        except AssertionError as error:
            return f"{story.__name__}, {seconds} s: {error}"
        return ""

    cells = [(seconds, story) for seconds in SECONDS for story in STORIES]
    with ThreadPoolExecutor(2 * len(STORIES)) as together:  # the shortest locks begin while the longest last
        wrong = [*filter(None, together.map(run, cells))]
    assert not wrong, "\n\n".join(wrong)
