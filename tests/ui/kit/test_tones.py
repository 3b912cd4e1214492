"""The tones that screens draw in have their ink in the style sheet, and the other way round."""

from __future__ import annotations

import re
from pathlib import Path

from cekura_tui.ui.kit.lines import CHIP_CLASSES, TONE_CLASSES, TONES

_SHEET = Path(__file__).parents[3] / "styles" / "kit.tcss"
_RULE = re.compile(r"^\.((?:tone|chip)--[\w-]+) \{\s*color: (\$[\w-]+);", re.MULTILINE)


def test_each_tone_has_the_same_ink_in_text_and_as_a_state_of_a_list() -> None:
    inks = dict(_RULE.findall(_SHEET.read_text()))
    assert inks.keys() == TONE_CLASSES | CHIP_CLASSES
    assert inks == {name: TONES[name.partition("--")[2]] for name in inks}
