"""Saved text files have safe names and do not overwrite files unasked; only safe web links are recognised."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cekura_tui.model.errors import UsageError
from cekura_tui.model.run.details import web_link
from cekura_tui.ui.terminal.capabilities import read_over_ssh
from cekura_tui.workspace.prompt_files import AlreadyThere, check_output, safe_name, write_text

TEXT = st.text(st.sampled_from("/\\.-~\0\n\x1b é世 a") | st.characters(exclude_categories=()), max_size=300)


@given(TEXT)
@example("../../etc/passwd")
@example("-rf")
@example(".bashrc")
@example("")
def test_a_file_with_a_name_from_the_server_is_written_inside_the_directory(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    name = safe_name(text, ".md")
    here = tmp_path_factory.mktemp("here")
    write_text(here / name, "said")
    assert os.listdir(here) == [name]
    assert name.isprintable()
    assert name.endswith(".md")
    assert name[0] not in ".-"
    assert not set(name) & set("/\\~ ")


def test_a_safe_name_is_unchanged_and_a_written_text_ends_with_one_newline(tmp_path: Path) -> None:
    assert safe_name("run-48213-transcript", ".md") == "run-48213-transcript.md"
    for text in ("said", "said\n"):
        write_text(tmp_path / "file", text)
        assert (tmp_path / "file").read_bytes() == b"said\n"


def test_a_file_created_after_the_check_is_not_overwritten_without_force(tmp_path: Path) -> None:
    path = check_output(str(tmp_path / "file"), force=False)
    path.write_text("of another program")
    with pytest.raises(AlreadyThere):
        write_text(path, "mine", force=False)
    with pytest.raises(AlreadyThere):
        check_output(str(path), force=False)
    assert path.read_text() == "of another program"
    with pytest.raises(UsageError, match="Can't write") as caught:
        write_text(tmp_path / "gone" / "file", "mine")
    assert not isinstance(caught.value, AlreadyThere)
    assert os.listdir(tmp_path) == ["file"]
    with pytest.raises(UsageError, match="is not a valid file name"):
        check_output(f"{tmp_path}/a\0b", force=False)


LINKS = ("http://a", "https://a.b/c?d=%20e#f", "HTTPS://A/x", " https://a/ ")
NO_LINKS = (
    None,
    1,
    "",
    "a.b/c",
    "ftp://a",
    "data:text/html,x",
    "https:",
    "https:///x",
    "https://a\x1b[m",
    "https://a /b",
)


def test_only_http_links_are_recognised() -> None:
    assert [web_link(link) for link in LINKS] == [link.strip() for link in LINKS]
    assert [text for text in NO_LINKS if web_link(text) is not None] == []


@given(TEXT)
def test_no_link_can_contain_control_codes_or_act_as_an_option(text: str) -> None:
    link = web_link(f"https://{text}")
    assert link is None or (link.isprintable() and link.startswith("https://") and len(link.split()) == 1)


def test_ssh_is_recognised_by_its_environment_variables() -> None:
    assert [read_over_ssh(env) for env in ({}, {"SSH_TTY": "", "SSH_CONNECTION": ""})] == [False, False]
    assert [read_over_ssh(env) for env in ({"SSH_TTY": "/dev/pts/1"}, {"SSH_CONNECTION": "1 2 3 4"})] == [True, True]
