"""`notes`: what you wrote about runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from cekura_tui.cli.options import RUN, Options
from cekura_tui.cli.output import check_output_there, print_message, put, put_json
from cekura_tui.cli.script import run_script
from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import clean, clean_line

if TYPE_CHECKING:
    from cekura_tui.model.json_shapes import NoteJson
    from cekura_tui.workspace.session import Session


@click.group()
def notes() -> None:
    """Read and write notes on runs; they stay on this machine."""


@notes.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@click.pass_obj
def list_notes(options: Options, as_json: bool) -> None:
    """List all notes, those of the newest run first."""
    check_output_there("list")

    async def work(session: Session) -> None:
        found = sorted((await session.notes.all()).items(), reverse=True)
        for run_id, note in found:
            if as_json:
                put_json(_as_json(run_id, note))
            else:
                put(f"{run_id}  {clean_line(note, len(note) + 1)}")
        if not found and not as_json:
            print_message("No notes yet. Write one with `notes set`.")

    run_script(options, work)


@notes.command("show")
@click.argument("run_id", type=RUN)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def show_note(options: Options, run_id: int, as_json: bool) -> None:
    """Print the note on a run."""
    check_output_there("note")

    async def work(session: Session) -> None:
        note = (await session.notes.all()).get(run_id)
        if note is None:
            raise UsageError(f"No note on run {run_id}.", "See `notes list`.")
        if as_json:
            put_json(_as_json(run_id, note))
        else:
            put(note)

    run_script(options, work)


@notes.command("set")
@click.argument("run_id", type=RUN)
@click.argument("text")
@click.pass_obj
def set_note(options: Options, run_id: int, text: str) -> None:
    """Write the note on a run, in place of the former one.

    TEXT is - for standard input. An empty TEXT removes the note. A note is one line.
    """
    if text == "-":
        text = sys.stdin.buffer.read().decode("utf-8", "replace") if sys.stdin is not None else ""
    line = clean_line(clean(text), len(text) + 1)

    async def work(session: Session) -> None:
        await session.notes.save(run_id, line)
        print_message(f"run {run_id}: note {'saved' if line else 'removed'}")

    run_script(options, work)


def _as_json(run_id: int, note: str) -> NoteJson:
    return {"run": run_id, "note": note}
