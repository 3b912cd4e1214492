"""A run as text, Markdown and JSON: speech is never taken for markup, and no sent turn is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from scripted_server import run_of

from cekura_tui.model.run.run import Run
from cekura_tui.model.run.view import RunView, view_of
from cekura_tui.model.run.words import (
    as_json,
    as_markdown,
    as_text,
    escaped,
    fenced,
    paragraph,
    transcript_json,
    transcript_markdown,
    transcript_text,
    turn_text,
    verdict_text,
)
from cekura_tui.model.text import clean

SIGNS = "`#->*_=+1.) \n[]()!<>&;~|$\\ab:{}"
WORDS = st.text(st.sampled_from(SIGNS) | st.characters(exclude_categories=()), max_size=40)
READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def view(*turns: dict[str, object], **fields: object) -> RunView:
    return view_of(Run.read(run_of(5, **({"transcript_object": list(turns)} if turns else {}), **fields)), 0.0)


def entry(text: str, start: float = 1.0, role: str = "Testing Agent", **more: object) -> dict[str, object]:
    return {"role": role, "content": text, "start_time": start, **more}


def called(data: dict[str, object], role: str = "Function Call", **more: object) -> dict[str, object]:
    return {"role": role, "data": data, "start_time": 3.0, **more}


def inlines(tokens: list[Token]) -> list[Token]:
    return [child for token in tokens for child in token.children or []]


def fences(page: str) -> list[str]:
    return [token.content for token in READER.parse(page) if token.type == "fence"]


def plain(tokens: list[Token]) -> str:
    """The text that a reader of the page sees; fails on anything but text and line breaks."""
    assert {child.type for child in inlines(tokens)} <= {"text", "softbreak", "hardbreak", "text_special"}
    blocks = (token.children or [] for token in tokens if token.type == "inline")
    return "\n".join("".join(child.content or "\n" for child in block) for block in blocks)


def words(text: str) -> list[str]:
    return clean(text).split()


@given(WORDS)
@example("a\n===\nb")
@example("a\n- b\n+ c\n1. d\n2) e\n---")
@example("a\n\n    code\n\n\tcode")
@example("```\nfence\n```\n~~~\n<b>&amp;&#42;")
@example("# head\n> quote\n|a|b|\n|-|-|\n|c|d|\n[x]: http://y")
@example("ends with \\")
def test_speech_that_looks_like_markdown_is_shown_as_plain_text(text: str) -> None:
    tokens = READER.parse(f"Before\n\n{paragraph('so ' + text)}")
    assert {token.type for token in tokens} == {"paragraph_open", "paragraph_close", "inline"}
    assert words(plain(tokens)) == words("Before so " + text)
    line = " ".join(words(text))
    tokens = READER.parse(f"- Name: {escaped(line)}")
    assert [token.type for token in tokens].count("list_item_open") == 1
    assert words(plain(tokens)) == words(f"Name: {line}")


@given(st.text(st.sampled_from("`~ a\n"), max_size=30))
def test_backticks_in_a_fenced_block_do_not_end_the_block(text: str) -> None:
    (token,) = READER.parse(fenced(text, "json"))
    assert (token.type, token.info, token.content) == ("fence", "json", text + "\n")


@given(st.lists(st.tuples(st.sampled_from(["Testing Agent", "Main Agent", "nobody", ""]), WORDS), max_size=6))
def test_a_markdown_transcript_has_a_paragraph_for_every_turn(turns: list[tuple[str, str]]) -> None:
    shown = view(*(entry(text, role=role) for role, text in turns))
    tokens = READER.parse(transcript_markdown(shown))
    marks = [child for child in inlines(tokens) if child.type == "strong_open"]
    assert len(marks) == len(shown.transcript.turns) == len(turns)
    assert [token.type for token in tokens].count("heading_open") == 1


def test_a_tool_call_in_markdown_is_json_with_parsed_arguments() -> None:
    data = {"id": "c1", "name": "book", "arguments": '{"day": "Tuesday", "note": "```x````"}'}
    back = {"id": "c1", "name": "book", "result": '{"a": 1, "a": 2}'}
    said = called({"name": "x"}, content="One moment, please.")
    page = transcript_markdown(view(called(data), called(back, "Function Call Result"), said))
    call, result, _ = fences(page)
    assert json.loads(call) == {**data, "arguments": {"day": "Tuesday", "note": "```x````"}}
    assert json.loads(result) == back, "parsing would lose the duplicate key"
    assert "**00:03 Tool call:**\n\n`````json\n" in page
    assert "**00:03 Tool result:**\n\n```json\n" in page
    assert "**00:03 Tool call:** One moment, please.\n\n```json" in page


@pytest.mark.parametrize(
    "arguments", ["{not json", "[" * 5_000, '{"a": 1e999}', '{"a": "\\ud800\\u202e"}', "[" + "9" * 5_000]
)
def test_malformed_tool_arguments_are_shown(arguments: str) -> None:
    (fence,) = fences(transcript_markdown(view(called({"name": "x", "arguments": arguments}))))
    assert json.loads(fence)["arguments"] == (arguments if "ud800" not in arguments else {"a": ""})


def judged() -> RunView:
    metrics = [
        {"id": 1, "name": "Politeness", "score": 5, "passed": True, "type": "binary"},
        {"id": 2, "name": "Transfer", "score": None, "explanation": "Nobody asked for it."},
        {"id": 3, "name": "Identity *check*", "score": 2, "explanation": ["Asked too late."]},
    ]
    rubric = [{"metric_id": 3, "conditions": "score gte 4", "passed": False}]
    aligned = [{"outcome": "greets", "aligned": "yes"}, {"outcome": "says goodbye", "aligned": False}]
    expected = {"score": 40, "explanation": ["❌ Hung up."], "outcome_alignments": aligned}
    return view(evaluation={"metrics": metrics}, rubric=rubric, expected_outcome=expected)


def test_a_page_lists_failed_verdicts_first_and_inapplicable_verdicts_last() -> None:
    verdict = "✗ Identity *check*: failed · 2, needs ≥ 4"
    assert verdict_text(judged().verdicts[0]) == f"{verdict}\n    Asked too late."
    page = as_text(judged())
    lines = page.splitlines()
    assert verdict in lines
    at, last = lines.index("✗ Expected outcome: failed · 40 of 100"), lines.index("Not applicable:")
    assert lines[at + 1 : at + 4] == ["    ❌ Hung up.", "    ✓ met: greets", "    ✗ not met: says goodbye"]
    assert lines[last + 1 : last + 3] == ["– Transfer: does not apply", "    Nobody asked for it."]
    assert lines.index("✓ Politeness: passed") < last
    assert page.endswith("This run has no transcript.")
    page = as_markdown(judged())
    places = [
        page.index("- ✗ **Identity \\*check\\***: failed · 2, needs ≥ 4\n  - Asked too late."),
        page.index("  - ✗ not met: says goodbye\n"),
        page.index("- ✓ **Politeness**: passed"),
        page.index("\nNot applicable:\n\n- – **Transfer**"),
    ]
    assert places == sorted(places)


def test_a_page_shows_hours_in_long_calls_and_indents_the_later_lines_of_a_turn() -> None:
    shown = view(entry("hello", 5.0), entry("bye", 3_600.5), entry("?", None))
    assert transcript_text(shown.transcript).splitlines() == [
        "0:00:05  Caller: hello",
        "1:00:00  Caller: bye",
        "-:--:--  Caller: ?",
    ]
    assert "**1:00:00 Caller:** bye" in transcript_markdown(shown)
    short = view(entry("hello\nyou", 5.0), entry("bye", 3_599.0))
    assert transcript_text(short.transcript) == "00:05  Caller: hello\n        you\n59:59  Caller: bye"
    assert turn_text(short.transcript.turns[0]) == "00:05  Caller: hello\n        you"


def test_an_unknown_role_is_shown_by_name_and_a_missing_role_as_a_question_mark() -> None:
    shown = view(entry("psst", role="Super*visor\nof all"), entry("who?", role=""))
    assert transcript_text(shown.transcript).splitlines() == ["00:01  Super*visor of all: psst", "00:01  ?: who?"]
    assert "**00:01 Super\\*visor of all:** psst" in transcript_markdown(shown)


@pytest.mark.parametrize(
    ("fields", "form"),
    [
        ({}, "empty"),
        ({"transcript_object": {"__encrypted__": "abc"}}, "encrypted"),
        ({"transcript": "[00:01] x"}, "text"),
    ],
)
def test_every_format_says_why_turns_are_missing(fields: dict[str, object], form: str) -> None:
    shown = view(**fields)
    note = shown.transcript.note
    assert note
    assert transcript_text(shown.transcript).startswith(note)
    assert f"\n\n_{escaped(note)}_" in transcript_markdown(shown)
    whole = json.loads(transcript_json(shown))
    assert (whole["form"], whole["note"]) == (form, note)


def test_the_json_of_a_run_or_transcript_has_the_sent_values_and_the_turns() -> None:
    shown = view(entry("é\x1b[31m\u202e"), called({"name": "x", "arguments": "{}"}))
    whole: dict[str, Any] = json.loads(text := transcript_json(shown))
    assert text == clean(text)
    assert (whole["run"], whole["form"], whole["note"]) == (5, "turns", "")
    spoken, tool = whole["turns"]
    assert (spoken["n"], spoken["text"]) == (1, "é\x1b[31m\u202e")
    assert (tool["n"], tool["tool"]) == (2, {"name": "x", "arguments": "{}"})
    whole = as_json(Run.read(run_of(5, unknown={"deep": [1]}, transcript="[00:01] Main Agent: Hello")))
    assert (whole["unknown"], whole["turns"][0]["text"]) == ({"deep": [1]}, "Hello")


@given(st.text("\x00\x1b\u202e a❌", max_size=3), st.booleans())
def test_json_agrees_with_the_screen_despite_hidden_characters(hidden: str, as_text: bool) -> None:
    metric = {"id": 1, "name": f"Identity{hidden}", "type": f"bina{hidden}ry", "score": f"5{hidden}"}
    fields: dict[str, Any] = {
        "status": f"comple{hidden}ted",
        "evaluation": {"metrics": [metric, {"id": 2, "name": hidden, "value": hidden}]},
        "expected_outcome": {"explanation": [f"{hidden}❌ It did not."]},
        "critical_categories": [{"category": f"Privacy{hidden}", "priority": f"criti{hidden}cal"}],
        "transcript": f"{hidden}[00:01] Main{hidden} Agent: Hello{hidden}\n[00:0{hidden}2] Testing Agent: {hidden}",
        "transcript_object": None if as_text else [entry(hidden, role=f"Main{hidden} Agent")],
    }
    run = Run.read(run_of(5, **fields))
    printed: dict[str, Any] = as_json(run)
    shown = view_of(run, 0.0)
    assert printed["outcome"] == shown.row.outcome._asdict()
    judged = [(verdict.source, verdict.id, verdict.state, verdict.score) for verdict in shown.verdicts]
    assert [(one["source"], one["id"], one["state"], one["score"]) for one in printed["verdicts"]] == judged
    spoken_by = [(turn.speaker, turn.start) for turn in shown.transcript.turns]
    assert [(turn["speaker"], turn["start"]) for turn in printed["turns"]] == spoken_by


@given(WORDS)
def test_no_format_contains_control_characters(text: str) -> None:
    shown = view(entry(text, role=text), called({"name": text, "arguments": json.dumps({text: text})}), feedback=text)
    for page in (as_text(shown), as_markdown(shown), transcript_markdown(shown), transcript_json(shown)):
        assert page == clean(page)
