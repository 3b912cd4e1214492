"""A key that the server echoes is redacted in all texts that are shown, printed or recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest
from scripted_server import LAUNCH, PROGRESS, Reply, ScriptedServer
from waiting import answered

from cekura_tui.api.answers import ApiResponse
from cekura_tui.api.client import Client
from cekura_tui.api.errors import ApiError
from cekura_tui.model.improve_prompt import IMPROVE_PROMPT
from cekura_tui.model.job import Draft
from cekura_tui.model.secrets import THE_KEY, redact
from cekura_tui.model.text import Prompt, clean
from cekura_tui.workspace.setup import make_setup
from cekura_tui.workspace.workspace import Workspace

KEY = "sk-live/0123456789"
DRAFT = Draft((5,), Prompt("Be kind."), 7)
Writing = Callable[[object], bytes]


def plain(body: object) -> bytes:
    return json.dumps(body).encode()


def escaped(body: object) -> bytes:
    return json.dumps(body).replace(KEY, r"\u0073k-live/0123456789").encode()


def slashed(body: object) -> bytes:
    return json.dumps(body).replace("/", r"\/").encode()


def wide(body: object) -> bytes:
    return json.dumps(body).encode("utf-16")


def twice(body: object) -> bytes:
    return plain([body])[:-1] + b", " + escaped(body) + b"]"


WRITINGS = (plain, escaped, slashed, wide)
BODIES: dict[str, object] = {
    "status": {"status": f"failed {KEY}"},
    "error": {"status": "failed", "error": f"upstream refused {KEY}"},
    "nested": {"status": "failed", "error": {"message": [[f"{KEY} and {KEY}"], {"deep": KEY}]}},
    "names of fields": {"status": "failed", KEY: 1, "error": {f"no {KEY}": "x"}},
    "a field of prompts": {"status": "failed", "description": [KEY]},
    "prompts elsewhere": {"status": {"prompt": KEY}, "error": {"prompt": f"bad {KEY}", "improved_prompt": KEY}},
    "a summary": {"summary_of_changes": [{"description": f"used {KEY}"}]},
    "list": [KEY],
    "text": KEY,
}
STATUSES = (400, 403, 404, 429, 500)


def paired(*others: Sequence[object]) -> list[tuple[object, ...]]:
    """Test parameters: every body with every way to write JSON, followed by one value of each list of `others`. The
    values of a list are taken in turn."""
    pairs = enumerate((body, write) for body in BODIES for write in WRITINGS)
    return [(*pair, *(other[n % len(other)] for other in others)) for n, pair in pairs]


def readable(*values: object) -> str:
    """The values as one text, with the JSON escapes of the key's characters decoded and null characters removed."""
    text = " ".join(value if isinstance(value, str) else json.dumps(value) for value in values)
    return text.replace(r"\u0073", "s").replace(r"\/", "/").replace("\0", "")


@pytest.mark.parametrize(("name", "write"), paired())
async def test_answers_to_polls_and_launches_are_read_without_the_key(
    scripted: ScriptedServer, client: Client, name: str, write: Writing
) -> None:
    body = BODIES[name]
    scripted.on("GET", PROGRESS, Reply(write(body)))
    scripted.on("POST", LAUNCH, Reply(write(body)))
    payload, raw = await client.progress(IMPROVE_PROMPT, "p")
    launch = await client.launch(DRAFT)
    assert payload == json.loads(json.dumps(body).replace(KEY, "[the key]"))
    assert KEY not in readable(payload, raw, launch.raw)
    assert json.loads(raw) == json.loads(launch.raw) == payload


@pytest.mark.parametrize(("name", "write", "status"), paired(STATUSES))
async def test_a_refusal_quotes_the_server_without_the_key(
    scripted: ScriptedServer, client: Client, name: str, write: Writing, status: int
) -> None:
    scripted.on("GET", PROGRESS, Reply(write(BODIES[name]), status, {"X-Request-Id": KEY}))
    with pytest.raises(ApiError) as caught:
        await client.progress(IMPROVE_PROMPT, "p")
    error = caught.value
    assert KEY not in readable(error.sentence(), error.body, repr(error), error.facts())
    assert KEY not in error.request_id
    assert "[the key]" in error.body


def database_files(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in home.rglob("cekura.db*")}


async def test_a_body_that_is_not_json_or_a_job_id_does_not_contain_the_key(
    scripted: ScriptedServer, client: Client
) -> None:
    scripted.on("GET", PROGRESS, Reply(f"<p>{KEY}</p>".encode()))
    with pytest.raises(ApiError) as caught:
        await client.progress(IMPROVE_PROMPT, "p")
    assert caught.value.body == "<p>[the key]</p>"
    scripted.on("POST", LAUNCH, Reply({"progress_id": KEY}))
    launch = await client.launch(DRAFT)
    assert (launch.progress_id, launch.raw) == (None, '{"progress_id": "[the key]"}')


@pytest.mark.parametrize(
    ("between", "status"),
    [("\x07", 200), ("\x7f", 200), ("\x7f", 400), ("\x1b[0m", 400), ("\u200b", 200), ("\u200b", 400), ("\u202e", 400)],
)
async def test_a_key_split_by_control_characters_is_redacted(
    scripted: ScriptedServer, client: Client, status: int, between: str
) -> None:
    pieces = f"{KEY[:6]}{between}{KEY[6:]}"
    scripted.on("POST", LAUNCH, Reply(f"<p>{pieces}</p>".encode(), status))
    body = json.dumps({"status": "failed", "error": pieces}, ensure_ascii=False)  # unescaped where JSON allows it
    scripted.on("GET", PROGRESS, Reply(body.encode(), status))
    texts: list[str] = []
    try:
        texts.append((await client.launch(DRAFT)).raw)
        payload, raw = await client.progress(IMPROVE_PROMPT, "p")
        texts += [str(payload), raw]
    except ApiError as error:
        texts += [error.sentence(), error.body]
    else:
        assert status == 200
    assert KEY not in clean("\n".join(texts))


@pytest.mark.parametrize("write", WRITINGS)
async def test_a_prompt_that_contains_the_key_stays_exact(
    scripted: ScriptedServer, client: Client, write: Writing
) -> None:
    body = {"status": "completed", "output": {"improved_prompt": f"Say {KEY}.\r\n", "summary_of_changes": KEY}}
    scripted.on("GET", PROGRESS, Reply(write(body)))
    payload, raw = await client.progress(IMPROVE_PROMPT, "p")
    exact = {"improved_prompt": f"Say {KEY}.\r\n", "summary_of_changes": "[the key]"}
    assert payload == {"status": "completed", "output": exact}
    assert KEY not in readable(raw)


def test_an_answer_is_recorded_exactly_with_the_key_redacted() -> None:
    for raw in (b'{ "a":\t"\\u00e9 \\u2028 \\/" }', b'{"a": "\\ud800"}', b"[" * 100_000 + b"\\u", b'{"a": 1e999}\0'):
        assert ApiResponse(200, {}, raw, KEY).text == raw.decode()
    raw = f'{{ "a":\t"\\u00e9 {KEY}" }}'.encode()
    assert ApiResponse(200, {}, raw, KEY).text == '{ "a":\t"\\u00e9 [the key]" }'
    assert json.loads(ApiResponse(200, {}, twice(KEY), KEY).text) == ["[the key]", "[the key]"]
    error = ApiResponse(200, {}, b"<" + b"-" * 1_990 + KEY.encode(), KEY).unexpected("is odd")
    assert "sk-live" not in error.body, "nor is a part of it at the end of an error"


@pytest.mark.parametrize(
    ("write", "refused"), [(plain, "launch"), (escaped, "job"), (slashed, "launch"), (wide, "job")]
)
async def test_no_file_of_the_database_contains_a_key_that_the_server_echoed(
    scripted: ScriptedServer, home: Path, write: Writing, refused: str
) -> None:
    why = write({"status": "failed", "error": f"upstream refused {KEY}"})
    launched = Reply(why, 400) if refused == "launch" else Reply({"progress_id": "p", "note": KEY})
    scripted.on("POST", LAUNCH, launched)
    scripted.on("GET", PROGRESS, Reply(why))
    env = {"CEKURA_API_URL": scripted.url, "CEKURA_API_KEY": KEY}
    workspace = Workspace(make_setup(config_dir=str(home), env=env))
    workspace.start(lambda: None)
    with pytest.raises(ApiError) if refused == "launch" else nullcontext():
        await workspace.call(lambda session: session.engine.launch(DRAFT))
    record = await answered(
        lambda: workspace.call(lambda session: session.jobs.record(1)),
        lambda it: not it.job.state.active,
        "the refusal",
    )
    open_files = database_files(home)
    await asyncio.to_thread(workspace.close)
    closed_files = database_files(home)
    assert "upstream refused [the key]" in repr(record)
    assert "cekura.db" in open_files
    for content in (*open_files.values(), *closed_files.values()):
        assert KEY not in readable(content.decode("latin-1"))


def test_an_escaped_key_is_redacted_after_any_number_of_backslashes() -> None:
    assert redact(r"\\u0073hort-key", ["short-key"]) == THE_KEY
    text = "\\" * 200_000 + r"\u0073hort-kex"
    assert redact(text, ["short-key"]) == text
