"""Growth of the figures with the runs of a list, the turns of a run, the running jobs, and the cached runs.

For each of the four, a table by size is printed, with a fitted exponent per figure: 0 means constant, 1 means
proportional to the size.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import linear_regression, median

from tests.bench.first_frame import Start
from tests.bench.hundred_thousand import bytes_of_twenty
from tests.bench.long_calls import FIRST, RUNS
from tests.bench.many_jobs import SLOW, launch
from tests.bench.row import Options, Row, figure
from tests.bench.servers import Account, cache_list, call_server, demo_server, newest, paused_list
from tests.bench.timed_terminal import TimedTerminal, watch

Figures = dict[str, float]
ROUNDS = 5


def rows(options: Options) -> Iterator[Row]:
    axes: dict[str, tuple[tuple[int, ...], Callable[[Path, int], Figures]]] = {
        "runs": ((100, 1_000, 10_000, 100_000), with_runs),
        "turns": ((10, 100, 1_000, 10_000), with_turns),
        "jobs running": ((1, 10, 100, 500), with_jobs),
        "cached runs": ((0, 500, 5_000, 50_000), with_cached_runs),
    }
    for name, (sizes, measure) in axes.items():
        found = {size: measure(options.place / f"{name}-{size}", size) for size in sizes}
        columns = list(found[sizes[0]])
        points = {column: {size: found[size][column] for size in sizes} for column in columns}
        exponents = {column: exponent(points[column]) for column in columns}
        print(f"\n| {name} | {' | '.join(columns)} |\n|--:|{'--:|' * len(columns)}")
        for size in sizes:
            print(f"| {size:,} | {' | '.join(figure(found[size][column]) for column in columns)} |")
        print(f"| exponent | {' | '.join(f'{exponents[column]:.2f}' for column in columns)} |\n", flush=True)
        for column in columns:
            yield Row(f"growth with {name}: {column}, exponent", "", [exponents[column]], points=points[column])


def exponent(points: Mapping[int, float]) -> float:
    """Slope of the line fitted to the logarithms of size and figure, without zeros; 0 for fewer than two points."""
    logs = [(math.log(size), math.log(value)) for size, value in points.items() if size and value > 0]
    return linear_regression(*zip(*logs, strict=True)).slope if len(logs) > 1 else 0.0


def started(account: Account, *texts: str, args: tuple[str, ...] = (), rounds: int = ROUNDS) -> Figures:
    """Figures of several starts: time to the first frame, bytes, memory and, if the server has a log, requests."""
    start = Start(texts, account.env, args)
    began = time.time()
    for _ in range(rounds):
        start.measure()
    figures = {"first frame, ms": median(start.took), "bytes of a start": median(start.bytes)}
    figures |= {"memory of a start, MB": median(start.memory)}
    if account.log.exists():
        figures |= {"requests of a start": len(account.requests(began)) / rounds}
    return figures


def with_runs(place: Path, size: int) -> Figures:
    """Figures for a list of `size` runs."""
    with demo_server(place, size) as account:
        with paused_list(account, size) as terminal:
            terminal.quit()
        figures = started(account, newest(size), "passed")
        with paused_list(account, size) as terminal:
            began = time.time()
            took = [answer.took for answer in terminal.held("j", "k", 60, min(60, size - 10))]
            terminal.settle()
            asked = len(account.requests(began))
            sent = median([float(bytes_of_twenty(terminal)) for _ in range(3)])
            moved = {"j, ms": median(took), "bytes of 20 × j": sent, "requests of 60 × j": asked}
            figures |= {**moved, "memory at the end, MB": terminal.resident}
            terminal.quit()
    return figures


def with_turns(place: Path, size: int) -> Figures:
    """Figures for a run of `size` turns and a tenth as many verdicts."""
    run = FIRST + RUNS - 1
    with call_server(place, size, max(1, size // 10)) as account:
        figures = started(account, f"opening{run}", args=(str(run),))
        with TimedTerminal(str(run), env=account.env) as terminal:
            terminal.wait(f"opening{run}").settle()
            answers = terminal.held("j", "k", 60, size - 2)
            terminal.settle()
            took, sent = [answer.took for answer in answers], sum(answer.bytes for answer in answers) / 3
            figures |= {"j, ms": median(took), "bytes of 20 × j": sent, "memory at the end, MB": terminal.resident}
            terminal.quit()
    return figures


def with_jobs(place: Path, size: int) -> Figures:
    """Figures for `size` running jobs in the job list."""
    with demo_server(place, 240, *SLOW) as account:
        launch(account, size)
        with TimedTerminal(env=account.env) as terminal:
            terminal.wait("240 runs", "running").settle()
            opened = []
            for _ in range(ROUNDS):
                opened.append(terminal.answer("2").took)
                terminal.pump_all(0.3)
                terminal.press("1").wait("240 runs")
                terminal.pump_all(0.3)
            terminal.press("2")
            terminal.written_within(2.0)
            began = time.time()
            ((sent, core),) = watch([terminal], 10.0)
            asked = len(account.requests(began)) / 10
            figures = {"jobs opened, ms": median(opened), "bytes a second": sent, "% of a core": core}
            figures |= {"requests a second": asked, "memory at the end, MB": terminal.resident}
            terminal.quit()
    return figures


def with_cached_runs(place: Path, size: int) -> Figures:
    """Figures for `size` cached runs. The list shows at most 1,000 of the runs, the rest belong to other lists."""
    listed = min(size, 1_000) or 240
    with demo_server(place, listed) as account:
        if size:
            cache_list(account, listed)
            fill_cache(account.database, size // listed)
            return started(account, newest(listed), "passed")
        empty = [account.with_home(place / f"empty-{n}") for n in range(ROUNDS)]
        figures = [started(one, newest(listed), "passed", rounds=1) for one in empty]
        return {column: median([one[column] for one in figures]) for column in figures[0]}


def fill_cache(database: Path, lists: int) -> None:
    """Copy the cached list to other scopes, so that `lists` lists are cached. The program keeps at most 30 whole lists
    and 30 filtered lists."""
    with sqlite3.connect(database) as sql:
        ((scope,),) = sql.execute("SELECT scope FROM scopes_seen").fetchall()
        for table, columns in (("scopes_seen", "count, got_at"), ("run_rows", "id, row, got_at")):
            sql.executemany(
                f"INSERT INTO {table} (origin, key_id, scope, {columns}) "
                f"SELECT origin, key_id, ?, {columns} FROM {table} WHERE scope = ?",
                [(f"agent_id={n}{' status:completed' if n % 2 else ''}", scope) for n in range(1, lists)],
            )
    sql.close()
