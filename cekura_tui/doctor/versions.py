"""Check the versions of Python and of the required packages against the declared bounds."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from cekura_tui import __version__
from cekura_tui.doctor.check import Check
from cekura_tui.store.database import sqlite_version

_BOUND = re.compile(r"(>=|<)\s*([\d.]+)")


def check_versions() -> Iterator[Check]:
    yield Check("versions", "cekura-tui", "ok", __version__)
    yield Check("versions", "Python", "ok", f"{platform.python_version()} ({platform.python_implementation()})")
    yield Check("versions", "system", "ok", platform.platform())
    yield from map(_package, _requirements())
    yield Check("versions", "SQLite", "ok", sqlite_version())


def _requirements() -> list[str]:
    """Declared requirements, such as "textual<9,>=8.2.8"; empty if the program is not an installed package."""
    try:
        return [one for one in requires("cekura-tui") or [] if "extra ==" not in one]
    except PackageNotFoundError:
        return []


def _package(requirement: str) -> Check:
    name, *_ = re.split(r"[^\w.-]", requirement, maxsplit=1)
    bounds = requirement.removeprefix(name)
    advice = f'pip install "{requirement}"'
    try:
        have = version(name)
    except PackageNotFoundError:
        return Check("versions", name, "failure", "not installed", advice)
    if not fits(have, bounds):
        return Check("versions", name, "failure", f"{have}, but cekura-tui needs {bounds}", advice)
    return Check("versions", name, "ok", have)


def fits(have: str, bounds: str) -> bool:
    """Whether a version is within bounds such as ">=8.2.8,<9"."""
    numbers = _numbers(have)
    return all(
        numbers >= _numbers(bound) if sign == ">=" else numbers < _numbers(bound)
        for sign, bound in _BOUND.findall(bounds)
    )


def _numbers(text: str) -> tuple[int, ...]:
    return (*map(int, re.findall(r"\d+", text)), 0, 0, 0)[:3]
