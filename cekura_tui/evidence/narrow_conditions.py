"""Find conditions in a prompt that are so narrow that they describe the course of a single call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from cekura_tui.evidence.particulars import WEEKDAYS

LEAST = 3
"""Least number of joined conditions that are narrow; two are ordinary."""
_LONGEST, _STARTS = 2_000, 4
"""Most characters of a sentence, and most conditions in a sentence, that are read."""
_SENTENCE = re.compile(r"(?:[^.!?\n]|[.!?](?!['\"”»)*]*(?:\s|$))|(?<=\b[ap]\.m)\.)+")
_QUOTE = re.compile(r"[\"“„«][^\"“”„«»\n]{1,500}[\"”“»]")
_START = re.compile(
    r"\b(?:(?P<nth>(?:on|at|after) the (?:second|third|fourth)(?: \w+(?= that))?)|"
    r"(?P<de>wenn|falls|sobald|nachdem|sofern|[a-zäöüß]+t(?= (?:der|die|das|eine?|er|sie|es|keine?)\b))|"
    r"(?P<es>si|cuando|siempre que|una vez que|después de que|en caso de que)|if|when(?:ever)?|once|after|where|who|"
    r"provided(?: that)?|assuming|as soon as|in case|in the event|unless)\b",
    re.I,
)
_JOINT = re.compile(
    r"(?:[,;]|\s[–—]\s)\s*(?:(?:and|but|(or)|while|und|aber|(oder)|sowie|y|e|pero|(o|u))\s)?"
    r"|\s(?:and|but|(or)|while|after|before|und|aber|(oder)|sowie|während|y|pero|(o)|mientras)\s",
    re.I,
)
_EXACT = (
    re.compile(r"\b(?:twice|(?:second|third|fourth) time|zum (?:zweiten|dritten) mal|segunda vez)\b", re.I),
    re.compile(rf"\b(?:o'clock|[ap]m|uhr|{'|'.join(WEEKDAYS)})\b", re.I),
)
"""How often or when something happens in the call: each counts as half a condition."""
_WORDS = """
and but also already still now again only both just later finally immediately afterwards then if when that who which
after while therefore even yet subsequently und auch schon noch wieder bereits zudem dann y ya también además luego
después que se le les lo la me no
|
because although since so unless dass ob weil damit um porque aunque
|
the a an his her their its our my your none any it he she they there this these those one neither nobody someone
somebody another each every all some two three whose el los las un una su sus
|
is are was were has have had does did will would can cannot could must isn't aren't wasn't hasn't haven't doesn't didn't
won't can't wouldn't couldn't went came said got gave took lost paid bought left sent found felt made kept heard saw
knew thought brought broke forgot spoke bit ate ran drove flew fell met sold stole threw wrote began chose meant held
es está están ha han tiene quiere dice pide hay fue son llama
|
ask offer say tell explain confirm check call use give book transfer repeat apologise apologize wait send skip read list
name note record log stop escalate proceed continue end do don't never always please first quote state mention respond
reply answer thank acknowledge verify look open create set keep move make let get grant waive treat advise recommend
suggest provide connect hand pass refer withdraw accept refund reassure inform remind issue dispatch cancel refuse
decline deny avoid switch slow speak politely directly so ofrece ofrezca explica explique confirma confirme deriva
derive pasa pase transfiere transfiera propón propone bloquea repite repita responde responda contesta consulta consulte
busca busque avisa avise informa informe indica indique verifica comprueba abre registra usa utiliza recuerda recuérdale
pregunte pida diga
"""
_FILLERS, _ASIDE, _SUBJECTS, _FINITE, _IMPERATIVES = (frozenset(words.split()) for words in _WORDS.split("|"))
"""Words that join conditions, that begin another subordinate clause, and that begin the subject of a clause; frequent
finite verbs without a common ending; and words that begin what the agent should do."""
_MAIN = re.compile(r"(?:you|we|the (?:agent|assistant|call|bot)) (?:must|should|shall|may|can|will)\b")
_GERMAN_MAIN = re.compile(r"so |(?!(?:eine|keine|seine|ihre|meine|diese|jede|alle|ohne) )[a-zäöü]{3,}e |\w+en sie ")
_GERMAN_CLAUSE = re.compile(
    r"\w+t .*|.* [a-zäöüß]*(?:t|en|war|kam|ging|nahm|rief|blieb|gab|lag|will|kann|muss|soll|darf|wird|wurde|sind)"
)
_PAST = ("ed", "ió", "ía")
_LEAD = re.compile(r"\b(?:if|when|only|provided|(?P<de>wenn|falls|sofern)|si|cuando)\b.*:\W*$", re.I)
_ITEM = re.compile(r"\s*(?:[-*•]|\d+[.)]) ")


def narrow_conditions(text: str) -> Iterator[tuple[int, int, int]]:
    """The start and end of each narrow condition, and the number of conditions that are joined or listed in it."""
    text = _QUOTE.sub(lambda quote: f"«{'.' * (len(quote[0]) - 2)}»", text)
    at, lead, number, is_german = 0, -1, 0, False
    for line in (*text.splitlines(keepends=True), ""):
        words = _words(line[item.end() :]) if (item := _ITEM.match(line)) else []
        is_item = _is_clause(words, is_german, False) and not _is_main(words, is_german)
        if lead >= 0 and number >= LEAST and not is_item:
            yield lead, at, number
        if line.rstrip("* \n")[-1:] == ":" and (found := _LEAD.search(line)):
            lead, is_german = at, bool(found["de"])
        elif not is_item:
            lead = -1
        at, number = at + len(line), number + 1 if is_item else 0
    for sentence in _SENTENCE.finditer(text):
        for start in islice(_START.finditer(sentence[0][:_LONGEST]), _STARTS):
            end, number = _joined(sentence[0][:_LONGEST], start)
            if number >= LEAST:
                yield sentence.start() + start.start(), sentence.start() + end, number
                break


def _joined(sentence: str, start: re.Match[str]) -> tuple[int, int]:
    """The end of the condition that begins at `start`, and the number of conditions joined in it."""
    is_german, at = bool(start["de"]), start.start() if start["de"] and start[0][-1] == "t" else start.end()
    joints = list(islice(_JOINT.finditer(sentence, at), 40))
    either = [any(joint.groups()) for joint in joints]
    for n in range(len(joints) - 2, -1, -1):  # in "a, b or c", the comma is an "or", too
        either[n] = either[n] or (either[n + 1] and joints[n][0].strip() in ",;")
    spans = zip([at, *(one.end() for one in joints)], [*(one.start() for one in joints), len(sentence)], strict=True)
    number, end, steps, is_clause = 0, at, 1.5 * bool(start["nth"]), False
    for (begin, after), is_other in zip(spans, [False, *either], strict=True):
        words, is_then = _words(sentence[begin:after]), sentence.startswith("then ", begin)
        is_aside = number > 0 and sentence[begin - 2 : begin] == ", " and len(words) > 2 and words[0] not in _SUBJECTS
        is_main = _is_main(words, is_german)
        is_clause = not is_main and _is_clause(words, is_german, bool(start["es"]))
        if is_main or (is_aside and not is_clause and not is_german):
            break
        number += is_clause and not is_other
        steps += (0.5 if is_clause else 1) * is_then + 0.5 * sum(
            bool(exact.search(sentence, begin, after)) for exact in _EXACT
        )
        end = after if is_clause or not number else end
    # A last clause after a comma is no condition if no other main clause is there.
    return end, int(number + steps) - (is_clause and not re.search(r"\w", sentence[: start.start()]))


def _words(part: str) -> list[str]:
    return [word for word in re.findall(r"[\w']+", part.casefold().replace("’", "'")) if word not in _FILLERS]


def _is_main(words: Sequence[str], is_german: bool) -> bool:
    """Whether a part of a sentence says what to do."""
    text = f"{' '.join(words)} "
    return bool(_GERMAN_MAIN.match(text) if is_german else _IMPERATIVES & {*words[:1]} or _MAIN.match(text))


def _is_clause(words: Sequence[str], is_german: bool, is_spanish: bool) -> bool:
    if len(words) < 2 or words[0] in _ASIDE:
        return False
    if is_german:
        return bool(_GERMAN_CLAUSE.fullmatch(" ".join(words)))
    if words[0] in _SUBJECTS:
        return not _FINITE.isdisjoint(words) or any(map(_looks_finite, words[1:-1])) or words[-1].endswith(_PAST)
    return (
        not _FINITE.isdisjoint(words[:4]) or any(map(_looks_finite, words[:2])) or (is_spanish and words[0][-1] in "ae")
    )


def _looks_finite(word: str) -> bool:
    return len(word) > 3 and (word.endswith(_PAST) or (word[-1] == "s" and word[-2:] not in ("ss", "us")))
