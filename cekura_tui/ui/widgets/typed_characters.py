"""Which keys are text: also characters that have no ink of their own, which Textual takes for no text."""

from __future__ import annotations

import unicodedata

from textual import events

from cekura_tui.model.text import clean

_NO_TEXT = ("Cc", "Cs", "Co", "Zl", "Zp")
"""Controls, halves of characters, ends of lines; and what terminals send for keys that have no character."""


def text_of(event: events.Key) -> str | None:
    """What a key types; None for one that is none, as one pressed with alt."""
    return event.character if is_typed(event.character) and not event.key.startswith("alt+") else None


def is_typed(character: str | None) -> bool:
    """Whether a keyboard means this as text: joiners and marks of direction, spaces of any kind, emoji that are newer
    than this Python. What `clean()` removes is not: nobody would see that it is there."""
    if character is None or len(character) != 1:
        return False
    return character.isprintable() or (
        unicodedata.category(character) not in _NO_TEXT and clean(character) == character
    )
