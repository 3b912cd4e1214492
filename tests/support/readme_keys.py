"""Generate the README's tables of keys, and its list of columns: `python tests/support/readme_keys.py --write`."""

from __future__ import annotations

from collections.abc import Iterable

from readme_part import with_part, write_or_check
from textual.dom import DOMNode
from textual.keys import format_key


def tables() -> str:
    """All tables, as they appear between the README's markers."""
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
        ("Everywhere", _rows([VirtualList, CekuraApp])),
        ("In the list of runs", _rows([RunList, RunsScreen])),
        ("In a run", _rows([RunScreen, TranscriptView, RunDetails])),
        ("In the list of jobs, and in a job", _rows([JobList, JobsScreen, JobScreen])),
        ("In a suggestion", _rows([ProseDiffView, SuggestionScreen])),
    ]
    return "\n\n".join(_table(title, rows) for title, rows in parts)


def _rows(kinds: Iterable[type[DOMNode]]) -> list[tuple[str, str, str]]:
    """(keys, label, description) of each action with keys; of duplicates, the one with the longest description.

    Inherited actions are left out: they are listed once, with the class that defines them.
    """
    found: dict[tuple[str, str], tuple[str, str, str]] = {}
    for kind in kinds:
        for action in kind.__dict__.get("ACTIONS", ()):
            if action.keys:
                does = action.tooltip[:1].upper() + action.tooltip[1:]
                keys = " ".join(f"`{_key(key)}`" for key in action.keys.split(","))
                row = keys, action.label, does if does != action.label else ""
                found[row[:2]] = max(row, found.get(row[:2], row), key=lambda one: len(one[2]))
    return list(found.values())


def _key(key: str) -> str:
    """A key as printed on a keyboard."""
    names = {"pagedown": "PgDn", "pageup": "PgUp", "escape": "esc", "home": "Home", "end": "End", "enter": "enter"}
    *modifiers, name = key.split("+")
    return "+".join([*modifiers, names.get(name, format_key(name))])


def _table(title: str, rows: Iterable[tuple[str, str, str]]) -> str:
    lines = [f"| {keys} | {name} | {does.replace('|', chr(92) + '|')} |" for keys, name, does in rows]
    return "\n".join([f"{title}:", "", "| key | action | what it does |", "|---|---|---|", *lines])


def columns() -> str:
    """Names of the run list's columns, with those hidden by default."""
    from cekura_tui.model.run.columns import COLUMNS

    hidden = ", ".join(f"`{column.name}`" for column in COLUMNS if not column.shown)
    names = ", ".join(f"`{column.name}`" for column in COLUMNS if column.shown)
    also = f" Hidden until you show them: {hidden}." if hidden else ""
    return f"Columns apply to lists for which you have chosen none with `c`: {names}.{also}"


def written(readme: str) -> str:
    """The README with its generated keys and columns."""
    return with_part(with_part(readme, "keys", tables()), "columns", columns())


if __name__ == "__main__":
    write_or_check("keys", tables)
    write_or_check("columns", columns)
