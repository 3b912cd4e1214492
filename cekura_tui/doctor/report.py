"""Run all checks, and report the results as text and as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cekura_tui import __version__
from cekura_tui.config.paths import Paths
from cekura_tui.doctor.check import Check, Group, run_check
from cekura_tui.doctor.files import check_database, check_files, check_log, check_settings, check_versions
from cekura_tui.doctor.terminal import check_terminal
from cekura_tui.model.text import clean, clean_line, count
from cekura_tui.workspace.setup import Setup

if TYPE_CHECKING:
    from cekura_tui.model.json_shapes import DoctorJson

_TITLES: dict[Group, str] = {"terminal": "Terminal", "files": "Files", "server": "Server", "versions": "Versions"}


@dataclass(frozen=True, slots=True)
class Report:
    checks: tuple[Check, ...]

    @property
    def failures(self) -> int:
        return sum(check.status == "failure" for check in self.checks)

    @property
    def warnings(self) -> int:
        return sum(check.status == "warning" for check in self.checks)

    def text(self) -> str:
        lines = []
        for group, title in _TITLES.items():
            lines += [title, *(line for check in self.checks if check.group == group for line in check.lines()), ""]
        return "\n".join([*lines, f"{count(self.failures, 'failure')}, {count(self.warnings, 'warning')}."])

    def json(self) -> DoctorJson:
        return {
            "version": __version__,
            "failures": self.failures,
            "warnings": self.warnings,
            "checks": [
                {
                    "group": check.group,
                    "name": check.name,
                    "status": check.status,
                    "found": clean_line(check.found, 400),
                    "advice": clean(check.advice).splitlines(),
                }
                for check in self.checks
            ],
        }


def examine(make_setup: Callable[[], Setup], paths: Paths, env: Mapping[str, str], *, offline: bool = False) -> Report:
    """Run all checks and return the report; if `offline`, no request is sent to the server. If `make_setup` fails, the
    error is reported, and the files at `paths` are checked, but not the server."""
    made: list[Setup] = []

    def settings() -> Iterator[Check]:
        yield from check_settings(paths)
        made.append(make_setup())

    of_settings = run_check("files", "settings", settings)
    where = made[0].paths if made else paths
    checks = [
        *run_check("terminal", "terminal", lambda: check_terminal(env)),
        *run_check("files", "directory", lambda: check_files(where)),
        *of_settings,
        *run_check("files", "database", lambda: check_database(where.database)),
        *run_check("files", "log", lambda: check_log(where)),
        *(check for setup in made for check in _server(setup, offline)),
        *run_check("versions", "versions", check_versions),
    ]
    return Report(tuple(checks))


def _server(setup: Setup, offline: bool) -> Iterator[Check]:
    from cekura_tui.doctor.server import check_key, check_server

    yield from run_check("server", "key", lambda: check_key(setup))
    if offline:
        yield Check("server", "connection", "ok", "not checked (--offline)")
    else:
        yield from run_check("server", "connection", lambda: _one_by_one(check_server(setup)))


def _one_by_one(checks: AsyncGenerator[Check, None]) -> Iterator[Check]:
    """Yield results as they arrive, so that no result is lost if a later check raises an error."""

    async def one() -> Check | None:
        return await anext(checks, None)

    with asyncio.Runner() as runner:
        while (check := runner.run(one())) is not None:
            yield check
