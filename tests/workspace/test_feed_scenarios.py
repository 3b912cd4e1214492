"""The scenarios in `feed_scenarios.txt` give the recorded requests and rows."""

from __future__ import annotations

from recorded_answers import changed


def test_run_list_scenarios_give_the_recorded_requests_and_rows() -> None:
    assert not changed("workspace/feed_answers.txt")
