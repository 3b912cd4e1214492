"""A comparison that nobody waits for any more: it stops where it is."""

from __future__ import annotations

import pytest

from cekura_tui.prose import compare as comparison
from cekura_tui.prose.compare import compare
from cekura_tui.prose.stopping import Stopped, until

_OLD = "\n\n".join(f"Paragraph {n} says that rule {n * 7} holds. It also says why {n * 11} is." for n in range(600))
_NEW = _OLD.replace("also says", "never tells").replace("rule 7", "law 7")


class _StopAt:
    """Says to stop when it is asked for the n-th time; 0 is never."""

    def __init__(self, n: int) -> None:
        self.n, self.asked = n, 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.asked == self.n


def _asked() -> int:
    stop = _StopAt(0)
    assert compare(_OLD, _NEW, stop=stop) == compare(_OLD, _NEW)
    return stop.asked


def test_a_long_comparison_asks_often_whether_it_is_still_wanted() -> None:
    assert 60 <= _asked() <= 1_200  # the units are 1,200 in each text


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_a_comparison_that_is_told_to_stop_asks_no_more(part: float) -> None:
    stop = _StopAt(max(1, round(_asked() * part)))
    with pytest.raises(Stopped):
        compare(_OLD, _NEW, stop=stop)
    assert stop.asked == stop.n


def test_nothing_more_is_compared_once_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    word_spans = comparison.word_spans

    def counted(old: str, new: str, *, closely: bool = True, exactly: bool = False) -> object:
        compared.append(old)
        return word_spans(old, new, closely=closely, exactly=exactly)

    monkeypatch.setattr(comparison, "word_spans", counted)
    asked, everything = _asked(), len(compared) // 2
    counts = []
    for n in (1, asked // 4, asked * 3 // 4, asked):
        compared.clear()
        with pytest.raises(Stopped):
            compare(_OLD, _NEW, stop=_StopAt(n))
        counts.append(len(compared))
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert 0 < counts[2] < everything


def test_a_loop_asks_before_the_first_and_after_every_so_many() -> None:
    stop = _StopAt(3)
    loop = until(stop, range(100), every=10)
    assert [next(loop) for _ in range(20)] == list(range(20))
    with pytest.raises(Stopped):
        next(loop)
