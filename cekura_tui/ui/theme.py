"""Named colours: inks for text, frames and marks, grounds for backgrounds; two palettes of ours, others derived from
Textual's themes. As in WCAG 2.2 (1.4.3, 1.4.11), text has a contrast of at least 4.5 to 1 on its grounds, marks and
frames 3 to 1."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from typing import NamedTuple

from textual.theme import BUILTIN_THEMES, Theme

from cekura_tui.model.secrets import quoted
from cekura_tui.model.text import most_similar

WORDS, MARKS = 4.5, 3.0
"""Minimum contrast of text, and of marks and frames."""


@dataclass(frozen=True, slots=True)
class Colours:
    """Colours as "#rrggbb": grounds, each drawn on the previous ground, then inks, and the ground of selected text.
    `faint` and `focus` are for frames, rules and marks, never for text."""

    background: str
    surface: str
    panel: str
    text: str
    muted: str
    faint: str
    accent: str
    focus: str
    success: str
    warning: str
    error: str
    info: str
    caller: str
    agent: str
    added: str
    removed: str
    selection: str


DARK = Colours(
    background="#171b2a",
    surface="#1f2538",
    panel="#2a3249",
    text="#e6eaf3",
    muted="#abb5ca",
    faint="#8592b2",
    accent="#6fc3ff",
    focus="#4aa5f5",
    success="#8ce8c3",
    warning="#fbd974",
    error="#fd958c",
    info="#9db8ff",
    caller="#67d8cc",
    agent="#d3b0ff",
    added="#8ce8c3",
    removed="#fd958c",
    selection="#3a5480",
)
LIGHT = Colours(
    background="#fbfbfd",
    surface="#f1f3f8",
    panel="#e3e8f1",
    text="#1b2130",
    muted="#4a5468",
    faint="#69748b",
    accent="#09569f",
    focus="#1f74d0",
    success="#175f45",
    warning="#745200",
    error="#7d0a1c",
    info="#3348b0",
    caller="#055e5a",
    agent="#6a2fb0",
    added="#175f45",
    removed="#7d0a1c",
    selection="#b9d3f5",
)
THEMES = ("cekura", "cekura-light")
"""Names of our themes, the default first."""
CHIPS = {"bad": "error", "warn": "warning"}
"""Maps each kind of chip to the ink of the chip's text; the chip's ground is a tint of this ink."""
GROUNDS = ("background", "surface", "panel", "cursor", "cursor-blurred")
"""Grounds on which text of any ink is readable."""
TINTS = ("added-ground", "removed-ground", "added-word-ground", "removed-word-ground")
"""Grounds of changed lines and of changed words."""
INKS = ("text", "muted", "accent", "success", "warning", "error", "info", "caller", "agent", "added", "removed")
"""Inks of text, each readable on all `GROUNDS`."""
FRAMES = ("faint", "focus")
"""Inks of frames, rules and marks."""


def themes() -> list[Theme]:
    return [
        Theme(
            name=name,
            primary=palette.accent,
            secondary=palette.agent,
            accent=palette.accent,
            warning=palette.warning,
            error=palette.error,
            success=palette.success,
            foreground=palette.text,
            background=palette.background,
            surface=palette.surface,
            panel=palette.panel,
            dark=palette is DARK,
            variables=tokens(palette),
        )
        for name, palette in zip(THEMES, (DARK, LIGHT), strict=True)
    ]


def tokens(palette: Colours) -> dict[str, str]:
    """The style sheets' variables by name: the palette, derived grounds, and the colours of Textual's widgets."""
    ground = palette.background
    grounds = {
        "cursor": _blend(ground, palette.accent, 0.24),
        "cursor-blurred": _blend(ground, palette.text, 0.11),
        "added-ground": _blend(ground, palette.added, 0.13),
        "removed-ground": _blend(ground, palette.removed, 0.13),
        "added-word-ground": _blend(ground, palette.added, 0.34),
        "removed-word-ground": _blend(ground, palette.removed, 0.34),
        **{f"{kind}-ground": _blend(ground, getattr(palette, ink), 0.16) for kind, ink in CHIPS.items()},
        "field": ground,
    }
    return with_textual({**asdict(palette), **grounds})


def with_textual(made: dict[str, str]) -> dict[str, str]:
    """Add the variables of Textual's inputs, boxes, buttons and scroll bars to our colours."""
    return {**made, **{name: made[ours] for ours, names in _OF_TEXTUAL.items() for name in names.split()}}


_OF_TEXTUAL = {
    "text": """foreground block-cursor-foreground block-cursor-blurred-foreground input-cursor-background
        input-selection-foreground screen-selection-foreground""",
    "accent": "primary text-primary text-accent scrollbar-active",
    "agent": "secondary text-secondary",
    "muted": "text-muted text-disabled",
    "success": "text-success",
    "warning": "text-warning",
    "error": "text-error",
    "focus": "border",
    "faint": "border-blurred scrollbar scrollbar-hover",
    "cursor": "block-cursor-background",
    "cursor-blurred": "block-cursor-blurred-background",
    "background": """input-cursor-foreground scrollbar-background scrollbar-background-hover scrollbar-background-active
        scrollbar-corner-color""",
    "selection": "input-selection-background screen-selection-background",
}
"""Names of Textual's variables, by the name of our colour that they get."""


def colours_of(theme: Theme, variables: Mapping[str, str], own: Mapping[str, str] | None = None) -> Colours:
    """The palette of a theme; one of Textual's is made of `variables`. Inks are adjusted to the user's colours (`own`)
    to be readable; the user's grounds are ignored if no text would be readable on them."""
    palette, own = _base_palette(theme, variables), dict(own or {})
    if theme.name in THEMES and not own:
        return palette
    made = _with_user_colours(palette, tuple(own.items()))
    inks = tuple((name, colour) for name, colour in own.items() if name not in _SETTABLE_GROUNDS)
    return made if _is_readable(made) else _with_user_colours(palette, inks)


_SETTABLE_GROUNDS = ("background", "surface", "panel", "selection")


@lru_cache(32)
def _with_user_colours(palette: Colours, colours: tuple[tuple[str, str], ...]) -> Colours:
    """Apply the user's colours, derive grounds from the user's background, and make inks as readable as possible."""
    own = dict(colours)
    found = replace(palette, **own)
    strongest = max("#ffffff", "#000000", key=lambda ink: contrast(ink, found.background))
    if "background" in own:
        follow = {"surface": 0.04, "panel": 0.09}
        grounds = {name: _blend(found.background, strongest, share) for name, share in follow.items()}
        selection = _blend(found.background, found.accent, 0.3)
        found = replace(found, **{**grounds, "selection": selection, **own})
    for _ in range(8):  # adjusting an ink changes its tint, on which it must be readable too
        made = tokens(found)
        words = {ink: _readable(made[ink], [made[name] for name in grounds_of(ink)], WORDS, strongest) for ink in INKS}
        marks = {ink: _readable(made[ink], [made[name] for name in GROUNDS], MARKS, strongest) for ink in FRAMES}
        found = replace(found, **words, **marks)
    return found


def _is_readable(palette: Colours) -> bool:
    made = tokens(palette)
    return all(contrast(made[ink], made[ground]) >= WORDS for ink in INKS for ground in GROUNDS)


def _base_palette(theme: Theme, variables: Mapping[str, str]) -> Colours:
    """The palette of our theme, or a palette made of a Textual theme's variables and our colours of speakers."""
    if theme.name in THEMES:
        return (DARK, LIGHT)[THEMES.index(theme.name)]
    ours = DARK if theme.dark else LIGHT

    def read(name: str, default: str) -> str:
        value = variables.get(name, default)
        return value[:7].lower() if value.startswith("#") and len(value) >= 7 else default

    background, text = read("background", ours.background), read("foreground", ours.text)
    return replace(
        ours,
        background=background,
        surface=_blend(background, text, 0.04),
        panel=_blend(background, text, 0.09),
        text=text,
        muted=_blend(text, background, 0.3),
        faint=_blend(text, background, 0.55),
        accent=read("primary", ours.accent),
        focus=read("primary", ours.focus),
        success=read("success", ours.success),
        warning=read("warning", ours.warning),
        error=read("error", ours.error),
        info=read("secondary", ours.info),
        added=read("success", ours.added),
        removed=read("error", ours.removed),
        selection=_blend(background, read("primary", ours.accent), 0.3),
    )


class ThemeChoice(NamedTuple):
    """The parsed `[theme]`: theme name, the user's colours by their names in `Colours`, errors as (entry, sentence)."""

    name: str
    colours: Mapping[str, str]
    problems: tuple[tuple[str, str], ...] = ()


def choose_theme(settings: Mapping[str, str], available: Collection[str]) -> ThemeChoice:
    """Parse `[theme]`. An unknown theme is replaced by our first theme; wrong colours are left out and reported."""
    problems: list[tuple[str, str]] = []
    colours: dict[str, str] = {}
    name = settings.get("name", THEMES[0])
    if name not in available:
        how = f"Did you mean {near}?" if (near := most_similar(name, available)) else "The palette lists all themes."
        problems.append(("name", f"There is no theme {quoted(name)}. {how}"))
        name = THEMES[0]
    names = [one.name for one in fields(Colours)]
    for entry, value in settings.items():
        if entry != "name" and entry not in names:
            how = f"Did you mean {near}?" if (near := most_similar(entry, names)) else f"Colours: {', '.join(names)}."
            problems.append((entry, f"There is no colour {quoted(entry)}. {how}"))
        elif entry != "name" and not _COLOUR.fullmatch(value):
            problems.append((entry, f"{entry} must be a colour like #1f2538, not {quoted(value)}."))
        elif entry != "name":
            colours[entry] = value.lower()
    return ThemeChoice(name, colours, tuple(problems))


_COLOUR = re.compile("#[0-9a-fA-F]{6}")


def theme_problems(settings: Mapping[str, str]) -> list[tuple[str, str]]:
    """Errors in `[theme]`: the entry, and a sentence. Grounds on which text would be unreadable are errors, too."""
    # Not the themes in the terminal's own colours.
    selectable = {theme.name: theme for theme in (*themes(), *BUILTIN_THEMES.values()) if not theme.ansi}
    name, own, problems = choose_theme(settings, selectable)
    theme = selectable[name]
    palette = _base_palette(theme, {**theme.to_color_system().generate(), **theme.variables})
    if own and not _is_readable(_with_user_colours(palette, tuple(own.items()))):
        ground = next((one for one in _SETTABLE_GROUNDS if one in own), "name")
        return [*problems, (ground, "No text has enough contrast on these grounds, so they are not used.")]
    return [*problems]


def grounds_of(ink: str) -> tuple[str, ...]:
    """Names of the grounds on which an ink is used."""
    chips = tuple(f"{kind}-ground" for kind, of in CHIPS.items() if of == ink)
    changed = {"muted": TINTS[:2], "added": TINTS[:1], "removed": TINTS[1:2], "text": (*TINTS, "selection")}
    return (*GROUNDS, *chips, *changed.get(ink, ()))


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, from 1 to 21, as defined by WCAG 2.2."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _readable(ink: str, grounds: Sequence[str], least: float, strongest: str) -> str:
    """Blend an ink towards `strongest` until its contrast on all grounds is at least `least`, if possible."""
    found, share = ink, 0.0
    while share < 1 and min(contrast(found, ground) for ground in grounds) < least:
        share += 0.04
        found = _blend(ink, strongest, min(share, 1.0))
    return found


def rgb(colour: str) -> tuple[int, ...]:
    """Red, green and blue of a colour, from 0 to 255."""
    return tuple(int(colour[n : n + 2], 16) for n in (1, 3, 5))


def _blend(one: str, other: str, share: float) -> str:
    """Mix two colours; `share` is the part of `other`, from 0 to 1."""
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(rgb(one), rgb(other), strict=True))


@lru_cache(512)
def _luminance(colour: str) -> float:
    linear = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in rgb(colour)))
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
