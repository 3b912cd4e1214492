"""Generated parts of the README, each between two markers with its name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def with_part(readme: str, name: str, text: str) -> str:
    """Replace the part of the README with this name."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, rest = readme.split(begin, 1)
    _, after = rest.split(end, 1)
    return f"{before}{begin}\n{text}\n{end}{after}"


def write_or_check(name: str, make: Callable[[], str]) -> None:
    """With `--write`, update this part of the README; otherwise exit with an error if it is out of date."""
    sys.path.insert(0, str(README.parent))
    before = README.read_text(encoding="utf-8")
    if (after := with_part(before, name, make())) == before:
        return
    if "--write" not in sys.argv:
        sys.exit(f"The README's {name} are not those of the program; --write writes them.")
    README.write_text(after, encoding="utf-8")
