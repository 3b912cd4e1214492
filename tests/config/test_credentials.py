from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from cekura_tui.config.credentials import ApiKey, Server, check_key, find_key, read_server, save_key
from cekura_tui.model.errors import Exit, KeyMissing, UsageError
from cekura_tui.workspace.setup import make_setup

HOME = read_server("https://api.cekura.ai")
OTHER = read_server("https://other.example")
SECRET = "ck_live_0123456789abcdef"


def test_a_saved_key_is_found_again_for_its_own_server(tmp_path: Path) -> None:
    path = tmp_path / "new" / "credentials.json"
    save_key(path, HOME, ApiKey(SECRET, "typed"))
    assert find_key(None, {}, path, HOME).text == SECRET
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["credentials.json"]


@pytest.mark.parametrize("server", [OTHER, read_server("https://api.cekura.ai:8443"), read_server("http://localhost")])
def test_a_saved_key_is_not_sent_to_another_server(tmp_path: Path, server: Server) -> None:
    path = tmp_path / "credentials.json"
    save_key(path, HOME, ApiKey(SECRET, "typed"))
    with pytest.raises(KeyMissing) as caught:
        find_key(None, {}, path, server)
    assert HOME.origin in caught.value.message
    assert server.origin in caught.value.message
    assert caught.value.exit_status == Exit.KEY_REFUSED


def test_a_key_of_the_flag_wins_over_the_environment_and_that_over_the_saved_one(tmp_path: Path) -> None:
    path, file = tmp_path / "credentials.json", tmp_path / "key"
    save_key(path, HOME, ApiKey("saved", "typed"))
    file.write_text("of-the-flag\n")
    assert find_key(str(file), {"CEKURA_API_KEY": "env"}, path, HOME).text == "of-the-flag"
    assert find_key(None, {"CEKURA_API_KEY": " env "}, path, HOME).text == "env"
    assert find_key(None, {"CEKURA_API_KEY": " "}, path, HOME).text == "saved"


def test_a_key_can_be_piped_in_and_only_its_line_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stdin = io.StringIO(f"{SECRET}\nthe rest")
    monkeypatch.setattr("sys.stdin", stdin)
    assert find_key("-", {}, tmp_path / "none", HOME).text == SECRET
    assert stdin.read() == "the rest"
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(KeyMissing, match="standard input is closed"):
        find_key("-", {}, tmp_path / "none", HOME)


def test_without_any_key_it_is_said_how_to_give_one(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing) as caught:
        find_key(None, {}, tmp_path / "none", HOME)
    for way in ("auth login", "CEKURA_API_KEY", "--api-key-file"):
        assert way in caught.value.hint


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
    path = tmp_path / "credentials.json"
    path.write_bytes(content)
    with pytest.raises(KeyMissing, match=r"credentials\.json"):
        find_key(None, {}, path, HOME)


@pytest.mark.parametrize("content", [[], {}, {"default": 5}, {"default": {}}, {"other": {"api_key": "k"}}])
def test_a_credentials_file_without_our_entry_is_no_key(tmp_path: Path, content: object) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps(content))
    with pytest.raises(KeyMissing):
        find_key(None, {}, path, HOME)


def test_signing_in_again_keeps_the_entries_of_others(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps({"work": {"api_url": "https://w", "api_key": "w"}}))
    path.chmod(0o644)
    save_key(path, HOME, ApiKey(SECRET, "typed"))
    assert json.loads(path.read_text())["work"]["api_key"] == "w"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["missing", ".", "~nobody-of-this-name/key"])
def test_a_key_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((KeyMissing, UsageError)) as caught:
        find_key(name, {}, tmp_path / "none", HOME)
    assert name in caught.value.message


def test_a_binary_key_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KeyMissing, match="not a text file"):
        find_key(str(tmp_path / "key"), {}, tmp_path / "none", HOME)


def test_a_key_that_cannot_be_kept_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "credentials.json").mkdir()
    (tmp_path / "credentials.json" / "x").touch()
    with pytest.raises((UsageError, KeyMissing)):
        save_key(tmp_path / "credentials.json", HOME, ApiKey(SECRET, "typed"))
    assert [file.name for file in tmp_path.iterdir()] == ["credentials.json"]
