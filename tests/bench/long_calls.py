"""Prepared answers with long runs, whose texts the bench recognises on screen. The first turn of run 7 contains
`opening7`, and the first verdict of run 7 is named `verdict7`. Every spoken turn begins with its number (`N00012`)."""

from __future__ import annotations

import json
import random
from itertools import accumulate
from typing import Any

from scripted_server import Got, Reply, ScriptedServer, run_of

RUNS = 60
"""Number of runs in the list."""
FIRST = 7001
PROJECT = 11
PATH = "/test_framework/v1/runs/"
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
    """A run with texts of 20 to 200 characters, a tool call in every eight turns, and reasons that cite turns."""
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
    """2,000 words and their cumulative weights; later words are rarer, about as in speech."""
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
    names = {"agent_name": "Clinic", "scenario_name": "A long call", "personality_name": "Patient"}
    return run_of(
        number,
        **names,
        **{"agent": 4, "scenario": 21, "personality": 3, "project": PROJECT, "success": False},
        duration=f"{int(seconds) // 60:02}:{int(seconds) % 60:02}",
        timestamp="2026-01-05T10:00:00Z",
        metadata={"ended_reason": "Main agent-ended-call"},
    )


def serve_list(server: ScriptedServer, rows: list[dict[str, Any]]) -> None:
    """Serve these runs on the first page of the list; further pages and lists of newer runs are empty."""
    bodies = ({"count": len(some), "next": None, "previous": None, "results": some} for some in (rows, []))
    pages = [json.dumps(body).encode() for body in bodies]

    def page(got: Got) -> Reply:
        return Reply(pages["created_at_from" in got.query or got.query.get("page", "1") != "1"])

    server.on("GET", PATH, page)


def serve_calls(server: ScriptedServer, turns: int, verdicts: int) -> None:
    """Serve a list of `RUNS` runs, each with this many turns and verdicts."""
    whole = json.dumps(long_run(turns, verdicts)).encode()
    numbers = range(FIRST + RUNS - 1, FIRST - 1, -1)

    def run(got: Got) -> Reply:
        number = got.path.removeprefix(PATH).strip("/").encode()
        return Reply(whole.replace(b'"id": 0', b'"id": ' + number, 1).replace(_PLACE.encode(), number))

    serve_list(server, [{**_row(number, 61.0), "metrics": []} for number in numbers])
    for number in numbers:
        server.on("GET", f"{PATH}{number}/", run)
