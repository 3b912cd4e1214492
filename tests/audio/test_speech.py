from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sound_files import broken, square_wave, wav, write
from speech_scores import Score, answers, by_method, overlaps, score
from telephone_calls import can_make_calls, cases, halves, make_call, make_calls

from cekura_tui.audio import RecordingError
from cekura_tui.audio.speech import Interval, Sound, listen


@pytest.fixture
def _programs() -> None:
    if not can_make_calls():
        pytest.skip("espeak-ng, or sox with MP3, is not installed")


@pytest.mark.usefixtures("_programs")
@pytest.mark.parametrize(
    "half", [pytest.param(half, marks=pytest.mark.long if half == "fit" else pytest.mark.nightly) for half in halves()]
)
def test_speech_is_found_despite_noise_hum_and_echo(tmp_path: Path, half: str) -> None:
    methods = by_method(make_calls(half, tmp_path))
    ours = methods.pop("ours")
    assert ours["borders"].share >= 0.94
    assert ours["borders"].precision >= 0.9
    assert ours["answers"].share >= 0.9
    for energy in methods.values():
        assert all(ours[name].share > energy[name].share for name in ours)


FORMATS = {
    **{"mp3": ["-C", "64"], "flac": [], "ogg": [], "24.wav": ["-b", "24"], "float.wav": ["-e", "float"]},
    **{"ulaw.wav": ["-e", "mu-law"], "alaw.wav": ["-e", "a-law"], "44k.wav": ["-r", "44100"]},
}


@pytest.mark.long
@pytest.mark.usefixtures("_programs")
def test_the_format_of_a_recording_hardly_changes_when_speech_is_found(tmp_path: Path) -> None:
    call = next(case for case in cases("fit") if case["codec"] == "pcm16k")
    sounds = [listen(path) for path in _in_each_format(make_call(call, tmp_path).path, ["trim", "0", "20"])]
    borders = [[time for channel in sound.channels for one in channel for time in one] for sound in sounds]
    assert len(borders[0]) == 10
    for some in borders:
        assert some == pytest.approx(borders[0], abs=0.15)


@pytest.mark.long
@pytest.mark.usefixtures("_programs")
def test_broken_files_of_each_format_are_read_or_refused(tmp_path: Path) -> None:
    source, rng = write(tmp_path / "call.wav", wav(square_wave(1))), random.Random(1)
    contents = [path.read_bytes() for path in _in_each_format(source)]
    files = [write(tmp_path / str(n), broken(contents[n % len(contents)], rng)) for n in range(80)]
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(_is_read_or_refused, files))


def _in_each_format(path: Path, effects: Sequence[str] = ()) -> list[Path]:
    made = [path.with_name(f"call.{suffix}") for suffix in FORMATS]
    for one, options in zip(made, FORMATS.values(), strict=True):
        subprocess.run(["sox", "-R", "-D", str(path), *options, str(one), *effects], check=True, capture_output=True)
    return made


def _is_read_or_refused(path: Path) -> bool:
    try:
        return listen(path).seconds > 0
    except RecordingError as error:
        return bool(error.message)


def test_silence_and_a_steady_tone_have_no_speech(tmp_path: Path) -> None:
    assert listen(write(tmp_path / "call.wav", wav(square_wave(3)))) == Sound(3.0, ((), ()))


TRUTH = {"caller": [(0.0, 1.0), (3.0, 5.0)], "agent": [(1.5, 2.0), (4.5, 6.0)]}


def test_the_scores_count_each_border_overlap_and_answer_once() -> None:
    assert score(TRUTH, TRUTH) == {"borders": Score(8, 8, 8), "overlaps": Score(1, 1, 1), "answers": Score(1, 1, 1)}
    late = score(TRUTH, TRUTH | {"agent": [(1.65, 2.0), (4.5, 6.0)]})
    assert (late["borders"], late["answers"]) == (Score(8, 8, 7), Score(1, 1, 0))
    split = score(TRUTH, TRUTH | {"caller": [(0.0, 1.0), (3.0, 4.0), (4.2, 5.0)]})
    assert split["borders"] == Score(8, 10, 8)
    moved = {who: [Interval(start + 0.15, end + 0.15) for start, end in some] for who, some in TRUTH.items()}
    assert score(TRUTH, moved) == {"borders": Score(8, 8, 0), "overlaps": Score(1, 1, 0), "answers": Score(1, 1, 1)}


def test_an_answer_follows_the_caller_after_a_silence() -> None:
    assert (answers(TRUTH), overlaps(TRUTH)) == ([(1.0, 1.5)], [(4.5, 5.0)])
    assert answers({"caller": [(0, 1), (2, 4)], "agent": [(3, 5)]}) == []
    assert answers({"caller": [(1, 2)], "agent": [(0, 3), (4, 5)]}) == []
    assert answers({"caller": [(0, 1)], "agent": [(2, 3), (4, 5)]}) == [(1, 2)]
