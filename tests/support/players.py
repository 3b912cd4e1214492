"""Scripts that act as players, and a WAV file whose samples give their place."""

from __future__ import annotations

import array
import os
import sys
import wave
from pathlib import Path

from user_commands import MARK

SECONDS, RATE = 30, 8_000

_START = """
import fcntl, json, os, select, signal, socket, subprocess, sys, time
HERE = os.path.dirname(sys.argv[0])
with open(HERE + "/started", "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
only_one = open(HERE + "/playing", "w")
try:
    fcntl.flock(only_one, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    open(HERE + "/two at once", "w").close()
"""
MPV = """
words = dict(word.lstrip("-").partition("=")[::2] for word in sys.argv[1:])
place, since, paused = float(words["start"]), time.monotonic(), False
ipc = socket.socket(fileno=int(words["input-ipc-client"].removeprefix("fd://")))
unread = b""
now = lambda: place if paused else place + time.monotonic() - since
while now() < 30:
    ipc.send(b'{"event":"property-change","name":"time-pos","data":%f}\\n' % now())
    if not select.select([ipc], [], [], 0.01)[0]:
        continue
    if not (piece := ipc.recv(65536)):
        break
    *lines, unread = (unread + piece).split(b"\\n")
    for line in lines:
        command = json.loads(line)["command"]
        if command[0] == "seek":
            place, since = command[1], time.monotonic()
        elif command[1] == "pause":
            place, since, paused = now(), time.monotonic(), command[2]
        ipc.send(b'{"request_id":0,"error":"success"}\\n')
"""
FFPLAY = """
place, since = float(sys.argv[sys.argv.index("-ss") + 1]), time.monotonic()
sys.stderr.write("    nan    :  0.000 fd=   0 aq=    0KB vq=    0KB sq=    0B \\r")
while (now := place + time.monotonic() - since) < 30:
    sys.stderr.write(f"{now:7.2f} M-A: -0.000 fd=   0 aq=   26KB vq=    0KB sq=    0B \\r")
    sys.stderr.flush()
    time.sleep(0.02)
"""
SLEEPER = "time.sleep(600)\n"
IGNORES_SIGTERM = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEPER
FORKS = "subprocess.Popen(['sleep', '600'])\n" + SLEEPER
FORKS_AND_ENDS = "subprocess.Popen(['sleep', '600'])\n"
STOPS_ITSELF = "os.kill(os.getpid(), signal.SIGSTOP)\n"
FLOODS = "while True: os.write(2, b'\\x1b[31mred\\x1b[0m\\r' * 9999)\n"


def make_player(folder: Path, name: str, script: str) -> str:
    """Write an executable script; return its path, which is a command."""
    path = folder / name
    path.write_text(f"#!{sys.executable} -IS\n{_START}\n{script}")
    path.chmod(0o755)
    return str(path)


def marked_env(folder: Path, **more: str) -> dict[str, str]:
    """An environment that all processes of a player inherit, see `user_commands.processes`."""
    return {**os.environ, MARK: str(folder), **more}


def make_sound(folder: Path) -> Path:
    """A WAV file of 30 s. Each sample is its place in milliseconds, plus 1."""
    path = folder / "sound {start}.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(array.array("h", [n * 1000 // RATE + 1 for n in range(SECONDS * RATE)]).tobytes())
    return path


def first_place(sound: bytes) -> float:
    """The place, in seconds, of the first sample that is not silent."""
    return (next(filter(None, array.array("h", sound[: len(sound) // 2 * 2]))) - 1) / 1000
