"""Generate the tables of the manual from the program: `python tests/support/manual_tables.py --write`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import click
from textual.dom import DOMNode

REPO = Path(__file__).parents[2]
MANUAL = REPO / "cekura_tui" / "manual"


def keys() -> str:
    """Tables of the actions with keys, by screen."""
    from cekura_tui.ui.app import CekuraApp
    from cekura_tui.ui.jobs.job import JobScreen
    from cekura_tui.ui.jobs.list import JobList
    from cekura_tui.ui.jobs.screen import JobsScreen
    from cekura_tui.ui.kit.virtual_list import VirtualList
    from cekura_tui.ui.run.details import RunDetails
    from cekura_tui.ui.run.screen import RunScreen
    from cekura_tui.ui.run.transcript import TranscriptView
    from cekura_tui.ui.runs.list import RunList
    from cekura_tui.ui.runs.screen import RunsScreen
    from cekura_tui.ui.suggestion.diff_view import ProseDiffView
    from cekura_tui.ui.suggestion.screen import SuggestionScreen

    parts = [
        ("Everywhere", [VirtualList, CekuraApp]),
        ("In the list of runs", [RunList, RunsScreen]),
        ("In a run", [RunScreen, TranscriptView, RunDetails]),
        ("In the list of jobs, and in a job", [JobList, JobsScreen, JobScreen]),
        ("In a suggestion", [ProseDiffView, SuggestionScreen]),
    ]
    header = ("key", "action", "what it does")
    return "\n\n".join(f"{title}:\n\n{_table(header, _key_rows(kinds))}" for title, kinds in parts)


def letters() -> str:
    """Table of the letters and signs, each with what it does on all screens."""
    from letters import letters as table

    return _table(("key", "what it does"), ((f"`{row.key}`", row.does) for row in table()))


def _key_rows(kinds: Iterable[type[DOMNode]]) -> list[tuple[str, str, str]]:
    """Rows of keys, name and description, one for each action that has keys. Inherited actions are left out. Of two
    actions with the same keys and name, the longer description is kept."""
    from cekura_tui.ui.keymap import shown_key

    found: dict[tuple[str, str], tuple[str, str, str]] = {}
    for kind in kinds:
        for action in kind.__dict__.get("ACTIONS", ()):
            if action.keys:
                does = action.tooltip[:1].upper() + action.tooltip[1:]
                names = " ".join(f"`{shown_key(key)}`" for key in action.keys.split(","))
                row = names, action.label, does if does != action.label else ""
                found[row[:2]] = max(row, found.get(row[:2], row), key=lambda one: len(one[2]))
    return list(found.values())


def columns() -> str:
    """Sentences that name the columns of the run list that are shown by default and the hidden columns, if any."""
    from cekura_tui.model.run.columns import COLUMNS

    hidden = ", ".join(f"`{column.name}`" for column in COLUMNS if not column.shown)
    names = ", ".join(f"`{column.name}`" for column in COLUMNS if column.shown)
    also = f" Hidden until you show them: {hidden}." if hidden else ""
    return f"They apply to lists for which you have chosen no columns with `C`: {names}.{also}"


def settings() -> str:
    """Table of the settings, with their defaults and the places where they can be set, highest precedence first."""
    from cekura_tui.config.settings import ENVIRONMENT, FLAGS, SETTINGS, VENDOR

    rows = []
    all_settings = dict(SETTINGS)
    for name, setting in SETTINGS.items():
        all_settings |= {f"{name}.{entry}": one for entry, one in setting.kind.named.items()}
    for name, setting in all_settings.items():
        default = str(setting.default).lower() if isinstance(setting.default, bool) else setting.default
        vendor = f"`{VENDOR[name]}` in Cekura's file" if name in VENDOR else ""
        places = [f"`{place}`" for place in (FLAGS.get(name), ENVIRONMENT.get(name)) if place]
        also = f" Default: `{default}`." if default else ""
        rows.append((f"`{name}`", setting.description + also, ", ".join(filter(None, [*places, vendor])) or "–"))
    return _table(("setting", "what it is for", "also set by"), rows)


def placeholders() -> str:
    """Table of the placeholders in the template of the text for a command."""
    from cekura_tui.evidence.improve_text import PLACEHOLDERS

    return _table(("placeholder", "what replaces it"), ((f"`{{{name}}}`", text) for name, text in PLACEHOLDERS.items()))


def commands() -> str:
    """Table of the commands with their arguments and the first sentence of their help."""
    from cekura_tui.cli.main import cli

    rows: list[tuple[str, str]] = []

    def add(group: click.Group, before: str) -> None:
        for name in group.list_commands(click.Context(group)):
            command = group.get_command(click.Context(group), name)
            assert command is not None
            if isinstance(command, click.Group):
                add(command, f"{before}{name} ")
            if not isinstance(command, click.Group) or command.invoke_without_command:
                arguments = [one for one in command.params if isinstance(one, click.Argument)]
                usage = " ".join([f"{before}{name}", *(one.make_metavar(click.Context(command)) for one in arguments)])
                rows.append((f"`{usage}`", command.get_short_help_str(200)))

    add(cli, "")
    return _table(("command", "what it does"), rows)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows]
    return "\n".join([f"| {' | '.join(header)} |", "|---" * len(header) + "|", *(f"| {line} |" for line in lines)])


TABLES: dict[str, dict[str, Callable[[], str]]] = {
    "keys": {"letters": letters, "keys": keys},
    "configuration": {"settings": settings, "columns": columns, "placeholders": placeholders},
    "scripts": {"commands": commands},
}
"""Functions that generate parts of the manual, by topic and by part. A part is between two markers with its name."""


def written(topic: str) -> str:
    """The page of a topic with its generated parts up to date."""
    text = (MANUAL / f"{topic}.md").read_text(encoding="utf-8")
    for name, make in TABLES[topic].items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, rest = text.split(begin, 1)
        text = f"{before}{begin}\n{make()}\n{end}{rest.split(end, 1)[1]}"
    return text


if __name__ == "__main__":
    sys.path.insert(0, str(REPO))
    for changed in TABLES:
        if (new := written(changed)) != (MANUAL / f"{changed}.md").read_text(encoding="utf-8"):
            if "--write" not in sys.argv:
                sys.exit(f"The tables of manual/{changed}.md are not those of the program; --write writes them.")
            (MANUAL / f"{changed}.md").write_text(new, encoding="utf-8")
