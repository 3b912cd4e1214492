"""Where the style sheets are: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path, PurePath

_NAMES = ("app", "runs", "run", "jobs", "suggestion", "sign_in", "dialogs")


def style_sheets() -> list[str | PurePath]:
    """The style sheets, in the order they apply."""
    package = Path(__file__).parent.parent
    places = (package / "styles", package.parent / "styles")
    folder = next(place for place in places if (place / "app.tcss").is_file())
    return [folder / f"{name}.tcss" for name in _NAMES]
