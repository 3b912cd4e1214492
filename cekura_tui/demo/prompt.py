"""A prompt seen as sections, and additions to it that leave every other character as it came."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_HEADING = re.compile(r"^(#{1,6})[ \t]+([^\r\n]*?)[ \t#]*$|^([A-Z][^\r\n.!?:]{2,60}):[ \t]*$", re.MULTILINE)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
_BULLET = re.compile(r"([ \t]*)(?:([-*•])|(\d{1,3})([.)]))([ \t]+)\S")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what is below it, as offsets into the prompt; text before the first heading has no title."""

    title: str
    body: int
    end: int


class Prompt:
    """Finds the place for a sentence in a prompt, and writes it there in the prompt's own manner."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n" if "\n" in text or "\r" not in text else "\r"
        # `$` in a regular expression does not stop before a carriage return, so that is looked for in its place.
        marks = list(_HEADING.finditer(text.replace("\r", "\n")))
        self.marked = any(match.group(1) for match in marks)
        ends = [match.start() for match in marks[1:]] + [len(text)]
        self.sections = (
            [
                Section((match.group(2) or match.group(3) or "").strip(), match.end(), end)
                for match, end in zip(marks, ends, strict=True)
            ]
            if marks
            else []
        )

    def section_at(self, offset: int) -> Section:
        """The section that an offset lies in."""
        inside = [section for section in self.sections if section.body <= offset < section.end]
        return inside[0] if inside else Section("", 0, len(self.text))

    def section_about(self, title: str, words: Iterable[str]) -> Section | None:
        """The section of that title, else the one whose heading has the most of the words, else None."""
        for section in self.sections:
            if section.title.casefold() == title.casefold():
                return section
        lowered = [word.casefold() for word in words]
        scored = [(sum(word in section.title.casefold() for word in lowered), section) for section in self.sections]
        best = max(scored, key=lambda pair: pair[0], default=(0, None))
        return best[1] if best[0] else None

    def with_sentence(self, section: Section, sentence: str) -> str:
        """The prompt with a sentence at the end of a section: a new point of its list, or the end of its text."""
        body = self.text[section.body : section.end]
        kept = body.rstrip(" \t\r\n")
        offset = section.body + len(kept)
        if not kept.strip():
            addition = self.newline + self.newline + sentence if section.title else sentence
        elif (bullet := self._bullet(kept)) is not None:
            addition = self.newline + bullet + sentence
        else:
            addition = " " + sentence
        return self.text[:offset] + addition + self.text[offset:]

    def with_section(self, title: str, sentence: str) -> str:
        """The prompt with a new section at its end."""
        heading = f"## {title}" if self.marked or not self.sections else f"{title}:"
        ending = "" if not self.text else self.newline if self.text.endswith(("\n", "\r")) else self.newline * 2
        return self.text + ending + heading + self.newline * (2 if self.marked else 1) + sentence + self.newline

    def _bullet(self, kept: str) -> str | None:
        """The mark of the next point, if the last line of a section is a point of a list."""
        last = re.split(r"\r\n|\r|\n", kept)[-1]
        match = _BULLET.match(last)
        if match is None:
            return None
        indent, mark, number, stop, space = match.groups()
        return f"{indent}{mark or str(int(number) + 1) + stop}{space}"
