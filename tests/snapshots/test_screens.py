"""How the screens look. After a change that is meant: `pytest tests/snapshots --snapshot-update`, and look at them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from staging import SCENES, staged

WIDE, SMALL = (120, 36), (80, 24)


@pytest.mark.parametrize(
    ("scene", "size"),
    [("runs", WIDE), ("runs", SMALL), ("run", WIDE), ("improve", WIDE), ("jobs", WIDE), ("suggestion", WIDE)],
    ids=["runs", "runs-80x24", "run", "improve", "jobs", "suggestion"],
)
def test_it_looks_as_it_did(
    snap_compare: Callable[..., bool], prepared: Path, scene: str, size: tuple[int, int]
) -> None:
    with staged(prepared) as app:
        assert snap_compare(app, run_before=SCENES[scene], terminal_size=size)
