"""How a key is called wherever keys are told of."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.binding import Binding


def key_name(app: App[Any], binding: Binding) -> str:
    """`esc`, `^g`, `enter`, `/`."""
    # Textual's sign for it is in few fonts, and the prose of the pages says the word.
    return "enter" if binding.key == "enter" else app.get_key_display(binding)
