"""Times as people read them."""

from __future__ import annotations

import time


def clock_text(moment: float, now: float | None = None) -> str:
    """A moment as people read it: "14:05" today, "Mon 14:05" within a week, else "2026-11-02 14:05"; local time."""
    then, today = time.localtime(moment), time.localtime(now)
    if then[:3] == today[:3]:
        return time.strftime("%H:%M", then)
    near = abs((now if now is not None else time.time()) - moment) < 6 * 86_400
    return time.strftime("%a %H:%M" if near else "%Y-%m-%d %H:%M", then)


def span_text(seconds: float) -> str:
    """How long: by five seconds in the first minute, then by the minute ("25 s", "4 min", "2 h 05 min")."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole // 5 * 5} s"
    minutes = whole // 60
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
