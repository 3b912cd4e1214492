"""What the README says of settings is what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import readme_settings
from readme_part import README

from cekura_tui.config.sources import read_settings_file


def test_the_readme_has_the_settings_of_the_program() -> None:
    text = README.read_text(encoding="utf-8")
    how = "write it with: python tests/support/readme_settings.py --write"
    assert readme_settings.written(text) == text, f"the README's table of settings is not that of the program; {how}"


def test_the_examples_of_settings_in_the_readme_are_right(tmp_path: Path) -> None:
    examples = re.findall(r"^```toml\n(.*?)^```", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert len(examples) >= 2
    for example in examples:
        path = tmp_path / "config.toml"
        path.write_text(example)
        assert read_settings_file(path).problems == ()
