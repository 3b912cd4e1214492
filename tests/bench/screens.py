"""Opening screens and dialogs and coming back: time to the last byte, frames, and bytes beside one whole painting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench.part import Options
from tests.bench.row import Row
from tests.bench.servers import IMPROVED, demo_server, newest, paused_list
from tests.bench.timed_terminal import Answer

SCREEN, DIALOG = 60.0, 50.0
"""Milliseconds to the last byte, at the most."""
MOST_OF_WHOLE = 1.2
RUN_BYTES = HELP_BYTES = 18_000


@dataclass(frozen=True)
class Step:
    """A key that changes the screen, and the text that is shown then."""

    name: str
    key: str
    shows: str
    most: float
    most_bytes: float | None = None


STEPS = (
    Step("runs → run", "enter", f"Run {IMPROVED}", SCREEN, RUN_BYTES),
    Step("run → runs", "esc", "240 runs", SCREEN),
    Step("runs → jobs", "2", "1 job", SCREEN),
    Step("jobs → suggestion", "enter", "Suggestion of job 1", SCREEN),
    Step("suggestion → jobs", "esc", "1 job", SCREEN),
    Step("jobs → runs", "1", "240 runs", SCREEN),
    Step("help", "?", "esc close", DIALOG, HELP_BYTES),
    Step("help closed", "esc", "240 runs", DIALOG),
    Step("palette", ":", "esc", DIALOG),
    Step("palette closed", "esc", "240 runs", DIALOG),
    Step("improve", "i", "Launch", DIALOG),
    Step("improve closed", "esc", "240 runs", DIALOG),
    Step("filter", "/", "esc", DIALOG),
    Step("filter closed", "esc", "240 runs", DIALOG),
    Step("views", "v", "esc", DIALOG),
    Step("views closed", "esc", "240 runs", DIALOG),
)


def rows(options: Options) -> Iterator[Row]:
    """All steps, one round after the other."""
    answers: dict[str, list[Answer]] = defaultdict(list)
    whole: dict[str, list[float]] = defaultdict(list)
    with demo_server(options.place / "screens", 240, "--demo-speed", "1000") as account:
        account.command("improve", str(IMPROVED), "--from-agent", "--wait")
        with paused_list(account, 240) as terminal:
            for _ in range(int(newest(240)) - IMPROVED):
                terminal.press("j")
                terminal.settle()
            for n in range(options.repeat):
                for step in STEPS:
                    answers[step.name].append(terminal.answer(step.key))
                    terminal.wait(step.shows)
                    if not n:
                        whole[step.name].append(terminal.painted_whole().largest)
            terminal.quit()
    for step in STEPS:
        found = answers[step.name]
        yield Row(step.name, "ms", [answer.took for answer in found], most=step.most)
        yield Row(f"{step.name}: frames", "", [answer.frames for answer in found], most=1)
        once = whole[step.name]
        sent = [answer.bytes for answer in found]
        yield Row(
            f"{step.name}: bytes", "B", sent, once, "painted once", most=step.most_bytes, most_ratio=MOST_OF_WHOLE
        )
