"""The vendor's own command line works against `demo-server`, and its output can be parsed.

The environment variable CEKURA_CLI names the `cekura` program to run; if it is not set, the tests are skipped.
Install the program with `pip install 'cekura[cli]==1.6.7'` in a venv of its own: `test_vendor_sdk.py` needs an
older version of the package, which still has the withdrawn operations.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from terminal import PROGRAM

from cekura_tui.config.vendor_file import find_vendor_file, read_vendor_file

CLI = os.environ.get("CEKURA_CLI")
ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CLI is None, reason="CEKURA_CLI names no command line of the vendor"),
]
SPEAKING, FAILED = 900_240, 900_238
RESULT_OF_QUEUED, RESULT_THAT_ENDED = 50_038, 50_030


@dataclass
class Vendor:
    """The vendor's command line, in an environment that points to the server."""

    environment: dict[str, str]
    log: Path

    def __call__(self, *words: object, status: int = 0) -> str:
        """Run a command and return its output, or its error output if a `status` other than 0 is expected."""
        assert CLI is not None
        ended = subprocess.run(
            [CLI, *map(str, words)], env=self.environment, capture_output=True, text=True, timeout=60
        )
        sys.stdout.write(f"\n$ cekura {' '.join(map(str, words))}\n{ended.stdout[:1500]}{ended.stderr}")
        assert ended.returncode == status, ended.stderr
        return ended.stdout if status == 0 else ended.stderr

    def json(self, *words: object) -> Any:
        return json.loads(self(*words, "--format", "json"))


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    home = tmp_path_factory.mktemp("vendor")
    words = ["--config-dir", str(home / "config"), "demo-server", "--demo-speed", "20", "--log", str(home / "log")]
    server = subprocess.Popen([*PROGRAM, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    lines = [server.stdout.readline().removeprefix("export ").strip().partition("=") for _ in range(3)]
    leads = {name: value for name, _, value in lines}
    own = {"PATH": os.environ["PATH"], "HOME": str(home), "COLUMNS": "150", "NO_PROXY": "*"}
    yield Vendor({**own, **leads}, home / "log")
    server.terminate()
    server.communicate()


def test_the_vendor_cli_reads_projects_and_agents(vendor: Vendor) -> None:
    project = int(vendor.environment["CEKURA_PROJECT_ID"])
    assert [one["id"] for one in vendor.json("projects", "list")] == [project]
    assert "Front desks" in vendor("projects", "get", project)
    agents = vendor.json("agents", "list")["results"]
    assert len(agents) == 4
    listed = vendor("agents", "list")
    for agent in agents:
        # The list shows the telephone number from `telephony`.
        assert agent["telephony"]["phone_number"] in listed
    assert vendor.json("agents", "get", agents[0]["id"])["description"]


def test_the_vendor_cli_sends_its_organization_without_a_project(vendor: Vendor) -> None:
    project = int(vendor.environment.pop("CEKURA_PROJECT_ID"))
    vendor.environment["CEKURA_ORGANIZATION_ID"] = "310"
    assert project in [one["id"] for one in vendor.json("projects", "list")]
    assert vendor.json("agents", "list")["count"] == 6
    vendor.environment["CEKURA_ORGANIZATION_ID"] = "311"
    assert vendor.json("projects", "list") == []
    assert vendor.json("agents", "list")["count"] == 0
    assert '"query": "organization_id=311"' in vendor.log.read_text()
    del vendor.environment["CEKURA_ORGANIZATION_ID"]
    vendor.environment["CEKURA_PROJECT_ID"] = str(project)


def test_settings_written_by_the_vendor_cli_are_read_by_us(vendor: Vendor) -> None:
    path = find_vendor_file(vendor.environment)
    for name, value in (("default_project_id", "4022"), ("api_url", "https://eu.example"), ("api_key", "a-key")):
        vendor("config", "set", name, value)
    assert read_vendor_file(path) == {"default_project_id": "4022", "api_url": "https://eu.example", "api_key": "a-key"}
    assert path is not None
    path.unlink()


def test_the_vendor_cli_reads_runs_and_results(vendor: Vendor) -> None:
    project = vendor.environment["CEKURA_PROJECT_ID"]
    rows = vendor.json("runs", "list", "--project-id", project)
    assert rows["count"] == 240
    assert str(SPEAKING) in vendor("runs", "list", "--project-id", project)
    run = vendor.json("runs", "get", FAILED)
    assert run["evaluation_status"] == "failure"
    both = vendor.json("runs", "bulk", "--ids", f"{FAILED},{SPEAKING}")
    assert {one["id"] for one in both} == {FAILED, SPEAKING}
    assert vendor.json("results", "list", "--project-id", project)["count"] == 40
    result = vendor.json("results", "get", run["result_id"])
    assert str(FAILED) in result["runs"]


def test_the_vendor_cli_reads_the_status_of_a_result_and_watches_the_result_end(vendor: Vendor) -> None:
    assert vendor.json("run", "status", RESULT_OF_QUEUED)["status"] == "running"
    assert "completed" in vendor("run", "watch", RESULT_THAT_ENDED, "--interval", 1)
    assert "completed" in vendor("run", "status", RESULT_THAT_ENDED)
    assert str(RESULT_THAT_ENDED) in vendor("run", "results", RESULT_THAT_ENDED)


def test_the_vendor_cli_starts_scenarios_watches_the_result_and_reruns_it(vendor: Vendor) -> None:
    begun = vendor("run", "start", "--agent-id", 1201, "--scenario-ids", "5104,5101", "--name", "Again")
    result = int(begun.rpartition(" ")[2])
    assert "completed" in vendor("run", "watch", result, "--interval", 1)
    assert vendor.json("run", "results", result)["total_runs_count"] == 2
    ways = ("--mode", "text", "--frequency", 2, "--wait")
    assert "/2 passed" in vendor("run", "start", "--agent-id", 1203, "--scenario-ids", 5302, *ways)
    again = vendor.json("results", "rerun", result)["id"]
    vendor("results", "end-calls", again)
    assert vendor.json("run", "status", again)["status"] in ("cancelled", "completed")
