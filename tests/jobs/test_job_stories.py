"""The stories of `job_stories.txt` poll and record as in `job_answers.txt`."""

from __future__ import annotations

from recorded_answers import changed


def test_polls_and_records_of_every_story_match_the_recorded_ones() -> None:
    assert not changed("jobs/job_answers.txt")
