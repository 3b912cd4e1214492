"""`views` (filters with a name) and `notes` on runs, both saved on this machine only."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from cekura_tui.cli.options import RUN, json_option
from cekura_tui.cli.output import print_message, put, put_json, put_table
from cekura_tui.cli.runs import FilterCommand, filter_argument
from cekura_tui.cli.script import command
from cekura_tui.model.errors import UsageError
from cekura_tui.model.filter.filter import BUILT_IN_VIEWS, Filter, SavedView
from cekura_tui.model.text import clean, clean_line

if TYPE_CHECKING:
    from cekura_tui.model.json_shapes import NoteJson, ViewJson
    from cekura_tui.model.run.columns import RunColumns
    from cekura_tui.workspace.session import Session


@click.group()
def views() -> None:
    """List, save and delete views: filters with a name."""


@command("list", views, key=False)
@json_option("per line")
async def list_views(session: Session, as_json: bool) -> None:
    """List the built-in views, then yours by name."""
    found, columns = await _all(session), await session.saved_views.columns()
    if as_json:
        for view in found:
            put_json(_as_json(view, columns))
    else:
        put_table(("VIEW", "FILTER"), [(clean_line(view.name), clean_line(view.filter, 2_000)) for view in found])


@command("show", views, key=False)
@click.argument("name")
@json_option()
async def show_view(session: Session, name: str, as_json: bool) -> None:
    """Show one view: its filter, and its columns in the run list."""
    view, columns = await _find(session, name), await session.saved_views.columns()
    if as_json:
        put_json(_as_json(view, columns))
        return
    put(f"name: {clean_line(view.name)}")
    put(f"filter: {clean_line(view.filter, 2_000)}")
    put(f"built in: {'yes' if view.built_in else 'no'}")
    chosen = columns.get(view.filter)
    if chosen is None:
        put("columns: default")
    else:
        put(f"columns: {', '.join(_named(chosen, shown=True))}")
        put(f"hidden columns: {', '.join(_named(chosen, shown=False)) or 'none'}")


def _check_save(*, wanted: Filter, **_: object) -> None:
    if not str(wanted):
        raise UsageError("No filter to save.", "Give the terms of a filter.")


@command("save", views, check=_check_save, cls=FilterCommand)
@click.argument("name")
@filter_argument(required=True)
@click.option("--force", is_flag=True, help="Replace your view of this name.")
async def save_view(session: Session, name: str, wanted: Filter, force: bool) -> None:
    """Save a filter as a view.

    `runs list --help` has the terms of a filter.
    """
    line = clean_line(name, None)
    there = next((view for view in session.store.views.views() if _is_called(view, line)), None)
    if there is not None and not force:
        raise UsageError(f"“{clean_line(there.name)}” already exists: {clean_line(there.filter)}.", "Add --force.")
    await session.saved_views.save(there.name if there else line, str(wanted))
    print_message(f"Saved as “{there.name if there else line}”.")


@command("delete", views)
@click.argument("name")
async def delete_view(session: Session, name: str) -> None:
    """Delete one of your views."""
    view = await _find(session, name)
    if view.built_in:
        raise UsageError(f"“{view.name}” is built in and can't be deleted.")
    await session.saved_views.save(view.name, None)
    print_message(f"Deleted “{clean_line(view.name)}”.")


async def _all(session: Session) -> list[SavedView]:
    return [*BUILT_IN_VIEWS, *session.store.views.views()]


async def _find(session: Session, name: str) -> SavedView:
    """The view with this name, ignoring case. Raises UsageError if there is none."""
    found = await _all(session)
    view = next((one for one in found if _is_called(one, clean_line(name, None))), None)
    if view is None:
        raise UsageError(f"No view named “{clean_line(name, 60)}”.", "See `views list`.")
    return view


def _is_called(view: SavedView, name: str) -> bool:
    return view.name.casefold() == name.casefold()


def _named(columns: RunColumns, *, shown: bool) -> list[str]:
    """Names of the shown columns, or of the hidden columns, each with its custom width if there is one."""
    return [
        one.name if one.width is None else f"{one.name} ({one.width} wide)" for one in columns.all if one.shown is shown
    ]


def _as_json(view: SavedView, columns: dict[str, RunColumns]) -> ViewJson:
    chosen = columns[view.filter].all if view.filter in columns else ()
    return {
        "name": view.name,
        "filter": view.filter,
        "built_in": view.built_in,
        "columns": [{"name": one.name, "shown": one.shown, "width": one.width} for one in chosen],
    }


@click.group()
def notes() -> None:
    """Read and write notes on runs; they stay on this machine."""


@command("list", notes, key=False)
@json_option("per line")
async def list_notes(session: Session, as_json: bool) -> None:
    """List all notes, newest run first."""
    found = sorted(session.store.notes.all().items(), reverse=True)
    for run_id, note in found:
        if as_json:
            put_json(_note_json(run_id, note))
        else:
            put(f"{run_id}  {clean_line(note, None)}")
    if not found and not as_json:
        print_message("No notes yet. Write one with `notes set`.")


@command("show", notes, key=False)
@click.argument("run_id", type=RUN)
@json_option()
async def show_note(session: Session, run_id: int, as_json: bool) -> None:
    """Print the note on a run."""
    note = session.store.notes.all().get(run_id)
    if note is None:
        raise UsageError(f"No note on run {run_id}.", "See `notes list`.")
    if as_json:
        put_json(_note_json(run_id, note))
    else:
        put(note)


def _read_note(context: click.Context, parameter: click.Parameter, text: str) -> str:
    if text == "-" and not context.resilient_parsing:
        try:
            text = sys.stdin.buffer.read().decode("utf-8", "replace")
        except (OSError, AttributeError):  # closed, or open for writing only
            raise UsageError("Can't read standard input.", "Write the note as TEXT.") from None
    return clean_line(clean(text), None)


@command("set", notes)
@click.argument("run_id", type=RUN)
@click.argument("text", callback=_read_note)
async def set_note(session: Session, run_id: int, text: str) -> None:
    """Write the note on a run, replacing the old one.

    TEXT is - for standard input. An empty TEXT removes the note. A note is one line.
    """
    await session.notes.save(run_id, text)
    print_message(f"run {run_id}: note {'saved' if text else 'removed'}")


def _note_json(run_id: int, note: str) -> NoteJson:
    return {"run": run_id, "note": note}
