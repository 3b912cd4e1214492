from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import Prompt, prompt_bytes
from cekura_tui.workspace.prompt_files import check_output, check_prompt, read_prompt_file, write_prompt

HARD = "\ufeff# Rules\r\n\tGreet.\r\n\x1b[31mred\x1b[0m\n" + "x" * 20_000 + "\rlone\u2028 \u202e\n\n"


def test_a_prompt_goes_through_a_file_byte_for_byte(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(HARD.encode())
    prompt = read_prompt_file(str(tmp_path / "in"))
    assert prompt == HARD
    write_prompt(tmp_path / "out", prompt)
    assert (tmp_path / "out").read_bytes() == HARD.encode()


@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=()), min_size=1))
def test_any_prompt_that_a_server_proposes_can_be_written(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("out") / "improved.md"
    write_prompt(path, Prompt(text))
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
def test_a_file_that_is_no_prompt_is_refused_by_name(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "prompt.md"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=said) as caught:
        read_prompt_file(str(path))
    assert str(path) in caught.value.message


def test_a_prompt_of_just_the_largest_size_is_taken(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"x" * 200_000)
    assert len(read_prompt_file(str(tmp_path / "p"))) == 200_000


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.md", "There is no file"),
        (".", "is a directory"),
        ("x" * 300, "cannot be read"),
        ("~no-such-one/p", "home"),
        ("", "The path is empty"),
    ],
)
def test_a_prompt_file_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, name: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=said):
        read_prompt_file(name)


def test_an_agents_prompt_over_the_limit_is_refused_with_its_size() -> None:
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
def test_an_output_that_cannot_be_written_is_refused_first(
    tmp_path: Path, name: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.md").write_text("kept")
    with pytest.raises(UsageError, match=said):
        check_output(name, force=False)
    assert (tmp_path / "there.md").read_text() == "kept"


def test_force_overwrites_and_keeps_the_files_mode(tmp_path: Path) -> None:
    path = tmp_path / "there.md"
    path.write_text("old")
    path.chmod(0o640)
    write_prompt(check_output(str(path), force=True), Prompt("new"))
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)


def test_a_new_file_has_the_mode_that_the_user_wants(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_prompt(tmp_path / "new.md", Prompt("x"))
    finally:
        os.umask(before)
    assert (tmp_path / "new.md").stat().st_mode & 0o777 == 0o640


def test_a_link_is_written_through_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "target.md").write_text("old")
    (tmp_path / "link.md").symlink_to("target.md")
    write_prompt(tmp_path / "link.md", Prompt("new"))
    assert (tmp_path / "target.md").read_text() == "new"
    assert (tmp_path / "link.md").is_symlink()


def test_a_file_that_came_while_waiting_is_not_overwritten_without_force(tmp_path: Path) -> None:
    path = check_output(str(tmp_path / "out.md"), force=False)
    path.write_text("of somebody else")
    with pytest.raises(UsageError, match="exists already"):
        write_prompt(path, Prompt("new"), force=False)
    assert path.read_text() == "of somebody else"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_directory_that_went_away_while_waiting_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    path = check_output(str(tmp_path / "gone" / "out.md"), force=False)
    (tmp_path / "gone").rmdir()
    with pytest.raises(UsageError, match="Can't write"):
        write_prompt(path, Prompt("new"))


def test_a_pipe_is_not_waited_for_where_a_person_types_a_name(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="not a regular file"):
        read_prompt_file(str(pipe), ordinary=True)
    with pytest.raises(UsageError, match="There is no file -"):
        read_prompt_file("-", ordinary=True)


@pytest.mark.parametrize("force", [False, True])
def test_a_place_that_cannot_take_the_prompt_is_refused_before_anything_is_sent(tmp_path: Path, force: bool) -> None:
    loop, dangling, pipe = tmp_path / "loop", tmp_path / "dangling", tmp_path / "pipe"
    loop.symlink_to(loop)
    dangling.symlink_to(tmp_path / "gone" / "file")
    os.mkfifo(pipe)
    for name in (str(loop), str(dangling), str(pipe), f"{tmp_path / 'new'}{os.sep}"):
        with pytest.raises(UsageError):
            check_output(name, force=force)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "loop", "pipe"]


@pytest.mark.parametrize(("closed", "said"), [("out.md", "may not be written to"), (".", "is not writable")])
def test_a_read_only_output_is_refused_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: str, said: str
) -> None:
    (tmp_path / "out.md").write_text("kept")
    # Root may write everywhere, so what the system says of others is said here.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path / closed)
    with pytest.raises(UsageError, match=said):
        check_output(str(tmp_path / "out.md"), force=True)


def test_a_program_without_standard_input_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError, match="There is no standard input"):
        read_prompt_file("-")
