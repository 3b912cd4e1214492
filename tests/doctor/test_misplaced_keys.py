"""A key in a wrong line of config.toml is in no output, log, bundle, screen or crash report."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from calling import call
from misplaced_keys import KEYS, forms, misplaced

COMMANDS = (
    ("doctor", "--offline"),
    ("doctor", "--offline", "--json"),
    ("config", "show", "--origin"),
    ("config", "show", "--json"),
    ("config", "keys"),
    ("auth", "status"),
    ("auth", "status", "--json"),
    ("runs", "list"),
)


def outputs(home: Path, text: str, commands: tuple[tuple[str, ...], ...] = COMMANDS) -> Iterator[tuple[str, bytes]]:
    """Everything that the program writes with this config.toml, by what wrote it."""
    shutil.rmtree(home)
    home.mkdir()
    (home / "config.toml").write_bytes(text.encode(errors="surrogateescape"))
    for words in commands:
        result = call(*words)
        yield " ".join(words), result.raw + result.err.encode()
    bundle = home.parent / "bundle.zip"
    result = call("doctor", "--offline", "--bundle", bundle, "--force")
    yield "--bundle", result.raw + result.err.encode() + bundle.read_bytes()
    with zipfile.ZipFile(bundle) as archive:
        yield from ((f"bundle: {name}", archive.read(name)) for name in archive.namelist())
    for path in home.rglob("*"):
        if path.is_file() and path.name != "config.toml":
            yield str(path), path.read_bytes()


@pytest.fixture(autouse=True)
def alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account with a key, whose requests are not sent again."""
    home.mkdir()
    monkeypatch.setenv("CEKURA_API_KEY", "an-innocent-key")
    monkeypatch.setattr("cekura_tui.api.errors.next_try", lambda *_: None)


@pytest.mark.long
@pytest.mark.parametrize("shape", KEYS)
def test_a_key_in_any_wrong_line_is_found_nowhere(shape: str, home: Path) -> None:
    key = KEYS[shape]
    sought = forms(key)
    found = [
        (place, where, text)
        for place, text in misplaced(key)
        for where, data in outputs(home, text)
        if any(form in data for form in sought)
    ]
    assert not found, found[:50]
