"""The front of the embedded server: checks the key, dates the answers, and notes every request."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cekura_tui.demo.replies import detail


class KeyCheck:
    """Lets requests with the right key through: 401 without a key, 403 with another one."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._key = key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = Headers(scope=scope).get("x-cekura-api-key")
        if not given:
            await detail(401, "Authentication credentials were not provided.")(scope, receive, send)
        elif not hmac.compare_digest(given.encode(), self._key):
            await detail(403, "Invalid API key.")(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class Dated:
    """Puts the time of the workspace's own clock (unix seconds) into the header Date."""

    def __init__(self, app: ASGIApp, clock: Callable[[], float]) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = formatdate(self._clock(), usegmt=True).encode()
                message = {**message, "headers": [*message.get("headers", ()), (b"date", date)]}
            await send(message)

        await self._app(scope, receive, dated)


class RequestLog:
    """Calls `log` once a request, when the answer has begun; what the operations noted is added."""

    def __init__(self, app: ASGIApp, log: Callable[[dict[str, object]], None]) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        at, started = time.time(), time.perf_counter()
        noted: dict[str, Any] = {}
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app({**scope, "noted": noted}, receive, watched)
        finally:
            took = round((time.perf_counter() - started) * 1000, 2)
            asked = {"method": scope["method"], "path": scope["path"], "query": scope["query_string"].decode("latin-1")}
            self._log({"at": at, **asked, "status": status, "ms": took} | noted)
