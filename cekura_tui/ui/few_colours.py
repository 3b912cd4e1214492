"""Colours for terminals with 256 colours (as readable as in true colour), 16 colours (readable in xterm, the Linux
console, Windows and Tango) or no colour (reversed or underlined text instead)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from rich.color import Color, ColorSystem, ColorType
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as TextualColor
from textual.filter import LineFilter

from cekura_tui.ui.terminal.capabilities import Colours as Depth
from cekura_tui.ui.theme import (
    DARK,
    FRAMES,
    GROUNDS,
    INKS,
    MARKS,
    WORDS,
    contrast,
    grounds_of,
    rgb,
    tokens,
    with_textual,
)


def reduce_colours(made: dict[str, str], depth: Depth, *, dark: bool) -> dict[str, str]:
    """Map the theme's colours, by name, to colours that a terminal of this depth can draw."""
    if depth == "256":
        return with_textual(_in_256(made, dark))
    if depth == "16":
        return _DARK_16 if dark else _LIGHT_16
    return _PLAIN if depth == "none" else made


def colour_filter(depth: Depth) -> LineFilter:
    """The filter that reduces styles to this colour depth; must not be called with "truecolor", which needs none."""
    if depth == "256":
        return _ColourFilter(_drawn_in_256)
    return _ColourFilter(_drawn_in_16 if depth == "16" else _drawn_plain)


class _ColourFilter(LineFilter):
    """Replaces each style with `draw(style)`. With few colours, words in the cursor's row of an unfocused list are
    underlined; without colour, the cursor's row of a focused list is reversed."""

    def __init__(self, draw: Callable[[Style], Style]) -> None:
        super().__init__()
        self._draw = draw

    def apply(self, segments: list[Segment], background: TextualColor) -> list[Segment]:
        grounds = {_ground(style) for _, style, _ in segments}
        if grounds & _BLURRED.keys():
            segments = [part for segment in segments for part in _without_blanks(segment)]
        draw = self._draw
        drawn = [Segment(text, draw(style) if style else style, control) for text, style, control in segments]
        return [*Segment.apply_style(drawn, post_style=_REVERSE)] if _PLAIN["cursor"] in grounds else drawn


def _ground(style: Style | None) -> str:
    if style is None:
        return ""
    colour = style.color if style.reverse else style.bgcolor
    return colour.triplet.hex if colour and colour.triplet else ""


def _without_blanks(segment: Segment) -> list[Segment]:
    """Split the outer blanks off a segment, and give these blanks the normal background. Only segments in the cursor's
    row of an unfocused list are split."""
    text, style, control = segment
    if control or style is None or _ground(style) not in _BLURRED:
        return [segment]
    words = text.strip(" ")
    before = len(text) - len(text.lstrip(" ")) if words else 0
    blank = style + _BLURRED[_ground(style)]
    parts = ((text[:before], blank), (words, style), (text[before + len(words) :], blank))
    return [Segment(part, of) for part, of in parts if part]


# 256 colours: a cube of six steps a side, then 24 greys. The first 16 differ between terminals.

_STEPS = (0, 95, 135, 175, 215, 255)
_CUBE = [f"#{r:02x}{g:02x}{b:02x}" for r in _STEPS for g in _STEPS for b in _STEPS]
_GREYS = [f"#{level:02x}{level:02x}{level:02x}" for level in range(8, 248, 10)]
_NUMBERS = {colour: 16 + n for n, colour in enumerate([*_CUBE, *_GREYS])}
# The cube has no tints of dark grounds: these colours are common for marking changes.
_DARK_256 = {
    "cursor": "#00005f",
    "added-ground": "#005f00",
    "removed-ground": "#5f0000",
    "added-word-ground": "#008700",
    "removed-word-ground": "#870000",
    "bad-ground": "#5f0000",
    "warn-ground": "#303030",
    "selection": "#005f87",
}
_LIGHT_256 = {
    "cursor": "#d7d7ff",
    "added-ground": "#d7ffd7",
    "removed-ground": "#ffd7d7",
    "added-word-ground": "#87ff87",
    "removed-word-ground": "#ffafaf",
    "bad-ground": "#ffd7d7",
    "warn-ground": "#ffffd7",
    "selection": "#afafff",
    # Darker than a warning, for users who can't see red.
    "error": "#5f0000",
    "removed": "#5f0000",
}


def _in_256(made: dict[str, str], dark: bool) -> dict[str, str]:
    """Map each ink to the most similar readable colour, else white or black, and each ground to the most similar unused
    colour. Uses only the 240 colours that are the same in all terminals."""
    found = {**(_DARK_256 if dark else _LIGHT_256)}
    for name in (ground for ground in GROUNDS if ground not in found):
        others = [found.get(other) for other in GROUNDS]
        found[name] = next(colour for colour in _by_distance(made[name]) if colour not in others)
    for ink in (ink for ink in (*INKS, *FRAMES) if ink not in found):
        on, least = (GROUNDS, MARKS) if ink in FRAMES else (grounds_of(ink), WORDS)
        near = (
            colour
            for colour in _by_distance(made[ink])
            if all(contrast(colour, found[ground]) >= least for ground in on)
        )
        # On a medium ground no colour is readable enough.
        found[ink] = next(near, "#ffffff" if dark else "#000000")
    return {**found, "field": found["background"]}


def _by_distance(colour: str) -> list[str]:
    """The 240 colours, sorted by their distance from `colour`, the most similar first."""
    red, green, blue = rgb(colour)

    def distance(other: str) -> float:
        r, g, b = rgb(other)
        mean = (red + r) / 2
        return (2 + mean / 256) * (red - r) ** 2 + 4 * (green - g) ** 2 + (2 + (255 - mean) / 256) * (blue - b) ** 2

    return sorted(_NUMBERS, key=distance)


@lru_cache(4096)
def _drawn_in_256(style: Style) -> Style:
    return style + Style(color=_of_256(style.color), bgcolor=_of_256(style.bgcolor))


def _of_256(colour: Color | None) -> Color | None:
    if colour is None or colour.triplet is None:
        return colour
    # Rich maps the brighter greys to their neighbours.
    number = _NUMBERS.get(colour.triplet.hex)
    if number is None:
        return colour.downgrade(ColorSystem.EIGHT_BIT)
    return Color(colour.name, ColorType.EIGHT_BIT, number)


# The 16 colours, with the RGB values of the Linux console, as in Rich.

_16 = (
    *("#000000", "#aa0000", "#00aa00", "#aa5500", "#0000aa", "#aa00aa", "#00aaaa", "#aaaaaa"),
    *("#555555", "#ff5555", "#55ff55", "#ffff55", "#5555ff", "#ff55ff", "#55ffff", "#ffffff"),
)
(_BLACK, _RED, _GREEN, _BROWN, _BLUE, _MAGENTA, _CYAN, _SILVER) = range(8)
(_GREY, _BRIGHT_RED, _BRIGHT_GREEN, _YELLOW, _BRIGHT_BLUE, _BRIGHT_MAGENTA, _BRIGHT_CYAN, _WHITE) = range(8, 16)
_SAME = ("background", "surface", "panel", "field")


def _theme_in_16(ground: int, inks: dict[str, int], *, blurred: str) -> dict[str, str]:
    """A theme's colours by name. The background is colour number `ground`; `inks` maps names of inks to colour numbers.
    `blurred` is the ground of the cursor's row in an unfocused list, by which the filter recognises this row."""
    same = (name for name in tokens(DARK) if name.endswith("-ground") or name in _SAME)
    grounds = {"cursor": _BLUE, "added-word-ground": _GREEN, "removed-word-ground": _RED}
    numbers = {**dict.fromkeys(same, ground), **inks, **grounds}
    return with_textual({**{name: _16[number] for name, number in numbers.items()}, "cursor-blurred": blurred})


_INKS_16 = {
    "text": (_WHITE, _BLACK),
    "muted": (_SILVER, _BLACK),
    "faint": (_SILVER, _GREY),
    "accent": (_BRIGHT_CYAN, _BLUE),
    "focus": (_BRIGHT_CYAN, _BLUE),
    "success": (_BRIGHT_GREEN, _BLUE),
    "warning": (_YELLOW, _MAGENTA),
    "error": (_BRIGHT_RED, _RED),
    "info": (_BRIGHT_CYAN, _BLACK),
    "caller": (_BRIGHT_CYAN, _BLUE),
    "agent": (_WHITE, _MAGENTA),
    "added": (_BRIGHT_GREEN, _BLUE),
    "removed": (_BRIGHT_RED, _RED),
    "selection": (_SILVER, _CYAN),
}
"""The number of each colour in a dark and in a light theme."""
_DARK_16 = _theme_in_16(_BLACK, {name: dark for name, (dark, _) in _INKS_16.items()}, blurred="#000001")
_LIGHT_16 = _theme_in_16(_WHITE, {name: light for name, (_, light) in _INKS_16.items()}, blurred="#fffffe")
_ON_BLACK = {
    **{_BLACK: _WHITE, _RED: _BRIGHT_RED, _GREEN: _BRIGHT_GREEN, _BROWN: _YELLOW, _BLUE: _BRIGHT_CYAN},
    **{_MAGENTA: _BRIGHT_MAGENTA, _CYAN: _BRIGHT_CYAN, _GREY: _SILVER, _BRIGHT_BLUE: _BRIGHT_CYAN},
}
_ON_WHITE = {
    **dict.fromkeys((_GREEN, _BROWN, _CYAN, _SILVER, _YELLOW, _BRIGHT_CYAN, _BRIGHT_GREEN, _WHITE), _BLACK),
    **{_BRIGHT_RED: _RED, _BRIGHT_BLUE: _BLUE, _BRIGHT_MAGENTA: _MAGENTA},
}
# On the cursor's row, an unreadable ink becomes the ground.
_ON_BLUE = {
    **{_BRIGHT_RED: (_WHITE, _RED), _RED: (_WHITE, _RED), _BRIGHT_GREEN: (_BLACK, _GREEN)},
    **{_MAGENTA: (_YELLOW, _BLUE), _YELLOW: (_YELLOW, _BLUE)},
}


def readable_in_16(ink: int, ground: int) -> tuple[int, int]:
    """Replace an unreadable pair of ink and ground (numbers from 0 to 15) with a readable one of the same meaning."""
    if ground == _BLACK:
        return _ON_BLACK.get(ink, ink), ground
    if ground == _WHITE:
        return _ON_WHITE.get(ink, ink), ground
    if ground == _BLUE:
        return _ON_BLUE.get(ink, (_WHITE, _BLUE))
    return (_WHITE if ground in (_RED, _MAGENTA, _GREY, _BRIGHT_BLUE) else _BLACK), ground


@lru_cache(4096)
def _drawn_in_16(style: Style) -> Style:
    ink, ground = _nearest_of_16(style.color), _nearest_of_16(style.bgcolor)
    if ink is None or ground is None:  # blanks, and the thumbs of scroll bars
        return style + Style(color=_standard(ink), bgcolor=_standard(ground))
    if style.reverse:
        ink, ground = ground, ink
    ink, ground = readable_in_16(ink, ground)
    colours = Style(color=_standard(ink), bgcolor=_standard(ground), underline=_ground(style) in _BLURRED or None)
    return style + colours + (_FORWARD if style.reverse else _NOTHING)


def _nearest_of_16(colour: Color | None) -> int | None:
    return None if colour is None else colour.downgrade(ColorSystem.STANDARD).number


def _standard(number: int | None) -> Color | None:
    return None if number is None else Color(_16[number], ColorType.STANDARD, number=number)


_FORWARD, _NOTHING = Style(reverse=False), Style()

# Without colour, grounds with a meaning become reverse or underline. These colours are not drawn, only recognised.
_PLAIN = with_textual({name: f"#0100{n:02x}" for n, name in enumerate(tokens(DARK), start=1)})
_REVERSE, _UNDERLINE = Style(reverse=True), Style(underline=True)
_STYLE_OF_GROUND = {
    _PLAIN[name]: style
    for style, names in (
        (_REVERSE, ("cursor", "accent", "text", "faint", "focus")),
        (_REVERSE + _UNDERLINE, ("selection", "warning")),
        (_UNDERLINE, ("cursor-blurred", "field", "added-word-ground", "removed-word-ground")),
    )
    for name in names
}


@lru_cache(4096)
def _drawn_plain(style: Style) -> Style:
    emphasis = _STYLE_OF_GROUND.get(_ground(style), _NOTHING)
    words = Style(bold=style.bold, italic=style.italic, underline=style.underline, strike=style.strike)
    plain = words + emphasis + Style(link=style.link)
    return plain + Style.from_meta(style.meta) if style.meta else plain


_BLURRED = {made["cursor-blurred"]: Style(bgcolor=made["background"]) for made in (_DARK_16, _LIGHT_16, _PLAIN)}
"""Maps the ground of the cursor's row in an unfocused list to the style of the blanks around the row's words."""
