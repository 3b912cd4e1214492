"""Speech that is found in made calls, compared with energy alone, and the cost of reading a call of an hour.

With details, all figures are printed, and the borders of each call of `fit`. Calls of `held` are never printed, so that
rules are not tuned on them.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from sound_files import MU_LAW, PCM, sound_of, wav
from speech_scores import by_method
from telephone_calls import Call, can_make_calls, cases, halves, make_calls

from tests.bench.row import Options, Row

AT_LEAST = {"borders": 0.94, "answers": 0.9}
HOURS = {"8 kHz, µ-law": ("ulaw8", MU_LAW, 8_000, 8), "44.1 kHz, 16 bits": ("pcm44k", PCM, 44_100, 16)}
LINE = "{:6} {:22} {:9} {:>5} {:>6} {:>6} {:>9} {:>10}"
_LISTEN = """
import resource, sys, time
from pathlib import Path
from cekura_tui.audio.speech import listen

began = time.monotonic()
seconds = listen(Path(sys.argv[1])).seconds
took, used = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
print(seconds, took, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def rows(options: Options) -> Iterator[Row]:
    assert can_make_calls(), "espeak-ng, or sox with MP3, is not installed"
    made = {half: make_calls(half, options.place / half) for half in halves()}
    for half, calls in made.items():
        yield from _scores(half, calls, options)
    for name, (codec, form, rate, bits) in HOURS.items():
        call = next(call for call, case in zip(made["fit"], cases("fit"), strict=True) if case["codec"] == codec)
        yield from _cost(name, sound_of(call.path), options.place / "hour.wav", form=form, rate=rate, bits=bits)


def _scores(half: str, calls: list[Call], options: Options) -> Iterator[Row]:
    methods = by_method(calls)
    if options.details:
        print(LINE.format("half", "method", "what", "true", "found", "right", "share", "precision"))
        for method, scores in methods.items():
            for what, one in scores.items():
                cells = (*one, f"{one.share:.1%}", f"{one.precision:.1%}")
                print(LINE.format(half, method, what, *cells))
        for call in calls if half == "fit" else ():
            print(call.path.name, by_method([call])["ours"]["borders"])
    for method, scores in methods.items():
        ours = method == "ours"
        for what, one in scores.items():
            least = AT_LEAST.get(what) if ours else None
            yield Row(f"{what}, {half}, {len(calls)} calls, {method}: right / true", "", [one.share], at_least=least)
        borders = scores["borders"]
        yield Row(f"borders, {half}, {len(calls)} calls, {method}: right / found", "", [borders.precision])


def _cost(name: str, sound: bytes, path: Path, *, form: int, rate: int, bits: int) -> Iterator[Row]:
    """Repeat a call for an hour, and read it in a process of its own."""
    size = 3_600 * rate * 2 * bits // 8
    with path.open("wb") as file:
        file.write(wav(b"", form=form, rate=rate, bits=bits, says=size))
        for at in range(0, size, len(sound)):
            file.write(sound[: size - at])
    done = subprocess.run([sys.executable, "-c", _LISTEN, str(path)], capture_output=True, text=True)
    path.unlink()
    assert done.returncode == 0, done.stderr[-500:]
    seconds, took, cpu, memory = map(float, done.stdout.split())
    assert seconds == 3_600, f"{seconds:g} seconds were read, not an hour"
    yield Row(f"an hour, {name}: time", "s", [took])
    yield Row(f"an hour, {name}: CPU time", "s", [cpu])
    yield Row(f"an hour, {name}: peak memory", "MB", [memory])
