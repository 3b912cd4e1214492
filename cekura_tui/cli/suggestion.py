"""`suggestion`: decide on the changes of a suggestion, update the agent's prompt, and restore an earlier prompt."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import click

from cekura_tui.cli.completion import complete_jobs
from cekura_tui.cli.options import AGENT, JOB, F, current_options, json_option, number, path
from cekura_tui.cli.output import ask, can_ask, print_message, put, put_changes, put_json, put_prompt
from cekura_tui.cli.prompts import find_event, history_events
from cekura_tui.cli.script import command
from cekura_tui.model.errors import Exit, UsageError
from cekura_tui.model.text import Prompt, clean, clean_line, clock_text, count, sha256
from cekura_tui.prose.compare import compare
from cekura_tui.prose.lines import change_words, counts, hunk_note
from cekura_tui.prose.merge import conflict_places
from cekura_tui.prose.staging import HunkChoice, wording
from cekura_tui.workspace.prompt_files import (
    check_output,
    read_prompt_file,
    read_text_file,
    without_file_end,
    write_suggestion,
)
from cekura_tui.workspace.setup import refuse_read_only

if TYPE_CHECKING:
    from cekura_tui.prose.diff import Hunk
    from cekura_tui.workspace.agent_prompts import PromptUpdate
    from cekura_tui.workspace.session import Session
    from cekura_tui.workspace.suggestions import OpenedSuggestion, SuggestionReasons

_CONFLICT, _OR, _END = "<<<<<<< conflict", "=======", ">>>>>>> staged"
"""The beginnings of the lines before, between and after the two versions of a conflict."""


@click.group()
def suggestion() -> None:
    """Decide on the changes of a suggestion, and update the agent's prompt."""


_job = click.argument("job", type=JOB, metavar="JOB", shell_complete=complete_jobs)
_change = click.argument("change", type=number("change", "number", 2), metavar="N")
_yes = click.option("--yes", is_flag=True, help="Do not ask.")


def _changes(work: F) -> F:
    every = click.option("--all", "every", is_flag=True, help="All undecided changes; edited text stays.")
    return _job(click.argument("numbers", type=number("change", "number", 2), nargs=-1, metavar="N...")(every(work)))


def _check_changes(numbers: tuple[int, ...], every: bool, **_: object) -> None:
    if bool(numbers) == every:
        raise UsageError("Name the changes by number, or use --all.", "See `suggestion show JOB`.")


@command("show", suggestion, key=False)
@_job
@json_option()
async def show_suggestion(session: Session, job: int, as_json: bool) -> None:
    """List the changes, each with its number, place, reason and decision."""
    opened = await session.suggestions.open(job)
    explained, about = await session.suggestions.explain(opened), opened.suggestion.job
    for problem in explained.problems:
        print_message(problem)
    if as_json:
        whose = {name: about.to_json()[name] for name in ("job", "agent_id", "agent_name", "update")}
        changes = [_change_json(opened, explained, hunk) for hunk in opened.diff.hunks]
        put_json({**whose, "undecided": len(opened.undecided), "changes": changes})
        return
    update = about.update.words(clock_text) if about.update else ""
    put(" · ".join(filter(None, (f"job {job}", about.agent, update, _words(opened)))))
    for hunk in opened.diff.hunks:
        choice = opened.choices.get(hunk.number)
        added, removed = opened.size_of(hunk)
        size = f"{counts(removed, added)} words" if added or removed else ""
        parts = count(len(hunk.parts), "part") if hunk.parts and not hunk.is_folded else ""
        facts = ", ".join(filter(None, (clean_line(hunk.place), size, hunk_note(hunk), parts)))
        put(f"\n{hunk.number}. {choice.what if choice else 'undecided'}: {facts}")
        sides = {"moved": [("←", hunk.new)], "layout": []}.get(hunk.kind, [("−", hunk.old), ("+", hunk.new)])
        typed = (choice.text or "(removed)") if choice and choice.what == "edited" else ""
        for mark, text in (*sides, ("✎", typed)):
            for line in clean(text).splitlines():
                put(f"   {mark} {line}")
        for reason in explained.reasons.get(hunk.key, ()):
            put(f"   {reason.words}")
        if found := opened.own_facts(explained, hunk):
            put(f"   ! specific to this call: {', '.join(fact.words for fact in found)}")


async def _report(session: Session, job: int) -> None:
    print_message(f"job {job}: {_words(await session.suggestions.open(job))}")


def _words(opened: OpenedSuggestion) -> str:
    chosen = Counter[str](choice.what for choice in opened.choices.values())
    decided = [f"{chosen[what]:,} {what}" for what in ("accepted", "rejected", "edited") if chosen[what]]
    words = ", ".join([*decided, f"{len(opened.undecided):,} undecided"])
    return f"{words} · staged {opened.counts.counts} words" if opened.counts.counts else words


def _change_json(opened: OpenedSuggestion, explained: SuggestionReasons, hunk: Hunk) -> dict[str, Any]:
    choice = opened.choices.get(hunk.number)
    shown = {name: getattr(hunk, name) for name in ("number", "place", "kind", "old", "new")}
    shown["added"], shown["removed"] = opened.size_of(hunk)
    shown["note"] = hunk_note(hunk)
    edited = choice.text if choice and choice.what == "edited" else None
    decided = {"decision": choice.what if choice else "undecided", "edited": edited}
    reasons = []
    for one in explained.reasons.get(hunk.key, ()):
        turn = None if one.turn is None else one.turn + 1
        where = {"run": one.run_id, "turn": turn, "start": one.at}
        reasons.append({**where, "verdict": one.verdict, "text": one.text, "sure": one.sure})
    return {**shown, **decided, "parts": len(hunk.parts), "reasons": reasons}


@command("accept", suggestion, key=False, check=_check_changes)
@_changes
async def accept(session: Session, job: int, numbers: tuple[int, ...], every: bool) -> None:
    """Accept changes, by number or all undecided ones."""
    await _decide(session, job, numbers, "accepted")


@command("reject", suggestion, key=False, check=_check_changes)
@_changes
async def reject(session: Session, job: int, numbers: tuple[int, ...], every: bool) -> None:
    """Reject changes, by number or all undecided ones."""
    await _decide(session, job, numbers, "rejected")


async def _decide(session: Session, job: int, numbers: tuple[int, ...], what: Literal["accepted", "rejected"]) -> None:
    """Decide changes in one step, which `undo` undoes as a whole; without numbers, all undecided changes."""
    opened = await session.suggestions.open(job)
    made = {_hunk(opened, one).number: HunkChoice(what) for one in numbers}
    staging = session.staging
    await (staging.choose(job, opened.diff, made) if made else staging.choose_all(job, opened.diff, what))
    await _report(session, job)


def _hunk(opened: OpenedSuggestion, number: int) -> Hunk:
    if 0 < number <= len(opened.diff.hunks):
        return opened.diff.hunks[number - 1]
    job, changes = opened.suggestion.job.number, count(len(opened.diff.hunks), "change")
    raise UsageError(f"Job {job} has {changes}, so no change {number}.", f"See `suggestion show {job}`.")


def _check_input(**given: object) -> None:
    if current_options().api_key_file == "-" and "-" in given.values():
        raise UsageError("Can't read both the key and the text from standard input.", "Give one as a file.")


@command("edit", suggestion, key=False, check=_check_input)
@_job
@_change
@click.option("--text-file", type=path, required=True, metavar="FILE", help="The new text (- for standard input).")
async def edit(session: Session, job: int, change: int, text_file: str) -> None:
    """Replace the text of a change by the text in FILE; an empty text removes the passage.

    Blanks at both ends are kept. One line break at the end of the file is not part of the text.
    """
    opened = await session.suggestions.open(job)
    hunk = _hunk(opened, change)
    if (reason := opened.why_not_edit(hunk)) is not None:
        raise UsageError(reason)
    text = without_file_end(read_text_file(text_file), opened.text_of(hunk))
    await session.staging.choose(job, opened.diff, {change: wording(opened.diff, hunk).choice(text)})
    await _report(session, job)


@command("undo", suggestion, key=False)
@_job
async def undo(session: Session, job: int) -> Exit:
    """Undo the last step, of a command or of a window that has ended. Exits with 3 if there is none."""
    step = await session.staging.undo(job, (await session.suggestions.open(job)).diff)
    for key, text in step.undone_texts.items():
        await session.staging.save_typed(job, key, text)
    elsewhere = " Decisions made in an open window are undone there." if step.after and not step.changed else ""
    print_message(f"{step.undone_words}{elsewhere}")
    return Exit.DONE if step.changed else Exit.NOTHING_TO_DO


@command("split", suggestion, key=False)
@_job
@_change
async def split(session: Session, job: int, change: int) -> None:
    """Split a change into its parts, or join a part with the others. Later changes get other numbers."""
    opened = await session.suggestions.open(job)
    hunk = _hunk(opened, change)
    if (reason := opened.why_not_split(hunk)) is not None:
        raise UsageError(reason)
    key = hunk.whole or hunk.key
    step = await session.staging.split(job, opened.diff, key, joined=bool(hunk.whole))
    now = [str(one.number) for one in step.diff.hunks if key in (one.key, one.whole)]
    print_message(f"Split into changes {', '.join(now)}." if len(now) > 1 else f"Joined as change {now[0]}.")


@command("save", suggestion, key=False)
@_job
@click.option("--out", type=path, required=True, metavar="FILE", help="The file (- for standard output).")
@click.option("--force", is_flag=True, help="Overwrite FILE.")
async def save(session: Session, job: int, out: str, force: bool) -> None:
    """Write the staged prompt to a file, exactly."""
    target, opened = None if out == "-" else check_output(out, force=force), await session.suggestions.open(job)
    if target is None:
        put_prompt(opened.staged)
        return
    more = write_suggestion(target, opened.staged, opened.suggestion, force=force)
    print_message(f"Saved the staged prompt to {target}. {more}".rstrip())


@command("update", suggestion, check=_check_input)
@_job
@_yes
@click.option("--prompt-file", type=path, metavar="FILE", help="The merged prompt, with its conflicts solved.")
async def update(session: Session, job: int, yes: bool, prompt_file: str | None) -> Exit:
    """Update the agent's prompt with the staged prompt, and verify the update.

    Changes made on the agent since the launch are merged. If they conflict, prints the conflicts as JSON and exits with
    1: solve them in `merged`, and give the result as --prompt-file (- for standard input). Exits with 3 if there is
    nothing to update, and with 6 if the update could not be verified.
    """
    from cekura_tui.store.stagings import SHOWN_CONFLICTS

    refuse_read_only(session.setup.read_only, "nothing was written")
    solved = None if prompt_file is None else read_prompt_file(prompt_file)
    if solved is not None and _is_conflicts_json(solved):
        raise UsageError("This is the JSON of the conflicts, not a prompt.", "Give its `merged`, as `jq -r .merged`.")
    if solved is not None and any(line.startswith((_CONFLICT, _END)) for line in solved.splitlines()):
        raise UsageError("The prompt still has marks of conflicts.", "Solve the conflicts, and remove their marks.")
    opened, prompts, stagings = await session.suggestions.open(job), session.agent_prompts, session.store.stagings
    plan = await prompts.preview_update(job, opened.staged)
    name, conflicts = plan.agent.name, plan.merge.conflicts
    basis = f"{sha256(plan.current)} {sha256(opened.staged)}"
    if conflicts and (solved is None or stagings.saved(job).get(SHOWN_CONFLICTS) != basis):
        stagings.save_typed(job, SHOWN_CONFLICTS, basis)
        put_json(_conflicts_json(plan))
        why = "" if solved is None else f"The prompt of {name} or the staged prompt has changed since. "
        print_message(f"{why}{count(len(conflicts), 'conflict')} to solve. Nothing was written to {name}.")
        return Exit.NOT_SUCCEEDED
    if solved is not None and not conflicts and solved != plan.current:
        raise UsageError(f"No change conflicts with the prompt of {name}.", "Leave out --prompt-file.")
    text = solved if solved is not None and conflicts else plan.merge.text({})
    if text == plan.current:
        print_message(f"Nothing to update: {name} has this prompt.")
        return Exit.NOTHING_TO_DO
    left = len(opened.undecided)
    warnings = [*plan.warnings, *([f"Leaves out {count(left, 'undecided change')}."] if left else [])]
    if not await _is_confirmed(f"update the prompt of {name}", plan.current, text, warnings, yes):
        return Exit.NOT_SUCCEEDED
    if (await session.suggestions.open(job)).staged != opened.staged:
        raise UsageError("Another window or command changed the staged prompt, so nothing was written.", "Try again.")
    print_message((await prompts.write(plan, text)).message)
    return Exit.DONE


def _is_conflicts_json(text: str) -> bool:
    try:
        return text.lstrip().startswith("{") and {"conflicts", "merged"} <= json.loads(text).keys()
    except ValueError:
        return False


def _conflicts_json(plan: PromptUpdate) -> dict[str, Any]:
    merge, marked, conflicts = plan.merge, {}, []
    for n, (one, place) in enumerate(zip(merge.conflicts, conflict_places(merge), strict=True), 1):
        conflicts.append({"number": n, "place": place, "sent": one.base, "agent": one.now, "staged": one.staged})
        now, staged = (text if text.endswith("\n") or not text else f"{text}\n" for text in (one.now, one.staged))
        marked[n] = f"\n{_CONFLICT} {n}: on the agent\n{now}{_OR}\n{staged}{_END}\n"
    whose = {"job": plan.job.number, "agent_id": plan.agent.id, "agent_name": plan.agent.name}
    return {**whose, "conflicts": conflicts, "merged": merge.text(marked)}


async def _is_confirmed(does: str, before: Prompt, after: Prompt, warnings: list[str], yes: bool) -> bool:
    """Print the warnings and, unless `yes`, show the changes and ask; raises UsageError without a terminal. `does` says
    what the command does."""
    for warning in warnings:
        print_message(f"Note: {warning}")
    does = f"{clean_line(does)} ({change_words(compare(before, after))} compared with its prompt)"
    if not (yes or can_ask()):
        raise UsageError(f"Nothing was written. This would {does}.", "To do so, add --yes.")
    if yes:
        return True
    put_changes(before, after)
    is_confirmed = await ask(f"{does[0].upper()}{does[1:]}? [y/N]: ") in ("y", "yes")
    if not is_confirmed:
        print_message("Nothing was written.")
    return is_confirmed


@command("restore", suggestion)
@click.argument("agent_id", type=AGENT, metavar="AGENT")
@click.option("--version", metavar="N|SHA256", help="A prompt of `prompts history`; by default, the replaced one.")
@_yes
async def restore(session: Session, agent_id: int, version: str | None, yes: bool) -> Exit:
    """Restore the prompt that the last update replaced, or another one of the history, and verify it.

    Exits with 3 if there is nothing to restore or take back, and with 6 if the prompt could not be verified.
    """
    refuse_read_only(session.setup.read_only, "nothing was restored")
    found = None if version is None else find_event(await history_events(session, agent_id), agent_id, version)
    plan = await session.agent_prompts.preview_restore(agent_id, found.use if found else None)
    does = f"restore a prompt of {plan.agent.name}, of {clock_text(plan.use.at)}"
    if not await _is_confirmed(does, plan.current, plan.text, list(plan.warnings), yes):
        return Exit.NOT_SUCCEEDED
    print_message((await session.agent_prompts.restore(plan)).message)
    return Exit.DONE
