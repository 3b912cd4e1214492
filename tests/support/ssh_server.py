"""A real sshd on the loopback, with its own keys and behind a slow line. The user who runs the tests can log in."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from waiting import PATIENCE

_READ = 1 << 16
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def missing() -> str:
    """Reason why sshd cannot run here; "" if it can."""
    absent = [name for name in ("ssh", "ssh-keygen") if not shutil.which(name)]
    return "needs " + " and ".join([*absent, *([] if SSHD else ["sshd"])]) if absent or not SSHD else ""


class SlowLine:
    """A TCP proxy that delays every byte by `delay` seconds in each direction."""

    def __init__(self, port: int, delay: float) -> None:
        self._target, self._delay = port, delay
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._ends += [near, far]
                self._carry(near, far)
                self._carry(far, near)

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        on_the_way: SimpleQueue[tuple[float, bytes]] = SimpleQueue()

        def take() -> None:
            data = b"-"
            while data:
                try:
                    data = source.recv(_READ)
                except OSError:
                    data = b""
                on_the_way.put((time.monotonic() + self._delay, data))

        def give() -> None:
            with suppress(OSError):
                while True:
                    due, data = on_the_way.get()
                    time.sleep(max(due - time.monotonic(), 0.0))
                    if not data:
                        target.shutdown(socket.SHUT_WR)
                        return
                    target.sendall(data)

        for one in (take, give):
            threading.Thread(target=one, daemon=True).start()

    def cut(self) -> None:
        """Stop listening, and close all connections at both ends of the line."""
        self._listening.close()
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@dataclass(frozen=True)
class SshServer:
    """A running sshd; `line` is the slow line to it, `directory` has the keys."""

    directory: Path
    line: SlowLine

    def command(self, program: Sequence[str], env: Mapping[str, str]) -> list[str]:
        """An ssh command line that runs a program on the server with this environment."""
        given = [f"{name}={value}" for name, value in env.items()]
        options = ["UserKnownHostsFile=/dev/null", "StrictHostKeyChecking=no", "IdentitiesOnly=yes", "LogLevel=ERROR"]
        return [
            *("ssh", "-tt", "-F", "none", "-p", str(self.line.port), "-i", str(self.directory / "user")),
            *(part for option in options for part in ("-o", option)),
            f"{getpass.getuser()}@127.0.0.1",
            f"exec {shlex.join(['env', *given, *program])}",
        ]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0) as one:
        return one.recv(4) == b"SSH-"
    return False


@contextmanager
def ssh_server(directory: Path, delay: float) -> Iterator[SshServer]:
    """Run sshd behind a line with this delay in seconds; yields the server. Raises OSError with sshd's message if sshd
    does not start."""
    assert SSHD is not None
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)], check=True)
    shutil.copy(directory / "user.pub", directory / "authorized_keys")
    if os.getuid() == 0:
        # The system service creates this directory; without it sshd refuses to run as root.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    port, log = _free_port(), directory / "sshd.log"
    settings = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": directory / "host",
        "AuthorizedKeysFile": directory / "authorized_keys",
        "PidFile": "none",
        "StrictModes": "no",
        "PasswordAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
        "UsePAM": "no",
        "PrintMotd": "no",
    }
    (directory / "sshd_config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    with ExitStack() as stack:
        server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(directory / "sshd_config")], stderr=log.open("wb"))
        stack.callback(server.wait)
        stack.callback(server.terminate)
        end = time.monotonic() + PATIENCE
        while not _answers(port):
            if server.poll() is not None or time.monotonic() > end:
                raise OSError(f"sshd does not run here: {log.read_text()[-300:]}")
            time.sleep(0.05)
        line = SlowLine(port, delay)
        stack.callback(line.cut)
        yield SshServer(directory, line)
