"""Check the key and the server: connection, latency, clock, access, operations. Sends only GET and OPTIONS."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterator
from statistics import median

from cekura_tui.api import answers
from cekura_tui.api.answers import ApiResponse
from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError
from cekura_tui.doctor.check import Check, Status
from cekura_tui.model.secrets import shown
from cekura_tui.model.text import count, span_text
from cekura_tui.workspace.session import connect
from cekura_tui.workspace.setup import Setup

SLOW = 2.0
"""Median duration of small requests, in seconds, above which the server counts as slow."""
CLOCKS_APART = 60.0
"""Difference between this machine's clock and the server's clock, in seconds, above which a warning is reported."""
_TRIES = 3
PROJECTS = "/user/v1/projects/"
_RUNS = "/test_framework/v1/runs"
OPERATIONS: tuple[tuple[str, str, str, Status], ...] = (
    ("launch a job", "POST", f"{_RUNS}/improve_prompt_bg/", "failure"),
    ("follow a job", "GET", f"{_RUNS}/improve_prompt_progress/", "failure"),
    ("issues of a suggestion", "POST", f"{_RUNS}/improve_prompt_issues/", "warning"),
)
"""Operations to check: purpose, method and path, and the status to report if the server lacks the operation."""


def check_key(setup: Setup) -> Iterator[Check]:
    """Report where the key was found, or why there is none. The key itself is never reported."""
    if setup.demo:
        yield Check("server", "key", "ok", "not needed in the demo")
    elif setup.key is not None:
        yield Check("server", "key", "ok", f"from {setup.key.source} (profile {shown(setup.profile, 3)})")
    else:
        why = setup.no_key
        found, advice = (why.message, why.hint) if why else ("No API key found.", "Run `cekura-tui auth login`.")
        yield Check("server", "key", "failure", found, advice)


async def check_server(setup: Setup) -> AsyncGenerator[Check, None]:
    client, key, demo = connect(setup)
    try:
        named = "demo workspace" if setup.demo else setup.origin
        try:
            times, answer = await _measured(client)
        except ApiError as error:
            yield Check("server", "connection", "failure", f"{named}: {error.message}", error.hint)
            return
        over = answer.tls or ("plain http, this machine" if setup.server.loopback or setup.demo else "plain http")
        yield Check("server", "connection", "ok", f"{named} ({over})")
        yield _latency(times)
        yield _clock(answer.at, time.time())
        if key:
            yield _accepted(answer)
        if answer.is_success:
            for operation in OPERATIONS:
                yield await _operation(client, *operation)
    finally:
        await client.aclose()
        if demo is not None:
            demo.stop()


async def _measured(client: Client) -> tuple[list[float], ApiResponse]:
    """Seconds that each of `_TRIES` small requests took on a warm connection, and the last answer."""
    answer = await client.probe("GET", PROJECTS)
    times = []
    for _ in range(_TRIES):
        began = time.perf_counter()
        answer = await client.probe("GET", PROJECTS)
        times.append(time.perf_counter() - began)
    return times, answer


def _latency(times: list[float]) -> Check:
    middle = median(times)
    slow = middle > SLOW
    advice = "Lists and jobs will be slow. Check the network, a proxy, or the server's status." if slow else ""
    return Check("server", "latency", "warning" if slow else "ok", f"{1000 * middle:.0f} ms", advice)


def _clock(theirs: float | None, ours: float) -> Check:
    if theirs is None:
        return Check("server", "clock", "ok", "the server sends no time")
    apart = abs(ours - theirs)
    if apart <= CLOCKS_APART:
        return Check("server", "clock", "ok", f"within {max(1, round(apart))} s of the server's")
    order = "ahead of" if ours > theirs else "behind"
    advice = "Set this machine's clock (for example with `timedatectl set-ntp true`). Times and ages on screen are off."
    return Check("server", "clock", "warning", f"{span_text(apart)} {order} the server's", advice)


def _accepted(answer: ApiResponse) -> Check:
    if answer.status in (401, 403):
        advice = "Run `cekura-tui auth login` with a key from the dashboard: Settings › API keys."
        return Check("server", "access", "failure", f"the server refuses the key ({answer.status})", advice)
    if not answer.is_success:
        advice = "Check the API URL. If it is correct, try again later."
        return Check("server", "access", "failure", f"the server answers {answer.status} to a list of projects", advice)
    projects = answers.read_projects(answer.json())
    if not projects:
        advice = "Create a project in the dashboard, or use another key."
        return Check("server", "access", "warning", "key accepted; no projects", advice)
    return Check("server", "access", "ok", f"key accepted; {count(len(projects), 'project')}")


async def _operation(client: Client, name: str, method: str, path: str, without: Status) -> Check:
    try:
        answer = await client.probe("OPTIONS", path)
    except ApiError as error:
        return Check("server", name, "warning", f"not known: {error.message}", error.hint)
    if answer.status in (404, 410) or (answer.allow and method not in answer.allow):
        advice = "Ask Cekura whether your workspace supports it. Saved jobs and suggestions stay readable."
        return Check("server", name, without, f"not on this server ({method} {path})", advice)
    if method in answer.allow:
        return Check("server", name, "ok", "on this server")
    found = f"not known: the server answers {answer.status} to OPTIONS"
    return Check("server", name, "warning", found, "A launch will show it.")
