"""Whatever the server tells of a run is in what a script gets."""

from __future__ import annotations

import json

from calling import call
from run_properties import PROPERTIES, RUN_ID, marked_run
from scripted_server import ScriptedServer, serve_runs


def strings_of(value: object) -> set[str]:
    """All names and values, nested ones too, as text."""
    if isinstance(value, dict):
        return set(value).union(*map(strings_of, value.values()))
    if isinstance(value, list):
        return set().union(*map(strings_of, value))
    return {value if isinstance(value, str) else json.dumps(value)}


def test_every_property_of_a_run_is_in_its_json(server: ScriptedServer) -> None:
    run, marks = marked_run()
    serve_runs(server, run)
    result = call("runs", "show", RUN_ID, "--json")
    shown = json.loads(result.out)
    assert result.status == 0
    assert {name: shown[name] for name in PROPERTIES} == run
    for name, expected in marks.items():
        found = strings_of({name: shown[name]})
        for mark in expected:
            words = mark.split(": ")[-1]
            assert any(words in text for text in found), (name, mark)


def test_an_unknown_property_is_in_its_json(server: ScriptedServer) -> None:
    run, _ = marked_run()
    serve_runs(server, run | {"brand_new": {"inside": ["<new>"]}})
    assert json.loads(call("runs", "show", RUN_ID, "--json").out)["brand_new"] == {"inside": ["<new>"]}
