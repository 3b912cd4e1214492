from __future__ import annotations

import os
from pathlib import Path

import pytest

from cekura_tui.config.vendor_file import find_vendor_file, read_vendor_file


def written(home: Path, content: str | bytes) -> Path:
    path = home / ".cekura" / "config.toml"
    path.parent.mkdir()
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_the_file_of_the_vendors_cli_is_found_in_the_home_directory(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '# a comment = "x"\napi_key = "a-key"\napi_url = "https://eu.example"\n\ndefault_project_id = "4021"\n'
        'default_organization_id = \'7\'\naccess_token = "secret"\ndashboard_url = ""\n',
    )
    assert find_vendor_file({"HOME": str(tmp_path)}) == path
    assert read_vendor_file(path) == {
        "api_key": "a-key",
        "api_url": "https://eu.example",
        "default_project_id": "4021",
        "default_organization_id": "7",
    }


def test_without_a_home_directory_nothing_is_read() -> None:
    assert read_vendor_file(find_vendor_file({})) == {}


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", "[table]\nno value\n", ""], ids=["bytes", "no value", "empty"])
def test_a_file_that_makes_no_sense_has_no_settings(tmp_path: Path, content: str | bytes) -> None:
    assert read_vendor_file(written(tmp_path, content)) == {}


def test_a_file_that_can_not_be_read_has_no_settings(tmp_path: Path) -> None:
    (tmp_path / ".cekura" / "config.toml").mkdir(parents=True)
    assert read_vendor_file(find_vendor_file({"HOME": str(tmp_path)})) == {}
    assert read_vendor_file(find_vendor_file({"HOME": "a\0b"})) == {}


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / ".cekura").mkdir()
    os.mkfifo(tmp_path / ".cekura" / "config.toml")
    assert read_vendor_file(find_vendor_file({"HOME": str(tmp_path)})) == {}
