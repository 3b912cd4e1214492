from __future__ import annotations

import httpx
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.config.credentials import read_server
from cekura_tui.model.errors import UsageError

PRINTABLE = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x100)]))
HOSTS = st.one_of(st.text("abz09.-üßÅ", min_size=1, max_size=20), st.text(PRINTABLE[1:], min_size=1, max_size=20))
PORTS = st.one_of(st.just(""), st.integers(0, 999_999).map(lambda port: f":{port}"))
PATHS = st.one_of(st.just(""), st.text(PRINTABLE[:95], max_size=8).map(lambda path: f"/{path}"))


@given(HOSTS, PORTS, PATHS)
def test_httpx_accepts_every_server_url_that_passes_the_check(host: str, port: str, path: str) -> None:
    try:
        server = read_server(f"https://{host}{port}{path}")
    except UsageError:
        return
    assert httpx.URL(server.base).raw_host
    assert server.base.startswith(server.origin)
