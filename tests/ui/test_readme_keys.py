"""The README's tables of keys say what the program's own tables say."""

from __future__ import annotations

import readme_keys
from readme_part import README

from cekura_tui.model.filter.filter import KEYS


def test_the_readme_has_the_keys_of_the_program() -> None:
    text = README.read_text(encoding="utf-8")
    how = "write them with: python tests/support/readme_keys.py --write"
    assert readme_keys.written(text) == text, f"the README's tables of keys are not those of the program; {how}"
    assert [key.name for key in KEYS if f"`{key.start}" not in text] == [], "terms of a filter are not in it"
