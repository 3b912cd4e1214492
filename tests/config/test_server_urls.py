from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.config.credentials import read_server
from cekura_tui.model.errors import UsageError


@pytest.mark.parametrize(
    ("url", "origin", "base"),
    [
        ("https://api.cekura.ai", "https://api.cekura.ai", "https://api.cekura.ai"),
        ("https://API.Cekura.ai:443/", "https://api.cekura.ai", "https://api.cekura.ai"),
        (" https://gw.example/cekura/ ", "https://gw.example", "https://gw.example/cekura"),
        ("https://api.cekura.ai:8443", "https://api.cekura.ai:8443", "https://api.cekura.ai:8443"),
        ("http://localhost:8811", "http://localhost:8811", "http://localhost:8811"),
        ("http://127.0.0.5:80", "http://127.0.0.5", "http://127.0.0.5"),
        ("http://[::1]:8811", "http://[::1]:8811", "http://[::1]:8811"),
        ("https://bücher.example", "https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ],
)
def test_a_server_is_known_by_scheme_host_and_port(url: str, origin: str, base: str) -> None:
    server = read_server(url)
    assert (server.origin, server.base) == (origin, base)


@pytest.mark.parametrize(
    "host", ["api.cekura.ai", "localhost.example", "evil.localhost", "0.0.0.0", "127.0.0.1.example", "192.168.1.4:80"]
)
def test_a_key_is_never_sent_over_plain_http_to_another_host(host: str) -> None:
    with pytest.raises(UsageError, match="would send your key unencrypted"):
        read_server(f"http://{host}", "CEKURA_API_URL")


@pytest.mark.parametrize(
    "url",
    [
        *("", "cekura", "api.cekura.ai", "ftp://api.cekura.ai", "file:///etc/passwd", "javascript:alert(1)"),
        *("https://", "https://[::1", "https://a:99999", "https://a:b", "https://a b", "https://a\x01b"),
        *("https://a/\x1b[31m", "https://a..b", "https://☃..com", "https://" + "a" * 64, "https://a\\b"),
    ],
)
def test_a_url_that_is_none_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_server(url, "CEKURA_API_URL")
    assert caught.value.message.startswith("CEKURA_API_URL")
    assert "https://api.cekura.ai" in caught.value.hint
    assert "\x1b" not in caught.value.sentence()


@pytest.mark.parametrize("url", ["https://u@a.b", "https://u:secret@a.b", "https://a.b?x=1", "https://a.b#x"])
def test_a_url_with_a_user_or_a_query_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_server(url)
    assert "secret" not in caught.value.sentence()


PRINTABLE = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x100)]))
HOSTS = st.one_of(st.text("abz09.-üßÅ", min_size=1, max_size=20), st.text(PRINTABLE[1:], min_size=1, max_size=20))
PORTS = st.one_of(st.just(""), st.integers(0, 999_999).map(lambda port: f":{port}"))
PATHS = st.one_of(st.just(""), st.text(PRINTABLE[:95], max_size=8).map(lambda path: f"/{path}"))


@given(HOSTS, PORTS, PATHS)
def test_every_url_that_is_accepted_can_be_asked(host: str, port: str, path: str) -> None:
    try:
        server = read_server(f"https://{host}{port}{path}")
    except UsageError:
        return
    assert httpx.URL(server.base).raw_host
    assert server.base.startswith(server.origin)
