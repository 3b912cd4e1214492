"""What a hunk adds that is true of one call alone, such as its caller's name or its date."""

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
"""The most facts of one hunk."""
_ADDED = 100_000
"""Characters of all that a suggestion adds that are looked at."""
_READ = 200_000
"""Characters of one call that are looked at, and 20,000 of one turn."""
_QUOTE = 6
"""Words in a row that are a quote."""
_QUOTE_MARKS = ('"', "“", "„", "«", "‘", "'")
_LEAST_CONTENT = 3
"""Words of a quote that say something, at least."""
_SHOWN = 8
"""Words of a quote that are shown."""
_CAPITALS = 0.12
"""Where more words than these have a capital within a sentence, it may be a language that writes common nouns so."""
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
"""A name in a language that writes common nouns with capitals."""
_COMMON_WORDS = """
mr mrs ms miss dr doctor doctors doktor nurse professor sir madam herr frau senor senora don dona
english spanish german french italian portuguese dutch polish russian turkish arabic hindi chinese mandarin japanese
korean deutsch espanol uhr american british european euro euros dollar dollars
street road avenue lane drive square place station airport hotel bank clinic hospital office city
north south east west christmas easter thanksgiving ramadan god google apple whatsapp internet wifi
email e-mail pin sms ok okay yes no hello hi thanks thank please sorry bye goodbye
"""
_COMMON_WORDS += " ".join((*MONTHS, *WEEKDAYS, *(f"{day}s" for day in WEEKDAYS)))


def _bare(word: str) -> str:
    """A name in one spelling: "Müller's" is "Mueller", "Núñez" is "Nunez", "Hauptstraße" "Hauptstr."."""
    plain = unicodedata.normalize("NFKD", re.sub(r"['’]s$", "", word).casefold().translate(_UNFOLDED))
    folded = re.sub("(?<=[aou])e", "", "".join(c for c in plain if not unicodedata.combining(c)))
    return re.sub("strasse$", "str", folded)


_COMMON = frozenset(map(_bare, _COMMON_WORDS.split()))


class _Mark(NamedTuple):
    """A fact of a run and the characters of the added text where it is."""

    start: int
    end: int
    text: str


@dataclass
class _KnownRun:
    """What a run has, to be looked for."""

    keys: set[str] = field(default_factory=set)
    phrases: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    spoken: list[tuple[str, bool]] = field(default_factory=list)
    """Each spoken turn, and whether the caller speaks."""


def own_facts(diff: ProseDiff, sent_prompt: str, views: Sequence[RunView]) -> dict[int, tuple[str, ...]]:
    """Find facts of a single call that hunks add: their wording by hunk number, at most MOST per hunk.

    A fact is something that a run of `views` has, in its test profile or transcript or as its name, and that the prompt
    that was sent has not: names, dates, times, amounts, numbers, e-mails, six words in a row of a turn, scenarios, ids.
    """
    added, left = {}, _ADDED
    for hunk in diff.worded:
        if text := hunk.new[:left].strip():
            added[hunk.number] = _VARIABLE.sub(_blank, text)
            left -= len(text)
    sent = _Sent(sent_prompt)
    # Long calls are read for numbers and dates only where some were added.
    numbered = any(one.key not in sent.keys for text in added.values() for one in particulars(text))
    runs = [_read(view, numbered) for view in views]
    quoted = _quotes(added, sent, runs)
    found = {}
    for number, text in added.items():
        marks = [mark for run in runs for mark in (*_particulars(text, sent, run), *_names(text, sent, run))]
        texts = [mark.text for mark in _apart(marks)] + quoted.get(number, [])
        if facts := tuple(dict.fromkeys(texts))[:MOST]:
            found[number] = facts
    return found


class _Sent:
    """What the prompt that was sent has already."""

    def __init__(self, prompt: str) -> None:
        words = words_of(prompt)
        numbers = (word for word in words if is_number(word.form) and not UNITS.match(prompt, word.end))
        self.keys = {one.key for one in particulars(prompt)} | {f"number {word.form}" for word in numbers}
        self.roots = {root(word.form) for word in words}
        self.names = {_bare(word.group()) for word in _WORD.finditer(prompt)}
        self.text = _plain(prompt)


def _blank(hit: re.Match[str]) -> str:
    return " " * len(hit.group())


def _plain(text: str) -> str:
    return f" {' '.join(word.group().casefold() for word in _WORD.finditer(text))} "


# What a run has


def _read(view: RunView, numbered: bool) -> _KnownRun:
    run = _KnownRun()
    for what, number in (("run", view.row.id), ("scenario", view.row.scenario_id), ("result", view.row.result_id)):
        if number is not None and number >= 1000:
            run.phrases[f" {number} "] = f"{what} {number}"
    if len(content_words(view.row.scenario)) > 1 and len(_plain(view.row.scenario).split()) > 2:
        run.phrases[_plain(view.row.scenario)] = f"scenario “{clean_line(view.row.scenario, 60)}”"
    _read_profile(run, view.source.get("test_profile_data"), "")
    left = _READ
    for turn in view.transcript.turns:
        text = turn.text[: min(left, 20_000)]
        left -= len(text)
        if numbered:
            run.keys.update(one.key for one in particulars(text))
        if turn.speaker not in TOOLS:
            run.spoken.append((text, turn.speaker == "testing"))
    # In its greeting the agent names itself and its business.
    greeting = next((turn.text for turn in view.transcript.turns if turn.speaker == "main"), "")
    run.known = {_bare(word.group()) for word in _WORD.finditer(f"{view.row.agent} {greeting}")}
    capital, small = _spoken_names([text for text, _ in run.spoken])
    run.names = (run.names - (small - capital)) | (capital - small)
    return run


def _read_profile(run: _KnownRun, value: object, key: str, depth: int = 0) -> None:
    """Take what a test profile has: particulars, names, and what is written with capitals."""
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
            run.names |= {_bare(word) for word in words if len(word) > 2 and word[0].isalpha()} - _COMMON
        elif any(word[0].isalpha() for word in words):
            run.phrases[_plain(text)] = clean_line(text, 60)


def _spoken_names(turns: Sequence[str]) -> tuple[set[str], set[str]]:
    """Words that are written with a capital within a sentence, and those that are written small."""
    capital: set[str] = set()
    small: set[str] = set()
    within = number = 0
    for turn in turns:
        text = SPOKEN_EMAIL.sub(_blank, turn)
        for hit in _WORD.finditer(text):
            word = hit.group()
            if word[0].islower():
                small.add(_bare(word))
                number += 1
            elif _is_name(word) and not _STARTS.search(text, max(hit.start() - 8, 0), hit.start()):
                capital.add(_bare(word))
                within += 1
                number += 1
    if within > _CAPITALS * number and (number > 100 or any(map(_GERMAN_WORDS.search, turns))):
        capital = {_bare(word) for turn in turns for hit in _INTRODUCED.finditer(turn) for word in hit[1].split()}
    return capital - _COMMON, small


def _is_name(word: str) -> bool:
    return len(word) > 2 and word[0].isupper() and word[1:2].islower() and "I'" not in word and "I’" not in word


# What a hunk has of it


def _particulars(text: str, sent: _Sent, run: _KnownRun) -> Iterator[_Mark]:
    found = particulars(text)
    # A date that could be either of two is known by one of them, and what is within a known number with it.
    known = {(one.start, one.end) for one in found if one.key in sent.keys}
    for one in found:
        is_within = not one.key.startswith("date") and any(start <= one.start < one.end <= end for start, end in known)
        is_known = is_within or one[1:] in known
        if one.key in run.keys and not is_known:
            yield _Mark(one.start, one.end, clean_line(text[one.start : one.end], 60))
    plain = _plain(text)
    for phrase, shown in run.phrases.items():
        if phrase in plain and phrase not in sent.text:
            at = text.casefold().find(phrase.split()[0])
            yield _Mark(at, at, shown)


def _names(text: str, sent: _Sent, run: _KnownRun) -> Iterator[_Mark]:
    """Names that the run has, those that stand side by side as one."""
    found: list[tuple[int, int]] = []
    for hit in _WORD.finditer(text):
        bare = _bare(hit.group())
        if _is_name(hit.group()) and bare in run.names and bare not in run.known | sent.names:
            beside = found and not text[found[-1][1] : hit.start()].strip(" ")
            found.append((found.pop()[0] if beside else hit.start(), hit.end()))
    return (_Mark(start, end, re.sub(r"['’]s$", "", text[start:end])) for start, end in found)


def _quotes(added: Mapping[int, str], sent: _Sent, runs: Sequence[_KnownRun]) -> dict[int, list[str]]:
    """Quotes of turns, by hunk: words in a row that a turn says so and the sent prompt does not."""
    words = {number: list(_WORD.finditer(text)) for number, text in added.items()}
    rows = {number: list(_rows([hit.group().casefold() for hit in hits])) for number, hits in words.items()}
    wanted = {row for one in rows.values() for row in one}
    by_caller: dict[tuple[str, ...], bool] = {}
    for text, is_caller in (turn for run in runs for turn in run.spoken):
        for row in _rows([hit.group().casefold() for hit in _WORD.finditer(text)]):
            if row in wanted:
                by_caller[row] = is_caller or by_caller.get(row, False)
    found: dict[int, list[str]] = {}
    for number, text in added.items():
        for first, last in _stretches([n for n, row in enumerate(rows[number]) if row in by_caller]):
            quote = words[number][first : last + _QUOTE]
            start, end = quote[0].start(), quote[-1].end()
            # What the caller says, marked as a quote, needs to say less that the sent prompt does not.
            marked = by_caller[rows[number][first]] and text[max(start - 1, 0) : start] in _QUOTE_MARKS
            spoken = content_words(text[start:end]).keys() - sent.roots
            if len(spoken) >= (1 if marked else _LEAST_CONTENT):
                shown = clean_line(text[start : quote[:_SHOWN][-1].end()])
                found.setdefault(number, []).append(f"“{shown}{'…' if len(quote) > _SHOWN else ''}”")
    return found


def _rows(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(words[n : n + _QUOTE]) for n in range(len(words) - _QUOTE + 1))


def _stretches(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Places that follow one another, as the first and the last of each stretch."""
    known = set(places)
    lasts = (place for place in places if place + 1 not in known)
    return zip((place for place in places if place - 1 not in known), lasts, strict=True)


def _apart(marks: Iterable[_Mark]) -> Iterator[_Mark]:
    """In the order of the text; of several that begin at one place the longest."""
    end = 0
    for mark in sorted(set(marks), key=lambda mark: (mark.start, -mark.end, mark.text)):
        if mark.start >= end or mark.start == mark.end:
            yield mark
            end = max(end, mark.end)
