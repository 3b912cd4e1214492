"""A kind of job that the program does not know: rerunning the scenarios of a result."""

from __future__ import annotations

from cekura_tui.model.job import Draft, JobState
from cekura_tui.model.job_kind import ApiRequest, JobKind, Progress
from cekura_tui.model.text import Prompt

RERUN, RESULT = "/test_framework/v1/results/9/rerun/", "/test_framework/v1/results/41/"


def read_result(payload: object) -> Progress:
    answer = payload if isinstance(payload, dict) else {}
    status = str(answer.get("status"))
    if status == "completed":
        return Progress("succeeded", status, result={"passed": answer["success_runs_count"], "name": answer["name"]})
    return Progress(
        "failed" if status == "timeout" else None, status, error="It took too long." * (status == "timeout")
    )


TESTS = JobKind(
    name="rerun",
    noun="test runs",
    launch=lambda draft: ApiRequest("POST", f"/test_framework/v1/results/{draft.parameters['result']}/rerun/", body={}),
    id_field="id",
    progress=lambda number: ApiRequest("GET", f"/test_framework/v1/results/{number}/"),
    read_progress=read_result,
    result=("test report", "test reports"),
    meanings={JobState.SUCCEEDED: "The scenarios were run again."},
    sent=lambda job, draft: [("scenarios", f"those of result {draft.parameters['result']}")],
    content=lambda job: "scenarios",
    exact=(("name",),),
)
TEST = Draft((), Prompt(""), 7, "Agent 7", kind="rerun", parameters={"result": 9})
