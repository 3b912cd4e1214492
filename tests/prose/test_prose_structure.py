"""The structure of prompts in any style: a change is at the place that a reader would name."""

from __future__ import annotations

import pytest

from cekura_tui.prose.compare import compare
from cekura_tui.prose.formatting import structure
from cekura_tui.prose.units import units_of


def worded_hunks(old: str, new: str) -> list[tuple[str, str, int, int]]:
    """(kind, place, removed words, added words) of each worded hunk."""
    return [(hunk.kind, hunk.place, hunk.removed, hunk.added) for hunk in compare(old, new).worded]


def place_of(text: str, word: str) -> str:
    """The place that a hunk names for a word. The word must occur once in the text."""
    assert text.count(word) == 1
    (hunk,) = compare(text, text.replace(word, f"{word}{word}")).worded
    return hunk.place


NESTED = """\
## Rules
1. Verify:
   - Ask for the name.
   - Ask for the BIRTH date.
2. Book:
   - Offer two SLOTS.

   More of RULE two.
3. End the CALL.
- Note
  * a NESTED one
- LAST one
"""


@pytest.mark.parametrize(
    ("word", "where"),
    [
        ("BIRTH", "Rules › rule 1 › item 2"),
        ("SLOTS", "Rules › rule 2 › item 1"),
        ("RULE", "Rules › rule 2"),
        ("CALL", "Rules › rule 3"),
        ("NESTED", "item 1 › item 1"),
        ("LAST", "item 2"),
    ],
)
def test_the_place_of_a_nested_item_includes_its_parent(word: str, where: str) -> None:
    assert place_of(NESTED, word).endswith(where)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Fees\n====", "Fees"),
        ("Fees\n----", "Fees"),
        ("**Fees**", "Fees"),
        ("**Fees:**", "Fees"),
        ("__Fees__", "Fees"),
        ("[Fees & Prices]", "Fees & Prices"),
        ("FEES AND PRICES:", "FEES AND PRICES"),
        ("=== Fees ===", "Fees"),
        ("<h2>Fees</h2>", "Fees"),
        ("## Fees ##", "Fees"),
    ],
)
def test_a_title_in_any_style_names_its_section(title: str, name: str) -> None:
    assert place_of(f"You are Ava.\n\n{title}\n\n1. Ask the name.\n2. Say costs.\n", "costs") == f"{name} › rule 2"


@pytest.mark.parametrize(
    "line",
    ["[Wait for the answer]", "**Never promise a price.**", "FBI, CIA!", "日本語です", "{{NAME}}", "<wait for user>"],
)
def test_a_line_that_only_looks_like_a_title_names_no_section(line: str) -> None:
    assert place_of(f"# Rules\n\nAsk.\n\n{line}\n\n- Be kind.\n", "kind") == "Rules › item 1"


TAGS = "<role>\nYou are Ava.\n</role>\n<rules>\n1. Ask the name.\n2. Be brief.\n</rules>\nSay goodbye.\n"


def test_tags_are_sections_that_end_with_the_closing_tag() -> None:
    new = TAGS.replace("name", "full name").replace("goodbye", "a warm goodbye")
    new = new.replace("</rules>", "3. Never guess.\n</rules>")
    assert worded_hunks(TAGS, new) == [
        ("changed", "rules › rule 1", 0, 1),
        ("added", "rules › rule 3", 0, 2),
        ("changed", "paragraph 1", 0, 2),
    ]


def test_each_markup_line_is_a_unit_and_less_indented_text_ends_an_item() -> None:
    yaml = "rules:\n  - ask: name\ntone: kind\n"
    assert worded_hunks(yaml, yaml.replace("kind", "warm")) == [("changed", "paragraph 2", 1, 1)]
    old = "<ol>\n<li>Ask the name.</li>\n<li>Wait for it.</li>\n</ol>\n"
    (hunk,) = compare(old, old.replace("Ask the", "Ask the full")).worded
    assert hunk.old == "<li>Ask the name.</li>"


@pytest.mark.parametrize(
    ("marks", "places"),
    [
        (("1.1 ", "1.2 ", "1.3 "), ("rule 1.1", "rule 1.2", "rule 1.3")),
        (("i. ", "ii. ", "iii. "), ("rule i", "rule ii", "rule iii")),
        (("III) ", "IV) ", "V) "), ("rule III", "rule IV", "rule V")),
        (("A. ", "B. ", "C. "), ("rule A", "rule B", "rule C")),
        (("(a) ", "(b) ", "(c) "), ("rule a", "rule b", "rule c")),
        (("1) ", "2) ", "3) "), ("rule 1", "rule 2", "rule 3")),
        (("**1.** ", "**2.** ", "**3.** "), ("rule 1", "rule 2", "rule 3")),
        (("Step 1: ", "Step 2: ", "Step 3: "), ("step 1", "step 2", "step 3")),
    ],
)
def test_inserting_a_rule_changes_no_other_rule(marks: tuple[str, ...], places: tuple[str, ...]) -> None:
    rules = ("Ask for the name.", "Wait for the answer.", "Offer two slots.")
    old = "".join(f"{mark}{rule}\n" for mark, rule in zip(marks, (rules[0], rules[2]), strict=False))
    new = "".join(f"{mark}{rule}\n" for mark, rule in zip(marks, rules, strict=True))
    assert worded_hunks(old, new) == [("added", places[1], 0, 4)]
    assert [place_of(new, word) for word in ("name", "answer", "slots")] == list(places)


@pytest.mark.parametrize(
    "fenced",
    [
        '- ```json\n  {"a": 1}\n  ```\n',
        "1. Call it:\n   ```\n   # no heading\n   ```\n",
        "```` md\n```\n# no heading\n```\n````\n",
        "~~~\n```\n~~~\n",
        "```\n```json\n- no item\n```\n",
        "```code``` is written within a line.\n\n",
    ],
)
def test_text_after_a_fence_is_prose_again(fenced: str) -> None:
    text = f"{fenced}# Rules\n2. Wait for the answer. Then go on.\n"
    assert place_of(text, "answer") == "Rules › rule 2"


def test_repeated_passages_do_not_move_when_the_text_around_them_changes() -> None:
    same = "Wait for the caller to answer.\n\n" * 30
    diff = compare(f"Start one here.\n\n{same}End alpha.\n", f"Begin two there.\n\n{same}Stop beta.\n")
    assert [hunk.kind for hunk in diff.hunks] == ["changed", "changed"]


def test_both_places_of_a_passage_moved_from_the_start_are_one_hunk() -> None:
    old = "Never promise a price.Be kind. Be kind. Be kind. "
    diff = compare(old, "Be kind. Be kind. Be kind. Never promise a price.")
    away, here = ({piece.hunk for piece in diff.pieces if piece.moved == moved} for moved in ("away", "here"))
    assert away == here


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("The fee is 1.5 euros now.", "The fee is 2.5 euros now.", (1, 1)),
        ("2.5 hours is the limit.", "3.5 hours is the limit.", (1, 1)),
        ("- 2.5 hours is the limit.", "- 3.5 hours is the limit.", (1, 1)),
        ("# A\n2.5 hours is the limit.", "# A\n3.5 hours is the limit.", (1, 1)),
        ("Open from 10:30 on Mondays.", "Open from 11:45 on Mondays.", (1, 1)),
        ("Greet {{first name}} at once, warmly.", "Greet {{caller}} at once, warmly.", (1, 1)),
        ("नाम पूछें। प्रतीक्षा करें।", "पूरा नाम पूछें। प्रतीक्षा करें।", (0, 1)),
        ("Call the cafe now please.", "Call the cafe\u0301 now please.", (1, 1)),
    ],
)
def test_a_number_or_variable_or_word_with_combining_signs_is_one_word(
    old: str, new: str, words: tuple[int, int]
) -> None:
    diff = compare(old, new)
    assert (diff.removed_words, diff.added_words) == words


@pytest.mark.parametrize(
    ("gap", "kind"),
    [
        *[("", ""), ("\n\n ", ""), ("\n- ", "-"), ("\n 12. ", "1"), ("\n1.2.3 ", "1"), ("\nStep 3: ", "1")],
        *[("\n### ", "###"), ("\n> - ", "> -"), ("\n- x", None), ("\nStep by step", None)],
    ],
)
def test_list_and_heading_markers_are_recognised(gap: str, kind: str | None) -> None:
    assert structure(gap) == kind


LONG_TITLE = "What the agent says to a caller who asks for a table on a day that is booked out."


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Fees\n====\nAsk first.\n\nOne line\nand another\n====\n", ["heading", "row", "text", "text"]),
        (f"{LONG_TITLE}\n====\nAsk first.\n", ["heading", "row", "text"]),
        (f"{LONG_TITLE}\n----\nAsk first.\n", ["text", "row", "text"]),
    ],
)
def test_a_line_above_an_underline_is_a_heading_unless_the_line_is_a_sentence(text: str, kinds: list[str]) -> None:
    units = units_of(text)
    assert [unit.kind for unit in units][: len(kinds)] == kinds
    assert [unit.text for unit in units[:2]] == text.split("\n")[:2]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Ask Dr. Smith first. Then wait.", 2),
        ("Say one thing, e.g. Monday. Then wait.", 2),
        ("Stop at 5 p.m. and call back. Then wait.", 2),
        ("Ask first! Then wait. Go on.", 3),
    ],
)
def test_an_abbreviation_does_not_end_a_sentence(text: str, sentences: int) -> None:
    assert len(units_of(text)) == sentences


def test_a_list_that_becomes_a_table_is_one_change() -> None:
    old = (
        "- Flat tire\n    - ask for a spare\n- Out of fuel\n    - say what the delivery costs\n    - call `dispatch`\n"
    )
    new = "| Problem | Say | Then |\n|---|---|---|\n| Flat tire | ask for a spare | |\n"
    new += "| Out of fuel | say what the delivery costs, and get a yes | call `dispatch` |\n"
    (hunk,) = compare(old, new).hunks
    assert not hunk.parts
