"""Open and close screens and dialogs: time to the last byte, frames, and bytes compared with one full repaint."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.bench.row import Options, Row
from tests.bench.servers import IMPROVED, demo_server, newest, paused_list
from tests.bench.timed_terminal import Answer

SCREEN, DIALOG = 60.0, 50.0
"""Limits in milliseconds from a key to the last byte, for a screen and for a dialog."""
MOST_OF_WHOLE = 1.2
RUN_BYTES = HELP_BYTES = 18_000


STEPS: tuple[tuple[str, str, str, float, float | None], ...] = (
    ("runs → run", "enter", f"Run {IMPROVED}", SCREEN, RUN_BYTES),
    ("run → runs", "esc", "240 runs", SCREEN, None),
    ("runs → jobs", "2", "1 job", SCREEN, None),
    ("jobs → suggestion", "enter", "Suggestion of job 1", SCREEN, None),
    ("suggestion → jobs", "esc", "1 job", SCREEN, None),
    ("jobs → runs", "1", "240 runs", SCREEN, None),
    ("help", "?", "esc close", DIALOG, HELP_BYTES),
    ("help closed", "esc", "240 runs", DIALOG, None),
    ("palette", ":", "esc", DIALOG, None),
    ("palette closed", "esc", "240 runs", DIALOG, None),
    ("improve", "i", "Launch", DIALOG, None),
    ("improve closed", "esc", "240 runs", DIALOG, None),
    ("filter", "/", "esc", DIALOG, None),
    ("filter closed", "esc", "240 runs", DIALOG, None),
    ("views", "v", "esc", DIALOG, None),
    ("views closed", "esc", "240 runs", DIALOG, None),
)
"""Name, key, text shown afterwards, and limits in milliseconds and bytes."""


def rows(options: Options) -> Iterator[Row]:
    """Measure all steps in several rounds."""
    answers: dict[str, list[Answer]] = defaultdict(list)
    whole: dict[str, list[float]] = defaultdict(list)
    with demo_server(options.place / "screens", 240, "--demo-speed", "1000") as account:
        account.command("improve", str(IMPROVED), "--from-agent", "--wait")
        with paused_list(account, 240) as terminal:
            for _ in range(int(newest(240)) - IMPROVED):
                terminal.press("j").settle()
            for n in range(options.repeat):
                for name, key, shown, *_ in STEPS:
                    answers[name].append(terminal.answer(key))
                    terminal.wait(shown)
                    if not n:
                        whole[name].append(terminal.painted_whole().largest)
            terminal.quit()
    for name, _, _, most, most_bytes in STEPS:
        found, once = answers[name], whole[name]
        yield Row(name, "ms", [answer.took for answer in found], most=most)
        yield Row(f"{name}: frames", "", [answer.frames for answer in found], most=1)
        limits = {"most": most_bytes, "most_ratio": MOST_OF_WHOLE}
        yield Row(f"{name}: bytes", "B", [answer.bytes for answer in found], once, "painted once", **limits)
