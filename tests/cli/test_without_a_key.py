"""Jobs and cached runs can be read without a key, and without a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from calling import call, called, refused
from saved_jobs import SavedJobs
from scripted_server import ScriptedServer, run_of

from cekura_tui.config import key_lookup
from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import row_of
from cekura_tui.store.store import Store

SAVED = "Showing what is saved on this machine.\n"
SHOWN = {
    "jobs list": "succeeded",
    "jobs list --json": '"state": "succeeded"',
    "jobs show 1": "job 1: succeeded",
    "jobs show 1 --prompt": "Be kinder.\n",
    "jobs show 1 --curl": "$CEKURA_API_KEY",
    "runs list": "7",
    "runs show 5": "5",
    "runs show 5 --timeline": "",
    "runs show 5 --json": '"id": 5',
    "notes list": "remember this",
    "views list": "Failed today",
    "search --json hello": "",
}


@pytest.fixture
def ended(finished: ScriptedServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """A server on which job 1 has ended; the environment has no key. After the test, checks that nothing was requested.
    Run 5 is cached and has a note; runs 7 and 6 are cached as rows."""
    rows = [row_of(Run.read(run_of(number, evaluation_status=end))) for number, end in ((7, "failure"), (6, "success"))]
    store = Store(home / "cekura.db", finished.url, "key", "default")
    store.runs.save_opened(Run.read(run_of(5)), 4.0)
    store.runs.save_rows("project_id=1", len(rows), rows, 1.0, first=True)
    store.notes.put(5, "remember this", 5.0)
    store.close()
    monkeypatch.delenv("CEKURA_API_KEY")
    yield finished
    assert finished.seen == []


@pytest.mark.usefixtures("ended")
def test_cached_data_is_shown_with_the_reason_for_the_missing_key(home: Path) -> None:
    for reason in ("No API key found.", f"Other users can open {home / 'credentials.json'} (mode 0644), so the key"):
        for words, shown in SHOWN.items():
            result = called(*words.split())
            assert (words, shown in result.out, reason in result.err, SAVED in result.err) == (words, True, True, True)
        (home / "credentials.json").write_text("{}")
        (home / "credentials.json").chmod(0o644)
    assert "Showing the cached run, as of " in call("runs", "show", 5).err


def test_a_failing_key_command_does_not_hide_jobs(
    ended: ScriptedServer, settings: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    key_lookup._printed.clear()
    monkeypatch.delenv("CEKURA_API_URL")
    settings(f'api_url = "{ended.url}"\napi_key_command = "false"\n')
    result = called("jobs", "list")
    assert "succeeded" in result.out
    assert "false (api_key_command) ended with status 1." in result.err


@pytest.mark.usefixtures("ended")
def test_commands_that_need_the_server_report_the_missing_key(
    improve: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in ("jobs wait 1", "jobs resume 1", "jobs watch", "improve 5 --from-agent"):
        refused("No API key found. Run `cekura-tui auth login`", *words.split(), status=4)
    refused("No API key found. Run `cekura-tui auth login`", *improve, status=4)
    refused("Run 6 is not cached on this machine. No API key found.", "runs", "show", 6, status=4)
    refused("No matching run is cached on this machine. No API key found.", "runs", "list", "id:1", status=4)
    monkeypatch.delenv("CEKURA_PROJECT_ID")
    missing = "No project chosen. No API key found. Add --project ID. Run `cekura-tui auth login`"
    refused(missing, "runs", "list", status=4)


@pytest.mark.usefixtures("ended")
def test_cached_runs_are_filtered_and_listed_with_their_age() -> None:
    listed = called("runs", "list")
    assert [line.split()[0] for line in listed.out.splitlines()[1:]] == ["7", "6"]
    assert "2 runs cached, as of " in listed.err
    assert [line.split()[0] for line in call("runs", "list", "outcome:passed").out.splitlines()[1:]] == ["6"]
    assert len(call("runs", "list", "--csv").out.splitlines()) == 3


def test_jobs_of_every_key_of_the_server_are_listed_and_can_be_forgotten(ended: ScriptedServer, home: Path) -> None:
    SavedJobs(home / "cekura.db", ended.url, "another-key").running()
    listed = call("jobs", "list").out.splitlines()
    assert [line.split()[:2] for line in listed[1:]] == [["2", "running"], ["1", "succeeded"]]
    assert "another key" not in "".join(listed)
    assert call("jobs", "show", 2).out.startswith("job 2: running\n")
    assert called("--api-url", "http://127.0.0.1:9", "jobs", "list").out == ""
    called("jobs", "forget", 1)
    assert len(call("jobs", "list").out.splitlines()) == 2
