from __future__ import annotations

import json
import unicodedata
from copy import deepcopy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cekura_tui.model.text import (
    clean,
    clean_json,
    clean_line,
    has_controls,
    is_clean_json,
    json_text,
    prompt_bytes,
    sha256,
    shortened,
    visible,
)

LONG_NAME = "Identity checked before the record is used"


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        (LONG_NAME, 50, LONG_NAME),
        (LONG_NAME, 40, "Identity checked before the record is …"),
        ("x" * 50, 10, "x" * 9 + "…"),
        ("a " + "x" * 50, 10, "a " + "x" * 7 + "…"),
        ("Asked, and then hung up", 14, "Asked, and …"),
    ],
)
def test_a_long_name_is_truncated_after_a_word_if_possible(text: str, limit: int, short: str) -> None:
    assert shortened(text, limit) == short


ANY = st.text(st.characters(exclude_categories=()), max_size=80)
HOSTILE = st.text(
    st.sampled_from("ab \t\n\r\x00\x07\x1b\x7f\x85\x9b\u2028\u2029\u202e\u2066\u2069\ud800\udfff\U000e0041é漢🙂"),
    max_size=40,
)
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.just(" "), max_size=80)


def unsafe_characters(text: str) -> list[str]:
    """Characters that a terminal may interpret, or that may deceive a reader."""
    odd = [(0x202A, 0x202E), (0x2066, 0x2069), (0xD800, 0xDFFF), (0xE0000, 0xE007F)]
    return [
        letter
        for letter in text
        if (unicodedata.category(letter) == "Cc" and letter != "\n")
        or any(first <= ord(letter) <= last for first, last in odd)
    ]


@given(ANY | HOSTILE)
def test_shown_text_has_no_control_characters(text: str) -> None:
    shown = clean(text)
    assert not unsafe_characters(shown)
    assert clean(shown) == shown


@given(PLAIN)
def test_plain_text_is_shown_unchanged(text: str) -> None:
    assert clean(text) == text


@given(ANY | HOSTILE, st.integers(1, 60))
def test_a_cleaned_line_has_no_line_ends_and_is_not_longer_than_the_limit(text: str, limit: int) -> None:
    line = clean_line(text, limit)
    assert "\n" not in line
    assert len(line) <= limit


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a\tb", "a   b"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("family 👨‍👩‍👧 नमस्ते", "family 👨‍👩‍👧 नमस्ते"),
    ],
)
def test_control_characters_are_cleaned_and_emoji_stay_whole(text: str, shown: str) -> None:
    assert clean(text) == shown


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY, inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.sampled_from([None, 2]))
@example(json.loads('{"score": 1e999, "other": -1e999, "good": 1.5}'), None)
def test_cleaned_json_has_no_unsafe_characters_and_printed_json_has_the_same_values(
    value: object, indent: int | None
) -> None:
    cleaned = clean_json(deepcopy(value))
    assert not unsafe_characters(json.dumps(cleaned, ensure_ascii=False, allow_nan=False))
    assert is_clean_json(value) == (cleaned == value)
    printed = json_text(value, indent)
    assert not unsafe_characters(printed)
    assert json.loads(printed) == json.loads(json.dumps(value), parse_constant=lambda _: None)


@given(ANY | HOSTILE)
def test_a_prompt_keeps_every_character(prompt: str) -> None:
    answer = {"output": {"improved_prompt": prompt}}
    assert clean_json(deepcopy(answer), keep=frozenset({"improved_prompt"})) == answer
    assert prompt_bytes(prompt).decode("utf-8", "surrogatepass") == prompt
    assert len(sha256(prompt)) == 64


@pytest.mark.parametrize(
    ("prompt", "held", "shown"),
    [
        *(("a\tb\r\nc", False, "a    b\nc"), ("a\rb\x7f", True, "a␍b␡")),
        *(("\x1b[0m", True, "␛[0m"), ("\u202e", True, "⟨U+202E⟩")),
    ],
)
def test_hidden_characters_of_a_prompt_are_found_and_shown(prompt: str, held: bool, shown: str) -> None:
    assert (has_controls(prompt), visible(prompt)) == (held, shown)
