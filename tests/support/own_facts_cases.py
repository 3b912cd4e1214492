"""Hand-written rules that a hunk adds to a prompt, with those facts in each rule that are true of one call only.

One JSON object per line: the prompt `sent`, the rule `added`, the turns of the `call` (A: agent, C: caller) and the
facts `marked` by hand. Rules are tuned on `cases.jsonl`; `held.jsonl` is a held-out set, only measured. A reader who
had not seen the code marked `read.jsonl`, where rules are tuned too, and `read_held.jsonl`, whose
figures, but not cases, decided between variants of the rules.

The cases of `one_call` have marked pieces of the rule instead: `text` (verbatim), `kind` and `in` (where the call has
it). They also have the names and ids of scenario, run and test profile. Two engineers who had not seen the code wrote
them. A fact is right, and a piece is found, if both share at least half the characters of one of them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from cekura_tui.evidence import overfitting
from cekura_tui.evidence.overfitting import own_facts
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import view_of
from cekura_tui.prose.compare import compare

HERE = Path(__file__).parents[1] / "evidence" / "own_facts"
SETS = tuple(name for name in ("cases", "held", "read", "read_held") if (HERE / f"{name}.jsonl").exists())
ONE_CALL = HERE.parent / "one_call"
ONE_CALL_SETS = tuple(sorted(path.stem for path in ONE_CALL.glob("*.jsonl")))
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
        yield Marked(case, case["marked"], _found(case, test_profile_data=case.get("profile")))


def _found(case: dict[str, Any], **more: object) -> tuple[str, ...]:
    turns = [f"A: {case.get('greeting', 'Hello, how can I help?')}", *case["call"]]
    transcript = [{"role": ROLES[turn[0]], "content": turn[3:]} for turn in turns]
    view = view_of(Run.read({"id": 900238, "transcript_object": transcript, **more}), 0.0)
    with patch.object(overfitting, "_SHOWN", 1_000):  # the whole pieces, not their first words
        found = own_facts(compare(case["sent"], f"{case['sent']}\n{case['added']}"), case["sent"], [view])
    return tuple(fact.text for facts in found.values() for fact in facts)


def score(half: str) -> Score:
    cases = list(marked(half))
    found, wanted = sum(len(one.found) for one in cases), sum(len(one.wanted) for one in cases)
    return Score(len(cases), sum(one.right for one in cases) / found, sum(one.hit for one in cases) / wanted)


class Piece(NamedTuple):
    """A piece [start, end) of an added rule that is marked (with a `kind`) or found, and whether both agree on it."""

    case: str
    text: str
    kind: str
    start: int
    end: int
    is_right: bool = False


def one_call_pieces(name: str) -> tuple[list[Piece], list[Piece]]:
    """The marked and the found pieces of a set of `one_call`."""
    every: tuple[list[Piece], list[Piece]] = [], []
    for line in (ONE_CALL / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        case: dict[str, Any] = json.loads(line)
        facts = _found(
            case,
            id=case["run_id"],
            scenario=case["scenario_id"],
            scenario_name=case["scenario"],
            test_profile_data={"id": 3, "name": case["profile_name"], "information": case["profile"]},
        )
        given = [(one["text"], one["kind"]) for one in case["marked"]], [(fact, "") for fact in facts]
        marks, found = ([_piece(case, *one) for one in pieces] for pieces in given)
        for pieces, others in ((marks, found), (found, marks)):
            right = [one._replace(is_right=any(_share_half(one, other) for other in others)) for one in pieces]
            every[pieces is found].extend(right)
    return every


def _piece(case: dict[str, Any], text: str, kind: str) -> Piece:
    words = r"\s+".join(map(re.escape, text.strip("“”…").split()))
    hit = re.search(words, case["added"])
    assert hit, f"{text} is not in the rule of {case['scenario']}"
    return Piece(case["scenario"], text, kind, *hit.span())


def _share_half(one: Piece, other: Piece) -> bool:
    common = min(one.end, other.end) - max(one.start, other.start)
    return common > 0 and 2 * common >= min(one.end - one.start, other.end - other.start)


def one_call_score(name: str) -> Score:
    marks, found = one_call_pieces(name)
    right, hit = sum(one.is_right for one in found), sum(one.is_right for one in marks)
    return Score(len({one.case for one in marks + found}), right / len(found), hit / len(marks))


def one_call_kinds(name: str) -> dict[str, str]:
    """How many marked pieces of each kind are found, such as "3/4"."""
    marks, _ = one_call_pieces(name)
    every, hit = Counter(one.kind for one in marks), Counter(one.kind for one in marks if one.is_right)
    return {kind: f"{hit[kind]}/{every[kind]}" for kind in sorted(every)}


def _same(one: str, other: str) -> bool:
    one, other = (text.strip("“”…").casefold() for text in (one, other))
    # A quote is shortened to its first words.
    return one in other or other in one or len({*one.split()} & {*other.split()}) >= 4
