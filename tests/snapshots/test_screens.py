"""How the screens look. After a change that is meant: `pytest tests/snapshots --snapshot-update`, and look at them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import CASES, MORE_SCENES, SCENES, prepared_app

WIDE, SMALL, LARGE = (120, 36), (80, 24), (200, 50)


@pytest.mark.parametrize(
    ("scene", "size"),
    [
        pytest.param("runs", WIDE, id="runs"),
        pytest.param("runs", SMALL, id="runs-80x24"),
        pytest.param("runs", LARGE, id="runs-200x50"),
        pytest.param("nothing", WIDE, id="nothing"),
        pytest.param("nothing", SMALL, id="nothing-80x24"),
        pytest.param("nothing", LARGE, id="nothing-200x50"),
        pytest.param("groups", WIDE, id="groups"),
        pytest.param("groups", SMALL, id="groups-80x24"),
        pytest.param("run", WIDE, id="run"),
        pytest.param("run", SMALL, id="run-80x24"),
        pytest.param("run", LARGE, id="run-200x50"),
        pytest.param("verdicts", SMALL, id="verdicts-80x24"),
        pytest.param("details", WIDE, id="details"),
        pytest.param("details", SMALL, id="details-80x24"),
        pytest.param("details", LARGE, id="details-200x50"),
        pytest.param("compared", WIDE, id="compared"),
        pytest.param("compared", SMALL, id="compared-80x24"),
        pytest.param("compared", LARGE, id="compared-200x50"),
        pytest.param("untimed", WIDE, id="untimed"),
        pytest.param("untimed", SMALL, id="untimed-80x24"),
        pytest.param("improve", WIDE, id="improve"),
        pytest.param("jobs", WIDE, id="jobs"),
        pytest.param("suggestion", WIDE, id="suggestion"),
    ],
)
def test_it_looks_as_it_did(
    snap_compare: Callable[..., bool], prepared: Path, scene: str, size: tuple[int, int]
) -> None:
    with prepared_app(prepared) as app:
        assert snap_compare(app, run_before=MORE_SCENES.get(scene) or SCENES[scene], terminal_size=size)


@pytest.mark.parametrize("size", [WIDE, SMALL, LARGE], ids=["120x36", "80x24", "200x50"])
@pytest.mark.parametrize("colour", ["in colour", "without colour"])
@pytest.mark.long
def test_what_changes_looks_as_it_did(
    snap_compare: Callable[..., bool],
    proposed: Path,
    monkeypatch: pytest.MonkeyPatch,
    colour: str,
    size: tuple[int, int],
) -> None:
    if colour == "without colour":
        monkeypatch.setenv("NO_COLOR", "1")
    with prepared_app(proposed) as app:
        assert snap_compare(app, run_before=MORE_SCENES["changes"], terminal_size=size)


@pytest.mark.parametrize("scene", CASES)
@pytest.mark.long
def test_what_models_send_back_looks_as_it_did(snap_compare: Callable[..., bool], cases: Path, scene: str) -> None:
    with prepared_app(cases) as app:
        assert snap_compare(app, run_before=MORE_SCENES[scene], terminal_size=WIDE)
