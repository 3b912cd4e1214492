"""The README's table of questions about the code names files that define the answers."""

from __future__ import annotations

import re
from pathlib import Path

_REPO = Path(__file__).parents[1]
_ROWS = re.findall(r"^\| (.+\?) \| `([\w/.]+)` \| `(\w+)` \|$", (_REPO / "README.md").read_text(), re.MULTILINE)


def test_every_answer_in_the_table_of_the_readme_names_the_right_file() -> None:
    assert len(_ROWS) >= 10
    wrong = []
    for question, file, name in _ROWS:
        defined = rf"^\s*(async )?(def|class) {name}\b|^\s*{name}\b.* = "
        if not re.search(defined, (_REPO / file).read_text(), re.MULTILINE):
            wrong.append(question)
    assert wrong == []
