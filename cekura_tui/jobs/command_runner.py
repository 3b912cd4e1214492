"""Run the user's commands that propose prompts. Each has a folder, and a supervisor that outlives this process."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from cekura_tui.api.client import LaunchAnswer, ProgressAnswer
from cekura_tui.api.errors import ApiError
from cekura_tui.config.programs import command_words, in_thread, without_key
from cekura_tui.jobs import supervisor
from cekura_tui.jobs.supervisor import start_of
from cekura_tui.model.errors import UsageError
from cekura_tui.model.job import Draft
from cekura_tui.model.job_kind import JobKind, Progress
from cekura_tui.model.secrets import redact
from cekura_tui.model.text import Prompt, clean_json, clean_line, prompt_bytes

MOST_ANSWER, LAST_ERRORS = 300_000, 4_000
"""Characters kept of an answer that is no prompt, and of the end of standard error."""
_CONTROL_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


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
        """Save a command's input and the prompt to improve in a new folder; return its name. Raises UsageError."""
        return self._new_folder(input=prompt_bytes(text), sent=prompt_bytes(sent))

    def prepare_result(self, proposed: str, sent: Prompt) -> str:
        """Save a prompt from a file like the answer of a command; return the folder's name. Raises UsageError."""
        status = json.dumps({"subject": "The file", "exit": 0, "ended": time.time()}).encode()
        return self._new_folder(output=prompt_bytes(proposed), sent=prompt_bytes(sent), status=status)

    def again(self, folder: str) -> str:
        """Prepare a relaunch: copy the input and the prompt to a new folder, and return its name. Raises UsageError."""
        path = self._path(folder)
        if not (text := _read(path / "input")):
            raise UsageError("The input of the earlier command was deleted.")
        return self._new_folder(input=text, sent=_read(path / "sent"))

    def forget(self, folder: str) -> None:
        """Delete the folder of a command, unless the command is running."""
        if "ended" in self._status(folder):
            shutil.rmtree(self._path(folder), ignore_errors=True)

    def started(self, folder: str) -> bool:
        """Whether a command was started, also if it has ended or was killed since."""
        return "lost" not in (status := self._status(folder)) or "command" in status

    async def launch(self, draft: Draft) -> LaunchAnswer:
        """Start the command of a draft in the working directory; its id is its folder. Raises CommandNotStarted."""
        folder = str(draft.parameters["folder"])
        if "command" not in draft.parameters:  # a prompt from a file
            return LaunchAnswer(folder, "{}")
        words = command_words(str(draft.parameters["command"]))
        if not words or not shutil.which(words[0]):
            name = redact(clean_line(words[0])) if words else "…"
            raise CommandNotStarted(f"There is no program “{name}” that can be run.", "Check its name and permissions.")
        _start(self._path(folder), words, str(draft.parameters["minutes"]))
        return LaunchAnswer(folder, "{}")

    async def progress(self, kind: JobKind, folder: str) -> ProgressAnswer:
        """The state of a command, with its answer once it has ended. Raises ApiError if its files can't be read now."""
        path, status = self._path(folder), self._status(folder)
        output, errors = _read(path / "output"), _read(path / "errors")[-16 * LAST_ERRORS :].decode("utf-8", "replace")
        errors = _CONTROL_SEQUENCE.sub("", errors).strip()[-LAST_ERRORS:]
        answer = {"status": "running", "written": len(output), "errors": errors}
        answer |= {name: status.get(name) for name in ("exit", "seconds")}
        subject = status.get("subject", "The command")
        if "lost" in status:
            answer |= {"status": "lost", "end": "lost", "error": status["lost"]}
        elif status.get("failure"):
            end = "stopped" if status["failure"] == supervisor.STOPPED else "failed"
            answer |= {"status": "ended", "end": end, "error": f"{subject} {status['failure']}."}
        elif "ended" in status:
            sent = Prompt(_read(path / "sent").decode("utf-8", "surrogatepass"))
            answer |= read_answer(output, sent, subject)._asdict()
        if answer.get("end") in ("failed", "stopped", "lost"):
            answer["answer"] = output.decode("utf-8", "replace")[:MOST_ANSWER]
        raw = redact(json.dumps(answer))
        exact = {**json.loads(raw), "improved_prompt": answer.get("improved_prompt")}
        return ProgressAnswer(
            clean_json(exact, frozenset({"improved_prompt"})), raw if "ended" in status else '{"status": "running"}'
        )

    async def stop(self, folder: str) -> None:
        """Stop a command with its whole process group."""
        (self._path(folder) / "run").unlink(missing_ok=True)
        ends_at = time.monotonic() + 2 * supervisor.GRACE
        while "ended" not in self._status(folder) and time.monotonic() < ends_at:  # noqa: ASYNC110 # another process
            await asyncio.sleep(0.02)

    def _status(self, folder: str) -> dict[str, Any]:
        """The status of a command, empty while its supervisor runs. If the supervisor was killed, kill the command and
        record it as lost. Raises ApiError if the status can't be read now."""
        try:
            with open(self._path(folder) / "status", "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                status: dict[str, Any] = json.loads(file.read() or "{}")
                if "ended" not in status:
                    group, start = status.get("command", (0, ""))
                    # The number of a group whose first process has ended is not reused while the group exists.
                    if group and start_of(group) in (start, ""):
                        with contextlib.suppress(OSError):  # the group has ended
                            os.killpg(group, signal.SIGKILL)
                    status |= {"ended": time.time(), "lost": "The command was killed, or the machine restarted."}
                    supervisor.write_status(file.fileno(), status)
                return status
        except BlockingIOError:  # locked by the supervisor
            return {}
        except FileNotFoundError:
            return {"ended": 0, "lost": "The files of the command were deleted."}
        except (OSError, ValueError):
            raise ApiError("The status of the command can't be read.") from None

    def _path(self, folder: str) -> Path:
        return self._home / (folder if folder.isalnum() else "-")

    def _new_folder(self, **files: bytes) -> str:
        """Write files to a new folder; return its name. Raises UsageError, and leaves no folder behind."""
        path = self._path(secrets.token_hex(8))
        try:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.mkdir(mode=0o700)
            for name, content in ({"output": b"", "errors": b"", "run": b""} | files).items():
                with open(os.open(path / name, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as error:
            shutil.rmtree(path, ignore_errors=True)
            raise UsageError(f"Can't write {path}: {error.strerror}.", "Nothing was started.") from None
        return path.name


def _start(folder: Path, words: list[str], minutes: str) -> None:
    """Start the supervisor of a command, which inherits the locked status file. Raises CommandNotStarted."""
    env = {name: value for name, value in without_key(os.environ).items() if not name.startswith("CEKURA_")}
    try:
        with (
            open(os.open(folder / "status", os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "wb") as status,
            open(folder / "input") as text,
            open(folder / "output", "a") as output,
            open(folder / "errors", "a") as errors,
        ):
            fcntl.flock(status, fcntl.LOCK_EX)
            supervisor.write_status(fd := status.fileno(), {})
            run = [sys.executable, "-I", "-S", supervisor.__file__, str(fd), str(folder / "run"), minutes, *words]
            process = subprocess.Popen(
                run, env=env, stdin=text, stdout=output, stderr=errors, pass_fds=[fd], start_new_session=True
            )
    except FileExistsError:
        raise CommandNotStarted("The command was already started.") from None
    except OSError as error:
        (folder / "status").unlink(missing_ok=True)
        raise CommandNotStarted(f"The command could not be started: {error.strerror}.") from None
    in_thread(process.wait)


def _read(path: Path) -> bytes:
    """The content of a file, empty if there is none. Raises ApiError if it can't be read now."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise ApiError(f"Can't read {path}: {error.strerror}.") from None


# Answers

_SUMMARY = re.compile(
    r"(?im)^[ \t>]*(?:-{2,}|[–—]+)[ \t]*summary(?: of (?:the )?changes)?[ \t]*(?:[-–—]*|:(.*?))[ \t\r]*$\n?"
)
_CLOSING_FENCE = re.compile(r"(?:`{3,}|~{3,})\s*\Z")
_REFUSAL = re.compile(
    r"(?i)\W*(?:(?:i['’]m|i am) (?:very |so |really )?(?:sorry|unable|afraid|not able)|sorry|(?:my )?apologies|"
    r"i apologi[sz]e|i (?:can['’]?t|cannot|can not|won['’]t|don['’]t (?:have|see)|do not (?:have|see))|as an ai\b|"
    r"unfortunately|(?:please|could you(?: please)?) (?:provide|share|paste|send)|error:|(?:es )?tut mir leid|leider|"
    r"lo (?:siento|lamento)|lamentablemente|(?:je suis )?désolée?|je ne peux|malheureusement|mi dispiace|purtroppo|"
    r"desculpe|sinto muito|infelizmente)"
)
_MARKED = re.compile(r"(?ms)^<<<PROMPT (\w+)\n(.*?)\nPROMPT \1>>>[^\n]*")
"""Matches a prompt between the marks of the text that the command has read."""
_LONGEST_REFUSAL = 1_500


def read_answer(output: bytes, sent: Prompt, subject: str = "The command") -> Progress:
    """Read what `subject` wrote: the whole prompt, and perhaps a line `--- summary` with a summary below. The prompt is
    kept as written, but ends with as many line breaks as the `sent` prompt."""
    from cekura_tui.prose.wrapper import wrapper_of  # not needed before a command has ended

    try:
        text = output.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        return Progress("failed", "ended", error=f"{subject} wrote something that is not text in UTF-8.")
    if (marked := _MARKED.search(text)) and not _MARKED.search(sent):
        rest = text[marked.end() :].lstrip("\n")
        text = f"{marked[2]}\n{rest if _SUMMARY.match(rest) else ''}"
    marks, summary = list(_SUMMARY.finditer(text)), None
    last = sent.strip().rpartition("\n")[2]  # a line in the middle of the prompt does not begin the summary
    if len(marks) > len(_SUMMARY.findall(sent)) and last not in text[marks[-1].end() :].splitlines():
        summary = _CLOSING_FENCE.sub("", f"{marks[-1][1] or ''}\n{text[marks[-1].end() :]}").strip() or None
        text = text[: marks[-1].start()]
    text = text if sent.startswith("\ufeff") else text.removeprefix("\ufeff")
    prompt = Prompt(text.rstrip("\r\n") + sent[len(sent.rstrip("\r\n")) :])
    inner = wrapper_of(sent, prompt).inner
    whole, bare, before = (one.replace("\r\n", "\n").strip() for one in (prompt, inner, sent))
    error = None
    if before in (whole, bare):
        same = "proposed no changes" if subject == "The command" else "has the same prompt"
        return Progress("no_issues", "ended", None, summary, f"{subject} {same}. {summary or ''}".strip())
    if not bare:
        error = f"{subject} wrote no prompt."
    elif _REFUSAL.match(bare) and len(bare) < max(_LONGEST_REFUSAL, len(before) // 2) and not _REFUSAL.match(before):
        error = f"{subject} wrote an apology, a question or an error instead of a prompt."
    elif 10 * len(bare) < len(before):
        error = f"{subject} wrote too little: {len(bare):,} characters, and the old prompt has {len(before):,}."
    return Progress("failed" if error else "succeeded", "ended", None if error else prompt, summary, error)
