"""Normalise words for comparison, since speech is transcribed in many spellings. Case, punctuation and fillers ("uh")
are dropped. Spellings are unified: "Mister" becomes "mr". Number words of English, German and Spanish become digits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_UNITS = {word: n for n, word in enumerate(f"{_SMALL} seventeen eighteen nineteen".split())}
_DECADES = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: 10 * n for n, word in enumerate(_DECADES.split(), 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
ORDINALS = dict(
    first=1, second=2, third=3, fifth=5, eighth=8, ninth=9, twelfth=12, twentieth=20, thirtieth=30, primero=1
)
"""The values of irregular ordinals."""

# Without accents, as all normalised words. Words that are also articles are left out.
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
_NUMBER_WORDS = frozenset(("oh", "mil", *_UNITS, *_TENS, *_DE, *_ES_UNITS, *_ES_TENS, *_ES_HUNDREDS))


def number_at(forms: Sequence[str], n: int) -> tuple[int, int]:
    """Read the number at index `n`: the number and the index after its last word; (0, n) if none starts there."""
    form = forms[n]
    if form not in _NUMBER_WORDS and "hundert" not in form and "tausend" not in form:
        return 0, n  # the common case
    if form in _UNITS or form in _TENS:
        return _english(forms, n)
    if form in ("oh", "null"):
        return 0, n + _is_zero(forms, n)
    if (value := _german(form)) is not None:
        return value, n + 1
    if form == "once" and (not n or forms[n - 1] != "las"):
        return 0, n  # English "once", not Spanish 11
    return _spanish(forms, n)


def _is_zero(forms: Sequence[str], n: int) -> bool:
    """Whether "oh" or "null" at index `n` is a zero among other digits, not an interjection or a word for "nothing"."""
    form = forms[n]
    digits = _UNITS if form == "oh" else _DE_UNITS
    near = forms[max(n - 2, 0) : n + 3]
    beside = [one == form or digits.get(one, 10) < 10 for one in forms[n + 1 : n + 3]]
    before = n > 0 and (forms[n - 1] == form or digits.get(forms[n - 1], 10) < 10)
    return (before or beside == [True, True]) and any(one != form and digits.get(one, 10) < 10 for one in near)


def _english(forms: Sequence[str], n: int) -> tuple[int, int]:
    total = part = 0
    last = ""
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
    return total + part, n


def _german(form: str) -> int | None:
    """The value of a number in one word ("einhundertzweiundsechzig"); None for other words."""
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
    """Read a Spanish number of one or more words ("ciento cuarenta y cinco"), as `number_at` does."""
    total = 0
    value, n = _spanish_part(forms, n)
    if n < len(forms) and forms[n] == "mil":
        total, (value, n) = (value or 1) * 1000, _spanish_part(forms, n + 1)
    return total + value, n


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


_MARKS = "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"
# Scripts with combining vowel signs
_SIGNED = "\u0900-\u0963\u0971-\u0dff\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff"
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"  # scripts without spaces: each character is a word
_WORD = re.compile(
    r"\d\d?[:.]\d\d(?=-\d\d?[:.]\d\d\b)|\d+(?:(?:[.,:]|[/-](?!\d\d?:\d))?\d+)*|"  # "8:30-17:00" is two times
    rf"[{_UNSPACED}]|(?:(?![\d_{_UNSPACED}])[\w{_MARKS}{_SIGNED}]|(?<=\w)['’](?=\w))+|[£€$₹¥%]"
)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d{1,2})?")
_SPELLINGS = """
mr mister, dr doctor, mrs missus, ok okay, pound pounds £, euro euros €, dollar dollars $, rupee rupees ₹, yen ¥,
percent %, right alright, pence p, going gonna, want wanna
"""


def _first_by_others(entries: str) -> dict[str, str]:
    """Map all words of each comma-separated entry, except the first, to the first word of the entry."""
    return {other: first for first, *others in map(str.split, entries.split(",")) for other in others}


_CANONICAL = _first_by_others(_SPELLINGS)
_ENDINGS = {"ve": "have", "re": "are", "ll": "will", "m": "am"}
_IS = "it that he she what there here who where how let"
_HELPING = "do does did is are was were has have had would could should"
_CONTRACTIONS = {f"{word}'s": (word, "us" if word == "let" else "is") for word in _IS.split()} | {
    "can't": ("can", "not"),
    "cannot": ("can", "not"),
    "won't": ("will", "not"),
    "shan't": ("shall", "not"),
    **{f"{word}n't": (word, "not") for word in _HELPING.split()},
}
_MINUTES = {"quarter": "15", "half": "30", "viertel": "15"}
_ES_MINUTES = {"cuarto": "15", "media": "30"}
_CURRENCIES = frozenset(("pound", "euro", "dollar"))
_AT = frozenset(("at", "until", "till", "by", "from", "to", "around", "um", "ab", "bis", "las", "la"))
"""Prepositions after which a number with minutes is an hour."""
_HALVES = {"half": 30, "halb": 30, "dreiviertel": 15}
_AND = ("and", "und", "con", "y")
_ONE = ("ein", "einen", "un")
_LAS = ("las", "la")
_REPEATS = {"double": 2, "triple": 3}
_CENTS = frozenset(("cent", "cents", "pence", "centimos"))
_NO_NOUNS_TEXT = "to for on at in and or per plus please by from is was will would if with y und"
_NO_NOUNS = _CENTS.union(_NO_NOUNS_TEXT.split())
"""Words that may follow a number without being a noun that the number counts."""
_FILLERS = frozenset(["uh", "um", "uhm", "er", "erm", "hmm", "hm", "mhm", "ah", "eh", "äh", "ähm", "öh", "este", "euh"])


class Word(NamedTuple):
    """A normalised word, and its characters [start, end) in the text."""

    form: str
    start: int
    end: int


def words_of(text: str) -> list[Word]:
    """The normalised words of a text in order: numbers in digits, fillers dropped."""
    plain = [Word(form, *found.span()) for found in _WORD.finditer(text) for form in _expanded(found[0])]
    figures = _as_digits(_with_repeats(plain), text)
    return _joined_spelling(_times_and_prices(figures, text), text)


def _with_repeats(words: list[Word]) -> list[Word]:
    """Repeat digits: "double oh seven" becomes three words."""
    found: list[Word] = []
    for n, word in enumerate(words):
        times = _REPEATS.get(words[n - 1].form, 1) if n and (word.form == "oh" or _UNITS.get(word.form, 10) < 10) else 1
        if times > 1:
            found.pop()
        found += [word] * times
    return found


@lru_cache(maxsize=20_000)
def _expanded(word: str) -> tuple[str, ...]:
    """Normalise a word, and expand it if it is a contraction: "I've" becomes "i" and "have". Empty for a filler."""
    lower = word.casefold().replace("’", "'")
    forms: tuple[str, ...] = _CONTRACTIONS.get(lower, ())
    if not forms:
        head, _, tail = lower.rpartition("'")
        forms = (_normalised(head), _ENDINGS[tail]) if tail in _ENDINGS and head.isalpha() else (_normalised(word),)
    return tuple(form for form in forms if form not in _FILLERS and form)


def _normalised(word: str) -> str:
    if word[0].isdigit():
        # Drop thousands separators; a decimal mark before three digits looks the same.
        word = word.replace(".", "") if _THOUSANDS.fullmatch(word) else word
        figure = re.sub(r",(?=\d{3}(?!\d))", "", word).lstrip("0").replace(",", ".")
        return (figure.rstrip("0") if figure.count(".") == 1 and ":" not in figure else figure).rstrip(".") or "0"
    form = word.casefold().replace("'", "").replace("’", "")
    if not form.isascii():
        form = "".join(c for c in unicodedata.normalize("NFKD", form) if not "\u0300" <= c <= "\u036f")
    return _CANONICAL.get(form, form)


def _as_digits(words: list[Word], text: str) -> list[Word]:
    """Convert number words: "one hundred and five" to 105, "at nine fifteen" to 9:15, "four four" to two digits."""
    found: list[Word] = []
    forms = [word.form for word in words]
    n = hour = 0
    while n < len(words):
        value, after = number_at(forms, n)
        if after == n:
            found.append(words[n])
            n, hour = n + 1, 0
            continue
        spoken = Word(str(value), words[n].start, words[after - 1].end)
        last = after == len(words) or number_at(forms, after)[1] == after
        if hour and last and 10 <= value <= 59 and _are_adjacent(found[-1], spoken, text):
            found[-1] = Word(f"{hour}:{value}", found[-1].start, spoken.end)
            hour = 0
        else:
            hour = value if 1 <= value <= 12 and found and found[-1].form in _AT else 0
            found.append(spoken)
        n = after
    return found


def _times_and_prices(words: list[Word], text: str) -> list[Word]:
    """Convert spoken times and prices: "ten past nine" to 9:10, "a quarter to seven" to 6:45, "halb acht" to 7:30,
    "nueve y cuarto" to 9:15, "9 Uhr" to 9:00, "two pounds fifty" to 2.50."""
    found: list[Word] = []
    for n, word in enumerate(words):
        figure = _clock_or_price(found, word, text)
        if figure is not None and "." in figure[0] and text[word.start].isdigit() and _is_count(words[n : n + 2], text):
            figure = None  # "20 euros 15 people"
        if figure is None:
            found.append(word)
            continue
        form, parts = figure
        first = found[-parts]
        currency_at = next((at for at in range(-parts, 0) if found[at].form in _CURRENCIES), None)
        if currency_at is None:
            found[-parts:] = [Word(form, first.start, word.end)]
        else:  # keep the written order: "£2.50"
            currency, behind = found[currency_at], [*found, word][currency_at]
            found[-parts:] = [currency._replace(start=first.start), Word(form, behind.start, word.end)]
    return found


def _clock_or_price(before: list[Word], word: Word, text: str) -> tuple[str, int] | None:
    """The time or price that ends with `word`, and the number of its words before; None without one."""
    first, last = (before[-2].form if len(before) > 1 else ""), (before[-1].form if before else "")
    number = two_digits(word.form)
    if before and not _are_adjacent(before[-1], word, text):
        return None
    if last in ("past", "to", "nach", "vor") and 1 <= number <= 12:
        late = two_digits(_MINUTES.get(first, first))
        quarter = first in ("quarter", "viertel")
        # "from ten to nine" is a range, no time
        clear = quarter or last != "to" or (len(before) > 2 and before[-3].form in _AT and before[-3].form != "from")
        if 1 <= late <= 30 and clear:
            return _clock(number, late, last in ("to", "vor")), 2
    if last in _HALVES and 1 <= number <= 12:
        return _clock(number, _HALVES[last], last != "half"), 1
    if last in ("y", "menos") and 1 <= two_digits(first) <= 12:
        late = two_digits(_ES_MINUTES.get(word.form, word.form if len(before) > 2 and before[-3].form in _LAS else ""))
        if 1 <= late <= 30:
            return _clock(two_digits(first), late, last == "menos"), 2
    if word.form in ("uhr", "oclock") and last.isdecimal() and two_digits(last) <= 24:
        return f"{two_digits(last)}:00", 1
    if last.endswith(":00") and 10 <= number <= 59 and text[: before[-1].end].casefold().endswith("uhr"):
        return f"{last[:-2]}{number}", 1
    if word.form in _CENTS and last.isdecimal() and len(before) > 3 and before[-2].form in _AND:
        whole, currency, _, cents = (one.form for one in before[-4:])
        if currency in _CURRENCIES and whole.isdecimal() and 1 <= two_digits(cents) <= 99:
            return f"{whole}.{two_digits(cents):02}".rstrip("0"), 4
    if last == "con" and 1 <= number <= 99 and len(before) > 2 and first in _CURRENCIES and before[-3].form.isdecimal():
        return f"{before[-3].form}.{number:02}".rstrip("0"), 3
    if last in _CURRENCIES and 1 <= number <= 99 and (first.isdecimal() or first in _ONE):
        return f"{1 if first in _ONE else first}.{number:02}".rstrip("0"), 2
    return None


def _clock(hour: int, minutes: int, before: bool) -> str:
    """Format a time: `minutes` past the full hour `hour`, or `minutes` to that hour if `before`."""
    return f"{(hour - 2) % 12 + 1}:{60 - minutes:02}" if before else f"{hour}:{minutes:02}"


def _are_adjacent(one: Word, other: Word, text: str) -> bool:
    """Whether nothing but spaces or hyphens is between two words."""
    return text[one.end : other.start].strip(" -\u00a0") == ""


def _is_count(words: list[Word], text: str) -> bool:
    """Whether the first of two words is a number that counts the second."""
    return len(words) > 1 and words[1].form not in _NO_NOUNS and _are_adjacent(words[0], words[1], text)


def two_digits(form: str) -> int:
    """The value of a word of one or two digits, else 0; `int` would fail for thousands of digits."""
    return int(form) if len(form) <= 2 and form.isdecimal() else 0


def _joined_spelling(words: list[Word], text: str) -> list[Word]:
    """Join letters or digits spelt one by one, and drop leading zeros: "N W, 0 1 2" becomes "nw", "12"."""
    runs: list[list[Word]] = []
    apart = False
    for word in words:
        run = runs[-1] if runs else []
        if (
            run
            and len(word.form) == 1
            and _is_spelt(word, text)
            and _is_spelt(run[-1], text)
            and run[-1].form.isdecimal() == word.form.isdecimal()
            # Letters spelt one by one have spaces between them, at least between the first two.
            and (apart or (len(run) == 1 and len(run[0].form) == 1))
        ):
            apart = apart or " " in text[run[-1].start : word.end]
            run.append(word)
        else:
            runs.append([word])
            apart = " " in text[word.start : word.end]
    found = (Word("".join(word.form for word in run), run[0].start, run[-1].end) if run[1:] else run[0] for run in runs)
    return [word._replace(form=word.form.lstrip("0") or "0") if word.form[:1] == "0" else word for word in found]


def _is_spelt(word: Word, text: str) -> bool:
    """Whether a word is a single capital letter or ends with a digit."""
    return word.form[-1].isdecimal() or (len(word.form) == 1 and text[word.end - 1].isupper())


@lru_cache(maxsize=20_000)
def stem(form: str) -> str:
    """Strip common English endings: "inform" and "informed" become equal."""
    if not form.isascii() or not form.isalpha() or len(form) < 5:
        return form[:-1] if form.endswith("s") and len(form) > 3 else form
    for ending in ("ingly", "ation", "ments", "ment", "ing", "ies", "ied", "ed", "es", "ly", "er", "s", "y", "e"):
        if form.endswith(ending) and len(form) - len(ending) >= 4:
            return form[: -len(ending)]
    return form


LONGEST = 20_000
"""Most characters of a text that are read."""
_STOP_WORDS_TEXT = """
the and for was has had did its his her him you she who why how any all not but that this with from have been were
will would could should their there they them then than when what which while about into only also just very more most
some such does done is are be to of in on at by it as if or an so no do he we us me my our your yours mine can may
might must shall cannot let lets get gets got one two three own out off over under up down here where again still even
both each every other another else same too yet per via upon onto until till since because however always never ever
once twice first second third next last before after without within during whether unless either neither nor many much
few less least enough rather instead like well good right wrong agent caller customer user client assistant bot call
calls called calling turn turns conversation say says said saying tell tells told telling ask asks asked asking answer
answers answered reply replies replied make makes made give gives gave given take takes took taken use uses used using
go goes went going come comes came keep keeps kept put puts want wants wanted need needs needed know knows knew thing
things something anything nothing everything anybody somebody nobody everybody anyone someone everyone person's way
time times expected outcome verdict metric score check checked checks passed failed fail fails met correct correctly
properly happen happens happened see rule rules step steps item paragraph sentence heading section prompt instruction
instructions please der die das den dem des und oder aber nicht ist sind war wird werden wurde ein eine einen einem
einer mit ohne auf aus bei beim fur von vom zum zur dass auch nur noch schon sich sie ihr ihre wenn dann immer nie vor
nach uber als wie wer anrufer kunde sagen fragen los las del una uno unos unas que con sin por para pero como esta
este esto son fue ser hay mas muy cuando donde sobre entre siempre nunca antes despues cliente llamada decir preguntar
les une qui avec sans pour par dans est sont mais pas plus vous nous toujours jamais avant apres
"""
STOP_WORDS = frozenset(_STOP_WORDS_TEXT.split())
"""Stop words in English, German, Spanish and French, and the usual words of verdicts."""
_IRREGULAR_VERBS = """
speak spoke spoken, break broke broken, choose chose chosen, write wrote written, send sent, pay paid, hold held,
leave left, hear heard, understand understood, sell sold, lose lost, find found, begin began begun
"""
_IRREGULAR = _first_by_others(_IRREGULAR_VERBS)


def root(form: str) -> str:
    """Stem a normalised word further than `stem`: "transfer" and "transferring", "speak" and "spoken" become equal."""
    short = stem(_IRREGULAR.get(form, form))
    if len(short) > 4 and short[-1] == short[-2] and short[-1].isalpha() and short[-1] not in "ls":
        short = short[:-1]
    return stem(short)


def content_words(text: str) -> dict[str, str]:
    """Map each content word's root to the word as first written; no stop words, digits or very short words."""
    found: dict[str, str] = {}
    text = text[:LONGEST]
    for word in words_of(text):
        form = word.form
        least = 3 if form.isalpha() and form.isascii() else 2
        if len(form) >= least and form not in STOP_WORDS and root(form) not in STOP_WORDS:
            found.setdefault(root(form), text[word.start : word.end])
    return found
