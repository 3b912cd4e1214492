"""Word diff of two versions of a passage, without short matches between larger changes, so that it reads as prose."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, groupby
from typing import Literal, NamedTuple

from cekura_tui.prose.formatting import Format, FormatSpan, FormattedText, bare_word, format_spans
from cekura_tui.prose.matching import Pairs, difflib_fallback, match, slide

_CONTENT, _ANY_LETTER, _SMALL, _MARK = 10, 5, 4, 1
_SMALL_MATCH = 26
"""A match lighter than this between two larger changes is dropped."""
_LEAST_SHARE = 0.3
"""Two passages count as versions of each other if matches have at least this share of the weight of both."""


class _PlacedWord(NamedTuple):
    """A word at [start, end) of a text; `key` is without formatting, `marks` the punctuation around the word."""

    start: int
    end: int
    key: str
    marks: str


def _same_words(old: Sequence[_PlacedWord], new: Sequence[_PlacedWord], thorough: bool, least: float) -> Pairs:
    """Pairs (i, j) of words with equal keys, increasing in both, without small matches; empty if less than the share
    `least` of the weight matches. Without `thorough`, only unique words and neighbours, in linear time."""
    keys = [word.key for word in old], [word.key for word in new]
    pairs = match(*keys, difflib_fallback(*keys), [*map(weight, keys[0])]) if thorough else match(*keys)

    def score(side: int, start: int, end: int, step: int) -> int:
        words = (old, new)[side]
        alone = start > step and weight(words[start - step - 1].key) <= _SMALL and step > 0
        begins_clause = start == 0 or words[start - 1].marks != ""
        return 4 * (words[end - 1].marks != "") + 2 * begins_clause + alone

    # Slide added or removed passages by a few words so that each passage ends where a clause ends.
    return _without_small_matches(old, new, slide(*keys, pairs, score), least)


@lru_cache(maxsize=16_384)
def weight(word: str) -> int:
    """The weight of a word: high for a long word or a number, medium for a letter of a script without spaces, low for a
    short word, lowest for punctuation."""
    letters = sum(map(str.isalnum, word))
    if not letters:
        return _MARK
    if letters > 3 or any(map(str.isdigit, word)):
        return _CONTENT
    return _ANY_LETTER if word[0] >= "\u0e00" else _SMALL


def is_distinctive(word: str) -> bool:
    """Whether a word is heavy enough to suggest that two passages are versions of each other."""
    return weight(word) >= _ANY_LETTER


def _without_small_matches(old: Sequence[_PlacedWord], new: Sequence[_PlacedWord], pairs: Pairs, least: float) -> Pairs:
    """Drop matches that are small beside the changes around them; all, if less than the share `least` is left. A word
    with other punctuation hardly counts."""
    old_upto, new_upto = ([*accumulate((weight(word.key) for word in words), initial=0)] for words in (old, new))
    same_weights = [0] * len(old)
    for i, j in pairs:
        same_weights[i] = weight(old[i].key) if old[i].marks == new[j].marks else _MARK
    same_upto = [*accumulate(same_weights, initial=0)]
    adjacent = groupby(enumerate(pairs), lambda at: (at[1][0] - at[0], at[1][1] - at[0]))
    todo = [[pair for _, pair in run] for _, run in adjacent][::-1]
    runs: list[Pairs] = []
    while todo:
        run = todo.pop()
        (i, j), (i_end, j_end) = run[0], (run[-1][0] + 1, run[-1][1] + 1)
        i_before, j_before = runs[-1][-1] if runs else (-1, -1)
        i_after, j_after = todo[-1][0] if todo else (len(old), len(new))
        left = old_upto[i] - old_upto[i_before + 1] + new_upto[j] - new_upto[j_before + 1]
        right = old_upto[i_after] - old_upto[i_end] + new_upto[j_after] - new_upto[j_end]
        same = same_upto[i_end] - same_upto[i]
        is_small = same <= _SMALL + _MARK or (same < _SMALL_MATCH and min(left, right) >= _CONTENT * 2)
        # A changed figure is a change of its own, whatever follows it.
        is_figure = (i - i_before, j - j_before) == (2, 2) and are_figures(old[i - 1].key, new[j - 1].key)
        if is_figure or not (left and right and is_small):
            runs.append(run)
        elif runs:
            todo.append(runs.pop())  # the change beside it grew
    kept = [pair for run in runs for pair in run]
    return kept if 2 * sum(same_weights[i] for i, _ in kept) >= least * (old_upto[-1] + new_upto[-1]) else []


def are_figures(*words: str) -> bool:
    """Whether each word has a digit."""
    return all(any(map(str.isdigit, word)) for word in words)


Op = Literal["same", "del", "ins"]

_FORMATTING_SIGNS = "\"'‘’‚‛“”„‟«»‹›「」『』*`~"
_NO_WORDS = _FORMATTING_SIGNS + ".,;:"
_ENDS = _FORMATTING_SIGNS + ".,;:!?…)]。，；：！？"
_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # scripts without spaces: each letter is a word
_SIGNS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0962\u0963\u0981-\u0983"
    "\u09bc-\u09cd\u0a3c-\u0a4d\u0abc-\u0acd\u0bbe-\u0bcd\u0c3e-\u0c56\u0cbc-\u0cd6\u0d3e-\u0d57"
)  # combining accents and vowel signs
_LETTERS = rf"(?:[^\W{_UNSPACED}]+|[{_SIGNS}]+)+"
_WORD = rf"[{_UNSPACED}]|{_LETTERS}(?:['’-]{_LETTERS})*"
_VARIABLE = r"\{\{[^{}\n]{1,80}\}\}|\{[\w.-]{1,80}\}"
_FIGURE = r"\d+(?:[.,:/]\d+)*(?!\w)"
_TOKEN = re.compile(rf"{_VARIABLE}|{_FIGURE}|{_WORD}|([^\w\s])\1*")
_WORDS = re.compile(rf"{_VARIABLE}|{_FIGURE}|{_WORD}")
_CHUNK = re.compile(rf"(?:{_VARIABLE}|[^\s{_UNSPACED}])+|[{_UNSPACED}]")


class WordSpan(NamedTuple):
    """A text of both versions ("same"), of the old version only ("del") or of the new version only ("ins"). If only the
    formatting differs, `format` says how, and `hunk` is the number of the layout hunk, 0 if there is none.

    `other` is the gap of an added or removed unit whose neighbours change their line starts in the layout hunk: an
    added unit has it while the layout hunk is not applied, a removed unit if the layout hunk alone is applied.
    """

    op: Op
    text: str
    format: Format = ""
    hunk: int = 0
    other: str | None = None


def word_count(text: str) -> int:
    return len(_WORDS.findall(text))


def word_set(text: str) -> frozenset[str]:
    """The distinct words and marks of a text in lower case, for `similarity`."""
    return frozenset(found.group().lower() for found in _TOKEN.finditer(text))


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """Dice coefficient of two sets of words, 0 to 1; 0 if either set is empty."""
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


def words_in(text: str, *, exactly: bool = False) -> tuple[str, ...]:
    """The words and marks of a text in order, without formatting unless `exactly`. A `{{variable}}` is one word."""
    found = [found[0] for found in _TOKEN.finditer(text)]
    bare = [] if exactly else [bare_word(word) for word in found if word[0] not in _NO_WORDS]
    return tuple(bare or found)


def word_spans(
    old: str, new: str, *, thorough: bool = True, exactly: bool = False, least: float = _LEAST_SHARE
) -> list[WordSpan]:
    """The word diff of two texts: all unchanged and deleted spans joined are `old`, all unchanged and inserted spans
    `new`. With `exactly`, as for code, formatting counts as words. If less than the share `least` of the weight
    matches, the whole text is replaced. `thorough` is passed to `_same_words`."""
    if old == new:
        return tidy([WordSpan("same", old)])
    one, other = FormattedText(old), FormattedText(new)
    if not exactly and (same := format_spans(one, other)) is not None:
        return as_word_spans(same)
    stops = [text[-1:] in (".", "。") for text in (old, new)]
    short, long = (new, old) if stops[0] else (old, new)
    if not exactly and stops[0] != stops[1] and short.rstrip(_FORMATTING_SIGNS)[-1:] not in ".,;:!?…。":
        # A full stop at the end is apart from the words before it.
        before_stop = old[: len(old) - stops[0]], new[: len(new) - stops[1]]
        found = word_spans(*before_stop, thorough=thorough, least=least)
        return [*found, WordSpan("del" if stops[0] else "ins", long[-1], "punctuation")]
    before, after = list(_words(one, exactly)), list(_words(other, exactly))
    pairs = _same_words(before, after, thorough, least)
    if (before or after) and not pairs:
        return tidy([WordSpan("del", old), WordSpan("ins", new)])
    spans: list[WordSpan] = []
    at = to = start = 0
    places = [(before[i][:2], after[j][:2]) for i, j in pairs]
    for (i, end), (j, other_end) in [*places, ((len(old),) * 2, (len(new),) * 2)]:
        if old[at:end] != new[to:other_end]:
            spans.append(WordSpan("same", old[start:at]))
            spans += _replaced(one, other, (at, i), (to, j), exactly)
            spans += _replaced(one, other, (i, end), (j, other_end), exactly)
            start = end
        at, to = end, other_end
    return tidy([*spans, WordSpan("same", old[start:])])


def _words(text: FormattedText, exactly: bool) -> Iterator[_PlacedWord]:
    """The words of a text, without the punctuation around them unless `exactly`."""
    for found in _CHUNK.finditer(text.text):
        (start, end), chunk = found.span(), found[0]
        if chunk.isalnum():
            yield _PlacedWord(start, end, chunk, "")
            continue
        bare = chunk.rstrip(_ENDS)
        lead, tail = bare[: -len(bare[:-1].lstrip("([¿¡")) - 1], chunk[len(bare) :].lstrip(_FORMATTING_SIGNS)
        if bare and not exactly:
            start, end = start + len(lead), end - len(tail)
        key = chunk if exactly else text.key(start, end)
        yield _PlacedWord(start, end, key, lead + tail.rstrip(_FORMATTING_SIGNS))


def as_word_spans(found: Iterable[FormatSpan]) -> list[WordSpan]:
    """Convert format spans to word spans. Each difference becomes a deleted and an inserted span."""
    spans: list[WordSpan] = []
    for old, new, kind in found:
        spans += [WordSpan("del", old, kind), WordSpan("ins", new, kind)] if kind else [WordSpan("same", old)]
    return tidy(spans)


def _replaced(
    one: FormattedText, other: FormattedText, place: tuple[int, int], there: tuple[int, int], exactly: bool
) -> list[WordSpan]:
    """Spans that replace a part of one text by a part of the other, but not the white space and marks with which both
    begin or end. `exactly`: only white space is formatting."""
    old, new = one.text[slice(*place)], other.text[slice(*there)]
    if old == new:
        return [WordSpan("same", old)]
    if not (exactly and (old + new).strip()) and (formats := format_spans(one, other, place, there)) is not None:
        return as_word_spans(formats)
    start = _common_signs(old, new)
    end = _common_signs(old[start:][::-1], new[start:][::-1])
    if end and old[-end] == "\n" and "\r" in (old[-end - 1 : -end], new[-end - 1 : -end]):
        end -= 1  # do not split "\r\n"
    changed = WordSpan("del", old[start : len(old) - end]), WordSpan("ins", new[start : len(new) - end])
    return [WordSpan("same", old[:start]), *changed, WordSpan("same", old[len(old) - end :])]


def _common_signs(old: str, new: str) -> int:
    """Length of the common start of two texts, up to the first letter, digit or brace."""
    for n, (one, other) in enumerate(zip(old, new, strict=False)):
        if one != other or one in "{}_" or unicodedata.category(one)[0] in "LNM":
            return n
    return min(len(old), len(new))


def tidy(spans: Iterable[WordSpan]) -> list[WordSpan]:
    """Drop empty spans, merge adjacent ones of a kind, and put each change's deletions before its insertions."""
    found: list[WordSpan] = []
    filled = (span for span in spans if span.text)
    for (is_same, kind, hunk), group in groupby(filled, lambda span: (span.op == "same", span.format, span.hunk)):
        texts: dict[Op, list[str]] = {"same": []} if is_same else {"del": [], "ins": []}
        for span in group:
            texts[span.op].append(span.text)
        found += [WordSpan(op, "".join(parts), kind, hunk) for op, parts in texts.items() if parts]
    return found


# Changes of a sentence that can be decided separately

_APART = 2
"""Least number of unchanged words between two changes of a sentence that can be decided separately."""
_CLAUSE_END = re.compile(r"(?:(?<!\d)\.|[,;:!?–—)])\s+")
_ENCLOSING = re.compile(r'\*\*|__|[][(){}<>«»“”„"`]')


def differ(spans: Iterable[WordSpan]) -> bool:
    """Whether any words changed, not only formatting."""
    return any(span.op != "same" and not span.format for span in spans)


def joined(spans: Iterable[WordSpan], without: Op) -> str:
    """The text of the spans, old (without "ins") or new (without "del")."""
    return "".join(span.text for span in spans if span.op != without)


def changes(spans: Sequence[WordSpan]) -> list[list[WordSpan]]:
    """Split spans within unchanged text, into groups that can each be applied alone. Brackets, quotation marks and
    emphasis that open and close in different changes stay in one group."""
    if not differ(spans):
        return [list(spans)]
    groups: list[list[WordSpan]] = [[]]
    signs: dict[Op, Counter[str]] = {"del": Counter(), "ins": Counter()}
    figures, is_changed = set[Op](), False
    last = max((n for n, span in enumerate(spans) if differ([span])), default=0)
    for n, span in enumerate(spans):
        is_between = span.op == "same" and is_changed and n < last
        if is_between and all(map(_is_balanced, signs.values())) and (cut := _cut(span.text, len(figures) == 2)):
            groups[-1].append(span._replace(text=span.text[:cut]))
            groups.append([])
            span, is_changed = span._replace(text=span.text[cut:]), False
            figures.clear()
        groups[-1].append(span)
        for op in signs:
            signs[op].update(_ENCLOSING.findall(span.text) if span.op in ("same", op) else ())
        if differ([span]):
            is_changed = True
            figures |= {span.op} if are_figures(span.text) else set()
    return groups


def _cut(text: str, is_figure: bool) -> int:
    """Offset at which an unchanged text between two changes is cut, a clause's end if possible; 0: too short."""
    if word_count(text) < (1 if is_figure else _APART) and not _CLAUSE_END.search(text):
        return 0
    ends = [found.end() for found in _CLAUSE_END.finditer(text)] or [hit.end() for hit in re.finditer(r"\s+", text)]
    return min(ends, key=lambda end: abs(2 * end - len(text)), default=0)


def has_half(text: str) -> bool:
    """Whether a quotation mark or bold mark of a text has no partner."""
    return any(sum(map(text.count, kind)) % 2 for kind in ('"', "“”„", "«»", ["**"]))


def _is_balanced(signs: Counter[str]) -> bool:
    pairs = all(signs[one] == signs[other] for one, other in ("()", "[]", "{}", "<>", "«»"))
    return pairs and not any(sum(signs[sign] for sign in kind) % 2 for kind in ("“”„", '"', "`", ["**"], ["__"]))
