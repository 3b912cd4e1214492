"""Inject named faults into the demo server's answers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from math import ceil

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cekura_tui.demo.facts import roll
from cekura_tui.demo.forms import detail, not_found

_BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_NOT_FOUND = b"<!doctype html><html><head><title>Not Found</title></head><body><h1>Not Found</h1></body></html>"


class Throttle:
    """Allows `BURST` requests, then none for `QUIET` seconds; rejected requests do not make the pause longer."""

    BURST, QUIET = 8, 3.0

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._passed = 0
        self._open_at = 0.0

    def wait(self) -> int:
        """Whole seconds until a request is allowed; 0 if the present request is allowed."""
        left = self._open_at - self._monotonic()
        if left > 0:
            return ceil(left)
        if self._passed == self.BURST:
            self._passed, self._open_at = 0, self._monotonic() + self.QUIET
            return ceil(self.QUIET)
        self._passed += 1
        return 0


class FaultInjector:
    """ASGI middleware that delays answers or replaces them with errors, according to the names in `faults`."""

    def __init__(self, app: ASGIApp, faults: frozenset[str]) -> None:
        self._app, self._faults = app, faults
        self._throttle = Throttle()
        self._numbers = count(1)
        self._requests: Counter[tuple[str, str]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        number = next(self._numbers)
        path: str = scope["path"]
        # Counted per path: otherwise, if polls and lists alternate, only one of them would ever fail.
        self._requests[scope["method"], path] += 1
        odd = self._requests[scope["method"], path] % 2 == 1
        if "latency" in self._faults:
            await asyncio.sleep(0.3 + roll(number) % 1200 / 1000)
        if "429" in self._faults and (wait := self._throttle.wait()):
            refusal = detail(429, f"Request was throttled. Expected available in {wait} seconds.")
            refusal.headers["retry-after"] = str(wait)
            await refusal(scope, receive, send)
        elif "html-502" in self._faults and odd and path.startswith("/test_framework/"):
            await HTMLResponse(_BAD_GATEWAY, 502)(scope, receive, send)
        elif "500" in self._faults and odd and path.startswith("/test_framework/"):
            await detail(500, "Internal server error.")(scope, receive, send)
        elif "reset" in self._faults and odd and path.startswith("/test_framework/"):
            # uvicorn closes the connection, as the announced body is missing.
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
        elif "withdrawn" in self._faults and "/improve_prompt" in path:
            # Polls get HTML, as from a router in front of the API.
            polled = not path.rstrip("/").endswith(("_bg", "improve_prompt"))
            await (HTMLResponse(_NOT_FOUND, 404) if polled else not_found())(scope, receive, send)
        else:
            await self._app(scope, receive, send)
