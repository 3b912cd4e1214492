"""What is really drawn can be read: every cell of every screen and dialog, in our themes and in two of Textual's."""

from __future__ import annotations

import asyncio
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from gallery import GALLERY
from rich.color import ColorType
from scenes import prepared_app
from textual._context import visible_screen_stack
from textual.app import App
from textual.css.query import NoMatches
from textual.geometry import Region

from cekura_tui.ui.theme import MARKS, THEMES, WORDS, contrast

pytestmark = pytest.mark.long


def _colour(colour: object) -> str:
    assert colour is not None
    assert colour.type == ColorType.TRUECOLOR, f"a colour that is the terminal's own: {colour}"  # type: ignore[attr-defined]
    return str(colour.triplet.hex)  # type: ignore[attr-defined]


def _is_mark(text: str) -> bool:
    """Frames, rules, bars and single signs: whoever sees that they are there has read them."""
    return not any(unicodedata.category(character)[0] in "LN" for character in text)


def _in_front(app: App[None]) -> Region:
    """What is for the reader now: behind a dialog everything is meant to be pale."""
    try:
        return app.screen.query_one(".dialog").region if app.screen.is_modal else app.screen.region
    except NoMatches:
        return app.screen.region


def _unreadable(app: App[None]) -> Iterator[str]:
    visible_screen_stack.set(app._background_screens)
    front = _in_front(app)
    for y, strip in enumerate(app.screen._compositor.render_strips()):
        if not front.y <= y < front.bottom:
            continue
        for text, style, _ in strip.crop(front.x, front.right):
            if not text.strip() or style is None:
                continue
            assert not style.dim, text
            ink, ground = _colour(style.color), _colour(style.bgcolor)
            if style.reverse:
                ink, ground = ground, ink
            if contrast(ink, ground) < (MARKS if _is_mark(text) else WORDS):
                yield f"{ink} on {ground} ({contrast(ink, ground):.2f}): {text.strip()[:40]}"


@pytest.mark.parametrize("theme", [*THEMES, "catppuccin-latte", "solarized-dark"])
def test_every_cell_of_every_screen_can_be_read(proposed: Path, theme: str) -> None:
    found: Counter[str] = Counter()

    async def look(name: str) -> None:
        with prepared_app(proposed) as app:
            app.theme = theme
            async with app.run_test(size=(120, 36)) as pilot:
                await GALLERY[name](pilot)
                found.update({f"{name}: {what}" for what in _unreadable(app)})

    for name in GALLERY:
        asyncio.run(look(name))
    assert not found, "\n".join(sorted(found))
