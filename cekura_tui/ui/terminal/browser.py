"""Open a web link in the browser."""

from __future__ import annotations

import asyncio
import os
import sys

from cekura_tui.config.programs import in_thread, run_program
from cekura_tui.model.run.details import web_link

_OPEN_SCRIPT = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.argv[1]))"


async def open_link(link: str) -> bool:
    """Open a web link in a graphical browser, which may take seconds. Returns False for other links or failures."""
    return await asyncio.wrap_future(in_thread(lambda: _open(link)))  # cancelling the wait does not stop the browser


def _open(link: str) -> bool:
    if web_link(link) is None:
        return False
    # `-I` imports nothing from the current folder. Without TERM, no browser is used that draws in the terminal.
    env = {name: value for name, value in os.environ.items() if name != "TERM"}
    return not run_program([sys.executable, "-I", "-c", _OPEN_SCRIPT, link], env, limit=20.0).failure
