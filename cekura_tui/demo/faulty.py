"""The embedded server misbehaving where an agent's prompt is written, around the real one.

The embedded server misbehaving on purpose, around the real one.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from math import ceil
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cekura_tui.demo.facts import roll
from cekura_tui.demo.forms import detail

DRIFTED = "Tell callers at the start that the line may be recorded."
"""What somebody else adds to a prompt."""
_AGENT = re.compile(r"/test_framework/v[12]/aiagents(?:-external)?/(\d+)/?")
_LINE_ENDS = re.compile(r"[ \t\r]+(?=\n)")


class FaultyWrites:
    """Passes requests on; what is asked of one agent goes wrong as the named faults want it."""

    def __init__(self, app: ASGIApp, faults: frozenset[str]) -> None:
        self._app = app
        self._faults = faults
        self._drifted: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        agent = _AGENT.fullmatch(scope["path"])
        if agent and scope["method"] == "PATCH":
            await self._write(scope, receive, send)
        elif agent and scope["method"] == "GET" and "drift" in self._faults and agent[1] not in self._drifted:
            await self._drift(agent[1], scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _write(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "write-403" in self._faults:
            refusal = detail(403, "You do not have permission to perform this action.")
            await refusal(scope, receive, send)
        elif "write-half" in self._faults:
            await self._answers(scope, await _body(receive))
            await _break_off(send)
        elif "write-lost" in self._faults:
            await _body(receive)
            await _break_off(send)
        elif "write-trimmed" in self._faults:
            body = await _body(receive)
            if (fields := _fields(body)) is None:
                await self._app(scope, _brings(body), send)
                return
            trimmed = {name: _LINE_ENDS.sub("", text.strip()) for name, text in fields.items() if isinstance(text, str)}
            await self._pass_on(scope, fields | trimmed, send)
        else:
            await self._app(scope, receive, send)

    async def _drift(self, agent: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the agent as it is; when the answer is there, its prompt is another. This happens once."""
        answer = await self._answers(scope, await _body(receive))
        if answer[0]["status"] == 200:
            self._drifted.add(agent)
            prompt = json.loads(answer[1]["body"])["description"]
            written = f"{prompt.rstrip()}\n\n{DRIFTED}\n"
            await self._pass_on({**scope, "method": "PATCH"}, {"description": written}, _nowhere)
        for message in answer:
            await send(message)

    async def _answers(self, scope: Scope, body: bytes) -> list[Message]:
        """What the real server answers, not sent."""
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self._app(scope, _brings(body), keep)
        return answer

    async def _pass_on(self, scope: Scope, fields: dict[str, Any], send: Send) -> None:
        """Pass a request on with other fields."""
        body = json.dumps(fields).encode()
        headers = [one for one in scope["headers"] if one[0] not in (b"content-type", b"content-length")]
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await self._app({**scope, "headers": headers}, _brings(body), send)


def _fields(body: bytes) -> dict[str, Any] | None:
    """The fields of a JSON object; None for anything else, which the real server has its own words for."""
    try:
        fields = json.loads(body)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _brings(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _nowhere(message: Message) -> None:
    del message


async def _break_off(send: Send) -> None:
    """Begin an answer; the server closes the connection of one that is never finished."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})


_BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_NOT_FOUND = b"<!doctype html><html><head><title>Not Found</title></head><body><h1>Not Found</h1></body></html>"


class Throttle:
    """Lets `BURST` requests pass, then none for `QUIET` seconds; asking meanwhile makes it no longer."""

    BURST, QUIET = 8, 3.0

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._passed = 0
        self._again_at = 0.0

    def wait(self) -> int:
        """Whole seconds after which to ask again; 0 lets the request pass."""
        left = self._again_at - self._monotonic()
        if left > 0:
            return ceil(left)
        if self._passed == self.BURST:
            self._passed, self._again_at = 0, self._monotonic() + self.QUIET
            return ceil(self.QUIET)
        self._passed += 1
        return 0


class Faulty:
    """Passes requests on, except for those that a named fault wants to go wrong."""

    def __init__(self, app: ASGIApp, faults: frozenset[str]) -> None:
        self._app = FaultyWrites(app, faults)
        self._faults = faults
        self._throttle = Throttle()
        self._numbers = count(1)
        self._asked: Counter[tuple[str, str]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        number = next(self._numbers)
        path: str = scope["path"]
        # Counted path by path: polls and lists that take turns would otherwise always meet the same fate.
        self._asked[scope["method"], path] += 1
        odd = self._asked[scope["method"], path] % 2 == 1
        if "latency" in self._faults:
            await asyncio.sleep(0.3 + roll(7, number) % 1200 / 1000)
        if "429" in self._faults and (wait := self._throttle.wait()):
            told = {"detail": f"Request was throttled. Expected available in {wait} seconds."}
            await _answer(send, 429, b"application/json", json.dumps(told).encode(), (b"retry-after", b"%d" % wait))
        elif "html-502" in self._faults and odd and path.startswith("/test_framework/"):
            await _answer(send, 502, b"text/html", _BAD_GATEWAY)
        elif "withdrawn" in self._faults and "/improve_prompt" in path:
            # A router in front of the service answers in HTML where the service itself would answer in JSON.
            if path.rstrip("/").endswith(("_bg", "improve_prompt")):
                await _answer(send, 404, b"application/json", json.dumps({"detail": "Not found."}).encode())
            else:
                await _answer(send, 404, b"text/html", _NOT_FOUND)
        else:
            await self._app(scope, receive, send)


async def _answer(send: Send, status: int, kind: bytes, body: bytes, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
