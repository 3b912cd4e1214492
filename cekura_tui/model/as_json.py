"""JSON output of dataclasses; `json_shapes` makes their schemas from the same fields and docstrings."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

NOT_IN_JSON = {"exclude": True}
"""Field metadata: leave the field out of the JSON."""


def shape(title: str) -> dict[str, object]:
    """The `__pydantic_config__` of a dataclass whose schema has this title and forbids other fields. Attribute
    docstrings become descriptions in the schema. Made without importing pydantic, which is slow."""
    return {"title": title, "extra": "forbid", "use_attribute_docstrings": True}


def to_json(value: Any) -> dict[str, Any]:
    """Convert a dataclass, and dataclasses in it, to dicts by JSON names, without fields marked NOT_IN_JSON."""
    shown = (one for one in fields(value) if not one.metadata.get("exclude"))
    return {one.metadata.get("serialization_alias", one.name): _plain(getattr(value, one.name)) for one in shown}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return to_json(value) if is_dataclass(value) else value
