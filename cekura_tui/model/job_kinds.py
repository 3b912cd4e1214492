"""All kinds of job by their names in the database. A new kind is a module like `improve_prompt`, added to `KINDS`."""

from __future__ import annotations

from cekura_tui.model.improve_prompt import IMPROVE_BY_COMMAND, IMPROVE_PROMPT, PROMPT_FROM_FILE
from cekura_tui.model.job_kind import JobKind
from cekura_tui.model.scenario_test import SCENARIO_TEST

KINDS: dict[str, JobKind] = {
    kind.name: kind for kind in (IMPROVE_PROMPT, IMPROVE_BY_COMMAND, PROMPT_FROM_FILE, SCENARIO_TEST)
}
