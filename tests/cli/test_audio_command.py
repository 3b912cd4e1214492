"""`runs audio` writes the recording of a run to a file or a pipe."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from calling import call, call_into, called
from scripted_server import Reply, ScriptedServer, run_of, serve_runs

WAV = b"RIFF\x24\x00\x00\x00WAVE\xff\x00\n" * 99


@pytest.fixture
def recorded(api: ScriptedServer) -> ScriptedServer:
    """A server whose run 5 has a recording; run 6 has none."""
    serve_runs(api, run_of(5, voice_recording_url=f"{api.url}/5.wav?signature=x"), run_of(6))
    api.on("GET", "/5.wav", Reply(WAV))
    return api


def test_a_recording_is_written_to_a_pipe_and_to_a_file(recorded: ScriptedServer, tmp_path: Path) -> None:
    out = tmp_path / "5.wav"
    assert called("runs", "audio", 5).raw == WAV
    result = called("runs", "audio", 5, "--out", out)
    assert (result.raw, result.err) == (b"", f"Saved the recording to {out} (0.0 MB).\n")
    assert out.read_bytes() == WAV
    assert len(recorded.requests("GET", "/5.wav")) == 1  # kept by the first command
    refused = call("runs", "audio", 5, "--out", out)
    assert (refused.status, "--force" in refused.err) == (2, True)
    called("runs", "audio", 5, "--out", out, "--force")


def test_a_recording_that_is_not_kept_is_gone_after_the_command(recorded: ScriptedServer, home: Path) -> None:
    called("config", "set", "keep_audio", "false")
    assert called("runs", "audio", 5).raw == called("--read-only", "runs", "audio", 5).raw == WAV
    assert list((home / "audio").iterdir()) == []
    assert len(recorded.requests("GET", "/5.wav")) == 2


def test_a_run_without_a_recording_and_a_terminal_are_refused(recorded: ScriptedServer) -> None:
    assert call("runs", "audio", 6).err == "cekura-tui: This run has no recording.\n"

    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return sys.stdout is self

    refused = call_into(Terminal(io.BytesIO()), "runs", "audio", 5)
    assert (refused.status, "--out FILE" in refused.err) == (2, True)
