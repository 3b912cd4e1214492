"""What a run tells around its call: the recording, the provider's side, the caller's profile, and the mocked tools."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cekura_tui.demo.chance import Dice, roll
from cekura_tui.demo.dialogue import Turn
from cekura_tui.demo.facts import Facts, Kind
from cekura_tui.demo.library import Agent
from cekura_tui.demo.people import details_of
from cekura_tui.demo.query import call_id_of

Json = dict[str, Any]


def surroundings_of(seed: int, facts: Facts, agent: Agent, turns: Sequence[Turn]) -> Json:
    """The fields of a whole run that are neither words nor verdicts. Typed runs are not recorded, and some that were
    spoken have lost their recording."""
    over = bool(turns) and facts.fate.kind is not Kind.LIVE
    recorded = over and not facts.as_text and roll(seed, facts.id, 10) % 8 > 0
    call = call_id_of(facts.id)
    tools = list(_tool_entries(turns))
    return {
        "voice_recording_url": f"https://recordings.example.com/{facts.result_id}/{call}.wav" if recorded else None,
        "provider_call_details": _provider(seed, facts, agent, call, over) if turns else None,
        "test_profile_data": _profile(seed, facts) if roll(seed, facts.id, 11) % 3 else None,
        "generated_mock_tool_entries": tools,
        "mocked_tool_names": sorted({entry["tool_name"] for entry in tools}),
    }


def _provider(seed: int, facts: Facts, agent: Agent, call: str, over: bool) -> Json:
    dice = Dice(seed, facts.id + 700_000_000)
    told: Json = {
        "provider": agent.provider,
        "call": {"id": call, "assistant": f"asst_{agent.id}", "direction": "inbound"},
        "transport": {"kind": "websocket" if facts.as_text else "sip", "codec": None if facts.as_text else "PCMU/8000"},
    }
    if over:
        steps = {"transcriber": dice.below(180), "model": 300 + dice.below(600), "voice": 90 + dice.below(200)}
        told["latency_ms"] = steps | {"total": sum(steps.values())}
        told["cost"] = {"currency": "USD", "items": [{"of": name, "amount": ms / 20_000} for name, ms in steps.items()]}
    return told


def _profile(seed: int, facts: Facts) -> Json:
    """Who the simulated caller is, by the same dice that fill the script."""
    names = details_of(Dice(seed, facts.id))
    return {
        "id": 3000 + facts.id % 1000,
        "name": names["caller"],
        "information": {
            "date_of_birth": names["dob"],
            "phone": names["phone"],
            "address": {"street": names["street"], "city": names["city"]},
            "on_file": {"code": names["code"], "card_ends_in": names["card"], "notes": []},
        },
    }


def _tool_entries(turns: Sequence[Turn]) -> list[Json]:
    """What the mocked tools were given, and what they gave back."""
    entries: list[Json] = []
    for turn in turns:
        if turn.who == "T":
            name, _, arguments = turn.text.partition(" ")
            entries.append({"tool_name": name, "information": [{"input": _read(arguments), "output": None}]})
        elif turn.who == "R" and entries:
            entries[-1]["information"][0]["output"] = _read(turn.text)
    return entries


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
