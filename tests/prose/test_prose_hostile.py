"""The prose diff of pathological texts, with very many passages or words, or without unique words."""

from __future__ import annotations

import string
import sys
from collections.abc import Callable
from itertools import islice, product
from types import FrameType

import pytest

from cekura_tui.prose.compare import compare
from cekura_tui.prose.units import units_of_both


def _words(letters: int, number: int) -> list[str]:
    return ["".join(word) for word in islice(product(string.ascii_lowercase, repeat=letters), number)]


_NAMES = _words(5, 12_000)
_SMALL = _words(3, 10_000)
_LONG = _words(7, 10_000)
_SAME = "Say the same thing again please.\n\n" * 5_000
_ITEMS = [f"- {n} has {n % 900} rules\n" for n in range(3_900)]
_LINES = [f"{n} rules hold.\n" for n in range(5_000)]


_TEXTS = {
    "dots": ("." * 60_000, "." * 60_000 + " x"),
    "headings without words": ("#" * 60_000, "#" * 60_000 + " x"),
    "items without words": ("- " * 30_000, "- " * 30_000 + " x"),
    "open braces": ("{{" * 30_000, "{{" * 30_000 + " x"),
    "empty lines": ("\n" * 60_000, "\n" * 60_000 + " x"),
    "open tags": ("<a " * 30_000, "<a" * 30_000),
    "fences": ("```\n" * 9_000, "~~~\n" * 9_000),
    "two words": ("ab " * 7_000, "ab ba " * 3_500),
    "marks": ("!?" * 10_000, "?!!" * 7_000),
    "one line": ("same line\n" * 5_000, "same line\n" * 4_000 + "other\n" + "same line\n" * 500),
    "a word in each line": ("".join(_LINES), "".join(line.replace("rules", "laws") for line in _LINES)),
    "short paragraphs": ("a b\n\n" * 2_000, "b a c\n\n" * 2_000),
    "one sentence that became many": (" ".join(_NAMES), "".join(f"- {name}\n" for name in _NAMES)),
    "one paragraph between others": (f"Start here.\n\n{_SAME}End there.", f"Begin now.\n\n{_SAME}Stop then."),
    "all before the first": ("Hello dear.", "".join(f"- item of {name}\n" for name in _NAMES) + "Hello dear there"),
    "all behind the last": ("Hello dear.\n", "Hello dear.\n" + "".join(f"- item of {name}\n" for name in _NAMES)),
    "white space behind the last word": ("Be kind." + " " * 200_000, "Be kind." + " " * 200_000 + "b"),
    "dashes": ("- " * 60_000, "— " * 60_000),
    "items in another order": tuple("".join(items) for items in (_ITEMS, _ITEMS[::-1])),
    "deep items": tuple("".join(f"{' ' * (n % 1_000)}{mark} w{n}\n" for n in range(3_000)) for mark in "-*"),
    "small words between changes": tuple(
        " ".join((*_NAMES, *(f"{word} {one}{end}" for word, one in zip(_SMALL, _LONG, strict=True)))) for end in "rs"
    ),
}
_OFTEN = "items in another order"  # the slowest one


@pytest.mark.parametrize(
    "name", [name if name == _OFTEN else pytest.param(name, marks=pytest.mark.nightly) for name in _TEXTS]
)
@pytest.mark.long
def test_pathological_texts_are_compared_quickly(name: str) -> None:
    """An algorithm that compares all pairs or backtracks would take minutes for each of these texts."""
    old, new = _TEXTS[name]
    diff = compare(old, new)
    assert (diff.old, diff.new) == (old, new)


_TWICE = {
    "apostrophes behind an open quotation mark": (
        'He says "so. {}',
        "He says “so. {}",
        "Don't say {}. ",
        "Don’t say {}. ",
    ),
    "underlined titles that go": ("{}", "x{}", "Title {}\n---\n", ""),
    "underlined titles that come": ("x{}", "{}", "", "Title {}\n---\n"),
}


def _lines_run(old: str, new: str) -> int:
    """The number of lines of Python that a comparison runs."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Callable[..., object]:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        compare(old, new)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("name", _TWICE)
@pytest.mark.long
def test_twice_the_text_takes_about_twice_the_work(name: str) -> None:
    work = []
    for number in (600, 1_200):
        old, new = (
            text.format("".join(part.format(n) for n in range(number)))
            for text, part in zip(_TWICE[name][:2], _TWICE[name][2:], strict=True)
        )
        work.append(_lines_run(old, new))
    assert work[1] < 2.1 * work[0]


@pytest.mark.parametrize(("number", "kinds"), [(1_000, ["changed", "layout"]), (1_400, ["changed", "layout"])])
def test_very_long_texts_are_compared_by_paragraph_with_a_note(number: int, kinds: list[str]) -> None:
    paragraphs = [f"Paragraph {n} says that rule {n} holds. It also says why." * 6 for n in range(number)]
    other = [text.replace("why", {7: "how", 9: "**why**"}.get(n, "why")) for n, text in enumerate(paragraphs)]
    diff = compare("\n\n".join(paragraphs), "\n\n".join(other))
    assert diff.coarse == "compared by paragraph: these texts are very long"
    assert [hunk.kind for hunk in diff.hunks] == kinds


def test_very_many_lines_are_compared_as_one_change_with_a_note() -> None:
    lines = [f"- {n} holds.\n" for n in range(30_000)]
    other = [*lines[:100], "- 100 fell.\n", *lines[101:20_000], *lines[20_001:]]
    old, new = "".join(lines), "".join(other)
    diff = compare(old, new)
    assert diff.coarse == "compared as a whole: these texts have very many lines or items"
    assert (diff.old, diff.new) == (old, new)
    [hunk] = diff.hunks
    assert hunk.line == 101
    assert (hunk.old, hunk.new) == ("".join(lines[100:20_001]).strip(), "".join(other[100:20_000]).strip())


@pytest.mark.long
def test_the_number_of_aligned_units_is_bounded() -> None:
    for text in ("Ask him. Tell her. " * 9_000, "- item\n" * 9_000, "| a | b |\n" * 9_000, "word\n\n" * 9_000):
        for other in (f"{text}End.", ""):
            old, new, coarse = units_of_both(text, other)
            assert len(old[0]) + len(new[0]) <= 8_000
            assert coarse


@pytest.mark.long
def test_very_many_restyled_quotes_are_one_hunk_with_few_spans() -> None:
    old = " ".join(f'say "w{n}"' for n in range(12_000))
    new = " ".join(f"say “w{n}”" for n in range(12_000))
    diff = compare(old, new)
    assert [hunk.kind for hunk in diff.hunks] == ["layout"]
    assert (diff.old, diff.new) == (old, new)
    assert sum(len(piece.spans) for piece in diff.pieces) < 40_000  # not five for each word
