"""Words as they are compared: what was said and how somebody wrote it down differ in case, punctuation and figures.

"Twenty-five" is 25, "Mister" is "Mr.", an "uh" is nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_MARKS = "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"
_SIGNED = (
    "\u0900-\u0963\u0971-\u0dff\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff"  # scripts whose vowels are signs of their own
)
_SINGLE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"  # scripts without spaces: a character is a word
_WORD = re.compile(
    rf"\d+(?:[.,:/-]?\d+)*|[{_SINGLE}]|(?:(?![\d_{_SINGLE}])[\w{_MARKS}{_SIGNED}]|(?<=\w)['’](?=\w))+|[£€$₹¥%]"
)
_SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_UNITS = {word: n for n, word in enumerate(f"{_SMALL} seventeen eighteen nineteen".split())}
_DECADES = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: 10 * n for n, word in enumerate(_DECADES.split(), 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_ORDINALS = {
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
_SAME = {
    "mister": "mr",
    "doctor": "dr",
    "missus": "mrs",
    "okay": "ok",
    "pounds": "pound",
    "£": "pound",
    "euros": "euro",
    "€": "euro",
    "dollars": "dollar",
    "$": "dollar",
    "rupees": "rupee",
    "₹": "rupee",
    "yen": "yen",
    "¥": "yen",
    "%": "percent",
    "per cent": "percent",
    "alright": "right",
    "p": "pence",
    "gonna": "going",
    "wanna": "want",
}
_TAILS = {"ve": "have", "re": "are", "ll": "will", "m": "am"}
_IS = "it that he she what there here who where how let"
_HELPING = "do does did is are was were has have had would could should"
_SHORT = {f"{word}'s": (word, "us" if word == "let" else "is") for word in _IS.split()} | {
    "can't": ("can", "not"),
    "cannot": ("can", "not"),
    "won't": ("will", "not"),
    "shan't": ("shall", "not"),
    **{f"{word}n't": (word, "not") for word in _HELPING.split()},
}
_MINUTES = {"quarter": "15", "half": "30"}
_FILLERS = frozenset(["uh", "um", "uhm", "er", "erm", "hmm", "hm", "mhm", "ah", "eh", "äh", "ähm", "öh", "este", "euh"])


class Word(NamedTuple):
    """A word in the form in which it is compared, and the characters of the text that it stands for."""

    form: str
    start: int
    end: int


def words_of(text: str) -> list[Word]:
    """The words of a text in order, figures in digits, fillers left out."""
    plain = [word for found in _WORD.finditer(text) for word in _spelt_out(found.group(), *found.span())]
    figures = _figures([word for word in plain if word.form not in _FILLERS and word.form])
    return _merged(_clocks(figures), text)


def _spelt_out(word: str, start: int, end: int) -> Iterator[Word]:
    """A word, or both of which it is short for: "I've" is "i" and "have"."""
    lower = word.casefold().replace("’", "'")
    if lower in _SHORT:
        for form in _SHORT[lower]:
            yield Word(form, start, end)
        return
    head, mark, tail = lower.rpartition("'")
    if mark and head and tail in _TAILS and head.isalpha():
        yield Word(_form(head), start, end)
        yield Word(_TAILS[tail], start, end)
    else:
        yield Word(_form(word), start, end)


def _form(word: str) -> str:
    if word[0].isdigit():
        # Commas between thousands are dropped; the comma of a decimal is not told from them where three digits follow.
        figure = re.sub(r",(?=\d{3}(?!\d))", "", word).lstrip("0").replace(",", ".")
        return (figure.rstrip("0") if figure.count(".") == 1 and ":" not in figure else figure).rstrip(".") or "0"
    form = word.casefold().replace("'", "").replace("’", "")
    if not form.isascii():
        form = "".join(c for c in unicodedata.normalize("NFKD", form) if not "\u0300" <= c <= "\u036f")
    return _SAME.get(form, form)


def _figures(words: list[Word]) -> list[Word]:
    """Numbers in words as digits: "two thousand one hundred and twenty five" is 2125, "four four one" stays three."""
    found: list[Word] = []
    n = 0
    while n < len(words):
        value, after = _number(words, n)
        if after == n:
            found.append(words[n])
            n += 1
        else:
            found.append(Word(str(value), words[n].start, words[after - 1].end))
            n = after
    return found


def _number(words: list[Word], n: int) -> tuple[int, int]:
    """The number that begins at a word, and the index after it; the same index where none does."""
    total = part = 0
    begun, last = n, ""
    while n < len(words):
        form = words[n].form
        if form in _UNITS and last in ("", "tens", "scale") and not (last == "tens" and _UNITS[form] > 9):
            part, last = part + _UNITS[form], "unit"
        elif form in _TENS and last in ("", "scale"):
            part, last = part + _TENS[form], "tens"
        elif form in _SCALES and last in ("unit", "tens"):
            if form == "hundred":
                part *= 100
            else:
                total, part = total + part * _SCALES[form], 0
            last = "scale"
        elif form == "and" and last == "scale" and n + 1 < len(words) and words[n + 1].form in {**_UNITS, **_TENS}:
            pass
        elif form in _ORDINALS and last == "tens" and _ORDINALS[form] < 10:
            return total + part + _ORDINALS[form], n + 1
        else:
            break
        n += 1
    return total + part, n if n > begun else begun


def _clocks(words: list[Word]) -> list[Word]:
    """Times of the day in figures: "ten past nine" is 9:10, "half past nine" 9:30, "a quarter to seven" 6:45."""
    found: list[Word] = []
    for word in words:
        if len(found) >= 2 and found[-1].form in ("past", "to") and 1 <= _small(word.form) <= 12:
            how, minutes = found[-1].form, _MINUTES.get(found[-2].form, found[-2].form)
            hour, late = _small(word.form), _small(minutes)
            if 1 <= late <= 30 and (how == "past" or found[-2].form == "quarter"):
                clock = f"{hour}:{late:02}" if how == "past" else f"{(hour - 2) % 12 + 1}:{60 - late:02}"
                found[-2:] = [Word(clock, found[-2].start, word.end)]
                continue
        found.append(word)
    return found


def _small(form: str) -> int:
    """The figure, if it has one or two digits, else 0: of thousands of digits Python makes no number."""
    return int(form) if len(form) <= 2 and form.isdecimal() else 0


def _merged(words: list[Word], text: str) -> list[Word]:
    """Letters and digits that are spelt one by one are one word: "N W, 4 1 2" is "nw", "412"."""
    found: list[Word] = []
    for word in words:
        if found and len(word.form) == 1 and _spelt(word, text):
            before = found[-1]
            if _spelt(Word(before.form[-1], before.end - 1, before.end), text) and (
                before.form.isdecimal() == word.form.isdecimal() and _is_spelling(before, text)
            ):
                found[-1] = Word(before.form + word.form, before.start, word.end)
                continue
        found.append(word)
    return found


def _spelt(word: Word, text: str) -> bool:
    return word.form.isdecimal() or (word.end - word.start == 1 and text[word.start].isupper())


def _is_spelling(word: Word, text: str) -> bool:
    """Whether a word is a single sign, or several that were spelt: then there is space between them."""
    return len(word.form) == 1 or " " in text[word.start : word.end]


@lru_cache(maxsize=20_000)
def stem(form: str) -> str:
    """A word without its common endings; enough to join "inform" and "informed"."""
    if not form.isascii() or not form.isalpha() or len(form) < 5:
        return form[:-1] if form.endswith("s") and len(form) > 3 else form
    for ending in ("ingly", "ation", "ments", "ment", "ing", "ies", "ied", "ed", "es", "ly", "er", "s", "y", "e"):
        if form.endswith(ending) and len(form) - len(ending) >= 4:
            return form[: -len(ending)]
    return form
