"""Zip the log, the settings and the doctor's report for a bug report, without keys, prompts or transcripts. The
database and the credentials are never added; the credentials are read only to redact the keys in them."""

from __future__ import annotations

import contextlib
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cekura_tui.config.own_file import read_own, read_regular
from cekura_tui.config.paths import Paths
from cekura_tui.config.sources import read_settings_file
from cekura_tui.config.vendor_file import find_vendor_file
from cekura_tui.doctor.files import log_files
from cekura_tui.doctor.report import Report
from cekura_tui.model.secrets import redact
from cekura_tui.model.text import json_text
from cekura_tui.workspace.prompt_files import write_output

REMOVED = "[removed]"
_COMMANDS = ("api_key_command", "on_job_done")
"""Settings that are commands, whose arguments may contain secrets."""
_SECRET_NAME = re.compile(r"api_?key(?!_command)|token|secret|passw|credential|authorization", re.IGNORECASE)
_SECRET = re.compile(rf"(?:{_SECRET_NAME.pattern})\w*[\"']*\s*[:=]\s*[\"']*([^\"'\s]+)", re.IGNORECASE)
"""Matches an entry whose name suggests a secret, in JSON or TOML that may be damaged; group 1 is the entry's value."""
_USER_OF_URL = re.compile(rb"(\w+://)[^/@\s\"']+@")
_HEADER = re.compile(rb"(x-cekura-api-key[\"']?\s*[:=]\s*)[^\s,]+", re.IGNORECASE)


def write_bundle(
    out: Path, report: Report, paths: Paths, env: Mapping[str, str], keys: Iterable[str] = (), *, force: bool
) -> list[tuple[str, int]]:
    """Write the zip file; return name and size in bytes of each member. Raises UsageError. `keys` are redacted, as are
    the keys found through `paths` and `env`."""
    secrets = {*known_secrets(paths, env), *keys}
    members = {name: without_secrets(data, secrets) for name, data in _members(report, paths)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    write_output(out, buffer.getvalue(), force=force)
    return [(name, len(data)) for name, data in members.items()]


def _members(report: Report, paths: Paths) -> Iterator[tuple[str, bytes]]:
    yield "doctor.txt", f"{report.text()}\n".encode(errors="backslashreplace")  # paths may not be UTF-8
    yield "doctor.json", f"{json_text(report.json(), indent=1)}\n".encode()
    if paths.settings.exists():
        yield "config.toml", public_settings(paths.settings).encode()
    for folder, one in (("log", paths), ("demo/log", paths.demo)):
        for path in log_files(one):
            with contextlib.suppress(OSError):  # rotated by another process, or unsafe to read
                yield f"{folder}/{path.name}", read_own(path)


def public_settings(path: Path) -> str:
    """The valid entries of config.toml, as TOML without comments. The arguments of commands, and the users and queries
    in URLs, are left out."""
    import tomlkit

    file = read_settings_file(path)
    values = {**file.values, "profiles": file.profiles}
    return tomlkit.dumps({name: _public(name, value) for name, value in values.items()})


def _public(name: str, value: object) -> object:
    match value:
        case dict():
            return {inner: _public(inner, one) for inner, one in value.items()}
        case str() if name in _COMMANDS:
            first, *more = value.split() or [""]
            return f"{first} …" if more else first
        case str() if "://" in value:
            return _USER_OF_URL.sub(rb"\1", value.encode()).decode().partition("?")[0]
        case _:
            return value


def known_secrets(paths: Paths, env: Mapping[str, str]) -> set[str]:
    """All keys and other secrets that the program could use. They are found in the environment, the credentials, the
    demo's key file, config.toml and the vendor CLI's file."""
    found = {value for name, value in env.items() if name.startswith("CEKURA_") and _SECRET_NAME.search(name)}
    vendor = find_vendor_file(env)
    for path in (paths.credentials, paths.demo.home / "key", paths.settings, *([vendor] if vendor else [])):
        with contextlib.suppress(OSError, ValueError):  # ValueError: a path with a NUL
            text = read_regular(path).decode(errors="replace")
            found |= set(_SECRET.findall(text)) if path.suffix else {text}
    return {secret.strip() for secret in found}


def without_secrets(data: bytes, secrets: Iterable[str]) -> bytes:
    """Redact `secrets` in any escaped form, and remove the keys in HTTP headers and the users in URLs."""
    text = _HEADER.sub(rb"\1" + REMOVED.encode(), _USER_OF_URL.sub(rb"\1", data)).decode(errors="surrogateescape")
    return redact(text, secrets).encode(errors="surrogateescape")
