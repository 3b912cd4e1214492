"""Parse and complete the filter line; say where and why a term is wrong."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest
from typing import NamedTuple

from cekura_tui.model.filter.filter import (
    BY_NAME,
    CONJUNCTIONS,
    ID,
    KEYS,
    MOMENT,
    NAME,
    OTHER_QUOTES,
    WORD,
    Filter,
    FilterKey,
    Term,
    Value,
    head_of,
    id_of,
    moment_text,
    quoted,
    word_of,
)
from cekura_tui.model.run.view import RunRow
from cekura_tui.model.text import clean_line, most_similar

_NOT = ("-", "!")
_IN_QUOTES = r'"((?:[^"\\]|\\.|\\\Z)*)("?)'
"""Matches a quoted text and its closing quote, which may be missing; a backslash escapes the next character."""
_QUOTED = re.compile(_IN_QUOTES, re.DOTALL)
_SPACED = re.compile(rf'(?:{_IN_QUOTES}|[^\s"])+', re.DOTALL)
_QUOTED_OR_BETWEEN = re.compile(rf"{_IN_QUOTES}|[,|]", re.DOTALL)
_FOREIGN_HEAD = re.compile(r"(?=\w*?[A-Za-z])(?=\w*?([^\x00-\x7f]))([^\W\d]+)(:|>=|<=|>|<|=)")
"""Matches a key with letters of two scripts: the first letter that is not Latin, the key, and its sign."""
_SHOWN = 4
_LONE = re.compile("[\ud800-\udfff]")


class FilterProblem(NamedTuple):
    """An error at characters `start` to `end` (exclusive) of the filter; `message` says what to write instead."""

    start: int
    end: int
    message: str


class Parsed(NamedTuple):
    """The valid terms of a filter's text, and the errors in the text."""

    filter: Filter
    problems: tuple[FilterProblem, ...] = ()


def parse(text: str) -> Parsed:
    """Parse a filter; never raises. A term with any wrong value is left out and reported as an error."""
    # A lone surrogate from a broken command line can be neither sent nor stored; replacing it keeps offsets.
    text = _LONE.sub("\ufffd", text)
    places = list(_split_terms(text))
    words = [text[start:end] for start, end in places]
    read = [_read(word, *place, after) for word, place, after in zip(words, places, [*words[1:], ""], strict=False)]
    terms = tuple(one for one in read if isinstance(one, Term))
    return Parsed(Filter(terms), tuple(chain.from_iterable(one for one in read if isinstance(one, list))))


def join_words(words: Sequence[str]) -> str:
    """Rebuild a filter from shell arguments, which have lost their quotes. An argument with spaces is quoted as one
    value, unless it has quotes or several terms, or its key's values can't have spaces."""
    return " ".join(filter(None, map(_joined, words)))


def split_words(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each word; white space in quotes does not split."""
    return (found.span() for found in _SPACED.finditer(text))


def _split_terms(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each term; `since:2 days ago` is one term, although its time has several words."""
    places = list(split_words(text))
    while places:
        start, end = places.pop(0)
        head = head_of(text[start:end].lstrip("-!"))
        key = BY_NAME.get(head[1].lower()) if head else None
        if key is not None and key.kind is MOMENT and text[end - 1].isdigit() and places:
            after = text[slice(*places[0])]
            number = text[start:end].rpartition(":")[2]
            if number.isdigit() and after.isalpha() and moment_text(f"{number} {after}"):
                end = places.pop(0)[1]
                if places and text[slice(*places[0])].lower() == "ago":
                    end = places.pop(0)[1]
        yield start, end


def split_values(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each value, also of empty ones; commas and bars outside quotes separate values."""
    start = 0
    for found in _QUOTED_OR_BETWEEN.finditer(text):
        if found[0] in (",", "|"):
            yield start, found.start()
            start = found.end()
    yield start, len(text)


def unquoted(text: str) -> tuple[str, int | None]:
    """The text without quotes and escapes, and the position of an unclosed quote (None if all are closed)."""
    opened = next((found.start() for found in _QUOTED.finditer(text) if not found[2]), None)
    return _QUOTED.sub(lambda found: re.sub(r'\\(["\\]|\Z)', r"\1", found[1]), text), opened


def _read(word: str, start: int, end: int, after: str) -> Term | list[FilterProblem]:
    """Parse one word of the filter, from `start` to `end`, into a term or its errors; `after` is the next word."""
    if (opened := unquoted(word)[1]) is not None:
        return [FilterProblem(start + opened, end, 'missing closing quote: add "')]
    negated = word[0] in _NOT
    body, at = (word[1:], start + 1) if negated else (word, start)
    head = head_of(body)
    if head is None and (alike := _look_alike(body, at)):
        return [alike]
    if head is None:
        bare = _bare(word, negated, after)
        return [FilterProblem(start, end, bare)] if isinstance(bare, str) else bare
    key, op, values = BY_NAME.get(head[1].lower()), head[2], body[head.end() :]
    if key is None:
        return [FilterProblem(at, at + head.end(), _no_key(head[1]))]
    if op not in key.kind.signs:
        return [FilterProblem(at, end, _right_sign(key, values))]
    if not values.strip(",|"):
        apart = after if after and head_of(after) is None else ""
        right = f"no space after “{head[0]}”: write {head[0]}{_shown(apart)}"
        return [FilterProblem(at, end, right if apart else _no_value(key))]
    read = _values(key, values, at + head.end())
    return read if isinstance(read, list) else Term(key.name, read, op, negated)


def _look_alike(body: str, at: int = 0) -> FilterProblem | None:
    """The error of a term whose key would be known but for letters of another script, such as a Cyrillic “о”."""
    head = _FOREIGN_HEAD.match(body)
    pattern = re.sub("[^ -~]", ".", head[2].lower()) if head else ""
    near = next((key for key in BY_NAME if re.fullmatch(pattern, key)), None)
    if head is None or near is None:
        return None
    said = f"“{head[1]}” in “{head[0]}” is the {unicodedata.name(head[1], 'letter of another script').capitalize()}"
    return FilterProblem(at, at + head.end(), f"{said}: write {near}{head[3]}")


def _bare(word: str, negated: bool, after: str) -> Term | str:
    """Parse a word without a key into a term, or return an error message; `after` is the next word."""
    if (meant := CONJUNCTIONS.get(word.lower())) and _is_term(after):
        return f"“{word}” is not needed: {meant}"
    # A bare word matches anywhere, so "~" adds nothing.
    text = unquoted(word[negated:].removeprefix("~"))[0]
    if not word.strip(",|"):
        return "no spaces between values: outcome:failed,error"
    if text[:1] in OTHER_QUOTES and '"' not in word:
        return 'use double quotes: "Task completion"'
    if not text:
        return "nothing between the quotes" if '"' in word else f"“{word}” needs a word or a term after the sign"
    return Term("", (Value(text),), negated=negated)


def _values(key: FilterKey, text: str, at: int) -> tuple[Value, ...] | list[FilterProblem]:
    """Parse the values of a term, or return the errors; `text` begins at character `at` of the filter."""
    places = [(start, end) for start, end in split_values(text) if start < end]
    if key.kind.single and len(places) > 1:
        return [FilterProblem(at + places[1][0], at + len(text), f"{key.name} takes one value: {key.example}")]
    values = [_value(key, text[start:end]) for start, end in places]
    read = zip(places, values, strict=True)
    wrong = [FilterProblem(at + start, at + end, value) for (start, end), value in read if isinstance(value, str)]
    return wrong or tuple(value for value in values if isinstance(value, Value))


def _value(key: FilterKey, written: str) -> Value | str:
    """Parse one value, or return an error message."""
    contains = written.startswith("~")
    text = unquoted(written.removeprefix("~"))[0]
    if not text:
        return _no_value(key)
    if text[0] in OTHER_QUOTES and not written.startswith(('"', '~"')):
        name = text.strip("".join(OTHER_QUOTES))
        return f'use double quotes: {key.name}:"{_shown(name)}{"" if text[-1] in OTHER_QUOTES else " …"}"'
    if contains and not key.kind.parts:
        return f"{key.name} does not support “~”: {key.example}"
    value = text if contains else key.kind.read(key, text, written.startswith('"'))
    if value is None and not key.kind.parts:
        return _wrong_value(key, text)
    return Value(text, contains=True) if contains or value is None else Value(value)


_FOREIGN_KEYS = {
    **dict.fromkeys(("when", "date", "time", "day", "days", "age", "ago", "created", "during", "newer"), "since"),
    **dict.fromkeys(("name", "title", "test", "case"), "scenario"),
    **dict.fromkeys(("verdict", "state"), "outcome"),
}
"""Keys of other search languages → the name of the filter key with the same meaning."""


def _no_key(name: str) -> str:
    near = _FOREIGN_KEYS.get(name.lower()) or most_similar(name.lower(), BY_NAME)
    if not near:
        known = _some(tuple(key.name for key in KEYS))
        return f"unknown term “{_shown(name)}:” ({known}); to search for the word, quote it"
    return f"unknown term “{_shown(name)}:”; did you mean {BY_NAME[near].name}?"


def _no_value(key: FilterKey) -> str:
    return f"{key.name} needs a value: {_some(key.words) if key.kind is WORD else key.example}"


def _wrong_value(key: FilterKey, text: str) -> str:
    near = most_similar(text.lower(), key.words)
    return key.kind.wrong.format(
        name=key.name,
        text=_shown(text),
        example=key.example,
        words=_some(key.words),
        meant=f"; did you mean {near}?" if near else "",
        ago=f"{text}d, {text}h" if text.isdigit() and moment_text(f"{text}d") and len(text) < 4 else "2d, 3h",
    )


def _right_sign(key: FilterKey, values: str) -> str:
    value = _shown(values)
    if ":" in key.kind.signs:
        return f"write {key.name}:{value}" if value else f"write {key.example}"
    if not value or key.kind.read(key, value, False) is None:
        value = key.value
    return f"write {key.name}>{value} or {key.name}<{value}"


def _some(words: tuple[str, ...]) -> str:
    return ", ".join(words) if len(words) <= 6 else f"{', '.join(words[:_SHOWN])}, …"


def _shown(text: str) -> str:
    return "".join(char if char.isprintable() else "\ufffd" for char in clean_line(text, 30))


def _joined(word: str) -> str:
    later = word.split()[1:]
    if '"' in word or not any(map(str.isspace, word)) or any(map(_is_term, later)) or _look_alike(word.lstrip("-!")):
        return word
    sign = word[0] if word[0] in _NOT else ""
    body = word.removeprefix(sign)
    head = head_of(body)
    key = BY_NAME.get(head[1].lower()) if head else None
    if body.removeprefix(head[0] if head and key else "").removeprefix("~").startswith(OTHER_QUOTES):
        return word  # wrong quotes are reported as an error, not searched for
    if head is None or key is None:
        return sign + quoted(body)
    if not key.kind.spaced:
        return word
    value = body[head.end() :]
    contains = "~" if value.startswith("~") else ""
    return f"{sign}{head[0]}{contains}{quoted(value.removeprefix('~'))}"


def _is_term(word: str) -> bool:
    head = head_of(word.lstrip("-!"))
    return head is not None and head[1].lower() in BY_NAME


class KnownNames(NamedTuple):
    """Names to offer as values, in the order to offer them; `results` has ids as text."""

    scenarios: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    personalities: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    results: tuple[str, ...] = ()

    def joined(self, others: KnownNames) -> KnownNames:
        """These names, followed by the names in `others`, without duplicates."""
        return KnownNames(*(tuple(dict.fromkeys((*own, *other))) for own, other in zip(self, others, strict=True)))

    def of(self, key: FilterKey) -> tuple[str, ...]:
        """Values to offer for a key: its words, or the known names that can be values of the key."""
        if not key.names:
            return key.words
        names: tuple[str, ...] = getattr(self, key.names)
        # A name that is a number would be read as an id.
        return tuple(
            name for name in names if key.kind not in (NAME, ID) or (id_of(name) is None) == (key.kind is NAME)
        )


def unknown_name(wanted: Filter, names: KnownNames) -> Term | None:
    """A term with the first value that should be a known name but is not; None if there is no such value. Negated
    terms, ids, "~" values, and keys without any known names are not checked."""
    for term in wanted.terms:
        key = BY_NAME.get(term.key)
        if key is None or not (key.names and key.kind.parts) or term.negated:
            continue
        known = {name.casefold() for name in names.of(key)}
        for value in term.values:
            is_id = key.kind is NAME and id_of(value.text) is not None
            if known and not is_id and not value.contains and value.text.casefold() not in known:
                return Term(term.key, (value,))
    return None


def suggested_terms(wanted: Filter) -> Iterator[str]:
    """Terms that bare words may mean: "since:2d" for "last 2 days", "outcome:failed" for "failed"."""
    words = [term.values[0].text.lower() for term in wanted.terms if not term.key and not term.negated]
    for number, unit in zip_longest(words, words[1:], fillvalue=""):
        ago = f"{number} {unit}" if number.isdigit() else re.split("[<>=]", number)[-1]
        if (moment := moment_text(ago)) is not None:
            yield f"since:{moment}"
    yield from (f"outcome:{word}" for text in words if (word := word_of(BY_NAME["outcome"], text)))


def completions(text: str, names: KnownNames) -> Iterator[str]:
    """Yield the text with its last term completed by the first key, or by each value, that fits."""
    places = list(split_words(text))
    if not places or places[-1][1] < len(text):
        return
    start = places[-1][0]
    start += text[start] in "-!"
    word = text[start:]
    head = head_of(word)
    if head is None:
        if key := _key(word.lower()):
            yield f"{text[:start]}{key.start}"
        return
    known = BY_NAME.get(head[1].lower())
    if known is None or head[2] not in known.kind.signs:
        return
    values = word[head.end() :]
    *given, (begin, end) = split_values(values)
    kept = text.removesuffix(values[begin:])
    for value in _typed_values(values[begin:end], known, names, [unquoted(values[a:b])[0] for a, b in given]):
        yield kept + value


def _key(prefix: str) -> FilterKey | None:
    """The first key whose name, or else alias, starts with `prefix`; None if there is none, or `prefix` is empty."""
    names = (*(key.name for key in KEYS), *BY_NAME)
    return next((BY_NAME[name] for name in names if prefix and name.startswith(prefix)), None)


_LONG = 500
"""Number of characters at the start of a name in which the typed text is searched for."""


def _typed_values(written: str, key: FilterKey, names: KnownNames, given: Iterable[str]) -> Iterator[str]:
    prefix, opened = unquoted(written.removeprefix("~"))
    if opened is None and '"' in written:
        return
    folded = prefix.casefold()
    there = {name.casefold() for name in given}
    begin, within = list[str](), list[str]()
    for name in names.of(key):
        start = name[: max(_LONG, len(folded))].casefold()  # fold only the compared part of an endless name
        if folded in start and not (there and name.casefold() in there):
            (begin if start.startswith(folded) else within).append(name)
    fitting = [*begin, *within]
    if opened is None and any(name.casefold() == folded for name in fitting):
        return
    yield from (str(Value(name)) if opened is None else quoted(name) for name in fitting)


def names_in(rows: Iterable[RunRow]) -> KnownNames:
    """The names in these rows, most frequent first, and the result ids in the order of the rows."""
    rows = list(rows)

    def most(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name, _ in Counter(names).most_common() if name)

    return KnownNames(
        most(row.scenario for row in rows),
        most(row.agent for row in rows),
        most(row.personality for row in rows),
        most(name for row in rows for name in row.failing),
        tuple(dict.fromkeys(str(row.result_id) for row in rows if row.result_id is not None)),
    )
