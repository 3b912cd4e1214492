from __future__ import annotations

from pathlib import Path

import pytest

from cekura_tui.config.paths import find_paths, make_private
from cekura_tui.config.settings import load_settings
from cekura_tui.model.errors import UsageError
from cekura_tui.workspace.setup import DemoOptions, make_setup


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, 'api_url = "https://file"\nproject_id = 1\nagent_id = 2\n[keys]\nopen = "o"\n')
    env = {"CEKURA_API_URL": "https://env", "CEKURA_PROJECT_ID": "5"}
    loaded = load_settings({"project_id": 9, "agent_id": None}, env, path)
    assert (loaded.settings.api_url, loaded.settings.project_id, loaded.settings.agent_id) == ("https://env", 9, 2)
    places = {"api_url": "CEKURA_API_URL", "project_id": "flag", "agent_id": str(path), "dashboard_url": "default"}
    assert {name: loaded.came_from[name] for name in places} == places


def test_without_anything_set_the_vendors_server_is_used(tmp_path: Path) -> None:
    loaded = load_settings({}, {"CEKURA_PROJECT_ID": ""}, tmp_path / "none.toml")
    assert loaded.settings.api_url == "https://api.cekura.ai"
    assert loaded.settings.project_id is None


@pytest.mark.parametrize(
    ("flags", "env", "text", "place"),
    [
        ({"project_id": -1}, {}, "", "--project"),
        ({"agent_id": 2**63}, {}, "", "--agent"),
        ({}, {"CEKURA_PROJECT_ID": "my\x1bproject"}, "", "CEKURA_PROJECT_ID"),
        ({}, {"CEKURA_PROJECT_ID": "9" * 5000}, "", "CEKURA_PROJECT_ID"),
        ({}, {}, 'project_id = "one"', "config.toml"),
        ({}, {}, "project_id = true", "config.toml"),
        ({}, {}, "api_url = 5", "config.toml"),
        pytest.param({}, {}, f"agent_id = 0x{'f' * 5000}", "config.toml must be a number, not “…”", id="hexadecimal"),
        pytest.param({}, {}, f"api_url = [0x{'f' * 5000}]", "config.toml must be text, not “…”", id="in a list"),
        ({}, {}, 'notify = "beep"', "config.toml must be one of auto, osc777, osc9, bell, off, not “beep”"),
        ({}, {}, "notify = [1]", "notify in"),
        ({}, {}, "title = 1", "config.toml must be true or false, not “1”"),
        ({}, {}, "hints = 0", "hints in"),
        ({}, {}, 'read_only = "true"', "read_only in"),
        ({}, {}, "readonly = true", "has an unknown setting “readonly”. Use read_only."),
        ({}, {}, "[profiles.default]\nRead-Only = true", "has an unknown setting “Read-Only”."),
        ({}, {}, 'on_job_done = "notify-send \'Done"', "config.toml must be a command with closed quotes, not"),
        ({}, {}, 'on_job_done = "  "', "on_job_done in"),
        ({}, {}, 'on_job_done = "a\\u0000b"', "on_job_done in"),
        ({}, {}, 'on_job_done = ["a", "b"]', "on_job_done in"),
    ],
)
def test_a_wrong_value_is_told_with_the_place_it_stands_in(
    tmp_path: Path, flags: dict[str, object], env: dict[str, str], text: str, place: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load_settings(flags, env, written(tmp_path, text))
    assert place in caught.value.sentence()
    assert "\x1b" not in caught.value.sentence()
    assert len(caught.value.sentence()) < 250


def test_the_embedded_workspace_keeps_to_what_is_about_the_terminal_and_looks_at_nothing_else(tmp_path: Path) -> None:
    text = 'api_url = 5\nproject_id = "x"\nagent_id = 7\nnotify = "bell"\ntitle = true\non_job_done = "say \'a b\'"\n'
    written(tmp_path, f"{text}hints = false\n")
    env = {"CEKURA_PROJECT_ID": "nonsense", "CEKURA_API_URL": "nonsense"}
    setup = make_setup(config_dir=str(tmp_path), demo=DemoOptions(), env=env)
    own = setup.settings
    assert (own.notify, own.title, own.hints, own.on_job_done) == ("bell", True, False, "say 'a b'")
    assert own == own.personal()
    assert setup.paths.home == tmp_path / "demo"


@pytest.mark.parametrize(
    "text",
    ["not toml", b"\xff\xfe", 'a = "unfinished', f"a = {'1' * 5000}", f"a = {'[' * 3000}"],
    ids=["no toml", "no text", "unfinished", "many digits", "deep"],
)
def test_a_settings_file_that_is_damaged_is_named(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(UsageError, match=r"config\.toml is not valid TOML"):
        load_settings({}, {}, written(tmp_path, text))


def test_a_settings_file_that_is_a_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Can't read"):
        load_settings({}, {}, tmp_path)


def test_the_directory_is_found_by_flag_then_environment_and_nothing_is_made(tmp_path: Path) -> None:
    env = {"CEKURA_TUI_HOME": str(tmp_path / "env")}
    assert find_paths(str(tmp_path / "flag"), env).home == tmp_path / "flag"
    assert find_paths(None, env).home == tmp_path / "env"
    assert find_paths(None, {}).home.name == "cekura-tui"
    assert list(tmp_path.iterdir()) == []


def test_the_home_directory_of_nobody_is_a_sentence() -> None:
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
