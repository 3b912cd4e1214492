"""What the first frame shows: the runs and jobs that were seen last, read before anything runs."""

from __future__ import annotations

import time
from collections.abc import Callable

from cekura_tui.model.job import Job
from cekura_tui.model.scope import Scope
from cekura_tui.store.runs import first_sight
from cekura_tui.ui.screens.run_listing import RunListing
from cekura_tui.workspace.workspace import Workspace


def read_first_frame(
    workspace: Workspace, scope: Scope | None, clock: Callable[[], float] = time.time
) -> tuple[RunListing, tuple[Job, ...]]:
    """The list of `scope` as it was left, else of what was named or chosen last, and all jobs; empty at first."""
    setup = workspace.setup
    named = scope or setup.scope
    text = named.text if named else None
    sight = first_sight(setup.paths.database, setup.origin, workspace.known_key(), setup.profile, text)
    if named is None and sight.chosen is not None:
        kind, number, name = sight.chosen
        named = Scope("agent" if kind == "agent" else "project", number, name)
    whole = sight.filtered or not sight.filter
    listing = RunListing(named, sight.seen if whole else None, sight.filter, sight.notes, clock)
    if sight.seen is not None and not whole:
        listing.known = sight.seen.rows
    return listing, sight.jobs
