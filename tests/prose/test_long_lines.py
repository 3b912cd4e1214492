"""Very long lines are split into chunks that can be drawn, without losing a change."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.text import LONGEST_LINE
from cekura_tui.prose.lines import ProseLine, chunk_ranges, in_chunks, mark_of
from cekura_tui.prose.words import Op, WordSpan

OPS: tuple[Op, ...] = ("same", "del", "ins")
SPANS = st.lists(
    st.builds(
        lambda op, word, times: WordSpan(op, word * times),
        st.sampled_from(OPS),
        st.sampled_from(["x", "word ", "日本", " "]),
        st.integers(1, 5_000),
    ),
    min_size=1,
    max_size=8,
)


@given(SPANS)
def test_chunks_of_a_long_line_contain_all_deleted_and_inserted_text(spans: list[WordSpan]) -> None:
    line = ProseLine(tuple(spans), mark_of(spans))
    found = in_chunks(line)
    for op in ("del", "ins") if line.mark != " " else OPS:
        assert "".join(span.text for one in found for span in one.spans if span.op == op) == "".join(
            span.text for span in spans if span.op == op
        )
    assert all(len(one.text) <= LONGEST_LINE for one in found)
    assert [one.continues for one in found] == [False, *[True] * (len(found) - 1)]


def test_long_unchanged_text_between_two_changes_is_replaced_by_its_length() -> None:
    same = WordSpan("same", " " + "word " * 2_000)
    (line,) = in_chunks(ProseLine((WordSpan("del", "a"), same, WordSpan("ins", "b"), same), "~"))
    assert line.text.count("characters unchanged) …") == 2
    assert line.text.startswith("a word word ")
    assert "word wordb word" in line.text.replace("word b", "wordb")
    assert len(line.text) < 900


def test_a_replaced_passage_keeps_its_line_breaks() -> None:
    long = "y" * (LONGEST_LINE + 1)
    assert len(in_chunks(ProseLine((WordSpan("del", f"1\n\n{long[1:]}"), WordSpan("ins", "2")), "±"))) == 1
    found = in_chunks(ProseLine((WordSpan("del", f"1\n\n{long}"), WordSpan("ins", "2")), "±", True))
    assert [(one.mark, len(one.text), one.continues) for one in found] == [
        ("-", 1, True),
        ("-", 0, False),
        ("-", LONGEST_LINE, False),
        ("-", 1, True),
        ("+", 1, True),
    ]


@given(st.text(alphabet="a ", max_size=10_000))
def test_the_chunks_of_a_line_contain_the_whole_text_of_the_line(text: str) -> None:
    found = chunk_ranges(text)
    assert "".join(text[start:end] for start, end in found) == text
    assert all(end - start <= LONGEST_LINE for start, end in found)


def test_a_replacement_by_very_many_lines_is_drawn_line_by_line() -> None:
    line = ProseLine((WordSpan("del", "Ask him."), WordSpan("ins", "ab\n" * 5_000)), "±")
    rows = in_chunks(line)
    assert len(rows) > 5_000
    assert max(len(row.text) for row in rows) < 10
