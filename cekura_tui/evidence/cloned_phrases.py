"""Find sentences of the caller that a prompt copies, even if some of their words are replaced."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from cekura_tui.evidence.particulars import MONTHS, WEEKDAYS
from cekura_tui.evidence.spoken_words import STOP_WORDS, Word, root

_QUOTED, _PLAIN = 5, 7
"""Least number of words in common with a turn: in quotation marks or a line of dialogue, and elsewhere."""
_RARE = 3
"""With this many words that are neither everyday nor of the house, one word less in common is enough."""
_DENSE = 0.65
"""Least share of words in common, of all words between the first and the last of them."""
_MOST_PLACES = 8
"""The words around a word that the caller says more often are not compared."""
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
able account address afternoon anymore appointment back bad bill book booking cancel change check contact date day days
details email english evening fine guy happy hear hello help hour hours human issue job later line little live long look
looking mail manager matter mean minute minutes moment month more morning move name new nice night number office okay
old order pay payment people person phone place pm problem question real really reason schedule sorry speak start stop
supervisor sure talk team thank thanks thing think thought today tomorrow tonight trouble try trying understand wait
waiting week weekend whole work working year years yes yesterday morgen heute gestern termin frage problem hilfe danke
bitte gern gerne guten tag hallo name nummer rechnung bestellung adresse telefon woche monat jahr uhr brauche brauchen
mochte kann konnen habe haben geht gibt sprechen mensch mitarbeiter andern stornieren absagen bezahlen hola buenos dias
buenas tardes gracias quiero quisiera queria necesito puedo puede podria tengo tiene cita pregunta problema ayuda nombre
numero factura pedido direccion telefono semana mes ano hora horas hablar persona cambiar cancelar pagar hacer voy estoy
manana hoy ayer
"""
_EVERYDAY_FORMS = {*_EVERYDAY_WORDS.split(), *MONTHS, *WEEKDAYS}
_EVERYDAY = STOP_WORDS | _EVERYDAY_FORMS | {root(word) for word in _EVERYDAY_FORMS}


@dataclass
class SpokenWords:
    """The words of the caller's turns, each with the index of its turn; `places` has the indexes of each word."""

    words: list[tuple[str, int]] = field(default_factory=list)
    places: dict[str, list[int]] = field(default_factory=dict)

    def add(self, words: Sequence[Word], turn: int) -> None:
        for word in words:
            self.places.setdefault(word.form, []).append(len(self.words))
            self.words.append((word.form, turn))


def clones(
    text: str, words: Sequence[Word], spoken: SpokenWords, known: Collection[str]
) -> Iterator[tuple[int, int, int]]:
    """The start and end of each phrase of a text with `words` that copies a turn, and the turn. A phrase has a rare
    word, which is neither everyday nor has a `known` root."""
    quotes = [hit.span(hit.lastindex or 0) for hit in _QUOTES.finditer(text)]
    breaks = (bool(_BREAK.search(text, one.end, other.start)) for one, other in pairwise(words))
    pieces = list(accumulate(breaks, initial=0))
    rare = [_is_rare(word.form, known) for word in words]
    done = -1
    for n, word in enumerate(words):
        places = spoken.places.get(word.form, ()) if rare[n] and n > done else ()
        for place in places if len(places) <= _MOST_PLACES else ():
            before, after = (_common(words, pieces, n, spoken.words, place, way) for way in (-1, 1))
            common = [*reversed(before), (n, place), *after]
            (first, begin), (last, end) = common[0], common[-1]
            is_quoted = any(start <= words[first].start and words[last].end <= stop for start, stop in quotes)
            own = len({words[k].form for k, _ in common if rare[k]})
            number = sum(words[k].form.isalpha() and words[k].form not in MONTHS for k, _ in common) + (own >= _RARE)
            is_enough = number >= _QUOTED if is_quoted else number >= _PLAIN and own > 1
            if is_enough and len(common) >= _DENSE * max(last - first + 1, end - begin + 1):
                yield words[first].start, words[last].end, spoken.words[place][1]
                done = last
                break


def _is_rare(form: str, known: Collection[str]) -> bool:
    return len(form) > 2 and form.isalpha() and not {form, root(form)} & _EVERYDAY and root(form) not in known


def _common(
    words: Sequence[Word], pieces: Sequence[int], n: int, spoken: Sequence[tuple[str, int]], place: int, way: int
) -> list[tuple[int, int]]:
    """The pairs of equal words next to the pair (n, place), in the direction `way` (1 or -1)."""
    piece, turn, found = pieces[n], spoken[place][1], list[tuple[int, int]]()
    while True:
        for i, j in _STEPS:
            k, m = n + way * i, place + way * j
            if (
                0 <= k < len(words)
                and 0 <= m < len(spoken)
                and pieces[k] == piece
                and spoken[m] == (words[k].form, turn)
            ):
                n, place = k, m
                found.append((n, place))
                break
        else:
            return found
