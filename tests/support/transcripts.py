"""A transcript and nothing else on a screen, and what of it is shown."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from themed_app import ThemedApp

from cekura_tui.model.transcript.timeline import call_of
from cekura_tui.model.transcript.transcript import Turn
from cekura_tui.ui.run.transcript import Transcript

LONG = "I would like to move my appointment to some other day, because my daughter is ill."


def make_turn(
    n: int, start: float | None = None, end: float | None = None, text: str = "Hello.", speaker: str = ""
) -> Turn:
    """A turn of the caller where the number is odd, else of the agent."""
    who = speaker or ("testing" if n % 2 else "main")
    return Turn(n, who, "Supervisor", start, end, text)  # type: ignore[arg-type]


def call(n: int, name: str = "find", arguments: object = None, at: float | None = None, **more: object) -> Turn:
    """A call of a tool."""
    tool = {"name": name, "arguments": {"id": n} if arguments is None else arguments, **more}
    return Turn(n, "tool_call", "Function Call", at, at, "", tool, {"role": "Function Call", "data": tool})


def result(n: int, name: str = "find", value: object = "found", at: float | None = None, **more: object) -> Turn:
    """What a tool answered."""
    tool = {"name": name, "result": value, **more}
    return Turn(n, "tool_result", "Function Call Result", at, at, "", tool, {"role": "Function Call Result"})


def talk(turns: int) -> list[Turn]:
    """A call of so many turns, each of some lines."""
    return [make_turn(n, n * 5.0, n * 5.0 + 4, f"{LONG} " * (n % 7) + f"Turn {n}.") for n in range(1, turns + 1)]


class TranscriptApp(ThemedApp):
    """A transcript and nothing else."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        super().__init__()
        self.turns = turns
        self.transcript = Transcript()
        self.opened: list[object] = []

    def compose(self) -> ComposeResult:
        yield self.transcript

    def on_mount(self) -> None:
        self.show(self.turns, reset=True)
        self.transcript.focus()

    def show(self, turns: Sequence[Turn], *, reset: bool = False) -> None:
        """These turns, as the screen of a run shows them."""
        self.transcript.show_call(call_of(turns), reset=reset)

    def on_virtual_list_opened(self, message: Transcript.Opened) -> None:
        self.opened.append(message.key)


def screen(transcript: Transcript) -> list[str]:
    """The lines as they are now."""
    return [transcript.render_line(y).text.rstrip() for y in range(transcript.size.height)]


def on_ground(transcript: Transcript, y: int, *components: str) -> str:
    """What of a line of the screen stands on the ground of one of these components; the parts joined by a bar."""
    grounds = [transcript.style_of(f"transcript--{one}").bgcolor for one in components]
    return "|".join(part.text for part in transcript.render_line(y) if part.style and part.style.bgcolor in grounds)


def on_screen(transcript: Transcript) -> list[int]:
    """The numbers of the turns that are on screen, some of a line only."""
    shown = transcript.shown_range
    return [] if shown is None else [turn.n for turn in transcript.rows[shown[0] : shown[1] + 1]]
