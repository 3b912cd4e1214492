"""A demo server on a fast clock that fails on command: `python -m tests.bench.troubled_server BEGAN DIRECTORY`.

It prints its URL and key. Each line of standard input names the trouble from then on, and is printed once it has begun.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from pathlib import Path

from tests.bench.fast_app import speed_up

TROUBLES = ("lost", "500", "stall", "garbage", "429", "502", "broken off")
"""`lost`: no server listens. `stall`: no answer comes. `garbage`: answers are damaged. Any other name is no trouble."""


def main() -> None:
    """Serve until standard input ends."""
    speed_up(float(sys.argv[1]))
    from demo_faults import answer_of, body_of, break_off
    from hostile_server import mutated
    from scripted_server import HTML_502, Reply
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from cekura_tui.demo.server import DemoServer

    trouble, chance = "", random.Random(0)
    refusals = {"500": Reply({"detail": "Internal server error."}, 500), "502": Reply(HTML_502, 502)}
    refusals |= {"429": Reply({"detail": "Busy."}, 429, {"Retry-After": "20"}), "stall": refusals["500"]}

    def troubled(app: ASGIApp) -> ASGIApp:
        async def answered(scope: Scope, receive: Receive, send: Send) -> None:
            if trouble == "stall":
                await asyncio.sleep(3_600)  # the client gives up before
            if trouble == "broken off":
                return await break_off(send)
            if trouble == "garbage":
                damaged = mutated(json.loads((await answer_of(app, scope, await body_of(receive)))[1]["body"]), chance)
                reply = Reply(damaged.body, 200, damaged.headers)  # a 403 would ask for another key
            elif trouble in refusals:
                reply = refusals[trouble]
            else:
                return await app(scope, receive, send)
            raw, kind = reply.bytes()
            await Response(raw, reply.status, {"Content-Type": kind, **reply.headers})(scope, receive, send)

        return answered

    server = DemoServer(Path(sys.argv[2]), middleware=troubled)
    server.start()
    port = int(server.url.rpartition(":")[2])
    print(server.url, server.key, flush=True)
    for line in sys.stdin:
        former, trouble = trouble, line.strip()
        if trouble == "lost":
            server.stop()
        elif former == "lost":
            server = DemoServer(Path(sys.argv[2]), port=port, middleware=troubled)
            server.start()
        print(trouble, flush=True)


if __name__ == "__main__":
    main()
