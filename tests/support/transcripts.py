"""Make turns, show a transcript alone in an app, and read the turns that are on screen."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from one_widget import WidgetApp, widget_app
from textual.pilot import Pilot

from cekura_tui.model.transcript.timeline import call_of
from cekura_tui.model.transcript.transcript import Turn
from cekura_tui.ui.run.transcript import TranscriptView

LONG = "I would like to move my appointment to some other day, because my daughter is ill."


def make_turn(
    n: int, start: float | None = None, end: float | None = None, text: str = "Hello.", speaker: str = ""
) -> Turn:
    """A turn. Without a `speaker`, odd turns are the caller's and even turns are the agent's."""
    who = speaker or ("testing" if n % 2 else "main")
    return Turn(n, who, "Supervisor", start, end, text)  # type: ignore[arg-type]


def call(n: int, name: str = "find", arguments: object = None, at: float | None = None, **more: object) -> Turn:
    """A turn in which the agent calls a tool."""
    tool = {"name": name, "arguments": {"id": n} if arguments is None else arguments, **more}
    return Turn(n, "tool_call", "Function Call", at, at, "", tool, {"role": "Function Call", "data": tool})


def result(n: int, name: str = "find", value: object = "found", at: float | None = None, **more: object) -> Turn:
    """A turn with the result of a tool."""
    tool = {"name": name, "result": value, **more}
    return Turn(n, "tool_result", "Function Call Result", at, at, "", tool, {"role": "Function Call Result"})


def talk(turns: int) -> list[Turn]:
    """A conversation of this many turns of one or more lines."""
    return [make_turn(n, n * 5.0, n * 5.0 + 4, f"{LONG} " * (n % 7) + f"Turn {n}.") for n in range(1, turns + 1)]


def show(transcript: TranscriptView, turns: Sequence[Turn], *, reset: bool = False) -> None:
    """Show turns as the run screen does."""
    transcript.show_call(call_of(turns), reset=reset)


def transcript_of(
    turns: Sequence[Turn], *, size: tuple[int, int] = (80, 24), paint: bool = False
) -> AbstractAsyncContextManager[tuple[WidgetApp[TranscriptView], Pilot[None]]]:
    """Open an app that shows only a transcript."""
    return widget_app(TranscriptView(), lambda one: show(one, turns, reset=True), size=size, paint=paint)


def on_ground(transcript: TranscriptView, y: int, *components: str) -> str:
    """Text of those parts of a line that have the background of one of these components, joined by "|"."""
    grounds = [transcript.style_of(f"transcript--{one}").bgcolor for one in components]
    return "|".join(part.text for part in transcript.render_line(y) if part.style and part.style.bgcolor in grounds)


def on_screen(transcript: TranscriptView) -> list[int]:
    """Numbers of the turns on screen, including turns that are cut off."""
    shown = transcript.shown_range
    return [] if shown is None else [turn.n for turn in transcript.rows[shown[0] : shown[1] + 1]]
