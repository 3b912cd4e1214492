"""The demo's recordings are WAV files behind signed links, and they sound like the calls, with known differences."""

from __future__ import annotations

import io
import wave
from array import array
from pathlib import Path
from typing import Any

import httpx
import pytest
import webrtcvad
from demo_client import EPOCH, RUNS, Clock, served_by

from cekura_tui.demo.answers import MONO_RUN, turns_of
from cekura_tui.demo.corpus import Corpus
from cekura_tui.demo.recordings import EXPIRED_RUN, FEATURED_RUNS, MU_LAW_RUN, RENEWED_RUN
from cekura_tui.demo.server import DemoOptions, DemoServer

AS_WRITTEN, OTHER_CHANNEL = 900_239, 900_216
FRAME = 160


def run_of(client: httpx.Client, run_id: int) -> dict[str, Any]:
    return dict(client.get(f"{RUNS}{run_id}/").json())


def fetched(link: str) -> httpx.Response:
    """The answer to a request without a key."""
    return httpx.get(link, trust_env=False)


def speech_of(client: httpx.Client, run_id: int) -> tuple[list[bool], list[bool]]:
    """For each 20 ms of a call, whether the caller speaks, and whether the agent speaks."""
    run = run_of(client, run_id)
    with wave.open(io.BytesIO(fetched(run["voice_recording_url"]).content)) as sound:
        assert (sound.getnchannels(), sound.getframerate(), sound.getsampwidth()) == (2, 8000, 2)
        samples = array("h", sound.readframes(sound.getnframes()))
    channel = run["testing_channel_index"]
    caller, agent = (frames_with_speech(samples[n::2]) for n in (channel, 1 - channel))
    return caller, agent


def frames_with_speech(samples: array[int]) -> list[bool]:
    detector = webrtcvad.Vad(2)
    whole = range(0, len(samples) - FRAME + 1, FRAME)
    return [detector.is_speech(samples[at : at + FRAME].tobytes(), 8000) for at in whole]


def spoken_frames(corpus: Corpus, run_id: int, who: str) -> list[range]:
    facts = corpus.facts(run_id)
    assert facts is not None
    return [range(int(t.start * 50) + 1, int(t.end * 50)) for t in turns_of(corpus, facts) if t.who == who]


@pytest.mark.parametrize("run_id", [AS_WRITTEN, OTHER_CHANNEL])
def test_each_side_of_a_recording_speaks_where_the_transcript_says(
    client: httpx.Client, corpus: Corpus, run_id: int
) -> None:
    for who, speech in zip("CA", speech_of(client, run_id), strict=True):
        inside = {frame for turn in spoken_frames(corpus, run_id, who) for frame in turn}
        around = {frame + late for frame in inside for late in range(-3, 12)}
        assert sum(speech[frame] for frame in inside) > 0.9 * len(inside)
        assert sum(one for frame, one in enumerate(speech) if frame not in around) < 0.01 * len(speech)
        facts = corpus.facts(run_id)
        assert facts is not None
        assert facts.seconds == pytest.approx(len(speech) / 50, abs=1)


def test_the_newest_failed_run_has_a_late_answer_overlap_and_an_unwritten_word(
    client: httpx.Client, corpus: Corpus
) -> None:
    run_id = FEATURED_RUNS[0]
    caller, agent = speech_of(client, run_id)
    callers, agents = (spoken_frames(corpus, run_id, who) for who in "CA")
    assert any(not any(agent[turn.start : turn.start + 25]) for turn in agents)
    assert any(
        all(agent[turn.start + 2 : turn.start + 22]) and all(caller[turn.start + 2 : turn.start + 22])
        for turn in callers
    )
    written = {frame + late for turn in callers for frame in turn for late in range(-3, 12)}
    assert 20 <= sum(one for frame, one in enumerate(caller) if frame not in written) < 60


def test_one_recording_is_mono_and_one_is_in_mu_law(client: httpx.Client) -> None:
    runs = [run_of(client, run_id) for run_id in (MONO_RUN, MU_LAW_RUN)]
    answers = [fetched(run["voice_recording_url"]) for run in runs]
    assert {answer.headers["content-type"] for answer in answers} == {"audio/wav"}
    assert [(answer.content[20], answer.content[22]) for answer in answers] == [(1, 1), (7, 2)]
    assert [run["testing_channel_index"] for run in runs] == [None, 0]


def test_an_expired_link_is_refused_and_reading_the_run_again_may_renew_the_link(client: httpx.Client) -> None:
    links = [run_of(client, run_id)["voice_recording_url"] for run_id in (EXPIRED_RUN, RENEWED_RUN) * 2]
    answers = [fetched(link) for link in links]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 200]
    assert "<Code>AccessDenied</Code>" in answers[0].text


def test_a_link_expires_and_opens_only_its_own_recording(tmp_path: Path, clock: Clock) -> None:
    with served_by(DemoServer(tmp_path / "demo", DemoOptions(epoch=EPOCH), clock=clock)) as client:
        link, other = (httpx.URL(run_of(client, run_id)["voice_recording_url"]) for run_id in (AS_WRITTEN, MONO_RUN))
        assert link.port == client.base_url.port
        assert fetched(str(link.copy_with(query=other.query))).status_code == 403
        assert fetched(str(link.copy_with(query=None))).status_code == 403
        assert fetched(str(link)).status_code == 200
        clock.now += 7200
        assert fetched(str(link)).status_code == 403
