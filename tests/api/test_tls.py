"""A server with TLS: its version is known, and a certificate that nobody trusts is called that."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_server import Reply, ScriptedServer

from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError, NotConnected

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
KEY = "ck_test_0123456789"
PROJECTS = "/user/v1/projects/"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of localhost, self-signed, with its key in the same file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    making = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    making += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(path), "-out", f"{path}.cert"]
    subprocess.run(making, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.cert").read_bytes())
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[str]:
    """The URL of a server that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = ScriptedServer()
    server.on("GET", PROJECTS, Reply([{"id": 1}]))
    server._http.socket = context.wrap_socket(server._http.socket, server_side=True)
    with server:
        yield f"https://localhost:{server.port}"


async def test_the_version_of_tls_is_known(secure: str, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    client = Client(secure, KEY)
    answer = await client.probe("GET", PROJECTS)
    assert (answer.status, answer.tls) == (200, "TLSv1.3")
    await client.aclose()


async def test_a_certificate_that_nobody_trusts_is_called_that_and_the_hint_helps(secure: str) -> None:
    client = Client(secure, KEY)
    with pytest.raises(NotConnected, match=r"Can't trust the certificate of localhost:.*self-signed") as caught:
        await client.probe("GET", PROJECTS)
    assert "SSL_CERT_FILE" in caught.value.hint
    assert "trust the certificate" in client.requests.records[0].error
    await client.aclose()


async def test_a_server_without_tls_is_not_taken_for_a_question_of_permissions(scripted: ScriptedServer) -> None:
    client = Client(scripted.url.replace("http:", "https:"), KEY)
    with pytest.raises(ApiError) as caught:
        await client.probe("GET", PROJECTS)
    assert "no TLS" in caught.value.message
    assert "permitted" not in caught.value.message
    await client.aclose()
