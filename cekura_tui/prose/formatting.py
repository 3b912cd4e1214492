"""Recognise markup at line starts (items, headings, tags, fences) and formatting of words (quotation marks, emphasis).
A difference in formatting alone is no change of words: all differences of one kind are one layout hunk."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

# Markup at line starts

_BULLET = r"[-*+•‣◦▪●–—○◆◇■□▸►▶☐☑✓✔✗✘✅❌]"
_DOT = r"[・･‧]"
"""Bullets that need no space before the text, as in Japanese."""
_NUMBER = r"\(?\d{1,3}[.)]|\*\*\d{1,3}[.)]\*\*|[a-z][.)]|\([a-z]\)"
_STEP = r"(?:\*\*)?(?:step|rule|stage|phase|schritt|regel|paso|regla)[ \t]+\d{1,3}(?:[.:)](?:\*\*)?|\*\*:|[ \t]+[-–—])"
_SERIAL = r"\(?(?:\d{1,3}(?:\.\d{1,3}){1,4}|[A-Z]|[ivx]{2,5}|[IVX]{2,5})(?:[.)]|(?<=\d))"
"""List markers that may also begin prose: they count only if the number before or after them occurs, too."""
_ITEM = re.compile(rf"[^\S\n]*(?:({_BULLET}|{_NUMBER}|(?i:{_STEP}))[ \t]+|{_DOT}[ \t\u3000]*)(?=\S)")
_SERIAL_ITEM = re.compile(rf"[^\S\n]*({_SERIAL})[ \t]+(?=\S)")
_SERIALS = re.compile(rf"(?m)^[^\S\n]*({_SERIAL}|[iI][.)])[ \t]+(?=\S)")
_MARK = re.compile(rf"\s*(?:({_BULLET}|#{{1,6}}|>+)(?=\s|$)|({_DOT})|({_NUMBER}|(?i:{_STEP})|{_SERIAL})(?=\s|$))")
_MARKS = re.compile(rf"\A(?:{_MARK.pattern})*")
_SERIAL_VALUE = re.compile(r"(\d+|[A-Za-z]+)(?=\W*$)")

_HEADING = re.compile(r"\s{0,3}#{1,6}[ \t]+(?=\S)")
_TITLE = re.compile(
    r"[^\S\n]*(?:(?:\*\*|__)[^*_\n]{1,80}(?:\*\*|__):?|\[[^\W\d][^][\n]{0,60}\]:?|"
    r"[=*#-]{2,20} [^=*#\n-]{1,60} [=*#-]{2,20}|<h[1-6]>[^<>\n]{1,80}</h[1-6]>)[^\S\n]*$"
)
_STAGE_DIRECTION = re.compile(r"\b[a-zß-öø-ÿ]{5}|(?i:\b(?:wait|pause|silence)\b)")
"""Words that make a line in brackets a stage direction, not a section title: "[Wait for the answer]"."""
_CAPITALS = re.compile(r"[^\S\n]*(?:[■□▪◆◇▶►★☆●§][^\S\n]*)?[^\W\d_][^a-zß-öø-ÿ.!?,;|{}<>\n]{2,50}[^\S\n]*$")
_TAG = re.compile(r"[^\S\n]*<(/?)([A-Za-z][\w:.-]{0,60})(?:[ \t][^<>\n]{0,200})?>[^\S\n]*$")
_RULE = re.compile(r"\s*(?:-{3,}|\*{3,}|_{3,}|={3,})\s*$")
_QUOTED_LINE = re.compile(r"\s*>[>\s]*")
_FENCE = re.compile(r"[^\S\n]*(`{3,}(?=[^`\n]*$)|~{3,})")


def serials_in(text: str) -> frozenset[str]:
    """Line starts such as "1.2", "B." and "iv)" that are list markers in this text, because the number before or after
    also occurs in the same style. "1.2.1" also counts if "1.2" occurs."""
    marks = set(_SERIALS.findall(text))
    found = {reading for mark in marks for reading in _readings(mark)}
    bare = {mark.strip("().") for mark in marks}
    return frozenset(
        mark
        for mark in marks
        for style, value in _readings(mark)
        if {(style, value - 1), (style, value + 1)} & found or (value == 1 and style[0].strip("(.") in bare)
    )


def _readings(mark: str) -> list[tuple[tuple[str, str], int]]:
    """All readings of a marker as ((style, ending), value): "i" is read both as a letter and as a Roman numeral."""
    before, value, after = _SERIAL_VALUE.split(mark)
    if value.isdecimal():
        return [((before, after), int(value))]
    style = "A" if value.isupper() else "a"
    found = [((f"{before}letter {style}", after), ord(value))] if len(value) == 1 else []
    if set(value.lower()) <= set("ivx"):
        found.append(((f"{before}roman {style}", after), roman_value(value.lower())))
    return found


def roman_value(letters: str) -> int:
    """The value of a Roman numeral made of i, v and x."""
    digits = [{"i": 1, "v": 5, "x": 10}[letter] for letter in letters]
    return sum(-one if one < other else one for one, other in pairwise([*digits, 0]))


def columns(line: str) -> int:
    """Width of a line's indentation. A tab extends to the next multiple of four columns."""
    return len(line[: len(line) - len(line.lstrip())].expandtabs(4))


def item_mark(line: str, serials: frozenset[str], start: int = 0) -> int:
    """Offset of the text of a list item; 0 if none begins at `start`. `serials` is from `serials_in`."""
    if hit := _ITEM.match(line, start):
        return hit.end()
    hit = _SERIAL_ITEM.match(line, start)
    return hit.end() if hit and hit.group(1) in serials else 0


def heading_mark(line: str, *, starts_paragraph: bool) -> int:
    """Offset of a heading's text, or −1 if the line is not a heading. Headings look like "## Fees", "**Fees**",
    "[Fees]", "=== Fees ===" or, if the line `starts_paragraph`, "FEES:"."""
    if hit := _HEADING.match(line):
        return hit.end()
    bare = " ".join(line.split())  # the amount of white space does not matter
    if _TITLE.match(bare):
        is_sentence = bare.rstrip("*_: ")[-1:] in ".!?," or len(bare.split()) > 8
        return -1 if is_sentence or (bare[0] == "[" and _STAGE_DIRECTION.search(bare)) else 0
    may_be_heading = starts_paragraph and len(bare.split()) <= 6 and _CAPITALS.match(bare)
    return 0 if may_be_heading and sum(map(str.isupper, bare)) >= max(3, len(bare) / 2) else -1


def is_underline(line: str, above: str) -> bool:
    """Whether a line ("====" or "----") underlines a heading. `above` is the paragraph above the line. A heading must
    be one line; above "----", it must also be short and not end with a punctuation mark."""
    bare = line.strip()
    if len(bare) < 3 or set(bare) not in ({"="}, {"-"}) or "\n" in above[:-1]:
        return False
    above_line = " ".join(above.split())
    return bare[0] == "=" or (len(above_line) <= 60 and above_line[-1:] not in ".!?,;:|")


def tag_of(line: str) -> tuple[str, bool] | None:
    """Name of the tag that fills a line ("<rules>"), and whether it closes; None if no tag fills the line."""
    hit = _TAG.match(" ".join(line.split()))
    return (hit.group(2), bool(hit.group(1))) if hit else None


def is_row(line: str) -> bool:
    """Whether a line is a table row or a horizontal rule."""
    return line.lstrip().startswith("|") or is_rule(line)


def is_rule(line: str) -> bool:
    """Whether a line is a horizontal rule, such as "---"."""
    return _RULE.match(line) is not None


def quote_mark(line: str) -> int:
    """Offset of the text in a quoted line ("> …"); 0 if the line is not quoted."""
    hit = _QUOTED_LINE.match(line)
    return hit.end() if hit else 0


def fence_mark(line: str, start: int = 0) -> str:
    """The mark of the fence that a line opens ("```", "~~~~"); "" if the line opens no fence."""
    hit = _FENCE.match(line, start)
    return hit.group(1) if hit else ""


def closes(line: str, fence: str) -> bool:
    bare = line.strip()
    return bare.startswith(fence) and set(bare) == {fence[0]}


@lru_cache(maxsize=8192)
def structure(gap: str) -> str | None:
    """The kinds of the markers in a gap, joined by spaces: "-" for a bullet, "1" for a number, "##" for a heading, ">"
    for a quotation. "" without markers; None if the gap contains other text."""
    if not (bare := gap.strip()) or without_marks(gap):
        return None if bare else ""
    signs = (bullet or dot for bullet, dot, _ in _MARK.findall(gap))
    return " ".join((sign if sign[0] in "#>" else "-") if sign else "1" for sign in signs)


def without_marks(text: str) -> str:
    """Remove the list and heading markers at the start of a text, and the surrounding white space."""
    return _MARKS.sub("", text, count=1).strip()


def style_and_name(mark: str) -> tuple[str, str]:
    """The style of a marker, which all items of a list share ("-" for bullets, else "1", "1.1", "a", "A" or "step"),
    and the name of its item: "rule 3", "rule b", "step 2"; "" for a bullet."""
    bare = mark.strip("(*.): -–—")
    if not any(map(str.isalnum, bare)):
        return "-", ""
    name = " ".join(bare.lower().split()) if " " in bare else f"rule {bare}"
    if bare[0].isdecimal():
        return "1" + ".1" * bare.count("."), name
    return "step" if " " in bare else "A" if bare[0].isupper() else "a", name


# Formatting of the same words: quotation marks, dashes, emphasis, white space, list and heading marks

_Unseen = Literal["line ends", "trailing spaces", "white space"]
_WordFormat = Literal["", "quotation marks", "dashes", "emphasis", "punctuation", "dots", "follows", "numbers"]
_LineFormat = Literal["bullets", "list marks", "heading marks", "lines across"]
Format = Literal[_WordFormat, _LineFormat, _Unseen]
"""A kind of difference in formatting; "" for none. "follows": the number of an item differs, but follows from the
accepted items before that item."""
UNSEEN: tuple[Format, ...] = get_args(_Unseen)
"""Formats whose differences are invisible on screen."""

_QUOTE = "\"'‘’‚‛“”„‟«»‹›「」『』"
_DASH = "‐‑‒–—―−-"
_POINT = ".,;:。、，；："
_ATOM = re.compile(
    rf"(?P<space>\s+)|(?P<word>[^\W_]+(?:(?:['’]|_+)[^\W_]+)*)|(?P<quote>[{_QUOTE}])"
    rf"|(?P<dash>[{_DASH}]+)|(?P<dots>…|\.{{3,}})|(?P<point>[{_POINT}])|(?P<mark>.)",
    re.DOTALL,
)
_ATOMS = re.compile(re.sub(r"\(\?P<\w+>", "(?:", _ATOM.pattern), re.DOTALL)
"""_ATOM without named groups, for `findall`."""
_PAIRED = re.compile(rf"\*+|_+|`+|[{_QUOTE}]")
_ENDS = {"“": "”", "„": "“”", "‟": "”", "«": "»", "‹": "›", "‘": "’", "‚": "‘’", "‛": "’", "「": "」", "『": "』"}
_ONLY_ENDS = frozenset("”»›」』")
_MOST_OPEN = 8
"""Maximum number of open marks, the latest first, that are searched for the partner of a closing mark."""
_SINGLE = frozenset("'‘’‚‛‹›")
_FORMATTING = re.compile(rf"[\s{_QUOTE}*`_~…{_POINT}{_DASH}]+")
_CONTENT = {"space": "", "point": "", "dash": "-", "dots": "..."}
_KINDS: dict[str, Format] = {
    **{"quote": "quotation marks", "word": "quotation marks", "emphasis": "emphasis"},
    **{"dash": "dashes", "dots": "dots", "point": "punctuation", "mark": "white space"},
}
_TRAILING = re.compile(r"(?<![^\S\n])[^\S\n]+(?=\n)")
_MOST_PLACES = 10_000
"""Most differences in a passage that are listed separately; the rest of the passage becomes one difference."""


class Atom(NamedTuple):
    """A word, a mark or white space. `key` is the normalised text, "" for pure formatting."""

    kind: str
    text: str
    key: str


@lru_cache(maxsize=16_384)
def _atom(text: str) -> Atom:
    """The atom of a word, white space or unpaired mark, which is text: a telephone key (*), or inches (")."""
    found = _ATOM.match(text)
    kind = found.lastgroup or "" if found else ""
    quote = "'" if text in _SINGLE else '"'
    return Atom(kind, text, quote if kind == "quote" else _CONTENT.get(kind, text.replace("’", "'")))


class FormattedText:
    """A text with the positions of its paired quotation marks and emphasis."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._marks: list[tuple[int, int]] = []
        """(start, end) of each paired mark, in order."""
        opened: list[tuple[str, int, int]] = []
        for hit in _PAIRED.finditer(text):
            start, end = hit.span()
            before, after = text[start - 1 : start], text[end : end + 1]
            opens = bool(after.strip()) and not before.isalnum() and hit.group() not in _ONLY_ENDS
            closes = bool(before.strip()) and not after.isalnum() and (hit.group() not in _ENDS or hit.group() in "“‘")
            if not (closes and self._close(opened, hit.group(), start, end)) and opens:
                opened.append((hit.group(), start, end))
        self._marks.sort()

    def _close(self, opened: list[tuple[str, int, int]], mark: str, start: int, end: int) -> bool:
        for n in range(len(opened) - 1, max(len(opened) - _MOST_OPEN, 0) - 1, -1):
            first, at, to = opened[n]
            if mark == first if first not in _ENDS else mark in _ENDS[first]:
                within = self.text[to:start]
                if mark[0] in "*_" and (not any(map(str.isalpha, within)) or (mark[0] == "_" and " " not in within)):
                    continue  # no emphasis: *67*, __init__
                self._marks += [(at, to), (start, end)]
                del opened[n:]
                return True
        return False

    def atoms(self, start: int = 0, end: int | None = None) -> list[Atom]:
        end = len(self.text) if end is None else end
        found: list[Atom] = []
        for at, to in self._marks[bisect_left(self._marks, (start, 0)) : bisect_left(self._marks, (end, 0))]:
            found += map(_atom, _ATOMS.findall(self.text[start:at]))
            mark = self.text[at:to]
            found.append(Atom("quote" if mark in _QUOTE else "emphasis", mark, ""))
            start = to
        found += [*map(_atom, _ATOMS.findall(self.text[start:end])), _atom(" ")]
        # Punctuation within a word or number is text.
        return [
            Atom("mark", one.text, one.text) if one.kind == "point" and other.key not in ("", *")]}") else one
            for one, other in pairwise(found)
        ]

    def key(self, start: int, end: int) -> str:
        """The normalised word at [start, end): without paired marks, and with "-" for every dash; never empty."""
        word = self.text[start:end]
        if word.isalnum():
            return word
        return "".join(atom.key for atom in self.atoms(start, end)) or word[0]


@lru_cache(maxsize=8192)
def bare_word(word: str) -> str:
    """Remove the paired marks around a word and turn every dash into "-". Used to find similar passages."""
    return word if word.isalnum() else FormattedText(word).key(0, len(word))


def bare_letters(text: str) -> str:
    """Remove everything that may be formatting. If the results of two texts differ, the words of the texts differ."""
    return _FORMATTING.sub("", text)


class FormatSpan(NamedTuple):
    """Corresponding passages of the old and the new text. `format` says how the passages differ, "" if not at all."""

    old: str
    new: str
    format: Format = ""


Place = tuple[int, int | None]


def format_spans(
    old: FormattedText, new: FormattedText, place: Place = (0, None), there: Place = (0, None)
) -> list[FormatSpan] | None:
    """Spans of two texts, or of [start, end) in each, with their differences in formatting; None if words differ."""
    if bare_letters(old.text[slice(*place)]) != bare_letters(new.text[slice(*there)]):
        return None
    before, after = old.atoms(*place), new.atoms(*there)
    if [atom.key for atom in before if atom.key] != [atom.key for atom in after if atom.key]:
        return None
    found = list(_spans_between(before, after))
    changed = [n for n, span in enumerate(found) if span.format]
    if len(changed) > _MOST_PLACES:
        n = changed[_MOST_PLACES]
        was, now = "".join(one.old for one in found[n:]), "".join(one.new for one in found[n:])
        found[n:] = [FormatSpan(was, now, found[n].format)]
    return found


def _spans_between(before: Sequence[Atom], after: Sequence[Atom]) -> Iterator[FormatSpan]:
    for (filler, word, is_dash), (other_filler, other, _) in zip(_fillers(before), _fillers(after), strict=True):
        yield from _filler_spans(filler, other_filler, is_dash)
        if word.kind == other.kind == "word" and word.text != other.text:
            yield from (_span("word", *letters) for letters in zip(word.text, other.text, strict=True))
        else:
            yield _span(other.kind, word.text, other.text)


def _fillers(found: Sequence[Atom]) -> Iterator[tuple[list[Atom], Atom, bool]]:
    """Split atoms at words: (formatting before the word, the word, whether a dash is directly before or after the
    formatting). At the end of the text, the word is empty."""
    filler: list[Atom] = []
    was_dash = False
    for atom in found:
        if atom.key:
            yield filler, atom, was_dash or atom.kind == "dash"
            filler, was_dash = [], atom.kind == "dash"
        else:
            filler.append(atom)
    yield filler, Atom("", "", ""), was_dash


def _filler_spans(old: Sequence[Atom], new: Sequence[Atom], is_dash: bool) -> Iterator[FormatSpan]:
    at = 0
    for atom in old:
        place = next((n for n in range(at, len(new)) if new[n].kind == atom.kind), None)
        if place is not None:
            yield from (_span(added.kind, "", added.text, is_dash) for added in new[at:place])
            at = place + 1
        yield _span(atom.kind, atom.text, "" if place is None else new[place].text, is_dash)
    yield from (_span(added.kind, "", added.text, is_dash) for added in new[at:])


def _span(kind: str, old: str, new: str, is_dash: bool = False) -> FormatSpan:
    if old == new:
        return FormatSpan(old, new)
    return FormatSpan(old, new, space_format(old, new, is_dash) if kind == "space" else _KINDS[kind])


def space_format(old: str, new: str, is_dash: bool = False) -> Format:
    """How two pieces of white space differ: "line ends", "trailing spaces" or "white space". With `is_dash`, the white
    space is next to a dash, and counts as "dashes" unless it contains a line break."""
    if is_dash and "\n" not in old + new:
        return "dashes"
    one, other = old.replace("\r\n", "\n"), new.replace("\r\n", "\n")
    if one == other:
        return "line ends"
    return "trailing spaces" if _TRAILING.sub("", one) == _TRAILING.sub("", other) and "\n" in one else "white space"


# Gaps before the words of a line: white space and list or heading markers

_VALUE = re.compile(r"(\d+(?:\.\d+)*(?=\D*$)|(?<![A-Za-z])[A-Za-z](?=\W*$)|[ivxIVX]+(?=\W*$))")


def split_gap(gap: str) -> tuple[str, str]:
    """Split a gap into its white space and its markers."""
    bare = gap.lstrip()
    return gap[: len(gap) - len(bare)], bare


def breaks(gap: str) -> bool:
    """Whether a gap contains a line break."""
    return "\n" in split_gap(gap)[0]


def gap_spans(old: str, new: str) -> list[FormatSpan] | None:
    """Spans of two gaps, each with its difference in formatting; None if the gaps begin lines of different kinds."""
    (space, mark), (other_space, other) = split_gap(old), split_gap(new)
    spans = space_spans(space, other_space)
    if mark == other:
        return [*spans, FormatSpan(mark, other)]
    before, after = structure(mark), structure(other)
    if not (before and after):
        return None
    is_number = before[-1] == after[-1] == "1" and (before == after or before[0] == after[0] == "#")
    is_heading = {*before, *after} == {"#"} or (is_number and "#" in before)
    if before != after and not is_number and not is_heading:
        return None
    was, now = _VALUE.split(mark, 1), _VALUE.split(other, 1)
    # A number follows from the items before it if only the number differs, not its style.
    if is_number and len(was) == 3 and was[::2] == now[::2] and was[1].isdecimal() == now[1].isdecimal():
        parts = zip(was, now, strict=True)
        return [*spans, *(FormatSpan(one, part, "" if one == part else "follows") for one, part in parts)]
    kind: Format = "bullets" if before == "-" else "heading marks" if is_heading else "list marks"
    return [*spans, FormatSpan(mark, other, kind)]


def space_spans(old: str, new: str) -> list[FormatSpan]:
    return [FormatSpan(old, new, "" if old == new else space_format(old, new))]
