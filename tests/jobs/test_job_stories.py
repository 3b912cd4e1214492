"""When jobs are polled and what is recorded of them in the stories of `job_stories.txt` is what was recorded."""

from __future__ import annotations

from recorded_answers import changed


def test_jobs_are_polled_and_recorded_in_every_story_as_was_recorded() -> None:
    assert not changed("jobs/job_answers.txt")
