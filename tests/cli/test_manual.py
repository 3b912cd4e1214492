"""The manual documents filter terms and exit statuses, and is printed to a terminal or a pipe."""

from __future__ import annotations

import os
import re
from pathlib import Path

import manual_tables
import pytest
from calling import call, refused
from terminal import Terminal

from cekura_tui.config.sources import read_settings_file
from cekura_tui.manual import TOPICS, read_page
from cekura_tui.model.errors import Exit
from cekura_tui.model.filter.filter import KEYS
from cekura_tui.ui.terminal.markdown import render_page

ALL = "\n".join(map(read_page, TOPICS))


def test_generated_tables_are_up_to_date() -> None:
    how = "write them with: python tests/support/manual_tables.py --write"
    for topic in manual_tables.TABLES:
        assert manual_tables.written(topic) == (manual_tables.MANUAL / f"{topic}.md").read_text("utf-8"), how


def test_every_filter_term_and_exit_status_is_documented() -> None:
    assert [key.name for key in KEYS if f"`{key.start}" not in read_page("filters")] == []
    assert set(re.findall(r"^\| (\d) \|", read_page("scripts"), re.MULTILINE)) == {str(int(one)) for one in Exit}


def test_examples_of_settings_are_valid(tmp_path: Path) -> None:
    examples = re.findall(r"^```toml\n(.*?)^```", ALL, re.DOTALL | re.MULTILINE)
    assert len(examples) >= 5
    for example in examples:
        path = tmp_path / "config.toml"
        path.write_text(example)
        assert read_settings_file(path).problems == ()


def test_every_manual_page_is_listed_and_names_only_existing_topics() -> None:
    assert {path.stem for path in manual_tables.MANUAL.glob("*.md")} == set(TOPICS)
    assert [line.split()[0] for line in call("manual", "--list").out.splitlines()] == ["TOPIC", *TOPICS]
    assert set(re.findall(r"`manual ([\w-]+)", ALL)) <= set(TOPICS)


def test_a_pipe_gets_markdown_and_an_unknown_topic_is_refused() -> None:
    assert call("manual", "jobs").out == read_page("jobs")
    assert call("manual").out == ALL
    refused("No topic named “job”. Choose from screens, keys", "manual", "job")


@pytest.mark.long
def test_a_terminal_shows_a_page_without_markdown_syntax() -> None:
    with Terminal("manual", "filters", env={**os.environ, "PAGER": "cat"}, columns=80, lines=60) as terminal:
        terminal.wait("outcome:failed,error", "server filters")
        assert not re.search(r"[`|]|\*\*|^#", terminal.text, re.MULTILINE)


def test_code_is_wrapped_and_settings_are_shown_whole_in_80_columns() -> None:
    page = render_page(read_page("scripts") + read_page("configuration"), 80)
    assert "accepted in the app" in " ".join(page.split())
    assert "CEKURA_ORGANIZATION_ID" in page


@pytest.mark.long
def test_a_pager_with_an_unclosed_quote_prints_the_page() -> None:
    with Terminal("manual", "jobs", env={**os.environ, "PAGER": "less 'x"}, columns=120, lines=120) as terminal:
        terminal.wait("# Jobs", "While you are away")
