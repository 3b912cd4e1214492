"""The issues behind a suggestion are read in any JSON shape, without losing a text."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cekura_tui.demo.corpus import Corpus
from cekura_tui.demo.jobs import DemoDatabase
from cekura_tui.demo.library import agents_by_id
from cekura_tui.demo.workspace import DemoWorkspace
from cekura_tui.evidence.prompt_issues import IssueQuote, PromptIssue, read_issues
from cekura_tui.model.json_tree import JsonTree

KEYS = st.sampled_from(("issues", "results", "title", "run_ids", "run_id", "quotes", "turns", "text", "fix", "x"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=5),
    max_leaves=20,
)


def test_the_demo_servers_issues_are_read_completely(tmp_path: Any) -> None:
    clinic = agents_by_id()[1201]
    assert clinic is not None
    workspace = DemoWorkspace(Corpus(240, 1_760_000_000.0), DemoDatabase(tmp_path / "jobs.db"))
    answer = httpx.Response(200, json=workspace.issues((900238, 900184), clinic.prompt)).json()
    issues = read_issues(answer)
    assert len(issues) == 4
    first = next(issue for issue in issues if issue.run_ids == (900238,) and issue.metric.startswith("Identity"))
    assert first.title == "The agent used the patient's record without asking for the full name and the date of birth."
    assert first.section == "Identity and privacy"
    assert (first.category, first.severity) == ("Privacy", "critical")
    assert [(quote.index, quote.time) for quote in first.quotes] == [(2, "00:14")]
    assert first.quotes[0].text.startswith("Yes, I have him here.")
    assert first.rest == {"metric_id": 9101}
    assert [row.text for row in JsonTree().rows(first.nodes(), {})] == ["9101"]


@pytest.mark.parametrize(
    "body",
    [
        [{"title": "No read-back"}, "Too fast"],
        {"description": "Two of them.", "issues": ["No read-back", "Too\x1b fast"]},
        {"count": 2, "next": None, "results": [{"description": "No read-back"}, None, {"metric": " Too fast\n"}, {}]},
    ],
)
def test_issues_are_read_from_a_list_or_from_an_object_that_contains_a_list(body: object) -> None:
    assert [issue.title for issue in read_issues(body)] == ["No read-back", "Too fast"]


@pytest.mark.parametrize("body", [None, [], {}, "", [None, [], {}], {"issues": [], "count": 0}])
def test_an_empty_answer_has_no_issues(body: object) -> None:
    assert read_issues(body) == ()


def test_unknown_fields_of_an_issue_are_kept_as_json() -> None:
    sent: dict[str, Any] = {
        "title": "Skips\tthe check",
        "explanation": "The rule is \x1b[31mweak",
        "suggestion": "Ask first.",
        "fix": "another one",
        "severity": 3,
        "metric": {"id": 9, "name": "Identity"},
        "run_ids": [7, "8", "x", None, 2**63],
        "quotes": ["I have him here", " ", {"turn": 4, "speaker": "Main Agent", "text": "Yes", "run_id": 12}],
        "score": 0.0,
        "nested": {"deep": [1, {"x": None}]},
        "empty": [],
    }
    (issue,) = read_issues([sent])
    assert issue == PromptIssue(
        title="Skips   the check",
        description="The rule is [31mweak",
        suggestion="Ask first.",
        severity="3",
        run_ids=(7, 8, 12),
        quotes=(IssueQuote("I have him here"), IssueQuote("Yes", run_id=12, index=4, who="Main Agent")),
        rest={key: sent[key] for key in ("fix", "metric", "run_ids", "quotes", "score", "nested")},
    )


def test_a_deeply_nested_answer_is_one_issue_with_an_explanation() -> None:
    deep: object = {"x": 1}
    for _ in range(50_000):
        deep = [deep]
    assert [issue.title for issue in read_issues(deep)] == ["The answer is nested too deeply to be read."]


@given(JSON)
def test_any_json_can_be_read_and_shown(body: object) -> None:
    for issue in read_issues(body):
        assert issue.title
        assert "\x1b" not in repr(issue)
        assert list(JsonTree().rows(issue.nodes(), {})) is not None


@given(
    st.dictionaries(
        KEYS | st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=9).filter(str.strip), min_size=1
    )
)
@example({"\x1e": "00", "\x1f": "0"})
@example({"a\x1f": "1", "a": "2", "a (2)": "3"})
def test_no_text_of_an_issue_is_lost(sent: dict[str, str]) -> None:
    shown = json.dumps([repr(issue) for issue in read_issues([{"title": "T", **sent}])])
    clean = [text.strip() for text in sent.values() if text.isascii() and text.isalnum()]
    assert all(text in shown for text in clean)
