"""Each row of the table of subjects connects different words for the same thing, also of different languages."""

from __future__ import annotations

from pathlib import Path

from cekura_tui.evidence.spoken_words import words_of
from cekura_tui.evidence.subjects import _SUBJECTS, terms_of

CASES = Path(__file__).with_name("subject_cases.txt")
"""One line per row: the first word of the row | a clause of a judge | a turn of a call that it describes."""


def words_by_term(text: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for term, word in terms_of(words_of(text)):
        found.setdefault(term, set()).add(text[word.start : word.end].casefold())
    return found


def test_every_row_connects_a_clause_with_a_turn_that_has_no_word_of_it() -> None:
    cases = [line.split(" | ") for line in CASES.read_text(encoding="utf-8").splitlines()]
    assert [name for name, _, _ in cases] == [row.split()[0].rstrip("-") for row in _SUBJECTS.split(",")]
    for name, clause, turn in cases:
        judged, said = words_by_term(clause), words_by_term(turn)
        assert judged.keys() & said.keys() == {f"#{name}"}, name
        assert judged[f"#{name}"].isdisjoint(said[f"#{name}"]), name
