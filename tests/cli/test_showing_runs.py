"""`runs show --transcript`: what was said, in three forms, for pipes and files."""

from __future__ import annotations

import json

import pytest
from calling import call, refused
from scripted_server import ScriptedServer, run_of, serve_runs

TURNS = [
    {"role": "Main Agent", "content": "Hello\n- you", "start_time": 1},
    {"role": "Function Call", "data": {"name": "book", "arguments": '{"day": "Tue"}'}, "time": "00:09"},
]


@pytest.fixture
def aimed(api: ScriptedServer) -> ScriptedServer:
    """A server with one run, to which the environment leads."""
    serve_runs(api, run_of(5, transcript_object=TURNS))
    return api


def test_a_transcript_alone_is_printed_as_text_markdown_or_json(aimed: ScriptedServer) -> None:
    text = call("runs", "show", 5, "--transcript")
    assert text.out == '00:01  Agent: Hello\n        - you\n00:09  Tool call: book {"day": "Tue"}\n'
    page = call("runs", "show", 5, "--transcript", "--markdown")
    assert page.out.startswith("# Transcript of run 5\n\n- Scenario: Books a table\n- Agent: Agent 7\n\n")
    assert "**00:01 Agent:** Hello  \n\\- you\n\n**00:09 Tool call:**\n\n```json\n" in page.out
    whole = call("runs", "show", 5, "--transcript", "--json")
    assert [turn["text"] for turn in json.loads(whole.out)["turns"]] == ["Hello\n- you", 'book {"day": "Tue"}']
    assert {result.status for result in (text, page, whole)} == {0}
    assert {result.err for result in (text, page, whole)} == {""}


def test_markdown_without_transcript_is_still_the_whole_page(aimed: ScriptedServer) -> None:
    page = call("runs", "show", 5, "--markdown").out
    assert page.startswith("# Run 5: failed\n")
    assert "\n## Verdicts\n\nNone.\n\n## Transcript\n\n**00:01 Agent:** Hello" in page


def test_a_transcript_has_one_form_at_a_time(aimed: ScriptedServer) -> None:
    refused("not both", "runs", "show", 5, "--transcript", "--json", "--markdown")
    assert aimed.seen == []


@pytest.mark.parametrize(
    ("sent", "said"),
    [(None, "This run has no transcript."), ({"__encrypted__": "gAAAA"}, "This transcript is encrypted")],
)
def test_where_there_is_nothing_to_read_every_form_says_so(aimed: ScriptedServer, sent: object, said: str) -> None:
    serve_runs(aimed, run_of(5, transcript_object=sent))
    for form in ([], ["--markdown"], ["--json"]):
        result = call("runs", "show", 5, "--transcript", *form)
        assert result.status == 0
        assert said in result.out
