"""`prompts`: the prompts of an agent that this machine has recorded."""

from __future__ import annotations

from itertools import dropwhile
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from cekura_tui.cli.options import AGENT, json_option
from cekura_tui.cli.output import print_message, put, put_changes, put_json, put_prompt
from cekura_tui.cli.script import command
from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import clean_line, clock_text, count, sha256

if TYPE_CHECKING:
    from cekura_tui.model.prompt_events import PromptUse
    from cekura_tui.workspace.session import Session

_MIN_HASH = 4
"""Number of characters required to find a prompt by the beginning of its hash."""
_ON_AGENT = ("seen", "written", "replaced")
"""The uses of a prompt that the agent had."""


class Event(NamedTuple):
    """An event in the history of an agent's prompt: its number (1: the newest), what happened, and its uses."""

    n: int
    text: str
    uses: tuple[PromptUse, ...]

    @property
    def use(self) -> PromptUse:
        return self.uses[0]


@click.group()
def prompts() -> None:
    """List and print the prompts of an agent: its own, sent and suggested ones."""


@command("history", prompts, key=False)
@click.argument("agent_id", type=AGENT)
@click.option("--current", "with_current", is_flag=True, help="Ask the server which prompt the agent has now.")
@json_option("per line")
async def show_history(session: Session, agent_id: int, with_current: bool, as_json: bool) -> None:
    """List an agent's prompts as read, sent, suggested or updated from this machine, newest first."""
    current = sha256((await session.agent_prompt(agent_id))[1]) if with_current else None
    events = await history_events(session, agent_id)
    # The same text may occur several times; the newest event is the current one.
    now = next((event.n for event in events if event.use.sha256 == current), None)
    for event in events:
        if as_json:
            put_json(_as_json(event, None if current is None else event.n == now))
        else:
            use = event.use
            put(f"{event.n}. {clock_text(use.at)}, {event.text}{', current' if event.n == now else ''}")
            put(f"   {count(use.words, 'word')}, sha256 {use.sha256[:8]}")
            put(f"   begins: {clean_line(use.first_line, 100)}")
    if not events and not as_json:
        print_message(f"No prompts of agent {agent_id} yet. They are kept when read, sent, suggested or updated.")


prompts.add_command(show_history, "list")  # the name in the other groups


@command("show", prompts, key=False)
@click.argument("agent_id", type=AGENT)
@click.argument("which", metavar="N|SHA256")
@click.option(
    "--diff",
    "as_diff",
    is_flag=True,
    help="Print what changed since the prompt that the agent had before, or that was sent.",
)
async def show_prompt(session: Session, agent_id: int, which: str, as_diff: bool) -> None:
    """Print a prompt of an agent exactly.

    N is its number in `prompts history`, SHA256 the beginning of its hash.
    """
    events = await history_events(session, agent_id)
    event = find_event(events, agent_id, which)
    prompt = session.store.prompt_uses.text(event.use.sha256)
    if not as_diff:
        put_prompt(prompt)
        return
    use, older = event.use, [one.use.sha256 for one in events[event.n :]]
    if use.how in _ON_AGENT:
        since = dropwhile(lambda one: one != use, session.store.prompt_uses.all(agent_id))
        older = [one.sha256 for one in since if one.how in _ON_AGENT]
    elif use.how != "sent" and use.job is not None:
        older = [(await session.jobs.get(use.job)).prompt_sha256]
    before = next((one for one in older if one != use.sha256), None)
    if before is None:
        raise UsageError(f"No prompt of agent {agent_id} before prompt {event.n} is known.", "Leave out --diff.")
    put_changes(session.store.prompt_uses.text(before), prompt)


async def history_events(session: Session, agent_id: int) -> list[Event]:
    from cekura_tui.model.prompt_events import events_of, how_words

    uses = session.store.prompt_uses.all(agent_id)
    return [Event(n, how_words(of[0], uses), tuple(of)) for n, of in enumerate(events_of(uses), 1)]


def find_event(events: list[Event], agent_id: int, which: str) -> Event:
    """The event with the number `which`, or the newest whose hash begins with `which`. Raises UsageError."""
    if which.isascii() and which.isdecimal() and len(which) < _MIN_HASH:
        found = [event for event in events if event.n == int(which)]
    else:
        found = [event for event in events if len(which) >= _MIN_HASH and event.use.sha256.startswith(which.lower())]
    if len({event.use.sha256 for event in found}) > 1:
        raise UsageError(f"Several prompts begin with {clean_line(which, 64)}.", "Give more of the hash.")
    if not found:
        name = clean_line(which, 64)
        raise UsageError(f"No prompt {name} of agent {agent_id}.", f"See `prompts history {agent_id}`.")
    return found[0]


def _as_json(event: Event, current: bool | None) -> dict[str, Any]:
    from cekura_tui.model.run.words import iso_time

    use, uses = event.use, [{"how": one.how, "at": iso_time(one.at) or None, "job": one.job} for one in event.uses]
    shown = {name: getattr(use, name) for name in ("how", "job", "sha256", "words", "first_line")}
    return {"n": event.n, "at": iso_time(use.at) or None, "text": event.text, "current": current, **shown, "uses": uses}
