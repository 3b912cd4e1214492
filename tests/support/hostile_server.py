"""Answers crafted to consume memory or time, and a table of the client's API operations."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from scripted_server import LAUNCH, PROGRESS, Reply, ScriptedServer, run_of

from cekura_tui.api.client import Client
from cekura_tui.model.improve_prompt import IMPROVE_PROMPT
from cekura_tui.model.job import Draft
from cekura_tui.model.text import Prompt

MB = 2**20
KEY = "sk-live-0123456789abcdefghij"
RUN, RUNS, BULK = (f"/test_framework/v1/runs/{rest}" for rest in ("5/", "", "bulk/"))
AGENT, AGENTS = "/test_framework/v1/aiagents/7/", "/test_framework/v1/aiagents/"
_AGENT = {"id": 7, "agent_name": "Desk", "description": "Be kind.\r\n"}
_METRIC = {"id": 1, "name": "Polite", "score": 0, "explanation": ["It hung up at [00:02]."]}
_TURNS = [{"role": "Main Agent", "content": "Hello, é ✅ 🙂.", "start_time": 0.5, "end_time": 2.0, "time": "00:00"}]
_RUN = run_of(5, evaluation={"metrics": [_METRIC]}, transcript_object=_TURNS, duration="00:10")
_JOB = {"status": "completed", "output": {"improved_prompt": "Be kinder.", "summary_of_changes": "One word."}}

OPERATIONS: dict[str, tuple[str, str, object, Callable[[Client], Awaitable[object]]]] = {
    "projects": ("GET", "/user/v1/projects/", [{"id": 1, "name": "Clinic"}], Client.projects),
    "agents": ("GET", AGENTS, {"count": 1, "results": [_AGENT]}, lambda client: client.agents(1)),
    "agent": ("GET", AGENT, _AGENT, lambda client: client.agent(7)),
    "agent's prompt": ("PATCH", AGENT, _AGENT, lambda client: client.write_agent_prompt(7, Prompt("Be kind."))),
    "list": ("GET", RUNS, {"count": 1, "next": None, "results": [_RUN]}, lambda client: client.runs({"project_id": 1})),
    "run": ("GET", RUN, _RUN, lambda client: client.run(5)),
    "several runs": ("GET", BULK, [_RUN], lambda client: client.runs_by_id([5])),
    "launch": ("POST", LAUNCH, {"progress_id": "p"}, lambda client: client.launch(Draft((5,), Prompt("Be kind."), 7))),
    "poll": ("GET", PROGRESS, _JOB, lambda client: client.progress(IMPROVE_PROMPT, "p")),
    "issues": (
        "POST",
        "/test_framework/v1/runs/improve_prompt_issues/",
        {"issues": [{"title": "Rude", "run_id": 5}]},
        lambda client: client.issues([5], 7),
    ),
}
"""The client's API operations by name: HTTP method, path, a valid answer, and a function that calls the client."""


async def no_sleep(_: float) -> None:
    """A `sleep` that returns immediately."""


def client_of(server: ScriptedServer) -> Client:
    return Client(server.url, KEY, loopback=True, sleep=no_sleep)


async def ask(server: ScriptedServer, operation: str, reply: Reply) -> Any:
    """Answer an operation with this reply, call the operation, and return the client's result."""
    method, path, _, call = OPERATIONS[operation]
    server.on(method, path, reply)
    client = client_of(server)
    try:
        return await call(client)
    finally:
        await client.aclose()


def compressed(body: bytes, coding: str = "gzip") -> Reply:
    return Reply(body, 200, {"Content-Encoding": coding})


@cache
def bomb(size: int) -> bytes:
    """A gzip body that expands to `size` bytes (whole megabytes); the expanded bytes are never held in memory."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return b"".join([*(packer.compress(b" " * MB) for _ in range(size // MB)), packer.flush()])


def filled(head: bytes, item: bytes, tail: bytes, size: int) -> bytes:
    """JSON of about `size` bytes that repeats `item` between `head` and `tail`."""
    return head + b",".join([item] * (size // (len(item) + 1))) + tail


def long_run(turns: int) -> dict[str, object]:
    """A run with this many turns of about 300 characters each."""
    said = "Thank you, I can help you with that: what day would suit you, and do you prefer the morning? " * 3
    roles = ("Testing Agent", "Main Agent")
    return run_of(
        5,
        transcript_object=[
            {
                "role": roles[n % 2],
                "content": f"{n}. {said}",
                "start_time": n * 2.5,
                "end_time": n * 2.5 + 2,
                "time": "",
            }
            for n in range(turns)
        ],
    )


_PIECES = (
    b'"', b"\\", b"\\u", b"\\ud800", b"\\udc00", b"\0", b"\xff", b"\xed\xa0\x80", b"\x1b[2J", b"\xe2\x80\xae", b"1e999",
    b"-", b"NaN", b"null", b"true", b"[]", b"{}", b"[" * 900, b"]" * 900, b'{"":' * 400, b"9" * 5_000, b",", b":",
    KEY.encode(), b'"id":', b'"results":', b'"results":{}', b'"status":[]', b'"id":-1', b'"id":"5"', b'"id":1e400',
    b'"transcript_object":"[[[["', b'"evaluation":[0]', b'"explanation":{}', b"\xef\xbb\xbf", b"\r\n", b" " * 10_000,
)  # fmt: skip


def mutated(body: object, chance: random.Random) -> Reply:
    """A reply with the JSON of `body` corrupted in one to five places. Some replies have another status than 200, a
    wrong `Content-Encoding`, or an incomplete gzip body."""
    raw = bytearray(json.dumps(body, ensure_ascii=chance.random() < 0.5).encode())
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(raw) + 1)
        match chance.randrange(5):
            case 0:
                raw[at : at + chance.randint(1, 20)] = b""
            case 1:
                raw[at:at] = chance.choice(_PIECES)
            case 2:
                raw[at : at + 1] = bytes([chance.randrange(256)])
            case 3:
                raw[at:at] = raw[: chance.randrange(len(raw) + 1)]
            case _:
                # Replace a whole value.
                colon = raw.find(b":", at)
                end = min((found for mark in b",}]" if (found := raw.find(mark, colon)) >= 0), default=len(raw))
                raw[colon + 1 : end] = chance.choice(_PIECES)
    status = chance.choice([200] * 8 + [201, 204, 400, 403, 404, 429, 500])
    coding = chance.choice([""] * 6 + ["gzip", "gzip", "cut", "br", "gzip, gzip", "identity"])
    sent = gzip.compress(bytes(raw), 1, mtime=0) if coding in ("gzip", "cut") else bytes(raw)
    if coding == "cut":
        return compressed(sent[: chance.randrange(len(sent))])
    return Reply(sent, status, {"Content-Encoding": coding} if coding else {})
