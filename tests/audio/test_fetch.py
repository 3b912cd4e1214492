"""A recording is fetched from its host, kept for a day, and never fetched with the API key."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from full_disk import fill_disk
from full_disk import small_disk as small_disk
from scripted_server import Reply, ScriptedServer, run_of
from waiting import eventually

from cekura_tui.audio import RecordingError, fetch
from cekura_tui.audio.fetch import Progress, Recording, find_recording
from cekura_tui.config import paths
from cekura_tui.config.paths import Paths, remove_old_recordings
from cekura_tui.workspace.session import Session
from cekura_tui.workspace.setup import make_setup

KEY = "key-of-the-session-0123456789"
WAV = b"RIFF\x24\x00\x00\x00WAVE" + bytes(range(256)) * 8
PLAIN_LINKS = "The link to the recording is no web link, or contains a password."
RUN = "/test_framework/v1/runs/5/"


@pytest.fixture
def host() -> Iterator[ScriptedServer]:
    """The host of the recordings, which is not the API server."""
    with ScriptedServer() as server:
        server.on("GET", "/a.wav", Reply(WAV))
        yield server


@pytest.fixture
def audio(home: Path) -> Path:
    return Paths(home).audio


def names(directory: Path) -> list[str]:
    return sorted(one.name for one in directory.iterdir()) if directory.exists() else []


async def find(
    audio: Path, link: object, progress: Progress = lambda done, total: None, read_only: str = ""
) -> Recording:
    return await find_recording(audio, "server 5", link, progress, read_only)


@pytest.fixture
async def session(scripted: ScriptedServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Session]:
    monkeypatch.setenv("CEKURA_API_KEY", KEY)
    opened = Session.open(make_setup(api_url=scripted.url, project_id=1, env=os.environ))
    yield opened
    await opened.close()


@pytest.fixture
def netrc() -> None:
    """A password for every host in ~/.netrc."""
    path = Path(os.environ["HOME"], ".netrc")
    path.parent.mkdir()
    path.write_text("default login me password secret-of-netrc\n")
    path.chmod(0o600)


async def record(session: Session, link: object) -> Recording:
    return await session.recording(5, link, lambda done, total: None)


async def test_a_recording_is_fetched_once_into_a_private_file(audio: Path, host: ScriptedServer) -> None:
    steps: list[tuple[int, int | None]] = []
    links = [f"{host.url}/a.wav?signature=a%2Fb+c&n={n}" for n in (1, 2)]
    first = await find(audio, links[0], progress=lambda *step: steps.append(step))
    second = await find(audio, links[1])
    assert first.path.read_bytes() == WAV
    assert (first.path, first.path.suffix) == (second.path, ".wav")
    assert steps[-1] == (len(WAV), len(WAV))
    assert [(got.path, got.query["signature"]) for got in host.seen] == [("/a.wav", "a/b c")]
    assert [os.stat(one).st_mode & 0o777 for one in (audio, first.path)] == [0o700, 0o600]
    first.discard()
    assert names(audio) == []


@pytest.mark.parametrize(
    ("head", "ending"),
    [(b"ID3\x04", ".mp3"), (b"fLaC", ".flac"), (b"OggS", ".ogg"), (b"\0\0\0\x20ftypM4A ", ".m4a"), (b"?", ".bin")],
)
async def test_the_content_decides_the_ending(audio: Path, host: ScriptedServer, head: bytes, ending: str) -> None:
    host.on("GET", "/a.wav", Reply(head))
    assert (await find(audio, f"{host.url}/a.wav")).path.suffix == ending


REFUSED: dict[str, tuple[Reply, str]] = {
    "a page called audio": (Reply(b"\n<!DOCTYPE html>", 200, {"Content-Type": "audio/wav"}), "the link has expired"),
    "JSON": (Reply(b'{"detail": "expired"}'), "the link has expired"),
    "an expired token": (Reply(b"<Error>", 400, {"Content-Type": "application/xml"}), "the link has expired"),
    "forbidden": (Reply(b"<Error>SECRET</Error>", 403), "the link has expired"),
    "a fault": (Reply(b"SECRET", 503), "answered with status 503"),
    "empty": (Reply(b""), "an empty file"),
    "lost": (Reply(WAV, headers={"Content-Length": "2400000", "Connection": "close"}), "0.0 of 2.4 MB came"),
    "silent": (Reply(WAV, headers={"Content-Length": "2400000"}), "did not come in time"),
    "long": (Reply(b"R", headers={"Content-Length": "3000001"}), "larger than 3 MB"),
    "endless": (Reply(bytes(3_000_001), headers={"Content-Length": "", "Connection": "close"}), "larger than 3 MB"),
    "compressed": (Reply(WAV, headers={"Content-Encoding": "gzip"}), "the host compressed the recording"),
    "a loop": (Reply(b"", 302, {"Location": "/a.wav"}), "redirects more than 5 times"),
    "to a file": (Reply(b"", 302, {"Location": "file:///etc/passwd"}), "the link of a redirect is no web link"),
    "to a user": (Reply(b"", 302, {"Location": "http://me:SECRET@127.0.0.1/"}), "or contains a password"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_an_unusable_answer_leaves_one_sentence_and_no_file(
    audio: Path, host: ScriptedServer, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply, why = REFUSED[case]
    host.on("GET", "/a.wav", reply)
    monkeypatch.setattr(fetch, "MAX_BYTES", 3_000_000)
    monkeypatch.setattr(fetch, "MAX_SECONDS", 0.2 if case == "silent" else 20.0)
    with pytest.raises(RecordingError) as refused:
        await find(audio, f"{host.url}/a.wav?signature=SECRET")
    said = refused.value.sentence()
    assert said.startswith(f"Can't fetch {host.url}/a.wav: ")
    assert why in said
    assert "SECRET" not in said
    assert names(audio) == []
    assert len(host.seen) == (6 if case == "a loop" else 1)


@pytest.mark.parametrize(
    ("link", "said"),
    [
        (None, "This run has no recording."),
        ("file:///etc/passwd", PLAIN_LINKS),
        ("ftp://127.0.0.1/a.wav", PLAIN_LINKS),
        ("http://127.0.0.1:99999/a.wav", PLAIN_LINKS),
        ("data:audio/wav;base64,UklGRg==", PLAIN_LINKS),
        ("http://me:secret@127.0.0.1/a.wav", PLAIN_LINKS),
    ],
)
async def test_a_link_that_may_not_be_fetched_is_refused(audio: Path, link: object, said: str) -> None:
    with pytest.raises(RecordingError) as refused:
        await find(audio, link)
    assert refused.value.message == said
    assert names(audio.parent.parent) == []


async def test_a_cancelled_fetch_leaves_no_file_and_no_connection(audio: Path, host: ScriptedServer) -> None:
    host.on("GET", "/a.wav", Reply(WAV, headers={"Content-Length": "2400000"}))
    before, came = _sockets(), asyncio.Event()
    task = asyncio.create_task(find(audio, f"{host.url}/a.wav", progress=lambda done, total: came.set()))
    await came.wait()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert names(audio) == []
    await eventually(lambda: _sockets() == before, "both ends of the connection are closed")


def _sockets() -> int:
    def links() -> Iterator[str]:
        for one in Path("/proc/self/fd").iterdir():
            try:
                yield os.readlink(one)
            except OSError:
                continue

    return sum(link.startswith("socket:") for link in links())


async def test_a_full_disk_leaves_a_sentence_and_no_file(small_disk: Path, host: ScriptedServer) -> None:
    host.on("GET", "/a.wav", Reply(WAV * 100))
    fill_disk(small_disk, room=100_000)
    with pytest.raises(RecordingError, match=r"^Can't save the recording: No space left on device\.$"):
        await find(Paths(small_disk).audio, f"{host.url}/a.wav")
    assert names(Paths(small_disk).audio) == []


async def test_a_read_only_session_keeps_the_recording_in_memory(audio: Path, host: ScriptedServer) -> None:
    found = await find(audio, f"{host.url}/a.wav", read_only="Start without --read-only.")
    assert found.path.read_bytes() == WAV
    assert not audio.parent.exists()
    found.discard()
    assert not found.path.exists()


def test_old_and_too_large_recordings_are_removed(audio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "MOST_AUDIO", 250)
    remove_old_recordings(audio, 0)
    audio.mkdir(parents=True)
    now = time.time()
    old, large, new, part = (f"cekura-{n * 32}.wav" for n in "0123")
    ages = {old: 90_000, large: 300, new: 200, f".{part}-7-ab-cd": 100}
    for name, age in {**ages, f"{'4' * 64}.wav": 90_000}.items():
        (audio / name).write_bytes(bytes(100))
        os.utime(audio / name, (now - age, now - age))
    remove_old_recordings(audio, now)
    assert names(audio) == [f".{part}-7-ab-cd", f"{'4' * 64}.wav", new]


async def test_no_server_gets_the_key_or_a_password_or_a_cookie(
    session: Session, scripted: ScriptedServer, host: ScriptedServer, netrc: None
) -> None:
    cookie = {"Set-Cookie": "a=b; Path=/"}
    scripted.on("GET", "/a.wav", Reply(b"", 302, {"Location": f"{host.url}/b.wav", **cookie}))
    host.on("GET", "/b.wav", Reply(b"", 307, {"Location": "/a.wav", **cookie}))
    found = await record(session, f"{scripted.url}/a.wav")
    assert found.path.read_bytes() == WAV
    assert [got.path for got in [*scripted.seen, *host.seen]] == ["/a.wav", "/b.wav", "/a.wav"]
    for got in [*scripted.seen, *host.seen]:
        assert sorted(got.headers) == ["Accept", "Accept-Encoding", "Connection", "Host", "User-Agent"]
        assert (got.headers["User-Agent"], got.headers["Accept-Encoding"]) == ("cekura-tui", "identity")
        assert KEY not in str(got)


async def test_only_other_hosts_are_reached_through_the_proxy(
    audio: Path, host: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        proxy.on("GET", "/b.wav", Reply(b"", 302, {"Location": f"{host.url}/a.wav"}))
        assert (await find(audio, "http://recordings.example.com/b.wav")).path.read_bytes() == WAV
        assert [got.headers["Host"] for got in proxy.seen] == ["recordings.example.com"]
        assert [got.path for got in host.seen] == ["/a.wav"]


async def test_an_expired_link_is_replaced_by_the_link_of_the_run_read_again(
    session: Session, scripted: ScriptedServer, host: ScriptedServer
) -> None:
    old, new = (f"{host.url}/{name}.wav" for name in ("old", "a"))
    scripted.on("GET", RUN, Reply(run_of(5, voice_recording_url=new)))
    host.on("GET", "/old.wav", Reply(b"<Error>", 403))
    found = await record(session, old)
    assert found.path.read_bytes() == WAV
    assert [got.path for got in host.seen] == ["/old.wav", "/a.wav"]
    assert await record(session, new) == found
    assert len(host.seen) == 2


async def test_a_link_that_stays_expired_is_reported_after_one_more_try(
    session: Session, scripted: ScriptedServer, host: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = f"{host.url}/old.wav"
    scripted.on("GET", RUN, Reply(run_of(5, voice_recording_url=link)), Reply({}, 500))
    host.on("GET", "/old.wav", Reply(b"<Error>", 403))
    with pytest.raises(RecordingError, match=r"^The link to the recording has expired, also after reading"):
        await record(session, link)
    assert [got.path for got in host.seen] == ["/old.wav"]
    monkeypatch.setattr("cekura_tui.api.errors.next_try", lambda *_: None)
    with pytest.raises(RecordingError, match=r"has expired\. Reading the run again: Server error\."):
        await record(session, link)
