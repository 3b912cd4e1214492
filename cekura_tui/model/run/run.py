"""A run as the API sends it: only the id is guaranteed, and nothing that was sent is lost.

The server sends a run in two forms, as a *list row* with names, status, outcome, times and some metrics, or as a *whole
run*, requested by id, with all verdicts and the transcript (`Run.whole`). The number of failed checks is unknown (None)
for a list row, and so is whether a term of a filter holds that needs the whole run: the row is listed until its run is
read whole. A run without a transcript has an unknown number of turns, not 0. `filled` completes a list row from its
whole run; `RunLists`, `RunFeed` and `RunSweep` load both.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import clean_json, is_clean_json


class NotARun(CekuraTuiError):
    """The payload is not a run: it is no object, has no numeric id, or is nested too deeply."""

    title = "Unreadable answer"


def _duration(value: object) -> object:
    """Convert a number of seconds to "MM:SS", since servers have sent both; other values stay."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{int(value) // 60:02d}:{int(value) % 60:02d}"
    return value


def _texts(value: object) -> object:
    """Convert an explanation to a list of texts, whether a text, a list or any other JSON was sent."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    if isinstance(value, list):
        return [item if isinstance(item, str) else _json(item) for item in value if item is not None]
    return [_json(value)]


def _json(value: object) -> str:
    """Write a value that is not a text as JSON, so that nothing that was sent is lost."""
    return json.dumps(value, ensure_ascii=False)


def _yes_or_no(value: object) -> object:
    """Convert "yes", "no", "true" or "false" to a bool, since `aligned` may be a text; other values stay."""
    if isinstance(value, str) and value.strip().lower() in ("yes", "no", "true", "false"):
        return value.strip().lower() in ("yes", "true")
    return value


MOST_VERDICTS = 5_000
"""Maximum length of a list of objects, such as the metrics of a run; a longer list is only in `Run.source`."""


def _objects(value: object) -> object:
    """Keep only the objects in a list, so that one invalid item does not discard the rest. An object of objects becomes
    a list of objects with their names. Raises ValueError for a list that is too long."""
    if isinstance(value, dict):
        value = [{"name": name, **item} for name, item in value.items() if isinstance(item, dict)]
    if not isinstance(value, list):
        return value
    if len(value) > MOST_VERDICTS:
        raise ValueError("too many verdicts")
    return [item for item in value if isinstance(item, dict)]


def _text(value: object) -> object:
    """Convert a number or bool to text where the API declares a text."""
    return str(value) if isinstance(value, int | float) else value


def _lenient(convert: Callable[[object], object] = lambda value: value) -> WrapValidator:
    """Validate a value after `convert`; an invalid value becomes None, and stays in `Run.source`."""

    def read_or_none(value: object, read: ValidatorFunctionWrapHandler) -> object:
        try:
            return None if value is None else read(convert(value))
        except (ValueError, OverflowError):
            return None

    return WrapValidator(read_or_none)


_or_none = _lenient()
Text = Annotated[str | None, _lenient(_text)]
Id = Annotated[int, Field(ge=0, lt=2**63)]
Whole = Annotated[Annotated[int, Field(ge=-(2**63), lt=2**63)] | None, _or_none]
Flag = Annotated[bool | None, _or_none]
Object = Annotated[dict[str, Any] | None, _or_none]
Texts = Annotated[list[str] | None, _lenient(_texts)]


class Payload(BaseModel):
    """An object of the API: unknown fields are kept; known fields that are missing or invalid are None."""

    model_config = ConfigDict(extra="allow", frozen=True, ignored_types=(cached_property,))


class Metric(Payload):
    """One metric of `evaluation.metrics`, or of a list row's `metrics`."""

    id: Whole = None
    name: Text = None
    type: Text = None
    eval_type: Text = None
    score: Any = None
    passed: Flag = None
    enum: Any = None
    value: Any = None
    explanation: Texts = None
    extra: Object = None


class RubricLine(Payload):
    """The threshold of one metric; `join_rubric` finds the metric."""

    metric_id: Whole = None
    metric_name: Text = None
    value: Any = None
    explanation: Texts = None
    passed: Flag = None
    conditions: Text = None
    expected_conditions: Any = None

    def as_metric(self) -> Metric:
        """Make a metric from this line, for a run that has no metric for the line."""
        return Metric(id=self.metric_id, name=self.metric_name, value=self.value, explanation=self.explanation)


class Evaluation(Payload):
    metrics: Annotated[list[Metric] | None, _lenient(_objects)] = None


class AlignmentPayload(Payload):
    """Whether one part of the expected outcome was met."""

    outcome: Text = None
    prompt_part: Text = None
    aligned: Annotated[bool | None, _lenient(_yes_or_no)] = None


class ExpectedOutcome(Payload):
    """How well the call met the outcome that the scenario expects; `score` is 0 to 100."""

    score: Any = None
    explanation: Texts = None
    outcome_alignments: Annotated[list[AlignmentPayload] | None, _lenient(_objects)] = None


class CriticalCategory(Payload):
    category_id: Whole = None
    category: Text = None
    deviation: Any = None
    wrongly_marked: Flag = None
    feedback: Text = None
    priority: Text = None


class CallerProfile(Payload):
    """Personal data that the simulated caller uses."""

    id: Whole = None
    name: Text = None
    information: Object = None


def _outcome_object(value: object) -> object:
    """Convert an expected outcome sent as a bare text or a list of explanations to an object."""
    if isinstance(value, list):
        return {"explanation": value} if value else None
    return {"explanation": [value]} if isinstance(value, str) and value.strip() else value


def _category_objects(value: object) -> object:
    """Convert critical categories, sent as one bare name or as a list with bare names, to a list of objects."""
    categories = [value] if isinstance(value, str) and value.strip() else value
    if isinstance(categories, list) and len(categories) <= MOST_VERDICTS:
        categories = [{"category": item} if isinstance(item, str) and item.strip() else item for item in categories]
    return _objects(categories)


_WHOLE_RUN_FIELDS = frozenset({"evaluation", "transcript", "transcript_object"})
"""Fields that only a whole run has."""
_AGAIN = "Try again; if the error stays, contact Cekura support."


class Run(Payload):
    """A list row or a whole run. `Run.read` creates a run with cleaned texts; only `sent` is not cleaned."""

    id: Id
    provider_call_id: Text = None
    trace_id: Text = None
    scenario: Whole = None
    scenario_name: Text = None
    scenario_type: Text = None
    personality: Whole = None
    personality_name: Text = None
    agent: Whole = None
    agent_name: Text = None
    result_id: Whole = None
    result_name: Text = None
    expected_outcome_prompt: Text = None
    expected_outcome: Annotated[ExpectedOutcome | None, _lenient(_outcome_object)] = None
    evaluation: Annotated[Evaluation | None, _or_none] = None
    metrics: Annotated[list[Metric] | None, _lenient(_objects)] = None
    rubric: Annotated[list[RubricLine] | None, _lenient(_objects)] = None
    transcript: Text = None
    transcript_object: Any = None
    """Any JSON: `read_transcript` parses it."""
    duration: Annotated[str | None, _lenient(_duration)] = None
    voice_recording_url: Text = None
    email_id: Text = None
    status: Text = None
    evaluation_status: Text = None
    metadata: Any = None
    success: Flag = None
    is_reviewed: Flag = None
    feedback: Text = None
    timestamp: Text = None
    executed_at: Text = None
    outbound_number: Text = None
    inbound_number: Text = None
    critical_categories: Annotated[list[CriticalCategory] | None, _lenient(_category_objects)] = None
    error_message: Text = None
    scenario_instructions: Text = None
    run_as_text: Flag = None
    test_profile_data: Annotated[CallerProfile | None, _or_none] = None
    generated_mock_tool_entries: Annotated[list[dict[str, Any]] | None, _lenient(_objects)] = None
    provider_call_details: Any = None
    agent_number: Text = None
    testing_channel_index: Whole = None
    run_type: Text = None

    @classmethod
    def read(cls, payload: object) -> Self:
        """Read a run from a JSON object as sent, and clean its texts; raises NotARun if the object is not a run."""
        if not isinstance(payload, dict):
            raise NotARun("The server's answer is not a run.", _AGAIN)
        try:
            if is_clean_json(payload):
                return cls.exact(payload)
            run = cls.exact(clean_json(json.loads(json.dumps(payload))))  # a copy: the object itself is kept as sent
        except RecursionError:
            raise NotARun("The run is nested too deeply to read.") from None
        run.__dict__["sent"] = payload
        return run

    @classmethod
    def exact(cls, source: object) -> Self:
        """Read a run without cleaning its texts, which may hold control characters; raises NotARun."""
        # pydantic fails on a lone surrogate in a field name; the field is still in `source`.
        known = {name: source[name] for name in source if name.isprintable()} if isinstance(source, dict) else source
        try:
            run = cls.model_validate(known)
        except ValidationError:
            raise NotARun("The server sent a run without an id.", _AGAIN) from None
        run.__dict__["source"] = source
        return run

    @cached_property
    def source(self) -> dict[str, Any]:
        """The object with every field that was sent; its texts are cleaned, unless `exact` made the run."""
        return self.model_dump(mode="json", exclude_unset=True)

    @cached_property
    def sent(self) -> dict[str, Any] | None:
        """The object exactly as sent, if cleaning changed it, else None. Never show it in a terminal."""
        return None

    @property
    def whole(self) -> bool:
        """Whether this is a whole run with all its verdicts, not a list row."""
        return not _WHOLE_RUN_FIELDS.isdisjoint(self.source)

    @property
    def ended_reason(self) -> str:
        """Why the call ended, in the server's words; empty if no reason was sent."""
        reason = self.metadata.get("ended_reason") if isinstance(self.metadata, dict) else None
        return reason if isinstance(reason, str) else ""

    @property
    def at(self) -> float | None:
        """When the run was made (Unix time); None if unknown."""
        return next((at for at in map(moment_of, (self.timestamp, self.executed_at)) if at is not None), None)


def moment_of(text: object) -> float | None:
    """The Unix time of an ISO date and time, by default in UTC; None if the text is missing or invalid."""
    try:
        moment = datetime.fromisoformat(text if isinstance(text, str) else "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
