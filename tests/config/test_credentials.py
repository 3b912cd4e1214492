from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from cekura_tui.config.credentials import (
    ApiKey,
    Server,
    check_key,
    read_server,
    remove_key,
    save_key,
    saved_key,
    saved_keys,
)
from cekura_tui.model.errors import Exit, KeyMissing, UsageError
from cekura_tui.workspace.setup import make_setup

HOME = read_server("https://api.cekura.ai")
OTHER = read_server("https://other.example")
SECRET = "ck_live_0123456789abcdef"


def private(path: Path, content: bytes) -> Path:
    """A file with keys, as this program and others write it."""
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def test_a_saved_key_is_found_again_for_its_own_server(tmp_path: Path) -> None:
    path = tmp_path / "new" / "credentials.json"
    save_key(path, HOME, ApiKey(SECRET, "typed"))
    found = saved_key(path, HOME)
    assert found is not None
    assert (found.text, found.source) == (SECRET, str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["credentials.json"]


@pytest.mark.parametrize("server", [OTHER, read_server("https://api.cekura.ai:8443"), read_server("http://localhost")])
def test_a_saved_key_is_not_sent_to_another_server(tmp_path: Path, server: Server) -> None:
    path = tmp_path / "credentials.json"
    save_key(path, HOME, ApiKey(SECRET, "typed"))
    with pytest.raises(KeyMissing) as caught:
        saved_key(path, server)
    assert HOME.origin in caught.value.message
    assert server.origin in caught.value.message
    assert caught.value.exit_status == Exit.KEY_REFUSED


@pytest.mark.parametrize("text", ["", "  \n", f"{SECRET} {SECRET}", f"{SECRET}\n{SECRET}", f"{SECRET}é", "x" * 5000])
def test_something_that_is_no_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(KeyMissing) as caught:
        check_key(text, "CEKURA_API_KEY")
    assert SECRET not in caught.value.sentence()
    assert "CEKURA_API_KEY" in caught.value.sentence()


def test_a_key_is_never_shown_by_a_repr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", SECRET)
    setup = make_setup(config_dir=str(tmp_path), env={"CEKURA_API_KEY": SECRET})
    assert setup.key is not None
    assert SECRET not in f"{setup.key!r} {setup!r} {setup.key}"


@pytest.mark.parametrize(
    "content", [b"{", b"\xff", b"[" * 100_000, b'{"default": {"api_url": "nowhere", "api_key": "k"}}']
)
def test_a_damaged_credentials_file_is_named_and_not_repeated(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(KeyMissing, match=r"credentials\.json"):
        saved_key(private(tmp_path / "credentials.json", content), HOME)


@pytest.mark.parametrize("content", [[], {}, {"default": 5}, {"other": {"api_key": "k"}}])
def test_a_credentials_file_without_our_entry_has_no_key(tmp_path: Path, content: object) -> None:
    assert saved_key(private(tmp_path / "credentials.json", json.dumps(content).encode()), HOME) is None


def test_signing_in_again_keeps_the_entries_of_others(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps({"work": {"api_url": "https://w", "api_key": "w"}}))
    path.chmod(0o644)
    save_key(path, HOME, ApiKey(SECRET, "typed"))
    assert json.loads(path.read_text())["work"]["api_key"] == "w"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_that_cannot_be_kept_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "credentials.json").mkdir()
    (tmp_path / "credentials.json" / "x").touch()
    with pytest.raises((UsageError, KeyMissing)):
        save_key(tmp_path / "credentials.json", HOME, ApiKey(SECRET, "typed"))
    assert [file.name for file in tmp_path.iterdir()] == ["credentials.json"]


def test_removing_a_key_leaves_the_keys_of_other_profiles(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    for profile in ("default", "staging"):
        save_key(path, HOME, ApiKey(f"key-of-{profile}", "typed"), profile)
    assert remove_key(path, "default")
    assert {name: saved.api_key for name, saved in saved_keys(path).items()} == {"staging": "key-of-staging"}
    assert not remove_key(path, "default")
    assert not remove_key(tmp_path / "none.json", "default")


def test_a_key_is_removed_from_the_file_that_a_link_leads_to(tmp_path: Path) -> None:
    path, target = tmp_path / "credentials.json", tmp_path / "vault" / "keys.json"
    save_key(target, HOME, ApiKey(SECRET, "typed"))
    path.symlink_to(target)
    save_key(path, HOME, ApiKey("other", "typed"), "staging")
    assert remove_key(path, "default")
    assert path.is_symlink()
    assert list(saved_keys(target)) == ["staging"]


def test_keys_are_neither_read_nor_saved_through_a_link_out_of_the_directory(tmp_path: Path) -> None:
    path, target = tmp_path / "home" / "credentials.json", tmp_path / "keys.json"
    save_key(target, HOME, ApiKey(SECRET, "typed"))
    path.parent.mkdir()
    path.symlink_to(target)
    before = target.read_bytes()
    for ask in (saved_keys, lambda path: save_key(path, HOME, ApiKey("other", "typed"))):
        with pytest.raises(KeyMissing, match=f"it is a link to {target}"):
            ask(path)
    assert target.read_bytes() == before


def test_keys_saved_at_the_same_time_are_all_there(tmp_path: Path) -> None:
    path, names = tmp_path / "credentials.json", [f"profile-{number}" for number in range(16)]
    saving = [threading.Thread(target=save_key, args=(path, HOME, ApiKey("k", "typed"), name)) for name in names]
    for one in saving:
        one.start()
    for one in saving:
        one.join()
    assert sorted(saved_keys(path)) == sorted(names)
    assert os.listdir(tmp_path) == ["credentials.json"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o777])
def test_saved_keys_that_others_can_open_are_refused_with_the_chmod_that_mends_them(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a directory" / "credentials.json"
    save_key(path, HOME, ApiKey(SECRET, "typed"))
    path.chmod(mode)
    with pytest.raises(KeyMissing) as caught:
        saved_key(path, HOME)
    assert f"mode {mode:04o}" in caught.value.message
    assert SECRET not in caught.value.sentence()
    command = caught.value.hint.removeprefix("Run `").removesuffix("`.")
    assert os.system(command) == 0
    assert saved_key(path, HOME) is not None
