"""A key in a wrong line of config.toml is in no output, log, bundle, screen or crash report."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from app_on_a_server import opened, setup_of
from calling import call
from misplaced_keys import KEYS, forms, misplaced
from watching import screen_text, sees

from cekura_tui.config.settings import SETTINGS, listed_settings
from cekura_tui.config.sources import load_settings, read_settings_file
from cekura_tui.doctor.bundle import settings_facts
from cekura_tui.model.errors import UsageError
from cekura_tui.model.secrets import shown_words
from cekura_tui.ui.app import CekuraApp
from cekura_tui.ui.catalogue import settings_problems
from cekura_tui.workspace.setup import make_setup

COMMANDS = (
    ("doctor", "--offline"),
    ("doctor", "--offline", "--json"),
    ("config", "show", "--origin"),
    ("config", "show", "--json"),
    ("auth", "status"),
    ("auth", "status", "--json"),
    ("runs", "list"),
    ("config", "keys"),
)
"""Commands that print text and, but for the last, JSON, alternately."""


def outputs(home: Path, text: str, commands: tuple[tuple[str, ...], ...] = COMMANDS) -> Iterator[tuple[str, bytes]]:
    """Everything that the program writes with this config.toml, by what wrote it."""
    shutil.rmtree(home)
    home.mkdir()
    (home / "config.toml").write_bytes(text.encode(errors="surrogateescape"))
    for words in commands:
        result = call(*words)
        yield " ".join(words), result.raw + result.err.encode()
    bundle = home.parent / "bundle.zip"
    result = call("doctor", "--offline", "--bundle", bundle, "--force")
    yield "--bundle", result.raw + result.err.encode() + bundle.read_bytes()
    with zipfile.ZipFile(bundle) as archive:
        yield from ((f"bundle: {name}", archive.read(name)) for name in archive.namelist())
    for path in home.rglob("*"):
        if path.is_file() and path.name != "config.toml":
            yield str(path), path.read_bytes()


@pytest.fixture(autouse=True)
def alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account with a key, whose requests are not sent again."""
    home.mkdir()
    monkeypatch.setenv("CEKURA_API_KEY", "an-innocent-key")
    monkeypatch.setattr("cekura_tui.api.errors.next_try", lambda *_: None)


def found_in(outputs: Iterable[tuple[str, bytes]], key: str) -> list[str]:
    return [where for where, data in outputs if any(form in data for form in forms(key))]


def messages(home: Path, text: str) -> Iterator[tuple[str, bytes]]:
    """All messages about this config.toml, and its settings as the program shows them."""
    path = home / "config.toml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    file = read_settings_file(path)
    found = [problem.with_path(path) for problem in (*file.problems, *settings_problems(file))]
    found += settings_facts(path)
    for profile in (None, *file.profiles):
        try:
            loaded = load_settings({"profile": profile}, {}, path)
            found.append(str(list(listed_settings(loaded.settings, loaded.origins))))
            make_setup(env={"CEKURA_TUI_HOME": str(home), "CEKURA_API_KEY": "an-innocent-key"}, profile=profile)
        except UsageError as error:
            found.append(error.sentence())
    return ((one, one.encode()) for one in found)


def every_place() -> Iterator[tuple[str, str, str]]:
    """Name and text of each wrong config.toml, with a key of one shape, of the next shape in the next place."""
    of_shapes = (misplaced(key) for key in KEYS.values())
    for n, same_place in enumerate(zip(*of_shapes, strict=True)):
        shape = n % len(KEYS)
        yield *same_place[shape], [*KEYS.values()][shape]


def test_no_message_about_config_toml_and_no_shown_setting_contains_a_key(home: Path) -> None:
    places = [one for one in every_place() if " of a profile: " not in one[0]]
    assert not [(place, where) for place, text, key in places for where in found_in(messages(home, text), key)]


def test_a_key_in_one_line_is_in_no_output_of_any_command(home: Path) -> None:
    texts = dict(misplaced(KEYS["sk"]))
    for place in ("api_key_command: text", "api_url: path"):
        assert not found_in(outputs(home, texts[place]), KEYS["sk"]), place


def test_words_errors_hosts_and_ids_of_requests_are_shown() -> None:
    shown = (
        "solarized-drak",
        "catppuccin-machiatto",
        "runs.imporve",
        "projectId",
        "Refund Agent v2",
        "customer-acme-staging-2024",
        "https://ip-10-0-12-7.eu-west-1.compute.internal:8443",
        "https://a1b2c3d4e5f6.execute-api.us-east-1.amazonaws.com/prod",
        "OSError: [Errno 28] No space left on device: '/home/me/.local/share/cekura-tui/cekura.db-wal'",
        "TypeError: Job.__init__() got an unexpected keyword argument 'improvement_id'",
        "192.168.100.10:8443 did not answer in time.",
        "GET /test_framework/v1/runs/48213/?page&page_size 500, 12 ms, id 7c9e6679-7425-40de-944b-e07fc1f90ae7",
    )
    assert [shown_words(text) for text in shown] == [*shown]
    for key in KEYS.values():
        text = f"https://api.example.com/{key} id {key} of https://me:{key}@api.example.com, {key}"
        assert not found_in([("", shown_words(text).encode())], key)


def test_a_key_in_place_of_the_name_of_its_file_is_in_no_output(home: Path) -> None:
    bundle = home.parent / "bundle.zip"
    result = call("--api-key-file", KEYS["sk"], "doctor", "--offline", "--bundle", bundle)
    with zipfile.ZipFile(bundle) as archive:
        outputs = [result.raw, result.err.encode(), *map(archive.read, archive.namelist())]
    assert not found_in((("", one) for one in outputs), KEYS["sk"])


@pytest.mark.parametrize("shape", ["sk", *(pytest.param(one, marks=pytest.mark.long) for one in KEYS if one != "sk")])
async def test_a_key_in_config_toml_is_on_no_screen_and_in_no_crash_report(home: Path, shape: str) -> None:
    key, keeps_key = KEYS[shape], ("api_url", "api_key_command", "profile")
    text = json.dumps(key, ensure_ascii=False)
    lines = [f"{name} = {text}" for name in SETTINGS if name not in (*keeps_key, "keys", "theme", "columns", "improve")]
    tables = f"[theme]\nname = {text}\naccent = {text}\n[columns]\n{text} = 4\n[keys]\n{text} = {text}"
    (home / "config.toml").write_text("\n".join([f"{text} = 1", *lines, tables, f'[profiles.{text}]\nnotify = "x"']))
    async with opened(setup_of("http://127.0.0.1:9", None)) as pilot:
        app = pilot.app
        assert isinstance(app, CekuraApp)
        screens = []
        await sees(pilot, "problems; ? lists them")
        for keys, text in (("question_mark", "Problems in config.toml"), ("escape", "Sign in"), ("P", "Profiles")):
            screens.append(("screen", screen_text(pilot.app).encode()))
            await pilot.press(keys)
            await sees(pilot, text)
        screens.append(("profiles", screen_text(pilot.app).encode()))
        try:
            raise ValueError(f"{(home / 'config.toml').read_text()} is wrong") from OSError(2, "no file", key)
        except ValueError as error:
            app.note_crash(error)
        assert app.crash.startswith("cekura-tui crashed (ValueError).")
    log = (home / "log" / "cekura-tui.log").read_bytes()
    assert b"ValueError: " in log
    assert b"test_misplaced_keys.py" in log
    assert not found_in([*screens, ("log", log)], key)


@pytest.mark.long
def test_no_message_about_config_toml_contains_a_key_of_any_shape(home: Path) -> None:
    places = ((key, *one) for key in KEYS.values() for one in misplaced(key))
    assert not [(place, where) for key, place, text in places for where in found_in(messages(home, text), key)]


@pytest.mark.long
def test_a_key_in_any_wrong_line_is_found_nowhere(home: Path) -> None:
    found = [
        (place, where)
        for n, (place, text, key) in enumerate(every_place())
        for where in found_in(outputs(home, text, COMMANDS[n % 2 :: 2]), key)
    ]
    assert not found
