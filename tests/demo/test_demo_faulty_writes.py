"""The embedded server where an agent's prompt is written, and where that goes wrong on purpose."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
from demo_client import served_by
from demo_faults import DRIFTED, faulty_server

V1, V2 = "/test_framework/v1/aiagents/1201/", "/test_framework/v2/aiagents/1201/"
TEXT = "  # Line \t\r\n\tBe kind.  \r\n\r\n"


def faulty(tmp_path: Path, *faults: str) -> AbstractContextManager[httpx.Client]:
    return served_by(faulty_server(tmp_path / "demo", *faults))


def prompt(client: httpx.Client, path: str = V1) -> str:
    return str(client.get(path).json()["description"])


@pytest.mark.parametrize("path", [V1, V2])
def test_write_403_refuses_and_stores_nothing(tmp_path: Path, path: str) -> None:
    with faulty(tmp_path, "write-403") as client:
        before = prompt(client)
        answer = client.patch(path, json={"description": TEXT})
        assert (answer.status_code, "permission" in answer.json()["detail"]) == (403, True)
        assert prompt(client) == before


@pytest.mark.parametrize(("fault", "stored"), [("write-half", True), ("write-lost", False)])
def test_a_write_that_breaks_off_has_stored_the_prompt_or_not(
    tmp_path: Path, fault: str, stored: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    with faulty(tmp_path, fault) as client:
        before = prompt(client)
        with pytest.raises(httpx.RemoteProtocolError):
            client.patch(V1, json={"description": TEXT})
        assert prompt(client) == (TEXT if stored else before)
    assert capfd.readouterr() == ("", "")


def test_write_trimmed_strips_white_space_in_a_json_object_alone(tmp_path: Path) -> None:
    with faulty(tmp_path, "write-trimmed") as client:
        answer = client.patch(V2, json={"description": TEXT})
        assert answer.json()["description"] == prompt(client) == "# Line\n\tBe kind."
        assert client.patch(V1, data={"description": "Be brief. "}).status_code == 200
        assert client.patch(V1, json=["no fields"]).status_code == 400
        assert client.patch(V1, content=b"{", headers={"content-type": "application/json"}).status_code == 400


def test_drift_adds_a_sentence_behind_the_first_reader_of_an_agent_and_no_other(tmp_path: Path) -> None:
    with faulty(tmp_path, "drift") as client:
        assert client.get(V1, headers={"X-CEKURA-API-KEY": "wrong"}).status_code == 403
        first, *later = (prompt(client, path) for path in (V1, V2, V1))
        assert DRIFTED not in first
        assert later == [f"{first.rstrip()}\n\n{DRIFTED}\n"] * 2
        client.patch(V1, json={"description": TEXT})
        assert prompt(client) == prompt(client) == TEXT
