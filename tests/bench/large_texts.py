"""Proposals of 20 and 50 MB, runs of 16 MB and a list of 25 MB: time to open, peak memory, and time to quit."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripted_server import LAUNCH, PROGRESS, Reply, ScriptedServer, run_of

from tests.bench.long_calls import PATH, serve_list
from tests.bench.row import Options, Row
from tests.bench.servers import scripted_account
from tests.bench.timed_terminal import TimedTerminal

MB = 2**20
MOST_OPENING, MOST_LEAVING = 2_000.0, 300.0
"""Limits in milliseconds: to open a text, and to quit the program."""
MOST_MEMORY, MOST_MEMORY_OF_A_LIST = 400.0, 200.0
_SAID = "Thank you, I can help you with that: what day would suit you, and do you prefer the morning? "
_SENT = "".join(f"- Rule {n}: ask the caller for detail {n}.\n" for n in range(70))


def rows(options: Options) -> Iterator[Row]:
    """Measure each proposal, run and list in its own process; the server is in this process."""
    texts = {"lines": "- “Ask” the caller for the date of birth.\n", "one line": _SAID, "no space": "x"}
    for name, text in texts.items():
        for size in (20, 50):
            with _Served(options.place / f"{name}-{size}") as account:
                yield from account.proposal(f"proposal of {size} MB, {name}", text * (size * MB // len(text.encode())))
    runs = {"39,000 turns": _turns(39_000, 300), "five turns": _turns(5, 3_200_000), "4,000 verdicts": _verdicts(4_000)}
    for name, run in runs.items():
        with _Served(options.place / name) as account:
            yield from account.run(f"run of 16 MB, {name}", run)
    with _Served(options.place / "list") as account:
        yield from account.list("list of 25 MB", [_listed(n, notes=[_SAID] * 2_700) for n in range(100)])


def _turns(turns: int, size: int) -> dict[str, Any]:
    said = (_SAID * (size // len(_SAID) + 1))[:size]
    whole = [
        {"role": "Main Agent", "content": f"{n}. {said}", "start_time": n, "end_time": n + 1} for n in range(turns)
    ]
    return {"transcript_object": whole}


def _verdicts(verdicts: int) -> dict[str, Any]:
    metric = {"type": "binary_workflow_adherence", "score": 0, "explanation": [f"At 00:05 {_SAID * 43}"]}
    return {**_turns(200, 100), "evaluation": {"metrics": [{"name": f"Rule {n}", **metric} for n in range(verdicts)]}}


def _listed(number: int, **more: Any) -> dict[str, Any]:
    return run_of(number, project=1, timestamp="2026-01-05T10:00:00Z", **more)


class _Served(ScriptedServer):
    """A scripted server with an account that uses this server."""

    def __init__(self, place: Path) -> None:
        super().__init__()
        self._account, self._prompt = scripted_account(self, place), place / "prompt.md"
        self._prompt.write_text(_SENT)

    def _serve(self, listed: list[dict[str, Any]], **whole: Any) -> None:
        serve_list(self, listed)
        self.on("GET", f"{PATH}5/", Reply({**_listed(5), **whole}))

    def proposal(self, name: str, text: str) -> Iterator[Row]:
        """Finish a job with this proposal, then measure how its suggestion opens from the job list."""
        self._serve([_listed(5)])
        self.on("POST", LAUNCH, Reply({"progress_id": "p"}))
        done = {"status": "completed", "output": {"improved_prompt": text, "summary_of_changes": "Longer."}}
        self.on("GET", PROGRESS, Reply(json.dumps(done, ensure_ascii=False).encode()))
        self._account.command("improve", "5", "--prompt-file", str(self._prompt), "--wait")
        assert self._account.command("jobs", "show", "1", "--prompt") == text, f"{name}: jobs show is not exact"
        with TimedTerminal(env=self._account.env) as terminal:
            terminal.wait("1 run").settle()
            terminal.press("2").wait("Longer.").settle()
            yield from _opened(terminal, name, "Shows the first")

    def run(self, name: str, whole: dict[str, Any]) -> Iterator[Row]:
        """Measure how a run opens from the run list, which already previews the run."""
        self._serve([_listed(5)], **whole)
        with TimedTerminal(env=self._account.env) as terminal:
            terminal.wait("1 run").settle()
            yield from _opened(terminal, name, "│ Details", "0. Thank")

    def list(self, name: str, listed: list[dict[str, Any]]) -> Iterator[Row]:
        """Load the first page of a list and measure the peak memory."""
        self._serve(listed)
        with TimedTerminal(env=self._account.env) as terminal:
            terminal.wait("100 runs").settle()
            yield Row(f"{name}: peak of memory", "MB", [_peak(terminal)], most=MOST_MEMORY_OF_A_LIST)


def _opened(terminal: TimedTerminal, name: str, *texts: str) -> Iterator[Row]:
    began = time.perf_counter()
    terminal.press("enter").wait(*texts)
    yield Row(f"{name}: opened", "ms", [(time.perf_counter() - began) * 1000], most=MOST_OPENING)
    terminal.settle()
    yield Row(f"{name}: peak of memory", "MB", [_peak(terminal)], most=MOST_MEMORY)
    began = time.perf_counter()
    terminal.press("q")
    terminal.until(lambda: terminal.process.poll() is not None, "the program ends")
    yield Row(f"{name}: left", "ms", [(time.perf_counter() - began) * 1000], most=MOST_LEAVING)


def _peak(terminal: TimedTerminal) -> float:
    """Peak resident memory of the program, in MiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{terminal.process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024
