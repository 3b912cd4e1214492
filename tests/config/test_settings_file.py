"""config.toml: all wrong entries at once with their lines, and entries that are changed in it."""

from __future__ import annotations

import os
import re
import tomllib
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


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def problems(tmp_path: Path, text: str | bytes) -> list[str]:
    return [problem.sentence for problem in read_settings_file(written(tmp_path, text)).problems]


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


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbfproject_id = 5 # five\n")
    assert (read_settings_file(path).values, read_settings_file(path).problems) == ({"project_id": 5}, ())
    set_setting(path, "hints", "false")
    assert path.read_text() == "project_id = 5 # five\nhints = false\n"


def test_all_wrong_entries_are_listed_at_once_and_the_right_ones_count(tmp_path: Path) -> None:
    assert problems(tmp_path, WRONG) == [
        "line 2: project_id must be a number, not “one”",
        "line 3: notify must be one of auto, osc777, osc9, bell, off, not “beep”",
        "line 7: unknown setting “colour”; `cekura-tui config show` lists the settings",
        "line 11: keys.runs.open must be text, not “5”",
        "line 15: columns.scenario must be a number of cells, not “true”",
        "line 18: profiles.work.agent_id must be a number, not “-1”",
        "line 19: profiles.work.profile belongs above the first table",
        "line 20: profiles.work.title must be true or false, not “1”",
    ]
    file = read_settings_file(tmp_path / "config.toml")
    assert file.values == {"on_job_done": "a\nb", "keys": {"runs.improve": "I"}, "columns": {"run": 5}}
    assert file.profiles == {"work": {}}
    assert (file.doubts, file.place("keys", "runs.improve")) == ({}, f"{file.path}:10")


@pytest.mark.parametrize(
    ("text", "said"),
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
def test_what_was_expected_of_a_wrong_entry_is_said(tmp_path: Path, text: str, said: str) -> None:
    found = problems(tmp_path, f"# 1\n\n{text}\n")
    assert len(found) == 1
    assert said in found[0]
    assert re.match("line [34]: ", found[0])
    assert "\x1b" not in found[0]
    assert len(found[0]) < 200


@pytest.mark.parametrize("name", ["api_key", "API-KEY", "key"])
def test_a_key_in_the_settings_is_named_and_not_shown(tmp_path: Path, name: str) -> None:
    (found,) = problems(tmp_path, f'{name} = "sk-secret"')
    assert found == f"line 1: {name} is no setting: delete the line and save the key with `cekura-tui auth login`"


def test_a_command_that_may_hold_a_key_is_not_shown(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, 'api_key_command = "echo \'sk-secret"')
    assert found == "line 1: api_key_command must be a command with closed quotes"


@pytest.mark.parametrize(
    ("text", "said"),
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
def test_of_a_file_that_is_damaged_the_place_is_named(tmp_path: Path, text: str | bytes, said: str) -> None:
    file = read_settings_file(written(tmp_path, text))
    assert file.unreadable is not None
    assert said in file.unreadable.sentence or "end of document" in file.unreadable.sentence
    assert file.problems == (file.unreadable,)


def test_a_file_that_is_a_directory_can_not_be_read(tmp_path: Path) -> None:
    file = read_settings_file(tmp_path)
    assert file.unreadable is not None
    assert file.unreadable.sentence == "can't be read: it is a directory, not a file"


def test_a_pipe_is_not_waited_for_and_a_link_to_a_file_elsewhere_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    os.mkfifo(path)
    file = read_settings_file(path)
    assert file.unreadable is not None
    assert file.unreadable.sentence == "can't be read: it is a named pipe, not a file"
    path.unlink()
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "dotfiles" / "cekura.toml").write_text("title = false")
    path.symlink_to("dotfiles/cekura.toml")
    assert read_settings_file(path).values == {"title": False}


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
    assert line_numbers(text) == {
        ("a",): 1,
        ("d e",): 4,
        ("d e", "f"): 4,
        ("g",): 8,
        ("g", "h"): 8,
        ("g", "i"): 8,
        ("j",): 10,
        ("j", "k"): 10,
        ("j", "k", "m"): 11,
        ("n",): 13,
        ("n", "o"): 14,
    }


VALUES = st.one_of(
    st.sampled_from(
        [
            "1",
            "true",
            '"x"',
            "'#'",
            '"""\n[a]\nb = 1\n"""',
            '"\u2028"',
            "'''\nx = ]\n'''",
            "[\n1,\n# c\n2]",
            "{ q = 1 }",
        ]
    )
)


@given(st.lists(st.tuples(VALUES, st.sampled_from(["", "\n", "# c\n", "\n# [x]\n"])), max_size=8))
def test_of_any_text_every_entry_is_found_in_its_line(entries: list[tuple[str, str]]) -> None:
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
    tmp_path: Path, name: str, value: object, before: str, after: str
) -> None:
    path = written(tmp_path, OWN)
    path.chmod(0o640)
    set_setting(path, name, value)
    assert path.read_text() == OWN.replace(before, after)
    assert path.stat().st_mode & 0o777 == 0o640
    assert read_settings_file(path).problems == ()


@pytest.mark.parametrize("name", ['keys."runs.improve"', "keys.runs.improve", "profiles.work.keys.runs.improve"])
@pytest.mark.parametrize("text", ["", '[keys]\n"runs.improve" = "x"\n', '[keys]\nruns.improve = "x"\n'])
def test_the_id_of_an_action_is_one_name(tmp_path: Path, name: str, text: str) -> None:
    path = written(tmp_path, text)
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
    names = {
        "profiles.a.theme.name": "x",
        "profiles.b.agent_id": 1,
        "profiles.a.agent_id": 2,
        "profiles.b.keys.c.d": "y",
    }
    for name, value in names.items():
        set_setting(path, name, value)
    found = tomllib.loads(path.read_text())["profiles"]
    assert found == {"a": {"theme": {"name": "x"}, "agent_id": 2}, "b": {"agent_id": 1, "keys": {"c.d": "y"}}}


def test_entries_that_are_set_at_the_same_time_are_all_set(tmp_path: Path) -> None:
    names = [f"theme.{name}" for name in "abcdefghijkl"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: set_setting(tmp_path / "config.toml", name, "x"), names))
    assert read_settings_file(tmp_path / "config.toml").values == {"theme": dict.fromkeys("abcdefghijkl", "x")}


def test_a_link_to_the_file_stays_one(tmp_path: Path) -> None:
    real = written(tmp_path, OWN)
    link = tmp_path / "link.toml"
    link.symlink_to(real)
    set_setting(link, "project_id", 2)
    assert link.is_symlink()
    assert "project_id = 2" in real.read_text()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("project_id", "one", "project_id must be a number, not “one”."),
        ("project_id", True, "project_id must be a number, not “true”."),
        ("readonly", "true", "unknown setting “readonly”; use read_only."),
        ("read_only", "yes", "read_only must be true or false, not “yes”."),
        ("api_url", "http://a.example", "would send your key unencrypted"),
        ("theme", "nord", "theme must be a table such as [theme], not “nord”."),
        ("theme.read_only", "true", "read_only belongs above the first table, not in [theme]."),
        ("project_id.x", "1", "project_id is not a table."),
        ("profiles.work", "1", "a profile is a table, such as [profiles.work]."),
        ("profiles.work.profile", "x", "profiles.work.profile belongs above the first table."),
        (
            "api_key",
            "sk-secret",
            "api_key is no setting: delete the line and save the key with `cekura-tui auth login`.",
        ),
        ("a b", "1", "“a b” is not the name of a setting."),
        ("a = 1\nb", "1", "is not the name of a setting."),
        ("", "1", "“” is not the name of a setting."),
    ],
)
def test_what_would_be_wrong_is_refused_and_nothing_is_written(
    tmp_path: Path, name: str, value: object, said: str
) -> None:
    path = written(tmp_path, OWN)
    with pytest.raises(UsageError) as caught:
        set_setting(path, name, value)
    assert said in caught.value.sentence()
    assert "sk-secret" not in caught.value.sentence()
    assert path.read_text() == OWN


def test_other_wrong_entries_do_not_keep_one_from_being_set(tmp_path: Path) -> None:
    path = written(tmp_path, WRONG)
    set_setting(path, "project_id", 5)
    set_setting(path, "profiles.work.title", "true")
    assert len(read_settings_file(path).problems) == 6


@pytest.mark.parametrize("text", ["not toml", b"\xff"])
def test_a_damaged_file_is_not_changed(tmp_path: Path, text: str | bytes) -> None:
    path = written(tmp_path, text)
    before = path.read_bytes()
    for change in (lambda: set_setting(path, "hints", False), lambda: unset_setting(path, "hints")):
        with pytest.raises(UsageError, match="not valid TOML"):
            change()
    assert path.read_bytes() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="Can't write"):
        set_setting(tmp_path / "config.toml", "hints", False)
    tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    ("name", "gone"),
    [("project_id", "project_id = 1     # the desk\n"), ("theme.name", 'name = "nord"  # dark\n')],
)
def test_an_entry_is_removed_and_all_else_stays(tmp_path: Path, name: str, gone: str) -> None:
    path = written(tmp_path, OWN)
    assert unset_setting(path, name)
    assert path.read_text().split() == OWN.replace(gone, "").split()
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
