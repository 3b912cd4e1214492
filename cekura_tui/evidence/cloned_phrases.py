"""Find sentences of the caller that a prompt copies, even if some of their words are replaced."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from cekura_tui.evidence.particulars import MONTHS, WEEKDAYS
from cekura_tui.evidence.spoken_words import STOP_WORDS, Word, root

_QUOTED, _PLAIN = 4, 6
"""Least number of words in common with a turn: in quotation marks or a line of dialogue, and elsewhere."""
_RARE, _LONG = 3, 7
"""With this many rare words, one word less in common is enough. A quote with as many words as _LONG in common needs no
rare word."""
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
able account address afternoon anymore app appointment available back bad bill book booking broken busy cancel card
change check code contact date day days delivery details email english evening fine guy happy hear hello help hour hours
human issue job later line little live long look looking lost mail manager matter mean message minute minutes missing
moment money month more morning move name new nice night number office okay old online order password pay payment people
person phone place pm problem question real really reason refund schedule service sorry speak start stop supervisor sure
talk team thank thanks thing think thought today tomorrow tonight trouble try trying understand wait waiting website
week weekend whole work working wrong year years yes yesterday morgen heute gestern termin frage hilfe danke bitte gern
gerne guten tag hallo nummer rechnung bestellung adresse telefon woche monat jahr uhr brauche brauchen mochte kann
konnen habe haben geht gibt sprechen mensch mitarbeiter andern stornieren absagen bezahlen hola buenos dias buenas
tardes gracias quiero quisiera queria necesito puedo puede podria tengo tiene cita pregunta problema ayuda nombre numero
factura pedido direccion telefono semana mes ano hora horas hablar persona cambiar cancelar pagar hacer voy estoy manana
hoy ayer
"""
_EVERYDAY_FORMS = {*_EVERYDAY_WORDS.split(), *MONTHS, *WEEKDAYS}
EVERYDAY = STOP_WORDS | _EVERYDAY_FORMS | {root(word) for word in _EVERYDAY_FORMS}


@dataclass
class SpokenWords:
    """The words of the caller's turns, each with the index of its turn; `places` has the indexes of each word."""

    words: list[tuple[str, int]] = field(default_factory=list)
    places: dict[str, list[int]] = field(default_factory=dict)

    def add(self, words: Sequence[Word], turn: int) -> None:
        for word in words:
            self.places.setdefault(word.form, []).append(len(self.words))
            self.words.append((word.form, turn))


def clones(text: str, words: Sequence[Word], spoken: SpokenWords, known: Set[str]) -> Iterator[tuple[int, int, int]]:
    """The start and end of each phrase of a text with `words` that copies a turn, and the turn. Rare words are
    neither everyday nor have a `known` root."""
    usual = EVERYDAY | known
    quotes = [hit.span(hit.lastindex or 0) for hit in _QUOTES.finditer(text)]
    breaks = (bool(_BREAK.search(text, one.end, other.start)) for one, other in pairwise(words))
    pieces = list(accumulate(breaks, initial=0))
    done = -1
    for n, word in enumerate(words):
        is_compared = n > done and len(word.form) > 2
        places = spoken.places.get(word.form, ()) if is_compared else ()
        for place in places if len(places) <= _MOST_PLACES else ():
            before, after = (_common(words, pieces, n, spoken.words, place, way) for way in (-1, 1))
            common = [*reversed(before), (n, place), *after]
            (first, begin), (last, end) = common[0], common[-1]
            forms = [form for k, _ in common if (form := words[k].form).isalpha() and form not in MONTHS]
            rare = len({form for form in forms if len(form) > 2 and {form, root(form)}.isdisjoint(usual)})
            number = len(forms) + (rare >= _RARE)
            if any(start <= words[first].start and words[last].end <= stop for start, stop in quotes):
                is_enough = number >= (_QUOTED if rare else _LONG)
            else:
                is_enough = number >= _PLAIN and rare > 1
            if is_enough and len(common) >= _DENSE * max(last - first + 1, end - begin + 1):
                yield words[first].start, words[last].end, spoken.words[place][1]
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
