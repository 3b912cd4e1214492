"""Completes the term that is being typed at the end of the filter line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from cekura_tui.model.filter import Value, quoted
from cekura_tui.model.filter_parse import split_values, split_words, unquoted
from cekura_tui.model.filter_terms import BY_NAME, KEYS, Key, head_of, id_of
from cekura_tui.model.view import RunRow


@dataclass(frozen=True, slots=True)
class Names:
    """The names that are known, in the order in which they are offered; of results it is their numbers."""

    scenarios: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    personalities: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    results: tuple[str, ...] = ()

    def of(self, key: Key) -> tuple[str, ...]:
        """What can stand behind a key."""
        if key.kind == "name":
            by_key = {"scenario": self.scenarios, "agent": self.agents, "persona": self.personalities}
            # A name that is a number would be read as an id.
            return tuple(name for name in by_key[key.name] if id_of(name) is None)
        if key.name == "result":
            return tuple(name for name in self.results if id_of(name) is not None)
        return self.metrics if key.kind == "metric" else key.words


def complete(text: str, names: Names) -> str | None:
    """The whole text with its last term completed, or None where nothing fits or it is complete already."""
    places = list(split_words(text))
    if not places or places[-1][1] < len(text):
        return None
    start = places[-1][0]
    start += text[start] in "-!"
    word = text[start:]
    head = head_of(word)
    if head is None:
        key = _key(word.lower())
        return f"{text[:start]}{key.name}{key.sign}" if key else None
    known = BY_NAME.get(head[1].lower())
    if known is None or (head[2] == ":") != (known.sign == ":"):
        return None
    values_at = start + head.end()
    begin, end = list(split_values(text[values_at:]))[-1]
    given = [unquoted(text[values_at + a : values_at + b])[0] for a, b in split_values(text[values_at:])][:-1]
    value = _value(text[values_at + begin : values_at + end], known, names, given)
    return None if value is None else text[: values_at + begin] + value


def _key(begun: str) -> Key | None:
    """The first key that begins so, by its own name before any other."""
    if not begun:
        return None
    own = (key for key in KEYS if key.name.startswith(begun))
    other = (BY_NAME[name] for name in BY_NAME if name.startswith(begun))
    return next(own, None) or next(other, None)


def _value(written: str, key: Key, names: Names, given: Iterable[str]) -> str | None:
    begun, opened = unquoted(written)
    if written.startswith("~") or (opened is None and '"' in written):
        return None
    folded = begun.casefold()
    there = {name.casefold() for name in given}
    # Of an endless name only what is compared is folded.
    begin = [name for name in names.of(key) if name[: len(folded)].casefold().startswith(folded)]
    fitting = [name for name in begin if name.casefold() not in there]
    if not fitting or (opened is None and any(name.casefold() == folded for name in fitting)):
        return None
    return str(Value(fitting[0])) if opened is None else quoted(fitting[0])


def names_in(rows: Iterable[RunRow]) -> Names:
    """The names in these rows, those of most rows first; of results the newest first."""
    scenarios, agents, personalities, metrics = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    results: dict[str, None] = {}
    for row in rows:
        scenarios[row.scenario] += 1
        agents[row.agent] += 1
        personalities[row.personality] += 1
        metrics.update(row.failing)
        if row.result_id is not None:
            results[str(row.result_id)] = None

    def most(names: Counter[str]) -> tuple[str, ...]:
        return tuple(name for name, _ in names.most_common() if name)

    return Names(most(scenarios), most(agents), most(personalities), most(metrics), tuple(results))
