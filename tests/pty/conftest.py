"""Programs in pseudo-terminals, each with the test's own config directory; all are gone when the test ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from terminal import Start, Terminal

_REPO = Path(__file__).parents[2]
_OF_THE_RUNNER = ("TEXTUAL", "NO_COLOR", "COLUMNS", "LINES")


@pytest.fixture
def surroundings(home: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of a capable terminal."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OF_THE_RUNNER)}
    own = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    return {**kept, **own, "CEKURA_TUI_HOME": str(home), "HOME": str(tmp_path), "PYTHONPATH": str(_REPO)}


@pytest.fixture
def start(surroundings: dict[str, str]) -> Iterator[Start]:
    """Start `cekura-tui …` in a terminal; more environment may be given."""
    with ExitStack() as stack:

        def started(*args: str, env: dict[str, str] | None = None, **options: Any) -> Terminal:
            return stack.enter_context(Terminal(*args, env={**surroundings, **(env or {})}, **options))

        yield started
