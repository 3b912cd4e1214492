"""Filters that have a name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """A filter (its text) with a name; the given ones can be neither changed nor forgotten."""

    name: str
    filter: str
    given: bool = False


GIVEN_VIEWS: tuple[View, ...] = (
    View("Failed today", "outcome:failed,error since:today", given=True),
    View("Errors", "outcome:error", given=True),
    View("To review", "outcome:review", given=True),
    View("Running", "outcome:running", given=True),
)
