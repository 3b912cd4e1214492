"""Read the screen of an app that has no terminal, and wait until it shows a text."""

from __future__ import annotations

import time
from typing import Any
from weakref import WeakKeyDictionary

from quick_pilot import is_pending, paintings
from textual._context import visible_screen_stack
from textual.app import App
from textual.pilot import Pilot
from waiting import eventually

_STILL = 10
_READ_INTERVAL = 0.5
"""Seconds after which the screen is read even if nothing was painted."""


_last_text: WeakKeyDictionary[App[Any], tuple[object, str]] = WeakKeyDictionary()
"""What an app showed when its screen was last read, with the screen's id and the number of paintings."""


def screen_text(app: App[Any]) -> str:
    """Text of the top screen, or the notice shown if the window is too small."""
    if lines := getattr(app, "too_small_lines", []):
        return "\n".join(line.rstrip() for line in lines)
    now = None if is_pending(app) else (id(app.screen), paintings.get(app))
    former, shown = _last_text.get(app, (None, ""))
    if now is None or now != former:
        # The compositor draws screens behind a dialog only if this variable lists them.
        visible_screen_stack.set(app._background_screens)
        shown = "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())
        _last_text[app] = now, shown
    return shown


async def sees(pilot: Pilot[Any], *texts: str, gone: str = "") -> None:
    """Wait until the screen shows all texts and does not show `gone`."""

    last_read: tuple[object, ...] = ()
    slot = int(time.monotonic() / _READ_INTERVAL)

    def there() -> bool:
        nonlocal last_read, slot
        app = pilot.app
        # Rendering a screen costs as much as the rest of a test, so wait until the app has settled.
        before, slot = slot, int(time.monotonic() / _READ_INTERVAL)
        now = (app.screen, paintings.get(app))
        if slot == before and (now == last_read or is_pending(app)):
            return False
        last_read = now
        shown = screen_text(app)
        return all(text in shown for text in texts) and (not gone or gone not in shown)

    what = ", ".join(map(repr, texts)) + (f", {gone!r} gone" if gone else "")
    try:
        await eventually(there, f"on screen: {what}")
    except AssertionError as never:
        raise AssertionError(f"{never}\n{screen_text(pilot.app)}") from None
    await pilot.pause()


async def still(pilot: Pilot[Any]) -> None:
    """Wait until ten checks in a row find no new painting, because one change may need several layouts."""
    seen: list[object] = []

    def unchanged() -> bool:
        app = pilot.app
        seen.append(object() if is_pending(app) else (app.screen, paintings.get(app)))
        return len(seen) > _STILL and len(set(seen[-_STILL:])) == 1

    await eventually(unchanged, "a still screen")
    await pilot.pause()
