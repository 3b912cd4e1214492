"""Which runs a list asks for: the query parameters of the API, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from cekura_tui.demo.facts import Facts, success_of
from cekura_tui.demo.people import PERSONALITIES
from cekura_tui.demo.script import Script

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


class Invalid(Exception):
    """A request that is answered with 400 and a text for each field."""

    def __init__(self, errors: Mapping[str, object]) -> None:
        super().__init__(str(dict(errors)))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class RunQuery:
    """A scope (`project`, `agent`, `result`) and filters; None means that it was not asked for."""

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
    call_id: str | None = None
    as_text: bool | None = None
    search: str | None = None

    @property
    def filters(self) -> bool:
        """Whether anything beyond one project, agent or result was asked for."""
        narrowed = self.result is not None and (self.project is not None or self.agent is not None)
        return narrowed or any(getattr(self, field.name) is not None for field in fields(self)[3:])

    def fits(self, facts: Facts, script: Script) -> bool:
        """Whether a run of the right project and result passes the filters."""
        kind = (self.statuses is None or facts.fate.status in self.statuses) and (
            self.success is None or bool(success_of(facts.fate)) is self.success
        )
        length = (self.shortest is None or (facts.seconds is not None and facts.seconds >= self.shortest)) and (
            self.longest is None or (facts.seconds is not None and facts.seconds <= self.longest)
        )
        when = (self.since is None or facts.at >= self.since) and (self.until is None or facts.at <= self.until)
        agent = self.agent is None or facts.agent_id == self.agent
        return agent and kind and length and when and self._names(facts, script)

    def _names(self, facts: Facts, script: Script) -> bool:
        wanted = self.search.casefold() if self.search else ""
        return (
            (self.scenarios is None or script.id in self.scenarios)
            and (self.personalities is None or PERSONALITIES[facts.personality].id in self.personalities)
            and (self.ids is None or facts.id in self.ids)
            and (self.call_id is None or self.call_id == call_id_of(facts.id))
            and (self.as_text is None or facts.as_text is self.as_text)
            and (not wanted or wanted in script.name.casefold() or wanted in str(facts.id))
        )


def call_id_of(run_id: int) -> str:
    """The provider's name of a call."""
    return f"call_{run_id * 2654435761 % 2**32:08x}"


def read_query(given: Mapping[str, str]) -> RunQuery:
    """The query of a request. Raises Invalid."""
    statuses = words(given, "status__in") or words(given, "status")
    if statuses is not None and not statuses <= STATUSES:
        wrong = sorted(statuses - STATUSES)[0]
        raise Invalid({"status": [f"Select a valid choice. {wrong} is not one of the available choices."]})
    return RunQuery(
        project=number(given, "project_id"),
        result=number(given, "result_id", "result__id"),
        agent=number(given, "agent_id", "result__agent_id"),
        statuses=statuses,
        success=truth(given, "success"),
        shortest=decimal(given, "duration__gte"),
        longest=decimal(given, "duration__lte"),
        since=moment(given, "timestamp__gte", "created_at_from"),
        until=moment(given, "timestamp__lte", "created_at_to"),
        scenarios=numbers(given, "scenario__id__in", "scenario__id"),
        personalities=numbers(given, "personality__id__in", "personality__id"),
        ids=numbers(given, "id__in", "id"),
        call_id=given.get("call_id") or given.get("provider_call_id") or None,
        as_text=truth(given, "result__run_as_text"),
        search=given.get("search") or None,
    )


def number(given: Mapping[str, str], *names: str) -> int | None:
    for name in names:
        if given.get(name):
            return _whole(given[name], name)
    return None


def numbers(given: Mapping[str, str], *names: str) -> frozenset[int] | None:
    for name in names:
        if given.get(name):
            return frozenset(_whole(part, name) for part in given[name].split(","))
    return None


def words(given: Mapping[str, str], name: str) -> frozenset[str] | None:
    return frozenset(given[name].split(",")) if given.get(name) else None


def decimal(given: Mapping[str, str], name: str) -> float | None:
    try:
        return float(given[name]) if given.get(name) else None
    except ValueError:
        raise Invalid({name: ["Enter a number."]}) from None


def truth(given: Mapping[str, str], name: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(given.get(name, "").lower())


def moment(given: Mapping[str, str], *names: str) -> float | None:
    for name in names:
        if given.get(name):
            try:
                # A plus that was not escaped comes as a space: "…T10:00:00+02:00".
                text = given[name].replace(" ", "+") if "T" in given[name] else given[name]
                when = datetime.fromisoformat(text)
            except ValueError:
                raise Invalid({name: ["Enter a valid date/time."]}) from None
            return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    return None


def _whole(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Invalid({name: ["Enter a whole number."]}) from None
