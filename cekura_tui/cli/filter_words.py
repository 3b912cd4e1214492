"""A filter on the command line: how its words are told from options, read, and marked where they are wrong."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cekura_tui.cli.output import say
from cekura_tui.model.errors import UsageError

if TYPE_CHECKING:
    from cekura_tui.model.filter import Filter
    from cekura_tui.model.filter_parse import Wrong

_WIDTH = 76
_MOST = 5


class FilterCommand(click.Command):
    """A command whose arguments are a filter: "-term" asks that the term does not hold, and is no option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Options, then everything else word by word."""
        own = [option for option in self.params if isinstance(option, click.Option)]
        valued = {name for option in own if not option.is_flag for name in option.opts}
        mistakable = {name.lstrip("-") for option in own for name in option.opts}
        options: list[str] = []
        words: list[str] = []
        odd: dict[str, None] = {}
        left = iter(args)
        for word in left:
            if word == "--":
                words += left
            elif word in valued:
                options += [word, *(value for value in [next(left, None)] if value is not None)]
            elif word.startswith("--") or word in ctx.help_option_names:
                options.append(word)
            else:
                words.append(word)
                # A term it may be; it looks like an option that there is not.
                if word[:1] == "-" and (word[1:] in mistakable or (len(word) == 2 and word[1].isalnum())):
                    odd[word] = None
        for word in odd:
            say(f"{word} is taken as: without the word {word[1:]}")
        return super().parse_args(ctx, [*options, "--", *words])


def read_filter(words: Sequence[str]) -> Filter:
    """The filter that these words are; raises UsageError that marks each place that is wrong."""
    from cekura_tui.model.filter_parse import join_words, parse

    text = join_words(words)
    parsed = parse(text)
    if parsed.wrong:
        lines = [line for wrong in parsed.wrong[:_MOST] for line in _marked(text, wrong)]
        raise UsageError("\n".join(["The filter cannot be read.", *dict.fromkeys(lines)]))
    return parsed.filter


def _marked(text: str, wrong: Wrong) -> list[str]:
    """What is around a place, and below it the place marked, and what would be right."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    first = 0 if len(plain) <= _WIDTH else max(0, min(wrong.start - _WIDTH // 3, len(plain) - _WIDTH))
    before = plain[first : wrong.start]
    place = plain[wrong.start : min(wrong.end, first + _WIDTH)]
    mark = " " * _cells(before) + "^" * max(1, _cells(place))
    return [f"  {plain[first : first + _WIDTH]}", f"  {mark} {wrong.message}"]


def _cells(text: str) -> int:
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
