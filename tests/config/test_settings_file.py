"""All errors in config.toml are reported with their lines, and entries can be changed."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_answers import changed

from cekura_tui.config.settings import SETTINGS
from cekura_tui.config.settings_check import line_numbers
from cekura_tui.config.settings_edit import copy_settings, put_copy, set_setting, settings_template
from cekura_tui.config.sources import read_settings_file
from cekura_tui.model.errors import UsageError

Write = Callable[[str | bytes], Path]


def test_checks_and_edits_of_short_files_give_the_recorded_results() -> None:
    assert changed("config/short_answers.txt") == ""


def problems(path: Path) -> list[str]:
    return [problem.sentence for problem in read_settings_file(path).problems]


def test_a_column_width_in_quotes_is_reported(write_config: Write) -> None:
    path = write_config('[columns]\nrun = "30"\n')
    assert problems(path) == ["line 2: columns.run must be a number of cells, not “30”"]


def test_every_entry_of_improve_is_checked_by_its_own_kind(write_config: Write) -> None:
    path = write_config(
        '[improve]\ncomand = "llm"\ncommand = "llm \'-m"\ncharacters = 4999\nminutes = "30"\ntemplate = 5\n'
        'api_key = "x"\nmodel = "x"\nnotify = "off"\n[profiles.work.improve]\nminutes = 1441\ncharacters = 2000000\n'
    )
    assert problems(path) == [
        "line 2: unknown setting “improve.comand”; use command",
        "line 3: improve.command must be a command with closed quotes, without NAME=value before it (use `env` in a "
        "script of your own), not “llm '-m”",
        "line 4: improve.characters must be a number from 5000 to 2000000, not “4999”",
        "line 5: improve.minutes must be a number from 1 to 1440, not “30”",
        "line 6: improve.template must be text, not “5”",
        "line 7: improve.api_key is no setting: delete the line and save the key with `cekura-tui auth login`",
        "line 8: unknown setting “improve.model”; `cekura-tui config show` lists the settings",
        "line 9: improve.notify belongs above the first table",
        "line 11: profiles.work.improve.minutes must be a number from 1 to 1440, not “1441”",
    ]
    file = read_settings_file(path)
    assert (file.values["improve"], file.profiles) == ({}, {"work": {"improve": {"characters": 2_000_000}}})


def test_a_byte_order_mark_is_accepted(write_config: Write) -> None:
    path = write_config(b"\xef\xbb\xbfproject_id = 5 # five\n")
    assert (read_settings_file(path).values, read_settings_file(path).problems) == ({"project_id": 5}, ())
    set_setting(path, "hints", "false")
    assert path.read_text() == "project_id = 5 # five\nhints = false\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"\xff\xfe", "not valid TOML: it is not UTF-8 text"),
        ('a = "unfinished', "not valid TOML at the end of the file"),
    ],
    ids=["no text", "unfinished"],
)
def test_invalid_toml_is_reported_with_its_place_and_not_changed(
    write_config: Write, text: str | bytes, problem: str
) -> None:
    path = write_config(text)
    before = path.read_bytes()
    (found,) = read_settings_file(path).problems
    assert problem in found.sentence
    assert found.blocks_key
    for change in (lambda: set_setting(path, "hints", False), lambda: set_setting(path, "hints", None)):
        with pytest.raises(UsageError, match="not valid TOML"):
            change()
    assert path.read_bytes() == before


def test_a_directory_or_pipe_is_reported_and_the_target_of_a_link_is_edited(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    os.mkfifo(path)
    for other, kind in ((tmp_path, "a directory"), (path, "a named pipe")):
        assert problems(other) == [f"can't be read: it is {kind}, not a file"]
    path.unlink()
    real = tmp_path / "dotfiles" / "cekura.toml"
    real.parent.mkdir()
    real.write_text("title = false")
    path.symlink_to("dotfiles/cekura.toml")
    assert read_settings_file(path).values == {"title": False}
    set_setting(path, "project_id", 2)
    assert path.is_symlink()
    assert "project_id = 2" in real.read_text()


VALUES = st.sampled_from(
    ["1", "true", '"x"', "'#'", '"""\n[a]\nb = 1\n"""', '"\u2028"', "'''\nx = ]\n'''", "[\n1,\n# c\n2]", "{ q = 1 }"]
)


@given(st.lists(st.tuples(VALUES, st.sampled_from(["", "\n", "# c\n", "\n# [x]\n"])), max_size=8))
def test_the_line_of_every_entry_is_found_in_any_valid_file(entries: list[tuple[str, str]]) -> None:
    text, lines = "", {}
    for number, (value, gap) in enumerate(entries):
        lines[(f"k{number}",)] = text.count("\n") + 1
        text += f"k{number} = {value}\n{gap}"
    found = line_numbers(text)
    assert {name: line for name, line in found.items() if len(name) == 1} == lines
    assert {name for (name, *_) in found} == set(tomllib.loads(text))
    assert line_numbers(text.replace("\n", "\r\n")) == found


OWN = """\
# mine
project_id = 1     # the desk
hints = false

# about the terminal
[theme]
name = "nord"  # dark

[profiles.work]
agent_id = 5
"""


@pytest.mark.parametrize("name", ['keys."runs.improve"', "keys.runs.improve", "profiles.work.keys.runs.improve"])
@pytest.mark.parametrize("text", ["", '[keys]\n"runs.improve" = "x"\n', '[keys]\nruns.improve = "x"\n'])
def test_an_action_id_with_a_dot_is_one_name(write_config: Write, name: str, text: str) -> None:
    path = write_config(text)
    set_setting(path, name, "I")
    file = read_settings_file(path)
    of = file.profiles["work"] if name.startswith("profiles") else file.values
    assert (of["keys"], file.problems) == ({"runs.improve": "I"}, ())
    assert set_setting(path, name, None)
    assert not set_setting(path, name, None)


def test_an_edited_file_keeps_its_mode_and_a_name_of_two_lines_is_refused(write_config: Write) -> None:
    path = write_config(OWN)
    path.chmod(0o640)
    set_setting(path, "hints", "true")
    with pytest.raises(UsageError, match="is not the name of a setting"):
        set_setting(path, "a = 1\nb", "1")
    assert (path.read_text(), path.stat().st_mode & 0o777) == (OWN.replace("false", "true"), 0o640)


def test_a_created_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    set_setting(path, "columns.run", "12")
    assert path.read_text() == "[columns]\nrun = 12\n"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_entries_of_profiles_can_be_set_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    for name, value in (("a.theme.name", "x"), ("b.agent_id", 1), ("a.agent_id", 2), ("b.keys.c.d", "y")):
        set_setting(path, f"profiles.{name}", value)
    found = tomllib.loads(path.read_text())["profiles"]
    assert found == {"a": {"theme": {"name": "x"}, "agent_id": 2}, "b": {"agent_id": 1, "keys": {"c.d": "y"}}}


def test_all_entries_are_kept_if_several_threads_set_entries_simultaneously(tmp_path: Path) -> None:
    names = [f"theme.{name}" for name in "abcdefghijkl"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: set_setting(tmp_path / "config.toml", name, "x"), names))
    assert read_settings_file(tmp_path / "config.toml").values == {"theme": dict.fromkeys("abcdefghijkl", "x")}


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_new_lines_end_as_the_lines_of_the_file(write_config: Write, ends: str) -> None:
    text = OWN.replace("\n", ends)
    path = write_config(text)
    for name, value in (("title", "true"), ("columns.run", "9"), ("hints", "true")):
        set_setting(path, name, value)
    assert set_setting(path, "project_id", None)
    assert path.read_bytes().count(ends.encode()) == path.read_bytes().count(b"\n") > OWN.count("\n")
    path.write_bytes(f"# a{ends}# b\nhints = false".encode())
    set_setting(path, "title", "true")
    assert path.read_bytes().startswith(f"# a{ends}# b\nhints = false\n".encode())


def test_a_hard_link_of_the_file_gets_the_change_too(write_config: Write) -> None:
    path = write_config(OWN)
    other = path.with_name("dotfiles.toml")
    other.hardlink_to(path)
    set_setting(path, "hints", "true")
    assert set_setting(path, "profiles", None)
    assert path.samefile(other)
    assert other.read_text() == OWN.replace("false", "true").partition("[profiles")[0]
    assert {one.name for one in path.parent.iterdir()} == {path.name, other.name}


def test_a_link_to_a_missing_file_stays_and_the_file_is_created(tmp_path: Path) -> None:
    path, target = tmp_path / "config.toml", tmp_path / "dotfiles.toml"
    path.symlink_to(target)
    set_setting(path, "hints", "true")
    assert (path.is_symlink(), target.read_text(), target.stat().st_mode & 0o777) == (True, "hints = true\n", 0o600)


def test_a_file_without_write_permission_is_not_changed(write_config: Write) -> None:
    path = write_config(OWN)
    path.chmod(0o444)
    for change in (
        lambda: set_setting(path, "hints", True),
        lambda: set_setting(path, "hints", None),
        lambda: copy_settings(path),
    ):
        with pytest.raises(UsageError, match=r"is not writable .0444.: run `chmod 600"):
            change()
    assert (path.read_text(), [*path.parent.iterdir()]) == (OWN, [path])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_edit_in_an_unwritable_directory_raises_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="Can't write"):
        set_setting(tmp_path / "config.toml", "hints", False)
    tmp_path.chmod(0o700)


def test_a_new_file_lists_all_settings_and_is_valid_when_uncommented(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    copy, template = copy_settings(path)[0], settings_template()
    assert copy.stat().st_mode & 0o777 == 0o600
    assert not put_copy(path, copy, template.encode())
    assert not path.exists()
    copy, _ = copy_settings(path)
    copy.write_text(edited := template + "\n")
    assert put_copy(path, copy, template.encode())
    assert (path.read_text(), path.stat().st_mode & 0o777, copy.exists()) == (edited, 0o600, False)
    assert tomllib.loads(template) == {}
    set_setting(path, "project_id", 5)
    assert path.read_text() == edited.replace("#project_id = 4021", "project_id = 5")
    path.write_text(
        "\n".join(line[1:] if line[:1] == "#" and line[:2] != "# " else line for line in template.splitlines())
    )
    file = read_settings_file(path)
    assert file.problems == ()
    assert set(file.values) == set(SETTINGS)
    assert file.values["improve"].keys() == SETTINGS["improve"].kind.named.keys()
