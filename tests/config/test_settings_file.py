"""config.toml: all wrong entries at once with their lines, and entries that are changed in it."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.config.settings import SETTINGS
from cekura_tui.config.settings_check import line_numbers
from cekura_tui.config.settings_edit import create_settings_file, set_setting, unset_setting
from cekura_tui.config.sources import read_settings_file
from cekura_tui.model.errors import UsageError

Write = Callable[[str | bytes], Path]


def problems(path: Path) -> list[str]:
    return [problem.sentence for problem in read_settings_file(path).problems]


WRONG = '''\
# mine
project_id = "one"   # wrong
notify = "beep"
on_job_done = """
a
b"""
colour = 3

[keys]
runs.improve = "I"
"runs.open" = 5

[columns]
run = 5
"scenario" = true

[profiles.work]
agent_id = -1
profile = "home"
title = 1
'''


def test_a_byte_order_mark_is_no_error(write_config: Write) -> None:
    path = write_config(b"\xef\xbb\xbfproject_id = 5 # five\n")
    assert (read_settings_file(path).values, read_settings_file(path).problems) == ({"project_id": 5}, ())
    set_setting(path, "hints", "false")
    assert path.read_text() == "project_id = 5 # five\nhints = false\n"


def test_all_wrong_entries_are_listed_and_the_right_ones_are_used_and_changed(write_config: Write) -> None:
    path = write_config(WRONG)
    assert problems(path) == [
        "line 2: project_id must be a number, not “one”",
        "line 3: notify must be one of auto, osc777, osc9, bell, off, not “beep”",
        "line 7: unknown setting “colour”; `cekura-tui config show` lists the settings",
        "line 11: keys.runs.open must be text, not “5”",
        "line 15: columns.scenario must be a number of cells, not “true”",
        "line 18: profiles.work.agent_id must be a number, not “-1”",
        "line 19: profiles.work.profile belongs above the first table",
        "line 20: profiles.work.title must be true or false, not “1”",
    ]
    file = read_settings_file(path)
    assert file.values == {"on_job_done": "a\nb", "keys": {"runs.improve": "I"}, "columns": {"run": 5}}
    assert file.profiles == {"work": {}}
    assert (file.doubts, file.place("keys", "runs.improve")) == ({}, f"{file.path}:10")
    set_setting(path, "project_id", 5)
    set_setting(path, "profiles.work.title", "true")
    assert len(problems(path)) == 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("project_id = true", "project_id must be a number, not “true”"),
        pytest.param(f"agent_id = 0x{'f' * 5000}", "agent_id must be a number, not “…”", id="hexadecimal"),
        pytest.param(f"dashboard_url = [0x{'f' * 5000}]", "dashboard_url must be text, not “…”", id="in a list"),
        ("notify = [1]", "notify must be one of auto, osc777, osc9, bell, off, not “[1]”"),
        ("hints = 0", "hints must be true or false, not “0”"),
        ('on_job_done = "notify-send \'Done"', "on_job_done must be a command with closed quotes, not “notify-send"),
        ('on_job_done = "  "', "on_job_done must be a command with closed quotes"),
        ('on_job_done = "a\\u0000b"', "on_job_done must be a command with closed quotes"),
        ('api_key_command = ["a", "b"]', "api_key_command must be a command with closed quotes"),
        ('theme = "nord"', "theme must be a table such as [theme], not “nord”"),
        ("[theme]\nname = 1", "theme.name must be text, not “1”"),
        ("[columns]\nrun = -1", "columns.run must be a number of cells, not “-1”"),
        ("[hints]", "hints must be true or false, not a table"),
        ('[[keys]]\nopen = "o"', "keys must be a table such as [keys], not “[{'open': 'o'}]”"),
        ("notfiy = 1", "unknown setting “notfiy”; use notify"),
        ("[profile]", "profile must be the name of a profile, not a table"),
        ("[profil.work]", "unknown setting “profil”; use profile"),
        ("profiles = 1", "profiles must hold tables such as [profiles.work]"),
        ("[profiles]\nwork = 1", "a profile is a table, such as [profiles.work]"),
        ('api_url = "ftp://a"', "api_url “ftp://a” is not an http(s) URL. Use one such as https://api.cekura.ai"),
        ('"a\\u001b[31mb" = 1', "unknown setting “a"),
    ],
)
def test_a_wrong_entry_is_reported_with_its_line_and_what_was_expected(
    write_config: Write, text: str, expected: str
) -> None:
    (found,) = problems(write_config(f"# 1\n\n{text}\n"))
    assert expected in found
    assert re.match("line [34]: ", found)
    assert "\x1b" not in found
    assert len(found) < 200


def test_a_key_in_the_settings_is_not_shown(write_config: Write) -> None:
    for name in ("api_key", "API-KEY", "key"):
        line = f"line 1: {name} is no setting: delete the line and save the key with `cekura-tui auth login`"
        assert problems(write_config(f'{name} = "sk-secret"')) == [line]
    line = "line 1: api_key_command must be a command with closed quotes"
    assert problems(write_config('api_key_command = "echo \'sk-secret"')) == [line]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a = 1\nnot toml", "line 2: not valid TOML: Expected '=' after a key in a key/value pair (column 5)"),
        (b"\xff\xfe", "not valid TOML: it is not UTF-8 text"),
        ('a = "unfinished', "line 1: not valid TOML: "),
        ("a = 1\na = 2", "line 2: not valid TOML: Cannot overwrite a value (column 6)"),
        (f"a = {'1' * 5000}", "not valid TOML: a number has too many digits"),
        (f"a = {'[' * 3000}", "not valid TOML: nested too deeply"),
    ],
    ids=["no toml", "no text", "unfinished", "twice", "many digits", "deep"],
)
def test_a_damaged_file_is_reported_with_the_place_and_not_changed(
    write_config: Write, text: str | bytes, problem: str
) -> None:
    path = write_config(text)
    before = path.read_bytes()
    file = read_settings_file(path)
    assert file.unreadable is not None
    assert problem in file.unreadable.sentence or "end of document" in file.unreadable.sentence
    assert file.problems == (file.unreadable,)
    for change in (lambda: set_setting(path, "hints", False), lambda: unset_setting(path, "hints")):
        with pytest.raises(UsageError, match="not valid TOML"):
            change()
    assert path.read_bytes() == before


def test_a_directory_or_a_pipe_is_reported_and_a_link_to_a_file_elsewhere_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    os.mkfifo(path)
    for other, kind in ((tmp_path, "a directory"), (path, "a named pipe")):
        assert problems(other) == [f"can't be read: it is {kind}, not a file"]
        assert read_settings_file(other).unreadable is not None
    path.unlink()
    real = tmp_path / "dotfiles" / "cekura.toml"
    real.parent.mkdir()
    real.write_text("title = false")
    path.symlink_to("dotfiles/cekura.toml")
    assert read_settings_file(path).values == {"title": False}
    set_setting(path, "project_id", 2)
    assert path.is_symlink()
    assert "project_id = 2" in real.read_text()


def test_each_entry_has_the_line_in_which_it_begins() -> None:
    text = """\
a = '''
b = 1
[c]'''
"d e".f = [
  1, # ]
  "]",
]
g = { h = 1, "i" = 2 }

  [ j . 'k' ]  # l
m = "#"

[[n]]
o = 1
"""
    lines = {
        "a": 1,
        "d e": 4,
        "d e/f": 4,
        "g": 8,
        "g/h": 8,
        "g/i": 8,
        "j": 10,
        "j/k": 10,
        "j/k/m": 11,
        "n": 13,
        "n/o": 14,
    }
    assert {"/".join(name): line for name, line in line_numbers(text).items()} == lines


VALUES = st.sampled_from(
    ["1", "true", '"x"', "'#'", '"""\n[a]\nb = 1\n"""', '"\u2028"', "'''\nx = ]\n'''", "[\n1,\n# c\n2]", "{ q = 1 }"]
)


@given(st.lists(st.tuples(VALUES, st.sampled_from(["", "\n", "# c\n", "\n# [x]\n"])), max_size=8))
def test_every_entry_of_any_text_is_found_in_its_line(entries: list[tuple[str, str]]) -> None:
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


@pytest.mark.parametrize(
    ("name", "value", "before", "after"),
    [
        ("project_id", "4022", "project_id = 1     # the desk", "project_id = 4022     # the desk"),
        ("hints", "true", "hints = false", "hints = true"),
        ("theme.name", "gruvbox", 'name = "nord"  # dark', 'name = "gruvbox"  # dark'),
        ("theme.pass", "#00ff00", '"nord"  # dark\n', '"nord"  # dark\npass = "#00ff00"\n'),
        ("profiles.work.agent_id", 6, "agent_id = 5", "agent_id = 6"),
        ("profiles.work.read_only", True, "agent_id = 5\n", "agent_id = 5\nread_only = true\n"),
        ("read_only", "true", "hints = false\n", "hints = false\nread_only = true\n"),
    ],
)
def test_an_entry_is_set_and_all_else_stays_as_it_was(
    write_config: Write, name: str, value: object, before: str, after: str
) -> None:
    path = write_config(OWN)
    path.chmod(0o640)
    set_setting(path, name, value)
    assert path.read_text() == OWN.replace(before, after)
    assert path.stat().st_mode & 0o777 == 0o640
    assert read_settings_file(path).problems == ()


@pytest.mark.parametrize("name", ['keys."runs.improve"', "keys.runs.improve", "profiles.work.keys.runs.improve"])
@pytest.mark.parametrize("text", ["", '[keys]\n"runs.improve" = "x"\n', '[keys]\nruns.improve = "x"\n'])
def test_the_id_of_an_action_is_one_name(write_config: Write, name: str, text: str) -> None:
    path = write_config(text)
    set_setting(path, name, "I")
    file = read_settings_file(path)
    of = file.profiles["work"] if name.startswith("profiles") else file.values
    assert (of["keys"], file.problems) == ({"runs.improve": "I"}, ())
    assert unset_setting(path, name)
    assert not unset_setting(path, name)


def test_a_missing_file_is_made_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    set_setting(path, "columns.run", "12")
    assert path.read_text() == "[columns]\nrun = 12\n"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_entries_of_a_profile_are_set_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    for name, value in (("a.theme.name", "x"), ("b.agent_id", 1), ("a.agent_id", 2), ("b.keys.c.d", "y")):
        set_setting(path, f"profiles.{name}", value)
    found = tomllib.loads(path.read_text())["profiles"]
    assert found == {"a": {"theme": {"name": "x"}, "agent_id": 2}, "b": {"agent_id": 1, "keys": {"c.d": "y"}}}


def test_entries_that_are_set_at_the_same_time_are_all_set(tmp_path: Path) -> None:
    names = [f"theme.{name}" for name in "abcdefghijkl"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: set_setting(tmp_path / "config.toml", name, "x"), names))
    assert read_settings_file(tmp_path / "config.toml").values == {"theme": dict.fromkeys("abcdefghijkl", "x")}


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("project_id", "one", "project_id must be a number, not “one”."),
        ("readonly", "true", "unknown setting “readonly”; use read_only."),
        ("read_only", "yes", "read_only must be true or false, not “yes”."),
        ("api_url", "http://a.example", "would send your key unencrypted"),
        ("theme.read_only", "true", "read_only belongs above the first table, not in [theme]."),
        ("project_id.x", "1", "project_id is not a table."),
        ("profiles.work", "1", "a profile is a table, such as [profiles.work]."),
        ("profiles.work.profile", "x", "profiles.work.profile belongs above the first table."),
        ("api_key", "sk-secret", "api_key is no setting: delete the line and save the key with"),
        ("a b", "1", "“a b” is not the name of a setting."),
        ("a = 1\nb", "1", "is not the name of a setting."),
        ("", "1", "“” is not the name of a setting."),
    ],
)
def test_a_wrong_entry_is_refused_and_nothing_is_written(
    write_config: Write, name: str, value: object, reason: str
) -> None:
    path = write_config(OWN)
    with pytest.raises(UsageError) as caught:
        set_setting(path, name, value)
    assert reason in caught.value.sentence()
    assert "sk-secret" not in caught.value.sentence()
    assert path.read_text() == OWN


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="Can't write"):
        set_setting(tmp_path / "config.toml", "hints", False)
    tmp_path.chmod(0o700)


def test_an_entry_is_removed_and_all_else_stays(write_config: Write) -> None:
    for name, line in (("project_id", "project_id = 1     # the desk\n"), ("theme.name", 'name = "nord"  # dark\n')):
        path = write_config(OWN)
        assert unset_setting(path, name)
        assert path.read_text().split() == OWN.replace(line, "").split()
        assert not unset_setting(path, "profiles.home.agent_id")


def test_a_new_file_lists_all_settings_and_is_right_when_they_are_uncommented(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    create_settings_file(path)
    template = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert tomllib.loads(template) == {}
    set_setting(path, "project_id", 5)
    assert path.read_text() == template.replace("#project_id = 4021", "project_id = 5")
    path.write_text(
        "\n".join(line[1:] if line[:1] == "#" and line[:2] != "# " else line for line in template.splitlines())
    )
    file = read_settings_file(path)
    assert file.problems == ()
    assert set(file.values) == set(SETTINGS)
    create_settings_file(path)
    assert path.read_text() != template
