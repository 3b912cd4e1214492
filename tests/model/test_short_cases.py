from __future__ import annotations

from recorded_answers import changed


def test_runs_filters_and_job_answers_are_read_as_recorded() -> None:
    assert changed("model/short_answers.txt") == ""
