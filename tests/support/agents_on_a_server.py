"""Agents on a demo server that belongs to one test, and saved jobs that improved the agents' prompts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app_on_a_server import PROJECT, setup_of
from demo_client import client_of
from demo_faults import faulty_server
from seeded_jobs import SeededJobs, stored
from textual.pilot import Pilot
from waiting import eventually
from watching import screen_text

from cekura_tui.demo.server import DemoServer
from cekura_tui.model.job import Draft
from cekura_tui.model.prompt_events import PromptUse
from cekura_tui.model.text import Prompt
from cekura_tui.store.store import Store
from cekura_tui.workspace.setup import Setup

CLINIC, BANK = 1201, 1204


@dataclass(frozen=True)
class Agents:
    """A demo server and the local database of its user."""

    server: DemoServer

    def setup(self, *, read_only: bool = False) -> Setup:
        return setup_of(self.server.url, self.server.key, PROJECT, read_only=read_only)

    def _read(self, agent_id: int, field: str) -> str:
        """Read a field of an agent directly from the server, bypassing the program."""
        with client_of(self.server) as client:
            return str(client.get(f"/test_framework/v1/aiagents/{agent_id}/").json()[field])

    def prompt_of(self, agent_id: int) -> Prompt:
        return Prompt(self._read(agent_id, "description"))

    def name_of(self, agent_id: int) -> str:
        return self._read(agent_id, "agent_name")

    def write_elsewhere(self, agent_id: int, prompt: str) -> None:
        """Change an agent's prompt on the server, as another client would."""
        with client_of(self.server) as client:
            body = {"description": prompt}
            client.patch(f"/test_framework/v1/aiagents/{agent_id}/", json=body).raise_for_status()

    def store(self) -> AbstractContextManager[Store]:
        return stored(self.setup(), self.server.key)

    def job(self, agent_id: int, sent: Prompt, proposed: str = "Be kinder.") -> int:
        """Save a job that sent the prompt `sent` and succeeded with `proposed`; returns the job's number."""
        draft = Draft((900238,), sent, agent_id, self.name_of(agent_id), prompt_source="agent")
        answer = {"status": "completed", "output": {"improved_prompt": proposed}}
        with self.store() as store:
            return SeededJobs(store.jobs).succeeded(draft, answer).number

    def history(self, agent_id: int) -> list[PromptUse]:
        """Recorded uses of an agent's prompts, newest first."""
        with self.store() as store:
            return store.prompt_uses.all(agent_id)

    def saved(self, agent_id: int, how: str) -> list[Prompt]:
        """Prompts of an agent that were recorded with the use `how`, newest first."""
        with self.store() as store:
            return [store.prompt_uses.text(use.sha256) for use in store.prompt_uses.all(agent_id) if use.how == how]


async def sees_wrapped(pilot: Pilot[Any], *texts: str) -> None:
    """Wait until all texts are on the screen, ignoring line breaks and borders."""
    shown = [""]

    def there() -> bool:
        shown[0] = " ".join(re.sub("[│╭╮╰╯─]", " ", screen_text(pilot.app)).split())
        return all(text in shown[0] for text in texts)

    try:
        await eventually(there, f"on screen: {texts}")
    except AssertionError as never:
        raise AssertionError(f"{never}\n{shown[0]}") from None
    await pilot.pause()


@contextmanager
def agents(directory: Path, *faults: str) -> Iterator[Agents]:
    """Start a demo server with these faults, yield its agents, and stop the server afterwards."""
    server = faulty_server(directory / "served", *faults)
    server.start()
    try:
        yield Agents(server)
    finally:
        server.stop()


def revised(prompt: str) -> Prompt:
    """The prompt with "(revised today)" appended to its first line."""
    first, end, rest = re.split(r"(\r?\n)", prompt, maxsplit=1)
    return Prompt(f"{first} (revised today){end}{rest}")
