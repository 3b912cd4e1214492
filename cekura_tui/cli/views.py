"""`views`: filters with a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cekura_tui.cli.completion import offer_filters
from cekura_tui.cli.options import Options
from cekura_tui.cli.output import check_output_there, print_message, put, put_json, put_table
from cekura_tui.cli.runs import FilterCommand, read_filter
from cekura_tui.cli.script import run_script
from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import clean_line

if TYPE_CHECKING:
    from cekura_tui.model.filter.filter import SavedView
    from cekura_tui.model.json_shapes import ViewJson
    from cekura_tui.model.run.columns import RunColumns
    from cekura_tui.workspace.session import Session


@click.group()
def views() -> None:
    """List, save and delete views: filters with a name."""


@views.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@click.pass_obj
def list_views(options: Options, as_json: bool) -> None:
    """List the built-in views, then yours by name."""
    check_output_there("list")

    async def work(session: Session) -> None:
        found, columns = await _all(session), await session.saved_views.columns()
        if as_json:
            for view in found:
                put_json(_as_json(view, columns))
        else:
            put_table(("VIEW", "FILTER"), [(clean_line(view.name), clean_line(view.filter, 2_000)) for view in found])

    run_script(options, work, needs_key=False)


@views.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def show_view(options: Options, name: str, as_json: bool) -> None:
    """Show one view: its filter, and its columns in the run list."""
    check_output_there("view")

    async def work(session: Session) -> None:
        view, columns = await _find(session, name), await session.saved_views.columns()
        if as_json:
            put_json(_as_json(view, columns))
            return
        put(f"name: {clean_line(view.name)}")
        put(f"filter: {clean_line(view.filter, 2_000)}")
        put(f"built in: {'yes' if view.given else 'no'}")
        chosen = columns.get(view.filter)
        if chosen is None:
            put("columns: default")
        else:
            put(f"columns: {', '.join(_named(chosen, shown=True))}")
            put(f"hidden columns: {', '.join(_named(chosen, shown=False)) or 'none'}")

    run_script(options, work, needs_key=False)


@views.command("save", cls=FilterCommand)
@click.argument("name")
@click.argument("words", nargs=-1, required=True, metavar="FILTER...", shell_complete=offer_filters)
@click.option("--force", is_flag=True, help="Replace your view of this name.")
@click.pass_obj
def save_view(options: Options, name: str, words: tuple[str, ...], force: bool) -> None:
    """Save a filter as a view.

    `runs list --help` has the terms of a filter.
    """
    text = str(read_filter(words))
    if not text:
        raise UsageError("No filter to save.", "Give the terms of a filter.")

    async def work(session: Session) -> None:
        line = clean_line(name, len(name) + 1)
        there = next((view for view in await session.saved_views.all() if _is_called(view, line)), None)
        if there is not None and not force:
            raise UsageError(f"“{clean_line(there.name)}” already exists: {clean_line(there.filter)}.", "Add --force.")
        await session.saved_views.save(there.name if there else line, text)
        print_message(f"Saved as “{there.name if there else line}”.")

    run_script(options, work)


@views.command("delete")
@click.argument("name")
@click.pass_obj
def delete_view(options: Options, name: str) -> None:
    """Delete one of your views."""

    async def work(session: Session) -> None:
        view = await _find(session, name)
        if view.given:
            raise UsageError(f"“{view.name}” is built in and can't be deleted.")
        await session.saved_views.delete(view.name)
        print_message(f"Deleted “{clean_line(view.name)}”.")

    run_script(options, work)


async def _all(session: Session) -> list[SavedView]:
    from cekura_tui.model.filter.filter import GIVEN_VIEWS

    return [*GIVEN_VIEWS, *await session.saved_views.all()]


async def _find(session: Session, name: str) -> SavedView:
    """The view of a name, in whatever case it is written; raises UsageError where there is none."""
    found = await _all(session)
    view = next((one for one in found if _is_called(one, clean_line(name, len(name) + 1))), None)
    if view is None:
        raise UsageError(f"No view named “{clean_line(name, 60)}”.", "See `views list`.")
    return view


def _is_called(view: SavedView, name: str) -> bool:
    return view.name.casefold() == name.casefold()


def _named(columns: RunColumns, *, shown: bool) -> list[str]:
    """The columns that are shown, or hidden, with the widths that were chosen."""
    return [
        one.name if one.width is None else f"{one.name} ({one.width} wide)" for one in columns.all if one.shown is shown
    ]


def _as_json(view: SavedView, columns: dict[str, RunColumns]) -> ViewJson:
    chosen = columns[view.filter].all if view.filter in columns else ()
    return {
        "name": view.name,
        "filter": view.filter,
        "built_in": view.given,
        "columns": [{"name": one.name, "shown": one.shown, "width": one.width} for one in chosen],
    }
