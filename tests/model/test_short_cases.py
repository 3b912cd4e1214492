from __future__ import annotations

from recorded_answers import changed


def test_the_answers_for_all_short_cases_of_the_model_are_as_recorded() -> None:
    assert changed("model/short_answers.txt") == ""
