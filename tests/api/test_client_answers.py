"""Unexpected answers become errors with a clear message, and never crashes."""

from __future__ import annotations

import json
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_answers import changed
from scripted_server import LAUNCH, PROGRESS, Hold, Reply, Reset, ScriptedServer, closed_port

from cekura_tui.api.answers import ApiResponse, lost_connection, no_connection, refusal
from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError, NoApiKey, NotConnected, NotOffered, ServerFault, Unreachable
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.job import Draft
from cekura_tui.model.job_kind import ApiRequest
from cekura_tui.model.text import Prompt

RUN = "/test_framework/v1/runs/5/"
RUNS = "/test_framework/v1/runs/"
DRAFT = Draft((5,), Prompt("Be kind."), 7)


def test_short_answers_give_the_recorded_results() -> None:
    assert changed("api/short_answers.txt") == ""


def test_the_error_about_a_missing_key_is_permanent_and_means_nothing_was_accepted() -> None:
    assert (NoApiKey("No key.").is_transient, NoApiKey("No key.").not_accepted) == (False, True)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is empty"),
        *((body, "is not JSON") for body in (b"<html>login</html>", b'{"id": 5', b"\xff\xfe\xfa", b"[" * 100_000)),
        *((body, "is not JSON") for body in (b'{"a":' * 100_000, b'{"id": ' + b"9" * 5000 + b"}")),
        (b"[" * 900 + b"]" * 900, "is not JSON|nested too deeply|is not a run"),
        *((json.dumps(body).encode(), "run") for body in (None, 5, "text", [], {}, {"results": []}, {"id": "x"})),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else "",
)
async def test_an_answer_that_is_not_a_run_is_reported(
    scripted: ScriptedServer, client: Client, body: bytes, said: str
) -> None:
    scripted.on("GET", RUN, Reply(body))
    with pytest.raises(CekuraTuiError, match=said):
        await client.run(5)


@pytest.mark.parametrize("status", [404, 405, 410])
async def test_a_launch_is_reported_as_unsupported_if_the_server_does_not_know_its_path(
    scripted: ScriptedServer, client: Client, status: int
) -> None:
    scripted.on("POST", LAUNCH, Reply({"detail": "Not found."}, status))
    with pytest.raises(NotOffered, match="does not support improve-prompt jobs"):
        await client.launch(DRAFT)


async def test_an_unreachable_server_is_named_with_the_reason() -> None:
    port = closed_port()
    client = Client(f"http://127.0.0.1:{port}", "key", loopback=True)
    with pytest.raises(NotConnected) as caught:
        await client.launch(DRAFT)
    assert caught.value.message == f"Can't reach 127.0.0.1:{port}: connection refused."
    await client.aclose()


@pytest.mark.parametrize(
    "reply", [Reset(), Reply(b'{"progress_id": "p"}', 200, {"Content-Length": "500", "Connection": "close"})]
)
async def test_a_lost_connection_is_not_mistaken_for_a_connection_that_was_never_made(
    scripted: ScriptedServer, client: Client, reply: Reply | Reset
) -> None:
    scripted.on("POST", LAUNCH, reply)
    with pytest.raises(Unreachable, match=r"Lost the connection to .* before the answer came") as caught:
        await client.launch(DRAFT)
    assert not isinstance(caught.value, NotConnected)


def test_the_error_about_a_lost_connection_gives_the_tls_error() -> None:
    error = ssl.SSLError(1, "sslv3 alert bad record mac")
    error.reason = "BAD_RECORD_MAC"
    assert lost_connection("a.test", error).message.endswith("before the answer came: bad record mac.")


@pytest.mark.parametrize(
    ("code", "said"),
    [(9, "is not valid yet"), (10, "has expired"), *((code, "another host name") for code in (62, 64)), (18, "why.")],
)
def test_certificate_errors_of_openssl_are_explained(code: int, said: str) -> None:
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_code, error.verify_message = code, "why."
    assert said in no_connection("a.test", error).message


async def test_a_read_without_an_answer_times_out(scripted: ScriptedServer, client: Client) -> None:
    scripted.on("GET", PROGRESS, Hold(Reply({})))
    with pytest.raises(Unreachable, match="did not answer in time"):
        await client._send(ApiRequest("GET", PROGRESS), within=0.05)


@given(
    st.integers(300, 599),
    st.binary(max_size=200) | st.from_regex(rb'\{"[a-z]{1,8}": .{0,20}\}'),
    st.dictionaries(st.sampled_from(["retry-after", "content-type", "x-request-id"]), st.text(max_size=20)),
)
def test_the_error_of_any_refusal_is_short_and_has_no_escape_character(
    status: int, raw: bytes, headers: dict[str, str]
) -> None:
    error = refusal(ApiResponse(status, headers, raw), "api.cekura.ai", 1_760_000_000.0)
    assert isinstance(error, ApiError)
    assert error.status == status
    assert len(error.sentence()) < 600
    assert "\x1b" not in error.sentence()
    assert isinstance(error, ServerFault) == (status >= 500)
