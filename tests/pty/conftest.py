"""Fixtures that run programs in pseudo-terminals, in the test's own config directory, and end them with the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import scenes
from forked import Forker
from terminal import Start, Terminal, environment


@pytest.fixture
def surroundings(home: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of a capable terminal."""
    return environment(home, tmp_path)


@pytest.fixture
def start(surroundings: dict[str, str], forker: Forker) -> Iterator[Start]:
    """A function that starts `cekura-tui …` in a terminal, which is closed after the test. The program is a fork, or a
    new process if `command` is given. `env` is added to the environment."""
    with ExitStack() as stack:

        def started(*args: str, env: dict[str, str] | None = None, **options: Any) -> Terminal:
            how = options if "command" in options else {"forker": forker, **options}
            return stack.enter_context(Terminal(*args, env={**surroundings, **(env or {})}, **how))

        yield started


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config directory with four launched jobs."""
    home = tmp_path_factory.mktemp("prepared") / "home"
    scenes.prepare(home)
    return home
