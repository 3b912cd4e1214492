"""Open a web link in the browser."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import Future

from cekura_tui.config.programs import without_key
from cekura_tui.model.run.details import web_link

_OPEN_TIMEOUT = 20.0
"""Seconds after which a browser that has not opened the link is killed."""
_OPEN_SCRIPT = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.argv[1]))"


async def open_link(link: str) -> bool:
    """Open a web link in a graphical browser, without printing anything. May take seconds. Returns False if the browser
    cannot be opened or if `link` is not a web link."""
    opened: Future[bool] = Future()
    opened.set_running_or_notify_cancel()  # cancelling the wait must not stop the browser
    # Not in the loop's thread pool, which the exit of the program would wait for.
    threading.Thread(target=lambda: opened.set_result(_open(link)), name="browser", daemon=True).start()
    return await asyncio.wrap_future(opened)


def _open(link: str) -> bool:
    if web_link(link) is None:
        return False
    # In a separate session, because some browsers use the terminal. `-I` imports nothing from the current folder.
    env = without_key(os.environ)
    env.pop("TERM", None)  # excludes browsers that draw in the terminal
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _OPEN_SCRIPT, link],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=env,
            timeout=_OPEN_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
