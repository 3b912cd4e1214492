"""The tones that screens draw in have the same ink in code and style sheet."""

from __future__ import annotations

import re
from pathlib import Path

from cekura_tui.ui.kit.lines import CHIP_CLASSES, TONE_CLASSES, TONES

_SHEET = Path(__file__).parents[3] / "styles" / "kit.tcss"
_RULE = re.compile(r"^\.((?:tone|chip)--[\w-]+) \{\s*color: (\$[\w-]+);", re.MULTILINE)


def test_each_tone_has_the_same_ink_in_code_and_style_sheet() -> None:
    inks = dict(_RULE.findall(_SHEET.read_text()))
    assert inks.keys() == TONE_CLASSES | CHIP_CLASSES
    assert inks == {name: TONES[name.partition("--")[2]] for name in inks}
