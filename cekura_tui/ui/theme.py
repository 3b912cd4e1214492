"""The colours, and where the style sheets are: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path, PurePath

from textual.theme import Theme

_NAMES = ("app", "runs", "filter", "groups", "run", "jobs", "suggestion", "sign_in", "dialogs")

THEME = Theme(
    name="cekura",
    primary="#5b8def",
    secondary="#b99af0",
    accent="#7fb4ff",
    warning="#e0af4f",
    error="#f2777a",
    success="#7ec98f",
    foreground="#d6dbe4",
    background="#11151c",
    surface="#161b24",
    panel="#1d2430",
    dark=True,
)


def style_sheets() -> list[str | PurePath]:
    """The style sheets, in the order they apply."""
    package = Path(__file__).parent.parent
    places = (package / "styles", package.parent / "styles")
    folder = next(place for place in places if (place / "app.tcss").is_file())
    return [folder / f"{name}.tcss" for name in _NAMES]
