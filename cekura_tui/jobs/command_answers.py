"""Read the answer of a command that improves a prompt: a better prompt, a summary of the changes, or neither."""

from __future__ import annotations

import re
from typing import NamedTuple

from cekura_tui.model.job_kind import End
from cekura_tui.model.text import Prompt, count
from cekura_tui.prose.wrapper import wrapper_of

_SUMMARY = re.compile(
    r"(?im)^[ \t>]*(?:-{2,}|[–—]+)[ \t]*summary(?: of (?:the )?changes)?[ \t]*(?:[-–—]*|:(?P<first>.*?))[ \t\r]*$\n?"
)
_CLOSING_FENCE = re.compile(r"\n?[^\S\n]*(?:`{3,}|~{3,})\s*\Z")
_REFUSAL = re.compile(
    r"(?i)\W*(?:(?:i['’]m|i am) (?:very |so |really )?(?:sorry|unable|afraid|not able)|sorry|(?:my )?apologies|"
    r"i apologi[sz]e|i (?:can['’]?t|cannot|can not|won['’]t|don['’]t (?:have|see)|do not (?:have|see))|as an ai\b|"
    r"unfortunately|please (?:provide|share|paste|send)|could you (?:please )?(?:provide|share|paste|send)|error:|"
    r"es tut mir leid|tut mir leid|leider|lo siento|lo lamento|(?:je suis )?désolée?|je ne peux|mi dispiace|"
    r"desculpe|sinto muito|infelizmente|malheureusement|purtroppo|lamentablemente)"
)
_MOST_REFUSED = 1_500
"""Characters over which an answer that begins like a refusal counts as a prompt."""


class Answer(NamedTuple):
    """How a command's answer ends its job. `prompt` is set if the job succeeded; `error` says why there is none."""

    end: End
    prompt: Prompt | None = None
    summary: str | None = None
    error: str | None = None


def read_answer(output: bytes, sent: Prompt, subject: str = "The command") -> Answer:
    """Read what `subject` wrote: the whole prompt, and perhaps a line `--- summary` with a summary below. The prompt is
    kept as written, except that its last line ends as the last line of the `sent` prompt does."""
    try:
        text = output.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return Answer("failed", error=f"{subject} did not write text in UTF-8.")
    if "\0" in text:
        return Answer("failed", error=f"{subject} wrote NUL bytes, not a text.")
    if not text.strip():
        return Answer("failed", error=f"{subject} wrote nothing.")
    prompt, summary = _split(text, sent)
    prompt = prompt if sent.startswith("\ufeff") else prompt.removeprefix("\ufeff")
    prompt = prompt.rstrip("\r\n") + sent[len(sent.rstrip("\r\n")) :]
    bare, before = (_bare(one) for one in (wrapper_of(sent, prompt).inner, sent))
    if not bare:
        return Answer("failed", summary=summary, error=f"{subject} wrote a summary but no prompt.")
    if before in (bare, _bare(prompt)):
        return Answer("no_issues", summary=summary, error=f"{subject} proposed no changes.")
    if _REFUSAL.match(bare) and len(bare) < max(_MOST_REFUSED, len(before) // 2) and not _REFUSAL.match(before):
        return Answer("failed", summary=summary, error=f"{subject} wrote an apology or a refusal, not a prompt.")
    if 10 * len(bare) < len(before):
        sizes = f"{count(len(bare), 'character')}, and the prompt has {len(before):,}"
        return Answer("failed", summary=summary, error=f"The answer is too short to be the whole prompt: {sizes}.")
    return Answer("succeeded", Prompt(prompt), summary)


def _split(text: str, sent: Prompt) -> tuple[str, str | None]:
    """The prompt and the summary in an answer. Lines that mark a summary in the sent prompt stay in the prompt."""
    marks = list(_SUMMARY.finditer(text))
    if len(marks) <= len(_SUMMARY.findall(sent)):
        return text, None
    mark = marks[-1]
    summary = f"{mark['first'] or ''}\n{text[mark.end() :]}".strip()
    return text[: mark.start()], _CLOSING_FENCE.sub("", summary).strip() or None


def _bare(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
