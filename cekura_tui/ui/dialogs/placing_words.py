"""What is said of putting a prompt onto an agent, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cekura_tui.model.text import clean_line, count, sha256
from cekura_tui.ui.dialogs.restoring import change_words

if TYPE_CHECKING:
    from cekura_tui.model.prose_diff import ProseDiff
    from cekura_tui.model.text import Prompt
    from cekura_tui.workspace.placing import Placing
    from cekura_tui.workspace.setup import Setup


def where_of(setup: Setup) -> str:
    """Where an agent is: "at https://…"."""
    return "in the embedded workspace" if setup.demo else f"at {setup.server.origin}"


def facts_of(
    placing: Placing, change: ProseDiff | None, undecided: int, staged: Prompt, setup: Setup, read_only: str
) -> Iterator[str]:
    """Lines on the agent and on what would change; warnings begin with `!`.

    `undecided` counts the conflicts that are not decided yet, `read_only` says why nothing is written.
    """
    agent, sent_with = placing.agent, f"sent with job {placing.job.number}"
    words = count(len(staged.split()), "word")
    yield f"agent {agent.id} {where_of(setup)} · staged from job {placing.job.number}, {words}"
    changes = change_words(change) if change else "comparing …"
    if undecided:
        changes = f"{count(undecided, 'conflict')} to be decided"
    yield f"{count(len(placing.now.split()), 'word')} there now; {changes}"
    if placing.job.prompt_sha256 == sha256(placing.now):
        yield f"It is still the prompt that was {sent_with}."
    elif not placing.merge.conflicts and not placing.there:
        yield "What changed there since stays: both are put together without a conflict."
    if change is not None and change.coarse:
        yield change.coarse
    for warning in (*placing.warnings, *([read_only] if read_only else [])):
        yield f"! {warning}"


def questions(placing: Placing, change: ProseDiff, setup: Setup) -> Iterator[tuple[str, str, str]]:
    """Title, text and the word for yes of what is asked, one after the other, before anything is written."""
    name = clean_line(placing.agent.name, 60)
    if placing.agent.auto_sync:
        undone = f"The provider syncs the prompt of {name}: the next time it does, what you write here is undone."
        yield f"{name} is synced by its provider", f"{undone}\nWrite it all the same?", "All the same"
    what = f"{name} (agent {placing.agent.id}) {where_of(setup)}: {change_words(change)}."
    kept = f"The {count(len(placing.now.split()), 'word')} that it has now are kept here, and R restores them."
    yield f"Put it onto {name}?", f"{what}\n{kept}", "Put it there"


def keys_of(*, deciding: bool, writes: bool, back: bool, former: str) -> str:
    """The keys that do something; `former` is what a restore would put back, in words."""
    keys = ["o keeps the agent's · s takes the staged · e words it · n N conflicts"] if deciding else []
    if writes:
        keys.append("enter puts it there" if not deciding else "enter puts it there as decided")
    if back:
        keys.append("c conflicts or the change")
    if former:
        keys.append(f"R restores what was there before ({former})")
    return " · ".join([*keys, "r looks again", "esc closes"])
