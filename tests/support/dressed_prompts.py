"""Random pairs of prompts in two house styles: the answer restyles the sent prompt, moves and changes its parts, and
may be wrapped. Prompts are made from parts, so that both texts are well-formed in every combination."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple

from prompt_edits import Writer

_TITLES = {
    "heading": "## {name}",
    "numbered heading": "## {n}. {name}",
    "numbered capitals": "{n}. {capitals}",
    "numbered bold": "{n}.  **{name}**",
    "step": "### Step {n}: {name}",
    "bold": "**{name}**",
    "capitals": "{capitals}",
    "colon": "{name}:",
    "underlined": "{name}\n{line}",
}
_TOOLS = ("look_up", "book_slot", "send_link", "cancel_order", "transfer_call", "update_plan")


@dataclass
class Item:
    """A rule, a line or a sentence. `text` has `names` of tools, "quotations" and **stress** as they are written at
    most; a style takes marks away."""

    text: str
    label: str = ""


@dataclass
class Block:
    """Items that are rendered as bullets, numbers, lines or one paragraph."""

    kind: str
    items: list[Item]


@dataclass
class Section:
    name: str
    blocks: list[Block]


class Style(NamedTuple):
    """How a prompt is written."""

    title: str = "heading"
    bullet: str = "-"
    number: str = "{}."
    bold: bool = True
    ticks: bool = True
    stops: bool = True
    curly: bool = False
    gap: bool = True

    def written(self, prompt: list[Section]) -> str:
        return "\n\n".join(self._section(section, n) for n, section in enumerate(prompt, 1)) + "\n"

    def _section(self, section: Section, n: int) -> str:
        name = section.name
        title = _TITLES[self.title].format(n=n, name=name, capitals=name.upper(), line="-" * len(name))
        blocks = [self._block(block) for block in section.blocks if block.items]
        return ("\n\n" if self.gap else "\n").join([title, "\n\n".join(blocks)]) if blocks else title

    def _block(self, block: Block) -> str:
        if block.kind == "paragraph":
            return " ".join(self._replace(stops=True)._words(item) for item in block.items)
        marks = {"bullets": f"{self.bullet} ", "numbers": f"{self.number} ", "lines": ""}
        return "\n".join(marks[block.kind].format(n) + self._words(item) for n, item in enumerate(block.items, 1))

    def _words(self, item: Item) -> str:
        label = f"**{item.label}:** " if item.label else ""
        text = label + item.text
        if not self.bold:
            text = text.replace("**", "")
        if not self.ticks:
            text = text.replace("`", "")
        if self.curly:
            text = re.sub(r'"([^"]*)"', "“\\1”", text)
        return text if self.stops or item.text.startswith("[") else text.removesuffix(".")


def style(rng: Writer) -> Style:
    flags = (rng.random() < 0.5 for _ in range(5))
    return Style(rng.choice(list(_TITLES)), rng.choice("--*•"), rng.choice(("{}.", "{}.", "{})")), *flags)


def _item(rng: Writer) -> Item:
    return Item(rng.sentence(), rng.choice(("", "", rng.thing().capitalize())))


def _line(rng: Writer) -> Item:
    if rng.random() < 0.3:
        return Item(f"[Tool: {rng.choice(_TOOLS)}({rng.thing().replace(' ', '_')}={rng.randint(1, 99)})]")
    return Item(f"{rng.choice(('Caller', 'Agent'))}: {rng.sentence()}")


def _block(rng: Writer) -> Block:
    kind = rng.choice(("bullets", "bullets", "numbers", "numbers", "lines", "paragraph"))
    make = _line if kind == "lines" else _item if kind != "paragraph" else lambda rng: Item(rng.sentence())
    return Block(kind, [make(rng) for _ in range(rng.randint(2, 5))])


def _prompt(rng: Writer) -> list[Section]:
    names = dict.fromkeys(rng.title() for _ in range(rng.randint(2, 5)))
    return [Section(name, [_block(rng) for _ in range(rng.choice((1, 1, 2)))]) for name in names]


# Changes of words and order


@dataclass
class _Changed:
    """The prompt that is being changed."""

    rng: Writer
    prompt: list[Section]
    blocks: list[Block] = field(init=False)

    def __post_init__(self) -> None:
        self.blocks = [block for section in self.prompt for block in section.blocks]

    def one(self) -> tuple[Block, int]:
        """A random item, as its block and its index."""
        block = self.rng.choice([block for block in self.blocks if block.items] or [Block("lines", [Item("Wait.")])])
        return block, self.rng.randrange(len(block.items))

    def item_in(self) -> None:
        block, at = self.one()
        make = _line if block.kind == "lines" else _item if block.kind != "paragraph" else lambda r: Item(r.sentence())
        block.items.insert(at + self.rng.randint(0, 1), make(self.rng))

    def item_out(self) -> None:
        block, at = self.one()
        del block.items[at]

    def item_reworded(self) -> None:
        block, at = self.one()
        block.items[at].text = self.rng.reworded(block.items[at].text)

    def label_in(self) -> None:
        block, at = self.one()
        if block.kind in ("bullets", "numbers"):
            block.items[at].label = "" if block.items[at].label else self.rng.thing().capitalize()

    def item_moved(self) -> None:
        block, at = self.one()
        item = block.items.pop(at)
        places = [other for other in self.blocks if (other.kind == "lines") == (block.kind == "lines")]
        other = block if self.rng.random() < 0.5 else self.rng.choice(places)
        other.items.insert(self.rng.randint(0, len(other.items)), item)
        if self.rng.random() < 0.4:
            item.text = self.rng.reworded(item.text)

    def neighbours_exchanged(self) -> None:
        block, at = self.one()
        block.items[at : at + 2] = block.items[at : at + 2][::-1]

    def section_moved(self) -> None:
        section = self.prompt.pop(self.rng.randrange(len(self.prompt)))
        self.prompt.insert(self.rng.randint(0, len(self.prompt)), section)
        if self.rng.random() < 0.5:
            block = self.rng.choice(section.blocks)
            block.items.insert(self.rng.randint(0, len(block.items)), Item(self.rng.sentence()))

    def section_in(self) -> None:
        new = Section(self.rng.title(), [_block(self.rng)])
        if new.name not in [section.name for section in self.prompt]:
            self.prompt.insert(self.rng.randint(0, len(self.prompt)), new)

    def kind_changed(self) -> None:
        block, _ = self.one()
        if block.kind != "lines":
            block.kind = self.rng.choice(("bullets", "numbers", "paragraph"))


_CHANGES: tuple[Callable[[_Changed], None], ...] = (
    *(_Changed.item_in, _Changed.item_in, _Changed.item_out, _Changed.item_reworded, _Changed.item_reworded),
    *(_Changed.label_in, _Changed.item_moved, _Changed.item_moved, _Changed.neighbours_exchanged),
    *(_Changed.section_moved, _Changed.section_in, _Changed.kind_changed),
)


# Wrappers


def _quoted(text: str) -> str:
    return "".join(f"> {line}" if line.strip() else f">{line}" for line in text.splitlines(True))


_LEAD = "Here is the improved prompt:\n\n"
_WRAPPERS: tuple[Callable[[str], str], ...] = (
    lambda text: f"```\n{text}```\n",
    lambda text: f"{_LEAD}```markdown\n{text}```\n\nI made the rules shorter. Let me know what you think!\n",
    lambda text: _LEAD + text,
    lambda text: f"{_LEAD}{_quoted(text)}",
    lambda text: _LEAD + "".join(f"    {line}" if line.strip() else line for line in text.splitlines(True)),
    lambda text: json.dumps(text, ensure_ascii=False),
    _quoted,
    lambda text: f"```markdown\n{text}",
)


def dressed_pair(rng: Writer) -> tuple[str, str]:
    """A sent prompt and an answer that may differ in style, words and order, and may be wrapped."""
    sent_style, new = style(rng), style(rng)
    prompt = _prompt(rng)
    sent = sent_style.written(prompt)
    is_restyled, is_wrapped = rng.random() < 0.75, rng.random() < 0.3
    changed = _Changed(rng, deepcopy(prompt))
    for _ in range(rng.choice((0, 1, 1, 2, 3, 5))):
        rng.choice(_CHANGES)(changed)
    differs = [name for name in Style._fields if rng.random() < 0.4]
    answer_style = sent_style._replace(**{name: getattr(new, name) for name in differs if is_restyled})
    answer = answer_style.written(changed.prompt)
    if is_wrapped:
        answer = rng.choice(_WRAPPERS)(answer)
    is_open = rng.random() < 0.05  # a fence that the writer of the prompt never closed
    return "```\n" * is_open + sent, answer
