"""Faults of the demo server that only tests use: launches without a progress id, odd poll answers, failed writes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cekura_tui.demo import FAULTS
from cekura_tui.demo.forms import detail
from cekura_tui.demo.server import DemoOptions, DemoServer

DRIFTED = "Tell callers at the start that the line may be recorded."
"""Text that the fault "drift" appends to a prompt, as another user would."""
_AGENT = re.compile(r"/test_framework/v[12]/aiagents(?:-external)?/(\d+)/?")
_LINE_ENDS = re.compile(r"[ \t\r]+(?=\n)")


class FaultyWrites:
    """ASGI middleware that breaks requests for a single agent in the way that `fault` names."""

    def __init__(self, app: ASGIApp, fault: str) -> None:
        self._app, self._fault = app, fault
        self._drifted: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        agent = _AGENT.fullmatch(scope["path"])
        if agent and scope["method"] == "PATCH":
            await self._write(scope, receive, send)
        elif agent and scope["method"] == "GET" and self._fault == "drift" and agent[1] not in self._drifted:
            await self._drift(agent[1], scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _write(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._fault == "write-403":
            refusal = detail(403, "You do not have permission to perform this action.")
            await refusal(scope, receive, send)
        elif self._fault == "write-half":
            await answer_of(self._app, scope, await body_of(receive))
            await break_off(send)
        elif self._fault == "write-lost":
            await body_of(receive)
            await break_off(send)
        elif self._fault == "write-trimmed":
            body = await body_of(receive)
            if (fields := _fields(body)) is None:
                await self._app(scope, _receiver_of(body), send)
                return
            trimmed = {name: _LINE_ENDS.sub("", text.strip()) for name, text in fields.items() if isinstance(text, str)}
            await self._pass_on(scope, fields | trimmed, send)
        else:
            await self._app(scope, receive, send)

    async def _drift(self, agent: str, scope: Scope, receive: Receive, send: Send) -> None:
        """After the first successful read of an agent, change its prompt before answering, so that the answer
        is stale."""
        answer = await answer_of(self._app, scope, await body_of(receive))
        if answer[0]["status"] == 200:
            self._drifted.add(agent)
            prompt = json.loads(answer[1]["body"])["description"]
            written = f"{prompt.rstrip()}\n\n{DRIFTED}\n"
            await self._pass_on({**scope, "method": "PATCH"}, {"description": written}, _discard)
        for message in answer:
            await send(message)

    async def _pass_on(self, scope: Scope, fields: dict[str, Any], send: Send) -> None:
        """Forward a request with `fields` as its JSON body."""
        body = json.dumps(fields).encode()
        headers = [one for one in scope["headers"] if one[0] not in (b"content-type", b"content-length")]
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await self._app({**scope, "headers": headers}, _receiver_of(body), send)


async def answer_of(app: ASGIApp, scope: Scope, body: bytes) -> list[Message]:
    """The ASGI messages that the wrapped app sends as its answer."""
    answer: list[Message] = []

    async def keep(message: Message) -> None:
        answer.append(message)

    await app(scope, _receiver_of(body), keep)
    return answer


def _fields(body: bytes) -> dict[str, Any] | None:
    """Fields of a JSON object; None for any other body, which the server itself rejects."""
    try:
        fields = json.loads(body)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


async def body_of(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _receiver_of(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _discard(message: Message) -> None:
    del message


async def break_off(send: Send) -> None:
    """Start an answer and never finish it, so that the server closes the connection."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})


class WithoutProgressId:
    """ASGI middleware that answers a launch with the first launched run instead of a `progress_id`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].rstrip("/").endswith("/improve_prompt_bg"):
            await self._app(scope, receive, send)
            return
        run_id = json.loads(await body_of(receive))["run_ids"][0]
        path = f"/test_framework/v1/runs/{run_id}/"
        await self._app({**scope, "method": "GET", "path": path, "raw_path": path.encode()}, _receiver_of(b""), send)


_RUNNING = {"status": "in_progress", "output": None, "error": None}
ODD_PROGRESS: dict[str, tuple[dict[str, Any], ...]] = {
    "no-error": ({**_RUNNING, "error": {"code": 0}}, {**_RUNNING, "error": 0}),
    "failure-retracted": ({"status": "failed", "output": None, "error": "The worker was lost."},),
}
"""The fields to replace in the first answer about a job, in the second answer, and so on, for each fault."""


class OddProgress:
    """ASGI middleware that overrides fields in the answers to the first polls, as `ODD_PROGRESS` says."""

    def __init__(self, app: ASGIApp, fault: str) -> None:
        self._app = app
        self._odd = list(ODD_PROGRESS[fault])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._odd or not scope["path"].rstrip("/").endswith("/improve_prompt_progress"):
            await self._app(scope, receive, send)
            return
        answer = await answer_of(self._app, scope, await body_of(receive))
        body = json.loads(answer[1]["body"]) | self._odd.pop(0)
        await JSONResponse(body)(scope, receive, send)


def faulty_server(directory: Path, *faults: str, log: Any = None, **options: Any) -> DemoServer:
    """A demo server with these faults: any number of the demo's own `FAULTS`, and at most one fault of this module."""
    ours = [fault for fault in faults if fault not in FAULTS]
    assert len(ours) < 2, ours

    def misbehave(app: ASGIApp) -> ASGIApp:
        if ours[0] in ODD_PROGRESS:
            return OddProgress(app, ours[0])
        return WithoutProgressId(app) if ours == ["no-progress-id"] else FaultyWrites(app, *ours)

    own = frozenset(faults) & frozenset(FAULTS)
    demo = DemoOptions(faults=own, **options)
    return DemoServer(directory, demo, middleware=misbehave if ours else None, log=log)
