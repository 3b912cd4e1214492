"""Run the user's commands that propose prompts. Each has a folder, and a supervisor that outlives this process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cekura_tui.api.client import LaunchAnswer, ProgressAnswer
from cekura_tui.api.errors import ApiError
from cekura_tui.config.programs import command_words, in_thread, without_key
from cekura_tui.jobs import supervisor
from cekura_tui.jobs.command_answers import read_answer
from cekura_tui.jobs.supervisor import start_of
from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import Draft
from cekura_tui.model.job_kind import JobKind
from cekura_tui.model.secrets import redact
from cekura_tui.model.text import Prompt, clean_json, clean_line, prompt_bytes

MOST_ANSWER, LAST_ERRORS = 300_000, 4_000
"""Characters kept of an answer that is no prompt, and of the end of standard error."""
_START_WITHIN, _REMOTE_GRACE, _STEP = 30.0, 120.0, 0.02
"""Seconds within which a supervisor must start, seconds after its time limit when one on another host counts as lost,
and seconds between two checks."""
_CONTROL_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")


class CommandNotStarted(ApiError):
    """The command certainly was not started."""

    title = "The command was not started"
    is_transient = False
    not_accepted = True


class CommandRunner:
    """Starts, follows and stops commands. Their folders are in `home`/proposals; only this user can read them."""

    def __init__(self, home: Path) -> None:
        self._home = home / "proposals"

    def prepare(self, text: str, sent: Prompt) -> str:
        """Save the `text` for a command's standard input, and the prompt that it improves, in a new folder; return the
        folder's name. Raises UsageError if they cannot be saved."""
        return self._new_folder(sent, input=prompt_bytes(text))

    def prepare_result(self, proposed: str, sent: Prompt) -> str:
        """Save a proposed prompt from a file in a new folder, like the answer of a command that has ended; return the
        folder's name. Raises UsageError if it cannot be saved."""
        status = json.dumps({"subject": "The file", "exit": 0, "ended": time.time()})
        return self._new_folder(sent, output=prompt_bytes(proposed), status=status.encode())

    def again(self, folder: str) -> str:
        """Prepare a relaunch: copy the input and the prompt to a new folder, and return its name. Raises UsageError."""
        path = self._path(folder)
        if not (text := _text(path / "input")):
            raise UsageError("The input of the earlier command was deleted.")
        return self.prepare(text, Prompt(_text(path / "sent")))

    def forget(self, folder: str) -> None:
        """Delete the folder of a command, unless the command is running."""
        if "ended" in self._status(folder):
            shutil.rmtree(self._path(folder), ignore_errors=True)

    def started(self, folder: str) -> bool:
        """Whether a command was started. If not, a start that has begun is withdrawn, also one by another process."""
        for ready in self._path(folder).glob("ready-*"):
            ready.unlink(missing_ok=True)
        return (self._path(folder) / "status").exists()

    async def launch(self, draft: Draft) -> LaunchAnswer:
        """Start the command of a draft in the working directory; its id is its folder. Raises CommandNotStarted."""
        folder = str(draft.parameters["folder"])
        if "command" not in draft.parameters:  # a prompt from a file
            return LaunchAnswer(folder, "{}")
        words = command_words(str(draft.parameters["command"]))
        if not words or not shutil.which(words[0]):
            name = redact(clean_line(words[0])) if words else "…"
            raise CommandNotStarted(f"There is no program “{name}” that can be run.", "Check its name and permissions.")
        if self.started(folder):
            raise CommandNotStarted("The command was already started.")
        path, null = self._path(folder), subprocess.DEVNULL
        ready = path / f"ready-{secrets.token_hex(4)}"
        env = {name: value for name, value in without_key(os.environ).items() if not name.startswith("CEKURA_")}
        command = json.dumps({"words": words, "minutes": draft.parameters["minutes"]}).encode()
        run = [sys.executable, "-I", "-S", supervisor.__file__, str(ready)]
        try:
            _write(path, command=command, output=b"", errors=b"", **{ready.name: b" " * supervisor.STATUS_BYTES})
            process = subprocess.Popen(  # noqa: ASYNC220 # a thread waits for its end
                run, env=env, stdin=null, stdout=null, stderr=null, start_new_session=True
            )
        except OSError as error:
            self.started(folder)  # deletes `ready`
            raise CommandNotStarted(f"The command could not be started: {error.strerror}.") from None
        ended = in_thread(process.wait)
        await _until(lambda: (path / "status").exists() or ended.done(), _START_WITHIN)
        if not self.started(folder):
            process.kill()
            raise CommandNotStarted("The process that runs the command ended, or did not start in time.")
        return LaunchAnswer(folder, "{}")

    async def progress(self, kind: JobKind, folder: str) -> ProgressAnswer:
        """The state of a command, with its answer once it has ended. Raises ApiError if its files can't be read now."""
        path, status = self._path(folder), self._checked(folder)
        output, errors = _read(path / "output"), _read(path / "errors").decode("utf-8", "replace")
        errors = redact(f"{_CONTROL_SEQUENCE.sub('', errors)}\n{status.get('trouble', '')}".strip()[-LAST_ERRORS:])
        subject, code, failure = status.get("subject", "The command"), status.get("exit") or 0, status.get("failure")
        answer = {"status": "running", "exit": status.get("exit"), "written": len(output), "errors": errors}
        if "ended" not in status:
            return ProgressAnswer(clean_json(answer), '{"status": "running"}')
        if "lost" in status:
            answer |= {"status": "lost", "end": "lost", "error": status["lost"]}
        elif failure or code:
            how = f"ended with exit status {code}" if code > 0 else f"was ended by signal {-code}"
            answer |= {"status": "ended", "end": "failed", "error": f"{subject} {failure or how}."}
        else:
            answer |= read_answer(output, Prompt(_text(path / "sent")), subject)._asdict()
        if answer["end"] in ("failed", "lost"):
            answer["answer"] = redact(output.decode("utf-8", "replace")[:MOST_ANSWER])
        raw = redact(json.dumps(answer))
        return ProgressAnswer(clean_json(answer, frozenset({"improved_prompt"})), raw)

    async def stop(self, folder: str) -> None:
        """Stop a command with its whole process group. Raises UsageError if it runs on another host."""
        if not self.started(folder) or "ended" in (status := self._checked(folder)):
            return
        if status["host"] != socket.gethostname():
            raise UsageError(f"The command runs on {status['host']}.", "Stop it there.")
        pid, start = status["supervisor"]
        for number, within in ((signal.SIGTERM, 2 * supervisor.GRACE), (signal.SIGKILL, supervisor.GRACE)):
            if start_of(pid) == start:
                with contextlib.suppress(OSError):
                    os.kill(pid, number)
                await _until(lambda: start_of(pid) != start, within)
        if "ended" not in self._status(folder):
            self._end(folder, failure="was stopped")

    def _checked(self, folder: str) -> dict[str, Any]:
        """The status of a command. If its supervisor has vanished, the command is killed and recorded as lost."""
        status = self._status(folder)
        if "ended" in status:
            return status
        if (host := status["host"]) != socket.gethostname():
            is_late = time.time() > status["began"] + 60 * status["minutes"] + _REMOTE_GRACE
            late = {"ended": 0.0, "lost": f"The command ran on {host} and did not end in time."}
            return status | (late if is_late else {})
        pid, start = status["supervisor"]
        if start_of(pid) == start or "ended" in (status := self._status(folder)):  # read after the check
            return status
        why = "The process that ran the command was killed" if _same_boot(start) else "The machine restarted"
        return self._end(folder, lost=f"{why} before the command ended.")

    def _end(self, folder: str, **end: str) -> dict[str, Any]:
        """Kill what is left of a command whose supervisor is gone, and record how it ended; returns its status."""
        status = {**self._status(folder), **end, "ended": time.time()}
        group, start = status.get("command", (0, ""))
        # A group without its first process is the command's: the number is not reused while the group exists.
        if group and start_of(group) in ((start, "") if _same_boot(start) else (start,)):
            supervisor.send_to_group(group, signal.SIGKILL)
        with contextlib.suppress(OSError), open(self._path(folder) / "status", "r+b") as file:
            supervisor.write_status(file.fileno(), status)
        return status

    def _status(self, folder: str) -> dict[str, Any]:
        """The content of a status file. Raises ApiError if it can't be read now."""
        found = _read(self._path(folder) / "status")
        try:
            return dict(json.loads(found or '{"ended": 0, "lost": "The files of the command were deleted."}'))
        except ValueError:
            raise ApiError("The status of the command can't be read.") from None

    def _path(self, folder: str) -> Path:
        return self._home / (folder if folder.isalnum() else "-")

    def _new_folder(self, sent: Prompt, **files: bytes) -> str:
        """Write files to a new folder; return its name. Raises UsageError, and leaves no folder behind."""
        path = self._path(secrets.token_hex(8))
        try:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.mkdir(mode=0o700)
            _write(path, sent=prompt_bytes(sent), **files)
        except OSError as error:
            shutil.rmtree(path, ignore_errors=True)
            raise UsageError(f"Can't write {path}: {error.strerror}.", "Nothing was started.") from None
        return path.name


def _same_boot(start: str) -> bool:
    """Whether a start time is known to be of the time since the machine started."""
    return start.partition(":")[0] == start_of(os.getpid()).partition(":")[0]


async def _until(condition: Callable[[], bool], within: float) -> None:
    end = time.monotonic() + within
    while not condition() and time.monotonic() < end:  # noqa: ASYNC110 # other processes set no event
        await asyncio.sleep(_STEP)


def _write(folder: Path, **files: bytes) -> None:
    """Write files that only this user can read. Raises OSError."""
    for name, content in files.items():
        with open(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def _read(path: Path) -> bytes:
    """The content of a file, empty if there is none. Raises ApiError if it can't be read now."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise ApiError(f"Can't read {path}: {error.strerror}.") from None


def _text(path: Path) -> str:
    return _read(path).decode("utf-8", "surrogatepass")
