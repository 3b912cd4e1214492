"""`config show`, `set`, `unset` and `edit`, and what wrong entries of config.toml do to other commands."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calling import call, refused
from documented_shapes import read_all
from terminal import Terminal, environment
from waiting import until

from cekura_tui.demo.corpus import FIRST_PROJECT, PROJECT_IDS

SECOND_PROJECT = PROJECT_IDS[1]


@pytest.fixture
def config(home: Path) -> Callable[[str], Path]:
    """Write the settings file."""

    def write(text: str) -> Path:
        home.mkdir(exist_ok=True)
        path = home / "config.toml"
        path.write_text(text)
        return path

    return write


# Which project, which agent


def projects_listed(*words: object) -> set[int]:
    result = call(*words, "runs", "list", "--limit", 5, "--json")
    assert result.status == 0
    return {json.loads(line)["project"] for line in result.out.splitlines()}


def agents_listed(*words: object) -> set[int]:
    return {json.loads(line)["agent"] for line in call(*words, "runs", "list", "--limit", 5, "--json").out.splitlines()}


def an_agent_of(project: int) -> int:
    row = json.loads(call("--project", project, "runs", "list", "--limit", 1, "--json").out)
    assert row["project"] == project
    return int(row["agent"])


def test_the_project_of_a_flag_is_listed_whatever_agent_the_file_names(
    demo: Any, config: Callable[[str], Path]
) -> None:
    config(f"agent_id = {an_agent_of(FIRST_PROJECT)}")
    assert projects_listed("--project", SECOND_PROJECT) == {SECOND_PROJECT}


def test_the_project_of_the_environment_is_listed_whatever_agent_the_file_names(
    demo: Any, config: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    config(f"agent_id = {an_agent_of(FIRST_PROJECT)}")
    monkeypatch.setenv("CEKURA_PROJECT_ID", str(SECOND_PROJECT))
    assert projects_listed() == {SECOND_PROJECT}


def test_the_agent_of_a_flag_is_listed_whatever_project_the_environment_names(
    demo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = an_agent_of(SECOND_PROJECT)
    monkeypatch.setenv("CEKURA_PROJECT_ID", str(FIRST_PROJECT))
    assert agents_listed("--agent", agent) == {agent}


@pytest.mark.parametrize(("organization", "found"), [("310", True), ("311", False)])
def test_the_projects_of_an_organization_are_asked_for(
    demo: Any, monkeypatch: pytest.MonkeyPatch, organization: str, found: bool
) -> None:
    monkeypatch.delenv("CEKURA_PROJECT_ID")
    monkeypatch.setenv("CEKURA_ORGANIZATION_ID", organization)
    result = call("runs", "list")
    assert result.status == 2
    assert (str(SECOND_PROJECT) in result.err) is found
    until(lambda: demo.log, "the server writes down what it was asked")
    assert [(entry["path"], entry["query"]) for entry in demo.log] == [
        ("/user/v1/projects/", f"organization_id={organization}")
    ]


# Wrong entries


def test_wrong_entries_are_listed_and_the_command_does_its_work(demo: Any, config: Callable[[str], Path]) -> None:
    path = config('notify = "beep"\ncolour = 3\n')
    result = call("runs", "list", "--limit", 1)
    assert result.status == 0
    assert result.err.splitlines()[:2] == [
        f"{path}:1: notify must be one of auto, osc777, osc9, bell, off, not “beep”",
        f"{path}:2: unknown setting “colour”; `cekura-tui config show` lists the settings",
    ]


def test_a_misspelled_read_only_launches_nothing_and_lists_runs(
    demo: Any, failed: int, config: Callable[[str], Path]
) -> None:
    path = config("\nreadonly = true\n")
    result = call("improve", failed, "--from-agent")
    assert (result.status, result.out, demo.posts()) == (2, "", [])
    said = (
        f"Read-only session: nothing was launched. Correct {path}, line 2: unknown setting “readonly”; use read_only."
    )
    assert said in result.err
    assert call("runs", "list", "--limit", 1).status == 0


@pytest.mark.parametrize("text", ['project_id = "x"\napi_url = 5\n', "not toml"])
def test_a_wrong_server_is_refused_with_all_problems_before_anything_is_sent(
    demo: Any, config: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    path = config(text)
    monkeypatch.delenv("CEKURA_API_URL")
    result = call("runs", "list")
    assert (result.status, result.out, demo.log) == (2, "", [])
    first, *listed, last = result.err.splitlines()
    assert first == f"cekura-tui: {path} has to be corrected first:"
    assert len(listed) == text.count("\n") or "not valid TOML" in listed[0]
    assert last == "Run `cekura-tui config edit`."


@pytest.mark.parametrize("text", ["api_url = 5\n", "not toml", "readonly = true"])
def test_the_demo_and_the_commands_that_mend_it_work_whatever_is_wrong(
    config: Callable[[str], Path], text: str
) -> None:
    path = config(text)
    for words in (["--demo", "runs", "list", "--limit", 1], ["config", "show"], ["config", "path"]):
        assert call(*words).status == 0
    assert f"{path}:1: " in call("config", "show").err


# show


def test_all_settings_are_shown_with_where_they_came_from(
    config: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_PROJECT_ID", "4021")
    monkeypatch.setenv("CEKURA_API_KEY", "sk-secret")
    path = config(
        'read_only = true\n\n[keys]\n"runs.improve" = "I"\n[profiles.default]\napi_key_command = "echo sk-secret"'
    )
    result = call("--api-url", "https://eu.example", "config", "show", "--origin")
    rows = {line.split()[0]: line.split()[1:] for line in result.out.splitlines()}
    assert rows["SETTING"] == ["VALUE", "ORIGIN"]
    assert rows["api_url"] == ["https://eu.example", "--api-url"]
    assert rows["project_id"] == ["4021", "CEKURA_PROJECT_ID"]
    assert rows["agent_id"] == ["not", "set", "default"]
    assert rows["read_only"] == ["true", f"{path}:1"]
    assert rows["api_key_command"] == ["echo", "…", f"{path}:6"]
    assert rows["keys.runs.improve"] == ["I", f"{path}:4"]
    assert (result.status, result.err) == (0, "")
    assert "sk-secret" not in result.out
    assert "ORIGIN" not in call("config", "show").out


def test_the_settings_as_json_are_as_their_schema_says(config: Callable[[str], Path]) -> None:
    path = config('notify = "beep"\n[columns]\nrun = 5\n')
    (shown,) = read_all("config-show", call("config", "show", "--json").out)
    assert shown["path"] == str(path)
    assert {"name": "columns.run", "value": 5, "origin": f"{path}:3"} in shown["settings"]
    assert shown["problems"] == [{"line": 1, "text": "notify must be one of auto, osc777, osc9, bell, off, not “beep”"}]


def test_a_wrong_variable_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CEKURA_PROJECT_ID", "mine")
    refused("project_id in CEKURA_PROJECT_ID must be a number, not “mine”.", "config", "show")


def test_a_profile_that_is_not_there_is_shown_with_the_settings(config: Callable[[str], Path]) -> None:
    path = config('profile = "wrok"\n[profiles.work]\n')
    result = call("config", "show")
    assert result.status == 2
    assert "wrok" in result.out
    assert f"{path}:1: no profile named “wrok”. Profiles: default, work." in result.err


# set and unset


def test_a_setting_is_set_and_removed_with_the_comments_as_they_were(home: Path, config: Callable[[str], Path]) -> None:
    path = config("# mine\nproject_id = 1  # the desk\n")
    assert call("config", "set", "project_id", 4022).err == f"Saved project_id in {path}.\n"
    assert call("config", "set", "profiles.work.theme.name", "nord").status == 0
    assert path.read_text() == '# mine\nproject_id = 4022  # the desk\n\n[profiles.work.theme]\nname = "nord"\n'
    assert call("config", "unset", "profiles").status == 0
    assert call("config", "unset", "project_id").err == f"Removed project_id from {path}.\n"
    assert path.read_text().strip() == "# mine"
    again = call("config", "unset", "project_id")
    assert (again.status, again.err) == (2, f"cekura-tui: {path} does not set project_id.\n")


def test_a_wrong_value_is_refused_with_what_was_expected(home: Path) -> None:
    refused("notify must be one of auto, osc777, osc9, bell, off, not “beep”.", "config", "set", "notify", "beep")
    assert not home.exists()


# edit


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """An editor that does what a line of sh says to the file $1."""

    def use(script: str) -> None:
        path = tmp_path / "editor.sh"
        path.write_text(script)
        monkeypatch.setenv("VISUAL", f"sh {path}")

    return use


def test_the_editor_gets_a_file_that_lists_all_settings_and_no_key(
    home: Path, editor: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", "sk-secret")
    editor('grep -q "^#read_only = false" "$1" && test -z "$CEKURA_API_KEY" && echo "project_id = 5" > "$1"')
    result = call("config", "edit")
    path = home / "config.toml"
    assert (result.status, result.err) == (0, f"{path} has no errors.\n")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("project_id = 5\n", 0o600)


def test_what_is_wrong_after_the_edit_is_listed(config: Callable[[str], Path], editor: Callable[[str], None]) -> None:
    path = config("not toml")
    editor('printf "\\nhints = 5\\ncolour = 3\\n" > "$1"')
    result = call("config", "edit")
    assert result.status == 2
    assert result.err.splitlines() == [
        f"{path}:2: hints must be true or false, not “5”",
        f"{path}:3: unknown setting “colour”; `cekura-tui config show` lists the settings",
    ]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("false", "false ended with status 1. To check the file, run `cekura-tui config show`."),
        ("/no/such/editor", "/no/such/editor could not be started (No such file or directory)."),
        ("'", "There is no editor. Set EDITOR to one, such as vim."),
    ],
)
def test_an_editor_that_fails_is_named(monkeypatch: pytest.MonkeyPatch, command: str, said: str) -> None:
    monkeypatch.setenv("VISUAL", command)
    refused(said, "config", "edit")


@pytest.mark.long
def test_on_a_terminal_a_wrong_file_can_be_edited_again(
    home: Path, tmp_path: Path, editor: Callable[[str], None]
) -> None:
    editor(
        f'if [ -e {tmp_path}/once ]; then echo "hints = false" > "$1"; else echo "hints = 5" > "$1"; fi\n'
        f"touch {tmp_path}/once"
    )
    env = environment(home, tmp_path) | {"VISUAL": os.environ["VISUAL"]}
    with Terminal("config", "edit", env=env) as terminal:
        terminal.wait("config.toml:1: hints must be true or false", "Edit again? [Y/n]")
        terminal.press("enter")
        terminal.wait("has no errors.")
        assert terminal.process.wait() == 0
