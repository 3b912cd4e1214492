"""The bundle for a bug report has no secret in any file, however the secret is written."""

from __future__ import annotations

import json
import tomllib
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest

from cekura_tui.config.paths import Paths
from cekura_tui.doctor.bundle import public_settings, without_secrets, write_bundle
from cekura_tui.doctor.check import Check
from cekura_tui.doctor.report import Report
from cekura_tui.model.secrets import THE_KEY
from cekura_tui.store.store import Store

KEY, OTHER, OF_ENV, VENDOR, DEMO = (f"{name}-secret-0123456789" for name in ("first", "other", "env", "cli", "demo"))
SETTINGS = f"""
# my key is {KEY}
dashboard_url = "https://me:hunter2@api.example.com/base?token=abc"
api_key_command = "pass show cekura/{OTHER}"
on_job_done = "notify --token hunter2"
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
    paths.log.write_text(f"GET / 200\nkeys {keys}, proxy http://me:hunter2@proxy:8080\n")
    (paths.log.parent / "cekura-tui.log.1").write_text("older\n")
    Store(paths.database, "origin", KEY, "default").close()
    return paths


def test_a_bundle_has_the_log_and_the_settings_and_the_checks_but_no_secret(paths: Paths, out: Path) -> None:
    vendor = out.parent / "user" / ".cekura"
    vendor.mkdir(parents=True)
    (vendor / "config.toml").write_text(f'api_key = "{VENDOR}"\n')
    env = {"CEKURA_API_KEY": OF_ENV, "HOME": str(vendor.parent)}
    listed = write_bundle(out, REPORT, paths, env, ["typed-secret-0123"], force=False)
    found = members(out)
    assert list(found) == ["doctor.txt", "doctor.json", "config.toml", "log/cekura-tui.log", "log/cekura-tui.log.1"]
    assert listed == [(name, len(data)) for name, data in found.items()]
    assert found["doctor.txt"].startswith(b"Terminal\n")
    assert json.loads(found["doctor.json"])["failures"] == 1
    assert found["log/cekura-tui.log.1"] == b"older\n"
    everything = b"\n".join([out.read_bytes(), *found.values()])
    for secret in (KEY, OTHER, OF_ENV, VENDOR, DEMO, "hunter2", "pasted-by-mistake", "Zm9vYmFy", "op://"):
        assert secret.encode() not in everything, secret
    assert THE_KEY.encode() in everything


def test_secrets_and_comments_are_removed_from_the_settings(paths: Paths) -> None:
    shown = public_settings(paths.settings)
    assert "#" not in shown
    assert tomllib.loads(shown) == {
        "dashboard_url": "https://api.example.com/base",
        "api_key_command": "pass …",
        "on_job_done": "notify …",
        "project_id": 4021,
        "keys": {"app.palette": "ctrl+k"},
        "theme": {"name": "cekura-dark"},
        "profiles": {"work": {"api_url": "https://work.example.com", "api_key_command": "op …"}},
    }


def test_no_key_of_a_damaged_file_gets_into_the_bundle(paths: Paths, out: Path) -> None:
    for damaged in (f'api_key = "{KEY}'.encode(), b"\xff" + KEY.encode()):
        paths.settings.write_bytes(damaged)
        assert KEY not in public_settings(paths.settings)
    paths.credentials.write_text(f'{{"default": {{"api_key": "{KEY}"')
    write_bundle(out, REPORT, paths, {}, force=False)
    assert KEY.encode() not in b"".join(members(out).values())


def test_a_key_is_redacted_whether_plain_or_in_json_or_in_a_url() -> None:
    key = 'a"b\\c/d+e=0123456789'
    for written in (key, json.dumps(key), f"?key={quote(key, safe='')}&x"):
        shown = without_secrets(written.encode(), [key]).decode()
        assert (THE_KEY in shown, "0123456789" in shown) == (True, False)
    assert b"unknown" not in without_secrets(b'curl -H "X-CEKURA-API-KEY: unknown"', [])
