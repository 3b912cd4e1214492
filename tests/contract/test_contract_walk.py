"""Every operation that the program needs is served, or refused with a sentence. Filters work or are refused by name,
and errors have the declared shape. `pytest -n 0 -s` on this file shows the table."""

from __future__ import annotations

import sys

import httpx
from contract_walk import NOT_SERVED, Walk, operations


def test_each_operation_is_served_or_refused_and_no_filter_is_ignored(client: httpx.Client) -> None:
    walked = Walk(client).walk()
    lines = [f"\n{'operation':72} {'served':42} {'filters':23} errors", *map(str, walked)]
    sys.stdout.write("\n".join([*lines, ""]))
    assert {f"{one.method} {one.path}": one.wrong for one in walked if one.wrong} == {}
    assert len(walked) == 38


def test_operations_that_the_program_never_calls_are_not_served(client: httpx.Client) -> None:
    for method, path, _ in operations():
        if NOT_SERVED.search(path):
            answer = client.request(method, path.replace("{id}", "1"))
            assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
