"""The README's table of settings, written from the program's own: `python tests/support/readme_settings.py --write`."""

from __future__ import annotations

import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- settings -->", "<!-- /settings -->"
_HEADER = ("setting", "flag", "environment", "profile", "file", "vendor's file", "default", "what it is for")


def table() -> str:
    """Every setting, the places where it can be set, the strongest first, and its default."""
    from cekura_tui.config.settings import ENVIRONMENT, FLAGS, VENDOR, Settings

    rows = [_HEADER, ("---",) * len(_HEADER)]
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = str(default).lower() if isinstance(default, bool) else default
        places = [FLAGS.get(name), ENVIRONMENT.get(name), None if name == "profile" else "yes", "yes", VENDOR.get(name)]
        cells = ["–" if cell is None else cell if cell == "yes" else f"`{cell}`" for cell in places]
        rows.append((f"`{name}`", *cells, f"`{shown}`" if shown else "–", field.description or ""))
    return (
        "\n".join(f"| {' | '.join(row)} |" for row in rows)
        .replace("| --- | --- |", "|---|---|")
        .replace(" --- |", "---|")
    )


def written(readme: str) -> str:
    """The README with its table as it is to be."""
    before, rest = readme.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    sys.path.insert(0, str(README.parent))
    text = README.read_text(encoding="utf-8")
    if "--write" in sys.argv:
        README.write_text(written(text), encoding="utf-8")
    elif written(text) != text:
        sys.exit("The README's table of settings is not that of the program; --write writes it.")
