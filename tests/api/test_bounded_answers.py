"""Any answer is read in bounded memory, or refused with an error that names the limit."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hostile_server import KEY, MB, OPERATIONS, ask, bomb, compressed, filled, long_run, mutated
from scripted_server import Reply, ScriptedServer, run_of

from cekura_tui.api.errors import ApiError, BadAnswer, KeyRefused, Rejected, TooLarge
from cekura_tui.evidence.prompt_issues import read_issues
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.improve_prompt import IMPROVE_PROMPT
from cekura_tui.model.run.paging import ListPage
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import view_of

DATED = {"Date": "Tue, 14 Nov 2023 22:13:20 GMT"}
"""A header with a fixed server time, since two requests may fall into different seconds."""
operations = pytest.mark.parametrize("operation", OPERATIONS)


@operations
async def test_an_answer_is_read_with_and_without_gzip(scripted: ScriptedServer, operation: str) -> None:
    body = json.dumps(OPERATIONS[operation][2]).encode()
    plain, packed = Reply(body, 200, DATED), Reply(gzip.compress(body), 200, {"Content-Encoding": "gzip", **DATED})
    assert repr(await ask(scripted, operation, packed)) == repr(await ask(scripted, operation, plain))
    assert scripted.seen[-1].headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize(
    "coding", ["gzip, gzip", "br", "deflate", "zstd", "identity, gzip", "\x1b[2J" * 30, "x" * 40, "x" * 41]
)
async def test_an_answer_in_another_encoding_than_gzip_is_refused(scripted: ScriptedServer, coding: str) -> None:
    with pytest.raises(BadAnswer, match="only gzip is supported") as caught:
        await ask(scripted, "run", compressed(gzip.compress(gzip.compress(b"{}")), coding))
    assert (coding.isprintable() and len(coding) <= 40) == (f'"{coding}"' in caught.value.message)
    assert caught.value.message.isprintable()


async def test_a_small_answer_may_have_any_compression_ratio(scripted: ScriptedServer) -> None:
    body = json.dumps(run_of(5, scenario_name="a" * (MB - 500))).encode()
    run = await ask(scripted, "run", compressed(gzip.compress(body)))
    assert len(run.scenario_name) == MB - 500


@pytest.mark.parametrize(
    "sent", [gzip.compress(b'{"id": 5}')[:-9], b'{"id": 5}', b"\x1f\x8b\x08"], ids=["cut", "none", "begun"]
)
async def test_truncated_or_invalid_gzip_is_reported_as_incomplete_or_invalid(
    scripted: ScriptedServer, sent: bytes
) -> None:
    with pytest.raises(BadAnswer, match=r"incomplete gzip|not valid gzip"):
        await ask(scripted, "run", compressed(sent))


@operations
async def test_an_answer_over_16_mb_is_refused_even_if_compressed(scripted: ScriptedServer, operation: str) -> None:
    for reply in (Reply(b" " * (16 * MB + 1)), compressed(bomb(17 * MB))):
        with pytest.raises(TooLarge, match="may have 16 MB"):
            await ask(scripted, operation, reply)


async def test_an_answer_of_16_mb_is_read(scripted: ScriptedServer) -> None:
    body = json.dumps(OPERATIONS["agent"][2]).encode()
    assert (await ask(scripted, "agent", Reply(body + b" " * (16 * MB - len(body))))).prompt == "Be kind.\r\n"


async def test_all_5000_turns_of_a_long_call_are_read(scripted: ScriptedServer) -> None:
    run = await ask(scripted, "run", Reply(long_run(5_000)))
    assert len(run.transcript_object) == 5_000


@pytest.mark.long
async def test_a_long_prompt_is_read_exactly_and_the_recorded_answer_is_truncated(scripted: ScriptedServer) -> None:
    prompt = "Ask \t him.\r\n" * 800_000
    answer = {"status": "completed", "output": {"improved_prompt": prompt, "summary_of_changes": "Longer."}}
    payload, raw = await ask(scripted, "poll", Reply(answer))
    assert payload == answer
    assert len(raw) < 20_000
    other = {"status": "completed", "output": {"improved_prompt": prompt + "!", "summary_of_changes": "Longer."}}
    assert (await ask(scripted, "poll", Reply(other)))[1] != raw


async def test_a_page_with_far_more_entries_than_requested_is_refused(scripted: ScriptedServer) -> None:
    with pytest.raises(TooLarge, match="10,000 entries") as caught:
        await ask(scripted, "list", Reply({"results": [{"id": 1}] * 10_001}))
    assert caught.value.facts() == []
    assert len((await ask(scripted, "list", Reply({"results": [{"id": 1}] * 10_000}))).items) == 10_000


def test_lists_of_over_5000_entries_in_a_run_are_not_parsed() -> None:
    run = Run.read(run_of(5, metrics=[{}] * 5_001, rubric=[{}] * 5_001, critical_categories=["x"] * 5_001))
    assert (run.metrics, run.rubric, run.critical_categories) == (None, None, None)
    assert len(run.source["critical_categories"]) == 5_001


async def test_ten_thousand_names_that_are_equal_after_cleaning_are_numbered(scripted: ScriptedServer) -> None:
    codes = ((1 + n % 8, 1 + n // 8 % 8, 14 + n // 64 % 16, 127 + n // 1024) for n in range(10_000))
    names = [f"a{''.join(map(chr, code))}" for code in codes]
    run = await ask(scripted, "run", Reply({"id": 5, **dict.fromkeys(names, 0)}))
    assert len(run.source) == 10_001
    assert {"a", "a (2)", "a (10000)"} <= run.source.keys()


@pytest.mark.parametrize("reply", [Reply(b" " * (17 * MB), 403), Reply(b"<html>", 403, {"Content-Encoding": "br"})])
async def test_a_refused_key_is_reported_whatever_the_body_of_the_answer(
    scripted: ScriptedServer, reply: Reply
) -> None:
    with pytest.raises(KeyRefused, match=r"refused the API key \(403"):
        await ask(scripted, "run", reply)


@pytest.mark.parametrize(("size", "status", "kind"), [(17, 400, Rejected), (17, 200, TooLarge)])
async def test_a_launch_with_a_too_large_answer_is_not_accepted_only_if_its_status_is_400(
    scripted: ScriptedServer, size: int, status: int, kind: type[ApiError]
) -> None:
    with pytest.raises(kind) as caught:
        await ask(scripted, "launch", Reply(b" " * (size * MB), status))
    assert caught.value.not_accepted == (kind is Rejected)


async def test_too_many_headers_are_reported_as_a_lost_connection(scripted: ScriptedServer) -> None:
    with pytest.raises(ApiError, match=r"Lost the connection to .* before the answer came"):
        await ask(scripted, "run", Reply({"id": 5}, 200, {f"X-{n}": "a" * 1_000 for n in range(1_000)}))


_HOSTILE: dict[str, Callable[[], Reply]] = {
    "nested gzip": lambda: compressed(gzip.compress(bomb(128 * MB), 9), "gzip, gzip"),
    "gzip": lambda: compressed(bomb(128 * MB)),
    "60 MB of small values": lambda: Reply(filled(b'{"id":5,"results":[', b"[]", b"]}", 60 * MB)),
    "as many values as may be": lambda: Reply(filled(b'{"id":5,"results":[', b'{"":0}', b"]}", 199_000 * 7)),
    "deep": lambda: Reply(b'{"id":5,"results":' + b"[" * 4_000_000 + b"]" * 4_000_000 + b"}"),
    "long texts": lambda: Reply(json.dumps({"id": 5, "x": ["’" + "word " * 700_000] * 4}, ensure_ascii=False).encode()),
}
_STATUS = Path("/proc/self/status")
_CHILD = """
import asyncio, re, sys
from pathlib import Path
from hostile_server import OPERATIONS, Client, KEY
async def ask(client):
    try:
        await OPERATIONS[sys.argv[2]][3](client)
    except Exception as error:
        print(error)
async def main():
    client = Client(sys.argv[1], KEY, loopback=True)
    await asyncio.gather(*(ask(client) for _ in range(6)))
    print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
asyncio.run(main())
"""


@pytest.mark.skipif(not _STATUS.exists(), reason="the peak of memory is read from /proc")
@pytest.mark.long
@pytest.mark.parametrize("operation", ["run", "poll"])
@pytest.mark.parametrize("sent", _HOSTILE)
def test_six_simultaneous_hostile_answers_need_less_than_300_mb(
    scripted: ScriptedServer, sent: str, operation: str
) -> None:
    method, path, *_ = OPERATIONS[operation]
    scripted.on(method, path, _HOSTILE[sent]())
    root = Path(__file__).parents[1]
    env = {"PYTHONPATH": f"{root.parent}:{root / 'support'}"}
    out = subprocess.check_output([sys.executable, "-c", _CHILD, scripted.url, operation], env=env, text=True)
    assert int(out.split()[-1]) < 300 * 1024, out


async def _seen_by_user(scripted: ScriptedServer, seed: int) -> list[str]:
    """The texts that the user would see after one answer, or after the error that the answer causes. The operation and
    the changes to its usual answer are chosen at random by `seed`."""
    chance = random.Random(seed)
    operation = chance.choice(list(OPERATIONS))
    try:
        got = await ask(scripted, operation, mutated(OPERATIONS[operation][2], chance))
    except ApiError as error:
        return [error.sentence(), error.body, *(text for _, text in error.facts())]
    except CekuraTuiError as error:
        return [error.sentence()]
    seen = []
    for run in got.items if isinstance(got, ListPage) else got if isinstance(got, list) else [got]:
        if isinstance(run, Run):
            view = view_of(run, 0.0)
            _ = view.timeline, view.call, view.verdicts
            seen.append(json.dumps(run.source))
    if operation == "poll":
        payload, raw = got
        seen += [raw, IMPROVE_PROMPT.read_progress(payload).status]
    return seen if operation != "issues" else [repr(read_issues(got))]


@pytest.mark.long
async def test_500_mutated_answers_are_read_or_refused_without_showing_the_key(scripted: ScriptedServer) -> None:
    for seed in range(500):
        try:
            assert KEY not in "".join(await _seen_by_user(scripted, seed))
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
