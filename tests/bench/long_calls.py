"""A server of prepared answers: runs of one length, any number of them, as fast as bytes can be sent.

    python tests/bench/long_calls.py TURNS VERDICTS

Prints its address and the bytes of a run, then a line for each run that is read whole. The first turn of run 7 has the
word `opening7`, the verdict above all others is named `verdict7`; every spoken turn begins with its number (`N00012`).
"""

from __future__ import annotations

import json
import random
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate
from typing import Any
from urllib.parse import parse_qsl, urlsplit

RUNS = 60
"""Runs in the list, the newest first."""
FIRST = 7001
PROJECT = 11
_PATH = "/test_framework/v1/runs/"
_PLACE = "@RUN@"
_WORDS = """
the a your my our appointment Tuesday Thursday morning afternoon number please thank sorry moment check could
would like move cancel confirm address date birth insurance plan doctor clinic nurse line wait again repeat
spell name last first order refund item delivery arrived broken invoice account card ending transfer person
office open until nine half past twelve would that be alright yes no perhaps certainly of course let me look
into it now because it was late and nobody called back with an answer
"""
_TOOLS = ("find_appointment", "lookup_customer", "create_refund", "send_confirmation", "transfer_call")


def long_run(turns: int, verdicts: int) -> dict[str, Any]:
    """A whole run: texts of 20 to 200 characters, a call of a tool and its result in every eight turns, explanations
    that quote the turns or name a time."""
    chance = random.Random(5)
    words, shares = _vocabulary(chance)
    entries: list[dict[str, Any]] = []
    at = 0.5
    for n in range(1, turns + 1):
        kind = n % 8
        if kind in (4, 5):
            name = _TOOLS[n // 8 % len(_TOOLS)]
            reason = " ".join(chance.choices(words, cum_weights=shares, k=4))
            value = {"customer": f"C-{n // 8:05}", "reason": reason, "limit": n % 7}
            entry: dict[str, Any] = {"role": "Function Call" if kind == 4 else "Function Call Result", "content": ""}
            payload = {"arguments": json.dumps(value)} if kind == 4 else {"result": {"ok": True, "found": value}}
            entry["data"] = {"id": f"call_{n - kind}", "name": name, **payload}
            length = 0.3
        else:
            size, text = chance.randint(20, 200), f"N{n:05}"
            if n == 1:
                text += f" opening{_PLACE}"
            while len(text) < size:
                text += " " + " ".join(chance.choices(words, cum_weights=shares, k=4))
            entry = {"role": "Testing Agent" if kind % 2 else "Main Agent", "content": f"{text}."}
            length = len(text) / 15
        entry |= {"start_time": round(at, 2), "end_time": round(at + length, 2)}
        entry["time"] = f"{int(at) // 60:02}:{int(at) % 60:02}"
        entries.append(entry)
        at += length + chance.choice((0.1, 0.4, 0.8, 2.6))
    spoken = [entry for entry in entries if entry["content"]]
    metrics = [_metric(n, chance.choice(spoken), chance) for n in range(verdicts)]
    quotes = (" ".join(entry["content"].split()[1:9]).rstrip(".") for entry in spoken[1 :: max(1, len(spoken) // 5)])
    metrics[0] |= {"name": f"verdict{_PLACE}", "explanation": [f'The main agent says "{quote}".' for quote in quotes]}
    return {
        **_row(0, at),
        "transcript_object": entries,
        "evaluation": {"metrics": metrics},
        "expected_outcome": {"score": 40, "explanation": ["❌ The caller was never called back."]},
        "critical_categories": [],
    }


def _vocabulary(chance: random.Random) -> tuple[list[str], list[float]]:
    """2,000 words, of which the later ones are rarer, about as in speech."""
    words, parts = _WORDS.split(), ("ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "ler", "tan", "per", "ment")
    words += ["".join(chance.choices(parts, k=chance.randint(2, 4))) for _ in range(2_000 - len(words))]
    return words, list(accumulate(1 / (place + 3) for place in range(len(words))))


def _metric(n: int, turn: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    spoken = turn["content"].split()
    begin = chance.randrange(max(1, len(spoken) - 8))
    quote, bad = " ".join(spoken[begin : begin + 8]).rstrip("."), n % 3 == 0
    reason = (
        f'At {turn["time"]} the main agent says "{quote}", which the caller had not asked for.',
        f"The agent went on without an answer around {turn['time']}, although the caller was still speaking.",
        f'The caller is told "{quote}" and accepts it; nothing else in the call speaks against it.',
    )[n % 3 if n else 0]
    return {
        "id": 100 + n,
        "name": f"Rule {n} of the clinic is followed",
        "type": "binary_workflow_adherence",
        "score": 0 if bad else 5,
        "passed": not bad,
        "explanation": [reason],
    }


def _row(number: int, seconds: float) -> dict[str, Any]:
    return {
        "id": number,
        "scenario": 21,
        "scenario_name": "A long call",
        "personality": 3,
        "personality_name": "Patient",
        "agent": 4,
        "agent_name": "Clinic",
        "duration": f"{int(seconds) // 60:02}:{int(seconds) % 60:02}",
        "status": "completed",
        "evaluation_status": "failure",
        "timestamp": "2026-01-05T10:00:00Z",
        "success": False,
        "project": PROJECT,
        "metadata": {"ended_reason": "Main agent-ended-call"},
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    whole: bytes
    listed: list[dict[str, Any]]

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query))
        number = url.path.removeprefix(_PATH).strip("/")
        if url.path == _PATH:
            newer = "created_at_from" in query
            rows = [] if newer or query.get("page", "1") != "1" else self.listed
            listing = {"count": len(rows), "next": None, "previous": None, "results": rows}
            self._answer(200, json.dumps(listing).encode())
        elif url.path.startswith(_PATH) and number.isdecimal():
            whole = self.whole.replace(b'"id": 0', f'"id": {number}'.encode(), 1).replace(
                _PLACE.encode(), number.encode()
            )
            self._answer(200, whole)
            print(number, flush=True)
        else:
            self._answer(404, b'{"detail": "Not found."}')

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until killed."""
    turns, verdicts = map(int, sys.argv[1:])
    _Handler.whole = json.dumps(long_run(turns, verdicts)).encode()
    _Handler.listed = [{**_row(FIRST + RUNS - 1 - n, 61.0), "metrics": []} for n in range(RUNS)]
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_address[1]}", len(_Handler.whole), flush=True)
    server.serve_forever(poll_interval=0.5)


if __name__ == "__main__":
    main()
