"""The details of a run: all properties, nodes that unfold, raw JSON, and a cursor that stays."""

from __future__ import annotations

from typing import Any

from details_on_screen import details_of, everything, found_on, view
from one_widget import screen
from run_properties import PROPERTIES, mark, marked_run


async def test_unfolding_and_scrolling_shows_every_property() -> None:
    run, marks = marked_run()
    async with details_of(run) as (app, _):
        # Skip the turns between the first two and the last ones, which are alike.
        text = "\n".join(everything(app.widget, {("transcript_object", n) for n in range(2, 208)}))
        assert {(name, mark) for name, expected in marks.items() for mark in expected if mark not in text} == set()
        assert len({mark for expected in marks.values() for mark in expected}) >= 39


async def test_a_value_of_another_type_than_declared_is_shown() -> None:
    kinds = list(PROPERTIES.items())
    odd: dict[str, Any] = {
        name: 660_000 + n if kind.startswith("string") else mark(name) for n, (name, kind) in enumerate(kinds)
    }
    shown = {name: str(value) for name, value in odd.items() if name != "id"}
    odd |= {"id": 5, "metadata": [[mark("metadata")]], "evaluation": [mark("evaluation")], "status": {"a": 660_019}}
    async with details_of(odd) as (app, _):
        text = "\n".join(everything(app.widget))
        assert {name: value for name, value in shown.items() if value not in text} == {}


async def test_properties_are_shown_with_their_label_and_api_name() -> None:
    source = {
        "status": "completed",
        "voice_recording_url": "https://a.example/b.wav",
        "feedback": "Too slow.\nAsked twice.",
        "metadata": {"ended_reason": "hung up", "empty": {}},
    }
    async with details_of(source, size=(60, 14)) as (app, _):
        assert screen(app.widget)[:11] == [
            " Call",
            "   Run (id): 5",
            "   Status: completed",
            "   Recording (voice_recording_url):",
            "   https://a.example/b.wav (y copy)",
            " Texts",
            "   Feedback:",
            "   Too slow.",
            "   Asked twice.",
            " Data",
            " ▸ Metadata: 2 entries: ended_reason, empty",
        ]
        assert screen(app.widget)[11].startswith("   Not sent: expected_outcome_prompt, run_type,")


async def test_right_unfolds_a_node_and_left_folds_the_node_or_goes_to_its_parent() -> None:
    async with details_of({"metadata": {"a": {"b": [1, None]}, "c": "x"}}, size=(60, 14)) as (app, pilot):
        await pilot.press("down", "down", "down", "enter", "right", "right")
        opened = [" Data", " ▾ Metadata: 2 entries: a, c", "   ▾ a: 1 entry: b", "     ▸ b: 2 entries", "     c: x"]
        assert screen(app.widget)[2:7] == opened
        await pilot.press("down", "enter", "down", "down")
        assert app.widget.cursor_row is not None
        assert app.widget.cursor_row.text == "null"
        await pilot.press("left", "left", "left")
        assert screen(app.widget)[2:6] == opened[:4]
        await pilot.press("left", "left", "left")
        assert screen(app.widget)[3] == " ▸ Metadata: 2 entries: a, c"
        assert app.opened == []
        await pilot.press("up", "up", "enter")
        assert app.opened == [("id",)]


async def test_unfolded_nodes_and_the_cursor_stay_when_the_same_run_is_reloaded() -> None:
    source = {"metadata": {"a": {"b": 1}}, "feedback": "Slow."}
    async with details_of(source, size=(60, 14)) as (app, pilot):
        details = app.widget
        await pilot.press("G", "up", "enter", "down", "enter", "down")
        assert details.cursor_key == ("metadata", "a", "b")
        details.drawn = 0
        details.show_run(view(source))
        await pilot.pause()
        assert details.drawn == 0
        details.show_run(view(source | {"metadata": {"new": 1, "a": {"b": 2}}, "status": "completed"}))
        await pilot.pause()
        assert details.cursor_key == ("metadata", "a", "b")
        assert any(line.strip() == "b: 2" for line in screen(details))
        details.show_run(view(source | {"id": 6}))
        await pilot.pause()
        assert details.cursor_index == 0
        assert not any("b: 1" in line for line in screen(details))


async def test_x_shows_the_raw_json_and_returns_to_the_same_row() -> None:
    source = {"metadata": {"score": 1.50, "text": 'a "b"\nc'}, "empty": []}
    async with details_of(source, size=(60, 12)) as (app, pilot):
        details = app.widget
        await pilot.press("G", "up")
        cursor = details.cursor_key
        await pilot.press("X")
        assert [line.strip() for line in screen(details)[:8]] == [
            *("{", '"id": 5,', '"metadata": {', '"score": 1.5,', r'"text": "a \"b\"\nc"', "},", '"empty": []', "}")
        ]
        assert screen(details)[3] == '     "score": 1.5,'
        assert details.find("SCORE") == 1
        details.next_match(1)
        assert (details.cursor_index, found_on(details)) == (3, ["score"])
        await pilot.press("X")
        assert details.cursor_key == cursor
        await pilot.press("X")
        assert details.cursor_index == 3


async def test_only_rows_on_screen_are_drawn_in_details_of_ten_thousand_turns() -> None:
    turns = [{"role": "Main Agent", "content": "Hello there. " * 8, "start_time": n} for n in range(10_000)]
    async with details_of({"transcript_object": turns, "transcript": "x" * 1_000_000}) as (app, pilot):
        details = app.widget
        drawn = []
        for key in ("X", "G", "pageup", "X"):
            details.drawn = 0
            await pilot.press(key)
            drawn.append(details.drawn)
        assert max(drawn) < 200
        assert sum(drawn) > 20
        assert len(details.rows) < 20
        await pilot.press("X", "G")
        assert screen(details)[-1] == " }"


async def test_a_deeply_nested_value_has_room_for_its_text() -> None:
    value: Any = "<bottom>"
    for _ in range(1_000):
        value = [value]
    async with details_of({"metadata": value}, size=(60, 10)) as (app, pilot):
        assert app.widget.find("<bottom>") == 1
        app.widget.next_match(1)
        assert any(line.endswith("1: <bottom>") for line in screen(app.widget))
        await pilot.press("X")
        app.widget.next_match(1)
        assert any(line.strip() == '"<bottom>"' for line in screen(app.widget))
