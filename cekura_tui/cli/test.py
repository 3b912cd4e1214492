"""`test`: call the scenarios of runs again; with --wait, compare the calls before and after."""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from cekura_tui.cli.completion import complete_jobs
from cekura_tui.cli.options import JOB, RUN, SECONDS, current_options, number
from cekura_tui.cli.output import ask, can_ask, print_error, print_message, printing, put, put_json, put_table
from cekura_tui.cli.script import command, mark_seen, wait_for_jobs
from cekura_tui.model.errors import CekuraTuiError, Exit, UsageError
from cekura_tui.model.job import Job, JobState
from cekura_tui.model.scenario_test import (
    DEFAULT_TIMES,
    KIND_NAME,
    MAX_TIMES,
    WAYS,
    LaunchSettings,
    LiveAnswer,
    live_words,
    provider_name,
)
from cekura_tui.model.text import clean_line, count
from cekura_tui.workspace.setup import refuse_read_only

if TYPE_CHECKING:
    from cekura_tui.workspace.scenario_tests import PromptTest, ScenarioPlan
    from cekura_tui.workspace.session import Session

LATE_VERDICTS, LOOK_AGAIN = 600.0, 3.0
"""Seconds to wait for verdicts after Cekura reported the end of a test, and between two requests for verdicts."""
USUAL = (4, 5)
"""The pass rate that each scenario needs: at least 4 of every 5 calls."""
_LIVE: dict[str | None, LiveAnswer] = {"yes": "published", "no": "anyway"}


def pass_rate(text: str) -> tuple[int, int]:
    found = re.fullmatch("([0-9]{1,5})/([0-9]{1,5})", text)
    if found and int(found[1]) <= int(found[2]) != 0:
        return int(found[1]), int(found[2])
    raise click.BadParameter(f"“{clean_line(text, 40)}” is not a pass rate; use one such as 3/4.")


def _check(run_ids: tuple[int, ...], job: int | None, way: str | None, **given: Any) -> None:
    if bool(run_ids) + (given["result"] is not None) + (job is not None) != 1:
        raise UsageError("Name what to test: runs, --result or --job.", "Use one of them.")
    if given["target"] and way and not WAYS[way].target:
        raise UsageError(f"Calls by {WAYS[way].label} take no other agent's id.", "Leave --target out.")
    if given["json"] and given["markdown"]:
        raise UsageError("Use only one of --json and --markdown.")
    for name in ("timeout", "threshold", "no_newly_failing", "json", "markdown"):
        if not given["wait"] and given[name] not in (None, False):
            raise UsageError(f"--{name.replace('_', '-')} needs --wait.", "Add --wait.")
    if given["end_calls"] and given["timeout"] is None:
        raise UsageError("--end-calls needs --timeout.", "Add --timeout S.")


END_TIMEOUT = 10.0
"""Seconds that `--end-calls` waits for the calls to end."""
_TIMES = click.IntRange(1, MAX_TIMES)


@command("test", check=_check)
@click.argument("run_ids", type=RUN, nargs=-1, metavar="[RUN_ID]...")
@click.option("--result", type=number("result"), metavar="ID", help="Call the scenarios of this result.")
@click.option("--job", type=JOB, metavar="ID", shell_complete=complete_jobs, help="Test the suggestion of this job.")
@click.option("--before", is_flag=True, help="Test the agent's current prompt, before you update it.")
@click.option("--also-passed", is_flag=True, help="Also call scenarios that passed, of the whole result.")
@click.option("--times", type=_TIMES, default=DEFAULT_TIMES, metavar="N", help="Calls of each scenario (4).")
@click.option("--way", type=click.Choice(list(WAYS)), help="How to call the agent; by default as before.")
@click.option("--target", metavar="ID", help="Call a staging agent, by its id at the provider.")
@click.option("--at-once", type=click.IntRange(min=1), metavar="N", help="Maximum number of calls at once.")
@click.option("--name", metavar="TEXT", help="The name of the new result.")
@click.option("--live", type=click.Choice(["yes", "no"]), help="Is the prompt published at the agent's provider?")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--wait", is_flag=True, help="Wait until all calls end, and compare before and after.")
@click.option("--timeout", type=SECONDS, metavar="S", help="With --wait: stop waiting S seconds after the launch.")
@click.option("--end-calls", is_flag=True, help="With --timeout: end the calls that still run then.")
@click.option("--threshold", type=pass_rate, metavar="M/N", help="With --wait: the needed pass rate (4/5).")
@click.option("--no-newly-failing", is_flag=True, help="With --wait: also fail if a scenario is worse than before.")
@click.option("--markdown", is_flag=True, help="With --wait: print Markdown for a pull request.")
@click.option("--json", is_flag=True, help="With --wait: print one JSON object.")
async def test(session: Session, run_ids: tuple[int, ...], job: int | None, way: str | None, **given: Any) -> Exit:
    """Call the failed scenarios of runs again, to compare an agent's prompt before and after. Costs credits.

    Shows the calls and their cost, and asks; without a terminal, --yes is needed. Prints the numbers of the launched
    jobs. With --wait, prints the comparison and exits with 0 if enough calls of each scenario passed, 1 if not, 3 if no
    call took place, and 5 if calls still run. Calls that did not take place are no passes.
    """
    from asyncio import CancelledError

    from cekura_tui.workspace.scenario_tests import LaunchChoice, cost_words, planned_launches

    refuse_read_only(session.setup.read_only, "nothing was called")
    sources = {name: given[name] for name in ("result", "before", "also_passed")}
    plan = await session.tests.plan(run_ids, job=job, **sources)
    if not plan.ways:
        print_message(f"No way is known to call {plan.agent.name}. Nothing was called.")
        return Exit.NO_CALLS
    if way and WAYS[way] not in plan.ways:
        ways = ", ".join(one.key for one in plan.ways)
        raise UsageError(f"{plan.agent.name} can't be called by {WAYS[way].label}.", f"Use --way {ways}.")
    live = _LIVE.get(given["live"], plan.live) if plan.asks_live else plan.live
    if live is None:
        raise UsageError(
            f"The calls use the prompt at {provider_name(plan.agent.provider)}, which may not be Cekura's.",
            "Publish the prompt there and add --live yes, or test anyway with --live no.",
        )
    scenarios = tuple(one.id for one in plan.scenarios if given["also_passed"] or one.id in plan.failing)
    settings = given["times"], given["at_once"], given["target"] or "", given["name"] or ""
    choice = LaunchChoice(scenarios, live, way or plan.ways[0].key, *settings)
    launches = planned_launches(plan, choice)
    calls, cost = sum(one.calls for one in launches), cost_words(launches, plan.credits_left)
    print_message("\n".join([*(_planned_words(plan, one) for one in launches), live_words(live, plan.agent.provider)]))
    notes = [plan.drift, *plan.notes]
    notes += [f"{one.name}: {note}" for one in plan.scenarios if one.id in scenarios for note in one.notes]
    notes += ["Restart the agent first if it reads its prompt only then."] if plan.asks_restart else []
    for note in filter(None, notes):
        print_message(f"Note: {note}")
    if given["yes"]:
        print_message(cost)
    elif not await _is_confirmed(calls, cost, session.setup.settings.max_test_calls):
        print_message("Nothing was called.")
        return Exit.NOT_SUCCEEDED
    try:
        jobs = await session.tests.launch(plan, choice)
    except CancelledError:
        shows = f"To see the job's state, run `{current_options().command_line('jobs list')}`."
        print_message(f"Interrupted before the server's answer was recorded. {shows}")
        raise
    numbers = [one.number for one in jobs]
    later = current_options().command_line(f"jobs wait {' '.join(map(str, numbers))}")
    launched = f"{count(calls, 'call')} requested. To wait for the end later, run `{later}`."
    print_message(launched)
    if not given["wait"]:
        jobs = await wait_for_jobs(session, numbers, 0.0)  # prints the states
        with printing(launched):
            put("\n".join(map(str, numbers)))
        return Exit.DONE if all(one.progress_id for one in jobs) else Exit.NOT_SUCCEEDED
    done = await follow(session, numbers, given["timeout"])
    threshold = given["threshold"] or USUAL
    status = status_of(done, threshold, no_newly_failing=given["no_newly_failing"], say=print_message)
    if status == Exit.NOT_ENDED:
        became = "were ended" if given["end_calls"] else "continue"
        for one in done.jobs if given["end_calls"] else ():
            try:
                if one.state == JobState.RUNNING:
                    await session.tests.end_calls(one.number)
            except CekuraTuiError as error:
                became = "may continue"
                print_error(error)
        if became == "were ended":
            done = await follow(session, numbers, END_TIMEOUT)
        print_message(f"Timed out. The calls {became}.")
    with printing(launched):
        if given["json"]:
            put_json(done.to_json())
        else:
            await put_test(session, done, markdown=given["markdown"])
    for one in done.jobs:
        await mark_seen(session, one.number)
    return status


def _planned_words(plan: ScenarioPlan, launch: LaunchSettings) -> str:
    """A launch in words: "By Telephone, 4 calls each: Refund (0 of 3 passed)"."""
    named = [f"{one.name} ({one.former_words})" for one in plan.scenarios if one.id in launch.scenarios]
    each = f"{count(launch.times, 'call')} each"
    return f"By {WAYS[launch.way].label}, {each}: {', '.join(clean_line(name, 90) for name in named)}"


async def _is_confirmed(calls: int, cost: str, limit: int) -> bool:
    """Ask whether to launch; above the limit, ask for the number of calls. Raises UsageError without a terminal."""
    if not can_ask():
        raise UsageError(f"Nothing was called. This would make {cost}.", "To call, add --yes.")
    if calls > limit:
        return await ask(f"{cost}. More than {limit} calls: to launch, type their number: ") == str(calls)
    return await ask(f"{cost}. Launch? [y/N]: ") in ("y", "yes")


async def follow(session: Session, numbers: Sequence[int], within: float | None) -> PromptTest:
    """Wait until the calls of the test with these jobs have verdicts, at most `within` seconds; return the test."""
    import asyncio

    end = math.inf if within is None else time.monotonic() + within
    await wait_for_jobs(session, numbers, within)
    last = min(time.monotonic() + LATE_VERDICTS, end)
    while True:
        done = await session.tests.report(numbers[0])
        if not any(line.after.waiting for line in done.comparison.lines) or time.monotonic() >= last:
            return done
        await asyncio.sleep(LOOK_AGAIN)


def status_of(
    done: PromptTest,
    threshold: tuple[int, int] = USUAL,
    *,
    no_newly_failing: bool = False,
    say: Callable[[str], object] = lambda text: None,
) -> Exit:
    """The exit status of a test: DONE if the pass rate of each scenario reaches the threshold. A call that did not take
    place counts as not passed. With `no_newly_failing`, no scenario may be worse than before either. `say` gets a
    sentence about each scenario that fails the check."""
    lines = done.comparison.lines
    if any(job.state.active for job in done.jobs) or any(line.after.waiting for line in lines):
        return Exit.NOT_ENDED
    if all(job.state.final for job in done.jobs) and not any(line.after.counted for line in lines):
        return Exit.NO_CALLS
    called, made, passed = (Counter[int | None]() for _ in range(3))
    for launch in (LaunchSettings.of(job.parameters) for job in done.jobs):
        called |= Counter(dict.fromkeys(launch.scenarios, launch.times))
    for line in lines:
        made[line.scenario] += len(line.after.run_ids)
        passed[line.scenario] += line.after.passed
    names, (least, of) = {line.scenario: line.name for line in lines}, threshold
    failed = [
        f"{names.get(one, one)}: {passed[one]} of {calls} calls passed, fewer than {least} of {of}."
        for one, calls in (called | made).items()
        if passed[one] * of < calls * least
    ]
    worse = [line for line in lines if line.became in ("newly failing", "worse")] if no_newly_failing else []
    for sentence in (*failed, *(f"{line.name} is {line.became}." for line in worse)):
        say(sentence)
    ended = all(job.state == JobState.SUCCEEDED for job in done.jobs)
    return Exit.DONE if ended and not (failed or worse) else Exit.NOT_SUCCEEDED


async def test_of(session: Session, job: Job) -> PromptTest | None:
    """A launched test with its calls; None for another job or, with a message, if the server does not send the runs."""
    from cekura_tui.api.errors import ApiError

    try:
        return await session.tests.report(job.number) if job.kind == KIND_NAME and job.state != "draft" else None
    except ApiError as error:
        print_error(error)
        return None


async def put_test(session: Session, done: PromptTest, *, markdown: bool = False) -> None:
    from cekura_tui.model.before_after import summary_words

    if markdown:
        put((await session.tests.markdown(done, session.setup.settings.dashboard_url)).rstrip("\n"))
        return
    result, own = done.comparison, done.settings
    rows = [(clean_line(line.name, 50), line.before.words, line.after.words, line.became) for line in result.lines]
    put_table(("SCENARIO", "BEFORE", "AFTER", "RESULT"), rows)
    for line in result.lines:
        put("\n  ".join([f"\n{line.name}", line.sentence, *(check.words for check in line.checks)]))
    put(f"\n{summary_words(result)}")
    before, now = result.passing
    put(f"Passing scenarios: {now} of {result.compared}; before: {before} of {result.compared}.")
    unchanged = "No outcome changed: is the new prompt live?" if result.unchanged and not own.before else ""
    put("\n".join(filter(None, (done.live, done.version, unchanged))))
