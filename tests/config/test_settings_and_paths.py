from __future__ import annotations

import json
from pathlib import Path

import pytest

from cekura_tui.config.paths import find_paths, make_private
from cekura_tui.config.settings import Settings
from cekura_tui.config.sources import WrongSettings, load_settings
from cekura_tui.model.errors import UsageError
from cekura_tui.workspace.setup import DemoOptions, Setup, make_setup

KEY = "a-key"


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def opened(tmp_path: Path, text: str, **env: str) -> Setup:
    written(tmp_path, text)
    return make_setup(env={"CEKURA_TUI_HOME": str(tmp_path), "CEKURA_API_KEY": KEY, **env})


def test_without_anything_set_the_vendors_server_is_used(tmp_path: Path) -> None:
    loaded = load_settings({}, {"CEKURA_PROJECT_ID": ""}, tmp_path / "none.toml")
    assert loaded.settings == Settings()
    assert loaded.settings.api_url == "https://api.cekura.ai"


@pytest.mark.parametrize(
    ("flags", "env", "said"),
    [
        ({"project_id": -1}, {}, "project_id in --project must be a number, not “-1”."),
        ({"agent_id": 2**63}, {}, "agent_id in --agent must be a number"),
        ({}, {"CEKURA_PROJECT_ID": "my\x1bproject"}, "project_id in CEKURA_PROJECT_ID must be a number, not “my"),
        ({}, {"CEKURA_PROJECT_ID": "9" * 5000}, "CEKURA_PROJECT_ID must be a number"),
        ({}, {"CEKURA_ORGANIZATION_ID": "x"}, "organization_id in CEKURA_ORGANIZATION_ID must be a number, not “x”."),
    ],
)
def test_a_wrong_flag_or_variable_is_an_error_at_once_that_names_it(
    tmp_path: Path, flags: dict[str, object], env: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load_settings(flags, env, written(tmp_path, "project_id = 5"))
    assert said in caught.value.sentence()
    assert "\x1b" not in caught.value.sentence()
    assert len(caught.value.sentence()) < 250


# What must not fall back to the default without a word


SERVER = 'api_url = "https://eu.example"\n'


@pytest.mark.parametrize(
    "text",
    [
        "api_url = 5",
        'api_url = "http://eu.example"',
        'api-url = "https://eu.example"',
        'API_URI = "https://eu.example"',
        '[theme]\napi_url = "https://eu.example"',
        '[server]\napi_url = "https://eu.example"',
        f"{SERVER}[profiles.default]\napi_url = 5",
        f"{SERVER}[profiles.default.theme]\napi_url = 'https://us.example'",
        "profile = 5",
        'profle = "work"\n[profiles.work]\napi_url = "https://eu.example"',
        '[profile.work]\napi_url = "https://eu.example"',
        '[[profiles]]\nname = "default"\napi_url = "https://eu.example"',
        "not toml",
    ],
)
def test_settings_that_leave_the_server_in_doubt_are_refused_with_all_problems(tmp_path: Path, text: str) -> None:
    with pytest.raises(WrongSettings) as caught:
        opened(tmp_path, text)
    first, *listed, last = caught.value.sentence().splitlines()
    assert first == f"{tmp_path / 'config.toml'} has to be corrected first:"
    assert last == "Run `cekura-tui config edit`."
    assert listed
    assert all("  line " in line for line in listed)


@pytest.mark.parametrize(
    ("text", "env"),
    [
        ("api_url = 5", {"CEKURA_API_URL": "https://eu.example"}),
        (f"api_url = 5\n[profiles.default]\n{SERVER}", {}),
        (f"{SERVER}[profiles.work]\napi_url = 5", {}),
        (f"{SERVER}profile = 5", {"CEKURA_PROFILE": "default"}),
    ],
    ids=["the environment", "the profile", "another profile", "the profile is named"],
)
def test_a_wrong_server_that_does_not_count_is_only_a_problem(tmp_path: Path, text: str, env: dict[str, str]) -> None:
    setup = opened(tmp_path, text, **env)
    assert setup.server.origin == "https://eu.example"
    assert len(setup.problems) == 1


@pytest.mark.parametrize(
    "text",
    [
        "readonly = true",
        "Read-Only = true",
        "raed_only = true",
        "read_olny = true",
        "is_read_only = true",
        'read_only = "yes"',
        "read_only = 1",
        "[profiles.default]\nreadonly = true",
        "[profiles.default.theme]\nread_only = true",
        "[theme]\nread_only = true",
        "[keys]\nread_only = true",
        "[columns]\nraed_only = true",
        "[session]\nread_only = true",
        "[profiles]\nread_only = true",
        "[[profiles]]\nread_only = true",
        "[[session.of]]\nread_only = true",
        "[[theme]]\nread_only = true",
    ],
)
def test_what_may_have_meant_read_only_makes_the_session_read_only(tmp_path: Path, text: str) -> None:
    setup = opened(tmp_path, text)
    assert setup.read_only.startswith(f"Correct {tmp_path / 'config.toml'}, line {1 + text.count(chr(10))}: ")
    assert "read_only" in setup.read_only
    assert setup.problems


@pytest.mark.parametrize(
    "text",
    [
        "reader = true",
        "only = true",
        "[profiles.work]\nreadonly = true",
        '[keys]\nruns.read-on = "r"',
        "read_only = false",
    ],
)
def test_nothing_else_does(tmp_path: Path, text: str) -> None:
    assert opened(tmp_path, text).read_only == ""


def test_the_flag_is_named_where_the_file_is_in_doubt(tmp_path: Path) -> None:
    written(tmp_path, "readonly = true")
    setup = make_setup(env={"CEKURA_TUI_HOME": str(tmp_path)}, read_only=True)
    assert setup.read_only == "Start without --read-only."


def test_all_other_wrong_entries_fall_back_to_the_default(tmp_path: Path) -> None:
    setup = opened(tmp_path, 'project_id = "x"\nnotify = "beep"\ncolour = 3\ntitle = true\n')
    assert setup.settings == Settings(title=True)
    assert [problem.line for problem in setup.problems] == [1, 2, 3]
    assert setup.read_only == ""


# Profiles


@pytest.mark.parametrize(
    ("env", "flag", "named"),
    [
        ({}, None, "work"),
        ({"CEKURA_PROFILE": "home"}, None, "home"),
        ({"CEKURA_PROFILE": "home"}, "saved", "saved"),
        ({}, "default", "default"),
    ],
)
def test_the_profile_is_that_of_the_flag_or_the_environment_or_the_file(
    tmp_path: Path, env: dict[str, str], flag: str | None, named: str
) -> None:
    written(tmp_path, 'profile = "work"\n[profiles.work]\nproject_id = 1\n[profiles.home]\nproject_id = 2\n')
    save(tmp_path, "saved")
    setup = make_setup(env={"CEKURA_TUI_HOME": str(tmp_path), **env}, profile=flag)
    assert (setup.profile, setup.settings.profile) == (named, named)
    assert setup.settings.project_id == {"work": 1, "home": 2}.get(named)


def save(home: Path, *profiles: str) -> None:
    path = home / "credentials.json"
    path.write_text(json.dumps({name: {"api_url": "https://a.example", "api_key": KEY} for name in profiles}))
    path.chmod(0o600)


@pytest.mark.parametrize(
    ("text", "env", "flag", "place"),
    [
        ('profile = "wrok"\n', {}, None, "config.toml:1"),
        ("", {"CEKURA_PROFILE": "wrok"}, None, "CEKURA_PROFILE"),
        ("", {}, "wrok", "--profile"),
    ],
)
def test_a_profile_that_is_not_there_is_an_error_that_names_those_that_are(
    tmp_path: Path, text: str, env: dict[str, str], flag: str | None, place: str
) -> None:
    written(tmp_path, f"{text}[profiles.work]\n")
    save(tmp_path, "saved")
    env = {"CEKURA_TUI_HOME": str(tmp_path), **env}
    with pytest.raises(UsageError) as caught:
        make_setup(env=env, profile=flag)
    assert f"{place}: no profile named “wrok”. Profiles: default, saved, work." in caught.value.sentence()
    assert make_setup(env=env, profile=flag, new_profile=True).profile == "wrok"


# The embedded workspace


DEMO = """
notify = "bell"
title = true
on_job_done = "say 'a b'"
hints = false
[keys]
open = "o"
[theme]
name = "nord"
"""


def test_the_demo_uses_only_the_personal_settings(tmp_path: Path) -> None:
    written(tmp_path, f'api_url = 5\nproject_id = "x"\nagent_id = 7\nprofile = "none"\n{DEMO}[columns]\nrun = 5\n')
    env = {"CEKURA_PROJECT_ID": "nonsense", "CEKURA_API_URL": "nonsense", "CEKURA_PROFILE": "nonsense"}
    setup = make_setup(config_dir=str(tmp_path), profile="nonsense", demo=DemoOptions(), env=env)
    own = setup.settings
    assert (own.notify, own.title, own.hints, own.on_job_done) == ("bell", True, False, "say 'a b'")
    assert (own.keys, own.theme, own.columns) == ({"open": "o"}, {"name": "nord"}, {"run": 5})
    assert own == own.personal()
    assert setup.paths.home == tmp_path / "demo"
    assert [problem.line for problem in setup.problems] == [1, 2]


@pytest.mark.parametrize("text", ["not toml", b"\xff", "readonly = true", "read_only = 5", "profile = 5"])
def test_the_embedded_workspace_opens_whatever_is_wrong_in_the_file(tmp_path: Path, text: str | bytes) -> None:
    written(tmp_path, text)
    setup = make_setup(config_dir=str(tmp_path), demo=DemoOptions(), env={})
    assert (setup.settings, setup.read_only, len(setup.problems)) == (Settings(), "", 1)


# Directories


def test_the_directory_is_found_by_flag_then_environment_and_nothing_is_made(tmp_path: Path) -> None:
    env = {"CEKURA_TUI_HOME": str(tmp_path / "env")}
    assert find_paths(str(tmp_path / "flag"), env).home == tmp_path / "flag"
    assert find_paths(None, env).home == tmp_path / "env"
    assert find_paths(None, {}).home.name == "cekura-tui"
    assert list(tmp_path.iterdir()) == []


def test_a_home_directory_of_an_unknown_user_is_refused() -> None:
    with pytest.raises(UsageError, match="no such home directory"):
        find_paths("~nobody-of-this-name/x", {})


def test_directories_are_made_for_this_user_alone(tmp_path: Path) -> None:
    make_private(tmp_path / "a" / "b")
    make_private(tmp_path / "a" / "b")
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b")] == [0o700, 0o700]


def test_a_directory_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o755)
    make_private(tmp_path / "shared" / "own")
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o755
