"""Which runs a list asks for: the query parameters of the API, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import TypeVar

from cekura_tui.demo.dialogue import Script
from cekura_tui.demo.facts import Facts, success_of
from cekura_tui.demo.people import PERSONALITIES

T = TypeVar("T")

STATUSES = frozenset(
    (
        "running",
        "completed",
        "failed",
        "pending",
        "in_progress",
        "evaluating",
        "in_queue",
        "timeout",
        "cancelled",
        "scaling_up",
    )
)

_SCOPES = (("result_id", "result__id"), ("agent_id", "result__agent_id"))


class Invalid(Exception):
    """A request that is answered with 400 and a text for each field."""

    def __init__(self, errors: Mapping[str, object]) -> None:
        super().__init__(str(dict(errors)))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A scope (`project`, `agent`, `result`) and filters; None means that it was not asked for.

    As in a database, what a run does not tell (its length, whether it succeeded) fits no filter on it.
    """

    project: int | None = None
    result: int | None = None
    agent: int | None = None
    statuses: frozenset[str] | None = None
    success: bool | None = None
    shortest: float | None = None
    longest: float | None = None
    since: float | None = None
    until: float | None = None
    scenarios: frozenset[int] | None = None
    personalities: frozenset[int] | None = None
    ids: frozenset[int] | None = None
    as_text: bool | None = None
    search: str | None = None

    @property
    def plain(self) -> bool:
        """Whether it is answered without looking at many runs."""
        asked = (self.statuses, self.success, self.shortest, self.longest, self.scenarios, self.personalities)
        few = self.ids is not None or self.result is not None
        return few or (self.agent is None and self.as_text is None and not self.search and asked == (None,) * 6)

    def fits(self, facts: Facts, script: Script) -> bool:
        """Whether a run of the right project passes the filters."""
        return (
            self.result in (None, facts.result_id)
            and self.agent in (None, facts.agent_id)
            and (self.ids is None or facts.id in self.ids)
            and (self.since is None or facts.at >= self.since)
            and (self.until is None or facts.at <= self.until)
            and (self.statuses is None or facts.fate.status in self.statuses)
            and self.success in (None, success_of(facts.fate))
            and self.lasts(facts.seconds)
            and (self.scenarios is None or script.id in self.scenarios)
            and (self.personalities is None or PERSONALITIES[facts.personality].id in self.personalities)
            and self.as_text in (None, facts.as_text)
            and (self.names(script.name) or self.numbers(facts.id))
        )

    def lasts(self, seconds: int | None) -> bool:
        """Whether a call of this length fits."""
        if self.shortest is None and self.longest is None:
            return True
        return seconds is not None and (self.shortest or 0) <= seconds <= (
            inf if self.longest is None else self.longest
        )

    def names(self, scenario: str) -> bool:
        """Whether the searched text is in the name of a scenario."""
        return not self.search or self.search.casefold() in scenario.casefold()

    def numbers(self, run_id: int) -> bool:
        """Whether the searched text is in the number of a run."""
        return not self.search or self.search in str(run_id)


_CALL_IDS, _STRIDE = 2**32, 2_654_435_761


def call_id_of(run_id: int) -> str:
    """The provider's name of a call."""
    return f"call_{run_id * _STRIDE % _CALL_IDS:08x}"


def run_of_call(call_id: str) -> int | None:
    """The id of the run with this call; None for a text that is no name of a call."""
    digits = call_id.removeprefix("call_")
    if call_id == digits or len(digits) != 8 or not set(digits) <= set("0123456789abcdef"):
        return None
    return int(digits, 16) * pow(_STRIDE, -1, _CALL_IDS) % _CALL_IDS


def read_query(given: Mapping[str, str]) -> ListQuery:
    """The query of a request. Raises Invalid."""
    scopes = [[number(given, one), number(given, other)] for one, other in _SCOPES]
    ids = either(numbers(given, "id__in"), numbers(given, "id"))
    for name in ("call_id", "provider_call_id"):
        if given.get(name):
            run_id = run_of_call(given[name])
            ids = either(ids, frozenset() if run_id is None else frozenset((run_id,)))
    if any(None not in scope and scope[0] != scope[1] for scope in scopes):
        ids = frozenset()
    result, agent = (one if one is not None else other for one, other in scopes)
    return ListQuery(
        project=number(given, "project_id"),
        result=result,
        agent=agent,
        statuses=either(statuses(given, "status__in"), statuses(given, "status")),
        success=truth(given, "success"),
        shortest=decimal(given, "duration__gte"),
        longest=decimal(given, "duration__lte"),
        since=max(moments(given, "timestamp__gte", "created_at_from"), default=None),
        until=min(moments(given, "timestamp__lte", "created_at_to"), default=None),
        scenarios=either(numbers(given, "scenario__id__in"), numbers(given, "scenario__id")),
        personalities=either(numbers(given, "personality__id__in"), numbers(given, "personality__id")),
        ids=ids,
        as_text=truth(given, "result__run_as_text"),
        search=given.get("search") or None,
    )


def either(one: frozenset[T] | None, other: frozenset[T] | None) -> frozenset[T] | None:
    """What two filters on the same thing leave, or the one that is there."""
    return one & other if one is not None and other is not None else one if other is None else other


def number(given: Mapping[str, str], name: str) -> int | None:
    return _whole(given[name], name) if given.get(name) else None


def numbers(given: Mapping[str, str], name: str) -> frozenset[int] | None:
    return frozenset(_whole(part, name) for part in given[name].split(",")) if given.get(name) else None


def statuses(given: Mapping[str, str], name: str) -> frozenset[str] | None:
    if not given.get(name):
        return None
    words = frozenset(given[name].split(","))
    if unknown := sorted(words - STATUSES):
        raise Invalid({name: [f"Select a valid choice. {unknown[0]} is not one of the available choices."]})
    return words


def decimal(given: Mapping[str, str], name: str) -> float | None:
    try:
        return float(given[name]) if given.get(name) else None
    except ValueError:
        raise Invalid({name: ["Enter a number."]}) from None


def truth(given: Mapping[str, str], name: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(given.get(name, "").lower())


def moments(given: Mapping[str, str], *names: str) -> list[float]:
    """The times (unix seconds) that are given under these names."""
    return [_moment(given[name], name) for name in names if given.get(name)]


def _moment(text: str, name: str) -> float:
    try:
        # A plus that was not escaped comes as a space: "…T10:00:00+02:00".
        when = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        raise Invalid({name: ["Enter a valid date/time."]}) from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _whole(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Invalid({name: ["Enter a whole number."]}) from None
