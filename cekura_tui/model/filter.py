"""A filter of runs: terms that all have to hold; `str()` of it is what the filter line and the command line read."""

from __future__ import annotations

from dataclasses import dataclass

from cekura_tui.model.filter_terms import head_of

_NOT = ("-", "!")
OTHER_QUOTES = tuple("'“”„‘’«»")
"""At the start of a value they are taken for quotes by mistake, unless that is quoted itself."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it was typed, without quotes; with `contains` a part of the name or text is enough ("~")."""

    text: str
    contains: bool = False

    def __str__(self) -> str:
        signs = '",|'
        plain = (
            self.text
            and self.text[0] not in ("~", *OTHER_QUOTES)
            and not any(c in signs or c.isspace() for c in self.text)
        )
        return ("~" if self.contains else "") + (self.text if plain else quoted(self.text))


@dataclass(frozen=True, slots=True)
class Term:
    """One thing asked of a run: one of `values` under `key`, a canonical one of filter_terms.KEYS.

    Without a key it is a bare word, which has one value. `op` is ":", or of a length one of > >= < <=.
    """

    key: str
    values: tuple[Value, ...]
    op: str = ":"
    negated: bool = False

    def __str__(self) -> str:
        sign = "-" if self.negated else ""
        if self.key:
            return f"{sign}{self.key}{self.op}{','.join(map(str, self.values))}"
        return sign + _bare(self.values[0].text)


@dataclass(frozen=True, slots=True)
class Filter:
    """Terms joined by "and"; true if there is any."""

    terms: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))


ALL = Filter()


def quoted(text: str) -> str:
    """A text in double quotes, as the filter line reads it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _bare(word: str) -> str:
    special = (
        not word.strip(",|") or word[0] in (*_NOT, "~", *OTHER_QUOTES) or '"' in word or any(map(str.isspace, word))
    )
    return quoted(word) if special or head_of(word) else word
