"""Commands start fast because they load few modules, and importing the package writes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_REPO = Path(__file__).parents[1]
_HEAVY = {"textual", "rich", "httpx", "httpcore", "pydantic", "sqlite3", "starlette", "uvicorn", "multipart"}
_HEAVY |= {"tomlkit", "asyncio", "hashlib"}
_SCREEN_AND_SERVER = {"textual", "starlette", "uvicorn", "multipart"}
_SLOW_TO_LOAD = {"pydantic", "annotated_types", "tomlkit", "httpx", "starlette", "uvicorn", "email", "zoneinfo", "csv"}

_BEGIN = """
import json, sys
def loaded(): return sorted(sys.modules)
def call(*words):
    sys.argv = ["cekura-tui", *words]
    from cekura_tui.cli.main import main
    try:
        main()
    except SystemExit as end:
        assert not end.code, (words, end.code)
"""


def fresh(code: str, tmp_path: Path) -> Any:
    """Run code in a new interpreter in the directory `tmp_path`; returns the value of the code's variable `found`."""
    env = {**os.environ, "PYTHONPATH": str(_REPO), "HOME": str(tmp_path / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    code = f"{_BEGIN}\n{code}\nprint('FOUND', json.dumps(found))"
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rpartition("FOUND ")[2])


def packages(modules: list[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def own(modules: list[str], room: str = "") -> set[str]:
    """Names of the program's loaded modules. With `room`, only the modules of that package, named within the
    package."""
    begin = f"cekura_tui.{room}."
    return {name.removeprefix(begin) for name in modules if name.startswith(begin if room else "cekura_tui.")}


_INFO_COMMANDS = [
    *("--help", "prompts --help", "notes set --help", "runs --help", "runs show --help", "improve --help"),
    *("jobs wait --help", "test --help", "groups --help", "compare --help", "search --help", "views list --help"),
    *("prompts history --help", "doctor --help", "--version", "config path"),
]


def test_help_and_version_load_no_heavy_module_and_write_no_file(tmp_path: Path) -> None:
    code = f"found = [call(*words.split()) or loaded() for words in {_INFO_COMMANDS!r}]"
    after = dict(zip(_INFO_COMMANDS, fresh(code, tmp_path), strict=True))
    assert {words: heavy for words, modules in after.items() if (heavy := packages(modules) & _HEAVY)} == {}
    for words, files in (("--help", set()), ("prompts --help", {"prompts"})):
        assert own(after[words], "cli") == {"main", "options", "output", "script"} | files
    assert list(tmp_path.iterdir()) == []


def test_the_demos_improver_loads_no_heavy_module(tmp_path: Path) -> None:
    text = "<<<PROMPT 0a1b2c3d\\nBe kind.\\nPROMPT 0a1b2c3d>>>"
    code = f"import io\nsys.stdin = io.TextIOWrapper(io.BytesIO(b'{text}'))\ncall('demo-improve', '--seconds', '0')"
    assert packages(fresh(f"{code}\nfound = loaded()", tmp_path)) & _HEAVY == set()


_ROOMS = ["model", "config", "store", "api", "jobs", "workspace", "demo", "doctor", "cli"]
_IMPORTING = f"""
import importlib, pkgutil, socket, threading
def refuse(*_, **__): raise AssertionError("a connection was opened")
socket.socket.connect = refuse
import cekura_tui.jobs.engine, cekura_tui.workspace.session, cekura_tui.workspace.setup, cekura_tui.api.client
import cekura_tui.store.store, cekura_tui.cli.main, cekura_tui.cli.script
found = loaded()
import httpx._main  # is there for code that wants it
for room in {_ROOMS!r}:
    package = importlib.import_module(f"cekura_tui.{{room}}")
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
        assert threading.active_count() == 1, module.name
"""


def test_imports_for_scripts_have_no_side_effects(tmp_path: Path) -> None:
    """Imports for scripts load no screen, start no thread, open no connection and write no file."""
    modules = fresh(_IMPORTING, tmp_path)
    assert packages(modules) & (_SCREEN_AND_SERVER | {"rich", "pygments"}) == set()
    assert "httpx._main" not in modules  # httpx's command line, which needs rich
    assert list(tmp_path.iterdir()) == []


def test_cached_data_is_printed_without_loading_a_screen(tmp_path: Path) -> None:
    place = f"call('--config-dir', {str(tmp_path / 'home')!r}, "
    code = f"import os; os.environ['CEKURA_API_KEY'] = 'key'\n{place}'search', 'refund')\n"
    modules = fresh(f"{code}{place}'prompts', 'history', '7')\nfound = loaded()", tmp_path)
    assert packages(modules) & _SCREEN_AND_SERVER == set()


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
import cekura_tui.cli.main
from cekura_tui.store.runs import read_cached_start
from cekura_tui.workspace.setup import DemoOptions, make_setup
from cekura_tui.workspace.workspace import Workspace
env = {"CEKURA_API_KEY": "key", "HOME": os.environ["HOME"], **({} if {demo} else {"CEKURA_PROJECT_ID": "5"})}
setup = make_setup(config_dir="home", env=env, demo=DemoOptions() if {demo} else None)
workspace = Workspace(setup)
assert not setup.problems
"""


@pytest.mark.parametrize(("demo", "settings"), [(True, None), (False, _SETTINGS)], ids=["demo", "all settings"])
def test_reading_the_first_frame_loads_few_modules(tmp_path: Path, demo: bool, settings: str | None) -> None:
    if settings is not None:
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "config.toml").write_text(settings)
    read = "read_cached_start(setup.paths.database, setup.origin, workspace.known_key(), setup.profile, None)"
    modules = fresh(f"{_OPENING.replace('{demo}', str(demo))}{read}\nfound = loaded()", tmp_path)
    assert packages(modules) & _SLOW_TO_LOAD == set()
    assert len(own(modules)) <= 47, sorted(own(modules))
    assert "cekura_tui.store.jobs" not in modules


def test_making_the_first_screen_loads_few_modules(tmp_path: Path) -> None:
    code = "import cekura_tui.ui.app as app, cekura_tui.ui.jobs.list\napp.read_first_frame(workspace, None)\n"
    modules = fresh(f"{_OPENING.replace('{demo}', 'True')}{code}found = loaded()", tmp_path)
    assert packages(modules) & _SLOW_TO_LOAD == set()
    assert {"textual.widgets._text_area", "cekura_tui.ui.kit.help", "cekura_tui.store.jobs"} & set(modules) == set()
    assert len(own(modules)) <= 112, sorted(own(modules))


def test_recordings_are_read_only_once_the_user_wants_to_hear_one(tmp_path: Path) -> None:
    modules = fresh(
        "import cekura_tui.ui.run.screen, cekura_tui.ui.app, cekura_tui.workspace.session\nfound = loaded()", tmp_path
    )
    assert own(modules, "audio") | packages(modules) & {"miniaudio", "webrtcvad"} == set()
    assert "cekura_tui.ui.run.playing" not in modules
