"""Cached style rules give every widget the same styles as Textual's own style sheet."""

from __future__ import annotations

from typing import Any

import pytest
from app_on_a_server import Served, opened
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot
from watching import sees


def assert_styled(pilot: Pilot[Any], where: str) -> None:
    """Check that everything on screen has the styles of Textual's own style sheet; an error names `where`."""
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


@pytest.mark.long
async def test_cached_styles_equal_the_styles_of_textual_and_the_cache_stays_small(served: Served) -> None:
    async with opened(served.setup()) as pilot:
        app: Any = pilot.app
        await sees(pilot, "900240", "as of")
        assert_styled(pilot, "the list")
        for key, shown in (
            ("slash", "Apply"),
            ("escape", "900240"),
            ("enter", "Transcript"),
            ("tab", "Verdicts"),
            ("question_mark", "Keys"),
            ("2", "No jobs yet"),
            ("colon", "type to find one"),
        ):
            await pilot.press(*["escape"] * app.screen.is_modal, key)
            await sees(pilot, shown)
            assert_styled(pilot, key)
        await pilot.press("escape", "1")
        await sees(pilot, "Transcript")
        app.theme = "cekura-light"
        await pilot.pause()
        assert_styled(pilot, "another theme")
        await pilot.press("2")
        await sees(pilot, "No jobs yet")
        assert_styled(pilot, "a screen that was not shown when the theme changed")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert_styled(pilot, "another size")
        sizes = []
        for n in range(4):
            app.notify(f"Message {n}.")
            await sees(pilot, f"Message {n}.")
            sizes.append(len(app.stylesheet._conditions))
        assert len(set(sizes[1:])) == 1, "each message has an id of its own, and adds no rules to the cache"
