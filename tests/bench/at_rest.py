"""Cost of an idle screen: bytes and CPU share in the first minute, and in the four seconds after a key."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.row import Options, Row
from tests.bench.servers import IMPROVED, demo_server
from tests.bench.timed_terminal import TimedTerminal, environment, hello, watch

WINDOW, AFTER_KEY = 6.0, 4.0
MOST_CORE = 0.2
"""Limit of the CPU share of an idle screen, in percent of a core."""


def rows(options: Options) -> Iterator[Row]:
    """Measure a live run list, a run, the demo and the bare app at the same time, each in its own process."""
    with (
        demo_server(options.place / "rest") as account,
        TimedTerminal(env=account.env) as listed,
        TimedTerminal(str(IMPROVED), env=account.with_home(options.place / "run").env) as run,
        TimedTerminal("--demo", env=environment(options.place / "demo")) as demo,
        hello(env=account.env) as bare,
    ):
        terminals = {"list of runs": listed, "run": run, "list of runs, --demo": demo, "bare app": bare}
        listed.wait("240 runs", "live")
        run.wait(f"Run {IMPROVED}", "Transcript")
        demo.wait("240 runs", "live")
        for one in terminals.values():
            one.settle()
        watched = [watch([*terminals.values()], WINDOW) for _ in range(max(5, min(options.repeat, 7)))]
        for (name, one), figures in zip(terminals.items(), zip(*watched, strict=True), strict=True):
            sent, core = zip(*figures, strict=True)
            # The demo's process includes its server, so the limit does not apply to it.
            most = MOST_CORE if one in (listed, run) else None
            still = None if one is bare else 0
            yield Row(f"still, first minute, {name}: bytes a second", "B/s", sent, most=still, most_95=still)
            yield Row(f"still, first minute, {name}: of a core", "%", core, most=most)
        after = []
        for n in range(5):
            for one in (listed, demo):
                one.press("jk"[n % 2])
            for one in (listed, demo):
                one.settle()
            after.append(watch([listed, demo], AFTER_KEY))
        for name, shares in zip(("list of runs", "list of runs, --demo"), zip(*after, strict=True), strict=True):
            of_core = [share for _, share in shares]
            most = MOST_CORE if name == "list of runs" else None
            yield Row(f"still, four seconds after a key, {name}: of a core", "%", of_core, most=most)
        listed.quit()
