"""`schema`: the JSON Schema of what commands print with --json."""

from __future__ import annotations

import click

from cekura_tui.cli.output import put_json, put_table
from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import clean_line


@click.command()
@click.argument("name", required=False)
def schema(name: str | None) -> None:
    """Print the JSON Schema of a command's --json output.

    Without NAME, lists all schemas (JSON Schema 2020-12).
    """
    from cekura_tui.model.json_shapes import SHAPES, schema_of

    if name is None:
        put_table(("NAME", "DESCRIBES"), [(name, of) for name, (of, _) in SHAPES.items()])
    elif name in SHAPES:
        put_json(schema_of(name), indent=2)
    else:
        raise UsageError(f"No schema named “{clean_line(name, 40)}”.", f"Choose from {', '.join(SHAPES)}.")
