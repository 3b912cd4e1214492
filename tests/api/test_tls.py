"""The TLS version of a server is recorded, and each kind of certificate error has its own message."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from scripted_server import Reply, ScriptedServer

from cekura_tui.api.client import Client
from cekura_tui.api.errors import NotSecure, Unreachable

CERTIFICATES = Path(__file__).parent.parent / "support" / "certificates"
"""Directory of self-signed certificates with their keys. `localhost` and `elsewhere` are valid until 2120."""
KEY = "ck_test_0123456789"
PROJECTS = "/user/v1/projects/"

Secure = Callable[..., str]


@pytest.fixture
def secure() -> Iterator[Secure]:
    """A function that starts a TLS server with the named certificate, and returns the server's URL. With
    `asks_for_one`, the server requires a certificate of the client."""
    with ExitStack() as servers:

        def start(certificate: str, *, asks_for_one: bool = False) -> str:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
            if asks_for_one:
                context.verify_mode = ssl.CERT_REQUIRED
            server = ScriptedServer()
            server.on("GET", PROJECTS, Reply([{"id": 1}]))
            server._http.socket = context.wrap_socket(server._http.socket, server_side=True)
            servers.enter_context(server)
            return f"https://localhost:{server.port}"

        yield start


@pytest.mark.parametrize("loopback", [False, True])
async def test_the_variable_ssl_cert_file_also_applies_to_loopback_servers(
    secure: Secure, loopback: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "localhost.pem"))
    client = Client(secure("localhost"), KEY, loopback=loopback)
    answer = await client.probe("GET", PROJECTS)
    assert (answer.status, answer.tls) == (200, "TLSv1.3")
    await client.aclose()


async def test_an_untrusted_certificate_is_reported_without_a_retry(secure: Secure) -> None:
    client = Client(secure("localhost"), KEY, loopback=True)
    with pytest.raises(NotSecure, match=r"Can't trust the certificate of localhost:.*self-signed") as caught:
        await client.projects()
    assert "SSL_CERT_FILE" in caught.value.hint
    assert len(client.requests) == 1  # a retry would fail in the same way
    await client.aclose()


@pytest.mark.parametrize(
    ("certificate", "message", "hint"),
    [("expired", "has expired", "clock"), ("elsewhere", "is for another host name", "API URL")],
)
async def test_the_error_names_what_is_wrong_with_a_certificate(
    secure: Secure, certificate: str, message: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / f"{certificate}.pem"))
    client = Client(secure(certificate), KEY, loopback=True)
    with pytest.raises(NotSecure, match=rf"The certificate of localhost:\d+ {message}") as caught:
        await client.projects()
    assert hint in caught.value.hint
    await client.aclose()


async def test_plain_http_on_a_port_for_https_is_reported(scripted: ScriptedServer) -> None:
    client = Client(scripted.url.replace("http:", "https:"), KEY, loopback=True)
    with pytest.raises(NotSecure, match=r"does not use TLS") as caught:
        await client.projects()
    assert "https://" in caught.value.hint
    await client.aclose()


async def test_a_server_that_requires_a_client_certificate_is_reported(
    secure: Secure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "localhost.pem"))
    client = Client(secure("localhost", asks_for_one=True), KEY, loopback=True)
    for _ in range(5):  # a race: OpenSSL's own error is raised if the alert is read first
        with pytest.raises(Unreachable, match="before the answer came"):
            await client.probe("GET", PROJECTS)
    await client.aclose()
