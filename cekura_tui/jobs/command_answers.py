"""Read the answer of a command that improves a prompt: a better prompt, no changes, or something else."""

from __future__ import annotations

import re

from cekura_tui.model.job_kind import Progress
from cekura_tui.model.text import Prompt
from cekura_tui.prose.wrapper import wrapper_of

_SUMMARY = re.compile(
    r"(?im)^[ \t>]*(?:-{2,}|[–—]+)[ \t]*summary(?: of (?:the )?changes)?[ \t]*(?:[-–—]*|:(.*?))[ \t\r]*$\n?"
)
_CLOSING_FENCE = re.compile(r"(?:`{3,}|~{3,})\s*\Z")
_REFUSAL = re.compile(
    r"(?i)\W*(?:(?:i['’]m|i am) (?:very |so |really )?(?:sorry|unable|afraid|not able)|sorry|(?:my )?apologies|"
    r"i apologi[sz]e|i (?:can['’]?t|cannot|can not|won['’]t|don['’]t (?:have|see)|do not (?:have|see))|as an ai\b|"
    r"unfortunately|(?:please|could you(?: please)?) (?:provide|share|paste|send)|error:|(?:es )?tut mir leid|leider|"
    r"lo (?:siento|lamento)|lamentablemente|(?:je suis )?désolée?|je ne peux|malheureusement|mi dispiace|purtroppo|"
    r"desculpe|sinto muito|infelizmente)"
)
_MARKED = re.compile(r"(?ms)^<<<PROMPT (\w+)\n(.*?)\nPROMPT \1>>>[^\n]*")
"""Matches a prompt between the marks of the text that the command has read."""
_LONGEST_REFUSAL = 1_500


def read_answer(output: bytes, sent: Prompt, subject: str = "The command") -> Progress:
    """Read what `subject` wrote: the whole prompt, and perhaps a line `--- summary` with a summary below. The prompt is
    kept as written, but ends with as many line breaks as the `sent` prompt."""
    try:
        text = output.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        return Progress("failed", "ended", error=f"{subject} wrote something that is not text in UTF-8.")
    if (marked := _MARKED.search(text)) and not _MARKED.search(sent):
        rest = text[marked.end() :].lstrip("\n")
        text = f"{marked[2]}\n{rest if _SUMMARY.match(rest) else ''}"
    marks, summary = list(_SUMMARY.finditer(text)), None
    last = sent.strip().rpartition("\n")[2]  # a line in the middle of the prompt does not begin the summary
    if len(marks) > len(_SUMMARY.findall(sent)) and last not in text[marks[-1].end() :].splitlines():
        summary = _CLOSING_FENCE.sub("", f"{marks[-1][1] or ''}\n{text[marks[-1].end() :]}").strip() or None
        text = text[: marks[-1].start()]
    text = text if sent.startswith("\ufeff") else text.removeprefix("\ufeff")
    prompt = Prompt(text.rstrip("\r\n") + sent[len(sent.rstrip("\r\n")) :])
    inner = wrapper_of(sent, prompt).inner
    whole, bare, before = (one.replace("\r\n", "\n").strip() for one in (prompt, inner, sent))
    error = None
    if before in (whole, bare):
        same = "proposed no changes" if subject == "The command" else "has the same prompt"
        return Progress("no_issues", "ended", None, summary, f"{subject} {same}. {summary or ''}".strip())
    if not bare:
        error = f"{subject} wrote no prompt."
    elif _REFUSAL.match(bare) and len(bare) < max(_LONGEST_REFUSAL, len(before) // 2) and not _REFUSAL.match(before):
        error = f"{subject} wrote an apology, a question or an error instead of a prompt."
    elif 10 * len(bare) < len(before):
        error = f"{subject} wrote too little: {len(bare):,} characters, and the old prompt has {len(before):,}."
    return Progress("failed" if error else "succeeded", "ended", None if error else prompt, summary, error)
