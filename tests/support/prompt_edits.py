"""Random prompts, and random edits of the kinds that people and models make.

An edit changes the lines of a text in place, and does nothing if no place in the text is suitable. `…_in` inserts,
`…_out` removes, `…_around` wraps text in markup, and `…_off` removes the markup but keeps its content.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain, pairwise
from random import Random
from textwrap import wrap
from typing import Any, TypeVar

from prose_cases import pairs

Lines = list[str]
Edit = Callable[["Writer", Lines], None]
Place = TypeVar("Place")

_THINGS = """account|address|invoice|meter number|weekday|postcode|surname|refund|order number|branch|engineer|form
voucher|delivery|clerk|estimate|licence|seat|{{agent_name}} line|parcel|pharmacy|signature|fee|late fee|language
reminder|route|ticket|transfer desk|key safe|date of birth|reservation""".replace("\n", "|").split("|")
_VERBS = """ask for|read back|confirm|note down|look up|offer|cancel|explain|skip|book|repeat|charge|mention|promise
check|send|spell|change|hold|name""".replace("\n", "|").split("|")
_ENDS = """before you go on|in one breath|twice at most|unless they insist|on the same day|without a reason|only once
if the caller agrees|after the second try|while you wait|when nobody answers|in plain words|with `look_up`|and wait
as they said it|for {{caller_name}}|– slowly|"as soon as we can"|in **every** call|by 5 p.m. at the latest""".replace(
    "\n", "|"
).split("|")
_TITLES = """Identity|Opening|How to speak|Rules|Booking|Payments|Escalation|Closing|Tools|Examples|Refunds|Complaints
Opening hours|What you know|Emergencies|Voicemail|Privacy|Guardrails""".replace("\n", "|").split("|")

ITEM = re.compile(r"(?P<indent>[ \t]*)(?P<mark>[-*+•–]|(?P<number>\d+)[.)]|\((?P<inner>\d+)\)) +(?=\S)")
HEADING = re.compile(r"(?:#{1,6} +\S|\*\*[^*]+\*\*:?$)")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"“*])")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_WHOLE_FENCE = r"(?ms)^(```|~~~)[a-z]*\n(.*?)^\1$\n?"
_TURN = re.compile(r"(?:> )?[A-Z][a-z]+: ")
_OPENING = re.compile(r"<([a-z_]+)>$")


class Writer(Random):
    """A random generator that also writes text. If `side` is set, the text contains unique words such as "now3q"."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.side = ""
        self.inserted: list[str] = []

    def mark(self) -> str:
        """Make a unique word, record it in `inserted`, and return it."""
        self.inserted.append(f"{self.side}{self.randrange(10**9)}q")
        return self.inserted[-1]

    def _marked(self, text: str) -> str:
        return f"{text} {self.mark()}" if self.side else text

    def thing(self) -> str:
        return self._marked(self.choice(_THINGS))

    def title(self) -> str:
        one, other = self.choice(_TITLES), self.choice(_TITLES).lower()
        return self._marked(self.choice((one, f"{one} and {other}")))

    def sentence(self) -> str:
        """A sentence of about 6 to 14 words that is very unlikely to be repeated."""
        verb, (thing, other) = self.choice(_VERBS), self.sample(_THINGS, 2)
        start = self.choice(("", "", "Never ", "Always ", "Then ", "If {0} is missing, ", "For {0}: ", "Before {0}, "))
        text = start.format(f"the {other}") + self._marked(f"{verb} the {thing}") + f" {self.choice(_ENDS)}"
        if self.random() < 0.3:
            text += f", and {self.choice(_VERBS)} the {self.choice(_THINGS)}"
        if self.random() < 0.1:
            text = f'say, "{text}"'
        return text[0].upper() + text[1:] + "."

    def sentences(self, most: int = 4) -> str:
        return " ".join(self.sentence() for _ in range(self.randint(1, most)))

    def reworded(self, text: str) -> str:
        """The sentence with a word replaced, inserted or deleted, or with its second half rewritten."""
        words = text.split(" ")
        at = self.randrange(len(words))
        new = self.choice((*_VERBS, *_ENDS)).split(" ")
        what = self.choice(("change", "in", "out", "half"))
        if what == "in" or len(words) < 4:
            words[at:at] = new[:1]
        elif what == "change":
            words[at] = new[0]
        elif what == "out":
            del words[at]
        else:
            words[len(words) // 2 :] = f"{self.choice(_VERBS)} the {self.thing()} {self.choice(_ENDS)}.".split(" ")
        return " ".join(words)


# Documents


@cache
def _prompts() -> tuple[str, ...]:
    return tuple(pair.sent.text.replace("\r\n", "\n") for pair in pairs("cases"))


def excerpt(rng: Writer, least: int = 8, most: int = 50) -> str:
    """Between `least` and `most` consecutive lines of a prompt in `tests/prose/cases`."""
    lines = rng.choice(_prompts()).split("\n")
    at = rng.choice((0, rng.randint(0, max(len(lines) - least, 0))))
    return "\n".join(lines[at : at + rng.randint(least, most)]).strip("\n") + "\n"


def document(rng: Writer) -> str:
    """Generate a prompt of two to five sections."""
    style = rng.choice(("## {}", "## {}", "**{}**", "under", "# {}", "## {n}. {}", "{}:"))
    blocks = []
    if rng.random() < 0.5:
        blocks.append(rng.sentences())
    for n in range(1, rng.randint(3, 6)):
        name = rng.title()
        blocks.append(f"{name}\n{'-' * len(name)}" if style == "under" else style.format(name, n=n))
        blocks += [_any_block(rng) for _ in range(rng.choice((1, 1, 2, 2, 3)))]
    return "\n\n".join(blocks) + rng.choice(("\n", "\n", ""))


def _numbered(rng: Writer, lead: str = "") -> str:
    style = rng.choice(("{}.", "{}.", "{}.", "{})", "({})"))
    lines = []
    for n in range(1, rng.randint(3, 7)):
        lines.append(f"{lead}{style.format(n)} {rng.sentences(rng.choice((1, 1, 2, 3)))}")
        if not lead and rng.random() < 0.2:
            lines.append(rng.choice((_numbered, _bullets))(rng, "   "))
    return rng.choice(("\n", "\n", "\n", "\n\n") if not lead else ("\n",)).join(lines)


def _bullets(rng: Writer, lead: str = "") -> str:
    mark = rng.choice("---**+•–")
    return "\n".join(f"{lead}{mark} {rng.sentences(rng.choice((1, 1, 2)))}" for _ in range(rng.randint(2, 5)))


def _restarting(rng: Writer) -> str:
    return f"{_numbered(rng)}\n\n{rng.choice((rng.sentence(), 'And then:'))}\n\n{_numbered(rng)}"


def _paragraph(rng: Writer) -> str:
    text = rng.sentences(5)
    return "\n".join(wrap(text, 60)) if rng.random() < 0.2 else text


def _table(rng: Writer) -> str:
    width = rng.randint(2, 3)
    rows = [[rng.thing() for _ in range(width)] for _ in range(rng.randint(2, 5))]
    return "\n".join(map(_row, ([rng.choice(_TITLES) for _ in range(width)], ["---"] * width, *rows)))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _tagged(rng: Writer) -> str:
    return _in_tags(rng.choice(("rules", "style", "tools", "example")), rng.choice(_IN_TAGS)(rng))


def _in_tags(name: str, text: str) -> str:
    return f"<{name}>\n{text}\n</{name}>"


def _fenced(rng: Writer) -> str:
    mark = rng.choice(("```", "```", "~~~"))
    inside = ('{\n  "name": "book",\n  "day": "string"\n}', "look_up(number)\nbook(day)", rng.sentence())
    return f"{mark}{rng.choice(('', 'json'))}\n{rng.choice(inside)}\n{mark}"


def _comment(rng: Writer) -> str:
    inside = rng.choice((rng.sentence(), f"\n{rng.sentence()}\n{rng.sentence()}\n"))
    return f"<!-- {inside} -->"


def _dialogue(rng: Writer) -> str:
    lead = rng.choice(("", "", "> "))
    return "\n".join(f"{lead}{('Caller', 'Agent')[n % 2]}: {rng.sentence()}" for n in range(rng.randint(2, 6)))


_IN_TAGS = (_paragraph, _bullets, _numbered)
_BLOCKS = (
    *(_numbered, _numbered, _bullets, _bullets, _paragraph, _paragraph),
    *(_restarting, _table, _tagged, _fenced, _comment, _dialogue),
)


def _any_block(rng: Writer) -> str:
    return rng.choice(_BLOCKS)(rng)


# Places in a text


def at_one_of(places: Callable[[Lines], Sequence[Place]]) -> Callable[[Callable[[Writer, Lines, Place], object]], Edit]:
    """Decorator that turns a change of one place into an edit. The edit makes the change at a random place of
    `places(lines)`."""

    def edit_of(change: Callable[[Writer, Lines, Place], object]) -> Edit:
        def edit(rng: Writer, lines: Lines) -> None:
            if found := places(lines):
                change(rng, lines, rng.choice(found))

        return edit

    return edit_of


def _unfenced(lines: Lines) -> Iterator[tuple[int, str]]:
    """Index and text of each line outside code fences."""
    inside = False
    for at, line in enumerate(lines):
        if _FENCE.match(line):
            inside = not inside
        elif not inside:
            yield at, line


def items(lines: Lines) -> list[int]:
    return [at for at, line in _unfenced(lines) if ITEM.match(line)]


def _item(line: str) -> re.Match[str]:
    hit = ITEM.match(line)
    assert hit
    return hit


def _is_counted(item: str) -> bool:
    return _item(item)["mark"] not in "-*+•–"


def _of_kind(is_counted: bool) -> Callable[[Lines], list[int]]:
    return lambda lines: [at for at in items(lines) if _is_counted(lines[at]) == is_counted]


def _number(item: str) -> int:
    return int(_item(item)["number"] or _item(item)["inner"] or 0)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _block(lines: Lines, at: int) -> int:
    """Index after the last line of an item, including the lines that are indented below the item."""
    end = at + 1
    while end < len(lines) and lines[end].strip() and _depth(lines[end]) > _depth(lines[at]):
        end += 1
    return end


def _list_of(lines: Lines, at: int) -> list[int]:
    """Indexes of the items that are in one list with the item at line `at`. The items of a list have the same depth and
    kind. An item with number 1 begins a list; less indented text, or text at the depth of the items, ends a list."""
    depth, is_counted = _depth(lines[at]), _is_counted(lines[at])
    found = [at]
    for step in (-1, 1):
        k = at + step
        while 0 <= k < len(lines):
            if ITEM.match(lines[k]) and _depth(lines[k]) == depth and _is_counted(lines[k]) == is_counted:
                is_first = is_counted and _number(lines[k]) == 1
                if step < 0 or not is_first:
                    found.append(k)
                if is_first:
                    break
            elif lines[k].strip() and _depth(lines[k]) <= depth:
                break
            k += step
    return sorted(found)


def prose(lines: Lines) -> list[int]:
    """Indexes of list items and other lines of prose."""
    words = ((at, line) for at, line in _unfenced(lines) if len(line.split()) > 4 or ITEM.match(line))
    return [at for at, line in words if ITEM.match(line) or line.lstrip()[0] not in '#|<`{}"=~-']


def _several(places: Callable[[Lines], list[int]]) -> Callable[[Lines], list[int]]:
    """Restrict `places` to lines with several sentences."""
    return lambda lines: [at for at in places(lines) if len(body(lines[at])[1]) > 1]


def body(line: str) -> tuple[str, list[str]]:
    """Split a line into its marker and its sentences."""
    hit = ITEM.match(line) or re.match(r"\s*(?:> *|[A-Z][a-z]+: )*", line)
    assert hit
    return line[: hit.end()], _SENTENCE_END.split(line[hit.end() :])


def _headings(lines: Lines) -> list[int]:
    return [at for at, line in _unfenced(lines) if HEADING.match(line)]


def _paragraphs(lines: Lines) -> list[int]:
    """Indexes of one-line paragraphs: prose between empty lines that is not an item."""
    around = ["", *lines, ""]
    alone = (at for at in prose(lines) if not around[at].strip() and not around[at + 2].strip())
    return [at for at in alone if not ITEM.match(lines[at])]


def _tables(lines: Lines) -> list[list[int]]:
    """Line indexes of each table with more than two lines."""
    found: list[list[int]] = []
    for at, line in enumerate(lines):
        if line.startswith("|") and found and found[-1][-1] == at - 1:
            found[-1].append(at)
        elif line.startswith("|"):
            found.append([at])
    return [rows for rows in found if len(rows) > 2]


def _pairs_of_tags(lines: Lines) -> list[tuple[int, int]]:
    hits = ((at, _OPENING.match(line.strip())) for at, line in enumerate(lines))
    tags = ((at, f"</{hit[1]}>") for at, hit in hits if hit)
    return [(at, lines.index(end, at)) for at, end in tags if end in lines[at:]]


def _turns(lines: Lines) -> list[int]:
    return [at for at, line in enumerate(lines) if _TURN.match(line)]


def _gaps(lines: Lines) -> list[int]:
    """Indexes of the lines after empty lines; the end of the text if no line is empty."""
    return [at + 1 for at, line in enumerate(lines) if not line.strip()] or [len(lines)]


# Items of lists


def _renumber(rng: Writer, lines: Lines, whole: list[int], start: int) -> None:
    """Renumber the items of a numbered list from `start`. In 5 % of cases, the old numbers stay, because some writers
    forget to renumber."""
    if whole and _is_counted(lines[whole[0]]) and rng.random() < 0.95:
        for n, at in enumerate(whole, start):
            hit = _item(lines[at])
            lines[at] = hit["indent"] + re.sub(r"\d+", str(n), hit["mark"]) + lines[at][hit.end("mark") :]


def insert(rng: Writer, lines: Lines, at: int, block: Lines, count: int = 1) -> None:
    """Insert the lines of `block` before or after an item; the first `count` lines become items of the item's list."""
    whole = _list_of(lines, at)
    start = _number(lines[whole[0]])
    place = rng.choice((at, _block(lines, at)))
    marker = _item(lines[at]).group()
    lines[place:place] = [marker + text for text in block[:count]] + block[count:]
    moved = [k + len(block) if k >= place else k for k in whole]
    _renumber(rng, lines, sorted([*moved, *range(place, place + count)]), start)


def remove(rng: Writer, lines: Lines, at: int) -> Lines:
    """Remove an item with the lines indented below it; returns the removed lines without the item's marker."""
    whole, end = _list_of(lines, at), _block(lines, at)
    start, gone = _number(lines[whole[0]]), lines[at:end]
    del lines[at:end]
    _renumber(rng, lines, [k if k < at else k - len(gone) for k in whole if not at <= k < end], start)
    return [gone[0][_item(gone[0]).end() :], *gone[1:]]


@at_one_of(items)
def rule_in(rng: Writer, lines: Lines, at: int) -> None:
    """Insert one to three consecutive items."""
    new = [rng.sentences(2) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    insert(rng, lines, at, new, len(new))


rule_out = at_one_of(items)(remove)


@at_one_of(items)
def rule_moved(rng: Writer, lines: Lines, at: int) -> None:
    """Move an item, usually to a place nearby."""
    before = list(lines)
    block = remove(rng, lines, at)
    if others := items(lines):
        near = [k for k in others if abs(k - at) < 8] or others
        insert(rng, lines, rng.choice(near if rng.random() < 0.7 else others), block)
    else:
        lines[:] = before


def _reworded(rng: Writer, lines: Lines, at: int) -> None:
    """Change or replace one sentence of a line."""
    marker, parts = body(lines[at])
    n = rng.randrange(len(parts))
    parts[n] = rng.sentence() if rng.random() < 0.3 else rng.reworded(parts[n])
    lines[at] = marker + " ".join(parts)


rule_reworded, sentence_reworded = at_one_of(items)(_reworded), at_one_of(prose)(_reworded)


@at_one_of(_several(items))
def rule_split(rng: Writer, lines: Lines, at: int) -> None:
    marker, parts = body(lines[at])
    whole = _list_of(lines, at)
    start = _number(lines[whole[0]])
    lines[at : at + 1] = [marker + parts[0], marker + " ".join(parts[1:])]
    _renumber(rng, lines, sorted([*(k + 1 if k > at else k for k in whole), at + 1]), start)


def _beside_items(lines: Lines) -> list[int]:
    places = items(lines)
    return [at for at in places if at + 1 in places and at + 1 in _list_of(lines, at)]


@at_one_of(_beside_items)
def rules_joined(rng: Writer, lines: Lines, at: int) -> None:
    if _block(lines, at + 1) == at + 2:
        lines[at] += " " + remove(rng, lines, at + 1)[0]


@at_one_of(_of_kind(True))
def list_restarted(rng: Writer, lines: Lines, at: int) -> None:
    """Restart a numbered list at 1 in its middle, perhaps after a line of text."""
    whole = _list_of(lines, at)
    if len(whole) > 2:
        n = rng.randrange(1, len(whole))
        _renumber(rng, lines, whole[n:], 1)
        if rng.random() < 0.7:
            lines[whole[n] : whole[n]] = rng.choice((["", rng.sentence(), ""], [""], ["", "After that:", ""]))


@at_one_of(lambda lines: [at + 1 for at in _beside_items(lines) if not _depth(lines[at + 1])])
def rule_nested(rng: Writer, lines: Lines, at: int) -> None:
    """Indent an item below the previous item."""
    whole, hit = _list_of(lines, at), _item(lines[at])
    start = _number(lines[whole[0]])
    lines[at] = "   " + rng.choice(("- ", re.sub(r"\d+", "1", hit["mark"]) + " ")) + lines[at][hit.end() :]
    _renumber(rng, lines, [k for k in whole if k != at], start)


# Sentences


@at_one_of(prose)
def sentence_in(rng: Writer, lines: Lines, at: int) -> None:
    marker, parts = body(lines[at])
    parts.insert(rng.randint(0, len(parts)), rng.sentence())
    lines[at] = marker + " ".join(parts)


def _sentence_from(rng: Writer, lines: Lines, at: int) -> str:
    marker, parts = body(lines[at])
    one = parts.pop(rng.randrange(len(parts)))
    lines[at] = marker + " ".join(parts)
    return one


sentence_out = at_one_of(_several(prose))(_sentence_from)


@at_one_of(_several(prose))
def sentence_moved(rng: Writer, lines: Lines, at: int) -> None:
    one = _sentence_from(rng, lines, at)
    other = rng.choice(prose(lines) or [at])
    marker, parts = body(lines[other])
    parts.insert(rng.randint(0, len(parts)), one)
    lines[other] = marker + " ".join(parts)


@at_one_of(_several(_paragraphs))
def paragraph_split(rng: Writer, lines: Lines, at: int) -> None:
    """Split a paragraph into two lines or two paragraphs."""
    marker, parts = body(lines[at])
    n = rng.randrange(1, len(parts))
    lines[at : at + 1] = [marker + " ".join(parts[:n]), *rng.choice(([], [""])), " ".join(parts[n:])]


# Blocks: paragraphs, whole tables, tags, comments and fences


def _block_in(make: Callable[[Writer], str]) -> Edit:
    """An edit that inserts a block made by `make` after an empty line."""

    @at_one_of(_gaps)
    def edit(rng: Writer, lines: Lines, at: int) -> None:
        lines[at:at] = [*make(rng).split("\n"), ""]

    return edit


paragraph_in, table_in, tags_in = map(_block_in, (_any_block, _table, _tagged))
comment_in, fence_in = map(_block_in, (_comment, _fenced))
heading_in = _block_in(lambda rng: rng.choice(("## {}", "### {}", "**{}**")).format(rng.title()))


def _of_blocks(change: Callable[[Writer, list[str]], None]) -> Edit:
    """An edit that applies `change` to the blocks of a text; empty lines separate the blocks."""

    def edit(rng: Writer, lines: Lines) -> None:
        blocks = re.split(r"\n\n+", "\n".join(lines))
        change(rng, blocks)
        lines[:] = "\n\n".join(blocks).split("\n")

    return edit


def _of_sections(change: Callable[[Writer, list[Lines]], None]) -> Edit:
    """An edit that applies `change` to the sections of a text; text before the first heading is a section, too."""

    def edit(rng: Writer, lines: Lines) -> None:
        starts = [0, *(at for at in _headings(lines) if at), len(lines)]
        sections = [lines[start:end] for start, end in pairwise(starts)]
        change(rng, sections)
        lines[:] = chain.from_iterable(sections)

    return edit


def _part_out(rng: Writer, parts: list[Any]) -> None:
    if len(parts) > 2:
        del parts[rng.randrange(len(parts))]


def _part_moved(rng: Writer, parts: list[Any]) -> None:
    if len(parts) > 2:
        parts.insert(rng.randrange(len(parts)), parts.pop(rng.randrange(len(parts))))


paragraph_out, paragraph_moved = _of_blocks(_part_out), _of_blocks(_part_moved)
section_out, section_moved = _of_sections(_part_out), _of_sections(_part_moved)


def _around(*forms: str) -> Edit:
    """An edit that wraps a block without tags in one of `forms`. Does nothing if the text has code fences."""

    @_of_blocks
    def edit(rng: Writer, blocks: list[str]) -> None:
        plain = [n for n, block in enumerate(blocks) if not re.search("<|```|~~~", block)]
        if plain and not re.search("```|~~~", "".join(blocks)):
            n = rng.choice(plain)
            blocks[n] = rng.choice(forms).format(blocks[n])

    return edit


tags_around = _around(*(_in_tags(name, "{}") for name in ("identity", "flow", "policy", "examples")))
comment_around, fence_around = _around("<!--\n{}\n-->"), _around("```\n{}\n```")


@at_one_of(_pairs_of_tags)
def tags_off(rng: Writer, lines: Lines, tags: tuple[int, int]) -> None:
    del lines[tags[1]], lines[tags[0]]


@at_one_of(_pairs_of_tags)
def tags_renamed(rng: Writer, lines: Lines, tags: tuple[int, int]) -> None:
    name = rng.choice(("guidelines", "context", "notes"))
    lines[tags[0]], lines[tags[1]] = f"<{name}>", f"</{name}>"


# Sections


@_of_sections
def section_in(rng: Writer, sections: list[Lines]) -> None:
    style = "**{}**" if any(section[0].startswith("**") for section in sections if section) else "## {}"
    blocks = [_any_block(rng) for _ in range(rng.choice((1, 1, 2)))]
    new = "\n\n".join([style.format(rng.title()), *blocks, ""]).split("\n")
    sections.insert(rng.randint(1, len(sections)), new)


@at_one_of(_headings)
def heading_reworded(rng: Writer, lines: Lines, at: int) -> None:
    marks = re.match(r"(#+ +|\*\*)(.*?)(\*\*:?)?$", lines[at])
    assert marks
    lines[at] = marks[1] + rng.choice((rng.title(), f"{marks[2]} and more")) + (marks[3] or "")


# Kinds of lines


@at_one_of(_several(_paragraphs))
def paragraph_to_list(rng: Writer, lines: Lines, at: int) -> None:
    """Make each sentence of a paragraph a list item."""
    is_counted = rng.random() < 0.5
    parts = _SENTENCE_END.split(lines[at])
    lines[at : at + 1] = [f"{f'{n}.' if is_counted else '-'} {part}" for n, part in enumerate(parts, 1)]


@at_one_of(items)
def list_to_paragraph(rng: Writer, lines: Lines, at: int) -> None:
    whole = _list_of(lines, at)
    if whole == list(range(whole[0], whole[-1] + 1)):
        lines[whole[0] : whole[-1] + 1] = [" ".join(part for k in whole for part in body(lines[k])[1])]


def _marked_as(mark: str) -> Callable[[Writer, Lines, int], None]:
    def change(_: Writer, lines: Lines, at: int) -> None:
        for n, k in enumerate(_list_of(lines, at), 1):
            hit = _item(lines[k])
            lines[k] = f"{hit['indent']}{mark.format(n)} {lines[k][hit.end() :]}"

    return change


bullets_to_numbers = at_one_of(_of_kind(False))(_marked_as("{}."))
numbers_to_bullets = at_one_of(_of_kind(True))(_marked_as("-"))


@at_one_of(_turns)
def turn_in(rng: Writer, lines: Lines, at: int) -> None:
    lines.insert(at + rng.randint(0, 1), "".join(_TURN.findall(lines[at])[:1]) + rng.sentence())


# Tables


@at_one_of(_tables)
def row_in(rng: Writer, lines: Lines, rows: list[int]) -> None:
    at = rng.choice(rows[1:])
    lines.insert(at + 1, _row([rng.thing() for _ in range(lines[at].count("|") - 1)]))


@at_one_of(_tables)
def cell_reworded(rng: Writer, lines: Lines, rows: list[int]) -> None:
    at = rng.choice([rows[0], *rows[2:]])
    cells = lines[at].split("|")
    cells[rng.randrange(1, len(cells) - 1)] = f" {rng.thing()} "
    lines[at] = "|".join(cells)


@at_one_of(_tables)
def column_in_or_out(rng: Writer, lines: Lines, rows: list[int]) -> None:
    columns = lines[rows[0]].count("|") - 1
    place, is_new = rng.randint(1, columns), columns < 3 or rng.random() < 0.5
    for n, at in enumerate(rows):
        cells = lines[at].split("|")
        new = rng.choice(_TITLES) if n == 0 else "---" if n == 1 else rng.thing()
        lines[at] = "|".join([*cells[:place], *[f" {new} "] * is_new, *cells[place + (not is_new) :]])


@at_one_of(_tables)
def table_to_list(rng: Writer, lines: Lines, rows: list[int]) -> None:
    cells = [map(str.strip, lines[at].split("|")[1:-1]) for at in rows[2:]]
    lines[rows[0] : rows[-1] + 1] = [f"- {': '.join(row)}" for row in cells]


# Removals


def _out(spans: Callable[[Lines], list[tuple[int, int]]]) -> Edit:
    """An edit that removes the lines of one span; a span is the first index and the index after the last line."""

    @at_one_of(spans)
    def edit(_: Writer, lines: Lines, span: tuple[int, int]) -> None:
        del lines[slice(*span)]

    return edit


turn_out = _out(lambda lines: [(at, at + 1) for at in _turns(lines)])
heading_out = _out(lambda lines: [(at, at + 1 + (lines[at + 1 : at + 2] == [""])) for at in _headings(lines)])
row_out = _out(lambda lines: [(at, at + 1) for rows in _tables(lines) for at in rows[2:]])
table_out = _out(lambda lines: [(rows[0], rows[-1] + 2) for rows in _tables(lines)])
tags_out = _out(lambda lines: [(start, end + 1) for start, end in _pairs_of_tags(lines)])


# Formatting of the whole text


def _of_text(change: Callable[[Writer, str], str]) -> Edit:
    def edit(rng: Writer, lines: Lines) -> None:
        lines[:] = change(rng, "\n".join(lines)).split("\n")

    return edit


def _replaced(pattern: str, new: str, count: int = 0) -> Edit:
    return _of_text(lambda _, text: re.sub(pattern, new, text, count=count))


def _either(one: Edit, other: Edit) -> Edit:
    """An edit that applies `other` if `one` changes nothing."""

    def edit(rng: Writer, lines: Lines) -> None:
        before = list(lines)
        one(rng, lines)
        if lines == before:
            other(rng, lines)

    return edit


_MARKER = r"[ \t]*(?:[-*+•]|\d+[.)]) "
typographic = _of_text(lambda _, text: re.sub(r'"([^"\n{}]*)"', "“\\1”", text).replace("'", "’"))
dashes = _of_text(lambda _, text: text.replace(" – ", " — ").replace(" - ", " – "))
numbers_restyled = _replaced(r"(?m)^(\s*)(\d+)\. ", r"\1\2) ")
bullets_restyled = _of_text(lambda rng, text: re.sub(r"(?m)^(\s*)- (?=\S)", rf"\1{rng.choice('*+•')} ", text))
bold_titles = _replaced(r"(?m)^#(#*) (.*)$", r"**\2**")
titles_restyled = _either(
    _replaced(r"(?m)^\*\*([^*\n]+)\*\*$", r"## \1"), _either(_replaced(r"(?m)^# (.*)$", r"### \1"), bold_titles)
)
thematic_breaks = _either(
    _replaced(r"\n\n---\n\n", "\n\n"), _replaced(r"\n\n(?=## |\*\*[A-Z][^*\n]*\*\*\n)", "\n\n---\n\n")
)
gaps_between_items = _either(
    _replaced(rf"(?m)(^{_MARKER}.*)\n\n(?={_MARKER})", r"\1\n"),
    _replaced(rf"(?m)(^{_MARKER}.*)\n(?={_MARKER})", r"\1\n\n"),
)
gaps_after_headings = _either(_replaced(r"(?m)(^#+ .*)\n\n", r"\1\n"), _replaced(r"(?m)(^#+ .*)\n(?=\S)", r"\1\n\n"))
trailing_spaces = _either(_replaced(r"(?m) +$", ""), _replaced(r"(?m)(?<=[.:])$", "  "))
comment_out = _replaced(r"(?s)<!--.*?-->\n?\n?", "", 1)
comment_off = _replaced(r"(?s)<!--\s*(.*?)\s*-->", r"\1", 1)  # keeps the content
fence_out, fence_off = _replaced(_WHOLE_FENCE, "", 1), _replaced(_WHOLE_FENCE, r"\2", 1)


@_of_text
def emphasis(rng: Writer, text: str) -> str:
    """Remove all bold, or make every occurrence of a frequent word bold."""
    if rng.random() < 0.5:
        return re.sub(r"(?m)\*\*(\w[^*\n]*)\*\*(?!$)", r"\1", text)
    return re.sub(rf"(?<![*\w]){rng.choice(('caller', 'Never', 'the', 'call'))}(?![*\w])", r"**\g<0>**", text)


@_of_text
def reflowed(rng: Writer, text: str) -> str:
    """Wrap long lines, or unwrap paragraphs if no line is long."""
    lines = []
    width = rng.choice((50, 70))
    for line in text.split("\n"):
        broken = wrap(line, width, break_long_words=False, break_on_hyphens=False)
        is_text = len(line) > width and line[0] not in "|#<>`{" and not any(map(ITEM.match, (line, *broken)))
        lines += broken if is_text else [line]
    new = "\n".join(lines)
    return re.sub(r"(?m)(?<=[a-z,])\n(?=[a-z])", " ", text) if new == text else new


@_of_sections
def tags_for_titles(_: Writer, sections: list[Lines]) -> None:
    """Replace each `##` heading by tags around the text of its section."""
    for n, (heading, *inside) in enumerate(sections):
        if hit := re.match(r"## ([A-Za-z ]+)$", heading):
            name = hit[1].strip().lower().replace(" ", "_")
            sections[n] = [*_in_tags(name, "\n".join(inside).strip()).split("\n"), ""]


@_of_text
def wrapper(rng: Writer, text: str) -> str:
    """Wrap the whole prompt as a model wraps its answer: preamble, fence, tags or quotation marks."""
    lead = "Here is the improved prompt:\n\n"
    around = (
        *("```markdown\n{}\n```", f"{lead}{{}}"),
        f"{lead}```\n{{}}\n```\n\nLet me know if you want me to change anything.",
        *("<prompt>\n{}\n</prompt>", "{}\n\n---\n\nI made the rules shorter and added a closing.", '"{}"'),
    )
    return text if "```" in text else rng.choice(around).format(text.rstrip("\n")) + "\n"


rewritten = _of_text(lambda rng, _: prompt(rng).replace("\r\n", "\n"))  # an unrelated prompt


WORDED: tuple[Edit, ...] = (
    *(rule_in, rule_in, rule_in, rule_out, rule_out, rule_moved, rule_moved, rule_reworded, rule_reworded),
    *(rule_split, rules_joined, list_restarted, rule_nested, sentence_in, sentence_in, sentence_out),
    *(sentence_reworded, sentence_reworded, sentence_moved, paragraph_in, paragraph_out, paragraph_moved),
    *(paragraph_split, section_in, section_out, section_moved, heading_in, heading_out, heading_reworded),
    *(paragraph_to_list, list_to_paragraph, bullets_to_numbers, numbers_to_bullets, row_in, row_out, cell_reworded),
    *(column_in_or_out, column_in_or_out, table_in, table_out, table_to_list, tags_around, tags_off, tags_out, tags_in),
    *(tags_renamed, comment_in, comment_around, comment_out, comment_off, fence_in, fence_around, fence_out),
    *(fence_off, turn_in, turn_out),
)
"""Edits of words and structure at one place; a frequent edit is listed several times."""
RESTYLED: tuple[Edit, ...] = (
    *(titles_restyled, typographic, dashes, emphasis, thematic_breaks, bullets_restyled, trailing_spaces, reflowed),
    *(gaps_between_items, gaps_after_headings, numbers_restyled, tags_for_titles),
)
"""Edits that change the formatting throughout a text but keep the words."""


def version(rng: Writer, text: str, most: int = 6) -> tuple[str, bool]:
    """Apply up to `most` random edits and some formatting; also returns whether the result is an unrelated prompt."""
    is_crlf, is_rewritten = "\r\n" in text, rng.random() < 0.02
    lines = text.replace("\r\n", "\n").split("\n")
    edits = [rng.choice(WORDED) for _ in range(rng.randint(1, most))]
    edits += [rng.choice(RESTYLED) for _ in range(rng.choice((0, 0, 0, 1, 1, 2)))]
    edits += [rewritten] * is_rewritten + [wrapper] * (rng.random() < 0.08)
    for edit in edits:
        edit(rng, lines)
    ends = "\r\n" if is_crlf != (rng.random() < 0.05) else "\n"
    return ends.join(lines), is_rewritten


def prompt(rng: Writer) -> str:
    """A random prompt: generated, or an excerpt from `tests/prose/cases`."""
    text = document(rng) if rng.random() < 0.6 else excerpt(rng)
    return text.replace("\n", "\r\n") if rng.random() < 0.05 else text
