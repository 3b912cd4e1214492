"""One page of a list that the server keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """How many there are in all, these, and whether another page follows."""

    count: int
    items: tuple[T, ...]
    more: bool
