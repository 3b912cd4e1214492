"""One page of a list that the server keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """How many there are in all, these, and whether another page follows.

    `oldest_first` tells that the server listed them so, whatever their order here; `at` is the server's own time (Unix)
    when it answered.
    """

    count: int
    items: tuple[T, ...]
    more: bool
    oldest_first: bool = False
    at: float | None = None
