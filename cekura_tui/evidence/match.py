"""Where the words, times and tools that an explanation names are found in the turns."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from cekura_tui.evidence.mentions import AGENT, CALLER, Sentence, Time
from cekura_tui.evidence.spoken_words import Word, stem, words_of
from cekura_tui.model.transcript.tool_call import brief, tool_name
from cekura_tui.model.transcript.transcript import TOOLS, Turn

_ELLIPSIS = re.compile(r"\s*(?:…|\.\.\.+|\[\.\.\.\]|\[…\]|\(\.\.\.\))\s*")
_NEAR = 0.75
"""So many of the words, at least, must be said in their order for a quote to count as said."""
_EFFORT = 3_000
"""Occurrences of words that are looked at for one quote: in a long call the rare words tell where to compare."""
_COMPARED = 20
"""Turns that are compared with a quote word by word."""
_FEW = 3
"""Fewer words must be said exactly."""
_LONGEST = 60
"""Words of a quote that are compared, and of a turn's text 3,000."""


class MatchPlace(NamedTuple):
    """Where words were said: the index of the turn, the characters of its text, and how much of them, 1 for all."""

    turn: int
    start: int
    end: int
    share: float


class TurnWords:
    """The words of all turns, indexed once."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self.turns = turns
        self.words = [words_of(text_of(turn)[:20_000])[:3_000] for turn in turns]
        self._where: dict[str, list[int]] = {}
        self._stems: dict[str, list[int]] = {}
        for index, words in enumerate(self.words):
            for form in {word.form for word in words}:
                self._where.setdefault(form, []).append(index)
            for root in {stem(word.form) for word in words}:
                self._stems.setdefault(root, []).append(index)

    def spread(self, form: str) -> int:
        return len(self._where.get(form, ()))

    def turns_with(self, form: str) -> Sequence[int]:
        return self._where.get(form, ())

    def turns_with_stem(self, root: str) -> Sequence[int]:
        return self._stems.get(root, ())

    def find(self, quote: str) -> list[MatchPlace]:
        """Where a quote was said: the places of all its parts, if it leaves something out; the best ones alone."""
        parts = [words for part in _ELLIPSIS.split(quote) if (words := [word.form for word in words_of(part)])]
        if not parts:
            return []
        longest = max(parts, key=len)[:_LONGEST]
        places = self._exact(longest) or (self._near(longest) if len(longest) >= _FEW else [])
        if len(parts) == 1:
            return places
        return [place for place in places if all(self._aligned(place.turn, part) for part in parts)] or places

    def _candidates(self, forms: list[str]) -> list[int]:
        """Turns with nearly _NEAR of the words, in any order; at most _COMPARED, rare words counting first."""
        hits: Counter[int] = Counter()
        distinct = sorted(set(forms), key=self.spread)
        looked, effort = 0, 0
        for form in distinct:
            effort += self.spread(form)
            if looked and effort > _EFFORT:
                break
            hits.update(self._where.get(form, ()))
            looked += 1
        needed = max((_NEAR - 0.15) * len(distinct) - (len(distinct) - looked), 1)
        best = sorted((index for index, number in hits.items() if number >= needed), key=lambda i: (-hits[i], i))
        return sorted(best[:_COMPARED])

    def _exact(self, forms: list[str]) -> list[MatchPlace]:
        rarest = min(forms, key=self.spread)
        offset, found = forms.index(rarest), []
        for index in self.turns_with(rarest):
            words = self.words[index]
            for place, word in enumerate(words):
                at = place - offset
                if word.form == rarest and at >= 0 and [w.form for w in words[at : at + len(forms)]] == forms:
                    found.append(MatchPlace(index, words[at].start, words[at + len(forms) - 1].end, 1.0))
                    break
        return found

    def _near(self, forms: list[str]) -> list[MatchPlace]:
        found = [place for index in self._candidates(forms) if (place := self._aligned(index, forms))]
        best = max((place.share for place in found), default=0.0)
        return [place for place in found if place.share >= best - 0.05]

    def _aligned(self, index: int, forms: list[str]) -> MatchPlace | None:
        """The stretch of a turn that says _NEAR of these words or more in their order, with few others between."""
        words = self.words[index]
        positions: dict[str, list[int]] = {}
        for at, word in enumerate(words):
            positions.setdefault(word.form, []).append(at)
        best: tuple[float, int, int] | None = None
        for start in sorted({at for form in forms[:4] for at in positions.get(form, ())}):
            matched, last, first, n = 0.0, start - 1, -1, 0
            while n < len(forms):
                place, weight, used = _next(words, positions, forms, n, last)
                if place is not None:
                    matched, last = matched + weight, place
                    first = place if first < 0 else first
                n += used
            if first >= 0 and (best is None or matched > best[0]):
                best = matched, first, last
        if best is None or best[0] / len(forms) < _NEAR:
            return None
        matched, first, last = best
        return MatchPlace(index, words[first].start, words[last].end, matched / len(forms))


def _next(
    words: list[Word], positions: dict[str, list[int]], forms: list[str], n: int, last: int
) -> tuple[int | None, float, int]:
    """Where word `n` is said near `last`, its weight, and the words used: one may be written as two, or two as one."""
    reach = last + 4 + len(forms) // 4
    form = forms[n]
    at = _after(positions.get(form, ()), last)
    if at is not None and at <= reach:
        return at, 1.0, 1
    if n + 1 < len(forms):
        joined = _after(positions.get(form + forms[n + 1], ()), last)
        if joined is not None and joined <= reach:
            return joined, 2.0, 2
    for place in range(last + 1, min(reach, len(words) - 1)):
        spoken = words[place].form
        if spoken + words[place + 1].form == form:
            return place + 1, 1.0, 1
        if _alike(spoken, form):
            return place, 0.9, 1
    return None, 0.0, 1


def _after(places: Sequence[int], last: int) -> int | None:
    at = bisect_left(places, last + 1)
    return places[at] if at < len(places) else None


def _alike(spoken: str, asked: str) -> bool:
    """Whether two words are forms of one: "book" and "booked"."""
    least = min(len(spoken), len(asked))
    same = least - (least > 5)
    return least >= 4 and abs(len(spoken) - len(asked)) <= 3 and spoken[:same] == asked[:same]


def text_of(turn: Turn) -> str:
    """The text of a turn in which words are sought; of a tool turn its values, which is what it shows."""
    if turn.speaker in TOOLS and turn.tool:
        name = turn.tool.get("name")
        return f"{name if isinstance(name, str) else ''} {brief(turn)}"
    return turn.text


_BESIDE = 15.0
"""Seconds before and after the speech of a turn within which a time may still mean it."""
_NEXT = 3.0
"""Likewise, where it certainly does."""
_EARLY = 2.0
"""Seconds before the first turn within which a time may mean it."""
_FEW_OF_RANGE, _MOST_OF_RANGE = 3, 8
"""Turns of a range of time: so few need no other sign of who is meant; more than so many are not all pointed at."""
_HALF = 0.55
"""Seconds after the end of a range, as it is written, in which a turn may start that is still in it."""
_SILENCE = re.compile(r"\b(?:silence|silent|pause|gap|dead air|nobody speaks|latency|delay|Stille|silencio)\b", re.I)


class TurnTimes:
    """The times of the turns of one call; `word_index` has the times of day that are spoken."""

    def __init__(self, turns: Sequence[Turn], word_index: TurnWords) -> None:
        self._turns, self._word_index = turns, word_index
        timed = sorted((turn.start, index) for index, turn in enumerate(turns) if turn.start is not None)
        self._starts = [start for start, _ in timed]
        self._at = [index for _, index in timed]
        self._end = max((turn.end or turn.start or 0.0 for turn in turns), default=0.0)

    def meant(self, time: Time, sentence: Sentence) -> list[int]:
        """The turns of a time. One that is later than the call, or that a turn says, is a time of day."""
        if not self._starts or time.last > self._end + 1:
            return []
        if not time.sure and self._word_index.spread(time.text.lstrip("0")):
            return []
        if time.first < time.last:
            inside = sorted(self._starting(int(time.first), time.last + _HALF))
            if len(inside) > _FEW_OF_RANGE and AGENT.search(sentence.rest) and not CALLER.search(sentence.rest):
                inside = [index for index in inside if self._turns[index].speaker == "main"] or inside
            return inside if len(inside) <= _MOST_OF_RANGE else inside[:1]
        if here := self._starting(int(time.first), int(time.first) + 1):
            return here if len(here) < 2 else self._of_several(here, sentence)
        if _SILENCE.search(sentence.rest) and not time.vague and (edges := self._around(time.first)):
            return edges
        return self._nearest(time.first)

    def _starting(self, first: float, before: float) -> list[int]:
        """The turns that start within a stretch of time."""
        return self._at[bisect_left(self._starts, first) : bisect_left(self._starts, before)]

    def _around(self, at: float) -> list[int]:
        """The turns on both sides of a silence, where there is one at that time."""
        place = bisect_right(self._starts, at) - 1
        if not 0 <= place < len(self._at) - 1:
            return []
        end = self._turns[self._at[place]].end
        return [self._at[place], self._at[place + 1]] if end is not None and end < at else []

    def _of_several(self, here: list[int], sentence: Sentence) -> list[int]:
        tools = [index for index in here if self._turns[index].speaker in TOOLS]
        if tools and any(word in sentence.rest.lower() for word in ("tool", "call", "result", "function")):
            return tools[-1:]
        spoken = [index for index in here if self._turns[index].speaker not in TOOLS]
        return (spoken or here)[:1]

    def _nearest(self, at: float) -> list[int]:
        """The turn that is being spoken at a time, else the one whose end or start is nearest."""
        place = bisect_right(self._starts, at) - 1
        best: tuple[float, int] | None = None
        for k in range(max(place - 3, 0), min(place + 2, len(self._at))):
            turn = self._turns[self._at[k]]
            start = turn.start or 0.0
            following = self._starts[k + 1] if k + 1 < len(self._starts) else self._end
            end = max(start, turn.end if turn.end is not None else following)
            away = start - at if at < start else max(at - end, 0.0)
            if k == 0 and away > _EARLY and at < start:
                continue  # nobody has said anything yet
            if away <= _BESIDE and (best is None or away < best[0] or (away == best[0] and turn.speaker not in TOOLS)):
                best = away, self._at[k]
        return [] if best is None else [best[1]]

    def certain(self, time: Time, index: int) -> bool:
        """Whether a time is within the speech of a turn, or next to it, and not only nearer to it than to another."""
        turn = self._turns[index]
        start = turn.start or 0.0
        return start - _NEXT <= time.last and time.first <= max(turn.end or start, start) + _NEXT

    def repeats(self, time: Time, indexes: list[int], quoted: set[int]) -> bool:
        """Whether a time only says once more which turn a quote is of: it is near that turn's, and no other's."""
        if not quoted or set(indexes) & quoted or time.first < time.last:
            return False
        exact = any(abs((self._turns[i].start or 0.0) - time.first) < 1.5 for i in indexes)
        near = any(abs((self._turns[i].start or -99.0) - time.first) <= (10 if time.vague else 3) for i in quoted)
        return near and not exact


_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_RESULT = re.compile(
    r"\b(?:return(?:s|ed|ing)|result(?:s|ed)?|response|responded|answer(?:ed|s)|c[ao]me(?:s)? back|reported|reports|"
    r"yielded|brought|gave back|output|error(?:ed)?|timed out|times out|rejected|denied|gone through|went through|"
    r"acknowledged|time-?out|shows|showed|fail(?:s|ed|ure)|ergab|lieferte|Ergebnis|devolvió|resultado)\b",
    re.I,
)
_CALL = re.compile(
    r"\b(?:call(?:s|ed|ing)?|invok(?:e|es|ed|ing)|us(?:es|ed|ing)|with|lists|r[au]ns?|trigger(?:s|ed)|sent|passed|"
    r"executed|tried|attempt(?:s|ed)?|retried|follow(?:s|ed)|preceded|happened|made|was given|were given|"
    r"arguments?|parameters?|payload|rief|ruft|aufgerufen|llamó|llama)\b",
    re.I,
)
_NOT_BEFORE = re.compile(
    r"\b(?:never|not|n't|no|without|instead of|nie|nicht|kein\w*|nunca)\s+(?:(?:a|an|any|such|the|calling|called|using|"
    r"used|invoking|invoked|running|triggering|llamó a|single)\s+){0,3}$",
    re.I,
)
_NOT_AFTER = re.compile(
    r"^[`\"'”’]?\s*(?:[-–:]\s*)?(?:(?:call|tool|function|was|were|is|has|have|had|been|API|de)\s+){0,3}"
    r"(?:never|not|n't|should have|nie|nicht|nunca|no se)\b",
    re.I,
)
_RESULT_BEFORE = re.compile(
    r"\b(?:devolvió|devuelve)\s+[`\"'“‘]?$|\b(?:return(?:ed|s)?|results?|response|output|answer|passage|record|data|"
    r"reply|error|came back|comes back|those|numbers?|figures?|values?|prices?|slots?|what)\s+(?:\w+\s+)?(?:by|of|"
    r"from|in)\s+(?:the\s+)?[`\"'“‘]?$",
    re.I,
)
_NOUN = r"(?:tools?|functions?|calls?|results?|API|lookup|action|came back|returned|errored|failed)"
_IN_TEXT = re.compile(r"\s*([A-Za-z_]\w*(?:[.-]\w+)*)\s*[({]")
"""A call in a transcript of which only the text was sent: `create_rental {"name": …}`."""
_TOOL_ANSWERED = re.compile(
    r"\b(?:the tool|the function|the system|the call|which)\s+(?:then\s+)?(?:answered|returned|replied|reported|failed|"
    r"errored|came back|timed out)\b",
    re.I,
)
_HAD_ANSWERED = re.compile(r"^[`\"'”’]?\s*had (?:said|told|shown|answered)\b", re.I)
_ATTEMPT = re.compile(r"^[`\"'”’]?\s*(?:\w+\s+)?attempts?\b", re.I)
_AGAIN = re.compile(r"\b(?:called it again|tried again|retr(?:y|ied|ies)|on retry|second attempt)\b", re.I)
_ORDINAL = re.compile(r"\b(first|second|third|fourth|last|final|1st|2nd|3rd)\s+[`\"'“‘]?$", re.I)
_PLACES = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3}
_LONGEST_NAME, _MOST_NAMES = 200, 200
"""Characters of a name, and names of one call, that are looked for."""
_HALF_A_SECOND = 70
"""Characters before and behind a name in which words say what of it is meant."""


class ToolNames:
    """The tools that were called in a transcript, by the ways in which their names may be written."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self.turns = [turn for turn in turns if turn.speaker in ("tool_call", "tool_result")]
        self._names = _named(self.turns)
        names = sorted(dict.fromkeys(name for name in self._names.values() if len(name) <= _LONGEST_NAME))[:_MOST_NAMES]
        used = Counter(part for name in names for part in {part.lower() for part in _PARTS.findall(name)})
        self._patterns = [(name, _pattern(name, used)) for name in names]

    def named_in(self, text: str) -> Iterator[tuple[str, int, int]]:
        """Every mention of a tool: its name and where it stands."""
        for name, pattern in self._patterns:
            for found in pattern.finditer(text):
                yield name, found.start(), found.end()

    def meant(self, name: str, text: str, start: int, end: int, until: int) -> list[Turn]:
        """The turns of a tool that a mention speaks of: a result where the words beside it say so, else the call.

        None where it was not called. `until` is where the next mention begins.
        """
        before, behind = text[max(start - _HALF_A_SECOND, 0) : start], text[end:until]
        after = behind[:_HALF_A_SECOND]
        clause = re.split(r"[;,]|\b(?:but|yet|although|though|while|whereas)\b", before)[-1]
        if _NOT_BEFORE.search(clause.rstrip("`\"'“‘")) or _NOT_AFTER.match(after):
            return []
        beside = re.split(r"[;.]|\bbut\b|\byet\b|\bso\b", after)[0]
        in_word = _RESULT.search(text[start:end])
        in_text = _RESULT.search(beside) or _HAD_ANSWERED.match(beside)
        result = in_word or in_text or _TOOL_ANSWERED.search(after)
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
    place = _PLACES.get(found[1].lower(), -1) if found else 0
    if found is None or len(calls) < 2 or place >= len(calls):
        return turns
    start = calls[place]
    return turns[start : next((index for index in calls if index > start), None)]


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
    figures = {word.form for word in words_of(text) if any(letter.isdigit() for letter in word.form)}
    scores = [len(figures & {word.form for word in words_of(turn.text)}) for turn in turns]
    best = max(scores, default=0)
    return [turn for turn, score in zip(turns, scores, strict=True) if score == best]


def _pattern(name: str, used: Mapping[str, int]) -> re.Pattern[str]:
    """Its name, its words apart, and its first or last word before "tool" if `used` in no other name."""
    parts = [part.lower() for part in _PARTS.findall(name)]
    forms = [rf"(?<!\w){re.escape(name)}(?!\w)"]
    if len(parts) == 1 and parts[0] == name:  # a common word, too
        forms = [rf"[`\"'“‘]{re.escape(name)}[`\"'”’]", rf"\b{re.escape(name)}\s+{_NOUN}\b"]
    if len(parts) > 1:
        forms.append(r"\b" + r"[\s_-]?".join(map(re.escape, parts)) + r"\b")
    for part in {parts[0], parts[-1]} if parts else set():
        if used[part] == 1 and len(part) > 2:
            stem = re.escape(part[: max(4, len(part) - 1)] if len(part) > 4 else part)
            forms.append(rf"\b{stem}\w{{0,4}}\s+{_NOUN}\b")
    return re.compile("|".join(forms), re.I)
