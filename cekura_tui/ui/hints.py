"""Tips in the demo: keys to try. A tip is shown until its action was done once; the setting `hints` turns tips off."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from textual.dom import DOMNode

from cekura_tui.config.atomic_file import atomic_file
from cekura_tui.config.own_file import read_own
from cekura_tui.config.paths import make_private
from cekura_tui.ui.actions import table_of
from cekura_tui.workspace.setup import Setup


class Hint(NamedTuple):
    """An action's id, and its purpose, which completes "Tip: press x to …"."""

    action: str
    use: str


HINTS = (
    Hint("run-list.open", "open the run under the cursor"),
    Hint("runs.failures", "list failed runs only"),
    Hint("runs.filter", "filter the list, for example scenario:~chest since:2d"),
    Hint("run-list.mark", "mark a run; improve from up to three runs of one agent"),
    Hint("runs.improve", "improve the agent's prompt from the marked runs, or from this one"),
    Hint("runs.groups", "see which check fails most"),
    Hint("run.evidence", "jump to the turn that a verdict is based on"),
    Hint("run.find", "find words in the transcript"),
    Hint("run.compare", "read the run beside a passed one"),
    Hint("run.next", "go to the next run of the list"),
    Hint("run.improve", "improve the agent's prompt from this run"),
    Hint("job-list.open", "open the job's suggestion"),
    Hint("job.details", "see what was sent, and every answer"),
    Hint("suggestion.accept", "accept a change"),
    Hint("suggestion.reject", "reject a change"),
    Hint("suggestion.edit", "edit a change"),
    Hint("suggestion.hand-off", "copy or save the staged prompt"),
    Hint("suggestion.put-on-agent", "update the prompt of the agent"),
    Hint("app.jobs", "see all jobs and their suggestions"),
)
"""All tips, the most useful first; a page shows the first unused tip whose action is available on the page."""


class Hints:
    """The tips that were not used yet, and the warning to show instead; `changed` is called after either changed."""

    def __init__(self) -> None:
        self.changed: Callable[[], object] = lambda: None
        self.unused: tuple[Hint, ...] = ()
        self.warning = ""
        self._file: Path | None = None

    def begin(self, setup: Setup) -> None:
        self.unused, self._file, self.warning = (), None, ""
        if setup.demo is not None and setup.settings.hints:
            self._file = setup.paths.home / "hints-used"
            used: set[str] = set()
            with contextlib.suppress(OSError, UnicodeDecodeError):
                used = set(read_own(self._file).decode().split())
            self.unused = tuple(hint for hint in HINTS if hint.action not in used)
        self.changed()

    def use(self, node: DOMNode | None, action_string: str) -> None:
        """Drop the tips about an action that was just done."""
        if not self.unused or node is None or self._file is None:
            return
        done = {action.id for action in table_of(type(node)).values() if action.action_string == action_string}
        if len(unused := tuple(hint for hint in self.unused if hint.action not in done)) < len(self.unused):
            self.unused = unused
            used = "".join(f"{hint.action}\n" for hint in HINTS if hint not in unused)
            with contextlib.suppress(OSError):  # a tip that can't be stored as used is shown again
                make_private(self._file.parent)
                with atomic_file(self._file) as file:
                    file.write(used.encode())
            self.changed()
