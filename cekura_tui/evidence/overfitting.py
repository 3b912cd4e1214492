"""Find facts of a single call, such as the caller's name or a date, that a hunk adds to a prompt."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, starmap
from typing import NamedTuple

from cekura_tui.evidence.call_sentences import EVERYDAY, clones, narrow_conditions
from cekura_tui.evidence.particulars import MONTHS, SPOKEN_EMAIL, UNITS, WEEKDAYS, Particular, is_number, particulars
from cekura_tui.evidence.spoken_words import STOP_WORDS, Word, content_words, root, words_of
from cekura_tui.model.run.view import RunView
from cekura_tui.model.text import clean_line
from cekura_tui.model.transcript.timeline import clock, needs_hours
from cekura_tui.model.transcript.transcript import Turn
from cekura_tui.prose.diff import ProseDiff

MOST = 6
"""Most facts reported for a hunk."""
_MOST_ADDED = 100_000
"""Most characters of added text that are searched in a suggestion."""
_MOST_READ = 200_000
"""Most characters of a call that are read. Of a single turn, at most 20,000 characters are read."""
_ROOT = 7
"""Most letters of roots that are compared, for inflected words such as "Lastenrad" and "Lastenrädern"."""
_PRIVATE_WORDS = """
parent mother father mom dad wife husband girlfriend boyfriend son daughter child children kid baby twin sister brother
grandma grandpa grandmother grandfather aunt uncle nephew niece neighbour boss wedding anniversary birthday graduation
funeral surgery operation divorce pregnancy eltern mutter vater ehefrau ehemann sohn tochter kind schwester bruder oma
opa tante onkel enkel enkelin nachbar chef hochzeit geburtstag beerdigung padres madre padre esposa esposo marido novia
novio hijo hija hermana hermano abuela abuelo boda aniversario cumpleanos entierro wheelchair rehab therapy pregnant
accident rollstuhl reha unfall krankenhaus rehabilitacion accidente ruedas cirugia schwiegermutter
"""
_PRIVATE = frozenset(root(word)[:_ROOT] for word in _PRIVATE_WORDS.split())
_GENERAL = re.compile(r"\b(?:an?|any|every|eine?[mnrs]?|jede[mnrs]?|una?|cualquier|cada) +$", re.I)
"""Family, its events and illness: beside another word of the caller's, it is a fact, but not after _GENERAL."""
_OWED = re.compile(
    r"(?i)\b(?:your|total|balance|owed?|outstanding|due|refund|credit|bill|invoice|paid|charged|Ihr(?:e[mnrs]?)?|dein\w*|"
    r"half|rest|remaining|left|hälfte|mitad|resto|saldo|guthaben|rechnung|betrag|offen\w*|insgesamt|macht|sus?|tu|factura|importe|reembolso|pendiente|debe|cobrado)\b"
)
_PRICE = re.compile(
    r"(?i)\b(?:costs?|charge|fee|price|per|each|an? (?:day|month|night)|delivery|shipping|deposit|kosten|kostet|preis|"
    r"gebühr|pro|je|lieferung|anzahlung|cuestan?|precio|por|envío|tarifa|cuota)\b"
)
"""Words before an amount of the caller's and words beside a price with cents; other whole amounts are prices, too."""
_OURS = re.compile(
    r"(?i)\b(?:our|hotline|opens?|opening|closed?|closing|check.?in|check.?out|always|unser\w*|geöffnet|geschlossen|immer|"
    r"öffn\w+|schlie(?:ß|ss)\w*|nuestr\w+|a partir de|abierto|abr\w+|cerrado|cerr\w+|cierra\w*|horario|siempre)\b"
)
"""Words before another fact of the house, such as its opening hours."""
_PROFILE = "the test profile"
_SHOWN = 8
"""Most words of a quote that are shown."""
_OWN = 0.15
"""Least share of words of the call among the new content words of a narrow condition."""
_CAPITALS = 0.12
"""If a larger share of words is capitalised inside sentences, the language may capitalise all nouns."""
_VARIABLE = re.compile(r"\{\{.{0,200}?\}\}|\{\w{1,80}\}|\$\{.{0,200}?\}")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_UNFOLDED = str.maketrans("øłđ", "old")
_STARTS = re.compile(r"(?:^|[.!?:;…\"“„«»(\[#*•>—–|\n-])[\s\"“„'*_]*$")
_PLACE = r"city|town|stadt|village|county|country|destination|location|ciudad|pueblo|destino|reiseziel|wohnort|hotel"
_ADDRESS = re.compile(rf"addr|adress|street|stra(?:ß|ss)e|anschrift|direcci|domicilio|calle|{_PLACE}", re.I)
_ROLE = re.compile(r"role|rol\b|relation|caller|anrufer|type|user|persona|reason|grund|motivo|intent|issue", re.I)
_NAMED = re.compile(
    rf"name|nombre|caller|patient|customer|contact|guest|holder|spouse|child|person|owner|tenant|member|passenger|buyer|"
    rf"parent|pet|dog|cat$|mascota|perro|hund|kind$|hij[oa]|titular|recipient|recipiente|{_PLACE}",
    re.I,
)
_GERMAN_WORDS = re.compile(
    r"(?i)\b(?:ich|der|die|das|und|ist|nicht|eine?n?|meine?|mit|für|auf|dem|sie|wir|bitte|von|zum|im|zu|hat|habe|noch|ab)\b"
)
_NOUN = r"[A-ZÄÖÜ][\w-]{2,40}"
_INTRODUCED = re.compile(
    r"\b(?:(?:[Hh]errn?|[Ff]rau|[Ff]amilie|Dr\.?|Doktor|Professor|Namen?(?: ist)?|[Hh]ier (?:ist|spricht)|heiße|heißt|"
    r"wohne in|komme aus|(?:zieh|flieg|fahr|reis|Zug|Bus|Flug|Fahrt|Reise|Umzug|Lieferung)\w*(?: \w+)? nach) "
    rf"({_NOUN}(?: {_NOUN})?)|(?:Sohn|Tochter|Bruder|Schwester|(?:mein|unser)\w* (?:Mann|Frau|Hund|Katze|Kater)) "
    rf"({_NOUN})\b(?! hat)|ich bin ({_NOUN} {_NOUN})|nach ({_NOUN}) (?:um)?(?:zieh|flieg|fahr|reis)|"
    rf"({_NOUN}(?:stra(?:ß|ss)e|gasse|allee))\b|({_NOUN}(?:weg|platz|ring|damm|ufer)) (?=\d))"
)
"""German phrases that introduce a name, and street names, since German capitalises all nouns."""
_ASKS_NAME = re.compile(r"(?i)\b(?:names?|called|heißt|heißen|nombre|apellidos?|llama|wohin|street|straße|address)\b")
_COMMON_WORDS = """
mr mrs ms miss dr doctor doctors doktor nurse professor sir madam herr frau senor senora don dona english spanish german
french italian portuguese dutch polish russian turkish arabic hindi chinese mandarin japanese korean deutsch espanol uhr
american british european euro euros dollar dollars street road avenue lane drive square place station airport hotel
bank clinic hospital office city north south east west christmas easter thanksgiving ramadan god google apple whatsapp
internet wifi email e-mail pin sms ok okay yes no hello hi thanks thank please sorry bye goodbye
"""
_COMMON_WORDS += " ".join((*MONTHS, *WEEKDAYS, *(f"{day}s" for day in WEEKDAYS)))


@lru_cache(maxsize=20_000)
def _name_key(word: str) -> str:
    """Normalise the spelling of a name: "Müller's" becomes equal to "Mueller", and "Hauptstraße" to "Hauptstr"."""
    plain = unicodedata.normalize("NFKD", re.sub(r"['’]s$", "", word).casefold().translate(_UNFOLDED))
    folded = re.sub("(?<=[aou])e", "", "".join(c for c in plain if not unicodedata.combining(c)))
    return re.sub("strasse$", "str", folded)


_COMMON = frozenset(map(_name_key, _COMMON_WORDS.split()))


class OwnFact(NamedTuple):
    """A piece of added text that is specific to one call, as shown, and the `place` where the call has it, such as
    "the test profile" or "run 900238 00:14"; "a narrow condition" has words of the call."""

    text: str
    place: str

    @property
    def words(self) -> str:
        return f"{self.text if self.text.startswith('“') else f'“{self.text}”'} ({self.place})"


class _FactSpan(NamedTuple):
    """A fact of a run as shown, and the characters [start, end) of the added text that contain the fact."""

    start: int
    end: int
    text: str
    place: str


@dataclass
class _RunFacts:
    """Facts of one run to search for in added text. `keys` (of dates, numbers and other particulars), `phrases`,
    `values` (beginnings of roots) and `said` (words of caller and profile) map to the places where they are first.
    `sure` names may be in lower case. `known` words, of the agent's name and greeting, are no facts. `heard` has roots
    of the caller's, `house` of the agent's. `spoken` has the caller's words and turns, `places` the place of a turn."""

    keys: dict[str, str] = field(default_factory=dict)
    phrases: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    sure: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)
    said: dict[str, str] = field(default_factory=dict)
    spoken: list[tuple[str, int]] = field(default_factory=list)
    places_of: dict[str, list[int]] = field(default_factory=dict)
    house: set[str] = field(default_factory=set)
    profile: list[str] = field(default_factory=list)
    values: dict[frozenset[str], str] = field(default_factory=dict)
    places: list[str] = field(default_factory=list)


def own_facts(diff: ProseDiff, sent_prompt: str, views: Sequence[RunView]) -> dict[int, tuple[OwnFact, ...]]:
    """Facts of a single call that hunks add, as shown, by hunk number; at most MOST for each hunk. A fact is a name,
    date, time, amount, number, e-mail address, phrase, scenario or id that occurs in a run of `views` (test profile,
    transcript or names), but not in the sent prompt; a sentence of the caller's, even if some words are replaced; or a
    condition that describes the course of the call."""
    added, left = {}, _MOST_ADDED
    for hunk in diff.worded:
        if text := hunk.new[:left].strip():
            added[hunk.number] = _VARIABLE.sub(_blank, text)
            left -= len(text)
    sent = _SentContent(sent_prompt)
    # Reading long calls for numbers and dates is slow: do it only if some were added.
    numbered = any(one.key not in sent.keys for text in added.values() for one in particulars(text))
    runs = [_facts_of(view, numbered) for view in views]
    found = {}
    for number, text in added.items():
        found_in = (find(text, sent, run) for run in runs for find in (_clones, _particulars, _names, _values))
        marks = [*_without_overlaps(chain.from_iterable(found_in)), *_conditions(text, sent, runs)]
        facts = dict[str, str]()
        for mark in sorted(marks, key=lambda mark: mark.start):
            facts.setdefault(mark.text, mark.place)
        if facts:
            found[number] = tuple(starmap(OwnFact, facts.items()))[:MOST]
    return found


class _SentContent:
    """Words and facts that the sent prompt already contains."""

    def __init__(self, prompt: str) -> None:
        words = words_of(prompt)
        numbers = (word.form for word in words if is_number(word.form) and not UNITS.match(prompt, word.end))
        self.keys = {one.key for one in particulars(prompt, words)}
        self.keys.update(f"{kind} {form}" for form in numbers for kind in ("number", "amount"))
        self.roots = {root(word.form) for word in words}
        self.names = {_name_key(word.group()) for word in _WORD.finditer(prompt)}
        self.text = _plain_words(prompt)


def _blank(hit: re.Match[str]) -> str:
    return " " * len(hit.group())


def _terms(words: Sequence[Word]) -> Iterator[tuple[frozenset[str], int, int]]:
    """The beginnings of the roots of each rare word and of each two words near each other, with start and end."""
    for n, one in enumerate(words):
        if one.form.isalpha() and len(one.form) > 2 and {one.form, root(one.form)}.isdisjoint(EVERYDAY):
            yield frozenset((root(one.form)[:_ROOT],)), one.start, one.end
        for other in words[n + 1 : n + 4]:
            if STOP_WORDS.isdisjoint((one.form, other.form)):
                yield frozenset((root(one.form)[:_ROOT], root(other.form)[:_ROOT])), one.start, other.end


def _plain_words(text: str) -> str:
    return f" {' '.join(_name_key(word.group()) for word in _WORD.finditer(text))} "


# Facts of a run


def _facts_of(view: RunView, numbered: bool) -> _RunFacts:
    run = _RunFacts()
    for what, number in (("run", view.row.id), ("scenario", view.row.scenario_id), ("result", view.row.result_id)):
        if number is not None and number >= 1000:
            run.phrases[f" {number} "] = f"{what} {number}"
    if len(content_words(view.row.scenario)) > 1 and len(_plain_words(view.row.scenario).split()) > 2:
        run.phrases[_plain_words(view.row.scenario)] = "the scenario's name"
    _read_profile(run, view.source.get("test_profile_data"), "")
    left, recited, asked = _MOST_READ, set[str](), None
    turns = [("profile", text) for text in run.profile] + [(turn.speaker, turn.text) for turn in view.transcript.turns]
    run.places = [_PROFILE for _ in run.profile] + [_place_of(turn, view.row.id) for turn in view.transcript.turns]
    for n, (speaker, text) in enumerate(turns):
        text = text[: min(left, 20_000)]
        left -= len(text)
        words = words_of(text)
        found = particulars(text, words) if numbered else []
        if speaker == "main":
            asked = _ASKS_NAME.search(text)
            recited.update(one.key for one in found if one.key not in run.keys and _is_recited(one, text))
            run.house.update({root(word.form) for word in words} - run.heard)
        elif speaker in ("profile", "testing"):
            bare = (word.form for word in words if word.form[1:].isdecimal() and not UNITS.match(text, word.end))
            for amount in {f"amount {form}" for form in bare} - recited:
                run.keys.setdefault(amount, run.places[n])
            answer = _WORD.findall(text) if asked and len(words) < 6 else []
            run.names |= {_name_key(word) for word in answer if _is_name(word)} - _COMMON
            for name in _plain_words(text).split():
                run.said.setdefault(name, run.places[n])
            if speaker == "testing":
                for word in words:
                    run.places_of.setdefault(word.form, []).append(len(run.spoken))
                    run.spoken.append((word.form, n))
                run.heard.update(root(word.form) for word in words)
                usual = {one[:_ROOT] for one in EVERYDAY | run.house}
                pairs = (key for key, *_ in _terms(words) if len(key) > 1 and not key & usual)
                own = (key for key in pairs if key & _PRIVATE or len(min(key, key=len)) == _ROOT)
                run.values = dict.fromkeys(own, run.places[n]) | run.values
        for one in found:
            if one.key not in recited:
                run.keys.setdefault(one.key, run.places[n])
    # In its greeting the agent names itself and its business.
    greeting = next((turn.text for turn in view.transcript.turns if turn.speaker == "main"), "")
    run.known = {_name_key(word.group()) for word in _WORD.finditer(f"{view.row.agent} {greeting}")}
    capital, small = _spoken_names([text[:20_000] for speaker, text in turns if speaker == "testing"])
    run.names = (run.names - (small - capital - run.sure)) | (capital - small)
    return run


def _place_of(turn: Turn, run_id: int) -> str:
    """Where a turn is, in words: the run and time of the turn, or without a time its speaker."""
    at = clock(turn.start, hours=needs_hours(turn.start)) if turn.start is not None else ""
    return f"run {run_id} {at}" if at else {"main": "the agent", "testing": "the caller"}.get(turn.speaker, "the call")


def _is_recited(one: Particular, text: str) -> bool:
    """Whether a fact in a turn of the agent is of the house: a price, its e-mail address, its opening hours."""
    start = max(one.start - 50, 0)
    is_price = one.key.startswith("amount") and ("." not in one.key or _PRICE.search(text, start, one.end + 12))
    is_price = is_price and not _OWED.search(text, start, one.start)
    return bool(is_price or one.key.startswith("mail") or _OURS.search(text, start, one.start))


def _read_profile(run: _RunFacts, value: object, key: str, depth: int = 0) -> None:
    """Add texts, names and capitalised phrases of a test profile to `run`; `key` is the path of the field with `value`.
    An address has a phrase or name in each of its parts, apart from the numbers."""
    if depth < 8 and isinstance(value, dict):
        for name, item in value.items():
            _read_profile(run, item, f"{key}/{name}", depth + 1)
    elif depth < 8 and isinstance(value, list):
        for item in value:
            _read_profile(run, item, key, depth + 1)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        text = str(value)[:20_000]
        run.profile.append(text)
        is_id = key == "/name" and re.search(r"[\d_]", text)  # the profile's own name, not the name of a person
        if is_id or (re.fullmatch(r"(?=.*\d)(?=.*[^\W\d]).{2,40}", text) and len(text.split()) <= 4):
            run.phrases[_plain_words(text)] = _PROFILE
        if is_id:
            return
        if len(words_of(text)) <= 4 and key != "/name" and not _ROLE.search(key):
            run.values.update(dict.fromkeys((key for key, *_ in _terms(words_of(text))), _PROFILE))
        address = _ADDRESS.search(key)
        for part in re.split("[,;\n]", text) if address else [text]:
            words = [word for word in _WORD.findall(part) if not address or not re.search(r"\d", word)]
            capital = [word for word in words if not word[0].islower()]
            if len(words) > 6 or (len(capital) < len(words) and not address):
                continue
            if (named := _NAMED.search(key.rpartition("/")[2])) or len(words) == 1:
                names = {_name_key(word) for word in capital if len(word) > 2 and word[0].isalpha()} - _COMMON
                run.names |= names
                run.sure |= names - STOP_WORDS if named else set()
            elif any(word[0].isalpha() for word in capital):
                run.phrases[_plain_words(" ".join(words))] = _PROFILE


def _spoken_names(turns: Sequence[str]) -> tuple[set[str], set[str]]:
    """Normalised words that are capitalised inside a sentence, and normalised words that occur in lower case. If the
    language capitalises all nouns, the first set has only words that a phrase introduces as names."""
    capital, small = list[str](), list[str]()
    for turn in turns:
        text = SPOKEN_EMAIL.sub(_blank, turn)
        for hit in _WORD.finditer(text):
            if hit.group()[0].islower():
                small.append(_name_key(hit.group()))
            elif _is_name(hit.group()) and not _STARTS.search(text, max(hit.start() - 8, 0), hit.start()):
                capital.append(_name_key(hit.group()))
    german, number = sum(len(_GERMAN_WORDS.findall(turn)) for turn in turns), len(capital) + len(small)
    if german > _CAPITALS * number or (len(capital) > _CAPITALS * number and (number > 100 or german)):
        found = [hit for turn in turns for hit in _INTRODUCED.finditer(turn)]
        capital = [_name_key(word) for hit in found for word in hit[hit.lastindex or 0].split()]
    return {*capital} - _COMMON, {*small}


def _is_name(word: str) -> bool:
    return len(word) > 2 and word[0].isupper() and word[1:2].islower() and "I'" not in word and "I’" not in word


# Facts in a hunk


def _particulars(text: str, sent: _SentContent, run: _RunFacts) -> Iterator[_FactSpan]:
    found = particulars(text)
    # Both readings of an ambiguous date are known if one is, and so are facts inside a known one.
    known = {(one.start, one.end) for one in found if one.key in sent.keys}
    for one in found:
        is_within = not one.key.startswith("date") and any(start <= one.start < one.end <= end for start, end in known)
        is_known = is_within or one[1:] in known
        if one.key in run.keys and not is_known:
            yield _FactSpan(one.start, one.end, clean_line(text[one.start : one.end], 60), run.keys[one.key])
    plain, hits = _plain_words(text), list(_WORD.finditer(text))
    for phrase, place in run.phrases.items():
        if phrase in plain and phrase not in sent.text:
            first = plain[: plain.index(phrase)].count(" ")
            start, end = hits[first].start(), hits[first + phrase.count(" ") - 2].end()
            yield _FactSpan(start, end, clean_line(text[start:end], 60), place)


def _names(text: str, sent: _SentContent, run: _RunFacts) -> Iterator[_FactSpan]:
    """Find the names in a text that are names of the run and are not in the sent prompt. Adjacent names are joined."""
    found: list[tuple[int, int]] = []
    for hit in _WORD.finditer(text):
        normalised = _name_key(hit.group())
        if _is_name(hit.group()) and normalised in run.names and normalised not in run.known | sent.names:
            beside = found and not text[found[-1][1] : hit.start()].strip(" ")
            found.append((found.pop()[0] if beside else hit.start(), hit.end()))
    for start, end in found:
        place = run.said.get(_name_key(_WORD.findall(text[start:end])[0]), _PROFILE)
        yield _FactSpan(start, end, re.sub(r"['’]s$", "", text[start:end]), place)


def _values(text: str, sent: _SentContent, run: _RunFacts) -> Iterator[_FactSpan]:
    """Find words of the test profile and private words of the caller's, such as "beagles" and "sister's wedding"."""
    known = {one[:_ROOT] for one in sent.roots | run.house}
    for key, start, end in _terms(words_of(text)):
        place = run.values.get(key, "")
        if place and not key <= known and (place == _PROFILE or not _GENERAL.search(text, 0, start)):
            yield _FactSpan(start, end, clean_line(text[start:end], 60), place)


def _clones(text: str, sent: _SentContent, run: _RunFacts) -> Iterator[_FactSpan]:
    for start, end, turn in clones(text, run.spoken, run.places_of, sent.roots | run.house):
        yield _FactSpan(start, end, _shortened(text[start:end]), run.places[turn])


def _conditions(text: str, sent: _SentContent, runs: Sequence[_RunFacts]) -> Iterator[_FactSpan]:
    """Narrow conditions with words of a call that the sent prompt does not have."""
    for start, end in narrow_conditions(text):
        new = content_words(text[start:end]).keys() - sent.roots
        if any(len(new & (run.heard | run.house)) >= max(2, _OWN * len(new)) for run in runs):
            yield _FactSpan(start, end, _shortened(text[start:end]), "a narrow condition")


def _shortened(text: str) -> str:
    shown = text.split()
    return f"“{clean_line(' '.join(shown[:_SHOWN]))}{'…' if len(shown) > _SHOWN else ''}”"


def _without_overlaps(spans: Iterable[_FactSpan]) -> Iterator[_FactSpan]:
    """The facts in text order; of overlapping facts the first, of facts with the same start the longest."""
    end = 0
    for mark in sorted(spans, key=lambda mark: (mark.start, -mark.end)):
        if mark.start >= end:
            yield mark
            end = max(end, mark.end)
