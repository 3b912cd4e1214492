"""What a hunk adds that is true of one call alone, such as its caller's name or its date.

Particulars are dates, times, amounts, numbers, codes and e-mails, in figures or as they are spoken. Small counts, full
hours alone, years, round numbers and emergency numbers are left out: every prompt has some.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from cekura_tui.evidence.spoken_words import ORDINALS, Word, content_words, number_at, words_of
from cekura_tui.model.run.view import RunView
from cekura_tui.model.text import clean_line
from cekura_tui.model.transcript.transcript import TOOLS, Turn
from cekura_tui.prose.diff import ProseDiff

_MONTHS = (
    ("january", "jan", "januar", "enero"),
    ("february", "feb", "februar", "febrero"),
    ("march", "mar", "marz", "marzo"),
    ("april", "apr", "abril"),
    ("may", "mai", "mayo"),
    ("june", "jun", "juni", "junio"),
    ("july", "jul", "juli", "julio"),
    ("august", "aug", "agosto"),
    ("september", "sep", "sept", "septiembre"),
    ("october", "oct", "oktober", "octubre"),
    ("november", "nov", "noviembre"),
    ("december", "dec", "dezember", "diciembre"),
)
MONTHS = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}
_DAYS = (
    ("monday", "montag", "lunes"),
    ("tuesday", "dienstag", "martes"),
    ("wednesday", "mittwoch", "miercoles"),
    ("thursday", "donnerstag", "jueves"),
    ("friday", "freitag", "viernes"),
    ("saturday", "samstag", "sabado"),
    ("sunday", "sonntag", "domingo"),
)
WEEKDAYS = {name: number for number, names in enumerate(_DAYS, 1) for name in names}
_BETWEEN = frozenset(("th", "st", "nd", "rd", "of", "the", "de", "del", "der", "dem", "den"))
"""What may stand between a day and its month."""
_AT = frozenset(("at", "um", "a", "las", "la"))
_COINS = frozenset(("pound", "euro", "dollar", "rupee", "yen", "cent", "cents", "pence", "usd", "eur", "gbp"))
_EMERGENCY = frozenset(("911", "112", "110", "999", "988", "111", "101", "000"))
_UNITS = re.compile(
    r"[ -]?(?:%|percent|words?|characters?|tokens?|ms\b|milliseconds?|secs?\b|seconds?|mins?\b|minutes?|hours?|days?|"
    r"weeks?|months?|years?|times|kilo|km\b|kg\b|met|mile|degrees?|wörter|sekunden|minuten|stunden|tage|palabras|segundos)",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_DOT = r"(?:dot|punkt|punto|point)"
SPOKEN_EMAIL = re.compile(
    rf"\b([\w+-]{{1,40}}(?: {_DOT} [\w+-]{{1,40}}){{0,4}}) (?:at|arroba) (\w{{1,40}}(?: {_DOT} \w{{1,40}}){{1,3}})\b",
    re.IGNORECASE,
)
_CODE = re.compile(r"\b(?=[a-z]*\d[a-z]*\d)(?=\d*[a-z])[a-z\d]{5,40}\b")
_ORDINARY = re.compile(r"\d+(?:st|nd|rd|th|am|pm|h|hrs?|mins?|secs?|ms|kb|mb|gb|kg|km|uhr)|i\d+", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w.,:/-])\+?\(?\d(?:[ ().-]{0,2}\d){6,17}(?![\w:/])")
_ISO = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_NUMERIC = re.compile(r"(?<![\d.])(\d{1,2})([./-])(\d{1,2})\2(?:\d{4}|\d{2})?(?!\d)")
_CLOCK = re.compile(r"(\d{0,2}):(\d\d)")
_TWELVE = re.compile(r"\s?[ap]\.?\s?m\b", re.IGNORECASE)
_SHORT = 3


class Particular(NamedTuple):
    """What is told of, in a form that is the same however it is written, and the characters where it stands."""

    key: str
    start: int
    end: int


def particulars(text: str) -> list[Particular]:
    """All of a text, in no order; what could be either of two dates is both."""
    words = words_of(text)
    return [
        *(Particular(f"mail {hit.group().casefold()}", *hit.span()) for hit in _EMAIL.finditer(text)),
        *_spoken_emails(text),
        *_codes(words, text),
        *_dates(words, text),
        *_numeric_dates(text),
        *_times(words, text),
        *_numbers(words, text),
    ]


def _spoken_emails(text: str) -> Iterator[Particular]:
    for hit in SPOKEN_EMAIL.finditer(text):
        name, host = (re.sub(rf" {_DOT} ", ".", part.casefold()) for part in hit.groups())
        yield Particular(f"mail {name}@{host}", *hit.span())


def _codes(words: Sequence[Word], text: str) -> Iterator[Particular]:
    """ "KV19", "K V one nine", "P-8508"; small letters and figures in one word, such as "ab12c"."""
    for one, other in pairwise(words):
        letters = re.sub("[ .]", "", text[one.start : one.end])
        apart = text[one.end : other.start]
        if letters.isupper() and letters.isalpha() and len(letters) <= 4 and apart in ("", " ", "-"):
            article = letters in ("A", "I") and apart == " "
            if other.form.isdecimal() and len(other.form) > 1 and not article:
                yield Particular(f"code {letters.casefold()}{other.form}", one.start, other.end)
    for hit in _CODE.finditer(text):
        if not _ORDINARY.fullmatch(hit.group()):
            yield Particular(f"code {hit.group()}", *hit.span())


def _day(words: Sequence[Word], n: int) -> tuple[int, int]:
    """The day of a month at a word, 0 for none, and how many words tell it."""
    form = words[n].form
    if form.isdecimal() and len(form) <= 2:
        more = _ordinal(words[n + 1].form) if form in ("20", "30") and n + 1 < len(words) else 0
        return (int(form) + more, 2) if 1 <= more <= 9 else (int(form), 1)
    return _ordinal(form), 1


def _ordinal(form: str) -> int:
    """ "fourteenth" is 14; what is no ordinal is 0."""
    if form in ORDINALS or not form.endswith("th"):
        return ORDINALS.get(form, 0)
    value, after = number_at([form[:-2]], 0)
    return value if after else 0


def _dates(words: Sequence[Word], text: str) -> Iterator[Particular]:
    """ "14 March", "March the fourteenth", "the twenty-fourth of March", "14. März"."""
    for n, word in enumerate(words):
        if (month := MONTHS.get(word.form)) is None:
            continue
        before = n - 1
        while before >= 0 and n - before < 4 and words[before].form in _BETWEEN:
            before -= 1
        after = n + 1
        while after < len(words) and after - n < 3 and words[after].form in _BETWEEN:
            after += 1
        for first in (before - 1, before, after):
            if 0 <= first < len(words):
                day, many = _day(words, first)
                # Two words are told before a month only where the second one is the last.
                if 1 <= day <= 31 and (first == after or first + many == before + 1):
                    last = first + many - 1 if first == after else n
                    last += last + 1 < len(words) and words[last].end == words[last + 1].start and last > n
                    yield Particular(f"date {month}-{day}", min(words[first].start, word.start), words[last].end)
                    break


def _numeric_dates(text: str) -> Iterator[Particular]:
    for hit in _ISO.finditer(text):
        yield Particular(f"date {int(hit[2])}-{int(hit[3])}", *hit.span())
    for hit in _NUMERIC.finditer(text):
        one, other = int(hit[1]), int(hit[3])
        for day, month in {(one, other), (other, one)} if hit[2] != "." else {(one, other)}:
            if 1 <= day <= 31 and 1 <= month <= 12:
                yield Particular(f"date {month}-{day}", *hit.span())


def _times(words: Sequence[Word], text: str) -> Iterator[Particular]:
    """Times of the day, by the clock of twelve hours; a full hour with its weekday alone."""
    for n, word in enumerate(words):
        clock = _CLOCK.fullmatch(word.form)
        hour, minutes = (int(clock[1] or 0), clock[2]) if clock else (-1, "")
        if minutes not in ("", "00"):
            yield Particular(f"time {hour % 12}:{minutes}", word.start, word.end)
            continue
        if not clock and word.form.isdecimal() and len(word.form) <= 2 and _TWELVE.match(text, word.end):
            hour = int(word.form)
        before = n - 1 - (n > 0 and words[n - 1].form in _AT)
        if 0 <= hour <= 24 and before >= 0 and (day := WEEKDAYS.get(words[before].form)):
            yield Particular(f"hour {day} {hour % 12}", words[before].start, word.end)


def _numbers(words: Sequence[Word], text: str) -> Iterator[Particular]:
    """Amounts of money, and numbers that are nobody's count: of telephones, orders, cards and rooms."""
    for hit in _PHONE.finditer(text):
        if not _ISO.match(hit.group()) and not _NUMERIC.match(hit.group()):
            yield Particular(f"number {re.sub(r'[^0-9]', '', hit.group())[-7:]}", *hit.span())
    for one, other in pairwise(words):
        for coin, sum_ in ((one, other), (other, one)):
            if coin.form in _COINS and _is_number(sum_.form) and len(text[one.end : other.start]) <= 1:
                start, end = min(coin.start, sum_.start), max(coin.end, sum_.end)
                yield Particular(f"number {sum_.form}", start, end)
    for word in words:
        if _is_number(word.form) and _is_somebodys(word, text):
            digits = word.form.replace("-", "")
            yield Particular(f"number {digits[-7:] if len(digits) > 7 else digits}", word.start, word.end)


def _is_number(form: str) -> bool:
    return form.replace(".", "", 1).replace("-", "").isdecimal() and len(form) <= 40


def _is_somebodys(word: Word, text: str) -> bool:
    digits = re.sub("[.-]", "", word.form)
    if len(digits) < _SHORT or digits in _EMERGENCY or _UNITS.match(text, word.end):
        return False
    if "." in word.form:
        return word.form.count(".") == 1
    if len(digits) == 4 and digits[:2] in ("19", "20"):
        return False
    return not digits.endswith("0" if len(digits) == _SHORT else "000")


MOST = 6
"""Facts that are told of one hunk."""
_READ = 200_000
"""Characters of one call that are looked at, and 20,000 of one turn."""
_QUOTE = 6
"""Words in a row that are a quote."""
_LEAST_CONTENT = 3
"""Words of a quote that say something, at least."""
_SHOWN = 8
"""Words of a quote that are shown."""
_CAPITALS = 0.12
"""Where more words than these have a capital within a sentence, it is a language that writes common nouns so."""
_VARIABLE = re.compile(r"\{\{.{0,200}?\}\}|\{\w{1,80}\}|\$\{.{0,200}?\}")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_STARTS = re.compile(r"(?:^|[.!?:;…\"“„«»(\[#*•>—–|\n-])[\s\"“„'*_]*$")
_NAMED = re.compile(r"name|caller|patient|customer|contact|guest|holder|spouse|child|person", re.IGNORECASE)
_COMMON_WORDS = """
mr mrs ms miss dr doctor doctors nurse professor sir madam herr frau senor senora don dona
english spanish german french italian portuguese dutch polish russian turkish arabic hindi chinese mandarin japanese
korean deutsch espanol american british european euro euros dollar dollars
street road avenue lane drive square place station airport hotel bank clinic hospital office city
north south east west christmas easter thanksgiving ramadan god google apple whatsapp internet wifi
email e-mail pin sms ok okay yes no hello hi thanks thank please sorry bye goodbye
"""
_COMMON = frozenset((*MONTHS, *WEEKDAYS, *_COMMON_WORDS.split()))


class _Mark(NamedTuple):
    """A fact of a run and the characters of the added text where it stands."""

    start: int
    end: int
    text: str


@dataclass
class _KnownRun:
    """What is known of a run, to be looked for."""

    keys: set[str] = field(default_factory=set)
    phrases: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    spoken: list[tuple[str, bool]] = field(default_factory=list)
    """Each turn that somebody speaks, and whether that is the caller."""


def own_facts(diff: ProseDiff, sent_prompt: str, views: Sequence[RunView]) -> dict[int, tuple[str, ...]]:
    """The hunks that speak of one call, by number, with the facts that they add, as they are written, MOST at most.

    A fact is something that a run of `views` has, in its test profile or transcript or as its name, and that the prompt
    that was sent has not: names, dates, times, amounts, numbers, e-mails, six words in a row of a turn, scenarios, ids.
    Hunks that add none are not in the answer.
    """
    added = {hunk.number: _VARIABLE.sub(_blank, hunk.new) for hunk in diff.worded if hunk.new.strip()}
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
        self.keys = {one.key for one in particulars(prompt)}
        self.numbers = set(re.findall(r"\d+", prompt))
        self.words = {word.group().casefold() for word in _WORD.finditer(prompt)}
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
        if left <= 0:
            break
    known = f"{view.row.agent} {_greeting(view.transcript.turns)}"
    run.known = {word.group().casefold() for word in _WORD.finditer(known)}
    capital, small = _spoken_names([text for text, _ in run.spoken])
    run.names = (run.names - (small - capital)) | (capital - small)
    return run


def _read_profile(run: _KnownRun, value: object, key: str, depth: int = 0) -> None:
    """Take what a test profile tells: particulars, names, and what is written with capitals."""
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
            run.names |= {word.casefold() for word in words if len(word) > 2 and word[0].isalpha()} - _COMMON
        elif any(word[0].isalpha() for word in words):
            run.phrases[_plain(text)] = clean_line(text, 60)


def _greeting(turns: Iterable[Turn]) -> str:
    """What the agent says first: there it names itself and its business."""
    return next((turn.text for turn in turns if turn.speaker == "main"), "")


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
                small.add(word.casefold())
                number += 1
            elif _is_name(word) and not _STARTS.search(text, max(hit.start() - 8, 0), hit.start()):
                capital.add(_bare(word))
                within += 1
                number += 1
    return (set() if number > 100 and within > _CAPITALS * number else capital - _COMMON), small


def _is_name(word: str) -> bool:
    return len(word) > 2 and word[0].isupper() and word[1:2].islower() and "I'" not in word and "I’" not in word


def _bare(word: str) -> str:
    return re.sub(r"['’]s$", "", word).casefold()


# What a hunk has of it


def _particulars(text: str, sent: _Sent, run: _KnownRun) -> Iterator[_Mark]:
    for one in particulars(text):
        if one.key in run.keys and one.key not in sent.keys and one.key.removeprefix("number ") not in sent.numbers:
            yield _Mark(one.start, one.end, clean_line(text[one.start : one.end], 60))
    plain = _plain(text)
    for phrase, shown in run.phrases.items():
        if phrase in plain and phrase not in sent.text:
            at = text.casefold().find(phrase.split()[0])
            yield _Mark(at, at, shown)


def _names(text: str, sent: _Sent, run: _KnownRun) -> Iterator[_Mark]:
    """Names that the run has, those that stand side by side as one."""
    start = end = -1
    for hit in _WORD.finditer(text):
        bare = _bare(hit.group())
        if not (_is_name(hit.group()) and bare in run.names and bare not in run.known | sent.words):
            continue
        if start >= 0 and text[end : hit.start()].strip(" ") == "":
            end = hit.end()
            continue
        if start >= 0:
            yield _Mark(start, end, re.sub(r"['’]s$", "", text[start:end]))
        start, end = hit.span()
    if start >= 0:
        yield _Mark(start, end, re.sub(r"['’]s$", "", text[start:end]))


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
            if _plain(text[start:end]) not in sent.text and _is_quote(text, start, end, by_caller[rows[number][first]]):
                shown = clean_line(text[start : quote[:_SHOWN][-1].end()])
                found.setdefault(number, []).append(f"“{shown}{'…' if len(quote) > _SHOWN else ''}”")
    return found


def _rows(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(words[n : n + _QUOTE]) for n in range(len(words) - _QUOTE + 1))


def _is_quote(text: str, start: int, end: int, by_caller: bool) -> bool:
    """Whether words in a row are no turn of phrase: they say enough, or are the caller's and marked as a quote."""
    marked = by_caller and text[max(start - 1, 0) : start] in ('"', "“", "„", "«", "‘", "'")
    return len(content_words(text[start:end])) >= (1 if marked else _LEAST_CONTENT)


def _stretches(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Places that follow one another, as the first and the last of each stretch."""
    for n, place in enumerate(places):
        if not n or place != places[n - 1] + 1:
            first = place
        if n + 1 == len(places) or places[n + 1] != place + 1:
            yield first, place


def _apart(marks: Iterable[_Mark]) -> Iterator[_Mark]:
    """In the order of the text; of several that begin at one place the longest."""
    end = 0
    for mark in sorted(set(marks), key=lambda mark: (mark.start, -mark.end, mark.text)):
        if mark.start >= end or mark.start == mark.end:
            yield mark
            end = max(end, mark.end)
