"""What is loaded for what: a start stays quick, scripts stay free of the screen, and importing writes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_REPO = Path(__file__).parents[1]
_HEAVY = {
    "textual",
    "rich",
    "httpx",
    "httpcore",
    "pydantic",
    "sqlite3",
    "starlette",
    "uvicorn",
    "multipart",
    "tomlkit",
    "asyncio",
    "hashlib",
}


def loaded_by(code: str, tmp_path: Path) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after the code, which must succeed."""
    return {name.partition(".")[0] for name in modules_after(code, tmp_path)}


def modules_after(code: str, tmp_path: Path) -> set[str]:
    """All modules, likewise."""
    code += "\nimport sys; print('LOADED', *sys.modules)"
    env = {**os.environ, "PYTHONPATH": str(_REPO), "HOME": str(tmp_path / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    return set(done.stdout.rpartition("LOADED ")[2].split())


_CALL = """
import sys
sys.argv = ["cekura-tui", *{words!r}]
from cekura_tui.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


@pytest.mark.parametrize(
    "words",
    [
        *(
            ["--help"],
            ["runs", "--help"],
            ["runs", "show", "--help"],
            ["improve", "--help"],
            ["jobs", "wait", "--help"],
        ),
        *(["groups", "--help"], ["compare", "--help"], ["search", "--help"], ["views", "list", "--help"]),
        *(["notes", "set", "--help"], ["prompts", "history", "--help"], ["doctor", "--help"], ["--version"]),
    ],
    ids=str,
)
def test_help_is_quick_because_it_loads_nothing_heavy(tmp_path: Path, words: list[str]) -> None:
    assert loaded_by(_CALL.format(words=words), tmp_path) & _HEAVY == set()


@pytest.mark.parametrize(("words", "files"), [(["--help"], set()), (["notes", "--help"], {"notes"})], ids=str)
def test_only_the_command_that_is_called_is_loaded(tmp_path: Path, words: list[str], files: set[str]) -> None:
    loaded = modules_after(_CALL.format(words=words), tmp_path)
    own = {name.removeprefix("cekura_tui.cli.") for name in loaded if name.startswith("cekura_tui.cli.")}
    assert own == {"main", "options", "output", "script"} | files


def test_the_directory_is_told_without_loading_anything_heavy(tmp_path: Path) -> None:
    assert loaded_by(_CALL.format(words=["config", "path"]), tmp_path) & _HEAVY == set()


@pytest.mark.parametrize(
    "module",
    [
        "cekura_tui.jobs",
        "cekura_tui.jobs.engine",
        "cekura_tui.workspace.session",
        "cekura_tui.api.client",
        "cekura_tui.store.store",
        "cekura_tui.cli.script",
    ],
)
def test_the_work_is_done_without_a_screen(tmp_path: Path, module: str) -> None:
    assert "textual" not in loaded_by(f"import {module}", tmp_path)


def test_requests_are_made_without_the_command_of_the_package_that_makes_them(tmp_path: Path) -> None:
    code = "import cekura_tui.api.http\nimport sys; before = {*sys.modules}\nimport httpx._main\n"
    loaded = modules_after(f"{code}assert not before & {{'rich', 'pygments', 'httpx._main'}}", tmp_path)
    assert "httpx._main" in loaded  # who wants it has it


def test_the_first_frame_loads_neither_the_box_for_prompts_nor_the_runs_as_they_are_sent(tmp_path: Path) -> None:
    code = "import cekura_tui.ui.app, sys; assert 'textual.widgets._text_area' not in sys.modules"
    loaded = loaded_by(code, tmp_path)
    assert loaded & {"textual", "pydantic"} == {"textual"}


_SETTINGS = """
api_url = "https://eu.example"
dashboard_url = "https://eu.example"
project_id = 4021
profile = "work"
read_only = false
notify = "bell"
on_job_done = "notify-send 'A job'"
title = true
hints = false
keys = { "runs.improve" = "I" }
theme = { name = "nord" }
columns = { scenario = 30 }
[profiles.work]
agent_id = 7
organization_id = 310
"""
_OPENING = """
import os
from pathlib import Path
import cekura_tui.cli.main, cekura_tui.cli.opening
from cekura_tui.store.runs import read_cached_start
from cekura_tui.workspace.setup import DemoOptions, make_setup
from cekura_tui.workspace.workspace import Workspace
env = {"CEKURA_API_KEY": "key", "HOME": os.environ["HOME"], **({} if {demo} else {"CEKURA_PROJECT_ID": "5"})}
setup = make_setup(config_dir="home", env=env, demo=DemoOptions() if {demo} else None)
workspace = Workspace(setup)
assert not setup.problems
"""
_SLOW_TO_LOAD = {"pydantic", "annotated_types", "tomlkit", "httpx", "starlette", "uvicorn", "email", "zoneinfo", "csv"}


def opened_by(tmp_path: Path, *, demo: bool, more: str) -> tuple[set[str], set[str]]:
    """The packages that are not Python's own or are slow to load, and our modules, that opening the app has loaded."""
    code = _OPENING.replace("{demo}", str(demo)) + more
    loaded = modules_after(code, tmp_path)
    own = {name for name in loaded if name.startswith("cekura_tui.")}
    return {name.partition(".")[0] for name in loaded} & _SLOW_TO_LOAD, own


@pytest.mark.parametrize("demo", [True, False])
@pytest.mark.parametrize("text", [None, _SETTINGS], ids=["no file", "all settings"])
def test_the_first_frame_is_read_with_few_modules(tmp_path: Path, demo: bool, text: str | None) -> None:
    if text is not None:
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "config.toml").write_text(text)
    read = "read_cached_start(setup.paths.database, setup.origin, workspace.known_key(), setup.profile, None)"
    slow, own = opened_by(tmp_path, demo=demo, more=read)
    assert slow == set()
    assert len(own) <= 47, sorted(own)
    assert "cekura_tui.store.jobs" not in own


@pytest.mark.parametrize(
    ("text", "sentences"),
    [(_SETTINGS, []), ("project_id = 'one'", ["line 1: project_id must be a number, not “one”"])],
    ids=["right", "wrong"],
)
def test_wrong_settings_are_explained_and_right_ones_are_read_without_slow_modules(
    tmp_path: Path, text: str, sentences: list[str]
) -> None:
    (tmp_path / "config.toml").write_text(text)
    code = "from pathlib import Path\nfrom cekura_tui.config.sources import read_settings_file\n"
    code += "found = [problem.sentence for problem in read_settings_file(Path('config.toml')).problems]\n"
    loaded = loaded_by(f"{code}assert found == {sentences!a}, found", tmp_path)
    assert sentences or not loaded & _SLOW_TO_LOAD


def test_the_first_screen_is_made_with_few_modules(tmp_path: Path) -> None:
    more = "from cekura_tui.ui.app import read_first_frame\nread_first_frame(workspace, None)"
    slow, own = opened_by(tmp_path, demo=True, more=more)
    assert slow == set()
    assert len(own) <= 101, sorted(own)


@pytest.mark.parametrize("words", [["search", "refund"], ["prompts", "history", "7"]], ids=str)
def test_what_this_machine_knows_is_printed_without_a_screen(tmp_path: Path, words: list[str]) -> None:
    call = _CALL.format(words=["--config-dir", str(tmp_path / "home"), *words])
    loaded = loaded_by(f"import os; os.environ['CEKURA_API_KEY'] = 'key'\n{call}", tmp_path)
    assert loaded & {"textual", "starlette", "uvicorn", "multipart"} == set()


def test_a_script_at_a_real_server_loads_neither_the_screen_nor_the_embedded_server(tmp_path: Path) -> None:
    loaded = loaded_by("import cekura_tui.cli.main, cekura_tui.workspace.session, cekura_tui.workspace.setup", tmp_path)
    assert loaded & {"textual", "starlette", "uvicorn", "multipart"} == set()


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["config", "path"]], ids=str)
def test_looking_around_writes_nothing(tmp_path: Path, words: list[str]) -> None:
    loaded_by("import cekura_tui.workspace.session\n" + _CALL.format(words=words), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("room", ["model", "config", "store", "api", "jobs", "workspace", "demo", "doctor", "cli"])
def test_importing_a_room_starts_no_thread_and_opens_no_connection(tmp_path: Path, room: str) -> None:
    code = f"""
import importlib, pkgutil, socket, threading
def refuse(*_, **__): raise AssertionError("a connection was opened")
socket.socket.connect = refuse
package = importlib.import_module("cekura_tui.{room}")
for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    importlib.import_module(found.name)
assert threading.active_count() == 1
"""
    loaded_by(code, tmp_path)
    assert list(tmp_path.iterdir()) == []
