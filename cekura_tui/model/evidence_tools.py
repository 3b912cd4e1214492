"""Tools that an explanation names: which of their calls and results it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cekura_tui.model.spoken_words import words_of
from cekura_tui.model.tool_call import tool_name
from cekura_tui.model.turn import Turn

_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_RESULT = re.compile(
    r"\b(?:return(?:s|ed|ing)|result(?:s|ed)?|response|responded|answer(?:ed|s)|c[ao]me(?:s)? back|gave back|output|"
    r"error(?:ed)?|fail(?:s|ed|ure)|ergab|lieferte|Ergebnis|devolvió|resultado)\b",
    re.IGNORECASE,
)
_CALL = re.compile(
    r"\b(?:call(?:s|ed|ing)?|invok(?:e|es|ed|ing)|us(?:es|ed|ing)|with|lists|r[au]ns?|trigger(?:s|ed)|sent|passed|"
    r"executed|follow(?:s|ed)|preceded|happened|made|arguments?|parameters?|payload|rief|ruft|aufgerufen|llamó|llama)\b",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:never|not|no (?:such )?calls?|without|n't|should have|nobody|instead of|nie|nicht|kein(?:e|en)?|nunca)\b",
    re.IGNORECASE,
)
_NOUN = r"(?:tools?|functions?|calls?|results?|API|lookup|action)"
_HALF = 70
"""Characters before and behind a name in which words say what of it is meant."""


class ToolNames:
    """The tools that were called in a transcript, by the ways in which somebody may write their names."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self.turns = [turn for turn in turns if turn.speaker in ("tool_call", "tool_result")]
        names = {name for turn in self.turns if (name := tool_name(turn))}
        self._patterns = [(name, pattern) for name in sorted(names) if (pattern := _pattern(name, names))]

    def named_in(self, text: str) -> Iterator[tuple[str, int, int]]:
        """Every mention of a tool: its name and where it stands."""
        for name, pattern in self._patterns:
            for found in pattern.finditer(text):
                yield name, found.start(), found.end()

    def meant(self, name: str, text: str, start: int, end: int, until: int) -> list[Turn]:
        """The turns of a tool that a mention speaks of; `until` is where the next mention stands.

        A result is meant where the words beside the name tell of one, else the call; none where it was not called.
        """
        before, after = text[max(start - _HALF, 0) : start], text[end : min(end + _HALF, until)]
        clause = re.split(r"[;,]|\bbut\b|\byet\b", before)[-1]
        if _NOT.search(clause[-40:]) or _NOT.search(re.split(r"[;,]", after)[0][:30]):
            return []
        word = text[start:end]
        beside = re.split(r"[;.]|\bbut\b|\byet\b|\bso\b", after)[0]
        result = _RESULT.search(beside) or _RESULT.search(word) or re.search(r"\bresult of\b", clause)
        until_result = result.start() if result and result.string == beside else len(beside)
        called = _CALL.search(clause[-30:]) or _CALL.search(beside[:until_result])
        kinds = (["tool_call"] if called or not result else []) + (["tool_result"] if result else [])
        return [turn for turn in self.turns if tool_name(turn) == name and turn.speaker in kinds]


def narrowed(turns: Sequence[Turn], text: str) -> list[Turn]:
    """Of several calls of a tool those whose values the text names, if it names any."""
    told = {word.form for word in words_of(text) if any(letter.isdigit() for letter in word.form)}
    scores = [len(told & {word.form for word in words_of(turn.text)}) for turn in turns]
    best = max(scores, default=0)
    return [turn for turn, score in zip(turns, scores, strict=True) if score == best]


def _pattern(name: str, names: set[str]) -> re.Pattern[str] | None:
    """The name itself, its words apart, and its first or last word before "tool" where no other tool has that word."""
    parts = [part.lower() for part in _PARTS.findall(name)]
    forms = [rf"(?<![\w]){re.escape(name)}(?![\w])"]
    if len(parts) > 1:
        forms.append(r"\b" + r"[\s_-]?".join(map(re.escape, parts)) + r"\b")
    for part in {parts[0], parts[-1]} if parts else set():
        if sum(part in map(str.lower, _PARTS.findall(other)) for other in names) == 1 and len(part) > 2:
            stem = re.escape(part[: max(4, len(part) - 1)] if len(part) > 4 else part)
            forms.append(rf"\b{stem}\w{{0,4}}\s+{_NOUN}\b")
    return re.compile("|".join(forms), re.IGNORECASE)
