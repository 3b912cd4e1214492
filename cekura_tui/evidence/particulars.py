"""Extract dates, times, amounts, numbers, codes, addresses and e-mail addresses, written or spoken.

Small counts, full hours without a weekday, years, round numbers and emergency numbers are ignored, because such numbers
may be in any prompt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from cekura_tui.evidence.spoken_words import ORDINALS, Word, content_words, number_at, two_digits, words_of

_MONTHS = """
january jan januar enero, february feb februar febrero, march mar marz marzo, april apr abril, may mai mayo,
june jun juni junio, july jul juli julio, august aug agosto, september sep sept septiembre, october oct oktober octubre,
november nov noviembre, december dec dezember diciembre
"""
_DAYS = """
monday montag lunes, tuesday dienstag martes, wednesday mittwoch miercoles, thursday donnerstag jueves,
friday freitag viernes, saturday samstag sabado, sunday sonntag domingo
"""


def _numbered(entries: str) -> dict[str, int]:
    """Map each word of the comma-separated entries to the number of its entry, from 1."""
    return {word: number for number, entry in enumerate(entries.split(","), 1) for word in entry.split()}


MONTHS = _numbered(_MONTHS)
WEEKDAYS = _numbered(_DAYS)
_PERIODS = _numbered("""
morning vormittag, noon midday lunch lunchtime mittag mediodia, afternoon nachmittag tarde, evening abend,
night nights nacht noche, week woche semana, weekend wochenende, month monat mes
""")
_RELATIVE = {
    **dict.fromkeys(("tomorrow", "morgen", "manana"), 8),
    **dict.fromkeys(("yesterday", "gestern", "ayer"), 9),
    **dict.fromkeys(("next", "nachste", "nachsten", "kommende", "proxima", "proximo"), 10),
    **dict.fromkeys(("last", "letzte", "letzten", "pasada", "pasado"), 11),
}
"""Numbered after the weekdays."""
_COMPOUND = re.compile(rf"({'|'.join(WEEKDAYS)})({'|'.join(_PERIODS)})")
"""Matches words such as "Freitagvormittag"."""
_SUFFIXES = frozenset(("th", "st", "nd", "rd"))
_BETWEEN = frozenset(("of", "the", "de", "del", "der", "dem", "den"))
"""Words that may be between a day and its month."""
_SEVERAL = frozenset(("and", "or", "to", "und", "oder", "bis", "y", "o", "al"))
"""Words that may be between two days of one month."""
_GERMAN = frozenset(("am", "den", "dem", "der", "vom", "zum", "bis"))
_DATED = frozenset(("on", "am", "dia", *WEEKDAYS))
_BEFORE_DAY = _DATED | _GERMAN | {"the", "el"}
"""Words before an ordinal that is a day of the month; before "first" to "third", only the words in _DATED."""
_AFTER_DAY = frozenset(("works", "suits", "fits", "offer", "book", "please", "bitte", "va", "viene"))
"""Content words that may follow a day of the month. Any other content word is a noun that the ordinal counts."""
_GERMAN_ORDINAL = re.compile(r"(\w{2,30}?)s?te[nr]?")
_GERMAN_STEMS = {"er": 1, "drit": 3, "sieb": 7, "ach": 8}
_AT = re.compile(r",? (at |um |a las? )?", re.I)
"""Matches the text between a weekday and an hour. After a preposition, the hour may be a bare number."""
_CURRENCY_WORDS = "pound euro dollar rupee yen cent cents pence usd eur gbp quid bucks dolares pesos libras"
_CURRENCIES = frozenset(_CURRENCY_WORDS.split())
_EMERGENCY = frozenset(("911", "112", "110", "999", "988", "111", "101", "000"))
UNITS = re.compile(
    r"[ -]?(?:%|percent|words?|characters?|tokens?|ms\b|milliseconds?|secs?\b|seconds?|mins?\b|minutes?|hours?|days?|"
    r"weeks?|months?|years?|times|kilo|km\b|kg\b|met|mile|degrees?|wörter|sekunden|minuten|stunden|tage|palabras|segundos)",
    re.I,
)
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_SIGNS = {
    **dict.fromkeys(("dot", "punkt", "punto", "point"), "."),
    **dict.fromkeys(("underscore", "unterstrich", "guion bajo", "guión bajo"), "_"),
    **dict.fromkeys(("dash", "hyphen", "minus", "bindestrich", "guion", "guión"), "-"),
}
_SIGN = rf"(?:{'|'.join(_SIGNS)})"
SPOKEN_EMAIL = re.compile(
    rf"\b([\w+-]{{1,40}}(?: {_SIGN} [\w+-]{{1,40}}){{0,4}}) (?:at|arroba) (\w{{1,40}}(?: {_SIGN} \w{{1,40}}){{1,3}})\b",
    re.I,
)
_CODE = re.compile(r"\b(?=[a-z]*\d[a-z]*\d)(?=\d*[a-z])[a-z\d]{5,40}\b")
_ORDINARY = re.compile(r"\d+(?:st|nd|rd|th|am|pm|h|hrs?|mins?|secs?|ms|kb|mb|gb|kg|km|uhr)|i\d+", re.I)
_GROUPS = re.compile(r"(?<![\w.,:/-])\+?\(?\d(?:[ ()./-]{0,3}\d){4,17}(?![\w:/])")
_ISO = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_NUMERIC = re.compile(r"(?<![\d.])(\d{1,2})(?:([./-])(\d{1,2})\2(?:\d{4}|\d{2})?|/(\d{1,2}))(?![\d/])")
_CLOCK = re.compile(r"(\d{0,2}):(\d\d)")
_CLOCK_TIME = re.compile(r"(?<![\d.:,£€$+])(?<![£€$] )(\d\d?)[:.hH]([0-5]\d)(?!\d|[.:,]\d|\s?[£€$%])")
"""Matches a time in digits. Also matches "8.30", which may be a number of another kind."""
_AM_PM = re.compile(r"\s?[ap]\.?\s?m\b", re.I)
_STREET = re.compile(r"(\w{3,30}(?:str(?=$|asse)|weg|allee|platz|gasse))(?:asse)?")
_SHORT = 3


class Particular(NamedTuple):
    """A fact: a normalised `key`, which is the same for every spelling, and the characters [start, end) of the fact."""

    key: str
    start: int
    end: int


def particulars(text: str, words: Sequence[Word] | None = None) -> list[Particular]:
    """All facts of a text with `words`, in any order; of an ambiguous date or amount, one for each reading."""
    words = words_of(text) if words is None else words
    return [
        *(Particular(f"mail {hit.group().casefold()}", *hit.span()) for hit in _EMAIL.finditer(text)),
        *_spoken_emails(text),
        *_codes(words, text),
        *_dates(words, text),
        *_numeric_dates(text),
        *_times(words, text),
        *_periods(words),
        *_numbers(words, text),
        *_addresses(words),
    ]


def _spoken_emails(text: str) -> Iterator[Particular]:
    for hit in SPOKEN_EMAIL.finditer(text):
        name, host = (re.sub(rf" ({_SIGN}) ", lambda sign: _SIGNS[sign[1]], part.casefold()) for part in hit.groups())
        yield Particular(f"mail {name}@{host}", *hit.span())


def _codes(words: Sequence[Word], text: str) -> Iterator[Particular]:
    """Codes such as "KV19", "K V one nine" and "X7K2P". A code in lower case must be a single word ("ab12c")."""
    parts = [_part_of_code(word, text) for word in words]
    for n, word in enumerate(words):
        code = parts[n]
        for m in range(n + 1, min(n + 8, len(words)) if code else 0):
            apart = text[words[m - 1].end : words[m].start]
            article = m == n + 1 and parts[n] in ("a", "i") and apart == " "
            if not parts[m] or article or apart not in ("", " ", "-", ", "):
                break
            code += parts[m]
            if re.search(r"\d.*\d", code) and not code.isdecimal() and not _ORDINARY.fullmatch(code):
                yield Particular(f"code {code}", word.start, words[m].end)
    for hit in _CODE.finditer(text):
        if not _ORDINARY.fullmatch(hit.group()):
            yield Particular(f"code {hit.group()}", *hit.span())


def _part_of_code(word: Word, text: str) -> str:
    """A word as part of a code: digits, or up to six capital letters in lower case; "" for any other word."""
    if word.form[0].isdecimal():
        digits = word.form.replace("-", "")
        return digits if digits.isdecimal() else ""
    letters = re.sub("[ .-]", "", text[word.start : word.end])
    return letters.casefold() if letters.isupper() and letters.isalpha() and len(letters) <= 6 else ""


class _Day(NamedTuple):
    """The words [first, after) as a possible day of the month, or as two days if hyphenated. `is_ordinal`: the words
    are an ordinal."""

    days: tuple[int, ...]
    first: int
    after: int
    is_ordinal: bool


def _days(words: Sequence[Word], text: str) -> Iterator[_Day]:
    n = 0
    while n < len(words):
        days: tuple[int, ...] = (_ordinal(words[n].form),)
        first, is_ordinal = n, True
        n += 1
        if words[first].form[0].isdecimal() and re.fullmatch(r"\d\d?(-\d\d?)?", words[first].form):
            days = tuple(int(part) for part in words[first].form.split("-"))
            if n < len(words) and words[n].form in _SUFFIXES and words[n].start == words[first].end:
                n += 1
            elif n < len(words) and days in ((20,), (30,)) and 1 <= (unit := _ordinal(words[n].form)) <= 9:
                days, n = (days[0] + unit,), n + 1
            before, end = words[first - 1].form if first else "", words[n - 1].end
            dotted = before in _GERMAN and text.startswith(".", end)
            is_ordinal = dotted or before in ("el", "dia") or text[end - 2 : end] in _SUFFIXES
        if all(1 <= day <= 31 for day in days):
            yield _Day(days, first, n, is_ordinal)


def _ordinal(form: str) -> int:
    """The value of an ordinal: 14 for "fourteenth" and "vierzehnten"; 0 for other words."""
    if form in ORDINALS:
        return ORDINALS[form]
    german = _GERMAN_ORDINAL.fullmatch(form)
    stem = german[1] if german else form[:-2] if form.endswith("th") else ""
    value, after = number_at([stem], 0) if stem else (0, 0)
    return value if after else _GERMAN_STEMS.get(stem, 0)


def _dates(words: Sequence[Word], text: str) -> Iterator[Particular]:
    """Dates such as "14 March" and "24 to 26 December"; "the fourteenth" alone is a date in every month."""
    days = list(_days(words, text))
    firsts, afters = {day.first: day for day in days}, {day.after: day for day in days}
    dated = set()
    for n, word in enumerate(words):
        if (month := MONTHS.get(word.form)) is None:
            continue
        found, at = [], n
        while at > 0 and n - at < 12:
            if at in afters:
                found.append(afters[at])
                at = afters[at].first
            elif words[at - 1].form in _BETWEEN or (found and words[at - 1].form in _SEVERAL):
                at -= 1
            else:
                break
        at = n + 1
        while not found and at < len(words) and at - n < 4:
            found = [firsts[at]] if at in firsts else []
            at = at + 1 if words[at].form in _BETWEEN else len(words)
        for day in found:
            dated.add(day)
            start, end = min(words[day.first].start, word.start), max(words[day.after - 1].end, word.end)
            yield from (Particular(f"date {month}-{number}", start, end) for number in day.days)
    for day in days:
        if day not in dated and _is_day_of_month(day, words, text):
            span = words[day.first].start, words[day.after - 1].end
            yield from (Particular(f"date {month}-{day.days[0]}", *span) for month in range(1, 13))


def _is_day_of_month(day: _Day, words: Sequence[Word], text: str) -> bool:
    """Whether an ordinal without a month is a day of the month, and does not count a noun, as in "the fourth floor"."""
    before = {word.form for word in words[max(day.first - 2, 0) : day.first]}
    is_sure = day.days[0] > 3 or (day.after < len(words) and words[day.after].form in _AFTER_DAY)
    if not day.is_ordinal or not before & (_BEFORE_DAY if is_sure else _DATED):
        return False
    if day.after == len(words) or text[words[day.after - 1].end : words[day.after].start].strip(" ."):
        return True
    following = [word.form for word in words[day.after : day.after + 2]]
    if before & _GERMAN:
        return not text[words[day.after].start].isupper()
    if following[0] in ("of", "de"):
        return following[-1] in ("the", "this", "every", "cada")
    return following[0] in _AFTER_DAY or not content_words(following[0])


def _numeric_dates(text: str) -> Iterator[Particular]:
    for hit in _ISO.finditer(text):
        yield Particular(f"date {int(hit[2])}-{int(hit[3])}", *hit.span())
    for hit in _NUMERIC.finditer(text):
        one, other = int(hit[1]), int(hit[3] or hit[4])
        for day, month in {(one, other), (other, one)} if hit[2] != "." else {(one, other)}:
            if 1 <= day <= 31 and 1 <= month <= 12:
                yield Particular(f"date {month}-{day}", *hit.span())


def _times(words: Sequence[Word], text: str) -> Iterator[Particular]:
    """Times, converted to the 12-hour clock. A full hour counts only after a weekday."""
    for hit in _CLOCK_TIME.finditer(text):
        if int(hit[1]) <= 24 and hit[2] != "00":
            yield Particular(f"time {int(hit[1]) % 12}:{hit[2]}", *hit.span())
    for word in _spoken_numbers(words, text):
        if int(word.form[:-2]) <= 24 and 1 <= int(word.form[-2:]) <= 59:
            yield Particular(f"time {int(word.form[:-2]) % 12}:{word.form[-2:]}", word.start, word.end)
    for n, word in enumerate(words):
        clock = _CLOCK.fullmatch(word.form)
        hour, minutes = (int(clock[1] or 0), clock[2]) if clock else (-1, "")
        if minutes not in ("", "00"):
            yield Particular(f"time {hour % 12}:{minutes}", word.start, word.end)
            continue
        if not clock and word.form.isdecimal() and len(word.form) <= 2 and _AM_PM.match(text, word.end):
            hour = int(word.form)
        for day in words[max(n - 3, 0) : n]:
            if day.form in WEEKDAYS and (apart := _AT.fullmatch(text, day.end, word.start)):
                hour = max(hour, two_digits(word.form)) if apart[1] else hour
                if 0 <= hour <= 24:
                    yield Particular(f"hour {WEEKDAYS[day.form]} {hour % 12}", day.start, word.end)


def _periods(words: Sequence[Word]) -> Iterator[Particular]:
    """Periods such as "Sunday morning", "tomorrow afternoon" and "early next week"."""
    for n, word in enumerate(words):
        if joined := _COMPOUND.fullmatch(word.form):
            yield Particular(f"period {WEEKDAYS[joined[1]]} {_PERIODS[joined[2]]}", word.start, word.end)
        day = WEEKDAYS.get(word.form) or _RELATIVE.get(word.form)
        periods = ((_PERIODS[other.form], other.end) for other in words[n + 1 : n + 3] if other.form in _PERIODS)
        if day is not None and (found := next(periods, None)) is not None:
            yield Particular(f"period {day} {found[0]}", word.start, found[1])


def _spoken_numbers(words: Sequence[Word], text: str) -> Iterator[Word]:
    """Numbers or times of three or four digits in words, such as "three seventeen" and "ten oh five"."""
    for one, other in pairwise((*words, Word("", 0, 0))):
        if not one.form.isdecimal():
            continue
        if two_digits(one.form) and two_digits(other.form) >= 10:
            one = Word(one.form + other.form, one.start, other.end)
        if len(one.form) in (3, 4) and re.fullmatch(r"[^\d.,;:!?]+", text[one.start : one.end]):
            yield one


def _numbers(words: Sequence[Word], text: str) -> Iterator[Particular]:
    """Amounts of money and decimals, and identifying numbers (of phones, orders, cards and rooms), but no counts."""
    for hit in _GROUPS.finditer(text):
        digits = re.sub(r"[^0-9]", "", hit.group())
        grouped = re.search("[ ()/-]", hit.group()) and not _ISO.match(hit.group()) and not _NUMERIC.match(hit.group())
        if (grouped or len(digits) > 6) and not digits.endswith("000"):
            yield Particular(f"number {digits.lstrip('0')[-7:]}", *hit.span())
    for one, other in pairwise(words):
        for currency, amount in ((one, other), (other, one)):
            if currency.form in _CURRENCIES and is_number(amount.form) and len(text[one.end : other.start]) <= 1:
                start, end = min(currency.start, amount.start), max(currency.end, amount.end)
                yield Particular(f"amount {amount.form}", start, end)
    for whole, currency, cents in zip(words, words[1:], words[2:], strict=False):
        apart = text[whole.end : currency.start] + text[currency.end : cents.start]
        if currency.form in _CURRENCIES and whole.form.isdecimal() and two_digits(cents.form) >= 10 and apart.isspace():
            yield Particular(f"amount {whole.form}.{cents.form}".rstrip("0"), whole.start, cents.end)
    spoken = list(_spoken_numbers(words, text))
    for form, start, end in (word for word in spoken if not word.form.endswith("00")):
        yield Particular(f"amount {form[:-2]}.{form[-2:]}".rstrip("0"), start, end)
    for word in (*words, *spoken):
        if is_number(word.form) and _is_identifying(word, text):
            digits = word.form.replace("-", "")
            kind = "amount" if "." in digits else "number"
            yield Particular(f"{kind} {digits[-7:]}", word.start, word.end)


def is_number(form: str) -> bool:
    return form.replace(".", "", 1).replace("-", "").isdecimal() and len(form) <= 40


def _is_identifying(word: Word, text: str) -> bool:
    digits = re.sub("[.-]", "", word.form)
    if len(digits) < _SHORT or digits in _EMERGENCY or UNITS.match(text, word.end):
        return False
    if "." in word.form:
        return word.form.count(".") == 1
    is_year = len(digits) == 4 and digits[:2] in ("19", "20")
    return not is_year and not digits.endswith("0" if len(digits) == _SHORT else "000")


def _addresses(words: Sequence[Word]) -> Iterator[Particular]:
    """German addresses such as "Lindenallee 7"; streets of two words are found as names."""
    for one, other in pairwise(words):
        if (street := _STREET.fullmatch(one.form)) and two_digits(other.form):
            yield Particular(f"address {street[1]} {other.form}", one.start, other.end)
