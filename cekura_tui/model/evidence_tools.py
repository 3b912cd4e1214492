"""Tools that an explanation names: which of their calls and results it speaks of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from cekura_tui.model.spoken_words import words_of
from cekura_tui.model.tool_call import tool_name
from cekura_tui.model.turn import Turn

_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_RESULT = re.compile(
    r"\b(?:return(?:s|ed|ing)|result(?:s|ed)?|response|responded|answer(?:ed|s)|c[ao]me(?:s)? back|reported|"
    r"reports|yielded|brought|gave back|output|"
    r"error(?:ed)?|timed out|times out|rejected|denied|gone through|went through|acknowledged|time-?out|shows|"
    r"showed|fail(?:s|ed|ure)|ergab|lieferte|Ergebnis|devolvió|resultado)\b",
    re.IGNORECASE,
)
_CALL = re.compile(
    r"\b(?:call(?:s|ed|ing)?|invok(?:e|es|ed|ing)|us(?:es|ed|ing)|with|lists|r[au]ns?|trigger(?:s|ed)|sent|passed|"
    r"executed|tried|attempt(?:s|ed)?|retried|follow(?:s|ed)|preceded|happened|made|was given|were given|"
    r"arguments?|parameters?|payload|rief|ruft|aufgerufen|llamó|llama)\b",
    re.IGNORECASE,
)
_NOT_BEFORE = re.compile(
    r"\b(?:never|not|n't|no|without|instead of|nie|nicht|kein\w*|nunca)\s+(?:(?:a|an|any|such|the|calling|called|using|"
    r"used|invoking|invoked|running|triggering|llamó a|single)\s+){0,3}$",
    re.IGNORECASE,
)
_NOT_AFTER = re.compile(
    r"^[`\"'”’]?\s*(?:[-–:]\s*)?(?:(?:call|tool|function|was|were|is|has|have|had|been|API|de)\s+){0,3}"
    r"(?:never|not|n't|should have|nie|nicht|nunca|no se)\b",
    re.IGNORECASE,
)
_RESULT_BEFORE = re.compile(
    r"\b(?:devolvió|devuelve)\s+[`\"'“‘]?$|\b(?:return(?:ed|s)?|results?|response|output|answer|passage|record|"
    r"data|reply|error|came back|comes back|those|"
    r"numbers?|figures?|values?|prices?|slots?|what)\s+(?:\w+\s+)?"
    r"(?:by|of|from|in)\s+(?:the\s+)?[`\"'“‘]?$",
    re.IGNORECASE,
)
_NOUN = r"(?:tools?|functions?|calls?|results?|API|lookup|action|came back|returned|errored|failed)"
_IN_TEXT = re.compile(r"\s*([A-Za-z_]\w*(?:[.-]\w+)*)\s*[({]")
"""A call in a transcript of which only the text was sent: `create_rental {"name": …}`."""
_TOOL_SAID = re.compile(
    r"\b(?:the tool|the function|the system|the call|which)\s+(?:then\s+)?(?:answered|returned|replied|reported|failed|"
    r"errored|came back|timed out)\b",
    re.IGNORECASE,
)
_HAD_SAID = re.compile(r"^[`\"'”’]?\s*had (?:said|told|shown|answered)\b", re.IGNORECASE)
_ATTEMPT = re.compile(r"^[`\"'”’]?\s*(?:\w+\s+)?attempts?\b", re.IGNORECASE)
_AGAIN = re.compile(r"\b(?:called it again|tried again|retr(?:y|ied|ies)|on retry|second attempt)\b", re.IGNORECASE)
_ORDINAL = re.compile(r"\b(first|second|third|fourth|last|final|1st|2nd|3rd)\s+[`\"'“‘]?$", re.IGNORECASE)
_PLACES = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3}
_LONGEST, _MOST_NAMES = 200, 200
"""Characters of a name, and names of one call, that are looked for."""
_HALF = 70
"""Characters before and behind a name in which words say what of it is meant."""


class ToolNames:
    """The tools that were called in a transcript, by the ways in which somebody may write their names."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self.turns = [turn for turn in turns if turn.speaker in ("tool_call", "tool_result")]
        self._names = _named(self.turns)
        names = sorted(dict.fromkeys(name for name in self._names.values() if len(name) <= _LONGEST))[:_MOST_NAMES]
        used = Counter(part for name in names for part in {part.lower() for part in _PARTS.findall(name)})
        self._patterns = [(name, _pattern(name, used)) for name in names]

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
        behind = text[end:until]
        clause = re.split(r"[;,]|\b(?:but|yet|although|though|while|whereas)\b", before)[-1]
        if _NOT_BEFORE.search(clause.rstrip("`\"'“‘")) or _NOT_AFTER.match(after):
            return []
        word = text[start:end]
        beside = re.split(r"[;.]|\bbut\b|\byet\b|\bso\b", after)[0]
        in_word, in_text = _RESULT.search(word), _RESULT.search(beside)
        in_text = in_text or _HAD_SAID.match(beside)
        result = in_word or in_text or _TOOL_SAID.search(after)
        if _RESULT_BEFORE.search(clause):
            kinds = ["tool_result"]
        else:
            until_result = 0 if in_word else in_text.start() if in_text else len(beside)
            called = _CALL.search(clause[-30:]) or _CALL.search(beside[:until_result])
            kinds = (["tool_call"] if called or not result else []) + (["tool_result"] if result else [])
            if _ATTEMPT.search(beside):
                kinds = ["tool_call", "tool_result"]
        turns = [turn for turn in self.turns if self._names.get(turn.n) == name]
        if _AGAIN.search(behind):
            return turns if len(turns) <= 4 else []
        return [turn for turn in _nth(turns, before[-20:]) if turn.speaker in kinds]


def _nth(turns: Sequence[Turn], before: str) -> Sequence[Turn]:
    """Of the calls of a tool and their results the first, second or last, where the words before the name say so."""
    calls = [index for index, turn in enumerate(turns) if turn.speaker == "tool_call"]
    found = _ORDINAL.search(before)
    if found is None or len(calls) < 2:
        return turns
    place = _PLACES.get(found[1].lower(), -1)
    if place >= len(calls):
        return turns
    start = calls[place]
    following = [index for index in calls if index > start]
    return turns[start : following[0] if following else len(turns)]


def _named(turns: Sequence[Turn]) -> dict[int, str]:
    """The names of the tools by turn. A result of which only the text was sent is of the call before it."""
    names: dict[int, str] = {}
    last = ""
    for turn in turns:
        found = tool_name(turn) or ((hit := _IN_TEXT.match(turn.text)) and hit[1]) or ""
        if turn.speaker == "tool_call":
            last = found
        if name := found or last:
            names[turn.n] = name
    return names


def narrowed(turns: Sequence[Turn], text: str) -> list[Turn]:
    """Of several calls of a tool those whose values the text names, if it names any."""
    text = re.split(r"\b(?:instead of|rather than)\b", text)[0]
    told = {word.form for word in words_of(text) if any(letter.isdigit() for letter in word.form)}
    scores = [len(told & {word.form for word in words_of(turn.text)}) for turn in turns]
    best = max(scores, default=0)
    return [turn for turn, score in zip(turns, scores, strict=True) if score == best]


def _pattern(name: str, used: Mapping[str, int]) -> re.Pattern[str]:
    """The name itself, its words apart, and its first or last word before "tool" where no other tool has that word
    (`used` tells in how many names it is)."""
    parts = [part.lower() for part in _PARTS.findall(name)]
    forms = [rf"(?<![\w]){re.escape(name)}(?![\w])"]
    if len(parts) == 1 and parts[0] == name:  # a common word, too
        forms = [rf"[`\"'“‘]{re.escape(name)}[`\"'”’]", rf"\b{re.escape(name)}\s+{_NOUN}\b"]
    if len(parts) > 1:
        forms.append(r"\b" + r"[\s_-]?".join(map(re.escape, parts)) + r"\b")
    for part in {parts[0], parts[-1]} if parts else set():
        if used[part] == 1 and len(part) > 2:
            stem = re.escape(part[: max(4, len(part) - 1)] if len(part) > 4 else part)
            forms.append(rf"\b{stem}\w{{0,4}}\s+{_NOUN}\b")
    return re.compile("|".join(forms), re.IGNORECASE)
