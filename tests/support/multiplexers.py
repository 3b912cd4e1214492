"""Run the program in a real tmux or screen inside a pseudo-terminal. `outer` is the surrounding terminal; `outer.raw`
has every byte that the multiplexer sends to the surrounding terminal."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pytest
from terminal import PROGRAM, Terminal
from waiting import PATIENCE

NEEDS_TMUX = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
NEEDS_SCREEN = pytest.mark.skipif(shutil.which("screen") is None, reason="GNU screen is not installed")


class Multiplexer:
    """A tmux or screen session whose only window runs the program. `argv` starts the session, each control command
    begins with `own`, and the control command `last` ends the session."""

    def __init__(
        self,
        argv: Sequence[str],
        own: Sequence[str],
        last: str,
        folder: Path,
        *,
        env: Mapping[str, str],
        columns: int = 120,
        lines: int = 36,
        command: Sequence[str] = PROGRAM,
    ) -> None:
        self._own, self._last, self._folder, self._env = own, last, folder, dict(env)
        self.outer = Terminal(env=env, columns=columns, lines=lines, command=[*argv, *command])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.command(self._last)
        self.outer.__exit__(*error)
        shutil.rmtree(self._folder, ignore_errors=True)

    def command(self, *args: str) -> bytes:
        """Run a control command and return its output, ignoring the exit status."""
        argv, nothing = [*self._own, *args], subprocess.DEVNULL
        done = subprocess.run(argv, env=self._env, capture_output=True, stdin=nothing, timeout=PATIENCE, check=False)
        return done.stdout

    def press(self, *keys: str) -> Self:
        """Type keys by name, or literal text, in the outer terminal."""
        self.outer.press(*keys)
        return self

    def wait(self, *texts: str, gone: str = "") -> Self:
        """Wait until the window shows all texts, and does not show `gone`."""
        self.outer.wait(*texts, gone=gone)
        return self

    @property
    def text(self) -> str:
        """Text of the outer terminal, which the program's window fills."""
        return self.outer.text


class Tmux(Multiplexer):
    """tmux with a server of its own; `config` is its only configuration, and `args` are arguments of the program."""

    def __init__(self, *args: str, config: str = "", command: Sequence[str] = PROGRAM, **options: Any) -> None:
        folder = Path(tempfile.mkdtemp(prefix="tmux-"))  # pytest's tmp_path is too long for a socket
        (folder / "tmux.conf").write_text(f"set -g status off\n{config}\n")
        own = ("tmux", "-S", str(folder / "socket"), "-f", str(folder / "tmux.conf"))
        argv = (*own, "new-session", "--")
        super().__init__(argv, own, "kill-server", folder, command=[*command, *args], **options)

    @property
    def buffer(self) -> bytes:
        """The text that was last copied in tmux."""
        return self.command("show-buffer")


class Screen(Multiplexer):
    """GNU screen with its own sockets; `config` is the user's configuration, `args` are arguments of the program."""

    def __init__(
        self, *args: str, env: Mapping[str, str], config: str = "", command: Sequence[str] = PROGRAM, **options: Any
    ) -> None:
        folder = Path(tempfile.mkdtemp(prefix="screen-"))
        (folder / "sockets").mkdir(mode=0o700)
        (folder / "screenrc").write_text(f"startup_message off\n{config}\n")
        env = {**env, "SCREENDIR": str(folder / "sockets"), "SYSSCREENRC": os.devnull}
        own = ("screen", "-S", "test", "-p", "0", "-X")
        argv = ("screen", "-U", "-S", "test", "-c", str(folder / "screenrc"))
        super().__init__(argv, own, "quit", folder, env=env, command=[*command, *args], **options)
