"""Times as people read them."""

from __future__ import annotations

import time

DAY = 86_400


def clock_text(moment: float, now: float | None = None, *, seconds: bool = False) -> str:
    """A moment as people read it, in local time: "14:05", "Mon 14:05", "02 Nov 14:05" or "2025-11-02".

    With `seconds` it is "14:05:09", for what follows closely on another.
    """
    now = time.time() if now is None else now
    then, today = time.localtime(moment), time.localtime(now)
    clock = "%H:%M:%S" if seconds else "%H:%M"
    if then[:3] == today[:3]:
        return time.strftime(clock, then)
    if abs(now - moment) < 6 * DAY:
        return time.strftime(f"%a {clock}", then)
    return time.strftime(f"%d %b {clock}" if abs(now - moment) < 300 * DAY else "%Y-%m-%d", then)


def span_text(seconds: float, *, live: bool = False) -> str:
    """How long: "27 s", "4 min", "2 h 05 min", "3 d 4 h"; a growing one (`live`) goes by 5 seconds up to a minute."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole // 5 * 5 if live else whole} s"
    minutes, hours = whole // 60, whole // 3_600
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{minutes} min" if minutes < 60 else f"{hours} h {minutes % 60:02d} min"
