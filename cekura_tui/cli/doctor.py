"""`doctor`: check this machine and the server, and bundle the results for a bug report."""

from __future__ import annotations

import os

import click

from cekura_tui.cli.options import Options, json_option, path
from cekura_tui.cli.output import put, put_json, put_table
from cekura_tui.model.errors import Exit, UsageError


@click.command()
@json_option()
@click.option("--offline", is_flag=True, help="Ask no server.")
@click.option(
    "--bundle", type=path, metavar="FILE", help="Write a zip file for a bug report, without keys and contents."
)
@click.option("--force", is_flag=True, help="Overwrite FILE.")
@click.pass_obj
@click.pass_context
def doctor(ctx: click.Context, options: Options, as_json: bool, offline: bool, bundle: str | None, force: bool) -> None:
    """Check the terminal, the files, the server and the versions, and say what to do.

    Launches nothing, and changes nothing on the server. Ends with status 1 if a check fails. --bundle writes the log,
    the settings and the results of the checks to a zip file, without keys, prompts and transcripts, and lists what is
    in it.
    """
    from cekura_tui.doctor.report import examine
    from cekura_tui.workspace.log_file import log_to
    from cekura_tui.workspace.prompt_files import check_output

    if bundle is not None and as_json:
        raise UsageError("Use --json or --bundle: the bundle has the JSON too.")
    paths = options.paths
    out = check_output(bundle, force=force) if bundle is not None else None
    if paths.home.is_dir():
        log_to(paths)
    report = examine(options.setup, paths, os.environ, offline=offline)
    if out is None:
        put_json(report.json()) if as_json else put(report.text())
        ctx.exit(Exit.NOT_SUCCEEDED if report.failures else Exit.DONE)
    from cekura_tui.doctor.bundle import write_bundle

    members = write_bundle(out, report, paths, os.environ, force=force)
    put_table(("BYTES", "IN THE BUNDLE"), [(f"{size:,}", name) for name, size in members])
    put(f"Saved to {out.absolute()}. Look through the file before you send it.")
