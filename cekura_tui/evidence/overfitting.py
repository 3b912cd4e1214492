"""Find facts of a single call, such as the caller's name or a date, that a hunk adds to a prompt."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cekura_tui.evidence.particulars import MONTHS, SPOKEN_EMAIL, UNITS, WEEKDAYS, is_number, particulars
from cekura_tui.evidence.spoken_words import content_words, root, words_of
from cekura_tui.model.run.view import RunView
from cekura_tui.model.text import clean_line
from cekura_tui.model.transcript.transcript import TOOLS
from cekura_tui.prose.diff import ProseDiff

MOST = 6
"""Most facts reported for a hunk."""
_MOST_ADDED = 100_000
"""Most characters of added text that are searched in a suggestion."""
_MOST_READ = 200_000
"""Most characters of a call that are read. Of a single turn, at most 20,000 characters are read."""
_PHRASE_WORDS = 6
"""Number of consecutive words of a turn that count as a quote."""
_QUOTE_MARKS = ('"', "“", "„", "«", "‘", "'")
_LEAST_CONTENT = 3
"""A quote must have at least this many content words that the sent prompt lacks; a caller's quote in quotation marks,
one."""
_SHOWN = 8
"""Most words of a quote that are shown."""
_CAPITALS = 0.12
"""If a larger share of words is capitalised inside sentences, the language may capitalise all nouns."""
_VARIABLE = re.compile(r"\{\{.{0,200}?\}\}|\{\w{1,80}\}|\$\{.{0,200}?\}")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_UNFOLDED = str.maketrans("øłđ", "old")
_STARTS = re.compile(r"(?:^|[.!?:;…\"“„«»(\[#*•>—–|\n-])[\s\"“„'*_]*$")
_NAMED = re.compile(r"name|caller|patient|customer|contact|guest|holder|spouse|child|person", re.I)
_GERMAN_WORDS = re.compile(
    r"\b(?:ich|der|die|das|und|ist|nicht|eine|einen|mein|meine|mit|für|auf|dem|sie|wir|bitte|von|zum|nach|ab)\b", re.I
)
_INTRODUCED = re.compile(
    r"\b(?:[Hh]errn?|[Ff]rau|[Ff]amilie|[Nn]ame ist|[Hh]ier (?:ist|spricht)|heiße|heißt|Sohn|Tochter) "
    r"([A-ZÄÖÜ][\w-]{2,40}(?: [A-ZÄÖÜ][\w-]{2,40})?)"
)
"""German phrases that introduce a name, since German capitalises all nouns."""
_COMMON_WORDS = """
mr mrs ms miss dr doctor doctors doktor nurse professor sir madam herr frau senor senora don dona
english spanish german french italian portuguese dutch polish russian turkish arabic hindi chinese mandarin japanese
korean deutsch espanol uhr american british european euro euros dollar dollars
street road avenue lane drive square place station airport hotel bank clinic hospital office city
north south east west christmas easter thanksgiving ramadan god google apple whatsapp internet wifi
email e-mail pin sms ok okay yes no hello hi thanks thank please sorry bye goodbye
"""
_COMMON_WORDS += " ".join((*MONTHS, *WEEKDAYS, *(f"{day}s" for day in WEEKDAYS)))


def _name_key(word: str) -> str:
    """Normalise the spelling of a name: "Müller's" becomes equal to "Mueller", and "Hauptstraße" to "Hauptstr"."""
    plain = unicodedata.normalize("NFKD", re.sub(r"['’]s$", "", word).casefold().translate(_UNFOLDED))
    folded = re.sub("(?<=[aou])e", "", "".join(c for c in plain if not unicodedata.combining(c)))
    return re.sub("strasse$", "str", folded)


_COMMON = frozenset(map(_name_key, _COMMON_WORDS.split()))


class _FactSpan(NamedTuple):
    """A fact of a run as shown, and the characters [start, end) of the added text that contain the fact."""

    start: int
    end: int
    text: str


@dataclass
class _RunFacts:
    """Facts of one run to search for in added text. `keys` are of dates, numbers and other particulars. `phrases` maps
    phrases to the shown texts. `known` words, of the agent's name and greeting, are no facts."""

    keys: set[str] = field(default_factory=set)
    phrases: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    spoken: list[tuple[str, bool]] = field(default_factory=list)
    """(text, whether the caller speaks) of each spoken turn."""


def own_facts(diff: ProseDiff, sent_prompt: str, views: Sequence[RunView]) -> dict[int, tuple[str, ...]]:
    """Facts of a single call that hunks add, as shown, by hunk number; at most MOST for each hunk. A fact is a name,
    date, time, amount, number, e-mail address, quote of six words, scenario or id that occurs in a run of `views` (test
    profile, transcript or names), but not in the sent prompt."""
    added, left = {}, _MOST_ADDED
    for hunk in diff.worded:
        if text := hunk.new[:left].strip():
            added[hunk.number] = _VARIABLE.sub(_blank, text)
            left -= len(text)
    sent = _SentContent(sent_prompt)
    # Reading long calls for numbers and dates is slow: do it only if some were added.
    numbered = any(one.key not in sent.keys for text in added.values() for one in particulars(text))
    runs = [_facts_of(view, numbered) for view in views]
    quoted = _quotes(added, sent, runs)
    found = {}
    for number, text in added.items():
        spans = [mark for run in runs for mark in (*_particulars(text, sent, run), *_names(text, sent, run))]
        texts = [mark.text for mark in _without_overlaps(spans)] + quoted.get(number, [])
        if facts := tuple(dict.fromkeys(texts))[:MOST]:
            found[number] = facts
    return found


class _SentContent:
    """Words and facts that the sent prompt already contains."""

    def __init__(self, prompt: str) -> None:
        words = words_of(prompt)
        numbers = (word for word in words if is_number(word.form) and not UNITS.match(prompt, word.end))
        self.keys = {one.key for one in particulars(prompt)} | {f"number {word.form}" for word in numbers}
        self.roots = {root(word.form) for word in words}
        self.names = {_name_key(word.group()) for word in _WORD.finditer(prompt)}
        self.text = _plain_words(prompt)


def _blank(hit: re.Match[str]) -> str:
    return " " * len(hit.group())


def _plain_words(text: str) -> str:
    return f" {' '.join(word.group().casefold() for word in _WORD.finditer(text))} "


# Facts of a run


def _facts_of(view: RunView, numbered: bool) -> _RunFacts:
    run = _RunFacts()
    for what, number in (("run", view.row.id), ("scenario", view.row.scenario_id), ("result", view.row.result_id)):
        if number is not None and number >= 1000:
            run.phrases[f" {number} "] = f"{what} {number}"
    if len(content_words(view.row.scenario)) > 1 and len(_plain_words(view.row.scenario).split()) > 2:
        run.phrases[_plain_words(view.row.scenario)] = f"scenario “{clean_line(view.row.scenario, 60)}”"
    _read_profile(run, view.source.get("test_profile_data"), "")
    left = _MOST_READ
    for turn in view.transcript.turns:
        text = turn.text[: min(left, 20_000)]
        left -= len(text)
        if numbered:
            run.keys.update(one.key for one in particulars(text))
        if turn.speaker not in TOOLS:
            run.spoken.append((text, turn.speaker == "testing"))
    # In its greeting the agent names itself and its business.
    greeting = next((turn.text for turn in view.transcript.turns if turn.speaker == "main"), "")
    run.known = {_name_key(word.group()) for word in _WORD.finditer(f"{view.row.agent} {greeting}")}
    capital, small = _spoken_names([text for text, _ in run.spoken])
    run.names = (run.names - (small - capital)) | (capital - small)
    return run


def _read_profile(run: _RunFacts, value: object, key: str, depth: int = 0) -> None:
    """Add facts, names and capitalised phrases of a test profile to `run`; `key` is the field with `value`."""
    if depth < 8 and isinstance(value, dict):
        for name, item in value.items():
            _read_profile(run, item, str(name), depth + 1)
    elif depth < 8 and isinstance(value, list):
        for item in value:
            _read_profile(run, item, key, depth + 1)
    elif isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        text = str(value)[:20_000]
        run.keys.update(one.key for one in particulars(text))
        words = [word.group() for word in _WORD.finditer(text)]
        if not words or len(words) > 6 or not all(word[0].isupper() for word in words if word[0].isalpha()):
            return
        if _NAMED.search(key) or len(words) == 1:
            run.names |= {_name_key(word) for word in words if len(word) > 2 and word[0].isalpha()} - _COMMON
        elif any(word[0].isalpha() for word in words):
            run.phrases[_plain_words(text)] = clean_line(text, 60)


def _spoken_names(turns: Sequence[str]) -> tuple[set[str], set[str]]:
    """Normalised words that are capitalised inside a sentence, and normalised words that occur in lower case. If the
    language capitalises all nouns, the first set has only words that a phrase introduces as names."""
    capital: set[str] = set()
    small: set[str] = set()
    within = number = 0
    for turn in turns:
        text = SPOKEN_EMAIL.sub(_blank, turn)
        for hit in _WORD.finditer(text):
            word = hit.group()
            if word[0].islower():
                small.add(_name_key(word))
                number += 1
            elif _is_name(word) and not _STARTS.search(text, max(hit.start() - 8, 0), hit.start()):
                capital.add(_name_key(word))
                within += 1
                number += 1
    if within > _CAPITALS * number and (number > 100 or any(map(_GERMAN_WORDS.search, turns))):
        capital = {_name_key(word) for turn in turns for hit in _INTRODUCED.finditer(turn) for word in hit[1].split()}
    return capital - _COMMON, small


def _is_name(word: str) -> bool:
    return len(word) > 2 and word[0].isupper() and word[1:2].islower() and "I'" not in word and "I’" not in word


# Facts in a hunk


def _particulars(text: str, sent: _SentContent, run: _RunFacts) -> Iterator[_FactSpan]:
    found = particulars(text)
    # Both readings of an ambiguous date are known if one is, and so are facts inside a known one.
    known = {(one.start, one.end) for one in found if one.key in sent.keys}
    for one in found:
        is_within = not one.key.startswith("date") and any(start <= one.start < one.end <= end for start, end in known)
        is_known = is_within or one[1:] in known
        if one.key in run.keys and not is_known:
            yield _FactSpan(one.start, one.end, clean_line(text[one.start : one.end], 60))
    plain = _plain_words(text)
    for phrase, shown in run.phrases.items():
        if phrase in plain and phrase not in sent.text:
            at = text.casefold().find(phrase.split()[0])
            yield _FactSpan(at, at, shown)


def _names(text: str, sent: _SentContent, run: _RunFacts) -> Iterator[_FactSpan]:
    """Find the names in a text that are names of the run and are not in the sent prompt. Adjacent names are joined."""
    found: list[tuple[int, int]] = []
    for hit in _WORD.finditer(text):
        normalised = _name_key(hit.group())
        if _is_name(hit.group()) and normalised in run.names and normalised not in run.known | sent.names:
            beside = found and not text[found[-1][1] : hit.start()].strip(" ")
            found.append((found.pop()[0] if beside else hit.start(), hit.end()))
    return (_FactSpan(start, end, re.sub(r"['’]s$", "", text[start:end])) for start, end in found)


def _quotes(added: Mapping[int, str], sent: _SentContent, runs: Sequence[_RunFacts]) -> dict[int, list[str]]:
    """Quotes of turns in the added texts, by hunk number: at least _PHRASE_WORDS consecutive words of a turn, with
    content words that the sent prompt does not contain."""
    words = {number: list(_WORD.finditer(text)) for number, text in added.items()}
    phrases = {number: list(_phrases([hit.group().casefold() for hit in hits])) for number, hits in words.items()}
    added_phrases = {phrase for one in phrases.values() for phrase in one}
    by_caller: dict[tuple[str, ...], bool] = {}
    for text, is_caller in (turn for run in runs for turn in run.spoken):
        for phrase in _phrases([hit.group().casefold() for hit in _WORD.finditer(text)]):
            if phrase in added_phrases:
                by_caller[phrase] = is_caller or by_caller.get(phrase, False)
    found: dict[int, list[str]] = {}
    for number, text in added.items():
        for first, last in _consecutive([n for n, phrase in enumerate(phrases[number]) if phrase in by_caller]):
            quote = words[number][first : last + _PHRASE_WORDS]
            start, end = quote[0].start(), quote[-1].end()
            # In quotation marks, one new content word of the caller's is enough.
            marked = by_caller[phrases[number][first]] and text[max(start - 1, 0) : start] in _QUOTE_MARKS
            spoken = content_words(text[start:end]).keys() - sent.roots
            if len(spoken) >= (1 if marked else _LEAST_CONTENT):
                shown = clean_line(text[start : quote[:_SHOWN][-1].end()])
                found.setdefault(number, []).append(f"“{shown}{'…' if len(quote) > _SHOWN else ''}”")
    return found


def _phrases(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(words[n : n + _PHRASE_WORDS]) for n in range(len(words) - _PHRASE_WORDS + 1))


def _consecutive(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(first, last) of each series of consecutive indexes; `places` are in ascending order."""
    known = set(places)
    lasts = (place for place in places if place + 1 not in known)
    return zip((place for place in places if place - 1 not in known), lasts, strict=True)


def _without_overlaps(spans: Iterable[_FactSpan]) -> Iterator[_FactSpan]:
    """The facts in text order; of overlapping facts the first, of facts with the same start the longest."""
    end = 0
    for mark in sorted(set(spans), key=lambda mark: (mark.start, -mark.end, mark.text)):
        if mark.start >= end or mark.start == mark.end:
            yield mark
            end = max(end, mark.end)
