"""The README's tables of keys say what the program's own tables say."""

from __future__ import annotations

import readme_keys
from readme_part import README


def test_the_readme_has_the_keys_of_the_program() -> None:
    text = README.read_text(encoding="utf-8")
    how = "write them with: python tests/support/readme_keys.py --write"
    assert readme_keys.written(text) == text, f"the README's tables of keys are not those of the program; {how}"


def test_keys_are_written_as_on_a_keyboard() -> None:
    written = [readme_keys._key(key) for key in ("question_mark", "left", "pagedown", "ctrl+d", "left_square_bracket")]
    assert written == ["?", "←", "PgDn", "ctrl+d", "["]


def test_keys_of_the_panes_are_among_the_keys_of_a_run() -> None:
    in_a_run = readme_keys.tables().partition("In a run:")[2].partition("In the list of jobs")[0]
    for row in ("`x` | Raw turn", "`x` | Raw JSON", "`X` | Unfold all tools", "`e` | Evidence", "`esc` | Back"):
        assert f"| {row} |" in in_a_run
