"""Prompts, each kept once by the hash of its exact bytes."""

from __future__ import annotations

import sqlite3

from cekura_tui.model.text import Prompt, prompt_bytes, sha256
from cekura_tui.store.database import Database
from cekura_tui.store.errors import DamagedText, StoreError


def keep_prompt(sql: sqlite3.Connection, prompt: Prompt, at: float) -> str:
    """Keep a prompt within a transaction, also in place of what is damaged of it; returns its hash."""
    name = sha256(prompt)
    sql.execute(
        "INSERT INTO prompts VALUES (?, ?, ?)"
        " ON CONFLICT (sha256) DO UPDATE SET text = excluded.text WHERE prompts.text IS NOT excluded.text",
        (name, prompt_bytes(prompt), at),
    )
    return name


def drop_unused(sql: sqlite3.Connection, name: str) -> None:
    """Forget a prompt that no job was launched with, or brought, or is drafted with, or has staged any more, and that
    the history of no agent holds."""
    sql.execute(
        "DELETE FROM prompts WHERE sha256 = ?1"
        " AND NOT EXISTS (SELECT 1 FROM jobs WHERE prompt_sha256 = ?1 OR improved_sha256 = ?1)"
        " AND NOT EXISTS (SELECT 1 FROM staged WHERE sha256 = ?1)"
        " AND NOT EXISTS (SELECT 1 FROM prompt_uses WHERE sha256 = ?1)",
        (name,),
    )


def read_prompt(database: Database, name: str) -> Prompt:
    """The prompt of a hash, exactly as it was kept; raises DamagedText where it is another text by now."""
    rows = database.read("SELECT text FROM prompts WHERE sha256 = ?", name)
    if not rows:
        raise StoreError("That prompt is no longer kept.", "It was forgotten; give it as a file.")
    prompt = as_prompt(rows[0]["text"])
    if sha256(prompt) != name:
        raise DamagedText
    return prompt


def as_prompt(kept: object) -> Prompt:
    """A prompt of the bytes that it is kept as, see `prompt_bytes`; raises DamagedText where they make no text."""
    try:
        if isinstance(kept, bytes):
            return Prompt(kept.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        pass
    raise DamagedText
