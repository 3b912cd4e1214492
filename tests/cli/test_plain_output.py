"""Output in an encoding with few letters: columns stay, and JSON says the same."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from terminal import PROGRAM, environment

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


def _output(home: Path, encoding: str, *args: str) -> str:
    env = {**environment(home, home), "PYTHONIOENCODING": encoding}
    command = [*PROGRAM, "--demo", "--demo-epoch", "1800000000", *args]
    return subprocess.run(command, env=env, capture_output=True, check=True).stdout.decode(encoding)


@pytest.mark.long
def test_a_table_has_the_same_columns_in_ascii(home: Path) -> None:
    whole, plain = (_output(home, encoding, "runs", "list") for encoding in ("utf-8", "ascii"))
    assert "✓ passed" in whole
    assert "v passed" in plain
    assert [len(line) for line in plain.splitlines()] == [len(line) for line in whole.splitlines()]


@pytest.mark.long
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_json_says_the_same_in_every_encoding(home: Path, encoding: str) -> None:
    args = ("runs", "show", "900223", "--json")
    whole, plain = _output(home, "utf-8", *args), _output(home, encoding, *args)
    assert not whole.isascii()
    assert json.loads(plain) == json.loads(whole)
