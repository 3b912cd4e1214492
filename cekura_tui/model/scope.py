"""The scope of a run list: the API lists runs of a project, an agent or a result only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Scope:
    """What to list runs of. `failures` asks for runs that did not succeed alone."""

    kind: Literal["project", "agent", "result"]
    id: int
    name: str = ""
    failures: bool = False

    @property
    def params(self) -> dict[str, str | int]:
        """The query parameters of the list operation."""
        params: dict[str, str | int] = {f"{self.kind}_id": self.id}
        if self.failures:
            params["success"] = "false"
        return params

    @property
    def text(self) -> str:
        """The scope as a key of the store."""
        return "&".join(f"{name}={value}" for name, value in self.params.items())

    @property
    def shown(self) -> str:
        """The scope in words."""
        return self.name or f"{self.kind} {self.id}"
