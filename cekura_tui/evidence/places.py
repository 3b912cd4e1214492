"""Find turns by their place in the call: "its third response", "the caller's last turn", "in the opening"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cekura_tui.evidence.mentions import AGENT, CALLER, NOT, RULE, clauses_of
from cekura_tui.model.transcript.transcript import TOOLS, Turn

_NAMED = f"(?:{AGENT.pattern}|{CALLER.pattern})"
_SPEAKER = re.compile(f"(?P<main>{AGENT.pattern})|(?P<testing>{CALLER.pattern})", re.I)
_CALLER_ACTS = re.compile(
    rf"(?:^|,)\W*(?:the |der |die |el |la |le |l['’])?{CALLER.pattern}(?!['’]| (?:is|was|wird|wurde)\b)", re.I
)
_ORDINALS = (
    r"penultimate|(?:second|next)[-\s]to[-\s]last|vorletzt|penúltim|avant-derni;last|final|letzt|últim|derni;first|"
    r"(?:aller)?erst|primer|premi;second|zweit|segund|deuxi;third|dritt|tercer|troisi;fourth|viert|cuart|quatri"
)
"""Stems of "penultimate", "last", "first", "second" and so on; the stems at index k mean the turn at index k - 2."""
_NTH = re.compile(
    rf"(?<!\ba )(?:\bthe\s)?(?:\b(?:(?P<owner>its|his|her|their|su|seine\w?|ihre\w?|sa|{_NAMED}(?=['’]))|"
    rf"(?P<other>\w+(?=['’])))(?:['’]s?)?\s(?:very\s)?)?\b(?P<nth>\d\d?(?=st|nd|rd|th)|{_ORDINALS.replace(';', '|')})"
    r"(?!ly)\w{0,4}\s(?:turn|message|line|statement|utterance|äußerung|aussage|nachricht|turno|mensaje|intervención|"
    r"réplique|intervention|(?P<question>question|frage|pregunta)|(?P<reply>response|reply|answer|antwort|erwiderung|"
    r"respuesta|contestación|réponse)|"
    rf"thing (?:that )?(?:the )?(?P<by>it|s?he|they|{_NAMED}) (?:says?|said|asks?|asked|tells|told))\b"
    rf"(?! (?:time|rate|left|right|after|before|once|when)\b| to (?:the|this|that|any|his|her) (?!{_NAMED}(?!['’])))"
    r"(?:\s(?:of|by|from|des|der|vom|del?|du)\s?(?:the |l['’]|la )?(?:call|conversation|gesprächs|anrufs|llamada|appel|"
    rf"(?P<who>{_NAMED})(?!['’])|(?P<odd>\w+)))?",
    re.I,
)
_OPENING = re.compile(
    r"\b(?:(?:in (?:the|its|his|her|their)|(?:the|its|(?:agent|assistant)['’]s)"
    r"(?= \w+ (?:line|turn|message|statement))) (?:opening|greeting)\b(?! \w+s\b)|opens (?:the call )?(?:with|by)\b|"
    r"in der begrüßung\b|en el saludo\b|dans l['’]accueil\b)",
    re.I,
)
_CLAUSE = re.compile(r"[;()•–—]|\b(?:but|yet|although|while|whereas|aber|pero|mais)\b")
_CONTEXT = 400  # characters before or after a place that are searched for the speaker
Places = Mapping[tuple[str, str], Sequence[int]]


def places_of(turns: Sequence[Turn]) -> Places:
    """The indexes of all turns, questions and replies, by speaker ("" for any) and kind ("", "question" or "reply"). A
    reply is one of the turns after the first turn of the other speaker."""
    talk = [index for index, turn in enumerate(turns) if turn.speaker not in TOOLS]
    by = {who: [index for index in talk if who in ("", turns[index].speaker)] for who in ("", "main", "testing")}
    first = {who: next(iter(by["testing" if who == "main" else "main"]), len(turns)) for who in by}
    asked = {(who, "question"): [index for index in of if "?" in turns[index].text] for who, of in by.items()}
    replies = {(who, "reply"): [index for index in of if index > first[who]] for who, of in by.items()}
    return {**{(who, ""): of for who, of in by.items()}, **asked, **replies}


def places_in(places: Places, text: str, cited: Iterable[int]) -> Iterator[tuple[int, str, str, bool]]:
    """Yield (index of the turn, words, name, whether it is exact) of each place that a sentence names. A clause about
    a rule, or with an offset in `cited`, names no place; a negated clause names no opening."""
    for start, end in clauses_of(text, _CLAUSE):
        clause = text[start:end]
        if RULE.search(clause) or any(start <= at < end for at in cited):
            continue
        for hit in _NTH.finditer(clause):
            if (index := _nth(places, hit, text[: start + hit.start()])) is not None:
                exact = bool(hit["owner"] or hit["who"] or not hit["reply"])
                yield index, hit[0], hit[0][0].lower() + hit[0][1:], exact
        for hit in () if NOT.search(clause) else _OPENING.finditer(clause):
            left, right = max(hit.start() - _CONTEXT, 0), hit.end() + _CONTEXT
            caller = _CALLER_ACTS.search(f"{clause[left : hit.start()]},{clause[hit.end() : right]}")
            yield from ((at, hit[0], "the opening", False) for at in places["testing" if caller else "main", ""][:1])


def _nth(places: Places, hit: re.Match[str], before: str) -> int | None:
    """The index of the turn that a match of _NTH means; None if there is none."""
    name = (hit["who"] or hit["by"] or hit["owner"] or "").lower()
    if hit["other"] or hit["odd"] or (hit["question"] and not name):
        return None
    last = [] if name in ("", "it", "its") else [*_SPEAKER.finditer(f"{before[-_CONTEXT:]} {name}")][-1:]
    caller = name in ("he", "she", "they", "his", "her", "their")
    who = last[0].lastgroup if last else "testing" if caller else "main" if name or hit["reply"] else ""
    spoken = places[who or "", "question" if hit["question"] else "reply" if hit["reply"] else ""]
    nth, stems = hit["nth"], _ORDINALS.split(";")
    at = int(nth) - 1 if nth.isdigit() else next(k - 2 for k, one in enumerate(stems) if re.match(one, nth, re.I))
    return spoken[at] if -len(spoken) <= at < len(spoken) else None
