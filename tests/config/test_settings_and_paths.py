from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cekura_tui.config.paths import find_paths, make_private
from cekura_tui.config.settings import ImproveSettings, Settings
from cekura_tui.config.sources import WrongSettings, load_settings
from cekura_tui.model.errors import UsageError
from cekura_tui.workspace.setup import DemoOptions, Setup, make_setup

KEY = "a-key"


@pytest.fixture
def opened(tmp_path: Path, write_config: Callable[[str | bytes], Path]) -> Callable[..., Setup]:
    """A function that writes config.toml, saves a key for each of `profiles`, and makes the setup as at the start."""

    def opened(
        text: str | bytes, *, profiles: tuple[str, ...] = (), env: dict[str, str] | None = None, **options: object
    ) -> Setup:
        write_config(text)
        saved = {name: {"api_url": "https://a.example", "api_key": KEY} for name in profiles}
        (tmp_path / "credentials.json").write_text(json.dumps(saved))
        (tmp_path / "credentials.json").chmod(0o600)
        return make_setup(config_dir=str(tmp_path), env={"CEKURA_API_KEY": KEY, **(env or {})}, **options)

    return opened


@pytest.mark.parametrize(
    ("flags", "env", "reason"),
    [
        ({"project_id": -1}, {}, "project_id in --project must be a number, not “-1”."),
        ({"agent_id": 2**63}, {}, "agent_id in --agent must be a number"),
        ({}, {"CEKURA_PROJECT_ID": "my\x1bproject"}, "project_id in CEKURA_PROJECT_ID must be a number, not “…”"),
        ({}, {"CEKURA_PROJECT_ID": "9" * 5000}, "CEKURA_PROJECT_ID must be a number"),
        ({}, {"CEKURA_ORGANIZATION_ID": "x"}, "organization_id in CEKURA_ORGANIZATION_ID must be a number, not “x”."),
    ],
)
def test_a_wrong_flag_or_variable_raises_an_error_with_the_reason(
    tmp_path: Path, flags: dict[str, object], env: dict[str, str], reason: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load_settings(flags, env, tmp_path / "none.toml")
    assert reason in caught.value.sentence()
    assert "\x1b" not in caught.value.sentence()
    assert len(caught.value.sentence()) < 250


# Errors that must not fall back to the default silently


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
        '[[server]]\napi_url = "https://eu.example"',
        f"{SERVER}[profiles.default]\napi_url = 5",
        f"{SERVER}[profiles.work]\napi_url = 5",
        f"{SERVER}[profiles.default.theme]\napi_url = 'https://us.example'",
        'api_key_command = "pass \'show"',
        'api_key_comand = "pass show cekura"',
        "profile = 5",
        'profle = "work"\n[profiles.work]\napi_url = "https://eu.example"',
        '[profile.work]\napi_url = "https://eu.example"',
        '[[profiles]]\nname = "default"\napi_url = "https://eu.example"',
        "not toml",
    ],
)
def test_settings_that_leave_the_server_uncertain_are_refused(
    tmp_path: Path, opened: Callable[..., Setup], text: str
) -> None:
    with pytest.raises(WrongSettings) as caught:
        opened(text)
    first, *listed, last = caught.value.sentence().splitlines()
    assert first == f"{tmp_path / 'config.toml'} has to be corrected first:"
    assert last == "Run `cekura-tui config edit`."
    assert listed
    assert all("  line " in line for line in listed)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        *((f"{name} = true", 1) for name in ("readonly", "colour", "only")),
        *((f"{table}\nread_only = true", 2) for table in ("[theme]", "[columns]", "[profiles.default.theme]")),
        *((f"{table}\nread_only = true", 1) for table in ("[session]", "[[session.of]]", "[[theme]]")),
        ('title = true\nread_only = "yes"\nnotify = "beep"', 2),
        ("[profiles.work]\nreadonly = true", 2),
    ],
)
def test_unknown_or_wrong_entries_make_the_session_read_only(
    tmp_path: Path, opened: Callable[..., Setup], text: str, line: int
) -> None:
    setup = opened(text)
    assert setup.read_only.startswith(f"Correct {tmp_path / 'config.toml'}, line {line}: ")
    assert opened(text, read_only=True).read_only == "Start without --read-only."


def test_a_wrong_entry_gets_the_default_and_a_valid_entry_keeps_its_value(opened: Callable[..., Setup]) -> None:
    assert opened('read_only = false\n[keys]\nruns.read-on = "r"').read_only == ""
    setup = opened('project_id = "x"\nnotify = "beep"\ncolour = 3\ntitle = true\n')
    assert setup.settings == Settings(title=True)
    assert [problem.line for problem in setup.problems] == [1, 2, 3]


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
def test_the_profile_is_chosen_by_the_flag_or_the_environment_or_the_file(
    opened: Callable[..., Setup], env: dict[str, str], flag: str | None, named: str
) -> None:
    text = 'profile = "work"\n[profiles.work]\nproject_id = 1\n[profiles.home]\nproject_id = 2\n'
    setup = opened(text, profiles=("saved",), env=env, profile=flag)
    assert (setup.profile, setup.settings.profile) == (named, named)
    assert setup.settings.project_id == {"work": 1, "home": 2}.get(named)


@pytest.mark.parametrize(
    ("text", "env", "flag", "place"),
    [
        ('profile = "wrok"\n', {}, None, "config.toml:1"),
        ("", {"CEKURA_PROFILE": "wrok"}, None, "CEKURA_PROFILE"),
        ("", {}, "wrok", "--profile"),
    ],
)
def test_an_unknown_profile_is_an_error_that_lists_the_known_profiles(
    opened: Callable[..., Setup], text: str, env: dict[str, str], flag: str | None, place: str
) -> None:
    given = {"profiles": ("saved",), "env": env, "profile": flag}
    with pytest.raises(UsageError) as caught:
        opened(f"{text}[profiles.work]\n", **given)
    assert f"{place}: no profile named “wrok”. Profiles: default, saved, work." in caught.value.sentence()
    assert opened(f"{text}[profiles.work]\n", **given, new_profile=True).profile == "wrok"


# The demo


def test_the_demo_uses_only_the_personal_settings(tmp_path: Path, opened: Callable[..., Setup]) -> None:
    others = 'api_url = 5\nproject_id = "x"\nagent_id = 7\nprofile = "none"\n'
    personal = 'notify = "bell"\ntitle = true\non_job_done = "say \'a b\'"\nhints = false\n'
    tables = '[keys]\nopen = "o"\n[theme]\nname = "nord"\n[columns]\nrun = 5\n[improve]\ncommand = "llm"\n'
    env = dict.fromkeys(("CEKURA_PROJECT_ID", "CEKURA_API_URL", "CEKURA_PROFILE"), "nonsense")
    setup = opened(others + personal + tables, profile="nonsense", demo=DemoOptions(), env=env)
    own = setup.settings
    assert (own.notify, own.title, own.hints, own.on_job_done) == ("bell", True, False, "say 'a b'")
    assert (own.keys, own.theme, own.columns) == ({"open": "o"}, {"name": "nord"}, {"run": 5})
    assert own.improvement == ImproveSettings(command="llm", template="", characters=60_000, minutes=30)
    assert own == replace(own.personal(), api_url="built-in demo", profile="demo")
    assert setup.paths.home == tmp_path / "demo"
    assert [problem.line for problem in setup.problems] == [1, 2]


def test_the_demo_opens_despite_any_error_in_the_settings(opened: Callable[..., Setup]) -> None:
    for text in ("not toml", b"\xff", "readonly = true", "read_only = 5", "profile = 5"):
        setup = opened(text, demo=DemoOptions())
        settings = Settings(api_url="built-in demo", profile="demo")
        assert (setup.settings, setup.read_only, len(setup.problems)) == (settings, "", 1), text


# Directories


def test_the_config_directory_is_chosen_by_the_flag_or_else_by_the_environment(tmp_path: Path) -> None:
    env = {"CEKURA_TUI_HOME": str(tmp_path / "env")}
    assert find_paths(str(tmp_path / "flag"), env).home == tmp_path / "flag"
    assert find_paths(None, env).home == tmp_path / "env"
    assert find_paths(None, {}).home.name == "cekura-tui"
    paths = find_paths("/x", {})
    places = [str(place) for place in (paths.settings, paths.credentials, paths.database, paths.log, paths.copied)]
    names = ("config.toml", "credentials.json", "cekura.db", "log/cekura-tui.log", "copied.txt")
    assert places == [f"/x/{name}" for name in names]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match="no such home directory"):
        find_paths("~nobody-of-this-name/x", {})


def test_created_directories_are_private_and_existing_directories_keep_their_mode(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o755)
    for _ in range(2):
        make_private(tmp_path / "shared" / "a" / "b")
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("shared", "shared/a", "shared/a/b")]
    assert modes == [0o755, 0o700, 0o700]
