"""What makes of a line of a prompt more than prose: list markers, headings of every kind, tags, fences, rules."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise

_BULLET = r"[-*+•‣◦▪●–—○◆◇■□▸►▶☐☑✓✔✗✘✅❌]"
_DOT = r"[・･‧]"
"""A bullet with no space behind it, as it is written in Japanese."""
_NUMBER = r"\(?\d{1,3}[.)]|\*\*\d{1,3}[.)]\*\*|[a-z][.)]|\([a-z]\)"
_STEP = r"(?:\*\*)?(?:step|rule|stage|phase|schritt|regel|paso|regla)[ \t]+\d{1,3}(?:[.:)](?:\*\*)?|\*\*:)"
_SERIAL = r"\(?(?:\d{1,3}(?:\.\d{1,3}){1,4}|[A-Z]|[ivx]{2,5}|[IVX]{2,5})(?:[.)]|(?<=\d))"
"""What begins a line of prose as well ("2.5 hours", "I."); it is a marker where the one before or after it is there."""
_ITEM = re.compile(rf"[^\S\n]*(?:({_BULLET}|{_NUMBER}|(?i:{_STEP}))[ \t]+|{_DOT}[ \t\u3000]*)(?=\S)")
_SERIAL_ITEM = re.compile(rf"[^\S\n]*({_SERIAL})[ \t]+(?=\S)")
_SERIALS = re.compile(rf"(?m)^[^\S\n]*({_SERIAL}|[iI][.)])[ \t]+(?=\S)")
_MARK = re.compile(rf"\s*(?:({_BULLET}|#{{1,6}}|>+)(?=\s|$)|({_DOT})|({_NUMBER}|(?i:{_STEP})|{_SERIAL})(?=\s|$))")
_VALUE = re.compile(r"\d+(?=\D*$)|[A-Za-z]+(?=\W*$)")

_HEADING = re.compile(r"\s{0,3}#{1,6}[ \t]+(?=\S)")
_TITLE = re.compile(
    r"[^\S\n]*(?:(?:\*\*|__)[^*_\n]{1,80}(?:\*\*|__):?|\[[^\W\d][^][\n]{0,60}\]:?|"
    r"[=*#-]{2,20} [^=*#\n-]{1,60} [=*#-]{2,20}|<h[1-6]>[^<>\n]{1,80}</h[1-6]>)[^\S\n]*$"
)
_STAGED = re.compile(r"\b[a-zß-öø-ÿ]{5}|(?i:\b(?:wait|pause|silence)\b)")
"""What is in brackets and not the title of a section: "[Wait for the answer]"."""
_CAPITALS = re.compile(r"[^\S\n]*(?:[■□▪◆◇▶►★☆●§][^\S\n]*)?[^\W\d_][^a-zß-öø-ÿ.!?,;|{}<>\n]{2,50}[^\S\n]*$")
_TAG = re.compile(r"[^\S\n]*<(/?)([A-Za-z][\w:.-]{0,60})(?:[ \t][^<>\n]{0,200})?>[^\S\n]*$")
_RULE = re.compile(r"\s*(?:-{3,}|\*{3,}|_{3,}|={3,})\s*$")
_QUOTE = re.compile(r"\s*>[>\s]*")
_FENCE = re.compile(r"[^\S\n]*(`{3,}(?=[^`\n]*$)|~{3,})")
_LEAST_TITLE = 0.5
"""A line in capitals has letters in at least this part of it."""


def serials_in(text: str) -> frozenset[str]:
    """Such line starts as "1.2", "B." and "iv)" that are one of a row, and so are markers."""
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    marks = {hit.group(1) for hit in _SERIALS.finditer(text)}
    for mark in marks:
        for style, value in _readings(mark):
            found[style].add(value)
    bare = {mark.strip("().") for mark in marks}
    return frozenset(
        mark
        for mark in marks
        for style, value in _readings(mark)
        if {value - 1, value + 1} & found[style] or (value == 1 and style[0].strip("(.") in bare)
    )


def _readings(mark: str) -> list[tuple[tuple[str, str], int]]:
    """The rows that a marker may be of, by how they are written, and its place in each: "i" is a letter and a Roman
    number."""
    hit = _VALUE.search(mark)
    if hit is None:
        return []
    before, value, after = mark[: hit.start()], hit.group(), mark[hit.end() :]
    if value.isdecimal():
        return [((before, after), int(value))]
    style = "A" if value.isupper() else "a"
    found = [((f"{before}letter {style}", after), ord(value))] if len(value) == 1 else []
    if set(value.lower()) <= set("ivx"):
        found.append(((f"{before}roman {style}", after), roman_value(value.lower())))
    return found


def roman_value(letters: str) -> int:
    """The value of a Roman number of the letters i, v and x."""
    digits = [{"i": 1, "v": 5, "x": 10}[letter] for letter in letters]
    return sum(-one if one < other else one for one, other in pairwise([*digits, 0]))


def columns(line: str) -> int:
    """Columns of white space before the text of a line."""
    if not line[:1].isspace():
        return 0
    line = line.expandtabs(4)
    return len(line) - len(line.lstrip())


def item_mark(line: str, serials: frozenset[str], start: int = 0) -> int:
    """Where the text of a list item begins, or 0 where a line is none."""
    if hit := _ITEM.match(line, start):
        return hit.end()
    hit = _SERIAL_ITEM.match(line, start)
    return hit.end() if hit and hit.group(1) in serials else 0


def heading_mark(line: str, *, begins: bool) -> int:
    """Where the text of a heading begins, -1 where a line is none: "## Fees", "**Fees**", "[Fees]", "=== Fees ===", and
    where it `begins` a paragraph also "FEES:"."""
    if hit := _HEADING.match(line):
        return hit.end()
    bare = " ".join(line.split())  # other white space makes no other line of it
    if _TITLE.match(bare):
        is_sentence = bare.rstrip("*_: ")[-1:] in ".!?," or len(bare.split()) > 8
        return -1 if is_sentence or (bare[0] == "[" and _STAGED.search(bare)) else 0
    if begins and len(bare.split()) <= 6 and _CAPITALS.match(bare) and _is_in_capitals(bare):
        return 0
    return -1


def _is_in_capitals(bare: str) -> bool:
    """Whether there are capitals enough; a letter of a script that has none is no capital."""
    capitals = sum(map(str.isupper, bare))
    return capitals > 2 and capitals >= _LEAST_TITLE * len(bare)


def is_underline(line: str, above: str) -> bool:
    """Whether a line makes a heading of the only one above it in its paragraph: "Fees" over "====" or "----"."""
    bare, above_line = line.strip(), " ".join(above.split())
    if len(bare) < 3 or set(bare) not in ({"="}, {"-"}):
        return False
    return bare[0] == "=" or (len(above_line) <= 60 and above_line[-1:] not in ".!?,;:|")


def tag_of(line: str) -> tuple[str, bool] | None:
    """The name of a tag that is all of a line ("<rules>"), and whether it closes; None where there is none."""
    hit = _TAG.match(" ".join(line.split()))
    return (hit.group(2), bool(hit.group(1))) if hit else None


def is_row(line: str) -> bool:
    """Whether a line is a row of a table or a line drawn across."""
    return line.lstrip().startswith("|") or is_rule(line)


def is_rule(line: str) -> bool:
    """Whether a line is drawn across."""
    return _RULE.match(line) is not None


def level_of(gap: str) -> int:
    """The level of a heading: 1 to 6 by its marks, 7 for a title without."""
    return min(gap.count("#"), 6) or 7


def begins_markup(line: str) -> bool:
    """Whether a line begins with a tag: "<li>Ask.</li>"."""
    bare = line.lstrip()
    return bare[:1] == "<" and (bare[1:2].isalpha() or bare[1:2] == "/" or bare.startswith("<!--"))


def is_comment(line: str) -> bool:
    """Whether a line is a comment, or the line that opens or closes one."""
    bare = line.strip()
    return bare in ("<!--", "-->") or (bare.startswith("<!--") and bare.endswith("-->"))


def quote_mark(line: str) -> int:
    """Where the text of a quoted line begins, or 0."""
    hit = _QUOTE.match(line)
    return hit.end() if hit else 0


def fence_mark(line: str, start: int = 0) -> str:
    """The sign that opens a code fence, or ""."""
    hit = _FENCE.match(line, start)
    return hit.group(1) if hit else ""


def closes(line: str, fence: str) -> bool:
    """Whether a line closes the fence that was opened so."""
    bare = line.strip()
    return bare.startswith(fence) and set(bare) == {fence[0]}


def structure(gap: str) -> str | None:
    """What makes of the line after it, as one word: "" for prose, "-" an item, "1" a numbered one, "##" a heading.

    None where this is no white space with such marks in it, but text.
    """
    marks, at = [], 0
    while hit := _MARK.match(gap, at):
        mark = hit.group(1) or hit.group(2)
        marks.append("1" if mark is None else mark if mark[0] in "#>" else "-")
        at = hit.end()
    return " ".join(marks) if gap[at:].strip() == "" else None


def without_marks(text: str) -> str:
    """A passage without what makes an item or a heading of its first line."""
    at = 0
    while hit := _MARK.match(text, at):
        at = hit.end()
    return text[at:].strip()


def style_of(mark: str) -> str:
    """Markers of one list are of one style: "-" for bullets, "1" for figures, "1.1", "a", "A" or "step"."""
    bare = mark.strip("(*.): ")
    if not any(map(str.isalnum, bare)):
        return "-"
    if bare[0].isdecimal():
        return "1" + ".1" * bare.count(".")
    return "step" if " " in bare else "A" if bare[0].isupper() else "a"


def name_of(mark: str) -> str:
    """How a numbered item is called: "rule 3", "rule b", "step 2"; "" for a bullet."""
    bare = mark.strip("(*.): ")
    if not any(map(str.isalnum, bare)):
        return ""
    return " ".join(bare.lower().split()) if " " in bare else f"rule {bare}"
