"""`groups`: group runs by what failed, and show since when."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import click

from cekura_tui.cli.options import json_option
from cekura_tui.cli.output import ProgressLine, print_message, put, put_json
from cekura_tui.cli.runs import FilterCommand, filter_argument, limit_option, load_whole, read_matching
from cekura_tui.cli.script import command
from cekura_tui.model.run.groups import (
    BROKEN,
    GROUPING_WORDS,
    Finding,
    Group,
    Grouping,
    RunGroups,
    filters_by_outcome,
    group_runs,
    percent,
    section_words,
    since_words,
)
from cekura_tui.model.run.outcome import MARKS, Kind
from cekura_tui.model.run.words import iso_time
from cekura_tui.model.text import clean_line, clock_text, count

if TYPE_CHECKING:
    from cekura_tui.model.errors import CekuraTuiError
    from cekura_tui.model.filter.filter import Filter
    from cekura_tui.model.json_shapes import GroupJson, GroupsJson, RunAtJson
    from cekura_tui.model.run.run import Run
    from cekura_tui.model.run.view import RunRow
    from cekura_tui.workspace.session import Session

_MOST_IDS = 10
"""Maximum number of run ids listed for a group."""


@command("groups", cls=FilterCommand)
@filter_argument()
@click.option(
    "--by",
    "how",
    type=click.Choice(("verdict", "scenario", "personality", "result", "pair")),
    default="verdict",
    show_default=True,
    help="What the runs of a group have in common; a pair is scenario and personality.",
)
@limit_option(None, "Group only the newest N runs.")
@json_option()
async def groups(session: Session, wanted: Filter, how: str, limit: int | None, as_json: bool) -> None:
    """Group runs by what failed, most failures first.

    With a filter, only matching runs are grouped; `runs list --help` explains its terms.
    """
    found: list[tuple[Run | None, RunRow]] = []
    read = await read_matching(session, wanted, limit or sys.maxsize, found.extend, progress=ProgressLine())
    rows = [row for _, row in found]
    failed = [row.id for row in rows if row.outcome.kind == "failed"]
    findings: dict[int, tuple[Finding, ...] | None] = {}
    error: CekuraTuiError | None = None
    if how == "verdict":
        findings, error = await load_whole(session, failed, fresh=False)
    grouping = group_runs(rows, cast("Grouping", how), findings)
    # A filter by outcome hides runs that passed in between.
    since = not filters_by_outcome(wanted)
    if as_json:
        whole: GroupsJson = {
            "by": grouping.by,
            "runs": len(rows),
            "complete": read.complete,
            "failed": grouping.failed,
            "errors": grouping.errors,
            "reasons_missing": sum(findings.get(number) is None for number in failed) if how == "verdict" else 0,
            "groups": [_group_json(group, since) for group in grouping.groups],
        }
        put_json(whole)
    else:
        if not since:
            print_message("Failing since when is not known: the filter leaves out runs with other outcomes.")
        _put_text(grouping, len(rows), since=since)
    print_message(f"{read.words}, {count(session.client.sent, 'request')}")
    if error is not None:
        raise error  # after printing the groups


def _put_text(grouping: RunGroups, runs: int, *, since: bool) -> None:
    by = GROUPING_WORDS[grouping.by].replace("×", "and")
    put(f"By {by}: {grouping.failed:,} failed, {count(grouping.errors, 'error')} in {count(runs, 'run')}")
    section = ""
    for group in grouping.groups:
        if group.section != section:
            section = group.section
            name, of_section = section_words(grouping, section)
            put(f"\n{name}: {of_section}")
        put("\n" + "\n  ".join(_lines(group, since)))


def _lines(group: Group, since: bool) -> Iterator[str]:
    of = "errors" if group.section == BROKEN else "failures"
    yield f"{clean_line(group.title)}: {count(group.count, 'run')}, {percent(group.share)} of all {of}"
    if group.detail:
        detail = clean_line(group.detail)
        yield f"personality: {detail}" if group.key[0] == "pair" else f"why: {detail}" if group.section else detail
    if group.key[0] == "pair" and (group.failed or group.errors):
        yield f"failed: {group.failed:,}, errors: {group.errors:,}"
    if since and (words := since_words(group, _when)):
        yield words
    if outcomes := _outcomes(group):
        yield f"outcomes, newest last: {', '.join(outcomes)}"
    if newest := group.newest:
        yield ", ".join(filter(None, (f"newest: run {newest.id}", newest.outcome.kind, _when(newest.at))))
    if group.terms:
        yield f"filter: {group.filter_text}"
    else:
        more = f" and {group.count - _MOST_IDS:,} more" if group.count > _MOST_IDS else ""
        yield f"runs: {' '.join(map(str, group.run_ids[:_MOST_IDS]))}{more}"


def _when(at: float | None) -> str:
    return "" if at is None else clock_text(at)


def _outcomes(group: Group) -> list[Kind]:
    kinds = {mark: kind for kind, mark in MARKS.items()}
    return [kinds[mark] for mark in group.strip]


def _group_json(group: Group, since: bool) -> GroupJson:
    def run_at(row: RunRow | None) -> RunAtJson | None:
        return {"run": row.id, "at": iso_time(row.at) or None} if row else None

    return {
        "section": group.section,
        "title": group.title,
        "detail": group.detail,
        "runs": group.count,
        "failed": group.failed,
        "errors": group.errors,
        "share": group.share,
        "newest": run_at(group.newest),
        "failing": group.first_failed is not None if since else None,
        "failing_since": run_at(group.first_failed if since else None),
        "last_failed": run_at(group.last_failed),
        "outcomes": _outcomes(group),
        "run_ids": list(group.run_ids),
        "filter": group.filter_text,
    }
