"""Programs in a real tmux or screen, which runs in a pseudo-terminal: what the program puts on its screen, what the
multiplexer makes of it, and every byte that arrives in the terminal around it (`outer.raw`)."""

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
    """A tmux or a screen with the program in its only window; both end with the test.

    `argv` starts it, `own` begins the commands that it gets from outside, and `last` is the one that ends it.
    """

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
        """A command of the multiplexer; returns what it prints, whatever its exit status."""
        argv, nothing = [*self._own, *args], subprocess.DEVNULL
        done = subprocess.run(argv, env=self._env, capture_output=True, stdin=nothing, timeout=PATIENCE, check=False)
        return done.stdout

    def press(self, *keys: str) -> Self:
        """Type keys by name, or any text as it is, in the terminal around."""
        self.outer.press(*keys)
        return self

    def wait(self, *texts: str, gone: str = "") -> Self:
        """Wait until all of these texts are in the program's window, and `gone` is not."""
        self.outer.wait(*texts, gone=gone)
        return self

    @property
    def text(self) -> str:
        """What the terminal around shows: the program's window, which is the only one."""
        return self.outer.text


class Tmux(Multiplexer):
    """tmux with a server of its own and `config` as its only configuration; the program gets `args`."""

    def __init__(self, *args: str, config: str = "", command: Sequence[str] = PROGRAM, **options: Any) -> None:
        folder = Path(tempfile.mkdtemp(prefix="tmux-"))  # the paths of tests are too long for a socket
        (folder / "tmux.conf").write_text(f"set -g status off\n{config}\n")
        own = ("tmux", "-S", str(folder / "socket"), "-f", str(folder / "tmux.conf"))
        argv = (*own, "new-session", "--")
        super().__init__(argv, own, "kill-server", folder, command=[*command, *args], **options)

    @property
    def buffer(self) -> bytes:
        """The newest text that was copied."""
        return self.command("show-buffer")


class Screen(Multiplexer):
    """screen with sockets of its own and `config` as the user's configuration; the program gets `args`."""

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
