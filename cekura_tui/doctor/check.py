"""Results of checks; a check that crashes becomes a failure."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.text import clean, clean_line

Status = Literal["ok", "warning", "failure"]
Group = Literal["terminal", "files", "server", "versions"]
_log = logging.getLogger("cekura_tui.doctor")


@dataclass(frozen=True, slots=True)
class Check:
    """The result of a check. `advice` says what to do, in any number of lines; it is empty if nothing needs doing."""

    group: Group
    name: str
    status: Status
    found: str
    advice: str = ""

    def lines(self) -> list[str]:
        first = f"  {self.status:<8} {self.name}: {clean_line(self.found, 400)}"
        return [first, *(f"           → {line}" for line in clean(self.advice).splitlines())]


def run_check(group: Group, name: str, check: Callable[[], Iterable[Check]]) -> list[Check]:
    """Run a check and return its results; if the check raises an error, the error is added as a failure."""
    found: list[Check] = []
    try:
        found.extend(check())
    except CekuraTuiError as error:
        found.append(Check(group, name, "failure", error.message, error.hint))
    except Exception as error:  # one crashed check must not stop the others
        _log.exception("the check of %s broke", name)
        why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        found.append(Check(group, name, "failure", f"could not be checked ({why})", "Please report this bug."))
    return found
