"""Numbers in words, as they are spoken: English, German and Spanish."""

from __future__ import annotations

from collections.abc import Sequence

_SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_UNITS = {word: n for n, word in enumerate(f"{_SMALL} seventeen eighteen nineteen".split())}
_DECADES = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: 10 * n for n, word in enumerate(_DECADES.split(), 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fifth": 5,
    "eighth": 8,
    "ninth": 9,
    "twelfth": 12,
    "twentieth": 20,
    "thirtieth": 30,
}
"""English ordinals that do not end in th alone, by their number."""

# Without accents, as words are compared. What is an article, too, is no number.
_DE_SMALL = "null eins zwei drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn vierzehn funfzehn sechzehn"
_DE_UNITS = {word: n for n, word in enumerate(f"{_DE_SMALL} siebzehn achtzehn neunzehn".split())}
_DE_DECADES = "zwanzig dreissig vierzig funfzig sechzig siebzig achtzig neunzig"
_DE_TENS = {word: 10 * n for n, word in enumerate(_DE_DECADES.split(), 2)}
_DE = {
    **_DE_UNITS,
    **_DE_TENS,
    **{
        f"{'ein' if unit == 'eins' else unit}und{tens}": n + tens_n
        for unit, n in _DE_UNITS.items()
        if 1 <= n <= 9
        for tens, tens_n in _DE_TENS.items()
    },
}
_ES_SMALL = "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis"
_ES_MORE = "diecisiete dieciocho diecinueve veinte veintiuno veintidos veintitres veinticuatro veinticinco veintiseis"
_ES_UNITS = {word: n for n, word in enumerate(f"{_ES_SMALL} {_ES_MORE} veintisiete veintiocho veintinueve".split())}
_ES_DECADES = "treinta cuarenta cincuenta sesenta setenta ochenta noventa"
_ES_TENS = {word: 10 * n for n, word in enumerate(_ES_DECADES.split(), 3)}
_ES_HUNDREDS = {"cien": 100, "ciento": 100, "quinientos": 500, "setecientos": 700, "novecientos": 900} | {
    f"{word}cientos": 100 * n for word, n in _ES_UNITS.items() if n in (2, 3, 4, 6, 8)
}
_LONGEST = 60
_KNOWN = frozenset(("oh", "mil", *_UNITS, *_TENS, *_DE, *_ES_UNITS, *_ES_TENS, *_ES_HUNDREDS))


def number_at(forms: Sequence[str], n: int) -> tuple[int, int]:
    """The number that begins at a word, and the index after it; the same index where none does."""
    form = forms[n]
    if form not in _KNOWN and "hundert" not in form and "tausend" not in form:
        return 0, n  # as most words
    if form in _UNITS or form in _TENS:
        return _english(forms, n)
    if form in ("oh", "null"):
        return 0, n + _is_zero(forms, n)
    if (value := _german(form)) is not None:
        return value, n + 1
    if form == "once" and (not n or forms[n - 1] != "las"):
        return 0, n  # it is English
    return _spanish(forms, n)


def _is_zero(forms: Sequence[str], n: int) -> bool:
    """Whether "oh" or "null" is spelt among digits, and no sigh and no nothing."""
    form = forms[n]
    digits = _UNITS if form == "oh" else _DE_UNITS
    near = forms[max(n - 2, 0) : n + 3]
    beside = [one == form or digits.get(one, 10) < 10 for one in forms[n + 1 : n + 3]]
    before = n > 0 and (forms[n - 1] == form or digits.get(forms[n - 1], 10) < 10)
    return (before or beside == [True, True]) and any(one != form and digits.get(one, 10) < 10 for one in near)


def _english(forms: Sequence[str], n: int) -> tuple[int, int]:
    total = part = 0
    begun, last = n, ""
    while n < len(forms):
        form = forms[n]
        if form in _UNITS and last in ("", "tens", "scale") and not (last == "tens" and _UNITS[form] > 9):
            part, last = part + _UNITS[form], "unit"
        elif form in _TENS and last in ("", "scale"):
            part, last = part + _TENS[form], "tens"
        elif form in _SCALES and last in ("unit", "tens") and part < (100 if form == "hundred" else 1000):
            if form == "hundred":
                part *= 100
            else:
                total, part = total + part * _SCALES[form], 0
            last = "scale"
        elif form == "and" and last == "scale" and n + 1 < len(forms) and forms[n + 1] in {**_UNITS, **_TENS}:
            pass
        elif form in ORDINALS and last == "tens" and ORDINALS[form] < 10:
            return total + part + ORDINALS[form], n + 1
        else:
            break
        n += 1
    return total + part, n if n > begun else begun


def _german(form: str) -> int | None:
    """A number is one word: "einhundertzweiundsechzig"."""
    if (value := _DE.get(form)) is not None or len(form) > _LONGEST:
        return value
    for scale, times in (("tausend", 1000), ("hundert", 100)):
        before, found, after = form.partition(scale)
        if found:
            many = 1 if before in ("", "ein") else _german(before)
            rest = _german(after.removeprefix("und")) if after else 0
            return None if many is None or rest is None else many * times + rest
    return None


def _spanish(forms: Sequence[str], n: int) -> tuple[int, int]:
    """A number is several words: "ciento cuarenta y cinco"."""
    begun, total = n, 0
    value, n = _spanish_part(forms, n)
    if n < len(forms) and forms[n] == "mil":
        total, (value, n) = (value or 1) * 1000, _spanish_part(forms, n + 1)
    return total + value, n if n > begun else begun


def _spanish_part(forms: Sequence[str], n: int) -> tuple[int, int]:
    value = 0
    if n < len(forms) and forms[n] in _ES_HUNDREDS:
        value, n = _ES_HUNDREDS[forms[n]], n + 1
    if n < len(forms) and forms[n] in _ES_TENS:
        value, n = value + _ES_TENS[forms[n]], n + 1
        if n + 1 < len(forms) and forms[n] == "y" and 1 <= _ES_UNITS.get(forms[n + 1], 0) <= 9:
            value, n = value + _ES_UNITS[forms[n + 1]], n + 2
    elif n < len(forms) and forms[n] in _ES_UNITS:
        value, n = value + _ES_UNITS[forms[n]], n + 1
    return value, n
