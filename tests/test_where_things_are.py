"""The page of the README for those who look for something in the code leads to what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_REPO = Path(__file__).parents[1]
_ROWS = re.findall(r"^\| (.+\?) \| `([\w/.]+)` \| `(\w+)` \|$", (_REPO / "README.md").read_text(), re.MULTILINE)


def test_there_are_ten_questions_at_least() -> None:
    assert len(_ROWS) >= 10


@pytest.mark.parametrize(("question", "file", "name"), _ROWS)
def test_the_answer_to_a_question_is_where_the_page_says(question: str, file: str, name: str) -> None:
    defined = rf"^\s*(async )?(def|class) {name}\b|^\s*{name}\b.* = "
    assert re.search(defined, (_REPO / file).read_text(), re.MULTILINE), question
