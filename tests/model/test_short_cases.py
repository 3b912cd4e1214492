from __future__ import annotations

from recorded_answers import changed


def test_short_runs_filters_and_answers_about_jobs_are_read_as_recorded() -> None:
    assert changed("model/short_answers.txt") == ""
