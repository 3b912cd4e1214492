"""Every widget looks as the style sheets say, though what they say of it is looked up once."""

from __future__ import annotations

from typing import Any

from app_on_a_server import WIDE, Served, opened
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot
from watching import sees


def assert_styled(pilot: Pilot[Any], where: str) -> None:
    """Compare the styles of all that is shown with what Textual's own style sheet gives it."""
    app = pilot.app
    plain = Stylesheet(variables=app.get_css_variables())
    plain.source = dict(app.stylesheet.source)
    plain.parse()
    for node in app.screen.walk_children(with_self=True):
        parts = [node, *(part.node for part in node._component_styles.values() if part.node is not None)]
        before = [part.styles.base.get_rules() for part in parts]
        plain.apply(node)
        after = [node, *(part.node for part in node._component_styles.values() if part.node is not None)]
        assert before == [part.styles.base.get_rules() for part in after], f"{where}: {node!r}"


async def test_styles_are_those_of_textual_wherever_one_goes(served: Served) -> None:
    async with opened(served.setup(), size=WIDE) as pilot:
        await sees(pilot, "900240", "as of")
        assert_styled(pilot, "the list")
        for key, shown in (
            ("j", "900239"),
            ("slash", "Apply"),
            ("escape", "900239"),
            ("enter", "Transcript"),
            ("tab", "Verdicts"),
            ("question_mark", "Keys"),
            ("escape", "Transcript"),
            ("escape", "900239"),
            ("2", "No jobs yet"),
            ("1", "900239"),
            ("colon", "type to find one"),
            ("escape", "900239"),
        ):
            await pilot.press(key)
            await sees(pilot, shown)
            assert_styled(pilot, key)
        pilot.app.theme = "cekura-light"
        await pilot.pause()
        assert_styled(pilot, "another theme")
        await pilot.press("2")
        await sees(pilot, "No jobs yet")
        assert_styled(pilot, "a screen that was not shown when the theme changed")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert_styled(pilot, "another size")


async def test_messages_that_come_and_go_leave_nothing_in_what_rules_are_remembered_to_ask(served: Served) -> None:
    async with opened(served.setup(), size=WIDE) as pilot:
        await sees(pilot, "900240", "as of")
        sizes = []
        for n in range(4):
            pilot.app.notify(f"Message {n}.")
            await sees(pilot, f"Message {n}.")
            sizes.append(len(pilot.app.stylesheet._asked))  # type: ignore[attr-defined]
        assert len(set(sizes[1:])) == 1, "each has an id of its own"
