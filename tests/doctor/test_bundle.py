"""The bundle for a bug report has no secret in any file, however the secret is written."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from cekura_tui.config.credentials import ApiKey
from cekura_tui.config.paths import Paths
from cekura_tui.doctor.bundle import settings_facts, write_bundle
from cekura_tui.doctor.check import Check
from cekura_tui.doctor.report import Report
from cekura_tui.model.secrets import THE_KEY
from cekura_tui.store.store import Store

KEY, OTHER, OF_ENV, VENDOR, DEMO = (f"{name}-secret-0123456789" for name in ("first", "other", "env", "cli", "demo"))
SETTINGS = f"""
# my key is {KEY}
dashboard_url = "https://me:hunter2-hunter2@api.example.com/base?token=abc"
notify = "bell"
api_key_command = "pass show cekura/{OTHER}"
on_job_done = "notify --token hunter2-hunter2"
project_id = 4021
api_key = "pasted-by-mistake"
stray = "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5"
[keys]
"app.palette" = "ctrl+k"
[theme]
name = "cekura-dark"
[profiles.work]
api_url = "https://work.example.com"
api_key_command = "op read op://vault/cekura"
"""

ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
LOGGED = f"2026-11-30 14:01:02,123 INFO cekura_tui.api GET /test_framework/v1/runs/5/?page 200, 12 ms, id {ID}"

REPORT = Report((Check("server", "key", "failure", f"it is {KEY}", f"not {OTHER}"),))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "bundle.zip"


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def paths(home: Path) -> Paths:
    """A config directory that has a secret in every file that may contain secrets."""
    paths = Paths(home)
    paths.log.parent.mkdir(parents=True)
    paths.demo.home.mkdir()
    profiles = {name: {"api_url": "https://x", "api_key": key} for name, key in (("default", KEY), ("work", OTHER))}
    paths.credentials.write_text(json.dumps(profiles))
    paths.settings.write_text(SETTINGS)
    (paths.demo.home / "key").write_text(DEMO)
    keys = " ".join((KEY, OTHER, OF_ENV, VENDOR, DEMO))
    paths.log.write_text(f"{LOGGED} asked {keys}\nkeys {keys}, proxy http://me:hunter2-hunter2@proxy:8080\n")
    (paths.log.parent / "cekura-tui.log.1").write_text("older\n")
    Store(paths.database, "origin", KEY, "default").close()
    return paths


def test_a_bundle_has_the_log_and_the_settings_and_the_checks_but_no_secret(paths: Paths, out: Path) -> None:
    assert [ApiKey(key, "typed").text for key in (KEY, OTHER)] == [KEY, OTHER]
    listed = write_bundle(out, REPORT, paths, {"HOME": str(out.parent)}, force=False)
    found = members(out)
    assert list(found) == ["doctor.txt", "doctor.json", "settings.txt", "log/cekura-tui.log", "log/cekura-tui.log.1"]
    assert listed == [(name, len(data)) for name, data in found.items()]
    assert found["doctor.txt"].startswith(b"Terminal\n")
    assert json.loads(found["doctor.json"])["failures"] == 1
    assert found["log/cekura-tui.log.1"] == b"older\n"
    everything = b"\n".join([out.read_bytes(), *found.values()])
    for secret in (KEY, OTHER, OF_ENV, VENDOR, DEMO, "hunter2", "pasted-by-mistake", "Zm9vYmFy", "op://", "example"):
        assert secret.encode() not in everything, secret
    assert found["log/cekura-tui.log"].startswith(LOGGED.encode())
    assert str(paths.home).encode() not in everything
    assert THE_KEY.encode() in everything


def test_the_settings_are_listed_by_known_names_without_their_texts(paths: Paths) -> None:
    assert list(settings_facts(paths.settings)) == [
        "notify = bell",
        "api_key_command = set",
        "on_job_done = set",
        "project_id = 4021",
        "keys = set",
        "theme = set",
        "profile 1: api_url = set",
        "profile 1: api_key_command = set",
    ]


def test_no_key_of_a_damaged_file_gets_into_the_bundle(paths: Paths, out: Path) -> None:
    for damaged in (f'api_key = "{KEY}'.encode(), b"\xff" + KEY.encode()):
        paths.settings.write_bytes(damaged)
        assert not list(settings_facts(paths.settings))
    paths.credentials.write_text(f'{{"default": {{"api_key": "{KEY}"')
    write_bundle(out, Report(()), paths, {}, force=False)
    assert KEY.encode() not in b"".join(members(out).values())
