"""Read rows from the pages of an SQLite file without SQLite, so that a damaged page loses only its own rows. The format
is described at https://sqlite.org/fileformat2.html. Invalid content is skipped without an error."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_INDEX_INTERIOR, _TABLE_INTERIOR, _INDEX_LEAF, _TABLE_LEAF = 0x02, 0x05, 0x0A, 0x0D
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Size in bytes of a stored integer, by the integer's serial type."""
Value = int | float | str | bytes | None


class Record(NamedTuple):
    """A row on a page: its rowid (None in an index or a WITHOUT ROWID table) and its columns. The last columns are
    missing if an overflow page is damaged, or if an earlier version wrote fewer columns."""

    rowid: int | None
    values: tuple[Value, ...]


class Pages:
    """The committed pages of a database file and its write-ahead log, numbered from 1. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        try:
            wal = Path(f"{path}-wal")
            self._wal = wal.read_bytes() if wal.exists() else b""
            length = os.fstat(self._file.fileno()).st_size
            head = self._file.read(32)
            size = int.from_bytes(head[16:18])
            size = 65536 if size == 1 else size
            # A page size that does not fit the file is itself damaged; 4096 is SQLite's default.
            self.size = size if size >= 512 and size * int.from_bytes(head[28:32]) == length else 4096
            self._frames = _committed_frames(self._wal, self.size)
            self.count = max([-(-length // self.size), *self._frames])
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        self._file.close()

    def page(self, number: int) -> bytes:
        """The bytes of a page; zeros beyond the end of the file."""
        if (at := self._frames.get(number)) is not None:
            return self._wal[at : at + self.size]
        self._file.seek((number - 1) * self.size)
        return self._file.read(self.size).ljust(self.size, b"\0")

    def children(self, number: int) -> list[int]:
        """The numbers of the child pages, if the page is an interior page of a tree; empty for any other page."""
        page, start = self.page(number), _header_offset(number)
        if page[start] not in (_INDEX_INTERIOR, _TABLE_INTERIOR):
            return []
        cells = [at for at in _cell_offsets(page, start) if at + 4 <= self.size]
        found = [int.from_bytes(page[at : at + 4]) for at in (start + 8, *cells)]
        return [child for child in found if 1 < child <= self.count]

    def records(self, number: int) -> Iterator[Record]:
        """The readable records on an index page or a table leaf; none on any other page."""
        page, start = self.page(number), _header_offset(number)
        if (kind := page[start]) not in (_INDEX_INTERIOR, _INDEX_LEAF, _TABLE_LEAF):
            return
        for at in _cell_offsets(page, start):
            with contextlib.suppress(IndexError, struct.error):
                yield self._record(page, at + (4 if kind == _INDEX_INTERIOR else 0), in_table=kind == _TABLE_LEAF)

    def _record(self, page: bytes, at: int, *, in_table: bool) -> Record:
        total, at = _varint(page, at)
        if total > self.count * self.size:
            raise IndexError
        rowid = None
        if in_table:
            rowid, at = _varint(page, at)
            rowid = rowid - 2**64 if rowid >= 2**63 else rowid
        most = self.size - 35 if in_table else (self.size - 12) * 64 // 255 - 23
        if total <= most:
            payload = page[at : at + total]
            if len(payload) < total:
                raise IndexError
        else:
            least = (self.size - 12) * 32 // 255 - 23
            here = least + (total - least) % (self.size - 4)
            here = here if here <= most else least
            overflow = int.from_bytes(page[at + here : at + here + 4])
            payload = page[at : at + here] + self._overflow(overflow, total - here)
        return Record(rowid, tuple(_values(payload)))

    def _overflow(self, number: int, size: int) -> bytes:
        """Read `size` bytes of the chain of overflow pages from page `number` on; fewer if a page is damaged."""
        found: list[bytes] = []
        # Each page reduces the remaining size, so even a circular chain ends.
        while size > 0 and 1 < number <= self.count:
            page = self.page(number)
            number, part = int.from_bytes(page[:4]), page[4 : 4 + size]
            size -= len(part)
            broken = number != 0 if size == 0 else not 1 < number <= self.count
            if broken or not any(part):
                break
            found.append(part)
        return b"".join(found)


def _header_offset(number: int) -> int:
    """The offset of a page's header; on page 1 the header follows the file's header of 100 bytes."""
    return 100 if number == 1 else 0


def _cell_offsets(page: bytes, start: int) -> list[int]:
    first = start + (12 if page[start] in (_INDEX_INTERIOR, _TABLE_INTERIOR) else 8)
    end = first + 2 * int.from_bytes(page[start + 3 : start + 5])
    return [int.from_bytes(page[at : at + 2]) for at in range(first, min(end, len(page) - 1), 2)]


def _committed_frames(wal: bytes, size: int) -> dict[int, int]:
    """The offset in a write-ahead log of each page's last committed version; empty if the log's header is invalid."""
    if len(wal) < 32 or int.from_bytes(wal[8:12]) != size:
        return {}
    order = ">" if wal[3] & 1 else "<"
    salts, sums = wal[16:24], _checksum(order, wal[:24], (0, 0))
    committed: dict[int, int] = {}
    pending: dict[int, int] = {}
    for at in range(32, len(wal) - size - 23, size + 24):
        sums = _checksum(order, wal[at : at + 8] + wal[at + 24 : at + 24 + size], sums)
        if wal[at + 8 : at + 24] != salts + struct.pack(">II", *sums):
            break
        pending[int.from_bytes(wal[at : at + 4])] = at + 24
        if any(wal[at + 4 : at + 8]):
            committed |= pending
            pending.clear()
    return committed


def _checksum(order: str, data: bytes, sums: tuple[int, int]) -> tuple[int, int]:
    first, second = sums
    words = iter(struct.unpack(f"{order}{len(data) // 4}I", data))
    for even, odd in zip(words, words, strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Decode a varint of one to nine bytes at offset `at`; returns the value and the offset of the next byte."""
    value = 0
    for n in range(8):
        byte = data[at + n]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + n + 1
    return value << 8 | data[at + 8], at + 9


def _values(payload: bytes) -> Iterator[Value]:
    """Decode the columns of a record, up to the first incomplete column."""
    end, at = _varint(payload, 0)
    place = end
    while at < end:
        serial, at = _varint(payload, at)
        size = _INTEGERS.get(serial, 8 if serial == 7 else (serial - 12) // 2 if serial >= 12 else 0)
        if place + size > len(payload) or serial in (10, 11):
            return
        part = payload[place : place + size]
        place += size
        if serial == 0:
            yield None
        elif serial in _INTEGERS:
            yield int.from_bytes(part, signed=True)
        elif serial == 7:
            yield float(struct.unpack(">d", part)[0])
        elif serial in (8, 9):
            yield serial - 8
        else:
            yield part if serial % 2 == 0 else part.decode(errors="replace")


def page_owners(pages: Pages) -> dict[int, str]:
    """The name of the table or index that owns each page, by page number; pages outside all trees are missing."""
    names: dict[int, str] = {}
    for number in _walk_tree(pages, 1):
        for _, values in pages.records(number):
            match values:
                case (str(), str(name), str(), int(root), *_) if root > 1:
                    for page in _walk_tree(pages, root):
                        names.setdefault(page, name)
    return names


def _walk_tree(pages: Pages, root: int) -> Iterator[int]:
    """Yield the number of each page of a tree once."""
    below, seen = [root], set[int]()
    while below:
        if (number := below.pop()) not in seen and number <= pages.count:
            seen.add(number)
            yield number
            below += pages.children(number)
