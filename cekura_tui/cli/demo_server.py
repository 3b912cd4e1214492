"""`demo-server`: run the demo's API server alone."""

from __future__ import annotations

import json
import shlex
import signal
import threading
from pathlib import Path
from typing import Any

import click

from cekura_tui.cli.options import Options, embedded_options
from cekura_tui.cli.output import print_message, put
from cekura_tui.model.errors import UsageError


@click.command("demo-server")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Port; a free one if not given.")
@click.option(
    "--log",
    "log_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Log each request to FILE, one JSON object per line.",
)
@embedded_options
@click.pass_obj
def demo_server(options: Options, /, port: int, log_file: Path | None, **given: Any) -> None:
    """Run the demo server until interrupted. Prints the environment variables for its clients."""
    from cekura_tui.demo.corpus import FIRST_PROJECT
    from cekura_tui.demo.server import DemoServer

    options = options.with_given(given)
    home = options.paths.demo.home
    try:
        log = log_file.open("a", encoding="utf-8", buffering=1) if log_file else None
    except OSError as error:
        raise UsageError(f"Can't write {log_file}: {error.strerror}.") from None
    write = (lambda entry: click.echo(json.dumps(entry), file=log)) if log else None
    server = DemoServer(home, options.demo_options, port=port, log=write)
    try:
        server.start()
    except OSError as error:
        raise UsageError(f"Can't use port {port}: {error.strerror or error}.", "Choose another with --port.") from None
    try:
        put(f"export CEKURA_API_URL={shlex.quote(server.url)}")
        put(f"export CEKURA_API_KEY={shlex.quote(server.key)}")
        put(f"export CEKURA_PROJECT_ID={FIRST_PROJECT}")
        print_message("Serving. Press ctrl+c to stop.")
        ended = threading.Event()
        signal.signal(signal.SIGTERM, lambda number, frame: ended.set())
        ended.wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()
