"""The README's tables of keys say what the program's own tables say."""

from __future__ import annotations

import readme_keys


def test_the_readme_has_the_keys_of_the_tables() -> None:
    text = readme_keys.README.read_text(encoding="utf-8")
    how = "write them with: python tests/support/readme_keys.py --write"
    assert readme_keys.written(text) == text, f"the README's tables of keys are not those of the program; {how}"


def test_keys_are_written_as_on_a_keyboard() -> None:
    written = [readme_keys._key(key) for key in ("question_mark", "left", "pagedown", "ctrl+d", "left_square_bracket")]
    assert written == ["?", "←", "PgDn", "ctrl+d", "["]
