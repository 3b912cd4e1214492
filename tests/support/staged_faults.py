"""Find faults in a text that was assembled from hunks of a prompt and its proposal.

This independent oracle does not know how hunks are found. It splits each line into its markers and its sentences, and
compares sentences without formatting.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise, product

from cekura_tui.prose.compare import compare
from cekura_tui.prose.diff import ProseDiff

_MARKER = re.compile(r"(?P<bullet>[-*+•–])[ \t]+|(?P<number>\d{1,3})[.)][ \t]+|\((?P<inner>\d{1,3})\)[ \t]+")
_HEADING = re.compile(r"(?P<level>#{1,6})[ \t]+(?=\S)")
_BOLD_TITLE = re.compile(r"[\"“]?\*\*[^*]+\*\*:?[\"”]?$")
_QUOTE = re.compile(r"(?:>[ \t]?)+")
_FENCE = re.compile(r"(?:```+|~~~+)")
_RULE = re.compile(r"(?:-[ \t]*){3,}$|(?:\*[ \t]*){3,}$|(?:_[ \t]*){3,}$|={3,}$")
_SEPARATOR = re.compile(r"\|?(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*(?::?-+:?[ \t]*)?$")
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z_][\w-]*)>")
_FORMATTING = str.maketrans("", "", "\"'‘’‚‛“”„‟«»‹›*_`~#")
_DASH = re.compile("[‐‑‒–—−]|--+")
_UNIT = re.compile(r"(?<=[.!?:;…])[\"'“”’*_`)\]]*\s+|\s*\|\s*")
_LABEL = re.compile(r"[A-Z]\w+:\s")
_INNER_HEADING = re.compile(r"\S[ \t]*(?<![#\w&])#{2,6}[ \t]+\S")


def bare(text: str) -> str:
    """A text without quotation marks and emphasis, with "-" for every dash and one space for all white space."""
    return " ".join(_DASH.sub("-", text).translate(_FORMATTING).split())


@dataclass
class Line:
    """A line of a text. `kind` is blank, heading, item, row, separator, rule, fence, code or text."""

    raw: str
    kind: str
    indent: int = 0
    markers: tuple[str, ...] = ()
    number: int | None = None
    level: int = 0
    body: str = ""
    context: tuple[str, ...] = ()
    """The fence, comment and tags that contain the line."""

    @cached_property
    def units(self) -> tuple[str, ...]:
        """Sentences of the line without formatting and without a full stop at the end, or the cells of a table row;
        code, fences and rules are unchanged."""
        if self.kind in ("code", "fence", "separator", "rule"):
            return (self.raw.strip(),) if self.raw.strip() else ()
        found = (bare(part) for part in _UNIT.split(self.body.replace("<!--", " ").replace("-->", " ")))
        return tuple(part.rstrip(".;,") for part in found if any(map(str.isalnum, part)))

    @cached_property
    def words(self) -> str:
        return bare(self.body)


@dataclass
class Parsed:
    """A text split into lines; `rows` has the sentences of each logical line, which may span several lines."""

    text: str
    lines: list[Line] = field(default_factory=list)
    rows: list[tuple[str, ...]] = field(default_factory=list)
    is_balanced: dict[str, bool] = field(default_factory=dict)
    places: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    broken: list[list[tuple[str, ...]]] = field(default_factory=list)
    """For each row, the sentences of each of its lines, because a row may join lines that do not belong together."""
    item_rows: list[int] = field(default_factory=list)
    item_units: set[str] = field(default_factory=set)
    plain: list[Line] = field(default_factory=list)
    """Lines of the text when fences are ignored, without blank lines."""

    @cached_property
    def units(self) -> Counter[str]:
        return Counter(unit for row in self.rows for unit in row)


def parse(text: str) -> Parsed:
    found = Parsed(text)
    raws = re.split(r"\r\n|\n|\r", text)
    fence, comment, tags = "", False, list[str]()
    faults = dict.fromkeys(("fences", "comments", "tags"), False)
    for at, raw in enumerate(raws):
        bare_line = raw.strip()
        if fence:
            is_end = bare_line.startswith(fence) and not bare_line.strip(fence[0])
            found.lines.append(Line(raw, "fence" if is_end else "code", context=(*tags, "fence")))
            fence = "" if is_end else fence
            continue
        line = _line(raw, raws[at + 1].strip() if at + 1 < len(raws) else "", found.lines[-1] if found.lines else None)
        if line.kind == "fence":
            hit = _FENCE.search(raw)
            assert hit
            fence = hit.group()
        for sign in re.findall(r"<!--|-->", raw):
            faults["comments"] |= comment == (sign == "<!--")
            comment = sign == "<!--"
        line.context = (*tags, *(["comment"] if comment else []), *(["fence"] if fence else []))
        if not comment:
            for tag in _TAG.finditer(raw):
                if not tag["end"]:
                    tags.append(tag["name"])
                elif tags and tags[-1] == tag["name"]:
                    tags.pop()
                else:
                    faults["tags"] = True
        found.lines.append(line)
    faults["fences"] |= bool(fence)
    faults["comments"] |= comment
    faults["tags"] |= bool(tags)
    found.is_balanced = {what: not wrong for what, wrong in faults.items()}
    _join(found)
    return found


def _line(raw: str, following: str, before: Line | None) -> Line:
    indent = len(raw.expandtabs(4)) - len(raw.expandtabs(4).lstrip())
    text = raw.strip()
    quote = _QUOTE.match(text)
    if quote:
        text = text[quote.end() :]
    if not text:
        return Line(raw, "blank")
    if _FENCE.match(_MARKER.sub("", text, count=1)) or _FENCE.match(text):
        return Line(raw, "fence", indent)
    if "|" in text and _SEPARATOR.match(text):
        return Line(raw, "separator", indent, body=text)
    if text.lstrip('"“').startswith("|"):
        return Line(raw, "row", indent, body=text)
    if _RULE.match(text):
        if text[0] in "-=" and before is not None and before.kind == "text":
            before.kind, before.level = "heading", 1 if text[0] == "=" else 2
        return Line(raw, "rule", indent)
    markers, number, level = [], None, 0
    rest = text
    while True:
        hit = _MARKER.match(rest)
        heading = _HEADING.match(rest)
        if hit:
            markers.append("-" if hit["bullet"] else "1" if hit["number"] else "(")
            if number is None and not hit["bullet"]:
                number = int(hit["number"] or hit["inner"])
            rest = rest[hit.end() :]
        elif heading:
            markers.append("#")
            level = level or len(heading["level"])
            rest = rest[heading.end() :]
        else:
            break
    if re.fullmatch(r"[-*+•–]|\d{1,3}[.)]|#{1,6}", rest):
        markers.append("empty")
        rest = ""
    kind = "heading" if level else "item" if markers else "text"
    if kind == "item" and number is not None and (_BOLD_TITLE.match(rest) or rest.isupper()):
        kind, level = "heading", 7
    if kind == "text" and _BOLD_TITLE.match(text):
        kind, level = "heading", 7
        if hit := re.match(r"\*\*(\d{1,3})[.)] ", text):
            number, rest = int(hit[1]), text[hit.end() :]
    if kind == "heading" and (hit := re.match(r"[*_]*(?:Step|Schritt) (\d{1,3})[.:]", rest)):
        number = int(hit[1])
    return Line(raw, kind, indent, tuple(markers), number, level, rest)


_ENDS = ".!?:;|>।。！？"


def _join(found: Parsed) -> None:
    """Build the logical lines: a line that ends within a sentence continues on the next line."""
    kinds: list[str] = []
    pending = ""
    for line in found.lines:
        start = bare(line.body)[:1]
        may_continue = start.islower() or (len(pending) > 40 and start.isalnum() and not _LABEL.match(line.body))
        if not (line.kind == "text" and may_continue):
            pending = ""
        if line.kind == "blank":
            continue
        if line.kind == "text" and pending:
            body = f"{pending} {line.body}"
            found.rows[-1] = Line(body, kinds[-1], body=body).units
            found.broken[-1].append(line.units)
        else:
            body = line.body
            found.rows.append(line.units)
            found.broken.append([line.units])
            kinds.append(line.kind)
        is_open = line.kind in ("text", "item") and bare(line.raw)[-1:] not in _ENDS
        is_open = is_open and not (body.isupper() and len(body) < 40) and (line.kind == "item" or len(body.split()) > 3)
        pending = body if is_open else ""
    found.item_rows = [at for at, kind in enumerate(kinds) if kind == "item" and found.rows[at]]
    found.item_units = {unit for at in found.item_rows for row in (found.rows[at], *found.broken[at]) for unit in row}
    for at, row in enumerate(found.rows):
        for unit in (*row, *(unit for line in found.broken[at] for unit in line)):
            found.places[unit].add(at)


# Both texts

_PAIRS = ("()", "[]", "{}", "“”", '""')


def _is_closed(text: str, pair: str) -> bool:
    """Whether brackets or quotation marks are closed on each line."""
    return all(
        line.count(pair[0]) == line.count(pair[1]) if pair[0] != pair[1] else line.count(pair[0]) % 2 == 0
        for line in re.sub(r"\b\d+\)", "", text).splitlines()
    )


def _most_blank(text: str) -> int:
    """The largest number of blank lines in a row."""
    runs = re.findall(r"(?m)(?:^[ \t>]*\r?\n)+", text.lstrip())
    return max((run.count("\n") for run in runs), default=0)


def _words_of_lines(text: Parsed) -> tuple[list[str], str]:
    """The words of each line of prose, and of all lines together; each number is #, because lists are renumbered."""
    prose = [_without_numbers(line) for line in text.lines if line.kind in ("text", "item", "heading")]
    joined = " ".join(re.sub(r"\d+", "#", line.words or bare(line.raw)) for line in text.lines)
    return [words for words in prose if re.search(r"[^\W\d_]", words)], joined


def _times(words: str, text: str) -> int:
    return len(re.findall(rf"(?<!\w){re.escape(words)}(?!\w)", text))


def _unfenced(text: str) -> str:
    return re.sub(r"(?m)^[ \t>]*(?:```|~~~).*$", "", text)


def _without_numbers(line: Line) -> str:
    """Words of a heading with # for each number, as in "Step #: Booking" for step 3."""
    return re.sub(r"\d+", "#", line.words)


def _index_fenced(one: Parsed) -> None:
    """Index the content of fences also as plain lines, because the other text may have the content without a fence."""
    plain = parse(_unfenced(one.text))
    for unit, rows in plain.places.items():
        one.places[unit] |= {at + 1_000_000 for at in rows}
    one.item_units |= plain.item_units
    for line in list(one.lines):
        one.places[line.raw.strip()].add(-1)
    one.plain = [line for line in plain.lines if line.kind != "blank"]


class Sources:
    """The sent and the proposed text, against which assembled texts are checked."""

    def __init__(self, diff: ProseDiff) -> None:
        self.texts = (parse(diff.old), parse(diff.new))
        self.removed_or_added = {
            unit
            for hunk in diff.hunks
            if hunk.kind in ("changed", "added", "removed")
            for unit in parse(hunk.old).units.keys() ^ parse(hunk.new).units.keys()
        }
        """Sentences that a hunk visibly removes or adds. The reader decides about them, so their counts are
        not checked."""
        for one in self.texts:
            _index_fenced(one)
        self.known = set(self.texts[0].places) | set(self.texts[1].places)
        self.numbered = {re.sub(r"\d+", "#", unit) for unit in self.known if re.match(r"[A-Z]\w+ \d+:$", unit)}
        """Labels of numbered steps, such as "Step #:"."""
        self.versions = self._versions()
        (old, old_joined), (new, new_joined) = map(_words_of_lines, self.texts)
        counts = Counter(old), Counter(new)
        once = (words for words in old if counts[0][words] == counts[1][words] == 1)
        self.single = {words for words in once if _times(words, old_joined) == _times(words, new_joined) == 1}
        """Words of the lines that both texts have once."""
        self.single_pairs = {*pairwise(old)} & {*pairwise(new)} & {*product(self.single, self.single)}
        """Pairs of these lines that follow each other in both texts."""
        self.steps = [steps for one in self.texts for steps in (_steps(one), _steps(parse(_unfenced(one.text))))]

    def _versions(self) -> dict[str, set[str]]:
        """For each sentence that only one text has, the sentences of only the other text that share about half of its
        words."""
        alone = [
            [unit for unit in one.places if unit not in other.places] for one, other in (self.texts, self.texts[::-1])
        ]
        words = {unit: Counter(unit.lower().split()) for side in alone for unit in side}
        found: dict[str, set[str]] = defaultdict(set)
        for one in alone[0]:
            for other in alone[1]:
                shared = (words[one] & words[other]).total()
                if 2 * shared >= 0.45 * (words[one].total() + words[other].total()):
                    found[one].add(other)
                    found[other].add(one)
        return found

    def lines(self, side: int, unit: str) -> set[int]:
        """Indexes of the logical lines of a text (0: sent, 1: proposed) that have this sentence. If no line has the
        sentence, the indexes of lines that have a version of it."""
        places = self.texts[side].places
        if unit in places:
            return places[unit]
        return {at for other in self.versions_of(unit) for at in places.get(other, ())}

    def versions_of(self, unit: str) -> set[str]:
        """The versions of a sentence; of a sentence of neither text the two versions with all of its words, because
        single changes of a sentence may be accepted."""
        if unit in self.known or unit in self.versions:
            return self.versions.get(unit, set())
        found, words = set(), Counter(unit.lower().split())
        for one, others in self.versions.items():
            for other in others:
                first, second = Counter(one.lower().split()), Counter(other.lower().split())
                if not (first & second) - words and not words - (first | second):
                    found |= {one, other}
        return found

    def faults(self, staged: str) -> Iterator[tuple[str, str]]:
        """Kind of each fault in a staged text, with the words concerned."""
        yield from self._halves(staged)
        yield from self._blank_lines(staged)
        bare_text = staged.strip()
        if bare_text[:1] in ('"', "“") and any(one.text.strip()[:1] == bare_text[0] for one in self.texts):
            # A quotation mark around the whole text hides the marker of its first line.
            staged = bare_text[1:].removesuffix('"').removesuffix("”")
        text = parse(staged)
        yield from self._markers(text)
        yield from self._headings(text)
        yield from self._rows(text)
        yield from self._tables(text)
        yield from self._balance(text)
        yield from self._contexts(text)
        yield from self._numbers(text)
        yield from self._counts(text)
        yield from self.single_line_faults(staged)

    # Lines

    def _markers(self, text: Parsed) -> Iterator[tuple[str, str]]:
        lines = [line for one in self.texts for line in (*one.lines, *one.plain)]
        doubled = {(line.markers, line.words) for line in lines if len(line.markers) > 1}
        inner = [bool(_INNER_HEADING.search(line.body)) for line in lines]
        fences = {line.raw.strip() for one in self.texts for line in one.lines if line.kind in ("fence", "code")}
        for line in text.lines:
            if len(line.markers) > 1 and (line.markers, line.words) not in doubled:
                yield "two markers", line.raw
            if not any(inner) and line.kind != "code" and _INNER_HEADING.search(line.body):
                yield "heading mark within a line", line.raw
            if line.kind == "fence" and line.raw.strip() not in fences:
                yield "fence with words", line.raw
        for at in text.item_rows:
            row = text.rows[at]
            versions = {one for first in (row[0], *text.broken[at][0][:1]) for one in (first, *self.versions_of(first))}
            if not any(versions & one.item_units for one in self.texts):
                yield "marker before what is no item", " ¦ ".join(row)

    def _headings(self, text: Parsed) -> Iterator[tuple[str, str]]:
        lines = [line for one in self.texts for line in (*one.lines, *one.plain)]
        known = {_without_numbers(line) for line in lines if line.kind == "heading"}
        for line in text.lines:
            if line.kind == "heading" and _without_numbers(line) not in known:
                yield "heading that is none", line.raw

    def _rows(self, text: Parsed) -> Iterator[tuple[str, str]]:
        for row, broken in zip(text.rows, text.broken, strict=True):
            row = tuple(unit for unit in row if re.sub(r"\d+", "#", unit) not in self.numbered)
            found = list(self._row_faults(row))
            if len(broken) == 1 or any(fault for line in broken for fault in self._row_faults(line)):
                yield from found

    def _row_faults(self, row: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        for unit in row:
            if unit in self.known or self.versions_of(unit):
                continue
            if not parse(unit).units.keys() <= self.known:
                yield "sentence of neither", unit
        if len(row) > 1 and not self._is_one_line(row):
            yield "two lines in one", " ¦ ".join(row)

    def _is_one_line(self, row: tuple[str, ...]) -> bool:
        """Whether the sentences of a row may be on one line.

        A line of one source must have the sentences or versions of them. A sentence that this line lacks must share a
        line of the other source with a sentence that this line has.
        """
        for side in (0, 1):
            for at in set().union(*(self.lines(side, unit) for unit in row)):
                here = [unit for unit in row if at in self.lines(side, unit)]
                beside = set().union(*(self.lines(1 - side, unit) for unit in here))
                if all(unit in here or self.lines(1 - side, unit) & beside for unit in row):
                    return True
        return False

    def _counts(self, text: Parsed) -> Iterator[tuple[str, str]]:
        """Yield sentences that occur less or more often than in both sources. Skips sentences of fewer than six words,
        and sentences that a hunk removes or adds."""
        one, other, there = (parse(_unfenced(side.text)).units for side in (*self.texts, text))
        for unit in {*one, *other}:
            if unit in self.removed_or_added or sum(any(map(str.isalnum, word)) for word in unit.split()) < 6:
                continue
            least, most = sorted((one[unit], other[unit]))
            if there[unit] < least:
                yield "sentence lost", unit
            elif there[unit] > most:
                yield "sentence doubled", unit

    def single_line_faults(self, staged: str) -> Iterator[tuple[str, str]]:
        """Yield lines that both sources have once, but the text does not, and lines that follow each other in both
        sources, but not in the text."""
        lines, joined = _words_of_lines(parse(staged))
        following = dict(pairwise(lines))
        for words in self.single:
            if (times := _times(words, joined)) != 1:
                yield "line doubled" if times else "line lost", words
        for one, other in self.single_pairs:
            if lines.count(one) == 1 and following.get(one) != other:
                yield "lines torn apart", f"{one} ¦ {other}"

    def _halves(self, staged: str) -> Iterator[tuple[str, str]]:
        for pair in _PAIRS:
            if all(_is_closed(one.text, pair) for one in self.texts) and not _is_closed(staged, pair):
                yield "half of a pair", pair

    def _blank_lines(self, staged: str) -> Iterator[tuple[str, str]]:
        """Yield several blank lines in a row if neither source has so many."""
        most = max(_most_blank(one.text) for one in self.texts)
        if _most_blank(staged) > most:
            yield "blank lines", str(_most_blank(staged))

    # Tables

    def _tables(self, text: Parsed) -> Iterator[tuple[str, str]]:
        known = {what for one in self.texts for what in _table_faults(one)}
        for what in _table_faults(text):
            if what not in known:
                yield what

    # Fences, comments and tags

    def _balance(self, text: Parsed) -> Iterator[tuple[str, str]]:
        for what, balanced in text.is_balanced.items():
            if not balanced and all(one.is_balanced[what] for one in self.texts):
                yield f"{what} not balanced", ""

    def _contexts(self, text: Parsed) -> Iterator[tuple[str, str]]:
        """Yield lines that are not inside the same fence, comment and tags as in the sources, if the sources agree."""
        if not all(all(one.is_balanced.values()) for one in self.texts):
            return
        one, other, there = (_single_lines(side) for side in (*self.texts, text))
        in_order = _in_order(list(one), list(other))
        for words, context in there.items():
            if words in in_order and one[words] == other[words] != context:
                yield "inside of something else", f"{words} in {context}"

    # Numbers

    def _numbers(self, text: Parsed) -> Iterator[tuple[str, str]]:
        steps = self.steps
        known = {
            words
            for side in steps
            for step in side
            if not step.is_regular
            for unit in step.units
            for words in (unit, *self.versions_of(unit))
        }
        starts = {step.number for side in steps for step in side if step.before is None}
        last: dict[float, int] = {}
        for step in _steps(text):
            if step.before is None:
                if step.number not in (0, 1, *starts, last.get(step.depth, 0) + 1):
                    yield "list that begins late", f"{step.number}. {step.words}"
            elif not (step.is_regular or self._is_irregular(steps, step, known)):
                yield "number", f"{step.before}. {step.words_before} → {step.number}. {step.words}"
            last[step.depth] = step.number

    def _is_irregular(self, steps: list[list[Step]], step: Step, known: set[str]) -> bool:
        """Whether a source has the same restart or gap in its numbering as the staged text has at `step`."""
        if not known.isdisjoint(step.units):
            return True
        for side in steps:
            words = [one.words for one in side]
            if step.words in words and step.words_before in words:
                here, before = words.index(step.words), words.index(step.words_before)
                if any(not one.is_regular for one in side[min(before, here) + 1 : max(before, here) + 1]):
                    return True
            # After a paragraph, an item may start a new list if it starts one in a source.
            if step.is_apart and any(one.words == step.words and one.before is None for one in side):
                return True
        return False


@dataclass
class Step:
    """A numbered item. `before` is the number of the previous item of its list, None for the first item."""

    number: int
    words: str
    before: int | None
    words_before: str = ""
    is_apart: bool = False
    depth: float = 0
    is_of_other_level: bool = False
    units: tuple[str, ...] = ()

    @property
    def is_regular(self) -> bool:
        return (
            self.before is None
            or self.number == self.before + 1
            or (self.is_apart and self.number in (0, 1))
            or self.is_of_other_level
        )


def _steps(text: Parsed) -> list[Step]:
    found = []
    lists: dict[float, tuple[int, str]] = {}
    """Last number and words of each list that may continue, by depth; numbered headings have depth -1."""
    apart: dict[float, bool] = {}
    levels: dict[float, int] = {}
    for line in text.lines:
        if line.kind in ("code", "blank"):
            continue
        depth: float
        if line.kind == "heading":
            depth = -1
            lists = {other: last for other, last in lists.items() if other <= depth}
            apart[depth] = apart.get(depth, False) or line.number is None
        else:
            # "(1)" and "1." belong to different lists.
            depth = line.indent + 0.5 * ("(" in line.markers)
            lists = {other: last for other, last in lists.items() if other <= depth}
            if line.number is None:
                for other in lists:
                    apart[other] = apart.get(other, False) or line.indent <= other
                continue
        if line.number is not None:
            before = lists.get(depth)
            number, words = before or (None, "")
            # A numbered title without # has level 7, and counts on from titles of each level.
            is_other = bool(before) and levels.get(depth) != line.level and 7 not in (levels.get(depth), line.level)
            found.append(
                Step(line.number, line.words, number, words, apart.get(depth, False), depth, is_other, line.units)
            )
            lists[depth] = (line.number, line.words)
            levels[depth] = line.level
            apart[depth] = False
    return found


def _cells(line: Line) -> int:
    return len(line.body.strip(' "“”').strip("|").split("|"))


def _table_faults(text: Parsed) -> Iterator[tuple[str, str]]:
    block: list[Line] = []
    for line in [*text.lines, Line("", "blank")]:
        if line.kind in ("row", "separator"):
            block.append(line)
            continue
        if block:
            yield from _block_faults(block)
        block = []


def _block_faults(block: list[Line]) -> Iterator[tuple[str, str]]:
    first = block[0].words
    if [line.kind for line in block[:2]] != ["row", "separator"]:
        yield "table without header", first
    if any(line.kind == "separator" for line in block[2:]):
        yield "two headers in a table", first
    elif len(block) > 1 and block[1].kind == "separator":
        if _cells(block[0]) != _cells(block[1]):
            yield "header and separator differ", first
        for line in block[2:]:
            if _cells(line) != _cells(block[1]):
                yield "ragged row", line.words


def _in_order(one: list[str], other: list[str]) -> set[str]:
    """Longest common subsequence of two lists of unique lines, as a set."""
    places = {words: at for at, words in enumerate(other)}
    chains: list[tuple[int, int, str, int]] = []
    """For each shared line: its index in `other`, the length of the longest chain that ends with this line, its words,
    and the index of the previous link (-1 if there is none)."""
    for words in one:
        if words in places:
            at = places[words]
            length, before = max(((chain[1], n) for n, chain in enumerate(chains) if chain[0] < at), default=(0, -1))
            chains.append((at, length + 1, words, before))
    n = max(range(len(chains)), key=lambda n: chains[n][1], default=-1)
    found = set()
    while n >= 0:
        found.add(chains[n][2])
        n = chains[n][3]
    return found


def _single_lines(text: Parsed) -> dict[str, tuple[str, ...]]:
    """The fence, comment and tags around each line of three or more words that occurs only once, by the line's
    words."""
    count = Counter(line.words for line in text.lines if line.kind not in ("fence", "code", "separator"))
    contexts = {}
    for line in text.lines:
        words = line.words if line.kind != "code" else bare(line.raw)
        if line.kind != "separator" and count[words] <= 1 and len(words.split()) > 2:
            contexts[words] = line.context
    return contexts


# The diff itself


def key_faults(diff: ProseDiff, already: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Faults in the keys of the hunks; the hunks with the keys `already` were split."""
    keys = [hunk.key for hunk in diff.hunks]
    if len(keys) != len(set(keys)):
        yield "a key twice", next(key for key, count in Counter(keys).items() if count > 1)
    if [hunk.number for hunk in diff.hunks] != list(range(1, len(keys) + 1)):
        yield "hunks not numbered in order", str([hunk.number for hunk in diff.hunks])
    for hunk in diff.hunks:
        if hunk.parts and not hunk.whole:
            split = compare(diff.old, diff.new, split=already | {hunk.key}).hunks
            found = {part.key for part in split}
            if missing := set(hunk.parts) - found:
                yield "part not found again", f"{hunk.key}: {sorted(missing)}"
            if hunk.key in found:
                yield "split hunk still there", hunk.key
            if lost := set(keys) - {hunk.key} - found:
                yield "key of another hunk lost by a split", f"{hunk.key}: {sorted(lost)}"
            if more := found - set(keys) - set(hunk.parts):
                yield "a split makes hunks that are no parts", f"{hunk.key}: {sorted(more)}"
