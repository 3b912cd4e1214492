"""A prose diff as plain text, for the command line: [-deleted-] and {+inserted+}, what did not change folded."""

from __future__ import annotations

from collections.abc import Iterator

from cekura_tui.model.folded_lines import fold
from cekura_tui.model.prose_diff import Hunk, ProseDiff
from cekura_tui.model.prose_lines import Passage, ProseLine, passages, places_of, signed
from cekura_tui.model.text import capped, count
from cekura_tui.model.visible import visible


def as_text(diff: ProseDiff, context: int = 2) -> str:
    """Every hunk under a line that says where it is, with `context` unchanged lines around; safe for a terminal. What
    begins within a line of its text begins with an ellipsis."""
    return "".join(f"{line}\n" for line in _lines(diff, context))


def counts(removed: int, added: int) -> str:
    """Words that came and went: "+8 −3"; what is none is not said."""
    return " ".join(filter(None, (f"+{added:,}" if added else "", f"−{removed:,}" if removed else "")))


def noted(diff: ProseDiff, hunk: Hunk) -> str:
    """What more there is to say of a hunk: "moved from Identity › rule 2", "white space only, 12 places"."""
    if not hunk.has_text:
        return f"{hunk.note}, {count(places_of(diff, hunk.number), 'place')}"
    return visible(f"moved {hunk.note}" if hunk.kind == "moved" else hunk.note)


def moved_away(passage: Passage) -> str:
    """What stands where a moved passage stood: "moved to Closing (24 words)"."""
    return f"moved to {visible(passage.elsewhere) or 'the start'} ({count(passage.words, 'word')})"


def also_here(passage: Passage) -> str:
    """What is said of a further part of a hunk: "also here", and where it came from."""
    return f"also here, moved from {visible(passage.elsewhere) or 'the start'}" if passage.moved else "also here"


def _lines(diff: ProseDiff, context: int) -> Iterator[str]:
    if diff.coarse:
        yield f"({diff.coarse})"
    found = passages(diff)
    for passage, before, after in zip(found, [None, *found], [*found[1:], None], strict=False):
        if not passage.hunk:
            yield from _unchanged(passage, context if has_words(before) else 0, context if has_words(after) else 0)
            continue
        hunk = diff.hunks[passage.hunk - 1]
        if passage.head:
            yield _head(diff, hunk)
        elif passage.moved == "away":
            yield f"→ {moved_away(passage)}"
        else:
            yield f"@@ {hunk.number} of {len(diff.hunks)} @@ {also_here(passage)}"
        yield from map(_marked, passage.lines)


def has_words(passage: Passage | None) -> bool:
    """Whether it is worth showing what stands beside this part of a hunk."""
    return passage is not None and passage.hunk > 0 and (passage.moved == "away" or bool(passage.lines))


def _head(diff: ProseDiff, hunk: Hunk) -> str:
    told = ", ".join(filter(None, (counts(hunk.removed, hunk.added), noted(diff, hunk))))
    place = f" {visible(hunk.place)}" if hunk.place else ""
    return f"@@ {hunk.number} of {len(diff.hunks)} @@{place}{f' ({told})' if told else ''}"


def _unchanged(passage: Passage, before: int, after: int) -> Iterator[str]:
    first, hidden, last = fold(passage.lines, before, after)
    yield from map(_marked, first)
    if hidden:
        yield f"… {count(hidden, 'line')} unchanged …"
    yield from map(_marked, last)


def _marked(line: ProseLine) -> str:
    """Signs do not reach over the end of a line, so that every line can be read by itself."""
    told = "… " if line.goes_on else ""
    for span in line.spans:
        told += "\n".join(signed(span.op, capped(part)) if part else "" for part in span.text.split("\n"))
    return told
