"""What is told above a suggestion: the summary, and the issues with all that the server sent of them."""

from __future__ import annotations

from cekura_tui.evidence.prompt_issues import read_issues
from cekura_tui.model.job import Job, JobState, Suggestion
from cekura_tui.model.text import Prompt
from cekura_tui.prose.compare import compare
from cekura_tui.prose.staging import HunkChoice
from cekura_tui.ui.suggestion.staging_controller import accepted_message, undone_message
from cekura_tui.ui.suggestion.words import summary
from cekura_tui.workspace.suggestions import SuggestionReasons


def lines_of(issues: object) -> list[str]:
    job = Job(1, JobState.SUCCEEDED, "", "o", "k", "p", (7,), 3, "A", (), (), "s", summary_of_changes="One change.")
    done = Suggestion(job, Prompt("a"), Prompt("b"))
    found = summary(done, compare("a", "b"), SuggestionReasons(read_issues(issues), {}, {}, ()))
    return [line.plain for line in found]


def test_what_is_not_known_of_an_issue_is_told_as_a_tree() -> None:
    odd = {"title": "Talks over the caller\x1b[31m", "run_ids": [7], "odd": {"deep": [1, {"er": None}]}, "flag": True}
    assert lines_of({"issues": [odd]}) == [
        "One change.",
        "1 issue found in the runs",
        "• Talks over the caller[31m",
        "  run 7",
        "  odd:",
        "    deep:",
        "      1: 1",
        "      2:",
        "        er: null",
        "  flag: true",
    ]


def test_an_issue_of_any_size_is_told_in_bounded_lines() -> None:
    deep: object = "end"
    for _ in range(400):
        deep = [deep]
    lines = lines_of([{"title": "Much", "wide": list(range(5_000)), "deep": deep}])
    assert len(lines) < 70


def test_a_step_that_changed_nothing_does_not_promise_to_be_taken_back() -> None:
    yes, no = HunkChoice("accepted"), HunkChoice("rejected")
    assert (
        accepted_message({1: no}, {1: yes, 2: yes})
        == "2 changes accepted (1 rejected before) · u undo · p update the prompt."
    )
    assert accepted_message({1: yes, 2: yes}, {1: yes, 2: yes}) == "All changes are accepted already."
    assert undone_message({1: HunkChoice("edited", "Mine.")}, {}).endswith("is undecided. e opens your text.")
