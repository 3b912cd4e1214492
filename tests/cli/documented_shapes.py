"""The keys of a job as the README documents them; lists of jobs have no texts."""

from __future__ import annotations

JOB_KEYS = [
    "job",
    "state",
    "state_since",
    "reason",
    "profile",
    "run_ids",
    "agent_id",
    "agent_name",
    "category_ids",
    "workflow_metric_ids",
    "progress_id",
    "last_status",
    "prompt_sha256",
    "error",
    "again_of",
    "launched_at",
    "finished_at",
]
TEXTS = ["improved_prompt", "summary_of_changes"]
