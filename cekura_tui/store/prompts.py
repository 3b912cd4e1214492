"""Prompts, each stored once by the hash of its exact bytes, and their history, inside transactions of others."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

from cekura_tui.model.text import Prompt, prompt_bytes, sha256
from cekura_tui.store.errors import DamagedText, StoreError

if TYPE_CHECKING:
    from cekura_tui.model.prompt_events import How


def keep_prompt(sql: sqlite3.Connection, prompt: Prompt, at: float) -> str:
    """Save a prompt, also in place of its damaged text; returns its hash."""
    text = prompt_bytes(prompt)
    name = sha256(text)
    sql.execute(
        "INSERT INTO prompts VALUES (?, ?, ?)"
        " ON CONFLICT (sha256) DO UPDATE SET text = excluded.text WHERE prompts.text IS NOT excluded.text",
        (name, text, at),
    )
    return name


def drop_unused(sql: sqlite3.Connection, name: str) -> None:
    """Delete a prompt that no job and no agent's history uses."""
    sql.execute(
        "DELETE FROM prompts WHERE sha256 = ?1"
        " AND NOT EXISTS (SELECT 1 FROM jobs WHERE prompt_sha256 = ?1 OR improved_sha256 = ?1)"
        " AND NOT EXISTS (SELECT 1 FROM staged WHERE sha256 = ?1)"
        " AND NOT EXISTS (SELECT 1 FROM prompt_uses WHERE sha256 = ?1)",
        (name,),
    )


def read_prompt(read: Callable[[str, str], list[sqlite3.Row]], name: str) -> Prompt:
    """The exact prompt of a hash, by `Database.read`; raises StoreError, or DamagedText if it does not fit the hash."""
    rows = read("SELECT text FROM prompts WHERE sha256 = ?", name)
    if not rows:
        raise StoreError("The prompt was forgotten.", "Take the prompt from a file.")
    text = rows[0]["text"]
    prompt = as_prompt(text)
    if sha256(text) != name:
        raise DamagedText
    return prompt


def as_prompt(kept: object) -> Prompt:
    """Decode stored bytes (`prompt_bytes`); raises DamagedText."""
    try:
        if isinstance(kept, bytes):
            return Prompt(kept.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        pass
    raise DamagedText


MAX_USES = 200
"""Uses of prompts kept of one agent; the oldest make room."""
OF_JOBS: tuple[How, ...] = ("sent", "proposed", "staged")
"""What jobs do with prompts; the other uses are the agent's."""
OF_WRITES: tuple[How, ...] = ("written", "replaced")
"""What a write to an agent notes; every write is kept."""
FORGET_USE = """
DELETE FROM prompt_uses WHERE origin = ?1 AND key_id = ?2 AND agent_id = ?3 AND sha256 = ?4 AND how = ?5
AND coalesce(at = ?6, TRUE)"""
"""Deletes the use noted at a time, or if that is NULL all of this kind."""


def note_use(
    sql: sqlite3.Connection, pair: tuple[str, str], agent_id: int, sha256: str, how: How, at: float, job: int | None
) -> None:
    """Note a use of a stored prompt; `pair` is origin and key id. Of uses other than writes only the last is kept."""
    agent = (*pair, agent_id)
    if how not in OF_WRITES:
        sql.execute(FORGET_USE, (*agent, sha256, how, None))
    sql.execute("INSERT OR REPLACE INTO prompt_uses VALUES (?, ?, ?, ?, ?, ?, ?)", (*agent, sha256, how, at, job))
    beyond = sql.execute(_BEYOND, (*agent, MAX_USES)).fetchall()
    sql.executemany("DELETE FROM prompt_uses WHERE rowid = ?", [(row["rowid"],) for row in beyond])
    for name in {row["sha256"] for row in beyond}:
        drop_unused(sql, name)


def withdraw(sql: sqlite3.Connection, job: int, *hows: How) -> None:
    """Remove these uses by a job; another job with the same use of the same prompt takes its place."""
    for row in sql.execute("SELECT rowid, * FROM prompt_uses WHERE job = ?", (job,)).fetchall():
        if row["how"] in hows:
            sql.execute("DELETE FROM prompt_uses WHERE rowid = ?", (row["rowid"],))
            agent = (row["origin"], row["key_id"], row["agent_id"], row["sha256"])
            sql.execute(_ANOTHER_JOBS[row["how"]], (*agent, row["how"], job))


def drop_uses_of(sql: sqlite3.Connection, job: int) -> None:
    """Remove the uses by a forgotten job; writes to its agent stay in the agent's history."""
    withdraw(sql, job, *OF_JOBS)
    sql.execute("UPDATE prompt_uses SET job = NULL WHERE job = ?", (job,))


ALL_TEXTS_BYTES = 256 * 2**20
"""Bytes of prompts kept: prompts that only the history needs are dropped first, then those of the oldest seen jobs."""


def bound_texts(sql: sqlite3.Connection) -> bool:
    """Delete the oldest prompts that only the history uses; returns whether `ALL_TEXTS_BYTES` is kept."""
    (kept,) = sql.execute("SELECT coalesce(sum(length(text)), 0) FROM prompts").fetchone()
    if kept > ALL_TEXTS_BYTES:
        for row in sql.execute(_SPARE).fetchall():
            sql.execute("DELETE FROM prompt_uses WHERE sha256 = ?", (row["sha256"],))
            sql.execute("DELETE FROM prompts WHERE sha256 = ?", (row["sha256"],))
            kept -= row["bytes"]
            if kept <= ALL_TEXTS_BYTES:
                break
    return bool(kept <= ALL_TEXTS_BYTES)


_RESTORES = """
SELECT max(rowid) FROM prompt_uses WHERE how IN ('replaced', 'written') GROUP BY origin, key_id, agent_id, how
UNION SELECT max(replaced.rowid) FROM prompt_uses AS replaced JOIN (
    SELECT origin, key_id, agent_id, max(rowid) AS last FROM prompt_uses WHERE how = 'written'
    GROUP BY origin, key_id, agent_id
) USING (origin, key_id, agent_id) WHERE how = 'replaced' AND replaced.rowid < last GROUP BY origin, key_id, agent_id"""
"""What a restore needs, which is never pruned: the last prompt written to each agent, the one it replaced, and the one
that a later write was to replace."""
_BEYOND = f"""
SELECT rowid, sha256 FROM prompt_uses WHERE origin = ? AND key_id = ? AND agent_id = ?
ORDER BY rowid IN ({_RESTORES}) DESC, rowid DESC LIMIT -1 OFFSET ?"""
_SPARE = f"""
SELECT sha256, length(text) AS bytes FROM prompt_uses JOIN prompts USING (sha256) WHERE sha256 NOT IN (
    SELECT prompt_sha256 FROM jobs
    UNION SELECT improved_sha256 FROM jobs WHERE improved_sha256 IS NOT NULL
    UNION SELECT sha256 FROM staged
    UNION SELECT sha256 FROM prompt_uses WHERE rowid IN ({_RESTORES})
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
