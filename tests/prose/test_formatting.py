"""Changed marks around words are a change of formatting; changed signs with a meaning are a change of words."""

from __future__ import annotations

import pytest

from cekura_tui.prose.compare import compare
from cekura_tui.prose.staging import HunkChoice, staged


@pytest.mark.parametrize(
    ("sent", "proposed", "notes"),
    [
        ('Say "hello" now.', "Say “hello” now.", ['quotation marks " → “']),
        ("Say **hello there** now.", "Say hello there now.", ["emphasis ** removed"]),
        ("Don't - go.", "Don’t — go.", ["dashes - → —", "quotation marks ' → ’"]),
        ("the callers' names", "the callers’ names", ["quotation marks ' → ’"]),
        ('Not "14:30" but it.', "Not “14:30” but it.", ['quotation marks " → “']),
        ("- Ask.\n- Book.\n", "* Ask.\n* Book.\n", ["bullets - → *"]),
        ("- Ask now\n- Book it\n", "- Ask now.\n- Book it.\n", ["punctuation . added"]),
        ("Fees, if asked, apply", "Fees: if asked apply", ["punctuation , → :"]),
        ("Call find_member\n", "Call `find_member`.\n", ["emphasis ` added", "punctuation . added"]),
        ("**Fees**\nTen.\n", "## Fees\nTen.\n", ["heading marks ** → ##"]),
        (
            "1. FEES\nTen.\n\n2. HOURS\nNine.\n",
            "## 1. Fees\nTen.\n\n## 2. Hours\nNine.\n",
            ["heading marks ## added, capitals"],
        ),
        ("1) FEES:\nTen.\n", "**1. Fees**\nTen.\n", ["heading marks : → **, capitals"]),
        ("1.  **Fees**\nTen.\n", "### Step 1: Fees\nTen.\n", ["heading marks ### added"]),
        ("Step 1 - Fees\nTen.\n", "## Step 1: Fees\nTen.\n", ["heading marks ## added"]),
        ("FEES\nTen.\n", "## Fees\nTen.\n", ["heading marks ## added, capitals"]),
        ("TOOL 1:\n-------\nUse it.\n", "## TOOL 1\n\nUse it.\n", ["heading marks : → ##", "white space"]),
    ],
)
def test_the_same_words_in_another_format_are_a_layout_change(sent: str, proposed: str, notes: list[str]) -> None:
    for old, new in ((sent, proposed), (proposed, sent)):
        hunks = compare(old, new).hunks
        assert {hunk.kind for hunk in hunks} == {"layout"}
        if old == sent:
            assert sorted(hunk.note for hunk in hunks)[: len(notes)] == notes


def test_a_title_turned_into_a_heading_keeps_its_number_and_its_words_apart() -> None:
    sent = "1. FEES\nTen.\n\n2. OPENING\nGreet them warmly.\n"
    proposed = "## 1. Fees\nTen.\n\n## 2. Opening the call\nGreet them now.\n"
    diff = compare(sent, proposed)
    assert [hunk.old for hunk in diff.worded] == ["2. OPENING", "Greet them warmly."]
    alone = [staged(diff, {hunk.number: HunkChoice("accepted")}) for hunk in diff.hunks]
    assert alone[0] == sent.replace("1. FEES", "## 1. Fees")
    assert alone[1] == sent.replace("2. OPENING", "## 2. Opening the call")


def test_removed_horizontal_rules_next_to_changed_words_are_a_layout_change() -> None:
    diff = compare("Hi.\n\n---\n\nAsk it.\n\n---\n\nBook it.\n", "Hello.\n\nAsk it.\n\nBook it now.\n")
    assert [hunk.note for hunk in diff.hunks if hunk.kind == "layout"] == ["lines across --- removed"]


@pytest.mark.parametrize(
    ("sent", "proposed"),
    [
        ("Charge 2*3 euros.", "Charge 23 euros."),
        ("Use a~~b~~c.", "Use abc."),
        ("press * to repeat", "press to repeat"),
        ("with *67 before", "with 67 before"),
        ("Dial **21*5#", "Dial 215#"),
        ("A door 6' wide.", 'A door 6" wide.'),
        ("Hi {{_name}}.", "Hi {{name}}."),
        ("See https://x.y/_a now.", "See https://x.y/a now."),
        ("Hi {{ first name }}.", "Hi {{firstname}}."),
        ("Call 911: stay calm.", "Call 112: stay calm."),
        ("- Limit 30: always\n", "- Limit 60: always\n"),
        ("~~Never give refunds.~~", "Never give refunds."),
        ("Dial *67* now.", "Dial 67 now."),
        ("It costs 1,5 euros.", "It costs 15 euros."),
        ("It costs .5 euros.", "It costs 5 euros."),
        ("See x.y/a.b now.", "See x.y/ab now."),
        ("Is it there?", "Is it there."),
        ("Call __init__ first.", "Call init first."),
        ("# Last words\n", "Say this. Last words\n"),
    ],
)
def test_a_sign_with_a_meaning_counts_as_a_word(sent: str, proposed: str) -> None:
    assert [hunk.kind for hunk in compare(sent, proposed).hunks] == ["changed"]


@pytest.mark.parametrize(
    ("sent", "proposed"),
    [
        ("Pay **5 euros** now.", "Pay 5 dollars now."),
        ('Escalate to "Tier 2" after.', "Escalate to “Tier 1” after."),
        ("Refer them to their club.", 'Refer them to a trainer at their club".'),
        ("### 5. CONFERMA\n", "**5. CONFERMA and more**\n"),
    ],
)
def test_changed_words_and_the_formatting_marks_around_the_words_are_one_hunk(sent: str, proposed: str) -> None:
    diff = compare(sent, proposed)
    (hunk,) = diff.worded
    assert staged(diff, {hunk.number: HunkChoice("accepted")}) == proposed


@pytest.mark.parametrize(
    ("sent", "proposed", "removed", "added"),
    [
        ("Book the visit.", "Book the visit and wait for an answer.", "", " and wait for an answer"),
        ("Book the visit (or a call).", "Book the visit (or ask for a call).", "", "ask for "),
        ("Call find_member and wait for it.", "Call `find_member`, then wait for it.", " and", ", then"),
        ("Read the name ( and date ) now.", "Read the name ( and date ) later.", "now", "later"),
        ("Use {{plan}}, e.g. 1.5 now.", "Use {{plan}} soon, e.g. 1.5 now.", "", " soon"),
        ("- Ask it\n- Read the date\n", "- Ask it.\n- Read the date back.\n", "", " back"),
        ("- Ask it.\n- Read the date\n", "- Ask it.\n- Read the date back.\n", "", " back."),
        ("- Ask for the date\n- Wait\n", "- Ask for the date. Read it.\n- Wait.\n", "", ". Read it."),
    ],
)
def test_a_change_next_to_a_word_marks_neither_the_word_nor_unchanged_punctuation(
    sent: str, proposed: str, removed: str, added: str
) -> None:
    spans = [span for piece in compare(sent, proposed).pieces for span in piece.spans if not span.format]
    assert ["".join(span.text for span in spans if span.op == op) for op in ("del", "ins")] == [removed, added]
