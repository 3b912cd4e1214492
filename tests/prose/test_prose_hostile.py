"""The prose diff of texts that are made to be slow: many passages, many words, nothing that tells them apart."""

from __future__ import annotations

import string
from itertools import islice, product

import pytest

from cekura_tui.prose.compare import compare


def _words(letters: int, number: int) -> list[str]:
    return ["".join(word) for word in islice(product(string.ascii_lowercase, repeat=letters), number)]


_NAMES = _words(5, 12_000)
_SMALL = _words(3, 10_000)
_LONG = _words(7, 10_000)
_SAME = "Say the same thing again please.\n\n" * 5_000
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
    "small words between changes": tuple(
        " ".join((*_NAMES, *(f"{word} {one}{end}" for word, one in zip(_SMALL, _LONG, strict=True)))) for end in "rs"
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("name", _TEXTS)
def test_no_text_takes_long_because_of_its_form(name: str) -> None:
    """Each of these took minutes in a form of the diff that compared all with all or went back over what it read."""
    old, new = _TEXTS[name]
    diff = compare(old, new)
    assert (diff.old, diff.new) == (old, new)


def test_very_long_texts_are_compared_by_paragraph_and_this_is_said() -> None:
    paragraphs = [f"Paragraph {n} says that rule {n} holds. It also says why." * 6 for n in range(3_000)]
    other = list(paragraphs)
    other[7] = other[7].replace("why", "how")
    diff = compare("\n\n".join(paragraphs), "\n\n".join(other))
    assert diff.coarse == "compared by paragraph: these texts are very long"
    assert len(diff.hunks) == 1
