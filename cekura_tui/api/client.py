"""The client of the Cekura API: one request function, then one short method per operation."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import shlex
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

from cekura_tui import __version__
from cekura_tui.api import answers
from cekura_tui.api.answers import ApiResponse
from cekura_tui.api.body import read_body
from cekura_tui.api.errors import ApiError, BadAnswer, NotConnected, NotFound, NotOffered, Unreachable, retried
from cekura_tui.api.http import httpx
from cekura_tui.model.job import Draft
from cekura_tui.model.job_kind import ApiRequest, JobKind
from cekura_tui.model.job_kinds import KINDS
from cekura_tui.model.request_log import MAX_RECORDS, RequestRecord
from cekura_tui.model.run.paging import ListPage
from cekura_tui.model.run.run import Run
from cekura_tui.model.scope import Agent, AgentVersion, Project, Scenario
from cekura_tui.model.secrets import shown_words
from cekura_tui.model.text import Prompt

_log = logging.getLogger("cekura_tui.api")
_END = "END_OF_BODY"
_KEY = '-H "X-CEKURA-API-KEY: $CEKURA_API_KEY"'


def curl_command(base: str, request: ApiRequest) -> str:
    """A request as a curl command, with $CEKURA_API_KEY in place of the key. A launch starts a new job."""
    url = f"{base}{request.path}" + (f"?{urlencode(request.params)}" if request.params else "")
    method = "" if request.method == "GET" else f"-X {request.method} "
    command = f"curl {method}{shlex.quote(url)} {_KEY}"
    if request.body is None:
        return command
    # A here-document, as an argument may be too long for the system. JSON is one line, so it can't hold the end mark.
    data = json.dumps(request.body)
    return f"{command} -H 'Content-Type: application/json' --data-binary @- <<'{_END}'\n{data}\n{_END}"


T = TypeVar("T")
_STEP = 1.0


async def while_awake(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """Await `work` for at most `seconds`, else cancel `work` and raise TimeoutError. While the process is stopped or
    the machine sleeps, at most one second counts, so that an answer received meanwhile is still read."""
    task = asyncio.create_task(work)
    try:
        left = seconds
        while left > 0:
            done, _ = await asyncio.wait({task}, timeout=min(_STEP, left))
            if done:
                return task.result()
            left -= _STEP
        raise TimeoutError
    finally:
        task.cancel()
        await asyncio.wait({task})


READ = httpx.Timeout(20.0, connect=5.0)
LAUNCH = httpx.Timeout(None, connect=10.0)
READ_TIMEOUT = WRITE_TIMEOUT = 60.0
"""Seconds allowed for a request and its whole answer. A write has no other timeout once the connection is made."""
PROBE_TIMEOUT = 6.0
"""Seconds allowed for a request of `doctor`; a slower server counts as unreachable."""
BILLING = "/test_framework/billing/info/"
IN_FLIGHT = 6
PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class LaunchAnswer:
    """The answer to a launch: its text with the key redacted, and the job's id on the server, None if unusable."""

    progress_id: str | None
    raw: str


class ProgressAnswer(NamedTuple):
    """The answer to a poll: the parsed JSON, and the body as text with the key redacted."""

    payload: object
    raw: str


def _tls_of(response: httpx.Response) -> str:
    """TLS version of a response's connection ("TLSv1.3"), empty for plain HTTP."""
    stream = response.extensions.get("network_stream")
    socket = stream.get_extra_info("ssl_object") if stream is not None else None
    return str(socket.version() or "") if socket is not None else ""


class Client:
    """The API of one server, for one key and one event loop. Reads for the user are retried as `next_try` decides;
    polls, run lists and writes are sent once. Every error is an ApiError; if `refusal` returns one, nothing is sent."""

    def __init__(
        self,
        base: str,
        key: str,
        *,
        loopback: bool = False,
        requests: deque[RequestRecord] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        try:
            self._base = httpx.URL(base)
            # httpx checks an internationalised host name only on access.
            assert self._base.host
        except (httpx.InvalidURL, UnicodeError):
            raise NotConnected("The API URL has no valid host.", "Check the API URL.") from None
        self._host = self._base.netloc.decode("ascii")
        self._key = key
        self._loopback = loopback
        self.requests = deque[RequestRecord](maxlen=MAX_RECORDS) if requests is None else requests
        self.sent = 0
        self.refusal: Callable[[], ApiError | None] = lambda: None
        """Called before each request but `probe`."""
        agent = f"cekura-tui/{__version__}"
        self._headers = {"X-CEKURA-API-KEY": key, "User-Agent": agent}
        self._headers |= {"Accept": "application/json", "Accept-Encoding": "gzip"}
        self._sleep, self._jitter = sleep, jitter
        self._flight = asyncio.Semaphore(IN_FLIGHT)
        self._http = self._open(READ)
        self._versions: dict[str, str] = {}

    async def aclose(self) -> None:
        await self._http.aclose()

    # One request

    def _open(self, timeout: httpx.Timeout) -> httpx.AsyncClient:
        try:
            # Loading the certificates is slow, and useless without TLS.
            trusted = self._base.scheme == "https" and httpx.create_ssl_context()
        except OSError:
            hint = "Set SSL_CERT_FILE to a file of certificates in PEM, or unset it."
            raise NotConnected("Can't read the certificates set in the environment; nothing was sent.", hint) from None
        try:
            return httpx.AsyncClient(
                headers=self._headers,
                timeout=timeout,
                follow_redirects=False,
                verify=trusted,
                # Loopback must not go through a proxy from the environment.
                trust_env=not self._loopback,
            )
        except (ValueError, ImportError, OSError, httpx.InvalidURL):
            # The error's own text may contain the proxy's password.
            hint = "Check HTTPS_PROXY, ALL_PROXY and NO_PROXY; SOCKS proxies are not supported."
            raise NotConnected("Can't use the proxy set in the environment; nothing was sent.", hint) from None

    async def _send(
        self,
        request: ApiRequest,
        *,
        http: httpx.AsyncClient | None = None,
        within: float | None = READ_TIMEOUT,
        attempt: int = 1,
    ) -> ApiResponse:
        """Send a request once, for at most `within` seconds (None: any). Raises ApiError unless the answer is 2xx."""
        if (refusal := self.refusal()) is not None:
            raise refusal
        answer = await self._logged(request, http or self._http, within, attempt)
        if answer.is_success:
            return answer
        raise answers.refusal(answer, self._host, time.time())

    async def probe(self, method: Literal["GET", "OPTIONS"], path: str) -> ApiResponse:
        """Send a read-only request once; return the answer, whatever its status."""
        return await self._logged(ApiRequest(method, path), self._http, PROBE_TIMEOUT)

    async def _logged(
        self, request: ApiRequest, http: httpx.AsyncClient, within: float | None, attempt: int = 1
    ) -> ApiResponse:
        """Send a request once, log it even if it fails or is cancelled, and return the answer, whatever its status."""
        at, began = time.time(), time.perf_counter()
        status, error, request_id = 0, "cancelled", ""
        try:
            answer = await self._exchange(request, http, within)
            status, error, request_id = answer.status, "", answer.request_id
            return answer
        except ApiError as failure:
            status, error = failure.status, shown_words(failure.message)
            raise
        finally:
            names, took = tuple(request.params or ()), time.perf_counter() - began
            record = RequestRecord(at, request.method, request.path, names, attempt, took, status, error, request_id)
            self.sent += 1
            self.requests.append(record)
            _log.info("%s", record.line())

    async def _exchange(self, request: ApiRequest, http: httpx.AsyncClient, within: float | None) -> ApiResponse:
        url = httpx.URL(f"{str(self._base).rstrip('/')}{request.path}")
        if (url.scheme, url.raw_host, url.port) != (self._base.scheme, self._base.raw_host, self._base.port):
            raise BadAnswer("The address belongs to another server, so the key was not sent.")
        content = None if request.body is None else json.dumps(request.body, ensure_ascii=True).encode("ascii")
        headers = {"Content-Type": "application/json"} if content is not None else {}
        if http.is_closed:
            raise NotConnected("The session was closed, so nothing was sent.")
        try:
            async with (
                self._flight,
                asyncio.timeout(within),
                http.stream(request.method, url, params=request.params, content=content, headers=headers) as response,
            ):
                taken = 200 <= response.status_code < 300
                try:
                    raw = await read_body(response)
                except BadAnswer:
                    if taken:
                        raise
                    raw = b""  # the status is enough
                tls = _tls_of(response)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            raise answers.no_connection(self._host, error) from None
        except (httpx.TimeoutException, TimeoutError):
            raise Unreachable(f"{self._host} did not answer in time.", "Try again later.") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            raise answers.lost_connection(self._host, error) from None
        return ApiResponse(response.status_code, dict(response.headers), raw, self._key, tls)

    async def _write(self, request: ApiRequest) -> ApiResponse:
        """Send a request that changes data: once, on its own connection, within `WRITE_TIMEOUT` seconds."""
        try:
            async with self._open(LAUNCH) as http:
                return await while_awake(self._send(request, http=http, within=None), WRITE_TIMEOUT)
        except TimeoutError:
            raise Unreachable(f"{self._host} did not answer in time.", "Try again later.") from None

    async def _read(
        self, path: str, params: Mapping[str, str | int] | None = None, *, once: bool = False
    ) -> ApiResponse:
        """Send a GET; retry it as `next_try` decides, unless `once`."""
        request = ApiRequest("GET", path, params=params)
        if once:
            return await self._send(request)
        return await retried(
            lambda attempt: self._send(request, attempt=attempt), sleep=self._sleep, jitter=self._jitter
        )

    async def _versioned(
        self, noun: str, rest: str, params: Mapping[str, str | int] | None = None, *, once: bool = False
    ) -> ApiResponse:
        """Read `/test_framework/v1/<noun>/<rest>`, or v2 if v1 is not found; the version that worked is cached. If v2
        fails too, v1's error is raised. Once v1 has worked, v2 is tried only after a 410, or a 404 of a first page."""
        known = self._versions.get(noun)
        try:
            answer = await self._read(f"/test_framework/{known or 'v1'}/{noun}/{rest}", params, once=once)
            self._versions.setdefault(noun, "v1")
            return answer
        except NotFound as error:
            withdrawn = error.status == 410 or (rest == "" and (params or {}).get("page") == 1)
            if known == "v2" or (known == "v1" and not withdrawn):
                raise
            try:
                answer = await self._read(f"/test_framework/v2/{noun}/{rest}", params, once=once)
            except ApiError:
                raise error from None
            self._versions[noun] = "v2"
            return answer

    # Operations

    async def projects(self, organization_id: int | None = None) -> list[Project]:
        """All projects visible to this key, or only those in one organization."""
        params = None if organization_id is None else {"organization_id": organization_id}
        return answers.read_projects((await self._read("/user/v1/projects/", params)).json())

    async def agents(
        self, project_id: int | None = None, page: int = 1, q: str = "", *, organization_id: int | None = None
    ) -> ListPage[Agent]:
        """A page of agents, perhaps without their prompts; the server searches for `q`. As in the vendor's client, the
        `organization_id`, which only v2 of the API declares, is sent only without a `project_id`."""
        scope = {"organization_id": organization_id} if project_id is None else {"project_id": project_id}
        params: dict[str, str | int] = {"page": page, "page_size": PAGE_SIZE}
        params |= {name: one for name, one in scope.items() if one is not None} | ({"q": q} if q else {})
        answer = await self._versioned("aiagents", "", params)
        return answers.read_page(answer.json(keep=answers.PROMPTS), answers.read_agent)

    async def agent(self, agent_id: int, *, once: bool = False) -> Agent:
        """One agent with its prompt byte for byte; not retried if `once`."""
        answer = await self._versioned("aiagents", f"{agent_id}/", once=once)
        return answers.read_agent(answer.json(keep=answers.PROMPTS))

    async def write_agent_prompt(self, agent_id: int, prompt: Prompt) -> Agent:
        """Write an agent's prompt with one request to the API version that last worked; return the agent in the answer.
        NUL and lone surrogates are escaped; callers must read the prompt back to see what the server stored."""
        path = f"/test_framework/{self._versions.get('aiagents', 'v1')}/aiagents/{agent_id}/"
        answer = await self._write(ApiRequest("PATCH", path, {"description": prompt}))
        return answers.read_agent(answer.json(keep=answers.PROMPTS))

    async def runs(self, scope: Mapping[str, str | int], page: int = 1, page_size: int = PAGE_SIZE) -> ListPage[Run]:
        """A page of runs, newest first; not retried. `scope` is the query: project, agent or result id, and filters."""
        params = {**scope, "page": page, "page_size": page_size}
        answer = await self._versioned("runs", "", params, once=True)
        found = answers.read_page(answer.json(cleaned=False), Run.read)
        ids = [run.id for run in found.items]
        newest_first = tuple(sorted(found.items, key=lambda run: run.id, reverse=True))
        return ListPage(found.count, newest_first, found.more, bool(ids) and ids[0] < ids[-1], answer.at)

    async def run(self, run_id: int, *, once: bool = False) -> Run:
        """One run with all its fields; not retried if `once`."""
        return Run.read((await self._versioned("runs", f"{run_id}/", once=once)).json(cleaned=False))

    async def runs_by_id(self, run_ids: Sequence[int]) -> list[Run]:
        """Several runs with all their fields; runs that the server does not find are left out. Not retried."""
        params = {"run_ids": ",".join(map(str, run_ids))}
        answer = await self._versioned("runs", "bulk/", params, once=True)
        return answers.read_list(answer.json(cleaned=False), Run.read)

    async def launch(self, draft: Draft) -> LaunchAnswer:
        """Launch a job of the draft's kind with one request, on a connection of its own. Raises NotConnected if nothing
        was sent, NotOffered if the server lacks the operation, or another ApiError."""
        kind = KINDS[draft.kind]
        assert kind.server is not None
        try:
            answer = await self._write(kind.server.launch(draft))
        except ApiError as error:
            if error.status in (404, 405, 410):
                raise NotOffered(
                    f"{self._host} does not support {kind.noun} ({error.status}).",
                    "Draft saved. Ask Cekura whether your workspace supports them.",
                    status=error.status,
                    request_id=error.request_id,
                    body=error.body,
                ) from None
            raise
        ids = (answers.progress_id(answer, name) for name in kind.server.id_field.split(" or "))
        return LaunchAnswer(next(filter(None, ids), None), answer.text)

    async def progress(self, kind: JobKind, progress_id: str) -> ProgressAnswer:
        """Poll a job with one request; the engine decides when to retry."""
        assert kind.server is not None
        answer = await self._send(kind.server.progress(progress_id))
        return ProgressAnswer(answer.json_with(kind.exact), answer.text)

    async def ask(self, request: ApiRequest) -> ProgressAnswer:
        """Send one read-only request that a kind of job or a test of a prompt needs; not retried."""
        answer = await self._send(request)
        return ProgressAnswer(answer.json(), answer.text)

    async def scenarios(self, agent_id: int, page: int = 1) -> ListPage[Scenario]:
        """A page of the scenarios of an agent."""
        params = {"agent_id": agent_id, "page": page, "page_size": PAGE_SIZE}
        return answers.read_page((await self._versioned("scenarios", "", params)).json(), answers.read_scenario)

    async def agent_versions(self, agent_id: int) -> list[AgentVersion]:
        """The newest versions of an agent, newest first, each with its prompt byte for byte."""
        answer = await self._versioned("aiagents", f"{agent_id}/history/", {"page_size": PAGE_SIZE})
        return list(answers.read_page(answer.json(keep=answers.PROMPTS), answers.read_version).items)

    async def credits_left(self) -> float | None:
        """The workspace's credits, up to half an hour old; None if this key may not read them."""
        with contextlib.suppress(ApiError):
            return answers.read_credits((await self._send(ApiRequest("GET", BILLING))).json())
        return None

    async def end_calls(self, result_id: str) -> None:
        """End the calls of a result that have not ended; sent once."""
        await self._write(ApiRequest("POST", f"/test_framework/v1/results/{quote(result_id, safe='')}/end_calls/"))

    def curls(self, kind: JobKind, draft: Draft | None, progress_id: str | None) -> dict[str, str]:
        """A job's requests as curl commands without the key: `launch` of a draft, and `progress` of an id, if given."""
        if (requests := kind.server) is None:
            return {}
        base = str(self._base).rstrip("/")
        launch = {"launch": curl_command(base, requests.launch(draft))} if draft is not None else {}
        return launch | ({"progress": curl_command(base, requests.progress(progress_id))} if progress_id else {})

    async def issues(self, run_ids: Sequence[int], agent_id: int | None) -> Any:
        """The structured issues behind a suggestion; the API does not declare their shape."""
        body = {"run_ids": list(run_ids), **({} if agent_id is None else {"agent": agent_id})}
        return (await self._send(ApiRequest("POST", "/test_framework/v1/runs/improve_prompt_issues/", body))).json()
