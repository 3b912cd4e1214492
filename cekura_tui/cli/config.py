"""`config path`."""

from __future__ import annotations

import os

import click

from cekura_tui.cli.options import Options
from cekura_tui.cli.output import put


@click.group()
def config() -> None:
    """Settings and files."""


@config.command()
@click.pass_obj
def path(options: Options) -> None:
    """Print the directory that holds settings, keys, runs and jobs."""
    from cekura_tui.config.paths import find_paths

    put(str(find_paths(options.config_dir, os.environ).home))
