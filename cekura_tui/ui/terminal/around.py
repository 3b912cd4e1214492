"""Writing to the terminal around what Textual draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import App


def write_around(app: App[None], text: str) -> None:
    """Write control sequences in one piece, between two writes of Textual; nothing where there is no terminal."""
    # The driver's writer thread takes one text after the other; a stream of our own would cut into one of them.
    driver = app._driver
    if text and driver is not None and not driver.is_headless:
        driver.write(text)
