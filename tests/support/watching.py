"""What a person would see of the app in a test that has no terminal, and waiting until it is there."""

from __future__ import annotations

import time
from typing import Any

from quick_pilot import is_pending, paintings
from textual._context import visible_screen_stack
from textual.app import App
from textual.pilot import Pilot
from waiting import eventually

_SAME = 10
_LOOKED_EVERY = 0.5
"""Seconds after which a screen is looked at even if nothing painted it."""


def screen_text(app: App[Any]) -> str:
    """The lines of the screen on top, as text; of a window that is too small, what it shows instead."""
    if lines := getattr(app, "too_small_lines", []):
        return "\n".join(line.rstrip() for line in lines)
    # What lies behind a dialog is only drawn where the compositor is told of it.
    visible_screen_stack.set(app._background_screens)
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


async def sees(pilot: Pilot[Any], *texts: str, gone: str = "") -> None:
    """Wait until all of these texts are on the screen, and `gone` is not."""

    looked_at: tuple[object, ...] = ()
    slot = int(time.monotonic() / _LOOKED_EVERY)

    def there() -> bool:
        nonlocal looked_at, slot
        app = pilot.app
        # To draw all of a screen costs as much as a test does otherwise: it is done when it has settled.
        before, slot = slot, int(time.monotonic() / _LOOKED_EVERY)
        now = (app.screen, paintings.get(app))
        if slot == before and (now == looked_at or is_pending(app)):
            return False
        looked_at = now
        shown = screen_text(app)
        return all(text in shown for text in texts) and (not gone or gone not in shown)

    what = ", ".join(map(repr, texts)) + (f", {gone!r} gone" if gone else "")
    try:
        await eventually(there, f"on screen: {what}")
    except AssertionError as never:
        raise AssertionError(f"{never}\n{screen_text(pilot.app)}") from None
    await pilot.pause()


async def still(pilot: Pilot[Any]) -> None:
    """Wait until nothing was painted several times in a row: layouts of one change may take a few turns."""
    seen: list[object] = []

    def unchanged() -> bool:
        app = pilot.app
        seen.append(object() if is_pending(app) else (app.screen, paintings.get(app)))
        return len(seen) > _SAME and len(set(seen[-_SAME:])) == 1

    await eventually(unchanged, "a still screen")
    await pilot.pause()
