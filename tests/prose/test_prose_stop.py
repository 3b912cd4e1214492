"""A comparison whose result is no longer needed can be stopped."""

from __future__ import annotations

from typing import Any

import pytest

from cekura_tui.prose import compare as comparison
from cekura_tui.prose.compare import compare
from cekura_tui.prose.matching import Stopped, stoppable

_OLD = "\n\n".join(f"Paragraph {n} says that rule {n * 7} holds. It also says why {n * 11} is." for n in range(200))
_NEW = _OLD.replace("also says", "never tells").replace("rule 7", "law 7")


class _StopAtCall:
    """A stop callback that returns True at its n-th call, or never if `n` is 0."""

    def __init__(self, n: int) -> None:
        self.n, self.calls = n, 0

    def __call__(self) -> bool:
        self.calls += 1
        return self.calls == self.n


def test_a_long_comparison_often_asks_whether_to_stop_and_stops_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = []
    word_spans = comparison.word_spans

    def counted(old: str, new: str, *, thorough: bool = True, exactly: bool = False) -> object:
        compared.append(old)
        return word_spans(old, new, thorough=thorough, exactly=exactly)

    monkeypatch.setattr(comparison, "word_spans", counted)
    never = _StopAtCall(0)
    assert compare(_OLD, _NEW, stop=never) == compare(_OLD, _NEW)
    calls, everything = never.calls, len(compared) // 2
    assert 20 <= calls <= 400  # each text has 400 units
    counts = []
    for n in (1, calls // 4, calls * 3 // 4, calls):
        compared.clear()
        stop = _StopAtCall(n)
        with pytest.raises(Stopped):
            compare(_OLD, _NEW, stop=stop)
        assert stop.calls == n
        counts.append(len(compared))
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert 0 < counts[2] < everything


def test_a_comparison_can_be_stopped_while_its_hunks_are_built(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, before, hunks_of = _StopAtCall(0), [], comparison.hunks_of

    def counted(*found: Any) -> Any:
        before.append(stop.calls)
        return hunks_of(*found)

    monkeypatch.setattr(comparison, "hunks_of", counted)
    compare(_OLD, _NEW, stop=stop)
    assert stop.calls - before[0] >= 4


def test_stoppable_calls_the_callback_before_the_first_item_and_every_ten_items() -> None:
    stop = _StopAtCall(3)
    loop = stoppable(stop, range(100), every=10)
    assert [next(loop) for _ in range(20)] == list(range(20))
    with pytest.raises(Stopped):
        next(loop)
