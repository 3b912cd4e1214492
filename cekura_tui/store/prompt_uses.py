"""The history of the prompts of agents: seen, sent, proposed, staged, written and replaced."""

from __future__ import annotations

import sqlite3

from cekura_tui.model.prompt_use import How, PromptUse, prompt_use
from cekura_tui.model.text import Prompt
from cekura_tui.store.database import Database
from cekura_tui.store.job_rows import ALL_TEXTS_BYTES
from cekura_tui.store.jobs import Account
from cekura_tui.store.prompt_use_rows import bound_texts, note_use
from cekura_tui.store.prompts import as_prompt, drop_unused, keep_prompt, read_prompt


class PromptUseStore:
    """The prompt history of one account. Each method is one transaction and raises StoreError.

    Of an agent so many uses are kept as `MAX_USES` says, and texts that nothing else needs make room where all prompts
    take more than their share; what a restore needs stays until it is forgotten.
    """

    def __init__(self, database: Database, account: Account) -> None:
        self._database = database
        self._pair = (account.origin, account.key_id)

    def all(self, agent_id: int) -> list[PromptUse]:
        """The uses of an agent's prompts, newest first."""
        rows = self._database.read(f"{_USES} ORDER BY at DESC, prompt_uses.rowid DESC", *self._pair, agent_id)
        return [_use(row) for row in rows]

    def last_replaced(self, agent_id: int) -> PromptUse | None:
        """What stood at an agent before it was written last, whatever the clock said then."""
        last = f"{_USES} AND how = 'replaced' ORDER BY prompt_uses.rowid DESC LIMIT 1"
        rows = self._database.read(last, *self._pair, agent_id)
        return _use(rows[0]) if rows else None

    def text(self, sha256: str) -> Prompt:
        """The prompt of a hash, exactly; raises StoreError where it is not kept any more."""
        return read_prompt(self._database, sha256)

    def note(self, agent_id: int, prompt: Prompt, how: How, at: float, job: int | None = None) -> None:
        """Keep a prompt and how it was used, at `at` in Unix time; a use that is known already is so anew."""
        with self._database.write() as sql:
            note_use(sql, self._pair, agent_id, keep_prompt(sql, prompt, at), how, at, job)
            bound_texts(sql, ALL_TEXTS_BYTES)

    def forget(self, use: PromptUse) -> None:
        """Drop a use, and the text unless a job or another use needs it."""
        with self._database.write() as sql:
            sql.execute(_FORGET, (*self._pair, use.agent_id, use.sha256, use.how))
            drop_unused(sql, use.sha256)
        self._database.overwrite()


def _use(row: sqlite3.Row) -> PromptUse:
    return prompt_use(as_prompt(row["text"]), row["agent_id"], row["how"], row["at"], row["job"])


_USES = """
SELECT prompt_uses.*, text FROM prompt_uses JOIN prompts USING (sha256)
WHERE origin = ? AND key_id = ? AND agent_id = ?"""
_FORGET = "DELETE FROM prompt_uses WHERE origin = ? AND key_id = ? AND agent_id = ? AND sha256 = ? AND how = ?"
