"""The misbehaviour that the embedded server can be asked for, by name."""

from __future__ import annotations

FAULTS: tuple[str, ...] = (
    "latency",
    "429",
    "html-502",
    "withdrawn",
    "no-progress-id",
    "oldest-first",
    "odd-turns",
    "write-403",
    "write-half",
    "write-lost",
    "write-trimmed",
    "drift",
)


def check_faults(names: frozenset[str]) -> None:
    """Raise ValueError that lists the known names if one of `names` is not among them."""
    unknown = sorted(names - set(FAULTS))
    if unknown:
        raise ValueError(f"unknown fault {', '.join(unknown)}; known are {', '.join(FAULTS)}")
