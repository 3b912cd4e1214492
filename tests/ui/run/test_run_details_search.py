"""Search in the details of a run, including folded nodes and lists that unfold page by page."""

from __future__ import annotations

import pytest
from details_on_screen import details_of, found_on, view

from cekura_tui.model.json_tree import ABOVE, BELOW


async def test_a_search_counts_matches_in_folded_nodes_and_unfolds_the_nodes() -> None:
    turns = [{"role": "Main Agent", "content": "Zürich" if n in (3, 900) else f"Turn {n}"} for n in range(1_000)]
    source = {"transcript_object": turns, "metadata": {"zürich": "Near ZÜRICH."}, "feedback": "word " * 900 + "zürich"}
    async with details_of(source, size=(60, 12)) as (app, _):
        details = app.widget
        assert details.find("Zürich") == 5
        rows = len(details.rows)
        for number, path in enumerate(
            [
                ("feedback",),
                ("transcript_object", 3),
                ("transcript_object", 900),
                ("metadata", "zürich"),
                ("metadata", "zürich"),
                ("feedback",),
            ]
        ):
            assert details.next_match(1) == (number % 5 + 1, 5)
            assert "zürich" in [text.lower() for text in found_on(details)]
            assert details.cursor_row is not None
            assert details.cursor_row.path[:2] == path
        assert details.next_match(-1) == (5, 5)
        assert len(details.rows) < rows + 1_200
        assert (details.find("nowhere"), details.next_match(1)) == (0, None)
        assert found_on(details) == []
        details.show_run(view({"id": 6, "metadata": ["aa"] * 8_000}))
        assert details.find("a") == 10_000, "no more matches are counted"


async def test_the_next_page_of_entries_continues_where_the_shown_page_ends() -> None:
    async with details_of({"metadata": list(range(1_000))}, size=(60, 10)) as (app, pilot):
        details = app.widget

        def under_cursor() -> str:
            return details.cursor_row.text if details.cursor_row is not None else ""

        await pilot.press("down", "down", "down", "enter")
        details.move_to(("metadata", BELOW))
        assert under_cursor() == "… 800 more entries · {list.open} shows 200"
        await pilot.press("enter")
        assert under_cursor() == "200"
        await pilot.press("up")
        assert under_cursor() == "199"
        details.show_run(view({"id": 6, "metadata": list(range(5_000))}))
        assert details.find("4700") == 1
        details.next_match(1)
        details.move_to(("metadata", ABOVE))
        assert under_cursor() == "… 4,600 earlier entries · {list.open} shows 200"
        await pilot.press("enter")
        assert under_cursor() == "4599"
        await pilot.press("down")
        assert under_cursor() == "4600"


@pytest.mark.parametrize(
    ("source", "searched", "marked"),
    [
        ({"trace_id": None}, "trace_id", ["trace_id"]),  # the name of a property that was not sent
        ({"scenario_instructions": "word " * 190 + "needle"}, "NEEDLE", ["needle"]),  # in a row taller than the screen
        ({"feedback": "x" * 997 + "needle" + "x" * 300}, "needle", ["nee", "dle"]),  # across two lines of a long text
    ],
)
async def test_a_match_is_scrolled_to_and_marked(source: dict[str, object], searched: str, marked: list[str]) -> None:
    async with details_of(source, size=(60, 40) if len(marked) > 1 else (40, 8)) as (app, _):
        assert app.widget.find(searched) == 1
        assert app.widget.next_match(1) == (1, 1)
        assert found_on(app.widget) == marked
