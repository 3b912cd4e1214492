"""Dice that always fall the same way: pure functions of a seed and a few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_MASK = (1 << 64) - 1


def roll(seed: int, key: int, salt: int = 0) -> int:
    """A number from 0 to 2**32 - 1 (the splitmix64 finaliser; `random` takes thirty times as long to seed)."""
    z = (seed + key * 0x9E3779B97F4A7C15 + salt * 0xD1B54A32D192ED03) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return (z ^ (z >> 31)) >> 32


class Dice:
    """A row of throws that belong to one thing, such as one run."""

    def __init__(self, seed: int, key: int) -> None:
        self._seed = seed
        self._key = key
        self._throws = 1000

    def below(self, bound: int) -> int:
        self._throws += 1
        return roll(self._seed, self._key, self._throws) % bound

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.below(10_000) / 10_000

    def choose(self, things: Sequence[T]) -> T:
        return things[self.below(len(things))]

    def shuffle(self, things: Sequence[T]) -> list[T]:
        left = list(things)
        return [left.pop(self.below(len(left))) for _ in range(len(left))]
