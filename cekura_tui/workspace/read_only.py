"""A session that launches nothing and writes nothing to an agent, and what made it so."""

from __future__ import annotations

from cekura_tui.model.errors import UsageError

FLAG = "--read-only"


def refuse_read_only(read_only: str, undone: str) -> None:
    """Raise UsageError in a read-only session; does nothing in another.

    `read_only` is the flag, or the settings file that says so, or empty; `undone` is what was not done ("nothing was
    launched").
    """
    if read_only:
        mend = "Start without --read-only." if read_only == FLAG else f"Take read_only = true out of {read_only}."
        raise UsageError(f"This is a read-only session, so {undone}.", mend)
