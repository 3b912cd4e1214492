"""Lists of a prompt assembled from parts of other prompts are renumbered, and nothing else changes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from itertools import dropwhile
from operator import attrgetter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.prose.numbers import renumbered

STYLES = ("{}. ", "{}) ", "({}) ", "**{}.** ", "Step {}: ", "**Rule {}:** ")
_NUMBER = re.compile(r"(?m)^((?:## )?[ ]*[*(]*(?:Step |Rule )?)\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Rules:
    """A list of items with unique words; an item may contain a list or be a paragraph inside the list."""

    name: str
    style: str
    start: int = 1
    step: int = 1
    items: tuple[Rule, ...] = ()

    def of(self, items: Iterable[Rule]) -> Rules:
        """A copy of this list with these items; leading paragraphs are dropped."""
        return replace(self, items=tuple(dropwhile(attrgetter("is_paragraph"), items)))


@dataclass(frozen=True)
class Rule:
    words: str
    inside: tuple[Rules, ...] = ()
    is_paragraph: bool = False


@dataclass
class Page:
    lines: list[str] = field(default_factory=list)
    written: dict[tuple[str, str], str] = field(default_factory=dict)
    """The line of each item, by the name of the item's list and the item's words."""

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


def page(rules: Rules) -> Page:
    """Write a document, a list of sections; each section begins with a heading."""
    found = Page()
    _write(found, rules, "", "")
    return found


def _write(page: Page, rules: Rules, indent: str, section: str) -> None:
    number = rules.start
    for rule in rules.items:
        if rule.is_paragraph:
            page.lines += ["", indent + rule.words, ""]
            continue
        mark = rules.style.format(f"{section}.{number}" if rules.name.startswith("dot") else number)
        line = f"{indent}{mark}{rule.words}"
        page.lines.append(line)
        page.written[rules.name, rule.words] = line
        for inside in rule.inside:
            is_section = rules.style.startswith("#")
            page.lines += [""] * is_section
            _write(page, inside, "" if is_section else indent + "   ", str(number))
            page.lines += [""] * is_section
        number += rules.step


class Writer:
    """Generates random documents and changed versions of these documents."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.count = 0
        self.start = rng.choice((0, 1, 1))

    def words(self) -> str:
        self.count += 1
        return f"Rule of topic{self.count} for the caller."

    def document(self) -> Rules:
        style = self.rng.choice(("## {}. ", "## "))
        self.kinds = ("list", "list", "dotted") if "{}" in style else ("list",)
        return Rules("sections", style, 1, 1, tuple(self.section() for _ in range(self.rng.randint(1, 3))))

    def section(self) -> Rule:
        return Rule(self.words(), (self.rules(self.rng.choice(self.kinds), 0),))

    def rules(self, kind: str, depth: int) -> Rules:
        self.count += 1
        style = self.rng.choice(STYLES) if kind == "list" else "{} "
        step = self.rng.choice((1, 1, 1, 0)) if kind == "list" and self.start else 1
        # Two items "1." with a paragraph between them could also be two lists.
        items = tuple(self.item(depth, new=not step) for _ in range(self.rng.randint(2, 5)))
        return Rules(f"{kind}{self.count}", style, self.start if kind == "list" else 1, step).of(items)

    def item(self, depth: int, *, new: bool = False) -> Rule:
        if self.rng.random() < 0.1 and not new:
            return Rule(self.words(), (), True)
        inside = (self.rules("list", depth + 1),) if depth < 2 and self.rng.random() < 0.2 else ()
        return Rule(self.words(), inside)

    def version(self, rules: Rules, depth: int = 0) -> Rules:
        """A copy of the list with random items removed, inserted or moved."""
        items = [
            replace(item, inside=tuple(self.version(one, depth + 1) for one in item.inside)) for item in rules.items
        ]
        # Keep one item before a paragraph, or the list after it could not be recognised as the same.
        kept = {rules.items[0].words} if any(item.is_paragraph for item in items) else set()
        for _ in range(self.rng.choice((0, 1, 1, 2, 3))):
            at = self.rng.randint(0, len(items))
            what = self.rng.choice(("in", "out", "move"))
            if what == "in":
                items.insert(at, self.section() if rules.name == "sections" else self.item(depth, new=True))
            elif at < len(items) and not (items[at].is_paragraph or items[at].words in kept):
                item = items.pop(at)
                if what == "move":
                    items.insert(self.rng.randint(0, len(items)), item)
        return rules.of(items)

    def mixture(self, one: Rules, other: Rules) -> Rules:
        """All items that both lists have, and about half of the items that only one list has."""
        found: list[Rule] = []
        words = [[item.words for item in rules.items] for rules in (one, other)]
        for op, a, b, c, d in SequenceMatcher(None, *words, autojunk=False).get_opcodes():
            if op == "equal":
                found += [self.mixed_item(*pair) for pair in zip(one.items[a:b], other.items[c:d], strict=True)]
            else:
                taken = [item for item in (*one.items[a:b], *other.items[c:d]) if self.rng.random() < 0.5]
                found += [item for item in taken if item.words not in {other.words for other in found}]
        return one.of(found)

    def mixed_item(self, one: Rule, other: Rule) -> Rule:
        return replace(one, inside=tuple(map(self.mixture, one.inside, other.inside)))


def mixed(rng: Random, mixture: Page, *sources: Page) -> str:
    """The text of a mixture; each item is written as in a random source that has this item."""
    lists = {line: key for key, line in mixture.written.items()}
    lines = []
    for line in mixture.lines:
        written = [source.written[lists[line]] for source in sources if lists.get(line) in source.written]
        lines.append(rng.choice(written) if written else line)
    return "".join(f"{line}\n" for line in lines)


def without_numbers(text: str) -> str:
    return _NUMBER.sub(r"\1#", text)


@given(st.integers(0, 10**9))
def test_lists_of_a_merged_text_are_renumbered_and_nothing_else_changes(seed: int) -> None:
    writer = Writer(Random(seed))
    first = writer.document()
    second = writer.version(first)
    mixture = page(writer.mixture(first, second))
    one, other = page(first), page(second)
    for side in (one, other):
        assert renumbered(side.text, one.text, other.text) == side.text
        assert renumbered(f"{side.text}More.\n", one.text, other.text) == f"{side.text}More.\n"
    text = mixed(writer.rng, mixture, one, other)
    found = renumbered(text, one.text, other.text)
    assert without_numbers(found) == without_numbers(text)
    assert found == mixture.text
    third = writer.version(first)
    mixture = page(writer.mixture(writer.mixture(first, second), third))
    pages = [page(version) for version in (first, second, third)]
    text = mixed(writer.rng, mixture, *pages)
    assert renumbered(text, *(one.text for one in pages)) == mixture.text, "both sides added to one list"


@pytest.mark.parametrize(
    ("text", "first", "expected"),
    [
        ("01. k\n03. m\n", "01. k\n02. l\n03. m\n", "01. k\n02. m\n"),
        ("**1. K**\nk\n**3. M**\n", "**1. K**\nk\n**2. L**\n**3. M**\n", "**1. K**\nk\n**2. M**\n"),
        ("1. k\n4. n\n5. o\n", "1. k\n2. l\n4. n\n5. o\n", "1. k\n2. n\n3. o\n"),
        ("x\n1. k\n2. l\n4. n\n", "1. k\n2. l\n4. n\n", "x\n1. k\n2. l\n4. n\n"),  # skips 3 on purpose
        ("1. k\n\nThen:\n\n3. m\n", "1. k\n2. l\n\nThen:\n\n3. m\n", "1. k\n\nThen:\n\n2. m\n"),
        ("1. k\n2. l\n\n2. n\n3. o\n", "1. k\n2. l\n\n1. m\n2. n\n3. o\n", "1. k\n2. l\n\n1. n\n2. o\n"),
        ("1. k x\n3. m\n", "1. k\n2. l\n3. m\n", "1. k x\n2. m\n"),
        ("1. k\n3. m\n\nThen:\n\n4. x\n", "1. k\n2. l\n3. m\n", "1. k\n2. m\n\nThen:\n\n3. x\n"),
        ("1. k\n3. m\n\nThen:\n\n7. x\n", "1. k\n2. l\n3. m\n", "1. k\n2. m\n\nThen:\n\n7. x\n"),
        ("١. k\n٣. m\n", "١. k\n٢. l\n٣. m\n", "١. k\n٢. m\n"),
        (
            "1. FEES\n2) l\n2. **End**\n1) n\n",
            "1. FEES\n1) k\n2) l\n2. **End**\n1) n\n",
            "1. FEES\n1) l\n2. **End**\n1) n\n",
        ),
        ("1. STOP\n3. k\n", "1. STOP\n2. l\n3. k\n\nThen:\n\n1. m\n", "1. STOP\n2. k\n"),
        ("1. k\r\n3. m\r\n", "1. k\n2. l\n3. m\n", "1. k\r\n2. m\r\n"),
    ],
)
def test_lists_of_every_style_are_renumbered(text: str, first: str, expected: str) -> None:
    assert renumbered(text, first, first) == expected


def test_a_list_with_another_style_and_other_words_counts_on() -> None:
    old = "Step 1 – Ask the name now.\nStep 2 – Ask the day.\nStep 3 – Check it. If none, wait a bit.\nStep 4 – Go."
    new = "1. Ask for the whole name, please.\n2. Ask the day.\n3. Check it.\n4. If none, offer to wait.\n5. Go."
    mixed = "1. Ask the name now.\n2. Ask the day.\n3. Check it.\n4. If none, wait a bit.\n5. Go."
    assert renumbered(mixed, old, new) == mixed
    mixed = "Ask now. Say the name\n3. Hold it."
    assert renumbered(mixed, "Ask now. Say the name. Hold it.", "1. Ask now\n2. Say the name\n3. Hold it") == (
        "Ask now. Say the name\n1. Hold it."
    )


def test_a_renumbered_item_keeps_its_own_style() -> None:
    assert renumbered("1. k\n2) x\n2. m\n", "1. k\n2. m\n", "1) k\n2) x\n3) m\n") == "1. k\n2) x\n3. m\n"


@pytest.mark.parametrize("around", ["```\n{}```\n", "~~~json\n{}~~~\n", "- ```\n{}  ```\n"])
def test_numbers_inside_a_fence_are_not_changed(around: str) -> None:
    rules = around.format("1. k\n2. l\n3. m\n")
    assert renumbered(rules.replace("2. l\n", ""), rules) == rules.replace("2. l\n", "")


@pytest.mark.parametrize(
    "line", ["| {}. | {} |", "> {}. {}", '"{}. {}"', "In {}. {}", "{} {}", "{}.5 {}", "Step {} {}"]
)
def test_numbers_that_begin_no_item_are_not_changed(line: str) -> None:
    before = [line.format(n, word) for n, word in enumerate(("k", "l", "m"), 1)]
    text = "\n".join([before[0], before[2]])
    assert renumbered(text, "\n".join(before)) == text
