"""Find sentences in a prompt that fit one call only: the caller's, even if some words are replaced, and conditions that
join so many circumstances that they may describe the course of the call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import accumulate, pairwise

from cekura_tui.evidence.particulars import MONTHS, WEEKDAYS
from cekura_tui.evidence.spoken_words import STOP_WORDS, Word, root, words_of

_QUOTED, _PLAIN = 3, 6
"""Least number of words in common with a turn: in quotation marks or a line of dialogue, and elsewhere."""
_RARE, _LONG = 2, 6
"""Each rare word beyond _RARE replaces a word in common. A quote with _LONG words in common needs no rare word."""
_DENSE = 0.55
"""Least share of words in common, of all words between the first and the last of them."""
_MOST_PLACES, _MOST_PAIRS = 8, 40
"""The words around a word that the caller says more often are not compared; and so many words are compared."""
_STEPS = sorted(((i, j) for i in range(1, 6) for j in range(1, 6)), key=lambda step: (max(step), sum(step)))
"""How far the next word in common may be, in the prompt and in the turn, nearest first."""
_BREAK = re.compile(r"[.!?;\n\"“”„«»|→]|[:–—]\s|(?<!\w)['’]|['’](?!\w)")
_QUOTES = re.compile(
    r"(?<!\w)[\"“„«‘'](.{8,500}?)[\"”“»’'](?!\w)|^\W*(?:caller|customer|user|client|patient|guest|member|human|agent|"
    r"assistant|bot|you|anrufer(?:in)?|kund(?:e|in)|nutzer|assistent|agente|usuari[oa]|client[ea]|asistente|[ACQU])"
    r"\W{0,3}[:–—-]\W(.{8,2000})",
    re.I | re.M,
)
"""Quotes, and lines of a dialogue, which begin with a speaker."""
_EVERYDAY_WORDS = """
able address afternoon appointment available back bad book booking cancel card change check date day days delivery email
evening hear hello help hour job later line long look mail minute missing money month morning move name new night number
office old order password pay payment people person phone place problem question real refund service sorry speak start
stop sure talk thank thanks think today tomorrow try understand wait week weekend whole work year yes yesterday morgen
heute gestern termin frage hilfe danke bitte gern guten tag hallo nummer rechnung adresse woche monat jahr uhr brauche
mochte kann habe haben geht gibt sprechen hola buenos buenas gracias quiero quisiera necesito puede tiene cita pregunta
ayuda nombre numero factura pedido semana mes hora cambiar cancelar pagar hacer voy estoy manana hoy ayer
"""
_EVERYDAY_FORMS = {*_EVERYDAY_WORDS.split(), *MONTHS, *WEEKDAYS}
EVERYDAY = STOP_WORDS | _EVERYDAY_FORMS | {root(word) for word in _EVERYDAY_FORMS}


def clones(
    text: str, spoken: Sequence[tuple[str, int]], places_of: Mapping[str, Sequence[int]], known: Set[str]
) -> Iterator[tuple[int, int, int]]:
    """The start and end of each phrase of a text that copies a turn, and the turn. `spoken` has the caller's words with
    their turns, `places_of` the indexes of each word. Rare words are neither everyday nor have a `known` root."""
    words = words_of(text)
    usual = EVERYDAY | known
    quotes = [hit.span(hit.lastindex or 0) for hit in _QUOTES.finditer(text)]
    breaks = (bool(_BREAK.search(text, one.end, other.start)) for one, other in pairwise(words))
    pieces = list(accumulate(breaks, initial=0))
    done = -1
    for n, word in enumerate(words):
        places = places_of.get(word.form, ()) if n > done and len(word.form) > 2 else ()
        for place in places if len(places) <= _MOST_PLACES else ():
            before, after = (_common(words, pieces, n, spoken, place, way) for way in (-1, 1))
            common = [*reversed(before), (n, place), *after]
            (first, begin), (last, end) = common[0], common[-1]
            forms = [form for k, _ in common if (form := words[k].form).isalpha() and form not in MONTHS]
            rare = len({form for form in forms if len(form) > 2 and {form, root(form)}.isdisjoint(usual)})
            number = len(forms) + max(rare - _RARE, 0)
            if any(start <= words[first].start and words[last].end <= stop for start, stop in quotes):
                is_enough = number >= (_QUOTED if rare else _LONG)
            else:
                is_enough = number >= _PLAIN and rare > 1
            if is_enough and len(common) >= _DENSE * max(last - first + 1, end - begin + 1):
                yield words[first].start, words[last].end, spoken[place][1]
                done = last
                break


def _common(
    words: Sequence[Word], pieces: Sequence[int], n: int, spoken: Sequence[tuple[str, int]], place: int, way: int
) -> list[tuple[int, int]]:
    """The pairs of equal words next to the pair (n, place), at most _MOST_PAIRS, in the direction `way` (1 or -1)."""
    piece, turn, found = pieces[n], spoken[place][1], [(n, place)]
    while len(found) <= _MOST_PAIRS:
        steps = ((found[-1][0] + way * i, found[-1][1] + way * j) for i, j in _STEPS)
        inside = (pair for pair in steps if 0 <= pair[0] < len(words) and 0 <= pair[1] < len(spoken))
        equal = (pair for pair in inside if pieces[pair[0]] == piece and spoken[pair[1]] == (words[pair[0]].form, turn))
        if (pair := next(equal, None)) is None:
            break
        found.append(pair)
    return found[1:]


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
