"""The verdicts of a run: their order and lines, and a cursor that stays."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from one_widget import WidgetApp, screen, widget_app
from textual.pilot import Pilot

from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunView, view_of
from cekura_tui.model.run.words import as_text
from cekura_tui.ui.kit.strips import RowState
from cekura_tui.ui.run.verdicts import Verdicts
from cekura_tui.ui.runs import preview

LONG = "The agent did not ask for the date of birth before it read the account out to the caller."
METRICS = [
    {"id": 1, "name": "Greeting", "type": "binary_workflow_adherence", "score": 5, "explanation": "Kept."},
    {"id": 2, "name": "Language", "score": None, "explanation": ["Nobody changed it."]},
    {"id": 3, "name": "Identity check", "score": 2, "explanation": [LONG, "It said “bye”."]},
    {"id": 4, "name": "Ended properly", "value": "True"},
    {"id": 5, "name": "Voicemail", "score": None, "extra": {"trigger_failed": True}},
]
RUBRIC = [{"metric_id": 3, "conditions": "score gte 4"}]
IDENTITY = ("metric", 3, "Identity check", 1)


def run(number: int = 1, metrics: list[dict[str, Any]] | None = None, **fields: Any) -> RunView:
    sent = {"id": number, "evaluation": {"metrics": METRICS if metrics is None else metrics}, "rubric": RUBRIC}
    return view_of(Run.read({**sent, **fields}), 0.0)


def verdicts_of(
    view: RunView, *, size: tuple[int, int] = (60, 20)
) -> AbstractAsyncContextManager[tuple[WidgetApp[Verdicts], Pilot[None]]]:
    """An app with only the verdicts of a run."""
    return widget_app(Verdicts(), lambda one: one.show_run(view), size=size, paint=True)


def lines(app: WidgetApp[Verdicts]) -> list[str]:
    """Lines on screen, without the blank lines at the end."""
    return "\n".join(screen(app.widget)).rstrip().split("\n")


async def test_failed_verdicts_come_first_and_inapplicable_verdicts_are_separate() -> None:
    async with verdicts_of(run()) as (app, _):
        assert lines(app) == [
            " ✗ Identity check  failed · 2, needs ≥ 4",
            "   • The agent did not ask for the date of birth before it",
            "     read the account out to the caller.",
            "   • It said “bye”.",
            ' ◐ Ended properly  needs review · found "True", no',
            "   expected value",
            " ✓ Greeting  passed",
            "   Kept.",
            "",
            " Not applicable",
            " – Language  Nobody changed it.",
            " – Voicemail",
        ]


async def test_the_expected_outcome_shows_which_parts_were_met() -> None:
    parts = [
        {"outcome": "greets", "aligned": "yes"},
        {"outcome": "said nothing", "prompt_part": "says goodbye", "aligned": False},
        {"outcome": "asks for the name", "aligned": None},
    ]
    expected = {"score": 40, "explanation": "Half of it.", "outcome_alignments": parts}
    async with verdicts_of(run(metrics=[], rubric=[], expected_outcome=expected)) as (app, _):
        assert lines(app) == [
            " ✗ Expected outcome  failed · 40 of 100",
            "   Half of it.",
            "   ✓ met: greets",
            "   ✗ not met: said nothing (prompt: says goodbye)",
            "   ◐ not reported: asks for the name",
        ]


async def test_a_review_that_decided_the_outcome_comes_first_with_its_feedback() -> None:
    view = run(metrics=METRICS[:1], evaluation_status="reviewed_failure", feedback="The check\nmissed this.")
    shown = ["✗ Review  failed", "  The check", "  missed this.", "✓ Greeting  passed"]
    async with verdicts_of(view) as (app, _):
        assert lines(app)[:4] == [f" {line}" for line in shown]
    previewed = [line.plain for line in preview._verdicts(view, 60)]
    assert previewed[:3] == ["Verdicts  ✗ 1  ✓ 1", shown[0], "  The check missed this."]
    assert as_text(view).split("\n")[3:6] == ["✗ Review: failed", "    The check", "    missed this."]
    assert as_text(view).count("missed this.") == 1


async def test_a_critical_category_shows_deviation_and_feedback() -> None:
    categories = [
        {"category_id": 1, "category": "Tone", "priority": "non-critical", "deviation": 0.4},
        {"category_id": 2, "category": "Privacy", "priority": "critical", "deviation": LONG, "feedback": "Agreed."},
        {"category_id": 3, "category": "Manners", "priority": "critical", "wrongly_marked": True},
    ]
    async with verdicts_of(run(metrics=[], rubric=[], critical_categories=categories)) as (app, _):
        assert lines(app) == [
            " ✗ Privacy  failed, critical",
            "   The agent did not ask for the date of birth before it",
            "   read the account out to the caller.",
            "   feedback: Agreed.",
            " ◐ Tone  needs review, non-critical · 0.4, passes at 0",
            "",
            " Not applicable",
            " – Manners  critical, wrongly marked",
        ]


async def test_categories_of_a_metric_do_not_repeat_its_explanation() -> None:
    categories = [
        {"category": "Privacy", "priority": "critical", "deviation": LONG.rstrip("."), "feedback": "Agreed."},
        {"category": "Waiting", "deviation": "The caller waited for two minutes before anybody spoke at all."},
    ]
    extra = {"categories": categories, "percentiles": {"p50": 7}}
    metric = {"id": 9, "name": "Identity", "passed": False, "score": 7, "explanation": LONG, "extra": extra}
    async with verdicts_of(run(metrics=[metric], rubric=[])) as (app, _):
        assert lines(app)[0] == " ✗ Identity  failed, critical · 7"
        assert lines(app)[3:] == [
            "   category Privacy, critical (feedback: Agreed.)",
            "   category Waiting: The caller waited for two minutes",
            "     before anybody spoke at all.",
            "   percentiles: p50 7",
        ]


async def test_evidence_is_below_the_title_and_stays_when_unchanged_verdicts_are_reloaded() -> None:
    async with verdicts_of(run()) as (app, pilot):
        updates = len(app.updates)
        app.widget.show_run(run())
        app.widget.show_evidence({})
        await pilot.pause()
        assert len(app.updates) == updates, "the same verdicts again paint nothing"
        before = lines(app)
        app.widget.show_evidence({IDENTITY: "cites 00:14, 00:46"})
        assert lines(app) == [before[0], "   cites 00:14, 00:46", *before[1:]]
        app.widget.show_run(run())
        assert lines(app)[1] == "   cites 00:14, 00:46"
        app.widget.show_run(run(metrics=[{**metric, "explanation": "Something else."} for metric in METRICS]))
        assert lines(app)[1] == "   Something else."
        app.widget.show_evidence({IDENTITY: "cites 00:20"})
        app.widget.show_run(run(2))
        assert lines(app) == before


async def test_enter_opens_the_verdict_at_the_cursor_even_after_verdicts_were_added() -> None:
    async with verdicts_of(run()) as (app, pilot):
        await pilot.press("enter")
        app.widget.show_run(run(metrics=[{"id": 8, "name": "Names", "passed": False}, *METRICS]))
        await pilot.pause()
        assert lines(app)[0] == " ✗ Names  failed"
        await pilot.press("enter")
        assert app.opened == [IDENTITY, IDENTITY]
        verdict = app.widget.verdict_of(IDENTITY)
        assert verdict
        assert verdict.explanation == (LONG, "It said “bye”.")
        assert app.widget.verdict_of(("metric", 3, "Identity check", 2)) is None
        await pilot.press("G")
        twice = [{"id": 3, "name": "Polite", "passed": False, "explanation": text} for text in ("One.", "Two.")]
        app.widget.show_run(run(2, metrics=twice, rubric=[]))
        assert app.widget.cursor_index == 0  # reset for another run
        assert lines(app) == [" ✗ Polite  failed", "   One.", " ✗ Polite  failed", "   Two."]
        await pilot.press("j", "enter")
        assert app.opened[-1] == ("metric", 3, "Polite", 2)


async def test_a_run_without_verdicts_says_why() -> None:
    async with verdicts_of(run(metrics=[], rubric=[], status="failed")) as (app, _):
        assert lines(app) == [" No verdicts: the run failed before it was judged."]
        for number, status, words in ((2, "in_progress", " yet: the run is still in progress."), (3, "completed", ".")):
            app.widget.show_run(run(number, metrics=[], rubric=[], status=status))
            assert lines(app) == [f" No verdicts{words}"]
        app.widget.show_rows((), reset=True)
        assert lines(app) == [""]
        app.widget.show_run(run())
        assert lines(app)[0].startswith(" ✗ Identity check")


async def test_very_long_texts_are_cut_with_a_count_of_hidden_characters() -> None:
    long = {"id": 3, "name": "x" * 5_000, "passed": False, "explanation": ["y" * 20_000, "z\n" * 9_000]}
    async with verdicts_of(run(metrics=[long], rubric=[])) as (app, _):
        drawn = app.widget.lines_of(app.widget.rows[0], 60, RowState())
        texts = ["".join(segment.text for segment in line) for line in drawn]
        assert "…(16,000charactersmore)" in "".join(texts).replace(" ", "")
        assert texts[-1] == "   … more lines are not shown"
        assert (len(texts) < 1_100, max(map(len, texts)) <= 60) == (True, True)


async def test_only_visible_verdicts_are_wrapped_in_a_list_of_1_000(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = [{"id": n, "name": f"Check {n}", "passed": n % 2, "explanation": [f"{LONG} " * 20]} for n in range(1_000)]
    wrapped, lines_of = [], Verdicts.lines_of
    monkeypatch.setattr(Verdicts, "lines_of", lambda *given: wrapped.append(given[1]) or lines_of(*given))
    async with verdicts_of(run(metrics=metrics, rubric=[]), size=(80, 24)) as (app, pilot):
        assert 0 < len(wrapped) < 30
        await pilot.press("G")
        assert app.widget.cursor_key == ("metric", 999, "Check 999", 1)
