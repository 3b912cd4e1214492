"""The manual page says what the commands say."""

from __future__ import annotations

import shutil
import subprocess

import man_page
import pytest


def test_the_page_is_that_of_the_commands() -> None:
    how = "write it with: python tests/support/man_page.py --write"
    assert man_page.PAGE.read_text(encoding="utf-8") == man_page.page(), f"the manual page is an old one; {how}"


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_the_page_is_set_without_a_warning() -> None:
    done = subprocess.run(
        ["groff", "-ww", "-K", "utf8", "-man", "-Tutf8", str(man_page.PAGE)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert "EXIT STATUS" in done.stdout
