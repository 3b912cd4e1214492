"""Output in an encoding that lacks characters keeps its columns aligned, and JSON keeps its content."""

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
def test_each_character_that_an_encoding_lacks_becomes_one_replacement(
    encoding: str, text: str, written: bytes
) -> None:
    assert text.encode(encoding, PLAIN) == written


def printed(encoding: str, *words: object) -> str:
    """The output of a command on a stream with this encoding."""
    return call(*words, encoding=encoding).raw.decode(encoding)


def test_columns_of_a_table_stay_aligned_in_ascii(demo: object) -> None:
    whole, plain = (printed(encoding, "runs", "list") for encoding in ("utf-8", "ascii"))
    assert "✓ passed" in whole
    assert "v passed" in plain
    assert [len(line) for line in plain.splitlines()] == [len(line) for line in whole.splitlines()]


@pytest.mark.parametrize("options", [["--json"], ["--transcript", "--json"]], ids=" ".join)
def test_json_has_the_same_content_in_every_encoding(options: list[str], demo: object) -> None:
    words = ("runs", "show", 900_223, *options)
    whole, *plain = (printed(encoding, *words) for encoding in ("utf-8", "ascii", "latin-1"))
    assert not whole.isascii()
    assert [json.loads(one) for one in plain] == [json.loads(whole)] * 2
