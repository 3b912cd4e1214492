"""Two processes stage changes of one suggestion at once: both show what is saved, and no choice is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from random import Random
from typing import Any

import pytest
from choosing_window import ChoosingWindow, choosing_window
from examples import nightly

from cekura_tui.model.improve_prompt import read_progress
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt, sha256
from cekura_tui.prose.compare import compare
from cekura_tui.prose.staging import HunkChoice, staged, wording
from cekura_tui.store.store import Store

URL = "http://127.0.0.1:9"
"""An address at which no server listens; staging needs no server."""
SENT = Prompt(
    "".join(f"# Part {name}\n\nAlways say {name} to callers.\n\n" for name in ("one", "two", "three", "four"))
)
PROPOSED = Prompt(SENT.replace("Always say", "Never ever mention"))
DIFF = compare(SENT, PROPOSED)
HUNKS = len(DIFF.hunks)

Step = tuple[str, Mapping[int, HunkChoice]]
"""The name of the window that chose, and its choices by hunk number."""


def commands(rng: Random) -> list[dict[str, Any]]:
    """Random commands of a user in one window: choose, edit, and sometimes undo or accept all."""

    def one() -> dict[str, Any]:
        number = rng.randint(1, HUNKS)
        choose = {"choose": number, "what": rng.choice(["accepted", "rejected"])}
        return rng.choice([choose, choose, {"edit": number, "text": rng.choice("xyz")}, {"undo": True}, {"all": True}])

    return [one() for _ in range(rng.randint(1, 7))]


def chosen(steps: Sequence[Step]) -> dict[int, HunkChoice]:
    return {number: choice for _, made in steps for number, choice in made.items()}


def after(steps: tuple[Step, ...], window: str, command: Mapping[str, Any]) -> tuple[Step, ...]:
    """The steps after a command in a window that knows all earlier steps."""
    if "undo" in command:
        latest = {number: n for n, (_, made) in enumerate(steps) for number in made}
        own = [n for n in latest.values() if steps[n][0] == window]
        return steps[: max(own)] + steps[max(own) + 1 :] if own else steps
    match command:
        case {"choose": number, "what": what}:
            made = {number: HunkChoice(what)}
        case {"edit": number, "text": text}:
            made = {number: wording(DIFF, DIFF.hunks[number - 1]).choice(text)}
        case _:
            decided = chosen(steps)
            made = {hunk.number: HunkChoice("accepted") for hunk in DIFF.hunks if hunk.number not in decided}
    before = chosen(steps)
    made = {number: choice for number, choice in made.items() if before.get(number) != choice}
    return (*steps, (window, made)) if made else steps


def explained(
    steps: tuple[Step, ...], one: str, first: list[Any], two: str, second: list[Any], found: tuple[Step, ...]
) -> bool:
    """Whether some interleaving of both windows' commands leads from `steps` to the steps `found`."""
    if not first and not second:
        return steps == found
    return bool(first and explained(after(steps, one, first[0]), one, first[1:], two, second, found)) or bool(
        second and explained(after(steps, two, second[0]), one, first, two, second[1:], found)
    )


def on_disk(store: Store) -> tuple[Step, ...]:
    numbers = {hunk.key: hunk.number for hunk in DIFF.hunks}
    steps: dict[int, tuple[str, dict[int, HunkChoice]]] = {}
    for row in store.database.read("SELECT * FROM stagings ORDER BY step, hunk"):
        _, made = steps.setdefault(row["step"], (row["window"], {}))
        made[numbers[row["hunk"]]] = HunkChoice(row["what"], row["text"].decode())
    return tuple(steps.values())


def shows(window: ChoosingWindow, choices: Mapping[int, HunkChoice]) -> bool:
    wanted = {str(number): [choice.what, choice.text] for number, choice in choices.items()}
    return window.shown.get("choices") == wanted and window.shown["staged"] == sha256(staged(DIFF, choices))


@pytest.mark.parametrize("seeds", [range(25), nightly(range(25, 200))])
def test_two_windows_that_choose_at_once_show_what_is_saved_and_lose_no_choice(
    home: Path, monkeypatch: pytest.MonkeyPatch, seeds: range
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", "key")
    with closing(Store(home / "cekura.db", URL, "key", "default")) as store:
        number = store.jobs.begin_launch(Draft((5,), SENT, 7), 1.0, "me").number
        store.jobs.record_progress_id(number, "p", "raw", 1.1)
        answer = {"status": "completed", "output": {"improved_prompt": PROPOSED}}
        store.jobs.record_answer(number, read_progress(answer), json.dumps(answer), 1.2)
        with choosing_window(URL, number) as one, choosing_window(URL, number) as two:
            for seed in seeds:
                rng = Random(seed)
                first, second = commands(rng), commands(rng)
                with store.database.write() as sql:
                    sql.execute("DELETE FROM stagings")
                    sql.execute("DELETE FROM staged")
                for pair in zip_longest(first, second):
                    sent = [(window, command) for window, command in zip((one, two), pair, strict=True) if command]
                    for window, command in sent:
                        window.send(command)
                    for window, _ in sent if seed % 2 else ():
                        window.finish(1)  # so that both continue at the same time
                if not seed % 2:
                    one.finish(len(first))
                    two.finish(len(second))
                found = on_disk(store)
                assert explained((), one.name, first, two.name, second, found), f"sequence {seed}"
                text = store.stagings.staged(number)
                assert (SENT if text is None else text) == staged(DIFF, chosen(found))
                for window in (one, two):
                    while not shows(window, chosen(found)):
                        window.read()
