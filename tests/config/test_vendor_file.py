from __future__ import annotations

import os
from pathlib import Path

import pytest

from cekura_tui.config.vendor_file import find_vendor_file, read_vendor_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / ".cekura").mkdir()
    return tmp_path / ".cekura" / "config.toml"


def test_the_file_of_the_vendors_cli_is_found_in_the_home_directory(path: Path, tmp_path: Path) -> None:
    path.write_text(
        '# a comment = "x"\napi_key = "a-key"\napi_url = "https://eu.example"\n\ndefault_project_id = "4021"\n'
        'default_organization_id = \'7\'\naccess_token = "secret"\ndashboard_url = ""\n',
    )
    assert find_vendor_file({"HOME": str(tmp_path)}) == path
    scope = {"default_project_id": "4021", "default_organization_id": "7"}
    assert read_vendor_file(path) == {"api_key": "a-key", "api_url": "https://eu.example", **scope}


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[table]\nno value\n", b""], ids=["bytes", "no value", "empty"])
def test_a_damaged_file_has_no_settings(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert read_vendor_file(path) == {}


def test_without_a_readable_file_there_are_no_settings_and_a_pipe_is_not_waited_for(path: Path, tmp_path: Path) -> None:
    path.mkdir()
    for env in ({}, {"HOME": str(tmp_path)}, {"HOME": "a\0b"}):
        assert read_vendor_file(find_vendor_file(env)) == {}
    path.rmdir()
    os.mkfifo(path)
    assert read_vendor_file(find_vendor_file({"HOME": str(tmp_path)})) == {}
