"""`test`: call the scenarios of runs again; with --wait, compare the calls before and after."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

import click

from cekura_tui.cli.completion import complete_jobs
from cekura_tui.cli.options import JOB, RUN, current_options, json_option, number
from cekura_tui.cli.output import ask, can_ask, print_message, printing, put, put_json, put_table
from cekura_tui.cli.script import command, mark_seen, state_line, wait_for_jobs
from cekura_tui.model.errors import Exit, UsageError
from cekura_tui.model.job import DEFAULT_KIND, Job, JobState
from cekura_tui.model.scenario_test import DEFAULT_TIMES, KIND_NAME, MAX_TIMES, WAYS, LaunchSettings, live_words
from cekura_tui.model.text import clean_line, count
from cekura_tui.workspace.setup import refuse_read_only

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cekura_tui.model.scenario_test import LiveAnswer
    from cekura_tui.workspace.scenario_tests import PromptTest, ScenarioPlan
    from cekura_tui.workspace.session import Session

LATE_VERDICTS = 600.0
"""Seconds to wait for the verdicts of calls after Cekura reported the end of a test."""
LOOK_AGAIN = 3.0
"""Seconds between two looks for late verdicts."""
Share = tuple[int, int]
USUAL: Share = (4, 5)
"""The pass rate that each scenario needs: at least 4 of every 5 calls."""
_OF_WAIT = {
    "within": "--timeout",
    "threshold": "--threshold",
    "no_newly_failing": "--no-newly-failing",
    "as_markdown": "--markdown",
}


def share(text: str) -> Share:
    """A parameter type for a pass rate such as 3/4."""
    passed, slash, n = text.partition("/")
    if slash and all(part.isascii() and part.isdecimal() and len(part) < 6 for part in (passed, n)):
        rate = int(passed), int(n)
        if rate[0] <= rate[1] != 0:
            return rate
    raise click.BadParameter(f"“{clean_line(text, 40)}” is not a pass rate; use one such as 3/4.")


def _check(
    run_ids: tuple[int, ...], result: int | None, job: int | None, way: str | None, target: str | None, **given: object
) -> None:
    if bool(run_ids) + (result is not None) + (job is not None) != 1:
        raise UsageError("Name what to test: runs, --result or --job.", "Use one of them.")
    if target and way and not WAYS[way].target:
        raise UsageError(f"Calls by {WAYS[way].label} take no other agent's id.", "Leave --target out.")
    if given["as_json"] and given["as_markdown"]:
        raise UsageError("Use only one of --json and --markdown.")
    for name, flag in _OF_WAIT.items():
        if not given["wait"] and given[name] not in (None, False):
            raise UsageError(f"{flag} needs --wait.", "Add --wait.")
    if given["end_calls"] and given["within"] is None:
        raise UsageError("--end-calls needs --timeout.", "Add --timeout S.")


@command("test", check=_check)
@click.argument("run_ids", type=RUN, nargs=-1, metavar="[RUN_ID]...")
@click.option("--result", type=number("result"), metavar="ID", help="Call the scenarios of this result.")
@click.option(
    "--job",
    type=JOB,
    metavar="ID",
    shell_complete=complete_jobs,
    help="Test the suggestion of this job: call the scenarios of its runs.",
)
@click.option("--before", is_flag=True, help="Test the agent's current prompt, before you update it.")
@click.option("--also-passed", is_flag=True, help="Also call scenarios that passed, of the whole result.")
@click.option(
    "--times", type=click.IntRange(1, MAX_TIMES), default=DEFAULT_TIMES, metavar="N", help="Calls of each scenario (4)."
)
@click.option("--way", type=click.Choice(list(WAYS)), help="How to call the agent; by default as before.")
@click.option("--target", metavar="ID", help="Call a staging agent, by its id at the provider.")
@click.option("--at-once", type=click.IntRange(min=1), metavar="N", help="Maximum number of calls at once.")
@click.option("--name", metavar="TEXT", help="The name of the new result.")
@click.option(
    "--live",
    type=click.Choice(["yes", "no"]),
    help="Whether the prompt is published at the agent's provider; `no` tests anyway.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--wait", is_flag=True, help="Wait until all calls end, and compare before and after.")
@click.option(
    "--timeout",
    "within",
    type=click.FloatRange(min=0),
    metavar="S",
    help="With --wait: stop waiting S seconds after the launch.",
)
@click.option("--end-calls", is_flag=True, help="With --timeout: end the calls that still run then.")
@click.option(
    "--threshold", type=share, metavar="M/N", help="With --wait: the pass rate that each scenario needs (4/5)."
)
@click.option("--no-newly-failing", is_flag=True, help="With --wait: also fail if a scenario is worse than before.")
@click.option("--markdown", "as_markdown", is_flag=True, help="With --wait: print Markdown for a pull request.")
@json_option()
async def test(
    session: Session,
    run_ids: tuple[int, ...],
    result: int | None,
    job: int | None,
    before: bool,
    also_passed: bool,
    times: int,
    way: str | None,
    target: str | None,
    at_once: int | None,
    name: str | None,
    live: str | None,
    yes: bool,
    wait: bool,
    within: float | None,
    end_calls: bool,
    threshold: Share | None,
    no_newly_failing: bool,
    as_markdown: bool,
    as_json: bool,
) -> Exit:
    """Call the failed scenarios of runs again, to compare an agent's prompt before and after. Costs credits.

    Shows the calls and their cost, and asks; without a terminal, --yes is needed. Prints the numbers of the launched
    jobs. With --wait, prints the comparison and exits with 0 if enough calls of each scenario passed, 1 if not, 3 if no
    call took place, and 5 if calls still run. Calls that did not take place are no passes.
    """
    from asyncio import CancelledError

    from cekura_tui.workspace.scenario_tests import LaunchChoice, cost_words, planned_launches

    refuse_read_only(session.setup.read_only, "nothing was called")
    improved = None if job is None else await session.jobs.get(job)
    if improved is not None and improved.kind != DEFAULT_KIND:
        raise UsageError(f"Job {job} is a test.", "Name the job whose suggestion to test.")
    plan = await session.tests.plan(run_ids, result=result, job=job, before=before, also_passed=also_passed)
    if not plan.ways:
        print_message(f"No way is known to call {plan.agent.name}. Nothing was called.")
        return Exit.NO_CALLS
    usable = {one.key: one for one in plan.ways}
    if way is not None and way not in usable:
        raise UsageError(f"{plan.agent.name} can't be called by {WAYS[way].label}.", f"Use --way {', '.join(usable)}.")
    chosen = tuple(one.id for one in plan.scenarios if also_passed or one.id in plan.failing)
    answer = _live_answer(plan, live)
    choice = LaunchChoice(chosen, answer, way or plan.ways[0].key, times, at_once, target or "", name or "")
    launches = planned_launches(plan, choice)
    notes = [plan.drift, *plan.notes]
    if improved is not None and not before and (improved.update is None or improved.update.state != "current"):
        notes.append(f"The agent does not have the prompt of job {job}; see `suggestion update {job}`.")
    if plan.asks_restart and not before:
        notes.append("The agent may read its prompt only when it starts. Restart the agent first.")
    for launch in launches:
        print_message(_planned_words(plan, launch))
    for planned in plan.scenarios:
        notes += [f"{planned.name}: {note}" for note in planned.notes if planned.id in chosen]
    for note in filter(None, notes):
        print_message(f"Note: {note}")
    print_message(live_words(answer, plan.agent.provider))
    calls, cost = sum(one.calls for one in launches), cost_words(launches, plan.credits_left)
    if not yes and not can_ask():
        raise UsageError(f"Nothing was called. This would make {cost}.", "To call, add --yes.")
    print_message(cost)
    if not yes and not await _is_confirmed(calls, session.setup.settings.max_test_calls):
        print_message("Nothing was called.")
        return Exit.NOT_SUCCEEDED
    start = time.monotonic()
    try:
        jobs = await session.tests.launch(plan, choice)
    except CancelledError:
        shows = f"To see the job's state, run `{current_options().command_line('jobs list')}`."
        print_message(f"Interrupted before the server's answer was recorded. {shows}")
        raise
    numbers = [one.number for one in jobs]
    later = current_options().command_line(f"jobs wait {' '.join(map(str, numbers))}")
    launched = f"{count(calls, 'call')} launched. To wait for the end, run `{later}`."
    if not wait:
        print_message("\n".join([*map(state_line, jobs), launched]))
        with printing(launched):
            if as_json:
                put_json((await session.tests.report(numbers[0])).to_json())
            else:
                put("\n".join(map(str, numbers)))
        return Exit.DONE if all(one.state.active for one in jobs) else Exit.NOT_SUCCEEDED
    try:
        done = await follow(session, numbers, None if within is None else start + within)
        status = status_of(done, threshold or USUAL, no_newly_failing=no_newly_failing)
        if status == Exit.NOT_ENDED:
            print_message(
                f"Timed out. {await _end_calls(session, done) if end_calls else f'The calls continue. {launched}'}"
            )
    except CancelledError:
        print_message(f"Interrupted. The calls continue. {launched}")
        raise
    with printing(launched):
        await put_test(session, done, as_json=as_json, as_markdown=as_markdown)
    for one in done.jobs:
        await mark_seen(session, one.number)
    return status


def _live_answer(plan: ScenarioPlan, given: str | None) -> LiveAnswer:
    """Which prompt answers the calls; raises UsageError if only the user knows, and did not say so."""
    if given is not None and plan.asks_live:
        return "published" if given == "yes" else "anyway"
    if plan.live is None:
        raise UsageError(
            f"The calls use the prompt at {clean_line(plan.agent.provider, 40)}, which may not be Cekura's.",
            "Publish the prompt there and add --live yes, or test anyway with --live no.",
        )
    return plan.live


def _planned_words(plan: ScenarioPlan, launch: LaunchSettings) -> str:
    """A launch in words: "By Telephone, 4 calls each: Refund (0 of 3 passed)"."""
    named = [f"{one.name} ({one.former_words})" for one in plan.scenarios if one.id in launch.scenarios]
    each = f"{count(launch.times, 'call')} each"
    return f"By {WAYS[launch.way].label}, {each}: {', '.join(clean_line(name, 90) for name in named)}"


async def _is_confirmed(calls: int, limit: int) -> bool:
    if calls > limit:
        return await ask(f"More than {limit} calls. To launch, type the number of calls: ") == str(calls)
    return await ask("Launch? [y/N]: ") in ("y", "yes")


async def _end_calls(session: Session, done: PromptTest) -> str:
    for job in done.jobs:
        if job.state == JobState.RUNNING:
            await session.tests.end_calls(job.number)
    return "The calls were ended."


async def follow(session: Session, numbers: Sequence[int], end: float | None) -> PromptTest:
    """Wait until all calls of a test have ended and have verdicts, at most until `end` (monotonic), and return the
    test. `numbers` are jobs of the test."""
    import asyncio

    await wait_for_jobs(session, numbers, None if end is None else max(0.0, end - time.monotonic()))
    last = min(time.monotonic() + LATE_VERDICTS, end or float("inf"))
    while True:
        done = await session.tests.report(numbers[0])
        if not any(line.after.waiting for line in done.comparison.lines) or time.monotonic() >= last:
            return done
        await asyncio.sleep(LOOK_AGAIN)


def status_of(done: PromptTest, threshold: Share = USUAL, *, no_newly_failing: bool = False) -> Exit:
    """The exit status of a test: DONE if the pass rate of each scenario reaches the threshold. A call that did not take
    place counts as not passed. With `no_newly_failing`, no scenario may be worse than before either."""
    lines = done.comparison.lines
    if any(job.state.active for job in done.jobs) or any(line.after.waiting for line in lines):
        return Exit.NOT_ENDED
    if not all(job.state.final for job in done.jobs):
        return Exit.NOT_SUCCEEDED
    if not any(line.after.counted for line in lines):
        return Exit.NO_CALLS
    called, passed = Counter[int | None](), Counter[int | None]()
    for line in lines:
        called[line.scenario] += len(line.after.run_ids)
        passed[line.scenario] += line.after.passed
    for launch in (LaunchSettings.of(job.parameters) for job in done.jobs):
        for scenario in launch.scenarios:
            called[scenario] = max(called[scenario], launch.times)
    met = all(passed[one] * threshold[1] >= called[one] * threshold[0] for one in called)
    worse = no_newly_failing and any(line.became in ("newly failing", "worse") for line in lines)
    ended = done.is_final and all(job.state == JobState.SUCCEEDED for job in done.jobs)
    return Exit.DONE if met and ended and not worse else Exit.NOT_SUCCEEDED


def is_launched_test(job: Job) -> bool:
    return job.kind == KIND_NAME and job.state != JobState.DRAFT


async def put_test(session: Session, done: PromptTest, *, as_json: bool = False, as_markdown: bool = False) -> None:
    if as_json:
        put_json(done.to_json())
    elif as_markdown:
        put((await session.tests.markdown(done, session.setup.settings.dashboard_url)).rstrip("\n"))
    else:
        _put_comparison(done)


def _put_comparison(done: PromptTest) -> None:
    from cekura_tui.model.before_after import summary_words

    result = done.comparison
    put_table(
        ("SCENARIO", "BEFORE", "AFTER", "RESULT"),
        [(clean_line(line.name, 50), line.before.words, line.after.words, line.became) for line in result.lines],
    )
    for line in result.lines:
        put(f"\n{line.name}\n  {line.sentence}")
        for check in line.checks:
            put(f"  {check.words}")
    before, now = result.passing
    put(f"\n{summary_words(result)}")
    put(f"Passing scenarios: {now} of {result.compared}; before: {before}.")
    unchanged = "No outcome changed: is the new prompt live?" if result.unchanged and not done.settings.before else ""
    for text in (live_words(done.settings.live, done.settings.provider), done.version, unchanged):
        if text:
            put(text)
