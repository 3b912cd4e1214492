"""Groups of all runs, on the command line and in the app, compared with a full scan of the server's runs.

The scan reads every page of the list and every failed run over HTTP, and groups them with code of its own. A group is
compared by title, runs, failures, the newest run that has ended, and the run since which it fails. Also measured are
requests and the seconds until the first groups are shown and until the groups are whole.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from app_on_a_server import opened, setup_of
from watching import sees

from cekura_tui.model.run.groups import GROUPINGS, Grouping, findings_of, normalised
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.verdict import read_verdicts
from cekura_tui.model.run.view import RunRow, review_of, row_of
from cekura_tui.ui.runs.groups import GroupList, GroupsScreen
from tests.bench.row import Options, Row
from tests.bench.servers import Account, demo_server

SIZES = (240, 10_000)
UNNAMED = ("No failed check reported", "")
Figures = tuple[str, int, int, int | None, int | None]
"""The title of a group, its runs and failures, its newest run that has ended, and the run since which it fails."""


def rows(options: Options) -> Iterator[Row]:
    for size in SIZES:
        with tempfile.TemporaryDirectory() as place, demo_server(Path(place, "demo"), size) as account:
            scanned = _scan(account)
            for by in GROUPINGS:
                expected = _groups(scanned, by)
                yield from _of_command(account, size, by, expected, Path(place, by))
            yield from asyncio.run(_of_app(account, size, _groups(scanned, "verdict"), _groups(scanned, "scenario")))


def _of_command(account: Account, size: int, by: Grouping, expected: list[Figures], home: Path) -> Iterator[Row]:
    began = time.time()
    printed = json.loads(account.with_home(home).command("groups", "--by", by, "--json"))
    took = time.time() - began
    named = [
        (
            one["title"],
            one["runs"],
            max(one["failed"], one["errors"] if one["section"] else 0),
            *map(_id, (one["newest"], one["failing_since"])),
        )
        for one in printed["groups"]
    ]
    name = f"groups --by {by} of {size:,} runs"
    yield Row(f"{name}: unlike the full scan", "", [len(set(named) ^ set(expected))], most=0)
    yield Row(f"{name}: requests", "", [len(account.requests(began))])
    yield Row(f"{name}: whole", "s", [took])


async def _of_app(account: Account, size: int, by_check: list[Figures], by_scenario: list[Figures]) -> list[Row]:
    os.environ["CEKURA_TUI_HOME"] = account.env["CEKURA_TUI_HOME"]
    setup = setup_of(
        account.env["CEKURA_API_URL"], account.env["CEKURA_API_KEY"], int(account.env["CEKURA_PROJECT_ID"])
    )
    name, times = f"b with {size:,} runs", list[float]()
    async with opened(setup) as pilot:
        await sees(pilot, f"{size:,} runs", "of 200 loaded")
        began = time.time()
        await pilot.press("b")
        await sees(pilot, "Groups · ", "provisional: ")
        times.append(time.time() - began)
        unlike = []
        for expected, more in (by_scenario, "b"), (by_check, "bbbb"):
            await pilot.press(*more)
            screen = pilot.app.screen
            assert isinstance(screen, GroupsScreen)
            while screen.provisional or screen._by != screen._grouping.by:  # type: ignore[union-attr] # noqa: ASYNC110
                await asyncio.sleep(0.01)
            times.append(time.time() - began)
            shown = [
                (of.title, of.count, of.failures, of.newest and of.newest.id, of.first_failed and of.first_failed.id)
                for of in (row.group for row in screen.query_one(GroupList).rows)
            ]
            unlike.append(len(set(shown) ^ set(expected)))
    requests = len(account.requests(began))
    return [
        Row(f"{name}: first groups", "s", times[:1]),
        Row(f"{name}: whole by scenario", "s", times[1:2]),
        Row(f"{name}: whole by failed check", "s", times[2:]),
        Row(f"{name}: requests", "", [requests]),
        Row(f"{name}: by scenario and by check unlike the full scan", "", [sum(unlike)], most=0),
    ]


def _id(run: dict[str, Any] | None) -> int | None:
    return run["run"] if run else None


# The full scan


def _scan(account: Account) -> list[tuple[RunRow, list[tuple[str, str]]]]:
    """All runs, newest first, and the names and reasons of the failed verdicts of failed runs."""
    found: list[RunRow] = []
    number = 1
    while True:
        page = _get(account, f"runs/?project_id={account.env['CEKURA_PROJECT_ID']}&page_size=100&page={number}")
        found += [row_of(Run.read(run)) for run in page["results"]]
        if not page["next"]:
            break
        number += 1
    failed = [row.id for row in found if row.outcome.kind == "failed"]
    why: dict[int, list[tuple[str, str]]] = {}
    for start in range(0, len(failed), 50):
        for run in _get(account, f"runs/bulk/?run_ids={','.join(map(str, failed[start : start + 50]))}"):
            verdicts = read_verdicts(full := Run.read(run))
            reasons = findings_of(verdicts, review_of(full, row_of(full, verdicts)))
            why[run["id"]] = [(one.verdict, normalised(one.explanation)) for one in reasons] or [UNNAMED]
    return [(row, why.get(row.id, [])) for row in sorted(found, key=lambda row: (row.at, row.id), reverse=True)]


def _get(account: Account, path: str) -> Any:
    url = f"{account.env['CEKURA_API_URL']}/test_framework/v1/{path}"
    with urlopen(Request(url, headers={"X-CEKURA-API-KEY": account.env["CEKURA_API_KEY"]})) as answer:
        return json.load(answer)


def _groups(scanned: Iterable[tuple[RunRow, list[tuple[str, str]]]], by: Grouping) -> list[Figures]:
    runs: dict[Hashable, list[RunRow]] = defaultdict(list)
    titles: dict[Hashable, str] = {}
    passed: dict[str, int] = {}
    order = {row.id: place for place, (row, _) in enumerate(scanned)}
    for row, why in scanned:
        if row.outcome.kind == "passed":
            passed.setdefault(row.scenario, order[row.id])
        pair = (row.scenario, row.personality)
        of_row: dict[Hashable, str] = {
            "scenario": {row.scenario: row.scenario},
            "personality": {row.personality: row.personality},
            "result": {
                row.result_id: f"Result {row.result_id} · {row.agent}" if row.result_id else f"No result · {row.agent}"
            },
            "pair": {pair: row.scenario},
            "verdict": {one: one[0] for one in why},
        }[by]  # type: ignore[assignment]
        if by == "verdict" and row.outcome.kind == "error":
            of_row = {row.outcome.text: row.outcome.text}
        for key, title in of_row.items():
            titles.setdefault(key, title)
            runs[key].append(row)
    return [(titles[key], *_figures(own, passed if by == "verdict" else None, order)) for key, own in runs.items()]


def _figures(
    own: list[RunRow], passed: dict[str, int] | None, order: dict[int, int]
) -> tuple[int, int, int | None, int | None]:
    kinds = [row.outcome.kind for row in own]
    ended = next((row.id for row in own if row.outcome.kind != "running"), None)
    if passed is None:
        last = kinds.index("passed") if "passed" in kinds else len(own)
        streak = [row.id for row in own[:last] if row.outcome.kind == "failed"]
        return len(own), kinds.count("failed"), ended, streak[-1] if streak else None
    last = min(passed.get(row.scenario, len(order)) for row in own)
    streak = [row.id for row in own if order[row.id] < last and row.outcome.kind == "failed"]
    return len(own), len(own), ended, streak[-1] if streak else None
