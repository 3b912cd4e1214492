"""The prompt history of agents: which prompts were seen, sent, proposed, staged, written and replaced, and when."""

from __future__ import annotations

from cekura_tui.model.prompt_events import PromptUse, UseKind, words_and_first_line
from cekura_tui.model.text import Prompt
from cekura_tui.store.database import Account, AccountStore, Database
from cekura_tui.store.errors import DamagedText
from cekura_tui.store.prompts import (
    FORGET_USE,
    WRITE_USES,
    as_prompt,
    drop_unused,
    note_use,
    prune_texts,
    read_prompt,
    save_prompt,
)


class PromptUseStore(AccountStore):
    """The prompt history of one account's agents; a method that writes is one transaction. All may raise StoreError."""

    def __init__(self, database: Database, account: Account) -> None:
        super().__init__(database, account)
        self._counted: dict[str, tuple[int, str]] = {}

    def all(self, agent_id: int) -> list[PromptUse]:
        """The uses of an agent's prompts, newest first."""
        return self._read(f"{_USES} ORDER BY at DESC, rowid DESC", agent_id)

    def writes(self, agent_id: int) -> list[PromptUse]:
        """The prompts written to an agent and the prompts that these writes replaced, last recorded first."""
        return self._read(f"{_USES} AND how IN ('written', 'replaced') ORDER BY rowid DESC", agent_id)

    def _read(self, statement: str, agent_id: int) -> list[PromptUse]:
        uses = []
        for row in self._database.read(statement, *self._pair, agent_id):
            if counted := self._count(row["sha256"]):
                uses.append(PromptUse(agent_id, row["sha256"], row["how"], row["at"], row["job"], *counted))
        return uses

    def _count(self, name: str) -> tuple[int, str] | None:
        """A prompt's word count (0 if damaged) and first line, cached; None if another window just deleted it."""
        if name not in self._counted:
            rows = self._database.read("SELECT text FROM prompts WHERE sha256 = ?", name)
            if not rows:
                return None
            try:
                self._counted[name] = words_and_first_line(as_prompt(rows[0]["text"]))
            except DamagedText:
                return 0, "(damaged in the database)"
        return self._counted[name]

    def text(self, sha256: str) -> Prompt:
        """The exact prompt with this hash; raises StoreError if the prompt was forgotten or is damaged."""
        return read_prompt(self._database.read, sha256)

    def note(self, agent_id: int, prompt: Prompt, how: UseKind, at: float, job: int | None = None) -> None:
        """Save a prompt and record its use at `at` (Unix time), as `note_use` does; the oldest prompts are pruned."""
        with self._database.write() as sql:
            note_use(sql, self._pair, agent_id, save_prompt(sql, prompt, at), how, at, job)
            prune_texts(sql)

    def forget(self, use: PromptUse) -> None:
        """Delete a use from the history, and also the prompt unless a job or another use needs the prompt."""
        with self._database.write() as sql:
            at = use.at if use.how in WRITE_USES else None
            sql.execute(FORGET_USE, (*self._pair, use.agent_id, use.sha256, use.how, at))
            drop_unused(sql, use.sha256)
        self._counted.pop(use.sha256, None)
        self._database.truncate_log()


_USES = "SELECT rowid, sha256, how, at, job FROM prompt_uses WHERE origin = ? AND key_id = ? AND agent_id = ?"
