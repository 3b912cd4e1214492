"""Whatever a server sends, it is read in bounded memory, or refused in a sentence that names the limit."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from hostile_server import KEY, MB, OPERATIONS, ask, bomb, compressed, filled, long_run, mutated
from scripted_server import Reply, ScriptedServer, run_of

from cekura_tui.api.answers import ApiResponse
from cekura_tui.api.body import JOB, RUN, TURN_FROM, Limit, beyond_limits, read_body
from cekura_tui.api.errors import ApiError, BadAnswer, KeyRefused, Rejected, TooLarge
from cekura_tui.evidence.prompt_issues import read_issues
from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.improve_prompt import IMPROVE_PROMPT
from cekura_tui.model.run.paging import ListPage
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import view_of
from cekura_tui.model.text import has_more_values

DATED = {"Date": "Tue, 14 Nov 2023 22:13:20 GMT"}
"""A page of a list has the time of the server; two answers may come in two seconds."""
operations = pytest.mark.parametrize("operation", OPERATIONS)


@operations
async def test_a_right_answer_is_read_in_gzip_and_without(scripted: ScriptedServer, operation: str) -> None:
    body = json.dumps(OPERATIONS[operation][2]).encode()
    plain, packed = Reply(body, 200, DATED), Reply(gzip.compress(body), 200, {"Content-Encoding": "gzip", **DATED})
    assert repr(await ask(scripted, operation, packed)) == repr(await ask(scripted, operation, plain))
    assert scripted.seen[-1].headers["Accept-Encoding"] == "gzip"


async def test_of_large_answers_one_is_read_at_a_time() -> None:
    async def sent(size: int) -> AsyncIterator[bytes]:
        yield b"x" * size

    turn = asyncio.Lock()
    async with turn:
        assert len(await read_body(httpx.Response(200, content=sent(TURN_FROM)), RUN, turn)) == TURN_FROM
        reading = asyncio.create_task(read_body(httpx.Response(200, content=sent(TURN_FROM + 1)), RUN, turn))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not reading.done()
    assert len(await reading) == TURN_FROM + 1


@pytest.mark.parametrize(
    "coding", ["gzip, gzip", "br", "deflate", "zstd", "identity, gzip", "\x1b[2J" * 30, "x" * 40, "x" * 41]
)
async def test_any_other_coding_is_refused_by_its_name(scripted: ScriptedServer, coding: str) -> None:
    with pytest.raises(BadAnswer, match="only gzip is supported") as caught:
        await ask(scripted, "run", compressed(gzip.compress(gzip.compress(b"{}")), coding))
    assert (coding.isprintable() and len(coding) <= 40) == (f'"{coding}"' in caught.value.message)
    assert caught.value.message.isprintable()


async def test_gzip_that_grows_200_times_is_refused(scripted: ScriptedServer) -> None:
    with pytest.raises(TooLarge, match="compressed to less than 1/200"):
        await ask(scripted, "run", compressed(bomb(2 * MB)))


async def test_a_small_answer_may_be_compressed_as_well_as_it_likes(scripted: ScriptedServer) -> None:
    body = json.dumps(run_of(5, scenario_name="a" * (MB - 500))).encode()
    run = await ask(scripted, "run", compressed(gzip.compress(body)))
    assert len(run.scenario_name) == MB - 500


@pytest.mark.parametrize(
    "sent", [gzip.compress(b'{"id": 5}')[:-9], b'{"id": 5}', b"\x1f\x8b\x08"], ids=["cut", "none", "begun"]
)
async def test_gzip_that_is_cut_or_none_at_all_is_said_to_be_so(scripted: ScriptedServer, sent: bytes) -> None:
    with pytest.raises(BadAnswer, match=r"incomplete gzip|not valid gzip"):
        await ask(scripted, "run", compressed(sent))


@pytest.mark.parametrize(
    ("operation", "limit"),
    [("run", 32), ("several runs", 32), ("agents", 32), ("agent", 16), ("poll", 64), ("launch", 8), ("issues", 8)],
)
async def test_an_answer_over_its_limit_is_refused_with_the_limit(
    scripted: ScriptedServer, operation: str, limit: int
) -> None:
    with pytest.raises(TooLarge, match=f"may have {limit} MB"):
        await ask(scripted, operation, Reply(b" " * (limit * MB + 1)))


async def test_an_answer_as_large_as_its_limit_is_read(scripted: ScriptedServer) -> None:
    body = json.dumps(OPERATIONS["agent"][2]).encode()
    assert (await ask(scripted, "agent", Reply(body + b" " * (16 * MB - len(body))))).prompt == "Be kind.\r\n"


@pytest.mark.parametrize(
    ("operation", "item"), zip(OPERATIONS, [b"0", b"[]", b'{"":0}', b'{"id":1}', b"[]"] * 2, strict=True)
)
async def test_json_of_small_values_is_refused_before_it_is_read(
    scripted: ScriptedServer, operation: str, item: bytes
) -> None:
    most = 400_000 if operation in ("run", "list", "agents", "projects") else 150_000
    body = filled(b'{"id": 5, "status": "completed", "results": [', item, b"]}", (most + 10) * (len(item) + 1))
    with pytest.raises(TooLarge, match=f"may hold {most:,} values"):
        await ask(scripted, operation, Reply(body))


FEW = ("[]", "[0, 0, 0]", '[",,,,,,", "[[[[["]', r'["\",,,\"", "\\", 0]', '["no end ,,,,,,,', "")
MANY = ("[0, 0, 0, 0, 0]", '{"a": [0, 0], "b": {}}', r'["\\", 0, 0, 0, ",,,"]')


def test_values_are_counted_outside_of_texts() -> None:
    assert [text for text in (*FEW, *MANY) if has_more_values(text, 4)] == list(MANY)


async def test_a_long_call_full_of_commas_is_read_whole(scripted: ScriptedServer) -> None:
    run = await ask(scripted, "run", Reply(long_run(5_000)))
    assert len(run.transcript_object) == 5_000


@pytest.mark.parametrize(
    ("limit", "text", "more", "said"),
    [
        (RUN, r"ab\n" * 100_000, r"\n", "the texts of a run may have 100,000 lines"),
        (RUN, r"\t" * 60_000 + r"\"" * 90_000, r"\u000d" * 40_001, "the texts of a run may have 100,000 lines"),
        (RUN, "\u2028" * 100_000, "\u2029", "the texts of a run may have 100,000 lines"),
        (RUN, "a" * 3_999_998, "a", "a text of a run may have 4 million characters"),
        (RUN, r"\ud83d\ude00", "aaa " * 4_200_000, "a run with emoji may have 16 million characters"),
        (JOB, "🙂" + "a" * (20 * MB - 4), "a", "an answer about a job with emoji may have 20 million characters"),
        (
            JOB,
            "ab\n" * 200_000 + "a" * (20 * MB),
            "🙂",
            "an answer about a job with emoji may have 20 million characters",
        ),
        (Limit("a", 200), "🙂" + "a" * 96, "a", "a with emoji may have 0 million characters"),
    ],
    ids=["lines", "tabs", "separators", "one text", "escaped emoji", "emoji", "a long job", "a small limit"],
)
def test_a_text_that_would_take_many_times_its_memory_is_refused(limit: Limit, text: str, more: str, said: str) -> None:
    assert (beyond_limits(f'"{text}" ', limit), beyond_limits(f'"{text}{more}" ', limit)) == ("", said)


async def test_a_prompt_of_any_length_is_exact_and_other_texts_are_bounded(scripted: ScriptedServer) -> None:
    prompt = "Ask \t him.\r\n" * 800_000
    answer = {"status": "completed", "output": {"improved_prompt": prompt, "summary_of_changes": "Longer."}}
    payload, raw, _ = await ask(scripted, "poll", Reply(answer))
    assert payload == answer
    assert len(raw) < 20_000
    other = {"status": "completed", "output": {"improved_prompt": prompt + "!", "summary_of_changes": "Longer."}}
    assert (await ask(scripted, "poll", Reply(other)))[1] != raw
    for summary, said in (
        ("a\n" * 100_001, "100,000 lines"),
        ("word " * 1_700_000, "may have 8 MB besides its prompt"),
    ):
        beside = {"status": "completed", "output": {"improved_prompt": "Be kind.", "summary_of_changes": summary}}
        with pytest.raises(TooLarge, match=said):
            await ask(scripted, "poll", Reply(beside))


async def test_a_page_of_far_more_entries_than_were_asked_for_is_refused(scripted: ScriptedServer) -> None:
    with pytest.raises(TooLarge, match="10,000 entries") as caught:
        await ask(scripted, "list", Reply({"results": [{"id": 1}] * 10_001}))
    assert caught.value.facts() == []
    assert len((await ask(scripted, "list", Reply({"results": [{"id": 1}] * 10_000}))).items) == 10_000


def test_lists_in_a_run_beyond_the_values_of_an_answer_are_kept_unread() -> None:
    run = Run.read(run_of(5, metrics=[{}] * 5_001, rubric=[{}] * 5_001, critical_categories=["x"] * 5_001))
    assert (run.metrics, run.rubric, run.critical_categories) == (None, None, None)
    assert len(run.source["critical_categories"]) == 5_001
    listed = "[" + "[]," * 100_000 + "0]"
    assert len(view_of(Run.read(run_of(5, transcript_object=listed)), 0.0).transcript.turns) == 1


async def test_names_that_are_equal_once_cleaned_are_numbered_in_time(scripted: ScriptedServer) -> None:
    codes = ((1 + n % 8, 1 + n // 8 % 8, 14 + n // 64 % 16, 127 + n // 1024) for n in range(10_000))
    names = [f"a{''.join(map(chr, code))}" for code in codes]
    run = await ask(scripted, "run", Reply({"id": 5, **dict.fromkeys(names, 0)}))
    assert len(run.source) == 10_001
    assert {"a", "a (2)", "a (10000)"} <= run.source.keys()


def test_an_error_that_is_shown_keeps_no_body_in_memory() -> None:
    answer = ApiResponse(200, {}, b"<p>" + b" " * MB)
    with pytest.raises(BadAnswer, match="is not JSON") as caught:
        answer.json()
    assert (caught.value.body[:3], len(answer.raw)) == ("<p>", 10_000)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("reply", [Reply(b" " * (2 * MB), 403), Reply(b"<html>", 403, {"Content-Encoding": "br"})])
async def test_a_refusal_is_one_whatever_comes_with_it(scripted: ScriptedServer, reply: Reply) -> None:
    with pytest.raises(KeyRefused, match=r"refused the API key \(403"):
        await ask(scripted, "run", reply)


@pytest.mark.parametrize(("size", "status", "kind"), [(2, 400, Rejected), (9, 200, TooLarge)])
async def test_a_launch_answered_with_too_much_was_not_taken_only_if_it_was_refused(
    scripted: ScriptedServer, size: int, status: int, kind: type[ApiError]
) -> None:
    with pytest.raises(kind) as caught:
        await ask(scripted, "launch", Reply(b" " * (size * MB), status))
    assert caught.value.not_taken == (kind is Rejected)


async def test_headers_without_an_end_are_a_broken_connection(scripted: ScriptedServer) -> None:
    with pytest.raises(ApiError, match=r"Lost the connection to .* before the answer came"):
        await ask(scripted, "run", Reply({"id": 5}, 200, {f"X-{n}": "a" * 1_000 for n in range(1_000)}))


_HOSTILE: dict[str, Callable[[], Reply]] = {
    "nested gzip": lambda: compressed(gzip.compress(bomb(128 * MB), 9), "gzip, gzip"),
    "gzip": lambda: compressed(bomb(128 * MB)),
    "60 MB of small values": lambda: Reply(filled(b'{"id":5,"results":[', b"[]", b"]}", 60 * MB)),
    "as many values as may be": lambda: Reply(filled(b'{"id":5,"results":[', b'{"":0}', b"]}", 199_000 * 7)),
    "deep": lambda: Reply(b'{"id":5,"results":' + b"[" * 4_000_000 + b"]" * 4_000_000 + b"}"),
    "long texts": lambda: Reply(json.dumps({"id": 5, "x": ["’" + "word " * 700_000] * 9}, ensure_ascii=False).encode()),
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
def test_six_hostile_answers_at_once_stay_under_300_mb(scripted: ScriptedServer, sent: str, operation: str) -> None:
    method, path, *_ = OPERATIONS[operation]
    scripted.on(method, path, _HOSTILE[sent]())
    root = Path(__file__).parents[1]
    env = {"PYTHONPATH": f"{root.parent}:{root / 'support'}"}
    out = subprocess.check_output([sys.executable, "-c", _CHILD, scripted.url, operation], env=env, text=True)
    assert int(out.split()[-1]) < 300 * 1024, out


async def _told(scripted: ScriptedServer, seed: int) -> list[str]:
    """What a person may see of a mutated answer, or of the sentence that refuses it."""
    chance = random.Random(seed)
    operation = chance.choice(list(OPERATIONS))
    try:
        got = await ask(scripted, operation, mutated(OPERATIONS[operation][2], chance))
    except ApiError as error:
        return [error.sentence(), error.body, *(text for _, text in error.facts())]
    except CekuraTuiError as error:
        return [error.sentence()]
    told = []
    for run in got.items if isinstance(got, ListPage) else got if isinstance(got, list) else [got]:
        if isinstance(run, Run):
            view = view_of(run, 0.0)
            _ = view.timeline, view.call, view.verdicts
            told.append(json.dumps(run.source))
    if operation == "poll":
        payload, raw, _ = got
        told += [raw, IMPROVE_PROMPT.read_progress(payload).status]
    return told if operation != "issues" else [repr(read_issues(got))]


@pytest.mark.long
async def test_500_mutated_answers_are_read_or_refused_in_a_sentence(scripted: ScriptedServer) -> None:
    for seed in range(500):
        try:
            assert KEY not in "".join(await _told(scripted, seed))
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
