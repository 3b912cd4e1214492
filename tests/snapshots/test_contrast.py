"""Every cell of every screen and dialog is readable in our themes and two of Textual's, in true colour and 256 colours.
In terminals with 16 colours or none, no other colour is sent."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gallery import GALLERY
from rich.color import EIGHT_BIT_PALETTE, ColorType
from rich.style import Style
from scenes import prepared_app
from textual._context import visible_screen_stack
from textual.app import App
from textual.css.query import NoMatches
from textual.geometry import Region

from cekura_tui.ui.terminal.capabilities import Colours as Depth
from cekura_tui.ui.theme import MARKS, THEMES, WORDS, contrast

DEPTHS: tuple[Depth, ...] = ("truecolor", "256")


def _colour(colour: object) -> str:
    assert colour is not None
    if colour.type == ColorType.EIGHT_BIT:  # type: ignore[attr-defined]
        return str(EIGHT_BIT_PALETTE[colour.number].hex)  # type: ignore[attr-defined]
    assert colour.type == ColorType.TRUECOLOR, f"a colour that is the terminal's own: {colour}"  # type: ignore[attr-defined]
    return str(colour.triplet.hex)  # type: ignore[attr-defined]


def _is_mark(text: str) -> bool:
    """Whether the text is only frames, rules, bars or signs, which need less contrast than words."""
    return not any(unicodedata.category(character)[0] in "LN" for character in text)


def _in_front(app: App[None]) -> Region:
    """The region to check: an open dialog, because the screen behind it is dimmed on purpose, or else the screen."""
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


def _styles(app: App[None]) -> Iterator[tuple[str, Style]]:
    visible_screen_stack.set(app._background_screens)
    for strip in app.screen._compositor.render_strips():
        yield from ((text, style) for text, style, _ in strip if style is not None)


def _coloured(app: App[None]) -> Iterator[str]:
    yield from (f"{style}: {text.strip()[:40]}" for text, style in _styles(app) if style.color or style.bgcolor)


def _beyond_16(app: App[None]) -> Iterator[str]:
    for text, style in _styles(app):
        if any(colour is not None and colour.type != ColorType.STANDARD for colour in (style.color, style.bgcolor)):
            yield f"{style}: {text.strip()[:40]}"


Look = tuple[str, Depth, Callable[[App[None]], Iterator[str]]]
LOOKS: list[Look] = [
    *((theme, depth, _unreadable) for theme in (*THEMES, "catppuccin-latte", "solarized-dark") for depth in DEPTHS),
    *((theme, "16", _beyond_16) for theme in THEMES),
    (THEMES[0], "none", _coloured),
]
"""Looks as (theme, colours of the terminal, function that finds wrong cells)."""


async def _wrong_cells(home: Path, scene: str, look: Look) -> set[str]:
    theme, colours, wrong = look
    with prepared_app(home, colours=colours) as app:
        app.theme = theme
        async with app.run_test(size=(120, 36)) as pilot:
            await GALLERY[scene](pilot)
            return {f"{scene}, {theme}, {colours}: {what}" for what in wrong(app)}


@pytest.mark.long
async def test_every_cell_of_every_screen_has_a_readable_colour_that_the_terminal_has(proposed: Path) -> None:
    """Checks each screen in one look, and each look on some screens."""
    for scene, look in zip(GALLERY, itertools.cycle(LOOKS), strict=False):
        assert await _wrong_cells(proposed, scene, look) == set()


@pytest.mark.nightly
@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
@pytest.mark.parametrize("scene", GALLERY)
async def test_every_screen_has_readable_colours_in_every_look(proposed: Path, scene: str, look: Look) -> None:
    assert await _wrong_cells(proposed, scene, look) == set()
