"""`cekura-tui TARGET` accepts run ids and dashboard links, and reads the API key only once."""

from __future__ import annotations

import gc
import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from calling import call, refused

from cekura_tui.cli import main
from cekura_tui.model.errors import UsageError
from cekura_tui.model.scope import Scope, scope_of_link

DASHBOARD = "https://dashboard.cekura.ai"
LINK = f"{DASHBOARD}/4021/results/991"
RESULT, AGENT = Scope("result", 991), Scope("agent", 1201)


@pytest.mark.parametrize(
    ("link", "scope"),
    [
        (LINK, RESULT),
        (f"{LINK}/", RESULT),
        (f"{LINK}?tab=runs&run=48213#top", RESULT),
        (f"{LINK}/runs/48213", RESULT),
        (f"{DASHBOARD}//4021//results//991", RESULT),
        ("HTTPS://Dashboard.Cekura.AI:443/4021/results/991", RESULT),
        (f" {LINK}\n", RESULT),
        (f"{DASHBOARD}/agents/1201", AGENT),
        (f"{DASHBOARD}/agents/1201/settings", AGENT),
        (f"{DASHBOARD}/4021/agents/1201", AGENT),
    ],
)
def test_a_dashboard_link_opens_the_result_or_agent_in_the_link(link: str, scope: Scope) -> None:
    assert scope_of_link(link, DASHBOARD) == scope_of_link(link, f"{DASHBOARD}/") == scope


@pytest.mark.parametrize(
    "host",
    [
        "http://dashboard.cekura.ai",
        "https://dashboard.cekura.ai.evil.example",
        "https://dashboard.cekura.ai@evil.example",
        "https://somebody@dashboard.cekura.ai",
        "https://dashboard.cekura.ai:8443",
        "https://dashboard.cekura.ai:port",
        "https://[",
        "file://",
    ],
)
def test_a_link_to_another_host_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match=r"not on the dashboard|not a URL"):
        scope_of_link(f"{host}/4021/results/991", DASHBOARD)


@pytest.mark.parametrize(
    "path", ["", "/", "/4021", "/4021/results", "/4021/results/new", "/results/agents/", "/runs/5", f"/agents/{9**40}"]
)
def test_a_link_to_a_page_without_runs_is_refused_with_examples(path: str) -> None:
    with pytest.raises(UsageError, match="Can't open ") as caught:
        scope_of_link(DASHBOARD + path, DASHBOARD)
    assert "/results/ID" in caught.value.hint


def test_a_target_that_cannot_be_opened_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    refused(f"is not on the dashboard {DASHBOARD}.", "https://evil.example/1/results/2")
    refused("Can't open ", f"{DASHBOARD}/1/settings")
    refused("is not a valid run id", "9" * 40)
    refused("is not a valid run id", "9" * 5000)
    monkeypatch.setenv("CEKURA_DASHBOARD_URL", "https://eu.example/\x1b[0m")
    refused("dashboard_url in CEKURA_DASHBOARD_URL must be an http(s) URL", LINK)
    monkeypatch.setenv("CEKURA_DASHBOARD_URL", "https://[eu")
    refused("dashboard_url in CEKURA_DASHBOARD_URL must be an http(s) URL", LINK)
    monkeypatch.setenv("CEKURA_DASHBOARD_URL", "https://eu.example")
    refused("cekura-tui: The app needs an interactive terminal", "https://eu.example/4021/results/991")
    # The demo has its own dashboard URL.
    refused("is not on the dashboard", "--demo", "https://eu.example/4021/results/991")


def test_a_link_can_be_opened_with_a_key_that_can_be_read_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key comes from a pipe, as in `cekura-tui --api-key-file <(pass cekura) LINK`."""
    opened: list[Any] = []

    def run_app(setup: Any, **options: Any) -> int:
        opened.append((setup.key and setup.key.text, options["scope"], options["run_id"]))
        return 0

    monkeypatch.setitem(sys.modules, "cekura_tui.ui.start", SimpleNamespace(run_app=run_app))
    monkeypatch.setattr(main, "_can_draw", lambda: True)
    monkeypatch.setattr(gc, "disable", lambda: None)  # no first frame is drawn that would enable it again
    reader, writer = os.pipe()
    with open(reader, "rb"), open(writer, "wb") as pipe:
        pipe.write(b"ck_once\n")
        pipe.close()
        result = call("--api-key-file", f"/dev/fd/{reader}", LINK)
    assert (result.status, opened) == (0, [("ck_once", RESULT, None)])


def test_a_link_without_https_is_refused_with_a_hint() -> None:
    link = "dashboard.cekura.ai/12/results/991"
    assert refused("", link).err == f"cekura-tui: Unknown command: {link}. Begin a dashboard link with https://.\n"


@pytest.mark.parametrize("target", ["48213", LINK])
def test_words_after_a_run_id_or_link_are_refused(target: str) -> None:
    for more in ("x", "--demo", "--wrong"):
        said = f"Unexpected “{more}” after a run id or a link. Options go before the run id or link."
        assert refused("", target, more).err == f"cekura-tui: {said}\n"
    assert call(target, "--help").out == call("--help").out
