"""Find conditions in a prompt that join so many circumstances that they may describe the course of a single call."""

from __future__ import annotations

import re
from collections.abc import Iterator

_LEAST = 3
"""Least number of joints in a narrow condition: two conditions, or a short list, are ordinary."""
_SENTENCE = re.compile(
    r"[^\n]{1,500}:\W*\n(?:[ \t]*(?:[-*•]|\d+[.)]) [^\n]*\n?)+|"  # a list with its first line
    r"(?:[^.!?\n]|[.!?](?!['\"”»)*]*(?:\s|$))|(?<=\b[ap]\.m)\.)+"
)
_START = re.compile(
    r"(?i)\b(?:if(?! so\b)|when(?:ever)?|while|once|after|where|who|provided|assuming|as soon as|in case|in the event|"
    r"unless|(?:on|at) the (?:second|third|fourth)|wenn|falls|sobald|nachdem|sofern|si|cuando|siempre que|una vez que|"
    r"después de que|en caso de que)\b(?! \w+ing\b)"
)
_MAIN = re.compile(
    r"(?i)[,:;] (?:then |please |so )?(?:offer|say|tell|explain|confirm|check|call|give|transfer|repeat|apologi[sz]e|"
    r"ask|send|read|note|use|book|do|don't|never|always|stop|escalate|add|state|look|open|waive|grant|skip|make|let|"
    r"advise|recommend|ofre(?:ce|zca)|expli(?:ca|que)|confirm[ae]|pide|pregunta|pasa|envía|busca|biete|fragen?|nenne|sage|"
    r"erkläre|leite|verbinde|notiere|melde|lösche|schicke|bestätige)\b"
)
"""Matches the first word of what the agent should do, after a condition."""
_JOINT = re.compile(
    r"(?i)[,;]|\n[ \t]*(?:[-*•]|\d+[.)]) |\s(?:and|but|while|after|before|or|plus|then|und|aber|sowie|oder|während|y|e|"
    r"pero|mientras|o)(?=\s)"
)


def narrow_conditions(text: str) -> Iterator[tuple[int, int]]:
    """The start and end of each narrow condition, up to the first word of what the agent should do."""
    for sentence in _SENTENCE.finditer(text):
        if start := _START.search(sentence[0]):
            main = None if "\n" in sentence[0] else _MAIN.search(sentence[0], start.end())
            end = main.end() if main else len(sentence[0])
            if len(_JOINT.findall(sentence[0], start.end(), end)) >= _LEAST:
                yield sentence.start() + start.start(), sentence.start() + end
