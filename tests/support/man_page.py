"""Generate the manual page from the commands: `python tests/support/man_page.py --write`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

PAGE = Path(__file__).parents[2] / "cekura_tui" / "cli" / "cekura-tui.1"
_ENVIRONMENT = {
    "CEKURA_API_KEY": "The API key. Goes before the one of auth login.",
    "CEKURA_API_URL, CEKURA_DASHBOARD_URL": "The server, and where links lead.",
    "CEKURA_PROJECT_ID, CEKURA_ORGANIZATION_ID": "The project whose runs are listed, and its organization.",
    "CEKURA_PROFILE": "The profile to use where --profile names none.",
    "CEKURA_TUI_HOME": "The directory of settings, keys, runs and jobs.",
    "CEKURA_TUI_DEBUG": "Set to 1, an internal error shows where it happened.",
    "NO_COLOR": "Set to anything, nothing is drawn in colour.",
    "VISUAL, EDITOR, PAGER": "What prompts are edited with and patches are shown in.",
    "HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE": "As in other programs; this machine itself is never asked through a proxy.",
}
_FILES = {
    "config.toml": "Settings.",
    "credentials.json": "Keys, each with its server; readable by their owner alone.",
    "cekura.db": "Cached runs, jobs, prompts, notes and views.",
    "log/": "What went wrong, without keys.",
}
_STATUSES = {
    "0": "Done.",
    "1": "The job or run did not succeed, --timeout was reached (the job goes on), or a check of doctor failed.",
    "2": "Wrong use, or an operation failed.",
    "3": "Finished, and no issues were found.",
    "4": "The key is missing or was refused.",
    "129, 130, 143": "Ended by a signal.",
}


def page() -> str:
    """The manual page, as roff source."""
    from cekura_tui.cli.main import cli

    return "\n".join(_lines(cli)) + "\n"


def _lines(cli: click.Group) -> Iterator[str]:
    yield '.\\" Written by tests/support/man_page.py from the commands.'
    yield '.TH CEKURA-TUI 1 "" "cekura_tui" "User Commands"'
    yield from (".SH NAME", r"cekura-tui \- find failed test calls of voice agents, and improve the prompt")
    yield from (".SH SYNOPSIS", ".B cekura-tui", _escaped("[OPTIONS] [RUN_ID | dashboard URL | COMMAND [ARGS]...]"))
    yield from (".SH DESCRIPTION", *_paragraphs(cli))
    yield from (".SH OPTIONS", *_options(cli))
    yield ".SH COMMANDS"
    yield from _commands(cli, "")
    yield from (".SH ENVIRONMENT", *_terms(_ENVIRONMENT))
    yield from (".SH FILES", "In the directory that", ".B cekura-tui config path", "prints:", *_terms(_FILES))
    yield from (".SH EXIT STATUS", *_terms(_STATUSES))


def _commands(group: click.Group, before: str) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        if isinstance(command, click.Group):
            yield from _commands(command, f"{before}{name} ")
        if not isinstance(command, click.Group) or command.invoke_without_command:
            arguments = " ".join(one.make_metavar(click.Context(command)) for one in _of(command, click.Argument))
            yield f".SS {_escaped(f'{before}{name} {arguments}'.strip())}"
            yield from _paragraphs(command)
            yield from _options(command)


def _of(command: click.Command, kind: type[click.Parameter]) -> list[click.Parameter]:
    return [one for one in command.params if isinstance(one, kind) and not getattr(one, "hidden", False)]


def _options(command: click.Command) -> Iterator[str]:
    context = click.Context(command)
    for option in _of(command, click.Option):
        if record := option.get_help_record(context):
            yield from (".TP", rf"\fB{_escaped(record[0])}\fR", _escaped(record[1]))


def _paragraphs(command: click.Command) -> Iterator[str]:
    text = inspect.cleandoc(f"{command.help or ''}\n\n{command.epilog or ''}".replace("\b", ""))
    for paragraph in filter(None, text.split("\n\n")):
        yield from (".PP", *map(_escaped, paragraph.strip().splitlines()))


def _terms(terms: dict[str, str]) -> Iterator[str]:
    for term, text in terms.items():
        yield from (".TP", rf"\fB{_escaped(term)}\fR", _escaped(text))


def _escaped(text: str) -> str:
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{text}" if text[:1] in (".", "'") else text


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        print(page())  # noqa: T201
