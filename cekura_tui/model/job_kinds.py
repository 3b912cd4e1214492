"""Every kind of job, by its name in the database: another one is a module like `improve_prompt`, and named here."""

from __future__ import annotations

from cekura_tui.model.improve_prompt import IMPROVE_PROMPT
from cekura_tui.model.job_kind import JobKind

KINDS: dict[str, JobKind] = {kind.name: kind for kind in (IMPROVE_PROMPT,)}
