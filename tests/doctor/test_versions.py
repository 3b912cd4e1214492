"""Versions of packages against the bounds that the program declares."""

from __future__ import annotations

import importlib.metadata

import pytest

from cekura_tui.doctor import versions
from cekura_tui.doctor.versions import PACKAGES, check_versions, fits


@pytest.mark.parametrize(
    ("version", "bounds", "fit"),
    [
        ("8.2.8", ">=8.2.8,<9", True),
        ("8.2.10", ">=8.2.8,<9", True),
        ("8.2.7", "<9,>=8.2.8", False),
        ("9.0.0", ">=8.2.8,<9", False),
        ("9.0.0rc1", ">=8.2.8,<9", False),
        ("0.27", ">=0.27.0", True),
        ("3", "", True),
    ],
)
def test_a_version_is_within_bounds_or_not(version: str, bounds: str, fit: bool) -> None:
    assert fits(version, bounds) is fit


def test_every_package_that_is_needed_is_looked_at_and_fits_here() -> None:
    found = {check.name: check.status for check in check_versions()}
    assert set(versions._declared()) <= set(PACKAGES)
    assert {found[name] for name in PACKAGES} == {"ok"}


def test_a_package_that_is_too_old_or_missing_is_a_failure_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def installed(name: str) -> str:
        if name == "click":
            raise importlib.metadata.PackageNotFoundError
        return "0.1"

    monkeypatch.setattr(versions, "version", installed)
    monkeypatch.setattr(versions, "_declared", lambda: {"httpx": ">=0.28,<1", "click": ">=8.1.7"})
    found = {check.name: check for check in check_versions()}
    assert (found["httpx"].status, found["httpx"].found) == ("failure", "0.1, but cekura-tui needs >=0.28,<1")
    assert (found["click"].found, found["click"].advice) == ("not installed", 'pip install "click>=8.1.7"')
