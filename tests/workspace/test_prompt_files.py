from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import prompt_bytes
from cekura_tui.workspace.prompt_files import check_output, check_prompt, read_prompt_file, write_output

HARD = "\ufeff# Rules\r\n\tGreet.\r\n\x1b[31mred\x1b[0m\n" + "x" * 20_000 + "\rlone\u2028 \u202e\n\n"


def test_a_prompt_is_written_and_read_byte_for_byte(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(HARD.encode())
    prompt = read_prompt_file(str(tmp_path / "in"))
    assert prompt == HARD
    write_output(tmp_path / "out", prompt_bytes(prompt))
    assert (tmp_path / "out").read_bytes() == HARD.encode()


@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=()), min_size=1))
def test_any_prompt_that_a_server_proposes_can_be_written(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("out") / "improved.md"
    write_output(path, prompt_bytes(text))
    assert path.read_bytes() == prompt_bytes(text)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "blank"),
        (b" \r\n\t\n", "blank"),
        (b"a\0b", "not a text file"),
        (b"\x89PNG\r\n\x1a\n\xff", "not a text file"),
        (b"x" * 200_001, "over 200,000 bytes"),
    ],
)
def test_an_error_about_an_invalid_prompt_file_names_the_file(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "prompt.md"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=said) as caught:
        read_prompt_file(str(path))
    assert str(path) in caught.value.message
    path.write_bytes(b"x" * 200_000)
    assert len(read_prompt_file(str(path))) == 200_000


UNREADABLE = {"missing.md": "There is no file", ".": "is a directory", "x" * 300: "cannot be read"}


@pytest.mark.parametrize(
    ("name", "said"), [*UNREADABLE.items(), ("~no-such-one/p", "home"), ("", "The path is empty"), ("-", "no standard")]
)
def test_an_unreadable_prompt_file_is_reported(
    tmp_path: Path, name: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError, match=said):
        read_prompt_file(name)


def test_a_path_typed_in_the_app_cannot_be_a_pipe_or_standard_input(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for name, said in ((str(pipe), "not a regular file"), ("-", "There is no file -")):
        with pytest.raises(UsageError, match=said):
            read_prompt_file(name, ordinary=True)


def test_a_prompt_over_the_limit_is_refused_with_its_size_in_bytes() -> None:
    with pytest.raises(UsageError, match="200,002 bytes"):
        check_prompt("é" * 100_001)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none/out.md", "There is no directory"),
        (".", "is a directory"),
        ("", "The path is empty"),
        ("there.md", "exists already"),
        ("there.md/out.md", "There is no directory"),
        ("x" * 300, "Can't write"),
    ],
)
def test_an_unwritable_output_is_refused_before_any_work(
    tmp_path: Path, name: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.md").write_text("kept")
    with pytest.raises(UsageError, match=said):
        check_output(name, force=False)
    assert (tmp_path / "there.md").read_text() == "kept"


def test_a_new_file_gets_default_permissions_and_an_overwritten_file_keeps_its_own(tmp_path: Path) -> None:
    new, old, link = (tmp_path / name for name in ("new.md", "old.md", "link.md"))
    old.touch(0o600)
    link.symlink_to("old.md")
    before = os.umask(0o027)
    try:
        for path in (new, link):
            write_output(check_output(str(path), force=True), b"new")
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in (new, old)] == [0o640, 0o600]
    assert (old.read_text(), link.is_symlink()) == ("new", True)


@pytest.mark.parametrize("force", [False, True])
def test_an_output_path_that_is_no_regular_file_is_refused_before_any_work(tmp_path: Path, force: bool) -> None:
    loop, dangling, pipe = tmp_path / "loop", tmp_path / "dangling", tmp_path / "pipe"
    loop.symlink_to(loop)
    dangling.symlink_to(tmp_path / "gone" / "file")
    os.mkfifo(pipe)
    for name in (str(loop), str(dangling), str(pipe), f"{tmp_path / 'new'}{os.sep}"):
        with pytest.raises(UsageError):
            check_output(name, force=force)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "loop", "pipe"]


@pytest.mark.parametrize(("closed", "said"), [("out.md", "may not be written to"), (".", "is not writable")])
def test_a_read_only_output_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: str, said: str
) -> None:
    (tmp_path / "out.md").write_text("kept")
    # Root may write anywhere, so the answer for other users is simulated.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path / closed)
    with pytest.raises(UsageError, match=said):
        check_output(str(tmp_path / "out.md"), force=True)
