"""Prompts, and other versions of them by random edits of every kind: what people and models do to a prompt.

An edit is a function of a source of randomness and a text with "\\n" as line ends; it returns the new text, which is
the same where there is nothing in it for the edit to change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from random import Random
from textwrap import wrap

from prose_cases import pairs

Edit = Callable[[Random, str], str]

_THINGS = """the account|the address|the invoice|the meter number|the weekday|the postcode|the surname|the refund
the order number|the branch|the engineer|the form|the voucher|the delivery|the clerk|the estimate|the licence|the seat
the {{agent_name}} line|the parcel|the pharmacy|the signature|the fee|the late fee|the language|the reminder|the route
the ticket|the transfer desk|the key safe|the date of birth|the reservation""".replace("\n", "|").split("|")
_VERBS = """ask for|read back|confirm|note down|look up|offer|cancel|explain|skip|book|repeat|charge|mention|promise
check|send|spell|change|hold|name""".replace("\n", "|").split("|")
_ENDS = """before you go on|in one breath|twice at most|unless they insist|on the same day|without a reason|only once
if the caller agrees|after the second try|while you wait|when nobody answers|in plain words|with `look_up`|and wait
as they said it|for {{caller_name}}|– slowly|"as soon as we can"|in **every** call|by 5 p.m. at the latest""".replace(
    "\n", "|"
).split("|")
_TITLES = """Identity|Opening|How to speak|Rules|Booking|Payments|Escalation|Closing|Tools|Examples|Refunds|Complaints
Opening hours|What you know|Emergencies|Voicemail|Privacy|Guardrails""".replace("\n", "|").split("|")

ITEM = re.compile(r"(?P<indent>[ \t]*)(?P<mark>[-*+•–]|(?P<number>\d+)[.)]|\((?P<inner>\d+)\)) +(?=\S)")
HEADING = re.compile(r"(?:#{1,6} +\S|\*\*[^*]+\*\*:?$)")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"“*])")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_OPENING = re.compile(r"<([a-z_]+)>$")


# Words


def sentence(rng: Random) -> str:
    """A sentence of 6 to 14 words that hardly comes twice."""
    verb, thing, other = rng.choice(_VERBS), *rng.sample(_THINGS, 2)
    start = rng.choice(("", "", "Never ", "Always ", "Then ", "If {0} is missing, ", "For {0}: ", "Before {0}, "))
    text = start.format(other) + f"{verb} {thing} {rng.choice(_ENDS)}"
    if rng.random() < 0.3:
        text += f", and {rng.choice(_VERBS)} {rng.choice(_THINGS)}"
    if rng.random() < 0.1:
        text = f'say, "{text}"'
    return text[0].upper() + text[1:] + "."


def sentences(rng: Random, most: int = 4) -> str:
    return " ".join(sentence(rng) for _ in range(rng.randint(1, most)))


def title(rng: Random) -> str:
    return rng.choice((rng.choice(_TITLES), f"{rng.choice(_TITLES)} and {rng.choice(_TITLES).lower()}"))


def reworded(rng: Random, text: str) -> str:
    """A sentence with a word changed, put in or taken out, or with a rewritten half."""
    words = text.split(" ")
    at = rng.randrange(len(words))
    new = rng.choice((*_VERBS, *_ENDS)).split(" ")
    what = rng.choice(("change", "in", "out", "half"))
    if what == "in" or len(words) < 4:
        words[at:at] = new[:1]
    elif what == "change":
        words[at] = new[0]
    elif what == "out":
        del words[at]
    else:
        words[len(words) // 2 :] = f"{rng.choice(_VERBS)} {rng.choice(_THINGS)} {rng.choice(_ENDS)}.".split(" ")
    return " ".join(words)


# Documents


@cache
def _prompts() -> tuple[str, ...]:
    return tuple(pair.sent.text.replace("\r\n", "\n") for pair in pairs("cases"))


def excerpt(rng: Random, most: int = 50) -> str:
    """Lines of one of the prompts in `tests/prose/cases`."""
    lines = rng.choice(_prompts()).split("\n")
    at = rng.choice((0, rng.randint(0, max(len(lines) - 10, 0))))
    return "\n".join(lines[at : at + rng.randint(8, most)]).strip("\n") + "\n"


def document(rng: Random) -> str:
    """A prompt of two to five sections of its own."""
    style = rng.choice(("## {}", "## {}", "**{}**", "under", "# {}", "## {n}. {}", "{}:"))
    blocks = []
    if rng.random() < 0.5:
        blocks.append(sentences(rng))
    for n in range(1, rng.randint(3, 6)):
        name = title(rng)
        blocks.append(f"{name}\n{'-' * len(name)}" if style == "under" else style.format(name, n=n))
        blocks += [rng.choice(_BLOCKS)(rng) for _ in range(rng.choice((1, 1, 2, 2, 3)))]
    return "\n\n".join(blocks) + rng.choice(("\n", "\n", ""))


def numbered(rng: Random, lead: str = "") -> str:
    style = rng.choice(("{}.", "{}.", "{}.", "{})", "({})"))
    lines = []
    for n in range(1, rng.randint(3, 7)):
        lines.append(f"{lead}{style.format(n)} {sentences(rng, rng.choice((1, 1, 2, 3)))}")
        if not lead and rng.random() < 0.2:
            lines.append(rng.choice((numbered, bullets))(rng, "   "))
    return rng.choice(("\n", "\n", "\n", "\n\n") if not lead else ("\n",)).join(lines)


def bullets(rng: Random, lead: str = "") -> str:
    mark = rng.choice("---**+•–")
    return "\n".join(f"{lead}{mark} {sentences(rng, rng.choice((1, 1, 2)))}" for _ in range(rng.randint(2, 5)))


def _restarting(rng: Random) -> str:
    return f"{numbered(rng)}\n\n{rng.choice((sentence(rng), 'And then:'))}\n\n{numbered(rng)}"


def _paragraph(rng: Random) -> str:
    text = sentences(rng, 5)
    return "\n".join(wrap(text, 60)) if rng.random() < 0.2 else text


def table(rng: Random) -> str:
    width = rng.randint(2, 3)
    rows = [[rng.choice(_THINGS)[4:] for _ in range(width)] for _ in range(rng.randint(2, 5))]
    head = [rng.choice(_TITLES) for _ in range(width)]
    return "\n".join(_row(cells) for cells in (head, ["---"] * width, *rows))


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _tagged(rng: Random) -> str:
    name = rng.choice(("rules", "style", "tools", "example"))
    return f"<{name}>\n{rng.choice((_paragraph, bullets, numbered))(rng)}\n</{name}>"


def _fenced(rng: Random) -> str:
    mark = rng.choice(("```", "```", "~~~"))
    inside = rng.choice(('{\n  "name": "book",\n  "day": "string"\n}', "look_up(number)\nbook(day)", sentence(rng)))
    return f"{mark}{rng.choice(('', 'json'))}\n{inside}\n{mark}"


def _comment(rng: Random) -> str:
    inside = rng.choice((sentence(rng), f"\n{sentence(rng)}\n{sentence(rng)}\n"))
    return f"<!-- {inside} -->"


def _dialogue(rng: Random) -> str:
    lead = rng.choice(("", "", "> "))
    return "\n".join(f"{lead}{('Caller', 'Agent')[n % 2]}: {sentence(rng)}" for n in range(rng.randint(2, 6)))


_BLOCKS = (
    *(numbered, numbered, bullets, bullets, _paragraph, _paragraph),
    *(_restarting, table, _tagged, _fenced, _comment, _dialogue),
)


# Places in a text


def _in_fences(lines: list[str]) -> set[int]:
    found, inside = set(), False
    for at, line in enumerate(lines):
        if _FENCE.match(line):
            inside = not inside
            found.add(at)
        elif inside:
            found.add(at)
    return found


def _items(lines: list[str], *, counted: bool | None = None) -> list[int]:
    """The lines of items; of numbered lists alone, or of others alone."""
    fenced = _in_fences(lines)
    hits = [(at, ITEM.match(line)) for at, line in enumerate(lines) if at not in fenced]
    return [at for at, hit in hits if hit and (counted is None or counted == (hit["mark"] not in "-*+•–"))]


def _block(lines: list[str], at: int) -> int:
    """The line behind an item and all that is indented below it."""
    hit = ITEM.match(lines[at])
    indent = len(hit["indent"]) if hit else 0
    end = at + 1
    while end < len(lines) and lines[end].strip() and len(lines[end]) - len(lines[end].lstrip()) > indent:
        end += 1
    return end


def _list_of(lines: list[str], at: int) -> list[int]:
    """The items of the list that this one belongs to: beside it, as deep, of the same kind."""
    hit = ITEM.match(lines[at])
    assert hit
    depth, counted = len(hit["indent"]), hit["mark"] not in "-*+•–"
    found = [at]
    for step in (-1, 1):
        k = at + step
        while 0 <= k < len(lines):
            other = ITEM.match(lines[k])
            if other and len(other["indent"]) == depth and (other["mark"] not in "-*+•–") == counted:
                if step > 0 and _number(other) == 1 and counted:
                    break
                found.append(k)
                if step < 0 and _number(other) == 1 and counted:
                    break
            elif lines[k].strip() and len(lines[k]) - len(lines[k].lstrip()) <= depth:
                break
            k += step
    return sorted(found)


def _number(hit: re.Match[str]) -> int:
    return int(hit["number"] or hit["inner"] or 0)


def _counted(lines: list[str], items: list[int], start: int) -> None:
    """Number these items from `start` on, in place."""
    for n, at in enumerate(items, start):
        hit = ITEM.match(lines[at])
        assert hit
        lines[at] = hit["indent"] + re.sub(r"\d+", str(n), hit["mark"]) + lines[at][hit.end("mark") :]


def _prose(lines: list[str]) -> list[int]:
    """Items, and other lines of words."""
    fenced = _in_fences(lines)
    return [at for at, line in enumerate(lines) if at not in fenced and (ITEM.match(line) or _is_prose(line))]


def _is_prose(line: str) -> bool:
    return len(line.split()) > 4 and line.lstrip()[0] not in '#|<`{}"=~-'


def _headings(lines: list[str]) -> list[int]:
    fenced = _in_fences(lines)
    return [at for at, line in enumerate(lines) if at not in fenced and HEADING.match(line)]


def _body(line: str) -> tuple[str, list[str]]:
    """The marker of a line and its sentences."""
    hit = ITEM.match(line) or re.match(r"\s*(?:> *|[A-Z][a-z]+: )*", line)
    assert hit
    return line[: hit.end()], _SENTENCE_END.split(line[hit.end() :])


def _paragraphs(lines: list[str]) -> list[int]:
    """Lines between empty ones that are neither items nor anything else."""
    around = ["", *lines, ""]
    return [
        at
        for at in _prose(lines)
        if not ITEM.match(lines[at]) and not around[at].strip() and not around[at + 2].strip()
    ]


def _rows(lines: list[str]) -> list[list[int]]:
    """The lines of every table."""
    found: list[list[int]] = []
    for at, line in enumerate(lines):
        if line.startswith("|"):
            if found and found[-1][-1] == at - 1:
                found[-1].append(at)
            else:
                found.append([at])
    return [rows for rows in found if len(rows) > 2]


def _at_gap(rng: Random, lines: list[str]) -> int:
    """The line behind an empty one, or the end."""
    return rng.choice([at + 1 for at, line in enumerate(lines) if not line.strip()] or [len(lines)])


# Rules of lists


def rule_in(rng: Random, text: str) -> str:
    """One to three rules in a row."""
    lines = text.split("\n")
    if not (items := _items(lines)):
        return text
    at = rng.choice(items)
    whole = _list_of(lines, at)
    hits = [ITEM.match(lines[k]) for k in whole]
    start = _number(hits[0]) if hits[0] else 1
    marker = ITEM.match(lines[at])
    assert marker
    place = rng.choice((at, _block(lines, at)))
    new = [marker.group() + sentences(rng, 2) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    lines[place:place] = new
    if marker["mark"] not in "-*+•–" and rng.random() < 0.95:
        more = len(new)
        moved = [k + more if k >= place else k for k in whole]
        _counted(lines, sorted([*moved, *range(place, place + more)]), start)
    return "\n".join(lines)


def rule_out(rng: Random, text: str) -> str:
    """An item goes with what is below it."""
    lines = text.split("\n")
    if not (items := _items(lines)):
        return text
    at = rng.choice(items)
    return _without(rng, lines, at)[0]


def _without(rng: Random, lines: list[str], at: int) -> tuple[str, list[str]]:
    whole = _list_of(lines, at)
    first = ITEM.match(lines[whole[0]])
    assert first
    end = _block(lines, at)
    gone = lines[at:end]
    del lines[at:end]
    left = [k if k < at else k - len(gone) for k in whole if not at <= k < end]
    if first["mark"] not in "-*+•–" and rng.random() < 0.95:
        _counted(lines, left, _number(first))
    return "\n".join(lines), gone


def rule_moved(rng: Random, text: str) -> str:
    """An item stands elsewhere, mostly in its list."""
    lines = text.split("\n")
    if len(items := _items(lines)) < 2:
        return text
    at = rng.choice(items)
    left, block = _without(rng, lines, at)
    lines = left.split("\n")
    others = _items(lines)
    if not others:
        return text
    near = [k for k in others if abs(k - at) < 8] or others
    k = rng.choice(near if rng.random() < 0.7 else others)
    marker = ITEM.match(lines[k])
    bare = ITEM.match(block[0])
    assert marker
    assert bare
    whole = _list_of(lines, k)
    first = ITEM.match(lines[whole[0]])
    assert first
    place = rng.choice((k, _block(lines, k)))
    lines[place:place] = [marker.group() + block[0][bare.end() :], *block[1:]]
    if marker["mark"] not in "-*+•–":
        moved = [n + len(block) if n >= place else n for n in whole]
        _counted(lines, sorted([*moved, place]), _number(first))
    return "\n".join(lines)


def rule_reworded(rng: Random, text: str) -> str:
    """A word of an item, or all of it."""
    lines = text.split("\n")
    if not (items := _items(lines)):
        return text
    at = rng.choice(items)
    marker, parts = _body(lines[at])
    if rng.random() < 0.3:
        lines[at] = marker + sentences(rng, 2)
    else:
        n = rng.randrange(len(parts))
        parts[n] = reworded(rng, parts[n])
        lines[at] = marker + " ".join(parts)
    return "\n".join(lines)


def rule_split(rng: Random, text: str) -> str:
    """An item of two sentences becomes two items."""
    lines = text.split("\n")
    several = [at for at in _items(lines) if len(_body(lines[at])[1]) > 1]
    if not several:
        return text
    at = rng.choice(several)
    marker, parts = _body(lines[at])
    whole = _list_of(lines, at)
    first = ITEM.match(lines[whole[0]])
    assert first
    lines[at : at + 1] = [marker + parts[0], marker + " ".join(parts[1:])]
    if first["mark"] not in "-*+•–":
        _counted(lines, sorted([*(k + 1 if k > at else k for k in whole), at + 1]), _number(first))
    return "\n".join(lines)


def rules_joined(rng: Random, text: str) -> str:
    """Two items become one."""
    lines = text.split("\n")
    places = [at for at in _items(lines) if at + 1 in _items(lines) and at + 1 in _list_of(lines, at)]
    if not places:
        return text
    at = rng.choice(places)
    marker, parts = _body(lines[at])
    _, more = _body(lines[at + 1])
    lines[at] = marker + " ".join([*parts, *more])
    return _without(rng, lines, at + 1)[0] if _block(lines, at + 1) == at + 2 else text


def list_restarted(rng: Random, text: str) -> str:
    """A numbered list begins again in the middle, behind a line of its own or without one."""
    lines = text.split("\n")
    if not (items := _items(lines, counted=True)):
        return text
    whole = _list_of(lines, rng.choice(items))
    if len(whole) < 3:
        return text
    n = rng.randrange(1, len(whole))
    _counted(lines, whole[n:], 1)
    if rng.random() < 0.7:
        lines[whole[n] : whole[n]] = rng.choice((["", sentence(rng), ""], [""], ["", "After that:", ""]))
    return "\n".join(lines)


def rule_nested(rng: Random, text: str) -> str:
    """An item goes below the one before it."""
    lines = text.split("\n")
    inner = [at for at in _items(lines) if at > 0 and at - 1 in _items(lines) and not lines[at].startswith(" ")]
    if not inner:
        return text
    at = rng.choice(inner)
    whole = _list_of(lines, at)
    hit, first = ITEM.match(lines[at]), ITEM.match(lines[whole[0]])
    assert hit
    assert first
    lines[at] = "   " + rng.choice(("- ", re.sub(r"\d+", "1", hit["mark"]) + " ")) + lines[at][hit.end() :]
    if hit["mark"] not in "-*+•–":
        _counted(lines, [k for k in whole if k != at], _number(first))
    return "\n".join(lines)


# Sentences


def sentence_in(rng: Random, text: str) -> str:
    """Anywhere in a line."""
    lines = text.split("\n")
    if not (prose := _prose(lines)):
        return text
    at = rng.choice(prose)
    marker, parts = _body(lines[at])
    parts.insert(rng.randint(0, len(parts)), sentence(rng))
    lines[at] = marker + " ".join(parts)
    return "\n".join(lines)


def sentence_out(rng: Random, text: str) -> str:
    """Of a line with several."""
    lines = text.split("\n")
    several = [at for at in _prose(lines) if len(_body(lines[at])[1]) > 1]
    if not several:
        return text
    at = rng.choice(several)
    marker, parts = _body(lines[at])
    del parts[rng.randrange(len(parts))]
    lines[at] = marker + " ".join(parts)
    return "\n".join(lines)


def sentence_reworded(rng: Random, text: str) -> str:
    """A word of a sentence, a half, or all of it."""
    lines = text.split("\n")
    if not (prose := _prose(lines)):
        return text
    at = rng.choice(prose)
    marker, parts = _body(lines[at])
    n = rng.randrange(len(parts))
    parts[n] = sentence(rng) if rng.random() < 0.3 else reworded(rng, parts[n])
    lines[at] = marker + " ".join(parts)
    return "\n".join(lines)


def sentence_moved(rng: Random, text: str) -> str:
    """Into another line."""
    lines = text.split("\n")
    several = [at for at in _prose(lines) if len(_body(lines[at])[1]) > 1]
    if not several:
        return text
    at = rng.choice(several)
    marker, parts = _body(lines[at])
    one = parts.pop(rng.randrange(len(parts)))
    lines[at] = marker + " ".join(parts)
    other = rng.choice(_prose(lines) or [at])
    marker, parts = _body(lines[other])
    parts.insert(rng.randint(0, len(parts)), one)
    lines[other] = marker + " ".join(parts)
    return "\n".join(lines)


def paragraph_in(rng: Random, text: str) -> str:
    lines = text.split("\n")
    at = _at_gap(rng, lines)
    lines[at:at] = [rng.choice(_BLOCKS)(rng), ""]
    return "\n".join(lines)


def paragraph_out(rng: Random, text: str) -> str:
    blocks = re.split(r"\n\n+", text)
    if len(blocks) < 3:
        return text
    del blocks[rng.randrange(len(blocks))]
    return "\n\n".join(blocks)


def paragraph_moved(rng: Random, text: str) -> str:
    blocks = re.split(r"\n\n+", text)
    if len(blocks) < 3:
        return text
    blocks.insert(rng.randrange(len(blocks)), blocks.pop(rng.randrange(len(blocks))))
    return "\n\n".join(blocks)


def paragraph_split(rng: Random, text: str) -> str:
    """Its sentences on two lines, or in two paragraphs."""
    lines = text.split("\n")
    several = [at for at in _paragraphs(lines) if len(_body(lines[at])[1]) > 1]
    if not several:
        return text
    at = rng.choice(several)
    marker, parts = _body(lines[at])
    n = rng.randrange(1, len(parts))
    lines[at : at + 1] = [marker + " ".join(parts[:n]), *rng.choice(([], [""])), " ".join(parts[n:])]
    return "\n".join(lines)


# Sections


def _sections(text: str) -> list[str]:
    """What is before the first heading, and all sections, each with its heading."""
    lines = text.split("\n")
    starts = [0, *(at for at in _headings(lines) if at), len(lines)]
    return ["\n".join(lines[start:end]) for start, end in pairwise(starts)]


def section_in(rng: Random, text: str) -> str:
    sections = _sections(text)
    heading = next((HEADING.match(section) for section in sections if HEADING.match(section)), None)
    name = title(rng)
    style = "**{}**" if heading and heading.group().startswith("**") else "## {}"
    new = [style.format(name), *(rng.choice(_BLOCKS)(rng) for _ in range(rng.choice((1, 1, 2)))), ""]
    sections.insert(rng.randint(1, len(sections)), "\n\n".join(new))
    return "\n".join(sections)


def section_out(rng: Random, text: str) -> str:
    sections = _sections(text)
    if len(sections) > 2:
        del sections[rng.randrange(1, len(sections))]
    return "\n".join(sections)


def section_moved(rng: Random, text: str) -> str:
    sections = _sections(text)
    if len(sections) > 2:
        one = sections.pop(rng.randrange(1, len(sections)))
        sections.insert(rng.randint(1, len(sections)), one)
    return "\n".join(sections)


def heading_in(rng: Random, text: str) -> str:
    """A heading alone, before something that is there."""
    lines = text.split("\n")
    at = _at_gap(rng, lines)
    lines[at:at] = [rng.choice(("## {}", "### {}", "**{}**")).format(title(rng)), ""]
    return "\n".join(lines)


def heading_out(rng: Random, text: str) -> str:
    lines = text.split("\n")
    if not (headings := _headings(lines)):
        return text
    at = rng.choice(headings)
    del lines[at : at + (2 if lines[at + 1 : at + 2] == [""] else 1)]
    return "\n".join(lines)


def heading_reworded(rng: Random, text: str) -> str:
    lines = text.split("\n")
    if not (headings := _headings(lines)):
        return text
    at = rng.choice(headings)
    marks = re.match(r"(#+ +|\*\*)(.*?)(\*\*:?)?$", lines[at])
    assert marks
    lines[at] = marks[1] + rng.choice((title(rng), f"{marks[2]} and more")) + (marks[3] or "")
    return "\n".join(lines)


# Kinds of lines


def paragraph_to_list(rng: Random, text: str) -> str:
    """Every sentence an item."""
    lines = text.split("\n")
    several = [at for at in _paragraphs(lines) if len(_body(lines[at])[1]) > 1]
    if not several:
        return text
    at = rng.choice(several)
    counted = rng.random() < 0.5
    parts = _SENTENCE_END.split(lines[at])
    lines[at : at + 1] = [f"{f'{n}.' if counted else '-'} {part}" for n, part in enumerate(parts, 1)]
    return "\n".join(lines)


def list_to_paragraph(rng: Random, text: str) -> str:
    lines = text.split("\n")
    if not (items := _items(lines)):
        return text
    whole = _list_of(lines, rng.choice(items))
    if whole != list(range(whole[0], whole[-1] + 1)):
        return text
    lines[whole[0] : whole[-1] + 1] = [" ".join(part for at in whole for part in _body(lines[at])[1])]
    return "\n".join(lines)


def bullets_to_numbers(rng: Random, text: str) -> str:
    lines = text.split("\n")
    if not (items := _items(lines, counted=False)):
        return text
    for n, at in enumerate(_list_of(lines, rng.choice(items)), 1):
        hit = ITEM.match(lines[at])
        assert hit
        lines[at] = f"{hit['indent']}{n}. {lines[at][hit.end() :]}"
    return "\n".join(lines)


def numbers_to_bullets(rng: Random, text: str) -> str:
    lines = text.split("\n")
    if not (items := _items(lines, counted=True)):
        return text
    for at in _list_of(lines, rng.choice(items)):
        hit = ITEM.match(lines[at])
        assert hit
        lines[at] = f"{hit['indent']}- {lines[at][hit.end() :]}"
    return "\n".join(lines)


def numbers_restyled(_: Random, text: str) -> str:
    return re.sub(r"(?m)^(\s*)(\d+)\. ", r"\1\2) ", text)


# Dress


def titles_restyled(rng: Random, text: str) -> str:
    """Bold titles become headings, headings bold, or a level deeper."""
    if re.search(r"(?m)^\*\*[^*]+\*\*$", text):
        return re.sub(r"(?m)^\*\*([^*\n]+)\*\*$", r"## \1", text)
    return re.sub(r"(?m)^#(#*) (.*)$", rng.choice((r"**\2**", r"##\1 \2")), text)


def typographic(_: Random, text: str) -> str:
    return re.sub(r'"([^"\n{}]*)"', "“\\1”", text).replace("'", "’")


def dashes(_: Random, text: str) -> str:
    return text.replace(" – ", " — ").replace(" - ", " – ")


def emphasis(rng: Random, text: str) -> str:
    """Off everywhere, or round a word that comes often."""
    if rng.random() < 0.5:
        return re.sub(r"\*\*(\w[^*\n]*)\*\*(?!$)", r"\1", text, flags=re.MULTILINE)
    return re.sub(rf"(?<![*\w]){rng.choice(('caller', 'Never', 'the', 'call'))}(?![*\w])", r"**\g<0>**", text)


def thematic_breaks(rng: Random, text: str) -> str:
    """Lines of `---` between sections, or none."""
    if "\n\n---\n\n" in text:
        return text.replace("\n\n---\n\n", "\n\n")
    return re.sub(r"\n\n(?=## |\*\*[A-Z][^*\n]*\*\*\n)", "\n\n---\n\n", text)


def bullets_restyled(rng: Random, text: str) -> str:
    mark = rng.choice("*+•")
    return re.sub(r"(?m)^(\s*)- (?=\S)", rf"\1{mark} ", text)


def trailing_spaces(rng: Random, text: str) -> str:
    if re.search(r"(?m) +$", text):
        return re.sub(r"(?m) +$", "", text)
    return re.sub(r"(?m)(?<=[.:])$", lambda _: rng.choice(("", "  ", " ")), text)


def reflowed(rng: Random, text: str) -> str:
    """Long lines broken, or paragraphs of broken lines on one."""
    lines = []
    width = rng.choice((50, 70))
    for line in text.split("\n"):
        hit = ITEM.match(line)
        if len(line) > width and line[0] not in "|#<>`{" and not hit:
            broken = wrap(line, width, break_long_words=False, break_on_hyphens=False)
            lines += [line] if any(map(ITEM.match, broken)) else broken
        else:
            lines.append(line)
    new = "\n".join(lines)
    return re.sub(r"(?m)(?<=[a-z,])\n(?=[a-z])", " ", text) if new == text else new


def gaps_between_items(_: Random, text: str) -> str:
    """An empty line between items, or none."""
    tight = re.sub(r"(?m)(^[ \t]*(?:[-*+•]|\d+[.)]) .*)\n\n(?=[ \t]*(?:[-*+•]|\d+[.)]) )", r"\1\n", text)
    if tight != text:
        return tight
    return re.sub(r"(?m)(^[ \t]*(?:[-*+•]|\d+[.)]) .*)\n(?=[ \t]*(?:[-*+•]|\d+[.)]) )", r"\1\n\n", text)


def gaps_after_headings(_: Random, text: str) -> str:
    tight = re.sub(r"(?m)(^#+ .*)\n\n", r"\1\n", text)
    return tight if tight != text else re.sub(r"(?m)(^#+ .*)\n(?=\S)", r"\1\n\n", text)


# Tables


def row_in(rng: Random, text: str) -> str:
    lines = text.split("\n")
    if not (tables := _rows(lines)):
        return text
    at = rng.choice(rng.choice(tables)[1:])
    cells = lines[at].count("|") - 1
    lines.insert(at + 1, _row([rng.choice(_THINGS)[4:] for _ in range(cells)]))
    return "\n".join(lines)


def row_out(rng: Random, text: str) -> str:
    lines = text.split("\n")
    if not (tables := _rows(lines)):
        return text
    rows = rng.choice(tables)
    del lines[rng.choice(rows[2:])]
    return "\n".join(lines)


def cell_reworded(rng: Random, text: str) -> str:
    lines = text.split("\n")
    if not (tables := _rows(lines)):
        return text
    rows = rng.choice(tables)
    at = rng.choice([rows[0], *rows[2:]])
    cells = lines[at].split("|")
    cells[rng.randrange(1, len(cells) - 1)] = f" {rng.choice(_THINGS)[4:]} "
    lines[at] = "|".join(cells)
    return "\n".join(lines)


def column_in(rng: Random, text: str) -> str:
    lines = text.split("\n")
    if not (tables := _rows(lines)):
        return text
    rows = rng.choice(tables)
    place = rng.randint(1, lines[rows[0]].count("|") - 1)
    for n, at in enumerate(rows):
        cells = lines[at].split("|")
        new = rng.choice(_TITLES) if n == 0 else "---" if n == 1 else rng.choice(_THINGS)[4:]
        lines[at] = "|".join([*cells[:place], f" {new} ", *cells[place:]])
    return "\n".join(lines)


def column_out(rng: Random, text: str) -> str:
    lines = text.split("\n")
    tables = [rows for rows in _rows(lines) if lines[rows[0]].count("|") > 3]
    if not tables:
        return text
    rows = rng.choice(tables)
    place = rng.randint(1, lines[rows[0]].count("|") - 1)
    for at in rows:
        cells = lines[at].split("|")
        lines[at] = "|".join(cells[:place] + cells[place + 1 :])
    return "\n".join(lines)


def table_in(rng: Random, text: str) -> str:
    lines = text.split("\n")
    at = _at_gap(rng, lines)
    lines[at:at] = [table(rng), ""]
    return "\n".join(lines)


def table_out(rng: Random, text: str) -> str:
    lines = text.split("\n")
    if not (tables := _rows(lines)):
        return text
    rows = rng.choice(tables)
    del lines[rows[0] : rows[-1] + 2]
    return "\n".join(lines)


def table_to_list(rng: Random, text: str) -> str:
    lines = text.split("\n")
    if not (tables := _rows(lines)):
        return text
    rows = rng.choice(tables)
    items = ["- " + ": ".join(cell.strip() for cell in lines[at].split("|")[1:-1]) for at in rows[2:]]
    lines[rows[0] : rows[-1] + 1] = items
    return "\n".join(lines)


# Tags, comments, fences


def tags_around(rng: Random, text: str) -> str:
    """A pair around a block, or around a section."""
    name = rng.choice(("identity", "flow", "policy", "examples"))
    if rng.random() < 0.5:
        sections = _sections(text)
        n = rng.randrange(len(sections))
        sections[n] = f"<{name}>\n{sections[n].strip()}\n</{name}>\n"
        return "\n".join(sections)
    blocks = re.split(r"\n\n+", text)
    whole = [n for n, block in enumerate(blocks) if block.count("```") != 1 and block.count("~~~") != 1]
    if whole:
        n = rng.choice(whole)
        blocks[n] = f"<{name}>\n{blocks[n]}\n</{name}>"
    return "\n\n".join(blocks)


def _pairs_of_tags(lines: list[str]) -> list[tuple[int, int]]:
    found = []
    for at, line in enumerate(lines):
        hit = _OPENING.match(line.strip())
        if hit and f"</{hit[1]}>" in lines[at:]:
            found.append((at, lines.index(f"</{hit[1]}>", at)))
    return found


def tags_off(rng: Random, text: str) -> str:
    """A pair goes; what is inside stays."""
    lines = text.split("\n")
    if found := _pairs_of_tags(lines):
        start, end = rng.choice(found)
        del lines[end], lines[start]
    return "\n".join(lines)


def tags_out(rng: Random, text: str) -> str:
    """A pair goes with what is inside."""
    lines = text.split("\n")
    if found := _pairs_of_tags(lines):
        start, end = rng.choice(found)
        del lines[start : end + 1]
    return "\n".join(lines)


def tags_in(rng: Random, text: str) -> str:
    lines = text.split("\n")
    at = _at_gap(rng, lines)
    lines[at:at] = [_tagged(rng), ""]
    return "\n".join(lines)


def tags_renamed(rng: Random, text: str) -> str:
    lines = text.split("\n")
    if found := _pairs_of_tags(lines):
        start, end = rng.choice(found)
        name = rng.choice(("guidelines", "context", "notes"))
        lines[start], lines[end] = f"<{name}>", f"</{name}>"
    return "\n".join(lines)


def tags_for_titles(_: Random, text: str) -> str:
    """Sections in tags instead of under headings."""

    def tagged(section: str) -> str:
        hit = re.match(r"## ([A-Za-z ]+)\n", section)
        if not hit:
            return section
        name = hit[1].strip().lower().replace(" ", "_")
        return f"<{name}>\n{section[hit.end() :].strip()}\n</{name}>\n"

    return "\n".join(map(tagged, _sections(text)))


def comment_in(rng: Random, text: str) -> str:
    lines = text.split("\n")
    at = _at_gap(rng, lines)
    lines[at:at] = [_comment(rng), *rng.choice(([], [""]))]
    return "\n".join(lines)


def comment_around(rng: Random, text: str) -> str:
    """A block is commented out."""
    blocks = re.split(r"\n\n+", text)
    plain = [n for n, block in enumerate(blocks) if "<" not in block and "```" not in block and "~~~" not in block]
    if plain:
        n = rng.choice(plain)
        blocks[n] = f"<!--\n{blocks[n]}\n-->"
    return "\n\n".join(blocks)


def comment_out(_: Random, text: str) -> str:
    return re.sub(r"<!--.*?-->\n?\n?", "", text, count=1, flags=re.DOTALL)


def comment_off(_: Random, text: str) -> str:
    """The signs of a comment go; what is inside stays."""
    return re.sub(r"<!--\s*(.*?)\s*-->", r"\1", text, count=1, flags=re.DOTALL)


def fence_in(rng: Random, text: str) -> str:
    lines = text.split("\n")
    at = _at_gap(rng, lines)
    lines[at:at] = [_fenced(rng), ""]
    return "\n".join(lines)


def fence_around(rng: Random, text: str) -> str:
    blocks = re.split(r"\n\n+", text)
    plain = [n for n, block in enumerate(blocks) if "```" not in block and "~~~" not in block]
    if plain and "```" not in text and "~~~" not in text:
        n = rng.choice(plain)
        blocks[n] = f"```\n{blocks[n]}\n```"
    return "\n\n".join(blocks)


_WHOLE_FENCE = re.compile(r"(?ms)^(```|~~~)[a-z]*\n(.*?)^\1$\n?")


def fence_out(_: Random, text: str) -> str:
    return _WHOLE_FENCE.sub("", text, count=1)


def fence_off(_: Random, text: str) -> str:
    return _WHOLE_FENCE.sub(r"\2", text, count=1)


def wrapper(rng: Random, text: str) -> str:
    """What a model puts around its whole answer."""
    body = text.rstrip("\n")
    around = (
        "```markdown\n{}\n```",
        "Here is the improved prompt:\n\n{}",
        "Here is the improved prompt:\n\n```\n{}\n```\n\nLet me know if you want me to change anything.",
        "<prompt>\n{}\n</prompt>",
        "{}\n\n---\n\nI made the rules shorter and added a closing.",
        '"{}"',
    )
    return rng.choice(around).format(body) + "\n" if "```" not in body else text


# Dialogue


def turn_in(rng: Random, text: str) -> str:
    lines = text.split("\n")
    turns = [at for at, line in enumerate(lines) if re.match(r"(?:> )?[A-Z][a-z]+: ", line)]
    if not turns:
        return text
    at = rng.choice(turns)
    hit = re.match(r"(?:> )?[A-Z][a-z]+: ", lines[at])
    assert hit
    lines.insert(at + rng.randint(0, 1), hit.group() + sentence(rng))
    return "\n".join(lines)


def turn_out(rng: Random, text: str) -> str:
    lines = text.split("\n")
    turns = [at for at, line in enumerate(lines) if re.match(r"(?:> )?[A-Z][a-z]+: ", line)]
    if turns:
        del lines[rng.choice(turns)]
    return "\n".join(lines)


def rewritten(rng: Random, _: str) -> str:
    """Another prompt altogether."""
    return prompt(rng).replace("\r\n", "\n")


WORDED: tuple[Edit, ...] = (
    *(rule_in, rule_in, rule_in, rule_out, rule_out, rule_moved, rule_moved, rule_reworded, rule_reworded),
    *(rule_split, rules_joined, list_restarted, rule_nested, sentence_in, sentence_in, sentence_out),
    *(sentence_reworded, sentence_reworded, sentence_moved, paragraph_in, paragraph_out, paragraph_moved),
    *(paragraph_split, section_in, section_out, section_moved, heading_in, heading_out, heading_reworded),
    *(paragraph_to_list, list_to_paragraph, bullets_to_numbers, numbers_to_bullets, row_in, row_out, cell_reworded),
    *(column_in, column_out, table_in, table_out, table_to_list, tags_around, tags_off, tags_out, tags_in),
    *(tags_renamed, comment_in, comment_around, comment_out, comment_off, fence_in, fence_around, fence_out),
    *(fence_off, turn_in, turn_out),
)
"""Edits of some place, the commonest several times."""
RESTYLED: tuple[Edit, ...] = (
    *(titles_restyled, typographic, dashes, emphasis, thematic_breaks, bullets_restyled, trailing_spaces, reflowed),
    *(gaps_between_items, gaps_after_headings, numbers_restyled, tags_for_titles),
)
"""Edits of all the text, which leave its words."""


def version(rng: Random, text: str, most: int = 6) -> tuple[str, tuple[str, ...]]:
    """Another version of a text by one to `most` edits, and their names; line ends may change as well."""
    is_crlf = "\r\n" in text
    text = text.replace("\r\n", "\n")
    names = []
    for edit in _chosen(rng, most):
        new = edit(rng, text)
        if new != text:
            names.append(edit.__name__)
            text = new
    if rng.random() < 0.05:
        is_crlf = not is_crlf
        names.append("line_ends")
    return text.replace("\n", "\r\n") if is_crlf else text, tuple(names)


def _chosen(rng: Random, most: int) -> Iterator[Edit]:
    for _ in range(rng.randint(1, most)):
        yield rng.choice(WORDED)
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        yield rng.choice(RESTYLED)
    if rng.random() < 0.02:
        yield rewritten
    if rng.random() < 0.08:
        yield wrapper


def prompt(rng: Random) -> str:
    """A prompt to begin with: one of its own making, or lines of one of those in `tests/prose/cases`."""
    text = document(rng) if rng.random() < 0.6 else excerpt(rng)
    return text.replace("\n", "\r\n") if rng.random() < 0.05 else text
