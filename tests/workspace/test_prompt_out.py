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
    """A directory to be in, with the file of a prompt."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "prompt.md").write_bytes(SENT.encode())
    return tmp_path


def done(source: str) -> Suggestion:
    job = Job(1, JobState.SUCCEEDED, "", "", "", "", (5,), 7, "", (), (), sha256(SENT), prompt_source=source)
    return Suggestion(job, SENT, BETTER)


@pytest.mark.parametrize("name", ["prompt.md", "./prompt.md", "~/prompt.md", "link", "twin", "sub/../prompt.md"])
def test_the_file_of_a_prompt_is_known_by_any_path_that_leads_to_it(here: Path, name: str) -> None:
    (here / "link").symlink_to("prompt.md")
    (here / "sub").mkdir()
    os.link(here / "prompt.md", here / "twin")
    assert is_source(name, "prompt.md")
    assert is_source("prompt.md", name)


@pytest.mark.parametrize("source", ["agent", "file", "last", "draft", "-", ""])
def test_a_file_that_is_called_as_a_source_is_no_file_that_a_prompt_came_from(here: Path, source: str) -> None:
    for name in ("agent", "file", "last", "draft", "-"):
        (here / name).write_text("Mine.")
    assert source_file(source) is None
    assert not is_source(source or "-", source)


@pytest.mark.parametrize("name", ["gone.md", "other.md", ".", "pipe", "x" * 300, "a\0b", "~nobody-at-all/p", ""])
def test_what_is_no_such_file_is_no_error(here: Path, name: str) -> None:
    (here / "other.md").write_bytes(SENT.encode())
    os.mkfifo(here / "pipe")
    assert not is_source(name, "prompt.md")
    assert not is_source("prompt.md", name)


def test_a_file_that_holds_other_bytes_of_the_same_text_has_changed(here: Path) -> None:
    (here / "prompt.md").write_bytes(SENT.replace("\r\n", "\n").encode())
    with pytest.raises(PromptFileDrifted, match="has changed since") as caught:
        write_suggestion(Path("prompt.md"), BETTER, done("prompt.md"), force=True)
    assert (here / "prompt.md").read_bytes() == SENT.replace("\r\n", "\n").encode()
    assert caught.value.drift() != ""


def test_the_unchanged_file_is_written_whole_where_it_is_forced_and_left_where_not(here: Path) -> None:
    with pytest.raises(AlreadyThere):
        write_suggestion(Path("prompt.md"), BETTER, done("prompt.md"), force=False)
    assert (here / "prompt.md").read_bytes() == SENT.encode()
    write_suggestion(Path("prompt.md"), BETTER, done("prompt.md"), force=True)
    assert (here / "prompt.md").read_bytes() == BETTER.encode()
    assert os.listdir(here) == ["prompt.md"]


def test_a_file_that_went_away_is_written_anew_and_this_is_told(here: Path) -> None:
    (here / "prompt.md").unlink()
    for source, force in ("prompt.md", False), (source_of("prompt.md"), True):
        told = write_suggestion(Path("prompt.md"), BETTER, done(source), force=force)
        assert told == "The file was deleted since its prompt was sent, and was created again."
        assert (here / "prompt.md").read_bytes() == BETTER.encode()
        (here / "prompt.md").unlink()
    assert write_suggestion(Path("other.md"), BETTER, done(source), force=True) == ""


def test_a_prompt_too_large_to_send_is_still_known_as_unchanged(here: Path) -> None:
    sent = Prompt("é" * 150_000)
    (here / "prompt.md").write_bytes(sent.encode())
    job = Job(1, JobState.SUCCEEDED, "", "", "", "", (5,), 7, "", (), (), sha256(sent), prompt_source="prompt.md")
    write_suggestion(Path("prompt.md"), BETTER, Suggestion(job, sent, BETTER), force=True)
    assert (here / "prompt.md").read_bytes() == BETTER.encode()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_cannot_be_read_is_left(here: Path) -> None:
    (here / "prompt.md").chmod(0o200)
    with pytest.raises(UsageError, match="cannot be read"):
        write_suggestion(Path("prompt.md"), BETTER, done("prompt.md"), force=True)


def test_a_source_is_the_same_file_from_another_directory(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_a_source_is_kept_exactly_whatever_is_in_its_name(here: Path, name: str) -> None:
    file = Path(name).expanduser()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(SENT.encode())
    assert is_source(name, source_of(name))
    file.write_bytes(b"Changed.")
    with pytest.raises(PromptFileDrifted):
        write_suggestion(file, BETTER, done(source_of(name)), force=True)


@pytest.mark.parametrize("name", ODD)
def test_a_file_whose_name_an_earlier_version_kept_as_it_is_shown_is_looked_at_too(here: Path, name: str) -> None:
    Path(name).write_bytes(b"Changed.")
    source = clean_line(source_of(name))
    assert is_source(name, source)
    assert not is_source("prompt.md", source)
    with pytest.raises(PromptFileDrifted):
        write_suggestion(Path(name), BETTER, done(source), force=True)


@pytest.mark.parametrize("name", ["a\0b", "~nobody-at-all/p", "half \ud800 a character.md"])
def test_a_name_that_no_file_can_have_leads_to_none(here: Path, name: str) -> None:
    assert source_file(source_of(name)) is None
    assert not is_source(name, source_of(name))
    with pytest.raises(UsageError):
        read_prompt_file(name)


def test_a_source_that_cannot_be_read_any_more_is_not_written_over(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(path: Path, mode: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as rights:
        rights.setattr(Path, "open", unreadable)
        with pytest.raises(UsageError, match=r"prompt\.md cannot be read: Permission denied"):
            write_suggestion(here / "prompt.md", BETTER, done("prompt.md"), force=True)
    assert (here / "prompt.md").read_bytes() == SENT.encode()
