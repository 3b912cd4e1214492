"""Programs in a real tmux or screen, which runs in a pseudo-terminal: what the program puts on its screen, what the
multiplexer makes of it, and every byte that arrives in the terminal around it (`outer.raw`)."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from terminal import PROGRAM, Terminal
from waiting import PATIENCE

NEEDS_TMUX = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
NEEDS_SCREEN = pytest.mark.skipif(shutil.which("screen") is None, reason="GNU screen is not installed")


class Multiplexer:
    """A tmux or a screen with the program in its only window; both end with the test."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], folder: Path, columns: int, lines: int) -> None:
        self.env, self.folder = dict(env), folder
        self.outer = Terminal(env=env, columns=columns, lines=lines, command=argv)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        self.outer.__exit__(kind, error, trace)
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, *argv: str) -> bytes:
        """Run a program beside it, with the same environment; returns what it prints, whatever its exit status."""
        done = subprocess.run(
            argv, env=self.env, capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False
        )
        return done.stdout

    def press(self, *keys: str) -> None:
        """Type keys by name, or any text as it is, in the terminal around."""
        self.outer.press(*keys)

    def wait(self, *texts: str, gone: str = "") -> Self:
        """Wait until all of these texts are in the program's window, and `gone` is not."""
        self.outer.wait(*texts, gone=gone)
        return self

    def arrives(self, data: bytes) -> Self:
        """Wait until these bytes are in what the terminal around was sent."""
        self.outer.until(lambda: data in self.outer.raw, f"{data[:60]!r} in the outer terminal")
        return self

    @property
    def text(self) -> str:
        """What the terminal around shows: the program's window, which is the only one."""
        return self.outer.text

    def end(self) -> None:
        """End it, with all that runs in it."""
        raise NotImplementedError


class Tmux(Multiplexer):
    """tmux with a server of its own and `config` as its only configuration; the program gets `args`."""

    def __init__(
        self,
        *args: str,
        env: Mapping[str, str],
        config: str = "",
        columns: int = 120,
        lines: int = 36,
        command: Sequence[str] = PROGRAM,
    ) -> None:
        folder = Path(tempfile.mkdtemp(prefix="tmux-"))  # the paths of tests are too long for a socket
        (folder / "tmux.conf").write_text(f"set -g status off\n{config}\n")
        self._tmux = ("tmux", "-S", str(folder / "socket"), "-f", str(folder / "tmux.conf"))
        argv = (*self._tmux, "new-session", "-x", str(columns), "-y", str(lines), "--", *command, *args)
        super().__init__(argv, env, folder, columns, lines)

    def command(self, *args: str) -> bytes:
        """A command of tmux; returns what it prints."""
        return self.call(*self._tmux, *args)

    @property
    def buffer(self) -> bytes:
        """The newest text that was copied."""
        return self.command("show-buffer")

    def end(self) -> None:
        """End the server."""
        self.command("kill-server")


class Screen(Multiplexer):
    """screen with sockets of its own and `config` as the user's configuration; the program gets `args`."""

    def __init__(
        self,
        *args: str,
        env: Mapping[str, str],
        config: str = "",
        columns: int = 120,
        lines: int = 36,
        command: Sequence[str] = PROGRAM,
    ) -> None:
        folder = Path(tempfile.mkdtemp(prefix="screen-"))
        (folder / "sockets").mkdir(mode=0o700)
        (folder / "screenrc").write_text(f"startup_message off\n{config}\n")
        env = {**env, "SCREENDIR": str(folder / "sockets"), "SYSSCREENRC": os.devnull}
        argv = ("screen", "-U", "-S", "test", "-c", str(folder / "screenrc"), *command, *args)
        super().__init__(argv, env, folder, columns, lines)

    def command(self, *args: str) -> bytes:
        """A command of screen; returns what it prints."""
        return self.call("screen", "-S", "test", "-p", "0", "-X", *args)

    def end(self) -> None:
        """End the session."""
        self.command("quit")
