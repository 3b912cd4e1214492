"""A comparison that nobody waits for any more: it stops where it is."""

from __future__ import annotations

import pytest

from cekura_tui.prose import compare as comparison
from cekura_tui.prose.compare import compare
from cekura_tui.prose.matching import Stopped, stoppable

_OLD = "\n\n".join(f"Paragraph {n} says that rule {n * 7} holds. It also says why {n * 11} is." for n in range(200))
_NEW = _OLD.replace("also says", "never tells").replace("rule 7", "law 7")


class _StopAt:
    """Says to stop when it is asked for the n-th time; 0 is never."""

    def __init__(self, n: int) -> None:
        self.n, self.asked = n, 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.asked == self.n


def test_a_long_comparison_asks_often_whether_to_stop_and_then_compares_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = []
    word_spans = comparison.word_spans

    def counted(old: str, new: str, *, thorough: bool = True, exactly: bool = False) -> object:
        compared.append(old)
        return word_spans(old, new, thorough=thorough, exactly=exactly)

    monkeypatch.setattr(comparison, "word_spans", counted)
    never = _StopAt(0)
    assert compare(_OLD, _NEW, stop=never) == compare(_OLD, _NEW)
    asked, everything = never.asked, len(compared) // 2
    assert 20 <= asked <= 400  # the units are 400 in each text
    counts = []
    for n in (1, asked // 4, asked * 3 // 4, asked):
        compared.clear()
        stop = _StopAt(n)
        with pytest.raises(Stopped):
            compare(_OLD, _NEW, stop=stop)
        assert stop.asked == n
        counts.append(len(compared))
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert 0 < counts[2] < everything


def test_a_loop_asks_before_the_first_and_after_every_so_many() -> None:
    stop = _StopAt(3)
    loop = stoppable(stop, range(100), every=10)
    assert [next(loop) for _ in range(20)] == list(range(20))
    with pytest.raises(Stopped):
        next(loop)
