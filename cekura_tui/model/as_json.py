"""Dataclasses as JSON output; `json_shapes` makes their schemas from the same fields and docstrings."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

NOT_IN_JSON = {"exclude": True}
"""Field metadata: leave the field out of the JSON."""


def shape(title: str) -> dict[str, object]:
    """The `__pydantic_config__` that gives a dataclass's schema this title, without importing pydantic."""
    return {"title": title, "extra": "forbid", "use_attribute_docstrings": True}


def to_json(value: Any) -> dict[str, Any]:
    """Convert a dataclass to a dict by the fields' JSON names; tuples become lists."""
    shown = (one for one in fields(value) if not one.metadata.get("exclude"))
    return {one.metadata.get("serialization_alias", one.name): _plain(getattr(value, one.name)) for one in shown}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return to_json(value) if is_dataclass(value) else value
