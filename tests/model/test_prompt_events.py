"""What the history of an agent's prompts says of each use."""

from __future__ import annotations

from cekura_tui.model.prompt_events import How, PromptUse, how_words


def use(how: How, at: float, text: str = "new", job: int | None = None) -> PromptUse:
    return PromptUse(7, text, how, at, job, 3, "Be kind.")


def test_every_use_is_shown_with_its_job() -> None:
    uses = [use(how, 100.0, job=4) for how in ("seen", "sent", "proposed", "staged", "written", "replaced")]
    assert [how_words(one, uses) for one in uses] == [
        *("read from the agent", "sent with job 4", "suggested by job 4", "staged from job 4"),
        *("updated from job 4", "before job 4's update"),
    ]
    assert how_words(use("written", 100.0), [use("written", 100.0)]) == "updated"
