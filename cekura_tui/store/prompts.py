"""Save prompts, each once by the hash of its exact bytes, and their uses; all in the caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

from cekura_tui.model.text import Prompt, prompt_bytes, sha256
from cekura_tui.store.errors import DamagedText, StoreError

if TYPE_CHECKING:
    from cekura_tui.model.prompt_events import UseKind


def save_prompt(sql: sqlite3.Connection, prompt: Prompt, at: float) -> str:
    """Save a prompt, overwriting a damaged copy; returns the prompt's hash."""
    text = prompt_bytes(prompt)
    name = sha256(text)
    sql.execute(
        "INSERT INTO prompts VALUES (?, ?, ?)"
        " ON CONFLICT (sha256) DO UPDATE SET text = excluded.text WHERE prompts.text IS NOT excluded.text",
        (name, text, at),
    )
    return name


def drop_unused(sql: sqlite3.Connection, name: str) -> None:
    """Delete a prompt by its hash, unless a job, a staged suggestion or an agent's history uses the prompt."""
    sql.execute(
        "DELETE FROM prompts WHERE sha256 = ?1"
        " AND NOT EXISTS (SELECT 1 FROM jobs WHERE prompt_sha256 = ?1 OR improved_sha256 = ?1)"
        " AND NOT EXISTS (SELECT 1 FROM staged WHERE sha256 = ?1)"
        " AND NOT EXISTS (SELECT 1 FROM prompt_uses WHERE sha256 = ?1)",
        (name,),
    )


def read_prompt(read: Callable[[str, str], list[sqlite3.Row]], name: str) -> Prompt:
    """The exact prompt with the hash `name`. Raises StoreError if it was forgotten, DamagedText if it is damaged."""
    rows = read("SELECT text FROM prompts WHERE sha256 = ?", name)
    if not rows:
        raise StoreError("The prompt was forgotten.", "Take the prompt from a file.")
    text = rows[0]["text"]
    prompt = as_prompt(text)
    if sha256(text) != name:
        raise DamagedText
    return prompt


def as_prompt(kept: object) -> Prompt:
    """Decode a stored prompt, the inverse of `prompt_bytes`; raises DamagedText if the value cannot be decoded."""
    try:
        if isinstance(kept, bytes):
            return Prompt(kept.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        pass
    raise DamagedText


MAX_USES = 200
"""Maximum number of prompt uses saved per agent; the oldest uses are pruned."""
JOB_USES: tuple[UseKind, ...] = ("sent", "proposed", "staged")
"""The kinds of use that belong to a job; all other kinds belong to an agent."""
WRITE_USES: tuple[UseKind, ...] = ("written", "replaced")
"""The kinds of use that a write to an agent records; every write is recorded as a new use."""
FORGET_USE = """
DELETE FROM prompt_uses WHERE origin = ?1 AND key_id = ?2 AND agent_id = ?3 AND sha256 = ?4 AND how = ?5
AND coalesce(at = ?6, TRUE)"""
"""Deletes an agent's uses of one kind of one prompt: only the use at time ?6, or every use if ?6 is NULL."""


def note_use(
    sql: sqlite3.Connection, pair: tuple[str, str], agent_id: int, sha256: str, how: UseKind, at: float, job: int | None
) -> None:
    """Record a use of a stored prompt; `pair` is origin and key id. An agent's uses beyond MAX_USES are pruned. Each
    write is recorded as a new use. Any other use replaces the agent's earlier use of the same kind and prompt."""
    agent = (*pair, agent_id)
    if how not in WRITE_USES:
        sql.execute(FORGET_USE, (*agent, sha256, how, None))
    sql.execute("INSERT OR REPLACE INTO prompt_uses VALUES (?, ?, ?, ?, ?, ?, ?)", (*agent, sha256, how, at, job))
    excess = sql.execute(_EXCESS_USES, (*agent, MAX_USES)).fetchall()
    sql.executemany("DELETE FROM prompt_uses WHERE rowid = ?", [(row["rowid"],) for row in excess])
    for name in {row["sha256"] for row in excess}:
        drop_unused(sql, name)


def drop_uses(sql: sqlite3.Connection, job: int, *kinds: UseKind) -> None:
    """Remove a job's prompt uses of these kinds; the same use by another job of the agent is recorded instead."""
    for row in sql.execute("SELECT rowid, * FROM prompt_uses WHERE job = ?", (job,)).fetchall():
        if row["how"] in kinds:
            sql.execute("DELETE FROM prompt_uses WHERE rowid = ?", (row["rowid"],))
            agent = (row["origin"], row["key_id"], row["agent_id"], row["sha256"])
            sql.execute(_ANOTHER_JOBS[row["how"]], (*agent, row["how"], job))


def forget_uses(sql: sqlite3.Connection, job: int) -> None:
    """Remove a forgotten job's prompt uses; its writes to the agent stay in the history, without its number."""
    drop_uses(sql, job, *JOB_USES)
    sql.execute("UPDATE prompt_uses SET job = NULL WHERE job = ?", (job,))


ALL_TEXTS_BYTES = 256 * 2**20
"""Maximum bytes of all prompts: prompts of the history alone are deleted first, then the oldest seen jobs."""


def prune_texts(sql: sqlite3.Connection) -> bool:
    """Delete the oldest prompts of the history alone until all prompts fit ALL_TEXTS_BYTES; return whether they fit."""
    (kept,) = sql.execute("SELECT coalesce(sum(length(text)), 0) FROM prompts").fetchone()
    if kept > ALL_TEXTS_BYTES:
        for row in sql.execute(_HISTORY_ONLY).fetchall():
            sql.execute("DELETE FROM prompt_uses WHERE sha256 = ?", (row["sha256"],))
            sql.execute("DELETE FROM prompts WHERE sha256 = ?", (row["sha256"],))
            kept -= row["bytes"]
            if kept <= ALL_TEXTS_BYTES:
                break
    return bool(kept <= ALL_TEXTS_BYTES)


_NEEDED_TO_RESTORE = """
SELECT max(rowid) FROM prompt_uses WHERE how IN ('replaced', 'written') GROUP BY origin, key_id, agent_id, how
UNION SELECT max(replaced.rowid) FROM prompt_uses AS replaced JOIN (
    SELECT origin, key_id, agent_id, max(rowid) AS last FROM prompt_uses WHERE how = 'written'
    GROUP BY origin, key_id, agent_id
) USING (origin, key_id, agent_id) WHERE how = 'replaced' AND replaced.rowid < last GROUP BY origin, key_id, agent_id"""
"""Selects uses that are never pruned, since a restore needs their prompts. For each agent these are the last written
prompt, the prompt replaced by that write, and the prompt that a later, unfinished write replaces."""
_EXCESS_USES = f"""
SELECT rowid, sha256 FROM prompt_uses WHERE origin = ? AND key_id = ? AND agent_id = ?
ORDER BY rowid IN ({_NEEDED_TO_RESTORE}) DESC, rowid DESC LIMIT -1 OFFSET ?"""
_HISTORY_ONLY = f"""
SELECT sha256, length(text) AS bytes FROM prompt_uses JOIN prompts USING (sha256) WHERE sha256 NOT IN (
    SELECT prompt_sha256 FROM jobs
    UNION SELECT improved_sha256 FROM jobs WHERE improved_sha256 IS NOT NULL
    UNION SELECT sha256 FROM staged
    UNION SELECT sha256 FROM prompt_uses WHERE rowid IN ({_NEEDED_TO_RESTORE})
) GROUP BY sha256 ORDER BY max(prompt_uses.rowid)"""
_FROM_JOB = """
INSERT INTO prompt_uses SELECT origin, key_id, agent_id, ?4, ?5, {at}, number FROM jobs {more}
WHERE origin = ?1 AND key_id = ?2 AND agent_id = ?3 AND number != ?6 AND {did} ORDER BY {at} DESC LIMIT 1"""
_ANOTHER_JOBS = {
    "sent": _FROM_JOB.format(
        at="launched_at",
        more="",
        did="prompt_sha256 = ?4 AND launched_at IS NOT NULL AND state NOT IN ('draft', 'forgotten')",
    ),
    "proposed": _FROM_JOB.format(at="coalesce(finished_at, created_at)", more="", did="improved_sha256 = ?4"),
    "staged": _FROM_JOB.format(at="staged.at", more="JOIN staged ON job = number", did="sha256 = ?4"),
}
