"""Save a suggestion before the app opens, and open the app on this suggestion."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app_on_a_server import WIDE, Served, opened
from seeded_jobs import seeded_jobs
from textual.pilot import Pilot
from waiting import eventually
from watching import sees

from cekura_tui.demo.library import agents
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt
from cekura_tui.ui.messages import OpenJob

RUN = 900238
CHANGES = (
    (
        "Ask for the caller's date of birth if you need to tell two patients apart.",
        "Ask for the caller's full name if you need to tell two patients apart.",
    ),
    ("Try to help the caller yourself before transferring. ", ""),
)
"""(old, new) texts: the changes that the suggestion makes to the agent's prompt."""


def save_suggestion(served: Served) -> None:
    """Save job 1, which succeeded with a suggestion that makes `CHANGES`."""
    agent = next(one for one in agents() if CHANGES[0][0] in one.prompt)
    proposed: str = agent.prompt
    for old, new in CHANGES:
        proposed = proposed.replace(old, new)
    output = {"improved_prompt": proposed, "summary_of_changes": "Asks for the name."}
    answer = {"status": "completed", "output": output}
    draft = Draft((RUN,), Prompt(agent.prompt), agent.id, agent.name, prompt_source="agent")
    with seeded_jobs(served.setup(), served.server.key) as seeded:
        seeded.succeeded(draft, answer, ago=60)


@asynccontextmanager
async def opened_suggestion(served: Served, *, size: tuple[int, int] = WIDE) -> AsyncIterator[Pilot[None]]:
    """Save the suggestion, open the app on it, above the run list, and wait until the reasons are loaded."""
    save_suggestion(served)
    async with opened(served.setup(), size=size) as pilot:
        app: Any = pilot.app
        await eventually(lambda: app.state.jobs, "the job is listed")
        app.router.answer(OpenJob(app.state.jobs[0]))
        await sees(pilot, "Suggestion of job 1", "1 of 2")
        await eventually(lambda: app.screen.reasons is not None, "the reasons are loaded")
        yield pilot
