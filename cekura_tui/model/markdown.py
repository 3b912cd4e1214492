"""Foreign text in Markdown: it stays text, whatever it begins with or holds."""

from __future__ import annotations

import re

from cekura_tui.model.text import clean

_SIGNS = re.compile(r"([\\`*_{}\[\]<>#|~!&$])")
_LINE_STARTS = re.compile(r"^( *)(?:([-+=])|(\d{1,9})([.)](?= |$)))", re.MULTILINE)
"""A list, a rule, or what makes a headline of the line above."""
_INDENT = re.compile(r"^ +", re.MULTILINE)
_TICKS = re.compile("`+")


def escaped(text: str) -> str:
    """Text as Markdown that is read as this text, cleaned; line ends stay line ends of the source."""
    text = _LINE_STARTS.sub(_escaped_start, _SIGNS.sub(r"\\\1", clean(text)))
    return _INDENT.sub(lambda found: "&nbsp;" * len(found[0]) if len(found[0]) > 3 else found[0], text)


def paragraph(text: str) -> str:
    """The same where a line end is to be seen as one."""
    return escaped(text).replace("\n", "  \n")


def fenced(text: str, language: str = "") -> str:
    """Text as it is, between fences that are longer than any run of backticks in it."""
    fence = "`" * max(3, 1 + max((len(ticks) for ticks in _TICKS.findall(text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def _escaped_start(found: re.Match[str]) -> str:
    indent, sign, number, end = found.groups()
    return f"{indent}\\{sign}" if sign else f"{indent}{number}\\{end}"
