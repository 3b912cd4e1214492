"""Any JSON as a tree of rows: open nodes show all values, closed nodes are not read, and any size is possible."""

from __future__ import annotations

import json
from collections.abc import ItemsView
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.json_tree import (
    PAGE,
    PIECE,
    PIECE_LINES,
    JsonTree,
    Node,
    Path,
    RawRows,
    TreeRow,
    has_children,
    json_lines,
    matches,
    pieces,
)

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n "), max_size=30)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=20
)
Windows = dict[Path, range | None]


class CountingDict(dict[str, Any]):
    """An object that counts how often its items are read."""

    reads = 0

    def items(self) -> ItemsView[str, Any]:
        self.reads += 1
        return super().items()


def rows_of(value: object, windows: Windows | None = None, tree: JsonTree | None = None) -> list[TreeRow]:
    return list((tree or JsonTree()).rows([Node(("run",), "run", value)], windows or {}))


def open_all(value: object) -> list[TreeRow]:
    """All rows after opening every node, page by page."""
    tree, windows = JsonTree(), Windows()
    while True:
        rows = rows_of(value, windows, tree)
        shut = [row for row in rows if row.kind in ("closed", "more")]
        if not shut:
            return rows
        for row in shut:
            kept = tree.extended(row, at(value, row.path), windows) if row.kind == "more" else range(PAGE)
            windows[row.path] = kept


def at(value: Any, path: Path) -> Any:
    for step in path[1:]:
        value = value[step]
    return value


def paths_of(value: Any, path: Path = ("run",)) -> dict[Path, Any]:
    """Every value inside `value`, and `value` itself, by path."""
    found = {path: value}
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in children:
        found |= paths_of(child, (*path, step))
    return found


@given(JSON)
def test_every_value_has_one_row_when_all_nodes_are_open(value: Any) -> None:
    rows = open_all(value)
    assert [row.key for row in rows if row.kind != "piece"] == list(paths_of(value))
    assert len({row.key for row in rows}) == len(rows)


@given(st.text(st.sampled_from("ab \n\u0301\u200d👩"), max_size=60).map(lambda text: text * 150))
def test_a_long_text_is_split_between_words_and_no_text_is_lost(text: str) -> None:
    starts = [*pieces(text), len(text)]
    parts = [text[a:b] for a, b in pairwise(starts)]
    assert "".join(parts) == text
    assert all(0 < len(part) <= PIECE and part.count("\n") <= PIECE_LINES for part in parts)
    starts = pieces("word " * 1_000)
    assert (len(starts), {start % 5 for start in starts}) == (5, {0})
    assert pieces("a" * PIECE + "\u0301b") == [0, PIECE - 1], "an accent stays at its letter"


def test_values_below_a_closed_node_are_not_read() -> None:
    inner = CountingDict(b=[1, 2])
    outer = CountingDict(a=inner)
    (row,) = rows_of(outer)
    assert (row.kind, row.text) == ("closed", "1 entry: a")
    assert rows_of(dict.fromkeys("abcde"))[0].text == "5 entries: a, b, c, d, …"
    assert (outer.reads, inner.reads) == (0, 0)
    assert [row.kind for row in rows_of(outer, {("run",): range(PAGE)})] == ["open", "closed"]
    assert (outer.reads, inner.reads) == (1, 0)


def test_a_hundred_thousand_entries_open_in_pages() -> None:
    value = {f"k{n}": n for n in range(100_000)}
    windows: Windows = {("run",): range(PAGE)}
    tree = JsonTree()
    rows = rows_of(value, windows, tree)
    assert (len(rows), rows[-1].text) == (PAGE + 2, "… 99,800 more entries · {list.open} shows 200")
    windows[("run",)] = tree.extended(rows[-1], value, windows)
    assert [row.name for row in rows_of(value, windows, tree)[-2:]] == ["k399", ""]
    opened, _ = tree.reveal({"run": value}, ("run", "k500"), None, {("run",): range(PAGE)})
    assert opened == {("run",): range(600)}, "a near entry extends the open page"
    windows = {("run",): range(400, 600)}
    assert len(rows_of([0] * 1_000, windows)) == 1 + PAGE + 2
    assert [row.text for row in rows_of([0] * 3, windows)] == ["3 entries", "0", "0", "0"]


def test_revealing_a_distant_entry_opens_one_page_and_counts_the_earlier_entries() -> None:
    value = list(range(100_000))
    tree = JsonTree()
    opened, key = tree.reveal({"run": value}, ("run", 50_001), None, {})
    rows = rows_of(value, opened, tree)
    assert key in {row.key for row in rows}
    assert (len(rows), rows[1].text) == (PAGE + 3, "… 50,000 earlier entries · {list.open} shows 200")
    opened[("run",)] = tree.extended(rows[1], value, opened)
    assert rows_of(value, opened, tree)[2].text == "49800"


def test_a_thousand_levels_open_to_the_bottom() -> None:
    value: list[Any] = ["<bottom>"]
    for _ in range(1_000):
        value = [value]
    tree = JsonTree()
    opened, key = tree.reveal({"run": value}, ("run", *[0] * 1_001), 0, {})
    rows = rows_of(value, opened, tree)
    assert (len(rows), rows[-1].key, rows[-1].text) == (1_002, key, "<bottom>")
    assert len(json_lines(value)) == 2 * 1_001 + 1
    assert [match.path for match in matches([Node(("run",), "run", value)], "<BOTTOM>")] == [("run", *[0] * 1_001)]


def test_a_megabyte_of_text_opens_page_by_page() -> None:
    text = "word " * 200_000
    (row,) = rows_of(text)
    assert (row.kind, row.text) == ("closed", "1,000,000 characters, 1 line")
    tree = JsonTree()
    opened, key = tree.reveal({"run": text}, ("run",), 900_003, {})
    shown = next(row for row in rows_of(text, opened, tree) if row.key == key)
    assert shown.at <= 900_003 < shown.at + len(shown.text)


@given(JSON)
def test_raw_lines_equal_the_indented_json(value: Any) -> None:
    assert json_lines(value) == json.dumps(value, indent=2, ensure_ascii=False).split("\n")


@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=5))
def test_raw_rows_contain_all_the_json_and_are_found_by_key_or_by_match(sizes: list[int]) -> None:
    value = [f"{'a b' * (size // 3)}MARK{n}" for n, size in enumerate(sizes)]
    raw = RawRows(value)
    rows = list(raw)
    texts: dict[Path, str] = {}
    for row in rows:
        assert len(row.text) <= PIECE
        texts[row.path] = texts.get(row.path, "") + row.text
    assert list(texts.values()) == raw.lines
    assert list(raw.lengths()) == [len(row.text) for row in rows]
    assert [raw.place_of(row.key) for row in rows] == list(range(len(rows)))
    found = list(raw.matches("mark"))
    assert len(found) == len(value)
    for match in found:
        row = rows[raw.row_at(match)]
        assert row.path == match.path
        assert row.at <= match.start < row.at + len(row.text)


@given(JSON, st.sampled_from(["a", "0", "true", " ", "É"]))
def test_a_search_finds_every_name_and_value(value: Any, sought: str) -> None:
    found = list(matches([Node(("run",), "", value)], sought))
    spots = {(match.path, match.part) for match in found}
    for path, item in paths_of(value).items():
        if isinstance(path[-1], str) and len(path) > 1:
            assert ((path, "name") in spots) == (sought.lower() in path[-1].lower())
        if isinstance(item, str) and item:
            assert ((path, "value") in spots) == (sought.lower() in item.lower())
    for match in found:
        assert match.end - match.start == len(sought)
        assert has_children(at(value, match.path)) is False or match.part == "name"
