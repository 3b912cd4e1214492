"""Particulars in a text, whether in figures or as they are spoken: dates, times, amounts, numbers, codes and e-mails.

Small counts, full hours alone, years, round numbers and emergency numbers are left out: every prompt has some.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from cekura_tui.model.number_words import ORDINALS, number_at
from cekura_tui.model.spoken_words import Word, words_of

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
