"""The versions of installed packages are compared with the declared bounds."""

from __future__ import annotations

import importlib.metadata

import pytest

from cekura_tui.doctor import files
from cekura_tui.doctor.files import check_versions, fits


def test_versions_are_compared_with_their_bounds_number_by_number() -> None:
    fit = {"8.2.8": True, "8.2.10": True, "8.2.7": False, "9.0.0": False, "9.0.0rc1": False}
    assert {version: fits(version, ">=8.2.8,<9") for version in fit} == fit
    assert {version: fits(version, "<9,>=8.2.8") for version in fit} == fit
    assert (fits("0.27", ">=0.27.0"), fits("3", "")) == (True, True)


def test_every_required_package_is_checked_and_fits() -> None:
    found = {check.name: check.status for check in check_versions()}
    assert len(found) > 10
    assert set(found.values()) == {"ok"}


def test_an_old_or_missing_package_is_a_failure_with_the_pip_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def installed(name: str) -> str:
        if name == "click":
            raise importlib.metadata.PackageNotFoundError
        return "0.1"

    monkeypatch.setattr(files, "version", installed)
    monkeypatch.setattr(files, "requires", lambda name: ["httpx>=0.28,<1", "click>=8.1.7"])
    found = {check.name: check for check in check_versions()}
    assert (found["httpx"].status, found["httpx"].found) == ("failure", "0.1, but cekura-tui needs >=0.28,<1")
    assert (found["click"].found, found["click"].advice) == ("not installed", 'pip install "click>=8.1.7"')
