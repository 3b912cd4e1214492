"""Generate the README's table of settings: `python tests/support/readme_settings.py --write`."""

from __future__ import annotations

from readme_part import with_part, write_or_check

_HEADER = ("setting", "flag", "environment", "profile", "file", "vendor's file", "default", "what it is for")


def table() -> str:
    """Every setting with the places where it can be set, highest precedence first, and its default."""
    from cekura_tui.config.settings import ENVIRONMENT, FLAGS, SETTINGS, VENDOR

    rows = [_HEADER, ("---",) * len(_HEADER)]
    for name, setting in SETTINGS.items():
        default = setting.default
        shown = str(default).lower() if isinstance(default, bool) else default
        places = [FLAGS.get(name), ENVIRONMENT.get(name), None if name == "profile" else "yes", "yes", VENDOR.get(name)]
        cells = ["–" if cell is None else cell if cell == "yes" else f"`{cell}`" for cell in places]
        rows.append((f"`{name}`", *cells, f"`{shown}`" if shown else "–", setting.description))
    return (
        "\n".join(f"| {' | '.join(row)} |" for row in rows)
        .replace("| --- | --- |", "|---|---|")
        .replace(" --- |", "---|")
    )


def written(readme: str) -> str:
    """The README with its generated settings."""
    return with_part(readme, "settings", table())


if __name__ == "__main__":
    write_or_check("settings", table)
