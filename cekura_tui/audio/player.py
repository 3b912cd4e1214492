"""Play a file from any second with the user's player. The player ends with this program, however this program ends."""

from __future__ import annotations

import contextlib
import json
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

_OPTIONS = {
    "mpv": "--no-video --force-window=no --quiet --msg-level=all=error --input-terminal=no --idle=no --keep-open=no"
    " --loop-file=no --hr-seek=yes --no-resume-playback --save-position-on-quit=no --access-references=no"
    " --input-ipc-client=fd://1 --start={start}",
    "ffplay": "-nodisp -autoexit -loglevel error -stats -ss {start}",
    "cvlc": "--play-and-exit --no-video --start-time={start}",
    "afplay": "",
}
"""The known players in order of preference. Their options come before the user's options, which win."""
_POSITION = re.compile(rb'(?:^ *|"data":)(\d+\.\d+)(?: +[AMV]-[AMV]:|\})', re.MULTILINE)
"""Matches the position that ffplay or mpv reports."""
_NOISE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|^.*(sq=.*|\dB *|\})$", re.MULTILINE)
"""Matches what no failure quotes: control sequences, the statistics of ffplay, and the events of mpv."""
_SOUND_DEVICES = Path("/dev/snd")


class PlayerState(NamedTuple):
    """`position` is in seconds. `ended` means: at the end of the file. `failure` is a sentence or empty."""

    position: float
    playing: bool = False
    ended: bool = False
    failure: str = ""


def find_player(setting: str, env: Mapping[str, str]) -> list[str] | None:
    """The words of the user's command, else of the first installed player, else None, with `{file}` and `{start}` for
    the path and the second. Raises RecordingError."""
    for command in [setting] if setting.strip() else _OPTIONS:
        program, *rest = command_words(command) or [""]
        if program and shutil.which(program, path=env.get("PATH")):
            options = _OPTIONS.get(os.path.basename(program), "").split()
            return [program, *options, *rest, *([] if "{file}" in command else ["{file}"])]
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
    """Plays one file. `play` stops every other player of this process."""

    _latest: ClassVar[Player | None] = None

    def __init__(self, command: list[str], path: Path, env: Mapping[str, str]) -> None:
        self._name, self._words = os.path.basename(command[0]), command
        self._path, self._env = str(path.absolute()), without_key(env)
        self._now, self._moved, self._output = PlayerState(0.0), (0.0, 0.0), b""
        self._guard: subprocess.Popen[bytes] | None = None
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
        self._now = self.state()._replace(playing=False)
        self._close()

    def state(self) -> PlayerState:
        if self._guard:
            status = self._guard.poll()  # first: the output is complete when the guard has ended
            with contextlib.suppress(OSError):  # nothing to read
                self._output = (self._output + self._socket.recv(1 << 18).replace(b"\r", b"\n"))[-2_000:]
            if self._now.playing:
                self._now = self._now._replace(position=self._position())
            if status is not None:
                self._end(status)
        return self._now

    def _position(self) -> float:
        """The last reported position, or the time since the last move for a player that reports none."""
        place, since = self._moved
        played = time.monotonic() - since
        # A report from before the move is far from its place. The user may have set a higher speed.
        reports = [at for at in map(float, _POSITION.findall(self._output)) if -1 < at - place < 4 * played + 0.5]
        assumed = self._now.position if self._name in ("mpv", "ffplay") else place + played
        return reports[-1] if reports else assumed

    def _end(self, status: int) -> None:
        failure = ""
        if status or (self._name == "ffplay" and not _POSITION.search(self._output)):  # it ends with 0 if it can't play
            how = f"ended with status {status}" if status else "did not play"
            how = how if 0 <= status <= 128 else f"was ended by signal {abs(status) % 128}"
            lines = _NOISE.sub(b"", self._output).decode("utf-8", "replace").split("\n")
            reason = next(filter(None, map(clean_line, reversed(lines))), "")
            failure = redact(clean_line(f"{self._name} {how}: {reason}", 200)).rstrip(".: ") + "."
        self._now = PlayerState(self._now.position, False, not failure, failure)
        self._close()

    def _move(self, at: float, playing: bool) -> None:
        self._now, self._moved = PlayerState(at, playing), (at, time.monotonic())
        if self._guard and self._name == "mpv":
            self._output = b""
            self._ask_mpv("set_property", "start", f"{at:.2f}")  # used if the file is not open yet
            self._ask_mpv("seek", at, "absolute+exact")
            self._ask_mpv("set_property", "pause", not playing)
        else:
            self._close()
            if playing:
                self._start()

    def _start(self) -> None:
        file = self._rest() if self._name == "afplay" else self._path
        if self._name not in _OPTIONS and "{start}" not in " ".join(self._words):
            self._now, self._moved = PlayerState(0.0, True), (0.0, time.monotonic())
        start = f"{self._now.position:.2f}"
        words = [word.replace("{start}", start).replace("{file}", file) for word in self._words]
        words = [sys.executable, "-I", "-S", guard.__file__, *words]
        self._socket, theirs = (self._open.enter_context(one) for one in socket.socketpair())
        self._socket.setblocking(False)
        pipe, output = subprocess.PIPE, theirs.fileno()
        try:
            self._guard = subprocess.Popen(
                words, stdin=pipe, stdout=output, stderr=output, env=self._env, start_new_session=True
            )
        except OSError as error:  # an upgrade has replaced this Python
            self._now = PlayerState(self._now.position, failure=f"{self._name} did not start: {error.strerror}.")
        self._output = b""
        if self._name == "mpv":
            self._ask_mpv("observe_property", 1, "time-pos")

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
            self._now, self._moved = PlayerState(0.0, True), (0.0, time.monotonic())
            return self._path

    def _ask_mpv(self, *command: object) -> None:
        with contextlib.suppress(OSError):  # mpv has ended
            self._socket.send(json.dumps({"command": command}).encode() + b"\n")

    def _close(self) -> None:
        """End the guard, which first ends the player."""
        self._open.close()
        if self._guard:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._guard.communicate(timeout=10 * guard.GRACE)  # closes its standard input
        self._guard = None
