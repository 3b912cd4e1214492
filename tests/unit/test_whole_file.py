"""A file takes the place of another whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from cekura_tui.config.whole_file import whole_file


def test_what_was_written_takes_the_place_of_what_was_there_and_is_this_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_text("old")
    with whole_file(path) as file:
        file.write(b"new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_breaks_off_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_text("old")

    def breaks_off() -> None:
        with whole_file(path) as file:
            file.write(b"ne")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        breaks_off()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
