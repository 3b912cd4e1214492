"""Play a file from any second with the user's player. The player ends with this program, however this program ends."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, NamedTuple

from cekura_tui.audio import RecordingError, guard
from cekura_tui.config.programs import command_words, without_key
from cekura_tui.model.secrets import redact
from cekura_tui.model.text import clean_line

_MPV = (
    "--no-video --no-terminal --force-window=no --really-quiet --idle=no --keep-open=no --loop-file=no --hr-seek=yes"
    " --no-resume-playback --save-position-on-quit=no --access-references=no --input-ipc-client=fd://{ipc}"
)
_OPTIONS = {
    "mpv": (_MPV, "--start={start}"),
    "ffplay": ("-nodisp -autoexit -loglevel error -stats", "-ss {start}"),
    "cvlc": ("--play-and-exit --no-video", "--start-time={start}"),
    "afplay": ("", ""),
}
"""The known players in order of preference, with the options that they always get, and those for the start."""
_POSITION = re.compile(rb"^ *(\d+\.\d+) +[AMV]-[AMV]:", re.MULTILINE)
_NOISE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|^ *(-?\d+\.\d+|nan) .*: .*fd=.*", re.MULTILINE)
"""Matches what no failure quotes from standard error: control sequences, and the statistics of ffplay."""
_SOUND_DEVICES = Path("/dev/snd")


class PlayerCommand(NamedTuple):
    name: str
    words: list[str]
    """The command, with `{file}` and `{start}` where the file and the second belong."""


class PlayerState(NamedTuple):
    """`position` is in seconds. `ended` means: at the end of the file. `failure` is a sentence or empty."""

    position: float
    playing: bool = False
    ended: bool = False
    failure: str = ""


def find_player(setting: str, env: Mapping[str, str]) -> PlayerCommand | None:
    """The user's command, else the first installed player, else None. Raises RecordingError."""
    for command in [setting] if setting.strip() else _OPTIONS:
        program, *rest = command_words(command) or [""]
        if program and shutil.which(program, path=env.get("PATH")):
            options, start = _OPTIONS.get(name := os.path.basename(program), ("", ""))
            start = "" if any("{start}" in word for word in rest) else start
            file = [] if any("{file}" in word for word in rest) else ["{file}"]
            return PlayerCommand(name, [program, *options.split(), *start.split(), *rest, *file])
    if setting.strip():
        name = redact(clean_line(program, 60)) or "…"  # “…”: a quote is not closed
        raise RecordingError(f"There is no program “{name}” that can be run.", "Check the setting `player`.")
    return None


def can_hear(env: Mapping[str, str]) -> bool:
    """Whether the user may hear a player: always, except over SSH without a sound server or device."""
    if not any(env.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")) or env.get("PULSE_SERVER"):
        return True
    sockets = (os.path.join(env.get("XDG_RUNTIME_DIR") or os.devnull, name) for name in ("pipewire-0", "pulse/native"))
    return any(map(os.path.exists, sockets)) or any(_SOUND_DEVICES.glob("pcm*p"))


class Player:
    """Plays one file. `play` stops every other player of this process. Only `stop` may take longer than a frame."""

    _latest: ClassVar[Player | None] = None

    def __init__(self, command: PlayerCommand, path: Path, env: Mapping[str, str]) -> None:
        self._name, self._words = command
        self._path, self._env = str(path.absolute()), without_key(env)
        self._now, self._clock = PlayerState(0.0), 0.0  # the time of this position, 0 if our clock does not move it
        self._guard: subprocess.Popen[bytes] | None = None
        self._mpv: socket.socket | None = None
        self._open = contextlib.ExitStack()  # files of the guard

    def play(self, at: float) -> None:
        """Start or resume at this second of the file."""
        if Player._latest and Player._latest is not self:
            Player._latest.stop()
        Player._latest = self
        self.state()  # mpv may have ended
        self._move(at, playing=True)

    def pause(self) -> None:
        if (now := self.state()).playing:
            self._move(now.position, playing=False)

    def seek(self, at: float) -> None:
        """Move to this second; a paused player stays paused."""
        self._move(at, self.state().playing)

    def stop(self) -> None:
        """End the player. Afterwards no process is left."""
        self._now, self._clock = self.state()._replace(playing=False), 0.0
        self._close()

    def state(self) -> PlayerState:
        if self._clock:
            began, self._clock = self._clock, time.monotonic()
            self._now = self._now._replace(position=self._now.position + self._clock - began)
        if self._guard:
            status = self._guard.poll()  # first: standard error is complete when the guard has ended
            errors = os.pread(self._errors, guard.MOST_ERRORS, 0).rstrip(b"\0").replace(b"\r", b"\n")
            places = _POSITION.findall(errors) if self._name == "ffplay" else []
            self._now = self._now._replace(position=float(places[-1])) if places else self._now
            if self._mpv:
                self._read_mpv(self._mpv)
            if status == 0 and (places or self._name != "ffplay"):  # ffplay also ends with 0 if it can't play
                self._end()
            elif status is not None:
                how = f"ended with status {status}" if status else "did not play"
                how = how if 0 <= status <= 128 else f"was ended by signal {abs(status) % 128}"
                lines = [self._reason, *_NOISE.sub(b"", errors).decode("utf-8", "replace").split("\n")]
                self._end(f"{how}: {next(filter(None, map(clean_line, reversed(lines))), '')}")
        return self._now

    def _end(self, failure: str = "") -> None:
        failure = failure and redact(clean_line(f"{self._name} {failure}", 200)).rstrip(".: ") + "."
        self._now, self._clock = PlayerState(self._now.position, False, not failure, failure), 0.0
        self._close()

    def _move(self, at: float, playing: bool) -> None:
        self._now, self._clock = PlayerState(at, playing), 0.0
        if self._mpv:
            self._ask_mpv(self._mpv, "set_property", "start", f"{at:.2f}")  # used if the file is not open yet
            self._ask_mpv(self._mpv, "seek", at, "absolute+exact")
            self._ask_mpv(self._mpv, "set_property", "pause", not playing)
            self._moved = math.inf
        else:
            self._close(at_once=True)
            if playing:
                self._start()

    def _start(self) -> None:
        file = self._rest() if self._name == "afplay" else self._path
        null, pipe = subprocess.DEVNULL, subprocess.PIPE
        try:
            errors = self._open.enter_context(tempfile.TemporaryFile(buffering=0))  # noqa: SIM115 # `_close` closes it
            errors.write(bytes(guard.MOST_ERRORS))  # fails on a full disk
            ours, theirs = (self._open.enter_context(one) for one in socket.socketpair())
            ours.setblocking(False)
            words = [str(theirs.fileno()), *self._words]
            for mark, value in (("{start}", f"{self._now.position:.2f}"), ("{ipc}", words[0]), ("{file}", file)):
                words = [word.replace(mark, value) for word in words]
            words, fds = [sys.executable, "-I", "-S", guard.__file__, *words], [theirs.fileno()]
            self._guard = subprocess.Popen(
                words, stdin=pipe, stdout=errors, stderr=null, env=self._env, pass_fds=fds, start_new_session=True
            )
        except OSError as error:
            return self._end(f"could not be started: {error.strerror}")
        self._errors, self._unread, self._reason, self._moved = errors.fileno(), b"", "", 0.0
        self._mpv = ours if self._name == "mpv" else None
        self._clock = 0.0 if self._name in ("mpv", "ffplay") else time.monotonic()

    def _rest(self) -> str:
        """Path of a WAV file that starts at the position; of the whole file if it is no WAV file or is compressed."""
        try:
            file = self._open.enter_context(tempfile.NamedTemporaryFile(suffix=".wav"))  # noqa: SIM115
            with wave.open(self._path) as sound, wave.open(file, "wb") as rest:
                rest.setparams(sound.getparams())
                sound.setpos(min(int(self._now.position * sound.getframerate()), sound.getnframes()))
                rest.writeframes(sound.readframes(sound.getnframes()))
            return file.name
        except (OSError, EOFError, wave.Error):
            self._now = self._now._replace(position=0.0)
            return self._path

    def _ask_mpv(self, mpv: socket.socket, *command: object, number: int = 0) -> None:
        with contextlib.suppress(OSError):  # mpv has ended
            mpv.send(json.dumps({"command": command, "request_id": number}).encode() + b"\n")

    def _read_mpv(self, mpv: socket.socket) -> None:
        """Read the position and request the next one; the request's number is its time."""
        with contextlib.suppress(OSError):  # nothing to read
            self._unread += mpv.recv(1 << 18)
        *lines, self._unread = self._unread.split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError, TypeError, AttributeError):  # no position, or not written by mpv
                answer = json.loads(line)
                self._reason = answer.get("file_error", self._reason)
                self._moved = 0.0 if answer.get("event") == "playback-restart" else self._moved
                if (asked := answer.get("request_id", 0) / 1e6) > self._moved and 0 <= answer.get("data") < 1e9:
                    self._now = self._now._replace(position=answer["data"])
                    self._clock = asked if self._now.playing else 0.0
        self._ask_mpv(mpv, "get_property", "time-pos", number=int(time.monotonic() * 1e6))

    def _close(self, at_once: bool = False) -> None:
        """End the guard, which first ends the player."""
        self._open.close()
        if self._guard:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._guard.communicate(b"1" if at_once else b"", timeout=4 * guard.GRACE)
        self._guard = self._mpv = None
