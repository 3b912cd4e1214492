"""The stories of `job_stories.txt` give the polls and database records of `job_answers.txt`."""

from __future__ import annotations

from recorded_answers import changed


def test_every_story_gives_the_polls_and_changes_of_the_recorded_file() -> None:
    assert not changed("jobs/job_answers.txt")
