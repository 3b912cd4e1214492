"""Print the oldest versions that `pyproject.toml` allows, as constraints: `python tests/support/oldest.py > FILE`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

_REQUIREMENT = re.compile(r"([\w-]+)>=([\d.]+)(?:,<[\d.]+)?")


def oldest() -> list[str]:
    """`name==version` for each runtime dependency, with its lowest allowed version. Exits if a dependency has
    no lower bound."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    found = [(need, _REQUIREMENT.fullmatch(need)) for need in project["dependencies"]]
    if unread := [need for need, match in found if match is None]:
        raise SystemExit(f"no lower bound is read in {', '.join(unread)}")
    return [f"{match[1]}=={match[2]}" for _, match in found if match]


if __name__ == "__main__":
    print("\n".join(oldest()))  # noqa: T201
