"""The state of a job according to one answer of the server."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.improve_prompt import IMPROVE_PROMPT, empty_end, read_progress
from cekura_tui.model.job import JobState

DONE = {"improved_prompt": "Be kind.\r\n\t", "summary_of_changes": "Kinder."}
LIVE = ["queued", "pending", "running", "in_progress", "processing", "started", "evaluating", "in_queue", "scaling_up"]
FAILED = ["error", "failed", "failure", "errored", "timeout", "cancelled", "canceled", "FAILED"]


@pytest.mark.parametrize("word", ["completed", "failed", "running", "", None, 7, *LIVE, *FAILED])
@pytest.mark.parametrize("result", [{"output": DONE, "error": "ignored"}, DONE])
def test_an_answer_with_a_prompt_is_a_success_with_any_status(word: object, result: dict[str, Any]) -> None:
    read = read_progress({"status": word, **result})
    assert (read.state, read.end) == (JobState.SUCCEEDED, "succeeded")
    assert (read.improved_prompt, read.summary_of_changes) == ("Be kind.\r\n\t", "Kinder.")


def test_the_nested_prompt_wins_and_a_missing_summary_is_read_from_the_top_level() -> None:
    read = read_progress({"output": {"improved_prompt": "in"}, "improved_prompt": "out", "summary_of_changes": "s"})
    assert (read.improved_prompt, read.summary_of_changes) == ("in", "s")
    read = read_progress({"output": {"improved_prompt": "x", "summary_of_changes": ["One", "- Two", None, 3]}})
    assert read.summary_of_changes == "- One\n- Two\n- 3"


@pytest.mark.parametrize("word", [*LIVE, "", None, "needs_clarification", "some_new_word", "completed", "Running "])
def test_a_job_without_a_result_is_running_unless_its_status_is_a_failure(word: object) -> None:
    read = read_progress({"status": word, "output": None, "error": None})
    assert (read.state, read.status) == (JobState.RUNNING, str(word or "").strip())


@pytest.mark.parametrize("word", FAILED)
def test_a_failed_job_shows_the_servers_error(word: str) -> None:
    read = read_progress({"status": word, "output": None, "error": "The model was busy"})
    assert (read.state, read.error) == (JobState.FAILED, "The model was busy")
    assert word in (read_progress({"status": word}).error or "")


@pytest.mark.parametrize(
    "answer",
    [
        {"error": {"message": "Too long"}},
        {"error": {"detail": "Too long"}},
        {"detail": "Too long"},
        {"error": "", "message": "Too long"},
        {"output": "Too long"},
        {"output": {"error": "Too long"}},
        {"error": ["", {"message": "Too long"}]},
    ],
)
def test_the_error_message_is_found_in_any_field(answer: dict[str, Any]) -> None:
    read = read_progress({"status": "failed", **answer})
    assert (read.end, read.error) == ("failed", "Too long")


@pytest.mark.parametrize(("error", "end"), [("Broke", "failed"), ({"code": 500}, "failed"), ("No issues", "no_issues")])
@pytest.mark.parametrize("answer", [{"status": "running", "output": None}, {"status": "pondering"}, {}])
def test_an_error_beside_a_status_that_is_not_final_is_a_suspected_end(
    answer: dict[str, Any], error: object, end: str
) -> None:
    read = read_progress({**answer, "error": error})
    assert (read.state, read.end, read.suspected_end) == (JobState.RUNNING, None, end)
    assert read.believed.state == JobState(end)
    assert read_progress({"status": "running", "output": {"stage": 2}, "error": error}).end is None


@pytest.mark.parametrize(
    "error",
    [
        *(None, "", "  ", False, {}, [], 0, 7, True, "none", " None ", "OK", "0", "N/A", "success", {"code": 0}),
        *({"message": "null"}, [0]),
    ],
)
def test_an_empty_error_does_not_end_the_job(error: object) -> None:
    read = read_progress({"status": "running", "output": None, "error": error})
    assert (read.end, read.suspected_end, read.error) == (None, None, None)
    assert read_progress({"status": "failed", "error": error}).error == "The server reported “failed” and no reason."


NOTHING_FOUND = [
    *("No issues found in the selected runs", "no issues were found.", "There are no critical issues"),
    *("No issue was found", "Could not find any issues to improve on", "No problems were found"),
    "Nothing to improve here",
]
OTHER_ERRORS = ["Internal error", "No such issue tracker", "Issues service is down", "No runs found"]


@pytest.mark.parametrize("status", ["failed", "completed", "error"])
@pytest.mark.parametrize("error", [*NOTHING_FOUND, *OTHER_ERRORS])
def test_an_error_that_says_no_issues_were_found_is_not_a_failure(status: str, error: str) -> None:
    state = JobState.FAILED if error in OTHER_ERRORS else JobState.NO_ISSUES
    for output in (None, {"improved_prompt": ""}):
        read = read_progress({"status": status, "output": output, "error": error})
        assert (read.state, read.error) == (state, error)


@pytest.mark.parametrize("blank", ["", "  \n", None, {}, 5, []])
def test_a_blank_prompt_is_no_result_but_a_blank_summary_is_allowed(blank: object) -> None:
    assert read_progress({"status": "Completed", "output": {"improved_prompt": blank}}).end is None
    assert read_progress({"output": {"improved_prompt": "x", "summary_of_changes": blank}}).end == "succeeded"


def test_a_missing_prompt_is_an_error_only_if_the_status_says_success() -> None:
    assert read_progress({"status": "Succeeded", "output": {}}).believed.error == empty_end("Succeeded")
    assert empty_end("Succeeded") == "The server reported “Succeeded” but sent no prompt."
    assert [empty_end(word) for word in ("", "running", "pondering", "needs_clarification")] == [None] * 4


def test_hidden_characters_do_not_change_the_meaning_of_an_answer() -> None:
    read = IMPROVE_PROMPT.read({"status": "failed", "error": "Broke"}, '{"status": "failed", "error": "Bro\\u001bke"}')
    assert (read.end, read.error) == ("failed", "Bro\x1bke")
    read = IMPROVE_PROMPT.read({"status": "failed"}, '{"status": "fail\\u0000ed"}')
    assert (read.end, read.status) == ("failed", "failed")


KEYS = st.sampled_from(["status", "output", "error", "improved_prompt", "message"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=10,
)


@given(JSON)
def test_an_answer_of_any_shape_is_read(answer: object) -> None:
    read = read_progress(answer)
    assert (read.improved_prompt is not None) == (read.state == JobState.SUCCEEDED)
    assert bool(read.error) == ((read.end or read.suspected_end) in ("failed", "no_issues"))
