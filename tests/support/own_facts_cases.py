"""Hand-written rules that a hunk adds to a prompt, with those facts in each rule that are true of one call only.

One JSON object per line: the prompt `sent`, the rule `added`, the turns of the `call` (A: agent, C: caller) and the
facts `marked` by hand. Rules are tuned on `cases.jsonl`; `held.jsonl` is a held-out set, only measured. A reader who
had not seen the code marked `read.jsonl`, where rules are tuned too, and `read_held.jsonl`, which is only measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cekura_tui.evidence.overfitting import own_facts
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import view_of
from cekura_tui.prose.compare import compare

HERE = Path(__file__).parents[1] / "evidence" / "own_facts"
SETS = tuple(name for name in ("cases", "held", "read", "read_held") if (HERE / f"{name}.jsonl").exists())
ROLES = {"A": "Main Agent", "C": "Testing Agent"}


class Marked(NamedTuple):
    """A case with the facts marked by hand (`wanted`) and the facts that the program finds (`found`)."""

    case: dict[str, Any]
    wanted: list[str]
    found: tuple[str, ...]

    @property
    def right(self) -> int:
        """Number of found facts that match a marked fact, at least in part."""
        return sum(any(_same(one, other) for other in self.wanted) for one in self.found)

    @property
    def hit(self) -> int:
        """Number of marked facts that match a found fact, at least in part."""
        return sum(any(_same(one, other) for other in self.found) for one in self.wanted)


class Score(NamedTuple):
    """Precision and recall over all facts of all cases."""

    cases: int
    precision: float
    recall: float


def marked(half: str) -> Iterator[Marked]:
    """The cases of a set, with the facts that the program finds in each case."""
    for line in (HERE / f"{half}.jsonl").read_text(encoding="utf-8").splitlines():
        case: dict[str, Any] = json.loads(line)
        turns = [f"A: {case.get('greeting', 'Hello, how can I help?')}", *case["call"]]
        payload = {
            "id": 900238,
            "test_profile_data": case.get("profile"),
            "transcript_object": [{"role": ROLES[turn[0]], "content": turn[3:]} for turn in turns],
        }
        diff = compare(case["sent"], f"{case['sent']}\n{case['added']}")
        found = own_facts(diff, case["sent"], [view_of(Run.read(payload), 0.0)])
        yield Marked(case, case["marked"], tuple(fact for facts in found.values() for fact in facts))


def score(half: str) -> Score:
    cases = list(marked(half))
    found, wanted = sum(len(one.found) for one in cases), sum(len(one.wanted) for one in cases)
    return Score(len(cases), sum(one.right for one in cases) / found, sum(one.hit for one in cases) / wanted)


def _same(one: str, other: str) -> bool:
    one, other = (text.strip("“”…").casefold() for text in (one, other))
    # A quote is shortened to its first words.
    return one in other or other in one or len({*one.split()} & {*other.split()}) >= 4
