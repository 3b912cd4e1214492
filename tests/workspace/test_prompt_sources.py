from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import Job, JobState, Suggestion
from cekura_tui.model.text import Prompt, clean_line, sha256
from cekura_tui.workspace.prompt_files import (
    AlreadyThere,
    PromptFileDrifted,
    is_source,
    read_prompt_file,
    relative_source,
    source_file,
    source_of,
    write_suggestion,
)

SENT, BETTER = Prompt("\ufeffBe kind.\r\n\x85"), Prompt("Be kinder.")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, which is also the home directory. It contains the file prompt.md with the text SENT."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "prompt.md").write_bytes(SENT.encode())
    return tmp_path


def done(source: str, sent: Prompt = SENT) -> Suggestion:
    job = Job(1, JobState.SUCCEEDED, "", "", "", "", (5,), 7, "", (), (), sha256(sent), prompt_source=source)
    return Suggestion(job, sent, BETTER)


@pytest.mark.parametrize("name", ["prompt.md", "./prompt.md", "~/prompt.md", "link", "twin", "sub/../prompt.md"])
def test_a_prompts_file_is_recognised_by_any_path_to_the_file(here: Path, name: str) -> None:
    (here / "link").symlink_to("prompt.md")
    (here / "sub").mkdir()
    os.link(here / "prompt.md", here / "twin")
    assert is_source(name, "prompt.md")
    assert is_source("prompt.md", name)


@pytest.mark.parametrize("source", ["agent", "file", "last", "draft", "-", ""])
def test_a_file_named_like_a_source_is_not_the_prompts_file(here: Path, source: str) -> None:
    for name in ("agent", "file", "last", "draft", "-"):
        (here / name).write_text("Mine.")
    assert source_file(source) is None
    assert not is_source(source or "-", source)


@pytest.mark.parametrize("name", ["gone.md", "other.md", ".", "pipe", "x" * 300, "a\0b", "~nobody-at-all/p", ""])
def test_a_path_to_another_file_or_an_impossible_path_is_not_the_prompts_file(here: Path, name: str) -> None:
    (here / "other.md").write_bytes(SENT.encode())
    os.mkfifo(here / "pipe")
    assert not is_source(name, "prompt.md")
    assert not is_source("prompt.md", name)


def test_a_file_with_different_line_ends_counts_as_changed(here: Path) -> None:
    (here / "prompt.md").write_bytes(SENT.replace("\r\n", "\n").encode())
    with pytest.raises(PromptFileDrifted, match="has changed since") as caught:
        write_suggestion(Path("prompt.md"), BETTER, done("prompt.md"), force=True)
    assert (here / "prompt.md").read_bytes() == SENT.replace("\r\n", "\n").encode()
    assert caught.value.drift() != ""


@pytest.mark.parametrize("sent", [SENT, Prompt("é" * 150_000)], ids=["short", "too large to send"])
def test_an_unchanged_file_is_overwritten_only_with_force(here: Path, sent: Prompt) -> None:
    (here / "prompt.md").write_bytes(sent.encode())
    with pytest.raises(AlreadyThere):
        write_suggestion(Path("prompt.md"), BETTER, done("prompt.md", sent), force=False)
    assert (here / "prompt.md").read_bytes() == sent.encode()
    write_suggestion(Path("prompt.md"), BETTER, done("prompt.md", sent), force=True)
    assert (here / "prompt.md").read_bytes() == BETTER.encode()
    assert os.listdir(here) == ["prompt.md"]


def test_a_deleted_file_is_created_again_with_a_message(here: Path) -> None:
    for source, force in ("prompt.md", False), (source_of("prompt.md"), True):
        (here / "prompt.md").unlink()
        message = write_suggestion(Path("prompt.md"), BETTER, done(source), force=force)
        assert message == "The file was deleted since its prompt was sent, and was created again."
        assert (here / "prompt.md").read_bytes() == BETTER.encode()
    assert write_suggestion(Path("other.md"), BETTER, done(source), force=True) == ""


def test_a_source_means_the_same_file_after_a_change_of_directory(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = source_of("prompt.md")
    assert relative_source(source) == "prompt.md"
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    Path("prompt.md").write_text("Another agent's.")
    assert not is_source("prompt.md", source)
    assert is_source("../prompt.md", source)
    assert relative_source(source) == source
    (here / "prompt.md").write_text("Changed.")
    with pytest.raises(PromptFileDrifted):
        write_suggestion(here / "prompt.md", BETTER, done(source), force=True)


ODD = ["Prompt at 9.41\u202fAM.md", "prompt\u00a0v2.md", "caf\udce9.md", "line\nend.md", "\x1b[31m.md", "\udcff.md"]


@pytest.mark.parametrize("name", ["two  spaces.md", " ä.md", "sub/" * 100 + "deep.md", "~/prompt.md", *ODD])
def test_a_source_with_an_odd_name_is_found(here: Path, name: str) -> None:
    file = Path(name).expanduser()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"Changed.")
    # Earlier versions saved odd names as displayed.
    for source in (source_of(name), clean_line(source_of(name))) if name in ODD else (source_of(name),):
        assert is_source(name, source)
        assert is_source("prompt.md", source) == (name == "~/prompt.md")
        with pytest.raises(PromptFileDrifted):
            write_suggestion(file, BETTER, done(source), force=True)


@pytest.mark.parametrize("name", ["a\0b", "~nobody-at-all/p", "half \ud800 a character.md"])
def test_an_impossible_file_name_is_not_a_source_file(here: Path, name: str) -> None:
    assert source_file(source_of(name)) is None
    assert not is_source(name, source_of(name))
    with pytest.raises(UsageError):
        read_prompt_file(name)


def test_an_unreadable_source_is_not_overwritten(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(path: Path, mode: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as rights:
        rights.setattr(Path, "open", unreadable)
        with pytest.raises(UsageError, match=r"prompt\.md cannot be read: Permission denied"):
            write_suggestion(here / "prompt.md", BETTER, done("prompt.md"), force=True)
    assert (here / "prompt.md").read_bytes() == SENT.encode()
