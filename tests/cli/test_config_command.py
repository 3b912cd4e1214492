"""The `config` commands, and other commands while config.toml has errors."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import Any

import pytest
from calling import call, called, objects, refused
from documented_shapes import read_all
from terminal import Terminal, environment
from waiting import until

from cekura_tui.demo.corpus import FIRST_PROJECT, PROJECT_IDS

SECOND_PROJECT = PROJECT_IDS[1]
WRONG_NOTIFY = "notify must be one of auto, osc777, osc9, bell, off, not “beep”"
WRONG_COLOUR = "unknown setting “colour”; `cekura-tui config show` lists the settings"
Write = Callable[[str], Path]


def listed(name: str, *words: object) -> set[Any]:
    """The distinct values of the field `name` in the five newest runs. `words` are options such as --project."""
    return {run[name] for run in objects(*words, "runs", "list", "--limit", 5)}


def test_flags_and_variables_override_the_scope_in_config_toml(
    demo: Any, settings: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (
        objects("--project", project, "runs", "list", "--limit", 1)[0] for project in (FIRST_PROJECT, SECOND_PROJECT)
    )
    assert listed("agent", "--agent", second["agent"]) == {second["agent"]}
    settings(f"agent_id = {first['agent']}")
    assert listed("project", "--project", SECOND_PROJECT) == {SECOND_PROJECT}
    monkeypatch.setenv("CEKURA_PROJECT_ID", str(SECOND_PROJECT))
    assert listed("project") == {SECOND_PROJECT}


@pytest.mark.parametrize(("organization", "found"), [("310", True), ("311", False)])
def test_the_organization_is_sent_with_a_request_for_projects(
    demo: Any, monkeypatch: pytest.MonkeyPatch, organization: str, found: bool
) -> None:
    monkeypatch.delenv("CEKURA_PROJECT_ID")
    monkeypatch.setenv("CEKURA_ORGANIZATION_ID", organization)
    assert (str(SECOND_PROJECT) in refused("", "runs", "list").err) is found
    until(lambda: demo.log, "the server writes down what it was asked")
    asked = [(entry["path"], entry["query"]) for entry in demo.log]
    assert asked == [("/user/v1/projects/", f"organization_id={organization}")]


def test_wrong_settings_are_reported_and_the_command_still_works(demo: Any, settings: Write) -> None:
    path = settings('notify = "beep"\ncolour = 3\n')
    result = called("runs", "list", "--limit", 1)
    assert result.err.splitlines()[:2] == [f"{path}:1: {WRONG_NOTIFY}", f"{path}:2: {WRONG_COLOUR}"]


@pytest.mark.parametrize("text", ['project_id = "x"\napi_url = 5\n', "not toml"])
def test_a_wrong_server_setting_is_refused_before_anything_is_sent(
    demo: Any, settings: Write, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    path = settings(text)
    monkeypatch.delenv("CEKURA_API_URL")
    first, *problems, last = refused("", "runs", "list").err.splitlines()
    assert (first, demo.log) == (f"cekura-tui: {path} has to be corrected first:", [])
    assert len(problems) == text.count("\n") or "not valid TOML" in problems[0]
    assert last == "Run `cekura-tui config edit`."


@pytest.mark.parametrize("text", ["api_url = 5\n", "not toml", "readonly = true"])
def test_the_demo_and_config_commands_work_with_any_error_in_the_settings(settings: Write, text: str) -> None:
    path = settings(text)
    for words in (["--demo", "runs", "list", "--limit", 1], ["config", "path"]):
        called(*words)
    assert f"{path}:1: " in called("config", "show").err


def test_all_settings_are_shown_with_their_origins(settings: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CEKURA_PROJECT_ID", "4021")
    monkeypatch.setenv("CEKURA_API_KEY", "sk-secret")
    path = settings(
        'read_only = true\n\n[keys]\n"runs.improve" = "I"\n[profiles.default]\napi_key_command = "echo sk-secret"'
    )
    result = called("--api-url", "https://eu.example", "config", "show", "--origin")
    rows = {name: " ".join(rest) for name, *rest in map(str.split, result.out.splitlines())}
    expected = {
        "SETTING": "VALUE ORIGIN",
        "api_url": "https://eu.example --api-url",
        "project_id": "4021 CEKURA_PROJECT_ID",
        "agent_id": "not set default",
        "read_only": f"true {path}:1",
        "api_key_command": f"echo … {path}:6",
        "keys.runs.improve": f"I {path}:4",
    }
    assert {name: rows[name] for name in expected} == expected
    assert (result.err, "sk-secret" in result.out, "ORIGIN" in call("config", "show").out) == ("", False, False)


def test_the_command_that_proposes_prompts_is_set_and_shown_without_arguments(settings: Write) -> None:
    path = settings("")
    called("config", "set", "improve.command", "echo -m gpt-5")
    called("config", "set", "profiles.work.improve.minutes", "45")
    assert '[improve]\ncommand = "echo -m gpt-5"\n' in path.read_text()
    shown = called("--profile", "work", "config", "show", "--origin").out
    assert [line.split() for line in shown.splitlines() if line.startswith("improve")] == [
        ["improve.command", "echo", "…", f"{path}:2"],
        ["improve.template", "not", "set", "default"],
        ["improve.characters", "60000", "default"],
        ["improve.minutes", "45", f"{path}:5"],
    ]


def test_json_of_the_settings_matches_its_schema(settings: Write) -> None:
    path = settings('notify = "beep"\n[columns]\nrun = 5\n')
    (shown,) = read_all("config-show", call("config", "show", "--json").out)
    assert (shown["path"], shown["problems"]) == (str(path), [{"line": 1, "text": WRONG_NOTIFY}])
    assert {"name": "columns.run", "value": 5, "origin": f"{path}:3"} in shown["settings"]


def test_config_show_reports_an_unknown_profile_and_prints_the_settings(settings: Write) -> None:
    path = settings('profile = "wrok"\n[profiles.work]\n')
    result = call("config", "show")
    assert (result.status, "wrok" in result.out) == (2, True)
    assert f"{path}:1: no profile named “wrok”. Profiles: default, work." in result.err


def test_setting_and_removing_an_entry_keeps_comments(settings: Write) -> None:
    path = settings("# mine\nproject_id = 1  # the desk\n")
    assert called("config", "set", "project_id", 4022).err == f"Saved project_id in {path}.\n"
    called("config", "set", "profiles.work.theme.name", "nord")
    assert path.read_text() == '# mine\nproject_id = 4022  # the desk\n\n[profiles.work.theme]\nname = "nord"\n'
    called("config", "set", "profile", "work")
    refused("no profile named “work”", "config", "unset", "profiles")
    called("config", "unset", "profile")
    called("config", "unset", "profiles")
    assert called("config", "unset", "project_id").err == f"Removed project_id from {path}.\n"
    assert path.read_text().strip() == "# mine"
    refused(f"cekura-tui: {path} does not set project_id.\n", "config", "unset", "project_id")
    kept = "from its next start. run.improve, suggestion.try-again, test.improve and job.again keep i.\n"
    assert kept in called("config", "set", "keys.runs.improve", "I").err
    assert "keep" not in called("config", "set", "keys.runs.improve", "i").err
    assert "start. run.compare and test.other keep =.\n" in called("config", "set", "keys.runs.compare", "B").err


def test_a_wrong_value_is_refused_with_the_expected_values(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(f"{WRONG_NOTIFY}.", "config", "set", "notify", "beep")
    refused("runs.groups is an action, not a setting. Set its keys with keys.", "config", "set", "runs.groups", "B")
    monkeypatch.setenv("CEKURA_PROJECT_ID", "mine")
    refused("project_id in CEKURA_PROJECT_ID must be a number, not “mine”.", "config", "show")
    assert call("config", "path").out == f"{home}\n"
    assert not home.exists()


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that makes a shell script the user's editor. The script gets the path of the file as $1."""

    def use(script: str) -> None:
        path = tmp_path / "editor.sh"
        path.write_text(script)
        monkeypatch.setenv("VISUAL", f"sh {quote(str(path))}")

    return use


def test_the_editor_gets_a_file_with_all_settings_and_does_not_get_the_key(
    home: Path, editor: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKURA_API_KEY", "sk-secret")
    editor('grep -q "^#read_only = false" "$1" && test -z "$CEKURA_API_KEY" && echo "project_id = 5" > "$1"')
    path = home / "config.toml"
    assert called("config", "edit").err == f"{path} is saved; it has no errors.\n"
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("project_id = 5\n", 0o600)


def test_errors_left_by_an_edit_are_listed(settings: Write, editor: Callable[[str], None]) -> None:
    path = settings("title = true\n")
    text = 'hints = 5\n[theme]\nname = "nrd"\n[keys]\n"runs.improve" = "b"\n[profiles.work.columns]\nruns = 5\n'
    editor(f"printf '{text}' > $1".replace("\n", "\\n"))
    *wrong, last = refused("", "config", "edit").err.splitlines()
    beside = last.removeprefix(f"{path} is not changed. Your text is in ").removesuffix(".")
    assert (path.read_text(), Path(beside).read_text()) == ("title = true\n", text)
    assert [line.partition(": ")[0] for line in wrong] == [f"{path}:{number}" for number in (1, 3, 5, 7)]
    path.write_text(text)
    assert called("config", "show").err.splitlines() == wrong
    assert called("config", "keys").err.splitlines() == wrong
    printed = call("doctor", "--offline").out
    assert [line for line in wrong if line.partition(f"{path}:")[2] not in printed] == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("false", "false ended with status 1."),
        ("/no/such/editor", "/no/such/editor could not be started: No such file or directory."),
        ("'", "There is no editor. Set EDITOR to one, such as vim."),
    ],
)
def test_an_error_names_the_editor_that_failed(monkeypatch: pytest.MonkeyPatch, command: str, said: str) -> None:
    monkeypatch.setenv("VISUAL", command)
    refused(said, "config", "edit")


def test_an_edit_is_not_saved_if_the_editor_fails_or_the_file_has_changed(
    settings: Write, editor: Callable[[str], None]
) -> None:
    path = settings("title = true\n")
    for script, said in (
        ("echo 'title = false' > $1; exit 3", "sh ended with status 3."),
        (f"echo 'title = false' > $1; echo 'hints = true' > {path}", f"Another program has changed {path} meanwhile."),
    ):
        editor(script)
        first, last = refused("", "config", "edit").err.splitlines()
        copy = Path(first.removesuffix(".").rpartition(" ")[2])
        assert (last, copy.read_text()) == (f"cekura-tui: {said}", "title = false\n")
        copy.unlink()
    assert path.read_text() == "hints = true\n"
    editor("true")
    assert called("config", "edit").err == f"{path} was not changed; it has no errors.\n"
    assert sorted(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        *(("theme.name", "nrd", "Did you mean nord?"), ("theme.acent", "#ffffff", "Did you mean accent?")),
        *(("theme.accent", "red", "accent must be a colour like #1f2538"), ("columns.rn", "5", "Did you mean run?")),
        *(("keys.runs.imprve", "I", "Did you mean runs.improve?"), ("keys.runs.improve", "banana", "terminals send")),
        *(("keys.runs.improve", "b", "runs.improve and runs.groups both have b"), ("profile", "wrk", "default, work.")),
        *(("profiles.work.keys.runs.views", "I", "runs.improve and runs.views both have I"),),
        *(("profiles.work.theme.name", "nrd", "[profiles.work.theme] There is no theme"),),
        *(
            ("profiles.'a b'.title", "true", "1 to 40 letters"),
            (f"profiles.{'a' * 41}.title", "true", "1 to 40 letters"),
        ),
    ],
)
def test_a_value_that_would_have_no_effect_is_not_saved(settings: Write, name: str, value: str, said: str) -> None:
    text = '[keys]\n"runs.improve" = "I"\n"old.action" = "x"\n[profiles.work]\ntitle = true\n'
    path = settings(text)
    assert f"{path} is not changed: " in refused(said, "config", "set", name, value).err
    assert path.read_text() == text


@pytest.mark.long
def test_on_a_terminal_a_wrong_file_can_be_edited_again(
    home: Path, tmp_path: Path, editor: Callable[[str], None]
) -> None:
    once = tmp_path / "once"
    editor(f'test -e {once} && echo "hints = false" > "$1" || echo "hints = 5" > "$1"\ntouch {once}')
    env = environment(home, tmp_path) | {"VISUAL": os.environ["VISUAL"]}
    with Terminal("config", "edit", env=env) as terminal:
        terminal.wait("config.toml:1: hints must be true or false", "Edit again? [Y/n]")
        terminal.press("enter")
        terminal.wait("has no errors.")
        assert terminal.process.wait() == 0
