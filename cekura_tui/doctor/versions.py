"""Versions of the program, of Python, and of the packages it needs, against the bounds it declares."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from cekura_tui import __version__
from cekura_tui.doctor.check import Check
from cekura_tui.store.database import sqlite_version
from cekura_tui.store.transcript_search import can_index

_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[[^\]]*\])?\s*([^;]*)")
_BOUND = re.compile(r"(>=|<)\s*([\d.]+)")
PACKAGES = (
    "textual",
    "httpx",
    "pydantic",
    "platformdirs",
    "click",
    "tomlkit",
    "starlette",
    "uvicorn",
    "python-multipart",
)


def numbers(text: str) -> tuple[int, ...]:
    """A version as numbers, to be compared: "8.2.8" is (8, 2, 8); what follows them, as in "1.0rc1", is left out."""
    found = re.match(r"\d+(?:\.\d+)*", text)
    parts = [int(part) for part in found[0].split(".")] if found else []
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def fits(text: str, bounds: str) -> bool:
    """Whether a version is within bounds such as ">=8.2.8,<9"."""
    have = numbers(text)
    return all(
        have >= numbers(bound) if sign == ">=" else have < numbers(bound) for sign, bound in _BOUND.findall(bounds)
    )


def _declared() -> dict[str, str]:
    """The bounds of each package, by its name; empty where the program was not installed."""
    try:
        declared = requires("cekura-tui") or []
    except PackageNotFoundError:
        return {}
    found = (_REQUIREMENT.match(one) for one in declared if "extra ==" not in one)
    return {one[1].lower(): one[2].strip() for one in found if one}


def check_versions() -> Iterator[Check]:
    """The program and all that it is made of."""
    yield Check("versions", "cekura-tui", "ok", __version__)
    yield Check("versions", "Python", "ok", f"{platform.python_version()} ({platform.python_implementation()})")
    yield Check("versions", "system", "ok", platform.platform())
    declared = _declared()
    for name in PACKAGES:
        yield _package(name, declared.get(name, ""))
    if can_index():
        yield Check("versions", "SQLite", "ok", f"{sqlite_version()} with FTS5")
    else:
        found = f"{sqlite_version()} without FTS5"
        yield Check("versions", "SQLite", "warning", found, "Searching transcripts is slower. Use another Python.")


def _package(name: str, bounds: str) -> Check:
    try:
        have = version(name)
    except PackageNotFoundError:
        return Check("versions", name, "failure", "not installed", f'pip install "{name}{bounds}"')
    if not fits(have, bounds):
        found = f"{have}, but cekura-tui needs {bounds}"
        return Check("versions", name, "failure", found, f'pip install "{name}{bounds}"')
    return Check("versions", name, "ok", have)
