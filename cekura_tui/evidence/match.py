"""Find the turns that are meant by quotes, times and tool names in an explanation."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from cekura_tui.evidence.mentions import AGENT, CALLER, Sentence, Time
from cekura_tui.evidence.spoken_words import STOP_WORDS, Word, words_of
from cekura_tui.model.transcript.tool_call import ToolCalls, brief, tool_name
from cekura_tui.model.transcript.transcript import TOOLS, Turn

_ELLIPSIS = re.compile(r"\s*(?:…|\.\.\.+|\[\.\.\.\]|\[…\]|\(\.\.\.\))\s*")
_LEAST_SHARE = 0.75
"""Least share of a quote's words that a turn must contain, in the order of the quote."""
_MOST_POSTINGS = 3_000
"""Most entries of the index that are read for one quote; rare words are read first."""
_MOST_CANDIDATES = 20
"""Most turns compared with a quote word by word."""
_LEAST_FUZZY_WORDS = 3
"""A quote with fewer words must match exactly."""
_LONGEST_QUOTE = 60
"""Most words of a quote that are compared."""


class QuoteMatch(NamedTuple):
    """A match of a quote: the index of the turn, the characters [start, end) of the turn's text, and the share of the
    quote's words that were found, up to 1."""

    turn: int
    start: int
    end: int
    share: float


class WordIndex:
    """Inverted index of the words of all turns."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self.turns = turns
        self.words = [words_of(text_of(turn)[:20_000])[:3_000] for turn in turns]
        self._postings: dict[str, list[int]] = {}
        for index, words in enumerate(self.words):
            for form in {word.form for word in words}:
                self._postings.setdefault(form, []).append(index)

    def turn_count(self, form: str) -> int:
        return len(self._postings.get(form, ()))

    def turns_with(self, form: str) -> Sequence[int]:
        return self._postings.get(form, ())

    def together(self, forms: Set[str]) -> int:
        """The most words that a turn and the next turn have together, if one of the two has the rarest word."""
        rarest = min(sorted(form for form in forms if form in self._postings), key=self.turn_count, default="")
        pairs = (at for index in self.turns_with(rarest)[:_MOST_CANDIDATES] for at in (max(index - 1, 0), index))
        spoken = ({word.form for words in self.words[at : at + 2] for word in words} for at in pairs)
        return max((len(forms & said) for said in spoken), default=0)

    def context_score(self, index: int, text: str) -> float:
        """Number of words of a text in a turn or directly before and after it, weighted by rarity."""
        forms = {word.form for word in words_of(text) if len(word.form) >= 3} - STOP_WORDS
        spoken = {word.form for words in self.words[max(index - 1, 0) : index + 2] for word in words}
        return sum(sorted(1 / self.turn_count(form) for form in forms & spoken))  # the order of a set varies

    def find(self, quote: str) -> list[QuoteMatch]:
        """The best matches of a quote; with ellipses, of its longest part, preferably in turns with all parts."""
        parts = [words for part in _ELLIPSIS.split(quote) if (words := [word.form for word in words_of(part)])]
        if not parts:
            return []
        longest = max(parts, key=len)[:_LONGEST_QUOTE]
        places = self._exact(longest) or (self._approximate(longest) if len(longest) >= _LEAST_FUZZY_WORDS else [])
        if len(parts) == 1:
            return places
        return [place for place in places if all(self._aligned(place.turn, part) for part in parts)] or places

    def _candidates(self, forms: list[str]) -> list[int]:
        """Indexes of at most _MOST_CANDIDATES turns that contain nearly _LEAST_SHARE of the words, in any order."""
        hits: Counter[int] = Counter()
        distinct = sorted(set(forms), key=self.turn_count)
        searched, effort = 0, 0
        for form in distinct:
            effort += self.turn_count(form)
            if searched and effort > _MOST_POSTINGS:
                break
            hits.update(self._postings.get(form, ()))
            searched += 1
        needed = max((_LEAST_SHARE - 0.15) * len(distinct) - (len(distinct) - searched), 1)
        best = sorted((index for index, number in hits.items() if number >= needed), key=lambda i: (-hits[i], i))
        return sorted(best[:_MOST_CANDIDATES])

    def _exact(self, forms: list[str]) -> list[QuoteMatch]:
        rarest = min(forms, key=self.turn_count)
        offset, found = forms.index(rarest), []
        for index in self.turns_with(rarest):
            words = self.words[index]
            for place, word in enumerate(words):
                at = place - offset
                if word.form == rarest and at >= 0 and [w.form for w in words[at : at + len(forms)]] == forms:
                    found.append(QuoteMatch(index, words[at].start, words[at + len(forms) - 1].end, 1.0))
                    break
        return found

    def _approximate(self, forms: list[str]) -> list[QuoteMatch]:
        found = [place for index in self._candidates(forms) if (place := self._aligned(index, forms))]
        best = max((place.share for place in found), default=0.0)
        return [place for place in found if place.share >= best - 0.05]

    def _aligned(self, index: int, forms: list[str]) -> QuoteMatch | None:
        """The part of a turn that has at least _LEAST_SHARE of the words, in order and with few other words in between.
        None if the turn has no such part."""
        words = self.words[index]
        positions: dict[str, list[int]] = {}
        for at, word in enumerate(words):
            positions.setdefault(word.form, []).append(at)
        best: tuple[float, int, int] | None = None
        for start in sorted({at for form in forms[:4] for at in positions.get(form, ())}):
            matched, last, first, n = 0.0, start - 1, -1, 0
            while n < len(forms):
                place, weight, used = _next_match(words, positions, forms, n, last)
                if place is not None:
                    matched, last = matched + weight, place
                    first = place if first < 0 else first
                n += used
            if first >= 0 and (best is None or matched > best[0]):
                best = matched, first, last
        if best is None or best[0] / len(forms) < _LEAST_SHARE:
            return None
        matched, first, last = best
        return QuoteMatch(index, words[first].start, words[last].end, matched / len(forms))


def _next_match(
    words: list[Word], positions: dict[str, list[int]], forms: list[str], n: int, last: int
) -> tuple[int | None, float, int]:
    """Find the quoted word `forms[n]` soon after index `last`. Returns (index or None, weight, number of quoted words
    used); "voice mail" matches "voicemail" and vice versa."""
    reach = last + 4 + len(forms) // 4
    form = forms[n]
    at = _first_after(positions.get(form, ()), last)
    if at is not None and at <= reach:
        return at, 1.0, 1
    if n + 1 < len(forms):
        joined = _first_after(positions.get(form + forms[n + 1], ()), last)
        if joined is not None and joined <= reach:
            return joined, 2.0, 2
    for place in range(last + 1, min(reach, len(words) - 1)):
        spoken = words[place].form
        if spoken + words[place + 1].form == form:
            return place + 1, 1.0, 1
        if _are_inflections(spoken, form):
            return place, 0.9, 1
    return None, 0.0, 1


def _first_after(places: Sequence[int], last: int) -> int | None:
    at = bisect_left(places, last + 1)
    return places[at] if at < len(places) else None


def _are_inflections(spoken: str, asked: str) -> bool:
    """Whether two words seem to be forms of the same word, such as "book" and "booked"."""
    least = min(len(spoken), len(asked))
    same = least - (least > 5)
    return least >= 4 and abs(len(spoken) - len(asked)) <= 3 and spoken[:same] == asked[:same]


def text_of(turn: Turn) -> str:
    """The searchable text of a turn; of a tool call or result, the name of the tool and the values."""
    if turn.speaker in TOOLS and turn.tool:
        name = turn.tool.get("name")
        return f"{name if isinstance(name, str) else ''} {brief(turn)}"
    return turn.text


_REACH = 15.0
"""A time can mean a turn only if it is at most this many seconds before or after the speech of the turn."""
_CERTAIN_REACH = 3.0
"""A time certainly means a turn if it is at most this many seconds before or after the speech of the turn."""
_EARLY_REACH = 2.0
"""A time before the first turn can mean that turn only if it is at most this many seconds earlier."""
_FEW_OF_RANGE, _MOST_OF_RANGE = 3, 8
"""If a time range has more than _FEW_OF_RANGE turns and the sentence names only the agent, only the agent's turns
count. If more than _MOST_OF_RANGE turns are left, only the first turn counts."""
_RANGE_SLACK = 0.55
"""A turn still belongs to a time range if it starts less than this many seconds after the end of the range."""
_SILENCE = re.compile(r"\b(?:silence|silent|pause|gap|dead air|nobody speaks|latency|delay|Stille|silencio)\b", re.I)


class TurnTimes:
    """Finds the turns of a call by time. `word_index` is used to recognise times of day that a turn mentions."""

    def __init__(self, turns: Sequence[Turn], word_index: WordIndex) -> None:
        self._turns, self._word_index = turns, word_index
        timed = sorted((turn.start, index) for index, turn in enumerate(turns) if turn.start is not None)
        self._starts = [start for start, _ in timed]
        self._at = [index for _, index in timed]
        self._end = max((turn.end or turn.start or 0.0 for turn in turns), default=0.0)

    def turns_meant(self, time: Time, sentence: Sentence) -> list[int]:
        """Indexes of the turns that a time means. Empty if the time is after the end of the call, or if it seems to be
        a time of day because a turn mentions the same time."""
        if not self._starts or time.last > self._end + 1:
            return []
        if not time.sure and self._word_index.turn_count(time.text.lstrip("0")):
            return []
        if time.first < time.last:
            inside = sorted(self._starting_between(int(time.first), time.last + _RANGE_SLACK))
            if len(inside) > _FEW_OF_RANGE and AGENT.search(sentence.rest) and not CALLER.search(sentence.rest):
                inside = [index for index in inside if self._turns[index].speaker == "main"] or inside
            return inside if len(inside) <= _MOST_OF_RANGE else inside[:1]
        if here := self._starting_between(int(time.first), int(time.first) + 1):
            return here if len(here) < 2 else self._chosen(here, sentence)
        if _SILENCE.search(sentence.rest) and not time.vague and (edges := self._around_silence(time.first)):
            return edges
        return self._nearest(time.first)

    def _starting_between(self, first: float, before: float) -> list[int]:
        """Indexes of the turns that start in [first, before) seconds."""
        return self._at[bisect_left(self._starts, first) : bisect_left(self._starts, before)]

    def _around_silence(self, at: float) -> list[int]:
        """Indexes of the turns before and after the silence at second `at`; empty if there is no silence then."""
        place = bisect_right(self._starts, at) - 1
        if not 0 <= place < len(self._at) - 1:
            return []
        end = self._turns[self._at[place]].end
        return [self._at[place], self._at[place + 1]] if end is not None and end < at else []

    def _chosen(self, here: list[int], sentence: Sentence) -> list[int]:
        tools = [index for index in here if self._turns[index].speaker in TOOLS]
        if tools and any(word in sentence.rest.lower() for word in ("tool", "call", "result", "function")):
            return tools[-1:]
        spoken = [index for index in here if self._turns[index].speaker not in TOOLS]
        return (spoken or here)[:1]

    def _nearest(self, at: float) -> list[int]:
        """The turn (index in a list) spoken at second `at`, else the nearest; empty if none is near enough."""
        place = bisect_right(self._starts, at) - 1
        best: tuple[float, int] | None = None
        for k in range(max(place - 3, 0), min(place + 2, len(self._at))):
            turn = self._turns[self._at[k]]
            start = turn.start or 0.0
            following = self._starts[k + 1] if k + 1 < len(self._starts) else self._end
            end = max(start, turn.end if turn.end is not None else following)
            away = start - at if at < start else max(at - end, 0.0)
            if k == 0 and away > _EARLY_REACH and at < start:
                continue  # before the call
            if away <= _REACH and (best is None or away < best[0] or (away == best[0] and turn.speaker not in TOOLS)):
                best = away, self._at[k]
        return [] if best is None else [best[1]]

    def is_certain(self, time: Time, index: int) -> bool:
        """Whether a time is in or close to the speech of turn `index`, not just nearer to it than to other turns."""
        turn = self._turns[index]
        start = turn.start or 0.0
        return start - _CERTAIN_REACH <= time.last and time.first <= max(turn.end or start, start) + _CERTAIN_REACH

    def is_time_of_quote(self, time: Time, indexes: list[int], quoted: set[int]) -> bool:
        """Whether a time only says when a quoted turn was spoken: a turn in `quoted` starts near that time, and no turn
        in `indexes` (the turns that the time could mean) starts exactly at that time. False for a time range."""
        if not quoted or set(indexes) & quoted or time.first < time.last:
            return False
        exact = any(abs((self._turns[i].start or 0.0) - time.first) < 1.5 for i in indexes)
        near = any(abs((self._turns[i].start or -99.0) - time.first) <= (10 if time.vague else 3) for i in quoted)
        return near and not exact


_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_RESULT = re.compile(
    r"\b(?:return(?:s|ed|ing)|result(?:s|ed)?|response|responded|answer(?:ed|s)|c[ao]me(?:s)? back|reported|reports|"
    r"yielded|brought|gave back|output|error(?:ed)?|timed out|times out|rejected|denied|gone through|went through|"
    r"acknowledged|time-?out|shows|showed|fail(?:s|ed|ure)|ergab|liefert\w*|Ergebnis|devolv\w+|devuelv\w+|renvo\w+|resultado)\b",
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
"""A tool call written in the text of a turn: `create_rental {"name": …}`."""
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
"""Most characters of a tool name, and most tool names of a transcript, that are searched for."""
_CONTEXT = 70
"""Characters around a tool's name that are searched for signs whether a call or a result is meant."""


class ToolNames:
    """The names of the tools that were called, with a pattern for the spellings of each name."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self.turns = [turn for turn in turns if turn.speaker in ("tool_call", "tool_result")]
        self._names = _tool_names(self.turns)
        self.answers = ToolCalls(self.turns).answered
        """The results by the turn number of their call."""
        names = sorted(dict.fromkeys(name for name in self._names.values() if len(name) <= _LONGEST_NAME))[:_MOST_NAMES]
        used = Counter(part for name in names for part in {part.lower() for part in _PARTS.findall(name)})
        self._patterns = [(name, _pattern(name, used)) for name in names]

    def mentions_in(self, text: str) -> Iterator[tuple[str, int, int]]:
        """Yield (name, start, end) of each mention of a tool."""
        for name, pattern in self._patterns:
            for found in pattern.finditer(text):
                yield name, found.start(), found.end()

    def turns_meant(self, name: str, text: str, start: int, end: int, until: int) -> list[Turn]:
        """The turns that are meant by a mention of `name` at [start, end) of a text: calls, results or both, depending
        on the words near the mention, and calls if these words say nothing. Empty if the text says that the tool was
        not called. `until` is the offset of the next mention, or the length of the text."""
        before, behind = text[max(start - _CONTEXT, 0) : start], text[end:until]
        after = behind[:_CONTEXT]
        clause = re.split(r"[;,]|\b(?:but|yet|although|though|while|whereas)\b", before)[-1]
        if _NOT_BEFORE.search(clause.rstrip("`\"'“‘")) or _NOT_AFTER.match(after):
            return []
        same_clause = re.split(r"[;.]|\bbut\b|\byet\b|\bso\b", after)[0]
        in_word = _RESULT.search(text[start:end])
        in_text = _RESULT.search(same_clause) or _HAD_ANSWERED.match(same_clause)
        result = in_word or in_text or _TOOL_ANSWERED.search(after)
        if _RESULT_BEFORE.search(clause):
            kinds = ["tool_result"]
        else:
            until_result = 0 if in_word else in_text.start() if in_text else len(same_clause)
            called = _CALL.search(clause[-30:]) or _CALL.search(same_clause[:until_result])
            kinds = (["tool_call"] if called or not result else []) + (["tool_result"] if result else [])
            if _ATTEMPT.search(same_clause):
                kinds = ["tool_call", "tool_result"]
        turns = [turn for turn in self.turns if self._names.get(turn.n) == name]
        if _AGAIN.search(behind):
            return turns if len(turns) <= 4 else []
        return [turn for turn in _nth(turns, before[-20:]) if turn.speaker in kinds]


def _nth(turns: Sequence[Turn], before: str) -> Sequence[Turn]:
    """If the words before a tool name say which call is meant ("the second"), this call and its result, else all."""
    calls = [index for index, turn in enumerate(turns) if turn.speaker == "tool_call"]
    found = _ORDINAL.search(before)
    place = _PLACES.get(found[1].lower(), -1) if found else 0
    if found is None or len(calls) < 2 or place >= len(calls):
        return turns
    start = calls[place]
    return turns[start : next((index for index in calls if index > start), None)]


def _tool_names(turns: Sequence[Turn]) -> dict[int, str]:
    """Tool names by turn number. A result without a name has the name of the call before it."""
    names: dict[int, str] = {}
    last = ""
    for turn in turns:
        found = tool_name(turn) or ((hit := _IN_TEXT.match(turn.text)) and hit[1]) or ""
        if turn.speaker == "tool_call":
            last = found
        if name := found or last:
            names[turn.n] = name
    return names


def with_most_figures(turns: Sequence[Turn], text: str) -> list[Turn]:
    """The turns that contain the most numbers of a text; all turns if no turn contains any of these numbers."""
    text = re.split(r"\b(?:instead of|rather than)\b", text)[0]
    figures = {word.form for word in words_of(text) if any(letter.isdigit() for letter in word.form)}
    scores = [len(figures & {word.form for word in words_of(turn.text)}) for turn in turns]
    best = max(scores, default=0)
    return [turn for turn, score in zip(turns, scores, strict=True) if score == best]


def _pattern(name: str, used: Mapping[str, int]) -> re.Pattern[str]:
    """A pattern for the spellings of a tool name: the name, its words written apart, and its first or last word before
    a noun such as "tool", unless several names contain this word (`used` is the number of these names). A name that is
    one lower-case word is matched only in quotation marks or before such a noun."""
    parts = [part.lower() for part in _PARTS.findall(name)]
    forms = [rf"(?<!\w){re.escape(name)}(?!\w)"]
    if len(parts) == 1 and parts[0] == name:  # may be a common word
        forms = [rf"[`\"'“‘]{re.escape(name)}[`\"'”’]", rf"\b{re.escape(name)}\s+{_NOUN}\b"]
    if len(parts) > 1:
        forms.append(r"\b" + r"[\s_-]?".join(map(re.escape, parts)) + r"\b")
    for part in {parts[0], parts[-1]} if parts else set():
        if used[part] == 1 and len(part) > 2:
            stem = re.escape(part[: max(4, len(part) - 1)] if len(part) > 4 else part)
            forms.append(rf"\b{stem}\w{{0,4}}\s+{_NOUN}\b")
    return re.compile("|".join(forms), re.I)
