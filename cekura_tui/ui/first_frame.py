"""What the first frame shows: the runs and jobs that were seen last, read before anything runs."""

from __future__ import annotations

from cekura_tui.model.job import Job
from cekura_tui.model.scope import Scope
from cekura_tui.store.runs import first_sight
from cekura_tui.ui.screens.run_pages import RunPages
from cekura_tui.workspace.workspace import Workspace


def read_first_frame(workspace: Workspace, scope: Scope | None) -> tuple[RunPages, tuple[Job, ...]]:
    """The list of `scope`, else of what was named or chosen last, and all jobs; empty where nothing was seen yet."""
    setup = workspace.setup
    named = scope or setup.scope
    text = named.text if named else None
    sight = first_sight(setup.paths.database, setup.origin, workspace.known_key(), setup.profile, text)
    if named is None and sight.chosen is not None:
        kind, number, name = sight.chosen
        named = Scope("agent" if kind == "agent" else "project", number, name)
    return RunPages(named, sight.seen), sight.jobs
