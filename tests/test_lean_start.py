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


def test_the_first_frame_loads_neither_the_box_for_prompts_nor_the_runs_as_they_are_sent(tmp_path: Path) -> None:
    code = "import cekura_tui.ui.app, sys; assert 'textual.widgets._text_area' not in sys.modules"
    loaded = loaded_by(code, tmp_path)
    assert loaded & {"textual", "pydantic"} == {"textual"}


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
