"""A real HTTP server on the loopback that gives the answers a test scripts, correct or broken."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import struct
import sys
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

LAUNCH = "/test_framework/v1/runs/improve_prompt_bg/"
PROGRESS = "/test_framework/v1/runs/improve_prompt_progress/"
HTML_502 = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


@dataclass(frozen=True)
class Got:
    """A request that the server received."""

    method: str
    path: str
    query: dict[str, str]
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """An answer; a `body` that is not bytes is sent as JSON. An empty header is left out, even a default one."""

    body: object = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def bytes(self) -> tuple[bytes, str]:
        if isinstance(self.body, bytes):
            return self.body, "text/html" if self.body[:1] == b"<" else "application/json"
        return json.dumps(self.body).encode(), "application/json"


class Reset:
    """A script that resets the connection instead of answering."""


class Hold:
    """A script that sends its answer when the test sets `released`; `arrived` is set when the request comes in."""

    def __init__(self, reply: Reply | Reset) -> None:
        self.reply = reply
        self.arrived, self.released = threading.Event(), threading.Event()


Script = Reply | Reset | Hold | Callable[[Got], Reply | Reset]


class ScriptedServer:
    """A server with a queue of answers for each method and path; the last answer of a queue is repeated."""

    def __init__(self) -> None:
        self.seen: list[Got] = []
        self._scripts: dict[tuple[str, str], deque[Script]] = defaultdict(deque)
        self._holds: list[Hold] = []
        self._http = _Listener(("127.0.0.1", 0), _handler_of(self))
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> ScriptedServer:
        self._listen()
        return self

    def _listen(self) -> None:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def __exit__(self, *_: object) -> None:
        for hold in self._holds:
            hold.released.set()
        self._http.shutdown()
        self._http.server_close()

    @contextlib.contextmanager
    def overloaded(self) -> Iterator[None]:
        """Let new connections hang, as on an overloaded host; open connections keep working (Linux only)."""
        self._http.shutdown()
        self._http.socket.listen(0)
        with contextlib.ExitStack() as queue:
            while True:
                one = queue.enter_context(socket.socket())
                one.setblocking(False)
                one.connect_ex(self._http.server_address)
                if not select.select([], [one], [], 0.1)[1]:
                    break  # the queue is full
            yield
        self._http.socket.listen(self._http.request_queue_size)
        self._listen()

    def on(self, method: str, path: str, *scripts: Script) -> None:
        """Set the answers to requests for a path, in order."""
        self._scripts[method, path] = deque(scripts)
        self._holds += [script for script in scripts if isinstance(script, Hold)]

    def requests(self, method: str = "", path: str = "") -> list[Got]:
        """Received requests with this method and path; "" matches any."""
        return [got for got in list(self.seen) if method in ("", got.method) and path in ("", got.path)]

    def _script_for(self, got: Got) -> Script:
        scripts = self._scripts.get((got.method, got.path))
        if not scripts:
            return Reply({"detail": "Not found."}, 404)
        return scripts.popleft() if len(scripts) > 1 else scripts[0]

    def answer(self, got: Got) -> Reply | Reset:
        self.seen.append(got)
        script = self._script_for(got)
        if isinstance(script, Hold):
            script.arrived.set()
            script.released.wait(30)
            return script.reply
        return script if isinstance(script, Reply | Reset) else script(got)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore connection errors, because tests kill clients."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # declared more narrowly than it is


def _handler_of(server: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if len(body) < length:  # the client died while sending; no server acts on half a request
                self.close_connection = True
                return
            got = Got(self.command, parts.path, dict(parse_qsl(parts.query)), self.headers, body)
            reply = server.answer(got)
            if isinstance(reply, Reset):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            raw, kind = reply.bytes()
            # If the script sets a Date header, do not send the real one as well.
            (self.send_response_only if "Date" in reply.headers else self.send_response)(reply.status)
            headers = {"Content-Type": kind, "Content-Length": str(len(raw)), **reply.headers}
            for name, value in headers.items():
                if value:
                    self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(raw)
            except OSError:
                self.close_connection = True

        do_GET = do_POST = do_PATCH = do_OPTIONS = do_CONNECT = _serve

        def log_message(self, *_: object) -> None:
            pass

        def finish(self) -> None:
            with contextlib.suppress(OSError, ValueError):
                super().finish()

    return Handler


def list_page(got: Got, rows: Sequence[object], *, most: int = 1_000, **headers: str) -> Reply:
    """The page of `rows` that a request asks for, as an API list; a page has at most `most` rows."""
    size, number = min(int(got.query["page_size"]), most), int(got.query["page"])
    found = rows[size * (number - 1) : size * number]
    more = "elsewhere" if size * number < len(rows) else None
    return Reply({"count": len(rows), "next": more, "previous": None, "results": found}, headers=headers)


def run_of(number: int, agent: int = 7, **fields: object) -> dict[str, object]:
    """A failed run as the API sends it, with the fields that the launch of a job needs."""
    return {
        "id": number,
        "agent": agent,
        "agent_name": f"Agent {agent}",
        "status": "completed",
        "evaluation_status": "failure",
        "scenario_name": "Books a table",
        **fields,
    }


def serve_runs(server: ScriptedServer, *runs: dict[str, object]) -> None:
    """Serve each run at its own path."""
    for run in runs:
        server.on("GET", f"/test_framework/v1/runs/{run['id']}/", Reply(run))


def serve_job(server: ScriptedServer, *polls: Script) -> None:
    """Accept every launch with progress id "p", and give these answers to the polls."""
    server.on("POST", LAUNCH, Reply({"progress_id": "p"}))
    server.on("GET", PROGRESS, *polls)


_taken: list[socket.socket] = []


def closed_port() -> int:
    """A port that refuses connections. The port stays bound, so that no other process can listen on it."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    _taken.append(taken)
    return int(taken.getsockname()[1])
