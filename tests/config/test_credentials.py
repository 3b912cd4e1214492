from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from cekura_tui.config.credentials import ApiKey, check_key, read_server, remove_key, save_key, saved_key, saved_keys
from cekura_tui.model.errors import Exit, KeyMissing, UsageError
from cekura_tui.workspace.setup import make_setup

HOME = read_server("https://api.cekura.ai")
SECRET = "ck_live_0123456789abcdef"


def private(path: Path, content: bytes) -> Path:
    """Write a file of keys with mode 0600, as this program does; return the path."""
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def test_a_saved_key_is_found_only_for_its_own_server(tmp_path: Path) -> None:
    path = tmp_path / "new" / "credentials.json"
    save_key(path, HOME, ApiKey(SECRET, "typed"))
    found = saved_key(path, HOME)
    assert found is not None
    assert (found.text, found.source) == (SECRET, str(path))
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert os.listdir(path.parent) == ["credentials.json"]
    for server in map(read_server, ("https://other.example", "https://api.cekura.ai:8443", "http://localhost")):
        with pytest.raises(KeyMissing) as caught:
            saved_key(path, server)
        assert HOME.origin in caught.value.message
        assert server.origin in caught.value.message
        assert caught.value.exit_status == Exit.KEY_REFUSED


@pytest.mark.parametrize("text", ["", "  \n", f"{SECRET} {SECRET}", f"{SECRET}\n{SECRET}", f"{SECRET}é", "x" * 4097])
def test_text_that_is_not_a_key_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(KeyMissing) as caught:
        check_key(text, "CEKURA_API_KEY")
    assert SECRET not in caught.value.sentence()
    assert "CEKURA_API_KEY" in caught.value.sentence()


def test_a_key_is_never_shown_by_a_repr(tmp_path: Path) -> None:
    setup = make_setup(config_dir=str(tmp_path), env={"CEKURA_API_KEY": SECRET})
    assert setup.key is not None
    assert check_key(f" {'x' * 4096}\n", "typed").text == "x" * 4096
    assert SECRET not in f"{setup.key!r} {setup!r} {setup.key}"


@pytest.mark.parametrize(
    "content", [b"{", b"\xff", b"[" * 100_000, b'{"default": {"api_url": "nowhere", "api_key": "k"}}']
)
def test_an_error_names_a_damaged_file_of_keys(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(KeyMissing, match=r"credentials\.json"):
        saved_key(private(tmp_path / "credentials.json", content), HOME)


@pytest.mark.parametrize("content", [[], {}, {"default": 5}, {"other": {"api_url": "https://w", "api_key": "w"}}])
def test_saving_a_key_keeps_other_entries_of_the_file(tmp_path: Path, content: object) -> None:
    path = private(tmp_path / "credentials.json", json.dumps(content).encode())
    assert saved_key(path, HOME) is None
    path.chmod(0o644)
    save_key(path, HOME, ApiKey(SECRET, "typed"))
    saved = json.loads(path.read_text())
    assert saved["default"]["api_key"] == SECRET
    assert saved.get("other") == (content.get("other") if isinstance(content, dict) else None)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_that_cannot_be_saved_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "credentials.json" / "x").mkdir(parents=True)
    with pytest.raises((UsageError, KeyMissing)):
        save_key(tmp_path / "credentials.json", HOME, ApiKey(SECRET, "typed"))
    assert os.listdir(tmp_path) == ["credentials.json"]


def test_removing_a_key_keeps_the_keys_of_other_profiles(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    for profile in ("default", "staging"):
        save_key(path, HOME, ApiKey(f"key-of-{profile}", "typed"), profile)
    assert remove_key(path, "default")
    assert {name: saved.api_key for name, saved in saved_keys(path).items()} == {"staging": "key-of-staging"}
    assert not remove_key(path, "default")
    assert not remove_key(tmp_path / "none.json", "default")


def test_a_link_to_the_file_of_keys_is_followed_only_within_the_directory(tmp_path: Path) -> None:
    path, target = tmp_path / "home" / "credentials.json", tmp_path / "home" / "vault" / "keys.json"
    save_key(target, HOME, ApiKey(SECRET, "typed"))
    path.symlink_to(target)
    save_key(path, HOME, ApiKey("other", "typed"), "staging")
    assert remove_key(path, "default")
    assert path.is_symlink()
    assert list(saved_keys(target)) == ["staging"]
    path.unlink()
    outside = target.rename(tmp_path / "keys.json")
    path.symlink_to(outside)
    before = outside.read_bytes()
    for use in (saved_keys, lambda path: save_key(path, HOME, ApiKey("other", "typed"))):
        with pytest.raises(KeyMissing, match=f"it is a link to {outside}"):
            use(path)
    assert outside.read_bytes() == before


def test_all_keys_are_kept_if_several_threads_save_keys_simultaneously(tmp_path: Path) -> None:
    path, names = tmp_path / "credentials.json", [f"profile-{number}" for number in range(16)]
    saving = [threading.Thread(target=save_key, args=(path, HOME, ApiKey("k", "typed"), name)) for name in names]
    for one in saving:
        one.start()
    for one in saving:
        one.join()
    assert sorted(saved_keys(path)) == sorted(names)
    assert os.listdir(tmp_path) == ["credentials.json"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o777])
def test_keys_readable_by_others_are_refused_with_a_chmod_hint(tmp_path: Path, mode: int) -> None:
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
