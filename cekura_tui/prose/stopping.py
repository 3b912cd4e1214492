"""How a long comparison is stopped: its loops ask, every so many steps, whether it is still wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Stop = Callable[[], bool]
"""Whether to stop. It is asked from the thread that compares."""
_Item = TypeVar("_Item")


class Stopped(Exception):
    """A comparison was stopped before it was done."""


def never() -> bool:
    """Go on to the end."""
    return False


def until(stop: Stop, items: Iterable[_Item], every: int = 64) -> Iterator[_Item]:
    """The items, until `stop` says so: it is asked before the first one, and again after each `every` of them. Raises
    Stopped."""
    for n, item in enumerate(items):
        if n % every == 0 and stop():
            raise Stopped
        yield item
