"""`runs list`, `runs show` and `runs audio`, and the filter argument of all commands that have a filter."""

from __future__ import annotations

import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from cekura_tui.cli.completion import complete_filters
from cekura_tui.cli.options import RUN, F, json_option, path
from cekura_tui.cli.output import (
    ProgressLine,
    Table,
    is_output_closed,
    print_message,
    put,
    put_json,
    stderr_is_terminal,
)
from cekura_tui.cli.script import command
from cekura_tui.model.as_json import to_json
from cekura_tui.model.errors import KeyMissing, UsageError
from cekura_tui.model.filter.match import Matcher, noted_ids
from cekura_tui.model.filter.parse import FilterProblem, join_words, parse
from cekura_tui.model.run import words as run_words
from cekura_tui.model.run.query import RunQuery
from cekura_tui.model.text import clean_line, clock_text, count
from cekura_tui.model.transcript.timeline import clock, key_figures, needs_hours
from cekura_tui.model.transcript.tool_call import tool_name

if TYPE_CHECKING:
    from cekura_tui.api.errors import ApiError
    from cekura_tui.model.filter.filter import Filter
    from cekura_tui.model.run.groups import Finding
    from cekura_tui.model.run.run import Run
    from cekura_tui.model.run.view import RunRow, RunView
    from cekura_tui.model.transcript.transcript import Turn
    from cekura_tui.workspace.opened_runs import VerdictEvidence as Evidence
    from cekura_tui.workspace.session import Session


_WIDTH = 76
_MAX_ERRORS = 5
_WIDTHS_FROM = 100
"""Number of runs that a table collects before it prints them in columns as wide as their texts."""


class FilterCommand(click.Command):
    """A command whose arguments are a filter. Therefore "-term" excludes a term, and is not an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put options before "--" and filter words after it; print a note on words that look like mistyped options."""
        own = [option for option in self.params if isinstance(option, click.Option)]
        valued = {name for option in own if not option.is_flag for name in option.opts}
        mistakable = {name.lstrip("-") for option in own for name in option.opts}
        options: list[str] = []
        words: list[str] = []
        odd: dict[str, None] = {}
        left = iter(args)
        for word in left:
            if word == "--":
                words += left
            elif word in valued:
                options += [word, *(value for value in [next(left, None)] if value is not None)]
            elif word.startswith("--") or word in ctx.help_option_names:
                options.append(word)
            else:
                words.append(word)
                # Valid as a term, but it looks like a mistyped option.
                if word[:1] == "-" and (word[1:] in mistakable or (len(word) == 2 and word[1].isalnum())):
                    odd[word] = None
        for word in () if ctx.resilient_parsing else odd:
            print_message(f"Reading {word} as a filter: without the word {word[1:]}.")
        return super().parse_args(ctx, [*options, "--", *words])


def read_filter(words: Sequence[str]) -> Filter:
    """Parse a filter. Raises UsageError with a message that marks the errors in the text."""
    text = join_words(words)
    parsed = parse(text)
    if parsed.problems:
        lines = [line for wrong in parsed.problems[:_MAX_ERRORS] for line in _marked(text, wrong)]
        raise UsageError("\n".join(["Can't read the filter:", *dict.fromkeys(lines)]))
    return parsed.filter


def filter_argument(*, required: bool = False) -> Callable[[F], F]:
    """Add the filter argument, as `wanted`; an invalid filter is refused before a session is opened."""
    return click.argument(
        "wanted",
        nargs=-1,
        required=required,
        metavar="FILTER..." if required else "[FILTER]...",
        shell_complete=complete_filters,
        callback=lambda context, parameter, words: read_filter(words),
    )


def limit_option(default: int | None, words: str) -> Callable[[F], F]:
    number = click.IntRange(min=1)
    return click.option("--limit", type=number, default=default, show_default=True, metavar="N", help=words)


def _marked(text: str, wrong: FilterProblem) -> list[str]:
    """Two lines: the text around an error, and a marker below it with the message."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    first = 0 if len(plain) <= _WIDTH else max(0, min(wrong.start - _WIDTH // 3, len(plain) - _WIDTH))
    before = plain[first : wrong.start]
    place = plain[wrong.start : min(wrong.end, first + _WIDTH)]
    mark = " " * _cells(before) + "^" * max(1, _cells(place))
    return [f"  {plain[first : first + _WIDTH]}", f"  {mark} {wrong.message}"]


def _cells(text: str) -> int:
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


Found = Sequence[tuple["Run | None", "RunRow"]]
"""Runs and their rows; the run is None for a cached row."""
Printer = Callable[[Found], None]


def _table() -> Printer:
    table = Table(("RUN", "OUTCOME", "SCENARIO", "PERSONALITY", "AGENT", "LENGTH", "WHEN"))
    return lambda found: table.put([_row_cells(row) for _, row in found])


def _csv(notes: Mapping[int, str], *, checks: bool) -> Printer:
    header = [run_words.csv_header(checks=checks)]

    def put_csv(found: Found) -> None:
        if lines := header + [run_words.csv_row(row, notes.get(row.id, ""), checks=checks) for _, row in found]:
            put("\n".join(lines))
        header.clear()

    return put_csv


def _put_json_lines(found: Found, *, checks: bool) -> None:
    """Print one JSON object per line: the run as the server sent it, with its outcome and failed checks added."""
    for run, row in found:
        assert run is not None
        put_json(run_words.row_as_json(run, row, checks=checks))


def counted(shown: int, limit: int, checked: int, total: int, *, filtered_here: bool) -> str:
    """A message on how many runs were listed; if runs were filtered on this machine, also on how many were checked."""
    if not filtered_here:
        return f"{shown:,} of {count(total, 'run')}" if shown < total else count(shown, "run")
    return f"{count(shown, 'run')}{' (limit reached)' if shown >= limit else ''}; {checked:,} of {total:,} checked"


def _row_cells(row: RunRow) -> tuple[str, ...]:
    return (
        str(row.id),
        f"{row.outcome.mark} {row.judged}",
        clean_line(row.scenario, 40),
        clean_line(row.personality, 24),
        clean_line(row.agent, 24),
        row.duration,
        clock_text(row.at) if row.at is not None else "",
    )


@click.group()
def runs() -> None:
    """Find and read runs."""


def _check_list(*, as_json: bool, as_csv: bool, no_checks: bool, **_: object) -> None:
    if as_json and as_csv:
        raise click.UsageError("Use --json or --csv, not both.")
    if no_checks and not (as_json or as_csv):
        raise click.UsageError("Use --no-checks with --json or --csv.")


@command("list", runs, key=False, check=_check_list, cls=FilterCommand)
@filter_argument()
@limit_option(100, "List at most N runs, newest first.")
@json_option("per line")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV with a header, for spreadsheets.")
@click.option("--no-checks", is_flag=True, help="With --json or --csv, leave out the failed checks of the runs.")
async def list_runs(session: Session, wanted: Filter, limit: int, as_json: bool, as_csv: bool, no_checks: bool) -> None:
    """List runs of a project or an agent, newest first.

    JSON and CSV have the failed checks of each failed run. Checks that are not cached are requested.

    A filter lists the runs that match all its terms, such as outcome:failed,error "scenario:~refund" agent:7
    persona:~hurry result:991 id:48213 "dur>120" since:2d until:2026-11-01 metric:"Task completion" reviewed:no
    mode:text note:yes status:failed (the call, not the test), or bare words. -term or !term excludes.
    until: a day includes that day.
    """
    if as_json and session.setup.no_key is not None:
        raise session.setup.no_key  # JSON needs the server's rows, which are not cached
    checks = not no_checks
    csv = _csv(session.store.notes.all(), checks=checks)
    listing = partial(_put_json_lines, checks=checks) if as_json else csv if as_csv else _table()
    found: list[tuple[Run | None, RunRow]] = []
    later = checks and (as_json or as_csv)
    table, begun = not (as_json or as_csv), False

    def put_page(page: Found) -> None:
        nonlocal begun
        begun = True
        (found.extend if later or table else listing)(page)
        if table and len(found) >= _WIDTHS_FROM:
            listing(found)
            found.clear()

    try:
        read = await (_list_cached if session.setup.offline else read_matching)(session, wanted, limit, put_page)
    finally:
        if table and begun:
            listing(found)
    error = None
    if later:
        if not session.setup.offline:
            error = await _load_checks(session, [row.id for _, row in found if row.lacks_checks])
        rows = session.lists.filled(row for _, row in found)
        if unknown := sum(row.lacks_checks for row in rows):
            print_message(f"The failed checks of {count(unknown, 'run')} are unknown.")
        listing([(run, row) for (run, _), row in zip(found, rows, strict=True)])
    if not (read.complete and (as_json or as_csv)):
        print_message(read.words)
    if error is not None:
        raise error  # after printing the runs


async def _load_checks(session: Session, ids: Sequence[int]) -> ApiError | None:
    """Load failed checks of runs; return the error that ended the requests. Prints their number and the progress."""
    from cekura_tui.jobs.polling import load_words

    if ids:
        print_message(f"Loading the failed checks of {load_words(len(ids))}.")
    return (await load_whole(session, ids))[1]


async def load_whole(
    session: Session, ids: Sequence[int], *, fresh: bool = True
) -> tuple[dict[int, tuple[Finding, ...] | None], ApiError | None]:
    """Load failed runs in full, and print the progress; see `RunFindings.all`."""
    progress = ProgressLine()

    def on_found(known: int) -> None:
        progress.show(f"checks of {known:,} of {count(len(ids), 'failed run')} read")

    return await session.findings.all(ids, _print_wait, on_found, fresh=fresh)


def _print_wait(error: ApiError, seconds: float) -> None:
    from cekura_tui.workspace.all_runs import wait_text

    print_message(wait_text(error, seconds))


class MatchingRuns(NamedTuple):
    """A message on how many runs were listed (`words`), and whether no matching run is missing (`complete`)."""

    words: str
    complete: bool


async def read_matching(
    session: Session, wanted: Filter, limit: int, listing: Printer, *, progress: ProgressLine | None = None
) -> MatchingRuns:
    """Pass the newest matching runs in the session's scope to `listing` page by page, at most `limit` runs. Raises
    BrokenPipeError if standard output is closed meanwhile. Without `progress`, progress is shown on a terminal only,
    and only while runs are filtered here."""
    from cekura_tui.api.client import PAGE_SIZE

    notes, now = session.store.notes.all(), time.time()
    query = RunQuery(await session.scope(), wanted, noted_ids(wanted, notes))
    # With `until`, more runs are read than listed.
    rest = bool(query.rest(now)) or any(term.key == "until" for term in wanted.terms)
    size = PAGE_SIZE if rest else min(max(limit, 2), PAGE_SIZE)
    runs = session.matching_runs(query, _print_wait, now, size=size, load_whole=lambda ids: _load_checks(session, ids))
    shown = checked = total = 0
    complete = False
    progress = progress or (ProgressLine() if rest and stderr_is_terminal() else None)
    async with aclosing(runs) as pages:
        async for page in pages:
            if is_output_closed():
                raise BrokenPipeError
            found = page.matches[: limit - shown]
            listing(found)
            shown, checked, total = shown + len(found), page.read, page.total
            complete = checked >= total and len(found) == len(page.matches)
            if shown >= limit:
                break
            if progress is not None and checked < total:
                progress.show(f"{checked:,} of {total:,} {'checked' if rest else 'runs read'}")
    return MatchingRuns(counted(shown, limit, checked, total, filtered_here=rest), complete)


async def _list_cached(session: Session, wanted: Filter, limit: int, listing: Printer) -> MatchingRuns:
    """Like `read_matching`, but for cached runs; also says when they were cached. Raises KeyMissing if none matches."""
    notes, query = session.store.notes.all(), RunQuery(await session.scope(), wanted)
    passes = Matcher(wanted, now=time.time(), notes=notes)
    found = [(row, at) for row, at in session.lists.cached(query) if passes(row)]
    if not found:
        assert session.no_key is not None
        raise KeyMissing(f"No matching run is cached on this machine. {session.no_key.message}", session.no_key.hint)
    listing([(None, row) for row, _ in found[:limit]])
    since, until = (clock_text(pick(at for _, at in found[:limit])) for pick in (min, max))
    shown = counted(len(found[:limit]), limit, 0, len(found), filtered_here=False)
    return MatchingRuns(f"{shown} cached, as of {since} to {until}", complete=False)


def _check_show(*, transcript: bool, timeline: bool, as_json: bool, markdown: bool, **_: object) -> None:
    if as_json and markdown:
        raise click.UsageError("Use --json or --markdown, not both.")
    if timeline and (transcript or markdown):
        raise click.UsageError("Use --timeline alone, or with --json.")


@command("show", runs, key=False, check=_check_show)
@click.argument("run_id", type=RUN)
@click.option("--transcript", is_flag=True, help="Print only the transcript, as text, --json or --markdown.")
@click.option("--timeline", is_flag=True, help="Print who speaks when, silences, overlaps, tools and evidence.")
@json_option()
@click.option("--markdown", is_flag=True, help="Print Markdown, for an issue or a message.")
async def show_run(
    session: Session, run_id: int, transcript: bool, timeline: bool, as_json: bool, markdown: bool
) -> None:
    """Show one run: the verdicts, failed ones first, then the transcript."""
    if as_json and not transcript and not timeline:
        run, is_cached = await session.whole_run(run_id)
        if is_cached:
            print_message(_cached_note(session))
        put_json(run_words.as_json(run))
        return
    view = await session.run(run_id)
    if view.cached:
        print_message(_cached_note(session, view.got_at))
    if timeline:
        put_timeline(view, await session.evidence(view), as_json=as_json)
        return
    if as_json:
        put_json(run_words.transcript_object(view), indent=2)
        return
    if transcript:
        put(run_words.transcript_markdown(view) if markdown else run_words.transcript_text(view.transcript))
    else:
        note = session.store.notes.all().get(run_id, "")
        put(run_words.as_markdown(view) if markdown else run_words.as_text(view, note))


@command("audio", runs, key=False)
@click.argument("run_id", type=RUN)
@click.option("--out", type=path, default="-", metavar="FILE", help="Write to FILE, not to standard output (-).")
@click.option("--force", is_flag=True, help="Overwrite FILE.")
@click.option("--speech", is_flag=True, help="Print who speaks when in the recording, and what the transcript misses.")
@json_option()
async def save_audio(session: Session, run_id: int, out: str, force: bool, speech: bool, as_json: bool) -> None:
    """Write the recording of a run to a file or a pipe, or say who speaks when in it."""
    from cekura_tui.workspace.prompt_files import check_output, write_output

    if as_json and not speech:
        raise UsageError("There is no JSON of a recording.", "Use --json with --speech.")
    if speech and out != "-":
        raise UsageError("Speech is printed, not saved.", "Use either --out or --speech.")
    target = None if out == "-" else check_output(out, force=force)
    if target is None and not speech and sys.stdout.isatty():
        raise UsageError("A terminal can't show a recording.", "Choose a file with --out FILE.")
    line = ProgressLine()

    def on_progress(done: int, total: int | None) -> None:
        line.show(f"{done / 1e6:,.1f}{f' of {total / 1e6:,.1f}' if total else ''} MB fetched")

    view = await session.run(run_id)
    recording = await session.recording(run_id, view.source.get("voice_recording_url"), on_progress)
    try:
        if speech:
            put_speech(view, recording.path, as_json=as_json)
        elif target is None:
            sys.stdout.buffer.write(recording.path.read_bytes())
        else:
            write_output(target, data := recording.path.read_bytes(), force=force)
            print_message(f"Saved the recording to {target} ({len(data) / 1e6:,.1f} MB).")
    finally:
        if recording.memory is not None or not session.setup.settings.keep_audio:
            recording.discard()


def put_speech(view: RunView, path: Path, *, as_json: bool) -> None:
    from cekura_tui.audio.by_sound import by_sound_of

    found = by_sound_of(path, view)
    line, hours = found.timeline, needs_hours(found.timeline.length)
    if as_json:
        medians = {"median_answer": line.median, "median_answer_by_transcript": view.timeline.median}
        put_json({"run": view.row.id, "length": line.length, "note": found.note, **medians, "heard": found.heard()})
        return
    put(f"Run {view.row.id} by its sound: {clock(line.length, hours=hours)}")
    for words in filter(None, (found.note, found.answers)):
        put(words)
    _put_moments(((one["start"], one["end"], one["words"]) for one in found.heard()), hours=hours)


def _cached_note(session: Session, got_at: float | None = None) -> str:
    """The message that a cached run is shown: why, unless the session is offline, and when it was cached, if known."""
    why = "" if session.setup.offline else "Can't reach the server. "
    return f"{why}Showing the cached run{f', as of {clock_text(got_at)}' if got_at else ''}."


Moment = tuple[float, float | None, str]
"""A line of the timeline: start and end in seconds of the call, and its text. The end is None for evidence."""


def put_timeline(view: RunView, found: Evidence, *, as_json: bool) -> None:
    if as_json:
        put_json(_timeline_json(view, found))
        return
    from cekura_tui.model.transcript.transcript import turns_text

    timeline = view.timeline
    hours = needs_hours(timeline.length)
    put(f"Run {view.row.id}: {clock(timeline.length, hours=hours)}, {turns_text(view.transcript.turns)}")
    cited = {evidence.n for _, findings in found for evidence in findings.turns}
    for figure in key_figures(timeline, cited)[0]:
        put(figure)
    put()
    # The sort is stable, so moments of the same time keep this order.
    _put_moments(sorted(_moments(view, found), key=lambda one: one[0]), hours=hours)
    turns = view.transcript.turns
    for n in timeline.untimed:
        put(f"no time  {_speaker(turns[n - 1])}, turn {n}")
    for n, text in _cited_lines(found):
        if n == 0 or n in timeline.untimed:
            put(f"{'no time' if n else 'no turn'}  {text}")


def _put_moments(moments: Iterable[Moment], *, hours: bool) -> None:
    for *times, text in moments:
        start, end = (clock(time, hours=hours) for time in times)
        put(f"{start if end in ('', start) else f'{start} to {end}'}  {text}")


def _moments(view: RunView, found: Evidence) -> Iterator[Moment]:
    """Yield the turns that have a time, then silences, overlaps and the evidence in these turns."""
    turns, tools = view.transcript.turns, view.call.tools
    starts: dict[int, float] = {}
    answers = {answer.turn: answer.seconds for answer in view.timeline.answers}
    for span in (span for lane in view.timeline.lanes for span in lane.spans):
        turn, starts[span.n] = turns[span.n - 1], span.start
        text = f"{_speaker(turn)}, turn {span.n}"
        if turn.speaker == "tool_call":
            end = tools.end_of(turn)
            after = f" after {end.after:,.1f} s" if end.after is not None else ""
            text += f", {end.ending}{after}"
        if (seconds := answers.get(span.n)) is not None:
            text += f", answers after {seconds:,.1f} s"
        yield span.start, span.end, text
    for gap in view.timeline.gaps:
        yield gap.start, gap.end, f"silence, {gap.seconds:,.1f} s, before turn {gap.turn}"
    for both in view.timeline.overlaps:
        yield both.start, both.end, f"overlap, {both.seconds:,.1f} s, turn {both.turn} over turn {both.into}"
    for n, text in _cited_lines(found):
        if n in starts:
            yield starts[n], None, text


def _cited_lines(found: Evidence) -> Iterator[tuple[int, str]]:
    """Yield (number of the turn, text) of each cited turn, and (0, text) of each verdict with missing quotes."""
    from cekura_tui.evidence.evidence import reason_words

    for verdict, findings in found:
        name = f"{clean_line(verdict.name, 80)}, {run_words.STATE_WORDS[verdict.state]}"
        for one in findings.turns:
            yield one.n, f"evidence, turn {one.n}, of {name}: {clean_line(reason_words(one.why, one.sure))}"
        if findings.missing:
            yield 0, f"evidence of {name}: {run_words.missing_words(findings.missing)}"


def _speaker(turn: Turn) -> str:
    """The speaker of a turn; for a tool call, with the tool's name."""
    return f"{run_words.speaker_name(turn)} {clean_line(tool_name(turn), 80)}".rstrip()


def _timeline_json(view: RunView, found: Evidence) -> dict[str, object]:
    timeline, turns, tools = view.timeline, view.transcript.turns, view.call.tools
    spans = sorted((span for lane in timeline.lanes for span in lane.spans), key=lambda span: (span.start, span.n))
    calls = [(turn, tools.end_of(turn)) for turn in turns if turn.speaker == "tool_call"]
    judged = [({"verdict": verdict.name, "state": verdict.state}, findings) for verdict, findings in found]
    return {
        "run": view.row.id,
        "length": timeline.length,
        "note": timeline.note,
        "median_answer": timeline.median,
        "turns": [to_json(span) for span in spans],
        "gaps": [to_json(gap) for gap in timeline.gaps],
        "overlaps": [to_json(overlap) for overlap in timeline.overlaps],
        "answers": [to_json(answer) for answer in timeline.answers],
        "tools": [
            {
                "turn": turn.n,
                "name": str((turn.tool or {}).get("name") or ""),
                "ending": end.ending,
                "result": end.result,
                "seconds": end.after,
            }
            for turn, end in calls
        ],
        "evidence": [
            {"turn": one.n, "start": turns[one.n - 1].start, **verdict, "sure": one.sure, "why": one.why}
            for verdict, findings in judged
            for one in findings.turns
        ],
        "missing_quotes": [verdict | {"quotes": findings.missing} for verdict, findings in judged if findings.missing],
    }
