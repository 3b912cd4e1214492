"""Parse the citations in an explanation, sentence by sentence: quotes, times of the call and turn numbers."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal

from cekura_tui.evidence.spoken_words import words_of

Who = Literal["testing", "main", ""]

_LONGEST_RANGE = 8
"""A range of up to this many turn numbers cites each of these turns; a longer range cites only its first turn."""
_MOST, _SPEAKER_CONTEXT, _TIME_CONTEXT = 40, 400, 60
"""Most quotes and times that are read in a sentence; characters before a quote that are searched for the speaker;
characters around a time that show whether it is a time of the call."""

_SENTENCE = re.compile(r"(?:\n+|(?<=[.!?।。！？;])[\"”»'’)]?\s+(?![a-z])|(?=[✅❌]))")
_QUOTES = re.compile(
    r"“(?P<a>[^“”]{1,2000})”|„(?P<b>[^„“”\"]{1,2000})[“”\"]|«(?P<c>[^«»]{1,2000})»|»(?P<d>[^«»]{1,2000})«|"
    r"\"(?P<e>[^\"]{1,2000})\"|‘(?P<f>.{1,400}?)’(?!\w)|「(?P<g>[^「」]{1,2000})」|『(?P<h>[^『』]{1,2000})』|"
    r"‹(?P<i>[^‹›]{1,2000})›|`(?P<l>[^` ]{0,200}+ [^`]{0,2000})`|(?<![\w'])'(?=\S)(?P<j>[^\n]{1,400}?)(?<=\S)'(?!\w)"
)
_LABELLED = re.compile(r"\b(?:Main Agent|Testing Agent|Agent|Caller|Customer|User):\s*+(?P<k>[^\"“”«»„'\n]{12,}+)$")
_CLOCK = r"(?:\d{1,2}:)?\d{1,3}:\d{2}(?:\.\d+)?"
_MINUTES = r"\d{1,3}\s?m(?:in(?:ut[eo]?[ns]?|\.)?)?\s?(?:(?:and|und|y|et)\s{1,20})?\d{1,2}\s?(?:s\b|se[ckg]\w*)"
_UNIT = r"(?:s\b|sec(?:onds?|s)?\b|Sek(?:unden?)?\b|segundos?\b|secondes?\b)"
_SECONDS = rf"second\s+\d+\b|\d{{1,6}}(?:\.\d{{1,6}})?\s{{0,9}}{_UNIT}"
_TIME = rf"(?:{_CLOCK}|{_MINUTES}|{_SECONDS})"
_RANGE = re.compile(
    rf"({_TIME})\s*(?:-|–|—|to|bis|until|-->|→|a)\s*({_TIME})|\b(?:between|from|zwischen|"
    rf"entre)\s+({_TIME})\s+(?:and|und|y)\s+({_TIME})",
    re.I,
)
_SPOKEN = rf"(?:segundo|seconde|sekunde|minut[eo])\s{{1,20}}\d+\b|\d{{1,4}}-{_UNIT}|\d\d?[\s-]minut[eo][ns]?\b"
"""Times that count only where the text says that a time is meant: "minute 2", "45-second", "2 minutes"."""
_ONE_TIME = re.compile(rf"(?<![\d:.])(?:{_TIME}|{_SPOKEN})(?!\d|:\d)", re.I)
_OF_THE_DAY = re.compile(r"\s*\b(?:am|pm|a\.m|p\.m|o'?clock|h|Uhr|hrs|hours)\b", re.I)
_INTO_THE_CALL = re.compile(r"\s+(?:in\b(?!\s+the)|into the|in the call|seconds into)", re.I)
_INTO = re.compile(
    r"[\s-](?:mark\b|into\b|in(?=\s*(?:[,.;:)–—]|$)| (?:it|there|s?he|they|the (?:agent|caller|bot))\b)|"
    r"(?:im|in the|de la|de l['’]) ?(?:gespräch|anruf|telefonat|call|conversation|llamada|appel)\b)",
    re.I,
)
_HOW_LONG = re.compile(r"\b(?:for|within|after|over|lasting|lasted|of|some|than|another|waits?|waited)\s+$", re.I)
_NOT_THEN = re.compile(r"\b(?:after|before|since|until|till|limit of|later than)\s+$", re.I)
_LASTED = re.compile(r"\b(?:lasting|lasted|lasts|took|takes|duration(?: of)?|in under|length of)\s+$", re.I)
_AT = re.compile(
    r"(?:@|~|\bt\s?=|\b(?:at|bei|um|al|a los|en el|vers(?: la)?|au bout d(?:e|['’])|second))\s*"
    r"(?:about\s+|around\s+|roughly\s+|etwa\s+|the\s+)?$|"
    r"(?<!of )(?<!for )(?<!after )\b(?:around|about|near)\s+$",
    re.I,
)
_ABOUT = re.compile(r"\b(?:around|about|near)\s+$", re.I)
_PAD = "\x1f"
_ONE = re.compile(r"\b(?:an?|une?|eine[rn]?)(?= minut)", re.I)
_VAGUE = re.compile(
    r"(?:~|≈|\b(?:around|about|approximately|approx\.?|roughly|near|circa|ca\.|etwa|gegen|vers))\s*$", re.I
)
_TURNS = re.compile(
    r"(?:\b(?:turns?|messages?|utterances?|Zug|turnos?|tours?)|(?:^|(?<=[([:;,.–—-])|(?<=\bin)|(?<=\ben)|(?<=\bla)|"
    r"(?<=\bat)|(?<=\bsee)|(?<=\band))\s*(?:lines?|Zeilen?|líneas?|lignes?))\s*(?:no\.?|number|#|nos\.?)?\s*"
    r"(\d{1,6}(?:\s*(?:,|and|&|und|y|et|or|to|-|–|/)\s*(?:turns?\s*)?#?\d{1,6})*)(?![\d:.]*\d)",
    re.I,
)
_NTH = re.compile(
    r"(?<!['’]s )(?<!its )(?<!his )(?<!her )\b(\d{1,6})(?:st|nd|rd|th) (?:turn|message|utterance)\b|"
    r"(?<![\w-])(?:T(?=\d{1,4}[\]:])|#)(\d{1,4})(?=[\]:;,.)]|\s|$)",
    re.I,
)
_NUMBERS = re.compile(r"(\d+)(?:\s*(?:to|-|–)\s*(?:turns?\s*)?#?(\d+))?", re.I)
CALLER = re.compile(
    r"\b(?:callers?|customers?|users?|clients?|patients?|passengers?|guests?|members?|testing agent|tenants?|donors?|"
    r"motorists?|drivers?|travell?ers?|students?|residents?|visitors?|buyers?|owners?|policy ?holders?|subscribers?|"
    r"parents?|mum|mother|father|(?:wo)?man|lady|gentleman|kunden?|kundin|anrufer(?:in|s)?|client[ea]s?|señor(?:a|ita)?|"
    r"usuari[oa]|appelante?)\b",
    re.I,
)
AGENT = re.compile(
    r"\b(?:(?<!testing )agents?|assistants?|bot|operator|receptionist|representative|agente[ns]?|agentin|"
    r"assistent(?:in|en)?|asistente|assistante)\b",
    re.I,
)
RULE = re.compile(
    r"\b(?:must|should|shall|supposed to|required?|requires|expected|expects|polic(?:y|ies)|rules?|knowledge base|"
    r"prompt|guidelines?|script|template|instead of|rather than|e\.g\.|such as|(?:never|not|n't) (?:said|says?|used?|"
    r"ask(?:ed)?)|nobody|missing|omitted|without saying|failed to say|muss|müssen|soll(?:te)?|debe|debería)\b",
    re.I,
)
NOT = re.compile(
    r"\b(?:no|not|never|nobody|nothing|none|without|neither|nor|fail\w* to|lack\w*|missing|omitted|skipped|kein\w*|"
    r"nicht|nie|ohne|fehlt\w*|sin|nunca|ningun\w*|sans|jamais|pas|aucun\w*)\b|n['’]t\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Quote:
    """Quoted words. `at` is their offset in the sentence. `who` is the speaker named before the quote, "" if no speaker
    is named. `rule`: the text before the quote shows that a rule is quoted, not a turn."""

    text: str
    at: int
    who: Who = ""
    rule: bool = False


@dataclass(frozen=True, slots=True)
class Time:
    """A time of the call, or a range from `first` to `last`, in seconds; `at` is the offset in the sentence. `sure`: a
    range, in brackets or in seconds, so no time of day. `vague`: an approximate time."""

    text: str
    at: int
    first: float
    last: float
    sure: bool
    vague: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and its citations. `rest` is the text of the sentence, with citations blanked out."""

    text: str
    quotes: tuple[Quote, ...]
    times: tuple[Time, ...]
    turns: tuple[tuple[int, int], ...]
    """(turn number, offset in the sentence) of each cited number."""
    rest: str


def clauses_of(text: str, between: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """[start, end) of the clauses of a text, which is split at the matches of `between`."""
    start = 0
    for found in between.finditer(text):
        yield start, found.start()
        start = found.end()
    yield start, len(text)


def sentences_of(texts: Iterable[str]) -> Iterator[Sentence]:
    for text in texts:
        for part in _split_sentences(text[:20_000]):
            if part.strip():
                yield _parse(part)


def _split_sentences(text: str) -> Iterator[str]:
    """Split a text into sentences, but not inside a quote."""
    quoted = [found.span() for found in _QUOTES.finditer(text)]
    sentence_start = 0
    for found in _SENTENCE.finditer(text):
        before = bisect_right(quoted, found.start(), key=itemgetter(0)) - 1
        if before < 0 or found.end() >= quoted[before][1]:
            yield text[sentence_start : found.start() + len(found.group().rstrip())]
            sentence_start = found.end()
    yield text[sentence_start:]


def _parse(text: str) -> Sentence:
    blank = list(text)

    def blank_out(start: int, end: int) -> None:
        blank[start:end] = " " * (end - start)

    found = [(hit.start(), hit.end(), next(filter(None, hit.groups()))) for hit in _QUOTES.finditer(text)]
    for start, end, _ in found:
        blank_out(start, end)
    if labelled := _LABELLED.search("".join(blank)):
        found.append((labelled.start("k"), labelled.end("k"), labelled["k"]))
        blank_out(*labelled.span("k"))
    turns = [(int(hit[1] or hit[2]), hit.start()) for hit in _NTH.finditer("".join(blank))]
    for hit in _TURNS.finditer("".join(blank)):
        turns += [(number, hit.start()) for number in _numbers(hit[1])]
        blank_out(*hit.span())
    times = []
    for hit in _RANGE.finditer("".join(blank)):
        first, last = (seconds_in(end) for end in hit.groups() if end)
        if last >= first:
            times.append(Time(hit[0], hit.start(), first, last, True, False))
        blank_out(*hit.span())
    left = "".join(blank)
    for hit in _ONE_TIME.finditer(figures := _with_figures(left)):
        start = len(figures[: hit.start()].rstrip(_PAD))
        if (time := _time(figures, hit, left[start : hit.end()], start)) is not None:
            times.append(time)
            blank_out(start, hit.end())
    rest = "".join(blank)
    quotes = []
    for start, _, words in found[:_MOST]:
        before = rest[max(start - _SPEAKER_CONTEXT, 0) : start]
        quotes.append(Quote(words, start, _speaker(before), RULE.search(before) is not None))
    times = sorted(times, key=lambda time: time.at)[:_MOST]
    return Sentence(text, tuple(quotes), tuple(times), tuple(turns), rest)


def _with_figures(text: str) -> str:
    """A text with its number words in digits, padded with _PAD to the same length."""
    if not re.search("min|se[ckg]", text, re.I):
        return text
    text = _ONE.sub(lambda hit: "1".rjust(len(hit[0]), _PAD), text)
    figures = list(text)
    for word in words_of(text):
        if word.form.isdecimal() and len(word.form) <= word.end - word.start:
            figures[word.start : word.end] = word.form.rjust(word.end - word.start, _PAD)
    return "".join(figures)


def _time(text: str, hit: re.Match[str], written: str, start: int) -> Time | None:
    """A single time of the call; None for a time of day, a duration or a bare number."""
    before, after = text[max(hit.start() - _TIME_CONTEXT, 0) : hit.start()], text[hit.end() : hit.end() + _TIME_CONTEXT]
    bracketed = before.rstrip(" ~≈")[-1:] in ("[", "(", "@") and after.lstrip()[:1] in ("]", ")", ",", "", ";", ":")
    clock = ":" in hit.group()
    if _OF_THE_DAY.match(after) or (_LASTED if clock else _HOW_LONG).search(before) or _NOT_THEN.search(before):
        return None
    spoken = hit[0] != written or re.fullmatch(_SPOKEN, hit[0], re.I) is not None
    at_time = _AT.search(before) and not (spoken and (_ABOUT.search(before) or re.match(r" (?:of |d[e'’])", after)))
    if not (clock or bracketed or at_time or _INTO.match(after) or (not spoken and _INTO_THE_CALL.match(after))):
        return None
    at = seconds_in(hit[0])
    vague = _VAGUE.search(before) is not None or (spoken and "exact" not in before)
    return Time(written, start, at, at, bracketed or not clock, vague)


def seconds_in(text: str) -> float:
    """Convert "01:05", "1:02:03", "1 min 5 s", "2 minutes" or "65 seconds" to seconds."""
    total = 0.0
    for part in re.findall(r"\d+(?:\.\d+)?", text):
        total = total * 60 + float(part)
    return total * 60 if re.fullmatch(r"\D*\d+\D*", text) and "minut" in text.lower() else total


def _numbers(text: str) -> list[int]:
    found: list[int] = []
    for first, last in _NUMBERS.findall(text):
        begin, end = int(first), int(last or first)
        found += range(begin, end + 1) if end - begin < _LONGEST_RANGE else [begin]
    return found


def _speaker(before: str) -> Who:
    """The last speaker named in `before`, the text before a quote; "" if no speaker is named."""
    caller = max((hit.start() for hit in CALLER.finditer(before)), default=-1)
    agent = max((hit.start() for hit in AGENT.finditer(before)), default=-1)
    return "" if caller == agent else "testing" if caller > agent else "main"


def first_speaker(text: str) -> Who:
    """The first speaker named in a text; "" if no speaker is named."""
    caller, agent = CALLER.search(text), AGENT.search(text)
    if caller and agent:
        return "testing" if caller.start() < agent.start() else "main"
    return "testing" if caller else "main" if agent else ""
