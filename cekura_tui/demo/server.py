"""The demo server: a real HTTP server on 127.0.0.1, in its own thread."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hmac
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from pathlib import Path
from types import MappingProxyType
from typing import Any

import uvicorn
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cekura_tui.demo import DemoOptions
from cekura_tui.demo.corpus import Arrivals, Corpus, ExtraRun
from cekura_tui.demo.faults import FaultInjector
from cekura_tui.demo.forms import detail
from cekura_tui.demo.jobs import DemoDatabase
from cekura_tui.demo.routes import make_app
from cekura_tui.demo.workspace import DemoWorkspace


def _require_key(app: ASGIApp, key: str) -> ASGIApp:
    """Answer 401 to requests without a key, and 403 to requests with another key. Recordings need no key."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        given = Headers(scope=scope).get("x-cekura-api-key")
        if scope["path"].startswith("/recordings/"):  # the link has a signature
            await app(scope, receive, send)
        elif not given:
            await detail(401, "Authentication credentials were not provided.")(scope, receive, send)
        elif not hmac.compare_digest(given.encode(), key.encode()):
            await detail(403, "Invalid API key.")(scope, receive, send)
        else:
            await app(scope, receive, send)

    return checked


def _dated_and_logged(
    app: ASGIApp, clock: Callable[[], float], log: Callable[[dict[str, object]], None] | None
) -> ASGIApp:
    """Set the `Date` header from `clock`, and `log` each request when its answer starts, with the scope's `noted`."""

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        at, started = time.time(), time.perf_counter()
        noted: dict[str, Any] = {}

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = formatdate(clock(), usegmt=True).encode()
                message = {**message, "headers": [*message.get("headers", ()), (b"date", date)]}
                entry = {
                    "at": at,
                    "method": scope["method"],
                    "path": scope["path"],
                    "query": scope["query_string"].decode("latin-1"),
                    "status": message["status"],
                    "ms": round((time.perf_counter() - started) * 1000, 2),
                }
                if log is not None:
                    log(entry | noted)
            await send(message)

        await app({**scope, "noted": noted}, receive, watched)

    return answered


def _read_or_create(path: Path, text: str) -> str:
    """The content of a file, created with `text` if missing or empty; two processes at once get the same text."""
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8") as file:
        with contextlib.suppress(OSError):  # some file systems have no locks
            fcntl.flock(file, fcntl.LOCK_EX)
        if content := file.read():
            return content
        file.write(text)
        return text


_HOST = "127.0.0.1"
_RUNNING_ENDS_AFTER = 3600.0
"""Seconds after the epoch at which running runs end, if no new runs start."""


class DemoServer:
    """Serves the workspace stored in `directory`. `log` is called in the server's thread with an entry for each
    request. `clock`, `extra_runs` and `middleware` are for tests."""

    def __init__(
        self,
        directory: Path,
        options: DemoOptions = DemoOptions(),  # noqa: B008 # immutable
        *,
        port: int = 0,
        log: Callable[[dict[str, object]], None] | None = None,
        clock: Callable[[], float] = time.time,
        extra_runs: Mapping[int, ExtraRun] = MappingProxyType({}),
        middleware: Callable[[ASGIApp], ASGIApp] | None = None,
    ) -> None:
        self.url = self.key = ""
        self._directory, self._options, self._port, self._log = directory, options, port, log
        self._clock, self._extra_runs, self._middleware = clock, extra_runs, middleware
        self._server: uvicorn.Server | None = None
        self._database: DemoDatabase | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the server; return once it listens. Raises OSError for a port in use or an unwritable directory."""
        # The event loop turns Nagle's algorithm off only where the protocol is named; without that, every answer on a
        # kept connection comes 40 ms late.
        options = self._options
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((_HOST, self._port))
            listener.listen(128)
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._directory.chmod(0o700)
            self.key = _read_or_create(self._directory / "key", f"demo_{secrets.token_hex(24)}")
            if (epoch := options.epoch) is None:
                epoch = float(_read_or_create(self._directory / "epoch", str(int(self._clock()))))
            self._database = DemoDatabase(self._directory / "demo.db")
        except BaseException:
            listener.close()
            raise
        arrivals = Arrivals(epoch, options.live, self._clock) if options.live else None
        # A given epoch freezes running runs; otherwise they must end eventually.
        are_over = None if options.epoch is not None else lambda: self._clock() - epoch >= _RUNNING_ENDS_AFTER
        corpus = Corpus(options.runs, epoch, arrivals=arrivals, extra_runs=self._extra_runs, are_over=are_over)
        workspace = DemoWorkspace(corpus, self._database, options.speed, self._clock)
        # Without a handler, `logging` would print warnings over the app.
        for logger in ("uvicorn", "python_multipart"):
            logging.getLogger(logger).addHandler(logging.NullHandler())
        config = uvicorn.Config(
            self._app(workspace),
            log_config=None,
            access_log=False,
            lifespan="off",
            http="h11",
            ws="none",
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        self._server = server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[listener])), name="embedded-server", daemon=True
        )
        self._thread.start()
        while not server.started:
            if not self._thread.is_alive():
                self.stop()
                raise OSError("the demo server did not start")
            time.sleep(0.002)
        self.url = f"http://{_HOST}:{listener.getsockname()[1]}"

    def stop(self) -> None:
        """Stop the server, even if connections are open. A second call does nothing."""
        server, thread, database = self._server, self._thread, self._database
        self._server = self._thread = self._database = None
        if server is not None and thread is not None:
            server.should_exit = server.force_exit = True
            thread.join(timeout=5)
        if database is not None:
            database.close()

    def _app(self, workspace: DemoWorkspace) -> ASGIApp:
        app = _require_key(make_app(workspace, self.key), self.key)
        if self._middleware is not None:
            app = self._middleware(app)
        if self._options.faults:
            app = FaultInjector(app, self._options.faults)
        return _dated_and_logged(app, self._clock, self._log)
