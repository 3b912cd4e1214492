"""What is told of a hunk below its header."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HunkTold:
    """Why a hunk may have been proposed. `reasons` are whole lines ("answers ✗ Identity check, run 900238 turn 14"),
    `own_facts` what it has of one run alone ("14 March", "Priya")."""

    reasons: tuple[str, ...] = ()
    own_facts: tuple[str, ...] = ()
