"""Find turns next to cited turns: "after the caller's objection the agent said “…”" is about two turns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from cekura_tui.evidence.mentions import AGENT, CALLER, RULE, Who, clauses_of
from cekura_tui.model.transcript.transcript import TOOLS, Turn

_CLAUSE = re.compile(
    r"[,;:()\[\]—–•❌✅/]|\s->?\s|→|\b(?:but|yet|and|which|nor|until|while|then|because|although|though|whereas|"
    r"dann|aber|und|pero|y)\b",
    re.I,
)
_SPEAKS = re.compile(
    r"\b(?:(?:accept|affirm|ask|claim|confirm|demand|doubt|explain|mention|need|offer|pick|repeat|report|reveal|suggest|"
    r"thank|want|wonder)(?:s|ed)|(?:protest|question|request)(?:s|ed)?|(?:point|call)(?:s|ed) out|complain(?:s|ed|t)|"
    r"(?:correct|object)(?:s|ed|ion)|insist(?:s|ed|e)|admit(?:s|ted)|agree(?:s|d|ment)|respon(?:ds|ded|se)|"
    r"(?:address|announc|apologi[sz]|brush|challeng|conced|decid|declar|declin|disclos|notic|promis|voic)(?:es|ed)|"
    r"refus(?:es|ed|al)|stat(?:es|ed|ement)|wish(?:es|ed)?|(?:cr|repl)(?:y|ies|ied)|(?:den|quer)(?:ies|ied)|answer(?:s|ed)|"
    r"chooses|chose|goes on|moved? (?:straight )?on|quoted|said|says?|tells|told|went on|"
    r"fragte?|sagte?|bittet|bat|pregunt(?:a|ó)|dice|dijo|pide|pidió)\b",
    re.I,
)
_OF_CALLER = re.compile(
    r"\b(?:objection|protest|complaint|demand|plea|request|Einwand|Korrektur|Nachfrage|correction by the)\b", re.I
)
_REPLIED_TO = re.compile(
    r"\b(?:objection|protest|complaint|plea|Einwand|Korrektur|Nachfrage)\b|"
    r"\b\w+(?:'s|’s|s') (?:correction|question|request|statement|wish|demand|concern|answer|remark|refusal)\b|"
    r"\b(?:ella|él|she|he|they) (?:insist|ask|object|protest|press)\w*",
    re.I,
)
"""Words for a turn that a quote in the same clause replies to: "his protest gets “I see.”", "after the objection …"."""
_EARLIER = re.compile(r"\b(?:had|previous(?:ly)?|just|earlier|already|disregard|despite|although|though)\b", re.I)
_NEGATED = re.compile(
    r"\b(?:never|not|n't|nobody|nothing|failed to|fails to|nie|nicht|kein\w*|nunca)\b(?=.{0,25}$|"
    r"\s+\w+)(?:\s+\w+){0,2}\s+" + _SPEAKS.pattern,
    re.I,
)
_IS_ADDRESSED = re.compile(
    r"\b(?:is|was|were|gets|got|being|been) (?:\w+ )?(?:told|sent|referred|given|offered|asked|answered|informed|"
    r"assured|directed|promised|refused|denied|brushed)\b",
    re.I,
)
_IGNORED = re.compile(
    r"\b(?:ignor(?:ed|ing|es)|overlook(?:s|ed|ing)|unanswered|brushe[sd]|passed over|met with|gets)\b", re.I
)
_WHEN_ASKED = re.compile(
    r"\s*(?:when |being |on being |after being )?(?:asked|questioned|pressed|challenged|confronted|corrected)\b", re.I
)
_ONCE = re.compile(r"\b(?:when|after|once|until|because|although|though|as soon as|als|nachdem|cuando)\b", re.I)
_AGAIN = re.compile(r"\b(?:then|again|later|afterwards|thereupon|next)\b", re.I)
_NOT = re.compile(
    r"\b(?:never|not|n't|no|nobody|without|nothing|failed to|fails to|did not|nie|nicht|kein\w*|nunca)\b", re.I
)
_MOST_SKIPPED = 2
"""Most turns of another speaker between a cited turn and its neighbour."""


def neighbours(
    turns: Sequence[Turn],
    rest: str,
    anchors: Sequence[tuple[int, int]],
    following: int | None,
    leading: int | None,
) -> Iterator[int]:
    """Yield the indexes of turns that a sentence describes and that are next to cited turns. `rest` is the sentence
    with its citations blanked out; `anchors` are (offset, index of the turn) of these citations. A sentence without
    citations continues from `following`, the first turn that the next sentence cites, or, if that is None, from
    `leading`, the last turn that the previous sentence cites."""
    anchors = list(anchors)
    alone = not anchors
    for start, end in clauses_of(rest, _CLAUSE):
        clause = rest[start:end]
        if here := [(at, index) for at, index in anchors if start <= at < end + 3]:
            for index in _in_same_clause(turns, clause, start, here):
                anchors.append((start, index))
                yield index
            continue
        who = speaker_of(clause)
        if not who or _NEGATED.search(clause) or RULE.search(clause):
            continue
        before = [index for _, index in anchors]
        after = [index for at, index in anchors if at >= end]
        if alone and following is not None:
            after = [following]
        elif alone and not before and leading is not None:
            before = [leading]
        lead = rest[max(start - 12, 0) : end]
        earlier = after or _EARLIER.search(lead) or (who == "testing" and _IGNORED.search(lead))
        near = after[0] if after else before[-1] if before else None
        cited = {turns[index].speaker for _, index in anchors}
        if near is None or (who in {*cited, turns[near].speaker} and not _AGAIN.search(clause)):
            continue  # the clause is about the cited turn of this speaker
        if (found := _next_turn_of(turns, near, who, -1 if earlier else 1)) is not None:
            anchors.append((start, found))
            yield found


def _in_same_clause(turns: Sequence[Turn], clause: str, start: int, here: Sequence[tuple[int, int]]) -> Iterator[int]:
    """Yield the indexes of turns that a clause with citations describes. Such a turn is by the opposite speaker, and is
    before the first or after the last cited turn."""
    (at, first), (until, last) = min(here), max(here)
    cited = {index for _, index in here}
    for part, near, step in ((clause[: at - start], first, -1), (clause[until - start :], last, 1)):
        who = speaker_of(part)
        if step < 0:
            who = "testing" if _REPLIED_TO.search(part) or (who == "testing" and _ONCE.search(part)) else ""
        if who and turns[near].speaker != who and turns[near].speaker not in TOOLS and not _NEGATED.search(part):
            index = _next_turn_of(turns, near, who, step)
            if index is not None and index not in cited and not RULE.search(part):
                yield index


def speaker_of(clause: str) -> Who:
    """Who speaks according to a clause; "" if the clause does not say that a caller or agent speaks."""
    caller, agent = CALLER.search(clause), AGENT.search(clause)
    if _WHEN_ASKED.match(clause):
        return "testing"
    if _OF_CALLER.search(clause) and not agent:
        return "testing"
    if _IS_ADDRESSED.search(clause) and not agent:
        return "" if _NOT.search(clause) else "main"
    if not _SPEAKS.search(clause):
        return ""
    if caller and agent:
        return "testing" if caller.start() < agent.start() else "main"
    return "testing" if caller else "main" if agent else ""


def _next_turn_of(turns: Sequence[Turn], index: int, who: Who, step: int) -> int | None:
    """Index of the next turn of speaker `who`: after turn `index` if `step` is 1, before it if `step` is −1. Tool turns
    are ignored. None if more than _MOST_SKIPPED turns of another speaker are in between."""
    way = range(index + 1, len(turns)) if step > 0 else range(index - 1, -1, -1)
    spoken = (at for at in way if turns[at].speaker not in TOOLS)
    return next((at for at in islice(spoken, _MOST_SKIPPED + 1) if turns[at].speaker == who), None)
