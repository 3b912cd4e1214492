"""Print random docstrings of a room for readers who do not know the code: `sample_docstrings.py SEED N ROOM`. A reader
marks each docstring that must be read twice. In the tests, the name of a test counts as its docstring."""

from __future__ import annotations

import argparse
import ast
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

REPO = Path(__file__).parents[2]
ROOMS = {
    "ui": ["cekura_tui/ui"],
    "back": [f"cekura_tui/{room}" for room in ("api", "cli", "config", "demo", "doctor", "jobs", "store", "workspace")],
    "pure": [f"cekura_tui/{room}" for room in ("evidence", "model", "prose")],
    "tests": ["tests"],
}
_LONGEST = 40
"""Largest number of lines that are printed of a body."""


class Documented(NamedTuple):
    """A docstring and the code that it describes, or a test without a docstring. `line` is the first line of the
    docstring, from 1."""

    file: Path
    name: str
    line: int
    docstring: str
    code: str


def documented(file: Path) -> Iterator[Documented]:
    """Docstrings of a file, including those below constants and fields, and tests without a docstring."""
    source = file.read_text(encoding="utf-8")
    lines = source.splitlines()

    def code(first: int, last: int) -> str:
        shown = lines[first - 1 : last]
        return "\n".join(shown[:_LONGEST] + [f"… {len(shown) - _LONGEST} more lines"] * (len(shown) > _LONGEST))

    def walk(node: ast.AST, name: str) -> Iterator[Documented]:
        body = getattr(node, "body", [])
        for before, statement in zip([None, *body], body, strict=False):
            if isinstance(statement, ast.Expr) and isinstance(text := getattr(statement.value, "value", None), str):
                if isinstance(before, ast.Assign | ast.AnnAssign):
                    target = before.targets[0] if isinstance(before, ast.Assign) else before.target
                    shown = code(before.lineno, statement.end_lineno or 0)
                    yield Documented(file, f"{name}{ast.unparse(target)}", statement.lineno, text, shown)
                elif before is None and isinstance(node, ast.Module):
                    yield Documented(file, "module", 1, text, code(1, _LONGEST))
                elif before is None:
                    first = min([node.lineno, *(one.lineno for one in node.decorator_list)])  # type: ignore[attr-defined]
                    shown = code(first, node.end_lineno)  # type: ignore[attr-defined]
                    yield Documented(file, name.rstrip("."), statement.lineno, text, shown)
            elif isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                if statement.name.startswith("test_") and ast.get_docstring(statement) is None:
                    shown = code(statement.lineno, statement.end_lineno or 0)
                    yield Documented(file, f"{name}{statement.name}", statement.lineno, "", shown)
                yield from walk(statement, f"{name}{statement.name}.")

    yield from walk(ast.parse(source), "")


def docstrings_of(room: str) -> list[Documented]:
    """All docstrings of a room, by file and line."""
    files = [file for folder in ROOMS[room] for file in sorted((REPO / folder).rglob("*.py"))]
    return [one for file in files for one in documented(file)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("number", type=int)
    parser.add_argument("room", choices=ROOMS)
    asked = parser.parse_args()
    drawn = random.Random(asked.seed).sample(docstrings_of(asked.room), asked.number)
    for number, one in enumerate(drawn, start=1):
        print(f"── {number} ── {one.file.relative_to(REPO)}:{one.line} {one.name}\n\n{one.code}\n")  # noqa: T201
