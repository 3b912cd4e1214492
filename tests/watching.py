"""What a person would see of the app in a test that has no terminal, and waiting until it is there."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.pilot import Pilot
from waiting import eventually


def screen_text(app: App[Any]) -> str:
    """The lines of the screen on top, as text."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


async def sees(pilot: Pilot[Any], *texts: str, gone: str = "") -> None:
    """Wait until all of these texts are on the screen, and `gone` is not."""

    def there() -> bool:
        shown = screen_text(pilot.app)
        return all(text in shown for text in texts) and (not gone or gone not in shown)

    what = ", ".join(map(repr, texts)) + (f", {gone!r} gone" if gone else "")
    try:
        await eventually(there, f"on screen: {what}")
    except AssertionError as never:
        raise AssertionError(f"{never}\n{screen_text(pilot.app)}") from None
    await pilot.pause()
