"""Searching what was said in all opened runs."""

from __future__ import annotations

import asyncio

from cekura_tui.model.said_query import FoundSaid, read_query
from cekura_tui.store.store import Store


async def search_said(store: Store, query: str) -> FoundSaid:
    """Take in what was opened since the last search, piece by piece so that all else goes on, and search it."""
    behind = True
    while behind:
        behind = store.said.catch_up()
        await asyncio.sleep(0)
    return store.said.search(read_query(query))
