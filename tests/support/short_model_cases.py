"""Compute the answers of `cekura_tui.model` to the short cases of a text file; `recorded_answers` compares them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import run_server
from short_cases import cases

from cekura_tui.model import text as texts
from cekura_tui.model.filter.match import Matcher, contradiction_test, noted_ids, split
from cekura_tui.model.filter.parse import completions, join_words, names_in, parse, suggested_terms, unknown_name
from cekura_tui.model.improve_prompt import prompt_name, read_progress, sent_facts
from cekura_tui.model.job import Draft, Job, JobState
from cekura_tui.model.job_durations import usual_duration
from cekura_tui.model.json_tree import JsonTree, Node, Path, RawRows, matches, summary
from cekura_tui.model.prompt_events import PromptUse, events_of, how_words, words_and_first_line
from cekura_tui.model.request_log import RequestRecord
from cekura_tui.model.run.columns import SORT_CYCLE, RunColumns, Sort, column_problems, columns_of, read_columns
from cekura_tui.model.run.details import details_of, value_at, web_link
from cekura_tui.model.run.groups import (
    GROUPINGS,
    filters_by_outcome,
    findings_of,
    generalised,
    group_runs,
    normalised,
)
from cekura_tui.model.run.listed_runs import Layout
from cekura_tui.model.run.paging import ListPage, PagedRuns
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.run.run import NotARun, Run
from cekura_tui.model.run.view import RunRow, RunView, view_of
from cekura_tui.model.run.words import as_json, as_markdown, as_text, csv_row, json_row, text_row, transcript_json
from cekura_tui.model.scope import Scope
from cekura_tui.model.text import Prompt
from cekura_tui.model.transcript import search
from cekura_tui.model.transcript.search import TurnMatches, folded, matches_in, read_query, snippet_of
from cekura_tui.model.transcript.timeline import key_figures, timings
from cekura_tui.model.transcript.tool_call import brief, ending_of, pretty, raw_text

NOW = 1_763_000_000.0
NOTES = {2: "Call back, refund", 4: "x"}


def model_answers() -> Iterator[str]:
    """The answers for each line of each case. The title of a case begins with the kind of its lines, such as
    runs or filters."""
    views: list[RunView] = []
    for place, (title, text) in enumerate(cases("model")):
        yield f"⁂ {title}"
        kind = title.partition(",")[0]
        for number, line in enumerate(text.splitlines(), 1):
            if kind == "runs":
                payload = {"id": place * 100 + number, **json.loads(line)}
                yield from (f"{number} {made}" for made in _run(payload, views))
            elif kind == "filters":
                yield from _filter(line, [view.row for view in views[:15]])
            else:
                read = json.loads(line)
                given = read if isinstance(read, list) and kind != "jobs" else [read]
                yield f"{number} {_MADE[kind](*given)}"
    yield "⁂ states of jobs"
    yield from (f"{one}: {one.final} {one.active} {one.needs_attention} {one.words}" for one in JobState)
    yield "⁂ all runs together"
    rows, findings = [view.row for view in views[:24]], {view.row.id: findings_of(view.verdicts) for view in views}
    yield from (f"{one}: {[row.id for row in Sort(one, up).apply(rows)]}" for one in SORT_CYCLE for up in (False, True))
    for how in GROUPINGS:
        found = group_runs(rows, how, findings)
        yield f"{how}: {found.failed} {found.errors} {_checksum(found)}"
        yield from (f"{one.title} {one.run_ids} {one.strip} {one.filter_text} {one.left_out}" for one in found.groups)


def _checksum(*values: object) -> str:
    return f"{zlib.crc32(repr(values).encode()) & 0xFFFF:04x}"


def _run(payload: dict[str, object], views: list[RunView]) -> Iterator[str]:
    try:
        run = Run.read(payload)
    except NotARun as error:
        yield error.sentence()
        return
    view = view_of(run, 0.0)
    views.append(view)
    call, turns = view.call, view.transcript.turns
    yield csv_row(view.row, NOTES.get(run.id, ""))
    usual = ("", "status: completed", "This run has no transcript.")
    yield from (line for line in as_text(view).split("\n")[2:] if line not in usual)
    yield from (f"{one.turn} after {one.to}: {one.seconds}" for one in view.timeline.answers)
    if view.timeline.has_times:
        yield " | ".join("; ".join(parts) for parts in key_figures(view.timeline, {1}))
        yield f"{timings(view.timeline)}"
    if turns:
        yield f"{[(ending_of(turn), brief(turn)) for turn in turns if turn.tool]}"
    yield from (f"{one.verdict}: {one.explanation}" for one in findings_of(view.verdicts))
    ends = [call.tools.end_of(turn) for turn in turns if turn.speaker == "tool_call"]
    shown = [(pretty(turn), raw_text(turn)) for turn in turns]
    seen = (view.row, view.verdicts, view.timeline, view.transcript, view.details, view.sent)
    written = (as_markdown(view), as_json(run), transcript_json(view), details_of(run.source))
    rows = (text_row(view.row), json_row(view.row, "n"), view.row.failed_checks)
    yield f"{_checksum(seen, call.sizes, call.latest, ends, shown)} {_checksum(written, rows)}"


def _filter(line: str, rows: list[RunRow]) -> Iterator[str]:
    found, wrong = parse(line)
    yield f"{line} → {str(found).replace(line, '=')}"
    yield from (f"  {start}-{end} {message}" for start, end, message in wrong)
    if found:
        asked, query = split(found, NOW), RunQuery(Scope("project", 9), found, noted_ids(found, NOTES))
        passed = str([row.id for row in filter(Matcher(found, now=NOW, notes=NOTES), rows)]).replace(",", "")
        denied = [row.id for row in filter(contradiction_test(found, NOW), rows)]
        yield f"  {passed} {denied} {asked.params} {asked.rest_words}"
        meant = (list(suggested_terms(found)), filters_by_outcome(found))
        rest, params = str(query.rest(NOW)), query.params(NOW, narrow=False)
        traits = (query.key, query.needs_sweep, query.has_changing_terms, rest, params)
        yield f"  {_checksum(found, traits)} {unknown_name(found, names_in(rows))} {meant}"
    joined = "".join(join_words(words).replace(line, "=") for words in (line.split(" "), [line]))
    yield f"  {list(completions(line, names_in(rows)))[:4]} {joined}"


_JOB = Job(1, JobState.RUNNING, "", "", "", "", (5, 6), 7, "", (), (), "")


def _job(payload: object) -> str:
    read = read_progress(payload)
    return f"{(*read, read.state.value, read.believed.state.value)}  {len(prompt_name(str(payload)))}"


_ELAPSED = (-1, 0, 4.9, 5, 28, 38, 44, 45, 52, 55, 59, 60, 119, 120, 130, 200, 239, 241, 299, 300, 375, 400, 421, 600)


def _durations(*seconds: float) -> str:
    if (found := usual_duration(seconds)) is None:
        return f"none {list(map(texts.span_text, seconds))}"
    words = "|".join(
        found.time_left(elapsed).replace("about ", "").replace("longer than usual", "") for elapsed in _ELAPSED
    )
    return f"{found} {found.words} {words} {[found.fraction(elapsed) for elapsed in (-1, 30, 60, 1000)]}"


def _text(text: str) -> str:
    lines = [texts.clean_line(text, 12), texts.shortened(text, 12), texts.capped(text, 10), folded(text)]
    lines += [str(web_link(text)), *({texts.visible(text)} - {text}), texts.size_text(text)]
    about = (texts.has_controls(text), words_and_first_line(Prompt(text)), texts.is_clean_json({text: text}))
    about += (texts.word_total(text),)
    return f"{texts.clean(text)!r} {lines} {about} {texts.json_text(text)} {normalised(text)!r} {generalised(text)!r}"


def _record(fields: dict[str, Any]) -> str:
    made = replace(_JOB, **{**fields, "state": JobState(fields["state"])})
    facts = [text for _, text in sent_facts(made, Draft((5,), Prompt("a b"), 7))[1:]]
    facts += [f"{name} {value}" for name, value in made.to_json().items() if value]
    return f"{made.unread} {made.resumable} {made.ended_at} {'; '.join(facts)}"


def _search(query: str, *parts: str) -> str:
    turns = [replace(_TURN, n=n, text=text) for n, text in enumerate(parts, 3)]
    found, words, again = TurnMatches(turns, query), read_query(query), search.join_words([query])
    places = [(*found[n], found.place_of(found[n]), found.first_from(found[n].n)) for n in range(len(found))]
    said = [(snippet_of(text, words.words), matches_in(text, words.words)) for text in parts]
    return f"{words} {again} {places} {said}"


_TURN = view_of(Run.read({"id": 1, "transcript": "Caller: x"}), 0.0).transcript.turns[0]


def _history(*uses: list[Any]) -> str:
    made = [PromptUse(7, sha, how, at, job, 1, "") for sha, how, at, job in uses]
    return f"{[[(one.sha256, how_words(one, made)) for one in event] for event in events_of(made)]}"


def _pages(count: int, size: int, oldest_first: bool, first: int, last: int, ahead: int) -> str:
    layout = Layout(count, oldest_first, size)
    spans = [str(layout.span(number))[5:] for number in range(1, layout.pages + 1)]
    return f"{layout.pages_for(first, last, ahead)} {[layout.page_at(place) for place in range(count)]} {spans}"


def _rows(ids: list[int]) -> tuple[RunRow, ...]:
    return tuple(run_server.row(abs(n), float(abs(n)), (run_server.RUNNING, run_server.PASSED)[n > 0]) for n in ids)


def _list(held: int, *steps: list[Any]) -> str:
    """Describe a run list after its first page and after each step, a method of `PagedRuns` with its arguments. A run
    with a negative id is still running."""
    runs, made = None, []
    for name, *given in steps:
        if name != "mark_viewed":
            given = [_rows(part) if isinstance(part, list) else part for part in given]
        if runs is None:
            runs = PagedRuns(ListPage(*given[1:]), 50.0, held)
        elif name == "put":
            runs.put(given[0], ListPage(*given[1:]))
        else:
            getattr(runs, name)(*given)
        shown = " ".join(str(one.id) if isinstance(one, RunRow) else f"{one.place}?{one.why}" for one in runs.listed)
        found = (runs.unsettled(2), runs.missing(range(9)), runs.next_missing(), runs.newest_page, runs.full)
        places = [runs.listed.place_of(key) for key in (*range(1, 99), *(("gap", n) for n in range(9)))]
        counts = (runs.count, runs.waiting, runs.newer, runs.shifts, runs.reported_count, runs.pin, runs.listed.loaded)
        made.append(f"{shown} {found} {counts} {_checksum(list(runs.rows()), places, runs.layout)}")
    return " ‖ ".join(made)


def _columns(width: int, one_agent: bool, *changes: list[Any]) -> str:
    columns = RunColumns()
    for name, *values in changes:
        columns = getattr(columns, name)(*values)
    return f"{columns.cells(width, one_agent=one_agent)} {columns.text} {read_columns(columns.text) == columns}"


def _value(value: object, word: str, path: list[str | int], at: int | None) -> str:
    """Describe the rows of a JSON value, collapsed and after each of three expansions, and the matches of `word`."""
    tree, nodes = JsonTree([("run", "open")]), [Node(("run",), "run", value, 0, "words", "note")]
    windows: dict[Path, range | None] = {}
    made = []
    for _ in range(4):
        rows = list(tree.rows(nodes, windows))
        last = [f"{row.kind[0]}{row.depth} {texts.clean_line(row.text, 30)}" for row in rows[-6:]]
        made.append((" | ".join(last), rows))
        for row in rows:
            inner = value_at({"run": value}, row.path)
            opened = tree.window(row.path, inner, windows) or range(150)
            windows[row.path] = tree.extended(row, inner, windows) if row.kind == "more" else opened
    opening, raw = tree.reveal({"run": value}, ("run", *path), at, {}), RawRows(value)
    found = [(raw.row_at(match), *match) for match in raw.matches(word)]
    lines = (list(raw), list(raw.lengths()), [raw.place_of(row.key) for row in raw], raw.place_of(len(raw)), found)
    spots = [tuple(spot) for spot in matches(nodes, word)]
    shown = " ⇒ ".join(dict.fromkeys(text for text, _ in made))
    return f"{shown} {(*opening,)} {spots[:4]} {found[:3]} {_checksum(made, lines, spots, summary(value))}"


_MADE: dict[str, Callable[..., str]] = {
    "jobs": _job,
    "durations": _durations,
    "texts": _text,
    "searches": _search,
    "histories": _history,
    "pages": _pages,
    "lists": _list,
    "records": _record,
    "columns": _columns,
    "widths": lambda widths: f"{columns_of(widths).text} {column_problems(widths)}",
    "requests": lambda *given: (one := RequestRecord(*given)) and f"{one.line()} {one.failed}",
    "values": _value,
}
