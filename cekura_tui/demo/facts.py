"""Derive a run's properties from its id. Random draws are functions of a key, so every server has the same runs."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, TypeVar

T = TypeVar("T")
_SEED = 20260818
_MASK = (1 << 64) - 1


def roll(key: int, salt: int = 0) -> int:
    """A pseudo-random number from 0 to 2**32 - 1: the splitmix64 finaliser, 30 times as fast as `random`."""
    z = (_SEED + key * 0x9E3779B97F4A7C15 + salt * 0xD1B54A32D192ED03) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return (z ^ (z >> 31)) >> 32


class Dice:
    """A reproducible sequence of random draws for one key, such as a run's id."""

    def __init__(self, key: int) -> None:
        self._key = key
        self._throws = 1000

    def below(self, bound: int) -> int:
        self._throws += 1
        return roll(self._key, self._throws) % bound

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.below(10_000) / 10_000

    def choose(self, things: Sequence[T]) -> T:
        return things[self.below(len(things))]

    def shuffle(self, things: Sequence[T]) -> list[T]:
        left = list(things)
        return [left.pop(self.below(len(left))) for _ in range(len(left))]


class Kind(Enum):
    PASSED = "passed"
    FAILED = "failed"
    NO_ANSWER = "no answer"
    DROPPED = "dropped"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    LIVE = "live"
    REVIEW = "review"
    REVIEWED_SUCCESS = "reviewed success"
    REVIEWED_FAILURE = "reviewed failure"
    UNKNOWN = "unknown"
    ERRORED = "errored, though the API calls the run a success"


UNJUDGED = (Kind.NO_ANSWER, Kind.DROPPED, Kind.TIMEOUT, Kind.CANCELLED)
"""Kinds of runs that end without an evaluation."""


class Shape(Enum):
    TURNS = "turns"
    STAMPED = "turns with a timestamp"
    TEXT = "text alone"
    TEXT_EMPTY = "text, and an empty list of turns"
    ENCRYPTED = "encrypted turns, and text"
    NONE = "no transcript"


class Fate(NamedTuple):
    """How a run ends: `failed` checks, `foreign` if not in English, `shape` of the transcript, None for random."""

    kind: Kind
    failed: int = 0
    status: str = "completed"
    foreign: bool = False
    shape: Shape | None = None


_PASSED = Fate(Kind.PASSED)

# The newest runs show each kind of run once.
_FIRST_LOOK: tuple[Fate, ...] = (
    Fate(Kind.LIVE, status="running"),
    _PASSED,
    Fate(Kind.FAILED, 2),
    _PASSED,
    Fate(Kind.NO_ANSWER, status="failed"),
    Fate(Kind.LIVE, status="evaluating"),
    Fate(Kind.FAILED, 1),
    _PASSED,
    Fate(Kind.FAILED, 1),
    Fate(Kind.FAILED, 3),
    Fate(Kind.PASSED, foreign=True),
    Fate(Kind.REVIEW),
    _PASSED,
    Fate(Kind.REVIEWED_FAILURE, 1),
    _PASSED,
    Fate(Kind.DROPPED, status="failed"),
    Fate(Kind.LIVE, status="in_queue"),
    Fate(Kind.FAILED, 1, foreign=True),
    _PASSED,
    Fate(Kind.TIMEOUT, status="timeout"),
    Fate(Kind.CANCELLED, status="cancelled"),
    Fate(Kind.REVIEWED_SUCCESS, 1),
    Fate(Kind.LIVE, status="pending"),
    Fate(Kind.UNKNOWN),
    Fate(Kind.FAILED, 2, shape=Shape.ENCRYPTED),
    Fate(Kind.LIVE, status="scaling_up"),
    Fate(Kind.PASSED, shape=Shape.TEXT),
    Fate(Kind.LIVE, status="in_progress"),
    Fate(Kind.FAILED, 1, shape=Shape.TEXT),
    Fate(Kind.PASSED, shape=Shape.NONE),
)

# Most of the newest runs have separate turns, which the app shows best.
NEWEST: tuple[Fate, ...] = tuple(
    fate if fate.shape is not None else fate._replace(shape=Shape.STAMPED if rank % 5 == 2 else Shape.TURNS)
    for rank, fate in enumerate(_FIRST_LOOK)
)

# Shares of all older runs, in thousandths.
_USUAL: tuple[tuple[int, Fate], ...] = (
    (550, _PASSED),
    (120, Fate(Kind.FAILED, 1)),
    (85, Fate(Kind.FAILED, 2)),
    (45, Fate(Kind.FAILED, 3)),
    (30, Fate(Kind.NO_ANSWER, status="failed")),
    (20, Fate(Kind.DROPPED, status="failed")),
    (20, Fate(Kind.TIMEOUT, status="timeout")),
    (20, Fate(Kind.CANCELLED, status="cancelled")),
    (40, Fate(Kind.REVIEW)),
    (25, Fate(Kind.REVIEWED_SUCCESS, 1)),
    (25, Fate(Kind.REVIEWED_FAILURE, 1)),
    (20, Fate(Kind.UNKNOWN)),
)
_FATES: tuple[Fate, ...] = tuple(fate for share, fate in _USUAL for _ in range(share))

_RARE_SHAPES = (Shape.TEXT, Shape.TEXT_EMPTY, Shape.ENCRYPTED, Shape.NONE)
_SHAPES: tuple[Shape, ...] = 12 * (Shape.TURNS,) + 4 * (Shape.STAMPED,) + _RARE_SHAPES


class Started(NamedTuple):
    """What only a run started through the API has: its result's name, the suffix of its operation in `way`, mocked
    tools, row of the agent's history and broken rules; and the Unix times when a line is free, when the call begins and
    is over, and when it is judged."""

    name: str
    way: str
    mocks: tuple[str, ...]
    version: int
    broken: frozenset[str]
    waits: float
    begins: float
    over: float
    judged: float


class Facts(NamedTuple):
    """The properties of a run, with its present state in `fate`. `at` is the creation time (Unix), `seconds` the call's
    length, None until the run has ended. `end` is how the run will end, `lasts` the call's final length, and `spoken`
    the seconds spoken so far, None without a running call. `caller` is the run whose dice choose the caller's data, and
    `started` is None for a run of the corpus."""

    id: int
    project: int
    agent_id: int
    result_id: int
    script: int
    personality: int
    fate: Fate
    shape: Shape
    at: float
    seconds: int | None
    as_text: bool
    end: Kind
    lasts: int | None
    spoken: float | None
    caller: int
    started: Started | None = None


def fate_of(run_id: int, rank: int) -> Fate:
    """The end of a run that had `rank` newer runs in its project at the epoch."""
    return NEWEST[rank] if 0 <= rank < len(NEWEST) else usual_fate(run_id)


def usual_fate(run_id: int) -> Fate:
    """The end of a run that is not among the `NEWEST`."""
    return _FATES[roll(run_id, 1) % len(_FATES)]


def fate_after(run_id: int, first_status: str) -> Fate:
    """The end of a run with this status at the epoch: drawn at random, but passed if the two contradict each other."""
    end = usual_fate(run_id)
    unanswered = end.kind in (Kind.NO_ANSWER, Kind.CANCELLED) and first_status in ("running", "in_progress")
    return _PASSED if unanswered or (first_status == "evaluating" and end.kind in UNJUDGED) else end


def shape_of(run_id: int, fate: Fate) -> Shape:
    if fate.shape is not None:
        return fate.shape
    shape = _SHAPES[roll(run_id, 2) % len(_SHAPES)]
    return Shape.TURNS if shape is Shape.NONE and fate.kind is Kind.FAILED else shape


def success_of(fate: Fate) -> bool | None:
    """The API's `success` of a run; None if the API omits the field."""
    if fate.kind in (Kind.REVIEW, Kind.UNKNOWN):
        return None
    return fate.kind in (Kind.PASSED, Kind.REVIEWED_SUCCESS, Kind.ERRORED)


_REASONS = {
    Kind.NO_ANSWER: "call-not-answered",
    Kind.DROPPED: "main-agent-connection-lost",
    Kind.TIMEOUT: "exceeded-max-duration",
    Kind.CANCELLED: "cancelled-by-user",
    Kind.LIVE: None,
}


def reason_of(run_id: int, kind: Kind) -> str | None:
    """The API's reason why a call ended; None if the run has not ended."""
    if kind in _REASONS:
        return _REASONS[kind]
    return "Main agent-ended-call" if roll(run_id, 9) % 3 else "Testing agent-ended-call"
