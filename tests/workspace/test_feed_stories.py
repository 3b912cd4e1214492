"""What a run list asks for and shows in the stories of `feed_stories.txt` is what was recorded."""

from __future__ import annotations

from recorded_answers import changed


def test_run_lists_ask_and_show_in_every_story_what_was_recorded() -> None:
    assert not changed("workspace/feed_answers.txt")
