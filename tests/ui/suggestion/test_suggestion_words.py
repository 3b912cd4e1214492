"""The words of a suggestion: headline, counts, and summary with all issues."""

from __future__ import annotations

from dataclasses import replace

from cekura_tui.evidence.prompt_issues import read_issues
from cekura_tui.model.job import Job, JobState, Suggestion
from cekura_tui.model.text import Prompt
from cekura_tui.prose.compare import compare
from cekura_tui.prose.lines import change_words
from cekura_tui.prose.staging import HunkChoice, staged
from cekura_tui.ui.suggestion.words import headline, summary
from cekura_tui.workspace.suggestions import DecisionCounts, OpenedSuggestion, SuggestionReasons

JOB = Job(1, JobState.SUCCEEDED, "", "o", "k", "p", (7,), 3, "A", (), (), "s", summary_of_changes="One change.")


def lines_of(issues: object, key: str = "") -> list[str]:
    done = Suggestion(JOB, Prompt("a"), Prompt("b"))
    reasons = SuggestionReasons(read_issues(issues), {}, {}, ())
    return [line.plain for line in summary(done, compare("a", "b"), reasons, key)]


def test_api_key_in_the_improved_prompt_is_reported() -> None:
    assert "! The improved prompt contains your API key." in lines_of({"issues": []}, "your API key")


def test_a_long_proposal_is_shown_in_part_with_a_note_and_cannot_be_edited() -> None:
    long = Prompt("Ask him again.\n" * 100_000)
    diff = compare("Ask him.", long)
    lines = [line.plain for line in summary(Suggestion(JOB, Prompt("Ask him."), long), diff, None)]
    assert lines[:2] == [
        "! not compared: the two texts have 1,500,008 characters; up to 1,000,000 are compared",
        "Shows the first 30,000 of 1,500,000 characters · y copies or saves all · `jobs show 1 --prompt` prints all",
    ]
    opened = OpenedSuggestion(Suggestion(JOB, Prompt("Ask him."), long), diff, {})
    assert opened.why_not_edit(diff.hunks[0]) == "Too long to edit here: save the prompt to a file."


def test_unknown_fields_of_an_issue_are_shown_as_a_tree() -> None:
    odd = {"title": "Talks over the caller\x1b[31m", "run_ids": [7], "odd": {"deep": [1, {"er": None}]}, "flag": True}
    assert lines_of({"issues": [odd]}) == [
        "One change.",
        "1 issue found in the runs",
        "• Talks over the caller[31m",
        "  run 7",
        "  odd:",
        "    deep:",
        "      1: 1",
        "      2:",
        "        er: null",
        "  flag: true",
    ]


def test_lines_of_an_issue_are_limited() -> None:
    deep: object = "end"
    for _ in range(400):
        deep = [deep]
    lines = lines_of([{"title": "Much", "wide": list(range(5_000)), "deep": deep}])
    assert len(lines) < 70


SENT = "# Rules\n\nBe kind to callers.\n\n# Prices\n\nNever guess a price.\n"
PROPOSED = SENT.replace("kind to", "brief and warm with").replace("guess", "estimate or guess")


def test_staged_word_counts_equal_the_counts_of_a_diff_of_sent_and_staged_text() -> None:
    diff = compare(SENT, PROPOSED)
    yes, no, mine = HunkChoice("accepted"), HunkChoice("rejected"), HunkChoice("edited", "Never guess any price.")
    for choices, undecided in (({}, 2), ({1: yes}, 1), ({1: yes, 2: yes}, 0), ({1: no, 2: mine}, 0), ({2: mine}, 1)):
        change = compare(SENT, staged(diff, choices))
        chosen = {diff.hunks[number - 1].key: choice for number, choice in choices.items()}
        opened = OpenedSuggestion(Suggestion(JOB, Prompt(SENT), Prompt(PROPOSED)), diff, chosen)
        assert opened.counts == DecisionCounts(undecided, change.added_words, change.removed_words)


def test_headline_begins_with_the_decisions_and_fits_the_width() -> None:
    job = replace(JOB, run_ids=(900238,), agent_name="Riverside Clinic")
    diff = compare(SENT, PROPOSED)
    chosen = {diff.hunks[0].key: HunkChoice("accepted")}
    opened = OpenedSuggestion(Suggestion(job, Prompt(SENT), Prompt(PROPOSED)), diff, chosen)
    counts = " Suggestion of job 1 · 1 of 2 undecided · ✓1 ✗0 ✎0 · staged +4 −2 words"
    assert headline(1, opened, 80).plain == counts
    updated = headline(1, opened, 100, "taken back 10:20").plain
    assert updated == counts.replace("1 ·", "1 · taken back 10:20 ·", 1)
    narrow = headline(1, opened, 80, "on the agent since 10:20").plain
    assert narrow == " Suggestion of job 1 · on the agent since 10:20 · staged +4 −2 words"
    assert headline(1, opened, 160).plain == f"{counts} · +6 −2 words proposed · run 900238 · Riverside Clinic"


def test_staged_moves_are_not_called_formatting() -> None:
    sent = "- Ask for the full name.\n- Read the date back.\n- Say goodbye.\n"
    for proposed, words in (
        (sent.replace("full", "`full`"), "only formatting"),
        (sent[25:] + sent[:25], "only moved text"),
    ):
        diff = compare(sent, proposed)
        chosen = {hunk.key: HunkChoice("accepted") for hunk in diff.hunks}
        opened = OpenedSuggestion(Suggestion(JOB, Prompt(sent), Prompt(proposed)), diff, chosen)
        assert f"{words} staged" in headline(1, opened, 120).plain
        assert change_words(diff).startswith(words)
