"""Global options, and the value types of command parameters."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

import click

from cekura_tui.cli.output import print_message
from cekura_tui.demo import FAULTS, DemoOptions
from cekura_tui.model.text import clean_line

if TYPE_CHECKING:
    from cekura_tui.config.paths import Paths
    from cekura_tui.config.sources import LoadedSettings
    from cekura_tui.workspace.setup import Setup

F = TypeVar("F", bound=Callable[..., Any])


class Options(NamedTuple):
    """Values of the global options, and of the demo server's options."""

    demo: bool = False
    profile: str | None = None
    config_dir: str | None = None
    api_url: str | None = None
    api_key_file: str | None = None
    project: int | None = None
    agent: int | None = None
    read_only: bool = False
    no_mouse: bool = False
    ascii_only: bool | None = None
    demo_options: DemoOptions = DemoOptions()

    def with_given(self, flags: Mapping[str, Any]) -> Self:
        """A copy with the options in `flags` (None: not given). Flags named `demo_…` are options of the demo server."""
        given = {name: value for name, value in flags.items() if value is not None}
        embedded = {name: given.pop(f"demo_{name}") for name in DemoOptions._fields if f"demo_{name}" in given}
        return self._replace(**given, demo_options=self.demo_options._replace(**embedded))

    def command_line(self, command: str) -> str:
        """The command line that runs `command` on the same workspace, to show to the user."""
        words = ["cekura-tui"]
        words += ["--demo"] if self.demo else []
        words += ["--profile", shlex.quote(self.profile)] if self.profile and not self.demo else []
        words += ["--config-dir", shlex.quote(self.config_dir)] if self.config_dir else []
        words += ["--api-url", shlex.quote(self.api_url)] if self.api_url and not self.demo else []
        return " ".join([*words, command])

    @property
    def paths(self) -> Paths:
        from cekura_tui.config.paths import find_paths

        return find_paths(self.config_dir, os.environ)

    def settings(self) -> LoadedSettings:
        """Settings merged from all sources, without looking up a key; errors in config.toml do not raise."""
        from cekura_tui.config.sources import load_settings

        flags = {"api_url": self.api_url, "profile": self.profile, "project_id": self.project, "agent_id": self.agent}
        flags["read_only"] = self.read_only or None
        return load_settings(flags, os.environ, self.paths.settings, demo=self.demo)

    def setup(self, *, new_profile: bool = False, may_run: bool = True, quiet: bool = False) -> Setup:
        """Make the setup from options, environment and files, and print errors in config.toml unless `quiet`. The
        profile may be new if `new_profile`; `api_key_command` is run if `may_run`. Raises UsageError."""
        from cekura_tui.workspace.setup import make_setup

        setup = make_setup(
            config_dir=self.config_dir,
            profile=self.profile,
            api_url=self.api_url,
            api_key_file=self.api_key_file,
            project_id=self.project,
            agent_id=self.agent,
            read_only=self.read_only,
            demo=self.demo_options if self.demo else None,
            new_profile=new_profile,
            env=os.environ,
            may_run=may_run,
        )
        for problem in () if quiet else setup.problems:
            print_message(problem.with_path(self.paths.settings))
        return setup


def number(what: str, kind: str = "id", example: int = 48213) -> Callable[[str], int]:
    """A parameter type for the id of a run, job, metric or category; `what`, `kind` and `example` are for errors."""

    def read(text: str) -> int:
        if text.isascii() and text.isdecimal() and len(text) < 19:
            return int(text)
        raise click.BadParameter(
            f"“{clean_line(text, 40)}” is not a valid {what} {kind}; use a number such as {example}."
        )

    read.__name__ = "number"
    return read


def path(text: str) -> str:
    """A parameter type that refuses an empty path, as from an unset variable in a script."""
    if not text.strip():
        raise click.BadParameter("the path is empty.")
    return text


def unix_time(text: str) -> float:
    """A parameter type for a time in Unix seconds, from 1970 to 2100."""
    try:
        moment = float(text)
    except ValueError:
        moment = -1.0
    if not 0 <= moment < 4.2e9:
        raise click.BadParameter(f"“{clean_line(text, 40)}” is not a Unix time in seconds.")
    return moment


def fault_names(text: str) -> frozenset[str]:
    """A parameter type for comma-separated names of `FAULTS`."""
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    if unknown := names - set(FAULTS):
        raise click.BadParameter(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(FAULTS)}.")
    return names


def embedded_options(command: F) -> F:
    """Add the options of the demo server to a command; each is None if not given."""
    runs = click.option("--demo-runs", type=click.IntRange(1, 1_000_000), metavar="N", help="Number of demo runs.")
    speed = click.option(
        "--demo-speed",
        type=click.FloatRange(min=0.01),
        metavar="X",
        help="Speed of demo jobs; 10 is ten times as fast.",
    )
    live = click.option(
        "--demo-live",
        type=click.FloatRange(min=0.02),
        metavar="SECONDS",
        help="Start a demo run every SECONDS, and let runs end.",
    )
    epoch = click.option("--demo-epoch", type=unix_time, metavar="SECONDS", help="Unix time of the newest demo run.")
    faults = click.option(
        "--demo-faults", type=fault_names, metavar="NAME,…", help=f"Make the demo server fail: {', '.join(FAULTS)}."
    )
    return runs(speed(live(epoch(faults(command)))))


def json_option(which: str = "") -> Callable[[F], F]:
    """Add the flag --json as `as_json`; `which` completes the flag's help, "Print one JSON object …"."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print one JSON object{which and ' '}{which}.")


def current_options() -> Options:
    options: Options = click.get_current_context().obj
    return options


COMPLETE = "_CEKURA_TUI_COMPLETE"
"""Environment variable with which a shell asks for completions."""

AGENT = number("agent")
RUN = number("run")
JOB = number("job")
SECONDS = click.FloatRange(min=0)
