"""Text is readable on every ground that it is drawn on, in all themes, in true colour and with 256 colours."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from textual.theme import BUILTIN_THEMES, Theme

from cekura_tui.ui.few_colours import reduce_colours
from cekura_tui.ui.terminal.capabilities import Colours as Depth
from cekura_tui.ui.theme import CHIPS, GROUNDS, INKS, MARKS, TINTS, WORDS, colours_of, contrast, themes, tokens
from cekura_tui.ui.theme import THEMES as OURS

THEMES = {theme.name: theme for theme in (*themes(), *BUILTIN_THEMES.values()) if not theme.ansi}


def _drawn(made: dict[str, str]) -> Iterator[tuple[str, str, float]]:
    """(ink, ground, required contrast) of every pair that is drawn."""
    yield from ((ink, ground, WORDS) for ink in INKS for ground in GROUNDS)
    yield from ((ink, f"{kind}-ground", WORDS) for kind, ink in CHIPS.items())
    yield from (("text", ground, WORDS) for ground in (*TINTS, "selection"))
    yield from ((ink, f"{side}-ground", WORDS) for side in ("added", "removed") for ink in (side, "muted"))
    yield ("background", "accent", WORDS)  # a button that has the focus
    yield from ((ink, ground, MARKS) for ink in ("faint", "focus") for ground in GROUNDS)


def _made(theme: Theme, depth: Depth) -> dict[str, str]:
    return reduce_colours(tokens(colours_of(theme, theme.to_color_system().generate())), depth, dark=theme.dark)


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("depth", ["truecolor", "256"])
def test_every_ink_is_readable_on_its_grounds_and_caller_and_agent_differ(name: str, depth: Depth) -> None:
    made = _made(THEMES[name], depth)
    too_faint = {
        f"{ink} on {ground}": round(contrast(made[ink], made[ground]), 2)
        for ink, ground, least in _drawn(made)
        if contrast(made[ink], made[ground]) < least
    }
    assert not too_faint
    assert _distance(made["caller"], made["agent"]) > 20
    assert depth != "256" or len({made[ground] for ground in GROUNDS}) == len(GROUNDS), "cursor rows are visible"


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("depth", ["truecolor", "256"])
@pytest.mark.parametrize("blind", ["protanopia", "deuteranopia"])
def test_states_look_different_with_red_green_blindness(name: str, depth: Depth, blind: str) -> None:
    made = _made(THEMES[name], depth)
    states = {name: _seen(made[name], blind) for name in ("success", "warning", "error", "info")}
    distances = {pair: _distance(states[pair[0]], states[pair[1]]) for pair in itertools.combinations(states, 2)}
    assert {pair: distance for pair, distance in distances.items() if distance < 15} == {}


# Machado, Oliveira and Fernandes 2009, severity 1
_BLIND = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
}


def _linear(colour: str) -> list[float]:
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def _seen(colour: str, blind: str) -> str:
    linear = _linear(colour)
    mixed = [min(max(sum(w * c for w, c in zip(row, linear, strict=True)), 0), 1) for row in _BLIND[blind]]
    parts = (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in mixed)
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def _lab(colour: str) -> tuple[float, float, float]:
    r, g, b = _linear(colour)
    x, y, z = (
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
    )
    fx, fy, fz = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def _distance(one: str, other: str) -> float:
    """Perceived difference of two colours (CIE 1976; 2.3 is just noticeable)."""
    return float(sum((a - b) ** 2 for a, b in zip(_lab(one), _lab(other), strict=True)) ** 0.5)
