"""Output in an encoding with few letters: columns stay, and JSON says the same."""

from __future__ import annotations

import json

import pytest
from calling import call

from cekura_tui.model.plain import PLAIN


@pytest.mark.parametrize(
    ("encoding", "text", "written"),
    [
        ("ascii", "✓ passed · café 漢字 …", b"v passed . caf? ?? ~"),
        ("latin-1", "✗ failed · café 漢字", "x failed · café ??".encode("latin-1")),
        ("ascii", "12\u00a0% — a\U0001f600b", b"12?% - a?b"),
    ],
)
def test_each_character_that_an_encoding_lacks_is_one_plain_character(encoding: str, text: str, written: bytes) -> None:
    assert text.encode(encoding, PLAIN) == written


def printed(encoding: str, *words: object) -> str:
    """What a command prints to a stream of this encoding."""
    return call(*words, encoding=encoding).raw.decode(encoding)


def test_a_table_has_the_same_columns_in_ascii(demo: object) -> None:
    whole, plain = (printed(encoding, "runs", "list") for encoding in ("utf-8", "ascii"))
    assert "✓ passed" in whole
    assert "v passed" in plain
    assert [len(line) for line in plain.splitlines()] == [len(line) for line in whole.splitlines()]


def test_json_says_the_same_in_every_encoding(demo: object) -> None:
    words = ("runs", "show", 900_223, "--json")
    whole, *plain = (printed(encoding, *words) for encoding in ("utf-8", "ascii", "latin-1"))
    assert not whole.isascii()
    assert [json.loads(one) for one in plain] == [json.loads(whole)] * 2
