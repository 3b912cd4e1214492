"""The words of a text that say what it is about, in the form in which two texts are compared."""

from __future__ import annotations

from cekura_tui.model.spoken_words import stem, words_of

LONGEST = 20_000
"""Characters of one text that are read."""
_EMPTY_WORDS = """
the and for was has had did its his her him you she who why how any all not but that this with from have been were
will would could should their there they them then than when what which while about into only also just very more most
some such does done is are be to of in on at by it as if or an so no do he we us me my our your yours mine can may
might must shall cannot let lets get gets got one two three own out off over under up down here where again still even
both each every other another else same too yet per via upon onto until till since because however always never ever
once twice first second third next last before after without within during whether unless either neither nor many much
few less least enough rather instead like well good right wrong agent caller customer user client assistant bot call
calls called calling turn turns conversation say says said saying tell tells told telling ask asks asked asking answer
answers answered reply replies replied make makes made give gives gave given take takes took taken use uses used using
go goes went going come comes came keep keeps kept put puts want wants wanted need needs needed know knows knew thing
things something anything nothing everything anybody somebody nobody everybody anyone someone everyone person's way
time times expected outcome verdict metric score check checked checks passed failed fail fails met correct correctly
properly happen happens happened see rule rules step steps item paragraph sentence heading section prompt instruction
instructions please der die das den dem des und oder aber nicht ist sind war wird werden wurde ein eine einen einem
einer mit ohne auf aus bei beim fur von vom zum zur dass auch nur noch schon sich sie ihr ihre wenn dann immer nie vor
nach uber als wie wer anrufer kunde sagen fragen los las del una uno unos unas que con sin por para pero como esta
este esto son fue ser hay mas muy cuando donde sobre entre siempre nunca antes despues cliente llamada decir preguntar
les une qui avec sans pour par dans est sont mais pas plus vous nous toujours jamais avant apres
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())
_IRREGULAR = {
    "spoke": "speak",
    "spoken": "speak",
    "broke": "break",
    "broken": "break",
    "chose": "choose",
    "chosen": "choose",
    "wrote": "write",
    "written": "write",
    "sent": "send",
    "paid": "pay",
    "held": "hold",
    "left": "leave",
    "heard": "hear",
    "understood": "understand",
    "sold": "sell",
    "lost": "lose",
    "found": "find",
    "began": "begin",
    "begun": "begin",
}


def root(form: str) -> str:
    """A compared word without its endings, so that "transfer" and "transferring" are one."""
    short = stem(_IRREGULAR.get(form, form))
    if len(short) > 4 and short[-1] == short[-2] and short[-1] not in "ls":
        short = short[:-1]
    return stem(short)


def content_words(text: str) -> dict[str, str]:
    """The words that say something, by root, as they are written first. Figures count from two digits on."""
    found: dict[str, str] = {}
    text = text[:LONGEST]
    for word in words_of(text):
        form = word.form
        if form in _EMPTY or root(form) in _EMPTY or len(form) < (3 if form.isalpha() and form.isascii() else 2):
            continue
        found.setdefault(root(form), text[word.start : word.end])
    return found
