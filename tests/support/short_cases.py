"""Compute the answers of `cekura_tui.api` and `cekura_tui.config` to the short cases of two text files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from difflib import unified_diff
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from cekura_tui.api import answers
from cekura_tui.api.answers import ApiResponse
from cekura_tui.api.errors import next_try
from cekura_tui.config.credentials import read_server
from cekura_tui.config.settings_edit import set_setting
from cekura_tui.config.sources import load_settings
from cekura_tui.model.errors import CekuraTuiError

NOW = 1_700_000_000.0


def cases(room: str) -> list[tuple[str, str]]:
    """Title and text of each case of a room; `«a*50»` expands to 50 times `a`."""
    text = (Path(__file__).parents[1] / room / "short_cases.txt").read_text("utf-8").replace("␍", "\r")
    text = re.sub(r"«(.+?)\*(\d+)»", lambda found: found[1] * int(found[2]), text)
    return [(title, case) for title, _, case in (part.partition("\n") for part in text.split("⁂ ")[1:])]


def _or_error(made: Callable[[], object]) -> str:
    try:
        return str(made())
    except CekuraTuiError as error:
        return f"{type(error).__name__}: {error.sentence()}"


def api_answers() -> Iterator[str]:
    """The values that the client reads from each answer, or the error of the answer and the time of the next try."""
    for title, text in cases("api"):
        yield f"⁂ {title}"
        key = title.partition(": ")[2] or "appointments"
        for number, line in enumerate(text.splitlines(), 1):
            status, _, rest = line.partition(" ")
            headers, end = json.JSONDecoder().raw_decode(rest)
            raw = rest[end + 1 :].encode()
            for made in (_read if status[0] == "2" else _refused)(ApiResponse(int(status), headers, raw, key)):
                yield f"{number} {made}"


def _refused(answer: ApiResponse) -> Iterator[str]:
    error = answers.refusal(answer, "host", NOW)
    then = f"{datetime.fromtimestamp(NOW + (error.retry_after or 0)):%H:%M:%S}"
    yield f"{'taken ' * answer.is_success}{type(error).__name__}: {error.sentence().replace(then, '(then)')}"
    traits = [name for name in ("from_api", "not_accepted", "is_transient", "unknown_id") if getattr(error, name)]
    waits = [next_try(error, tries, elapsed, 0.25) for tries in (1, 2, 3) for elapsed in (0, 9.0, 9.2)]
    yield f"{' '.join(traits)} {error.retry_after} {waits if any(waits) else ''} {error.facts()}"


def _read(one: ApiResponse) -> Iterator[str]:
    yield f"{one.request_id} {one.at} {sorted(one.allow)} {one.text}"
    readers: dict[str, Callable[[ApiResponse], object]] = {
        "json": lambda answer: answer.json(keep=answers.PROMPTS),
        "exact": lambda answer: answer.json(cleaned=False),
        "job": lambda answer: answer.json_with([("a", "b"), ("description",)]),
        "agents": lambda answer: answers.read_page(answer.json(), answers.read_agent),
        "projects": lambda answer: answers.read_projects(answer.json()),
        "job id": lambda answer: answers.progress_id(answer, "id"),
    }
    seen = set()
    for name, reader in readers.items():
        if (made := _or_error(partial(reader, replace(one)))) not in seen:
            yield f"{name}: {made}"
        seen.add(made)


def config_answers() -> Iterator[str]:
    """The server of each URL; or the settings and problems of each config.toml, and the diff that each edit makes."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "config.toml"
        for title, text in cases("config"):
            yield f"⁂ {title}"
            if title.startswith("URL"):
                yield from (_or_error(partial(read_server, url, "URL")) for url in text.splitlines())
            else:
                yield from (line.replace(directory, "") for line in _settings(path, title.split("; ")[1:], text))


def _settings(path: Path, changes: list[str], text: str) -> Iterator[str]:
    path.write_bytes(text.encode())
    loaded = load_settings({}, {}, path)
    file = loaded.file
    yield from (problem.with_path(path) for problem in file.problems)
    yield f"{file.values} {file.profiles} {[place for place in loaded.origins.items() if place[1] != 'default']}"
    yield f"{' '.join(f'{name}:{line}' for name, line in file.lines.items())}"
    yield f"{loaded.refusal} {[problem.line for problem in file.problems if problem.blocks_key]}"
    for change in changes:
        path.write_bytes(text.encode())
        name, sign, value = change.partition(" = ")
        said = _or_error(partial(set_setting, path, name, value) if sign else partial(set_setting, path, name, None))
        after = path.read_bytes().decode() if path.exists() else ""
        yield f"{change}: {said}"
        yield from list(unified_diff(text.split("\n"), after.split("\n"), n=0, lineterm=""))[2:]


def in_lines(made: Iterator[str]) -> Iterator[str]:
    """Split answers into lines; a character that repeats 25 times or more becomes `«a*50»`."""
    for line in "\n".join(made).replace("\r", "␍").splitlines():
        yield re.sub(r"(.)\1{24,}", lambda found: f"«{found[1]}*{len(found[0])}»", line)
