"""What is done in a call, by the words in which it is done: an apology says that it is sorry."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from cekura_tui.evidence.mentions import RULE
from cekura_tui.evidence.spoken_words import words_of
from cekura_tui.model.transcript.transcript import TOOLS, Speaker, Turn

MOST = 2
"""Where more turns do the same, none of them is meant more than the others."""
_NOT = re.compile(r"\b(?:never|not|n't|no|nobody|without|nothing|failed to|instead of|nie|nicht|kein\w*|nunca)\b", re.I)


class Act(NamedTuple):
    """How somebody tells of it, whose it is, how it sounds, and what it is called."""

    told: re.Pattern[str]
    who: Speaker
    sounds: re.Pattern[str]
    name: str


def _act(told: str, who: Speaker, sounds: str, name: str) -> Act:
    return Act(re.compile(rf"\b(?:{told})", re.I), who, re.compile(sounds, re.I), name)


ACTS = (
    _act(
        r"apolog(?:y|ies|i[sz]e[sd]?)|said sorry|sich entschuldigt|se disculp",
        "main",
        r"\b(?:sorry|apologi[sz]e|apologies|my mistake|entschuldig|tut mir leid|lo siento|disculp|perdón)",
        "apologises",
    ),
    _act(
        r"condolences?|sympath(?:y|ises?d?)|showed empathy|empathetic|compassion",
        "main",
        r"\b(?:sorry (?:to hear|for|about)|condolence|beileid|lo siento mucho|oh dear|oh no|i understand|that must)",
        "shows sympathy",
    ),
    _act(
        r"(?:ask(?:s|ed|ing)?|want(?:s|ed)|request(?:s|ed)?|demand(?:s|ed)?) (?:\w+ ){0,4}(?:human|person|"
        r"supervisor|manager|"
        r"somebody|someone|representative|real agent|colleague)",
        "testing",
        r"\b(?:human|person|supervisor|manager|somebody|someone|representative|colleague|real agent)\b",
        "asks for a person",
    ),
    _act(
        r"(?:put|placed|kept) on hold|to hold|hold phrase",
        "main",
        r"\b(?:hold|one moment|just a moment|a moment|bear with me)\b",
        "asks to wait",
    ),
    _act(r"thank(?:s|ed) (?:the agent|it|her|him)", "testing", r"\b(?:thank|danke|gracias|merci)", "thanks"),
)
_TALKED_OVER = re.compile(
    r"\b(?:interrupt(?:s|ed|ion|ing)?|talk(?:s|ed)? over|sp(?:eaks|oke) over|cut(?:s|ting)? (?:\w+ )?(?:off|"
    r"short|in)|overlap)",
    re.I,
)
_PUT_RIGHT = re.compile(
    r"\b(?:mis-?heard|misunderst(?:ood|anding)|misunderstands|wrongly (?:repeated|read|noted|taken)|"
    r"had to (?:correct|be corrected|"
    r"be put right|put it right)|put right by|corrected by|(?:caller|customer|client|patient)(?:'s|"
    r"’s)? correct(?:ion|ed|s))",
    re.I,
)
_SECONDS = re.compile(r"\b(\d+(?:\.\d+)?|\w+)[ -]seconds?\b", re.I)
_SILENCE = re.compile(r"\b(?:silen(?:ce|t)|paus(?:e|ed)|gap|dead air|delay|latency|nobody speaks|waited)\b", re.I)
_WORDS = "zero one two three four five six seven eight nine ten eleven twelve"
_NUMBERS = {word: n for n, word in enumerate(_WORDS.split())}
_NO = re.compile(r"\s*(?:no|nope|nein|that's (?:not|wrong)|not quite)\b", re.I)


class Acts:
    """What is done in a call; each kind is looked for once, when an explanation first tells of it."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._turns = turns
        self._found: dict[str, list[int]] = {}

    def told_in(self, text: str) -> Iterator[tuple[list[int], str, int]]:
        """Indexes of turns that do what a sentence tells, what that is, and where in the sentence it is told."""
        if RULE.search(text):
            return
        for act in ACTS:
            if (hit := act.told.search(text)) and not _NOT.search(text[max(hit.start() - 30, 0) : hit.start()]):
                yield from self._few(act.name, lambda act=act: self._doing(act), hit.start())  # type: ignore[misc]
        if (hit := _TALKED_OVER.search(text)) and not _NOT.search(text[: hit.start()]):
            yield from self._few("talks over the other", lambda: _overlapping(self._turns), hit.start())
        if (hit := _PUT_RIGHT.search(text)) and not _NOT.search(text[max(hit.start() - 20, 0) : hit.start()]):
            yield from self._few("is put right", lambda: _put_right(self._turns), hit.start())
        if (
            (hit := _SILENCE.search(text))
            and (long := _length(text)) is not None
            and not _NOT.search(text[: hit.start()])
        ):
            gaps = [edges for edges, seconds in _gaps(self._turns) if abs(seconds - long) <= 1.0]
            if len(gaps) == 1:
                yield list(gaps[0]), f"is beside {long:g} s of silence", hit.start()

    def _few(self, name: str, look: Callable[[], Iterable[int]], at: int) -> Iterator[tuple[list[int], str, int]]:
        """The turns that do something, if they are few enough for all of them to be meant."""
        if name not in self._found:
            self._found[name] = list(islice(look(), MOST + 1))
        if 1 <= len(self._found[name]) <= MOST:
            yield self._found[name], name, at

    def _doing(self, act: Act) -> Iterator[int]:
        return (k for k, turn in enumerate(self._turns) if turn.speaker == act.who and act.sounds.search(turn.text))


def _tells_figure(turn: Turn) -> bool:
    return any(letter.isdecimal() for word in words_of(turn.text) for letter in word.form)


def _length(text: str) -> float | None:
    found = _SECONDS.search(text)
    if found is None:
        return None
    word = found[1].lower()
    return float(word) if word[0].isdecimal() else _NUMBERS.get(word)


def _overlapping(turns: Sequence[Turn]) -> Iterator[int]:
    before: Turn | None = None
    for index, turn in enumerate(turns):
        if turn.speaker in TOOLS or turn.start is None:
            continue
        if (
            before is not None
            and before.end is not None
            and before.speaker != turn.speaker
            and turn.start < before.end - 0.1
        ):
            yield index
        before = turn


def _gaps(turns: Sequence[Turn]) -> Iterator[tuple[tuple[int, int], float]]:
    """The silences between turns: which two turns, and how many seconds."""
    before: tuple[int, float] | None = None
    for index, turn in enumerate(turns):
        if turn.speaker in TOOLS or turn.start is None:
            continue
        if before is not None and turn.start - before[1] > 1.5:
            yield (before[0], index), turn.start - before[1]
        before = (index, turn.end) if turn.end is not None else None


def _put_right(turns: Sequence[Turn]) -> Iterator[int]:
    """Two turns: in one the agent repeats something, in the next the caller says no. None where that is often so."""
    spoken = [index for index, turn in enumerate(turns) if turn.speaker not in TOOLS]
    pairs = [
        (one, other)
        for one, other in pairwise(spoken)
        if turns[one].speaker == "main" and turns[other].speaker == "testing" and _NO.match(turns[other].text)
    ]
    if len(pairs) > 1:  # what is misheard is most often a number or a name that is spelt
        pairs = [pair for pair in pairs if all(_tells_figure(turns[index]) for index in pair)]
    return iter(pairs[0] if len(pairs) == 1 else ())
