"""Detect text that a model put around its whole answer: a fence, tags, quotation marks, or remarks before or after the
answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import accumulate, islice, pairwise

from cekura_tui.prose.formatting import fence_mark

_BETTER = (
    r"(?:improved|revised|updated|optimi[sz]ed|enhanced|refined|rewritten|reworked|polished|expanded|"
    r"verbessert\w*|überarbeitet\w*|optimiert\w*|mejorad\w|revisad\w|optimizad\w|amélior\w+|révis\w+|migliorat\w|rivist\w|"
    r"aprimorad\w|melhorad\w)"
)
_WHAT = r"(?:prompt\w*|version\w*|versión|versão|instructions|anweisung\w*|entwurf|fassung|system message)"
_NAMED = re.compile(rf"\b{_BETTER}\b(?: [\w-]+){{0,4}} {_WHAT}\b(?! of (?!(?:the|your|this) prompt))", re.IGNORECASE)
_YOURS = re.compile(
    rf"\W{{0,3}}(?:the|your|a|deine[srm]?|ihre[srm]?|tu|votre|il tuo) (?:[\w-]+ ){{0,3}}{_WHAT}\b", re.IGNORECASE
)
_HEADED = re.compile(rf"[#*_\s]*(?:(?:\w+ ){{0,3}}{_BETTER} (?:\w+ ){{0,4}}{_WHAT}|prompt)[:*_\s]*", re.IGNORECASE)
_INTRODUCES = re.compile(
    r"[#*_\s]*(?:sure|certainly|absolutely|of course|okay|ok|happy to|here(?:['’]s| is| are)|here you go|below is the|"
    r"i(?:['’]ve| have)? (?:made|rewrote|updated|rewritten|reviewed|improved|tightened|expanded)|"
    r"gerne|natürlich|klar|hier (?:ist|kommt)|ich habe|¡?claro|por supuesto|aquí (?:está|tienes?)|a continuación|"
    r"aqui está|voici|bien sûr|avec plaisir|ecco|certo|di seguito)\b",
    re.IGNORECASE,
)
_OFFERS = re.compile(
    r"[#*_\s]*(?:let me know|feel free to|(?:would you like|do you want|want) me to|if you(?:['’]d| would) like,? i|"
    r"sag(?:en sie)? (?:mir )?bescheid|lass(?:en sie)? (?:es )?mich wissen|soll ich|avísame|dime si|"
    r"n['’]hésitez pas|dites-moi si|fammi sapere)\b",
    re.IGNORECASE,
)
_OF_PROMPTS = re.compile(
    r"\b(?:prompts?|versions?|changes|adjust\w*|tweak\w*|revis\w*|rewrit\w*|refine\w*|shorter|longer|examples?|"
    r"translat\w*|tailor\w*|fassung|änder\w*|beispiel\w*|versión|ejemplos?|exemples?)\b",
    re.IGNORECASE,
)
"""Words that show that an offer ("Let me know …") is made to the author of the prompt, not to a caller."""
_CHANGES = re.compile(
    r"[#*_\s]*(?:(?:key|main|summary of|list of|overview of)(?: the)? )?(?:\w+ )?"
    r"(?:changes|improvements|edits|notes?|rationale|explanation|änderungen|cambios|modifications|modifiche)"
    r"(?: (?:i )?made)?[:*_\s]*|[#*_\s]*what (?:i )?changed(?: and why)?[:*_\s]*|"
    r"[#*_\s]*why (?:this works|these changes)[:*_\s]*",
    re.IGNORECASE,
)
"""Matches the heading of a list of changes, such as "Key changes made:"."""
_SELF = re.compile(
    r"[#*_\s]*(?:i(?:['’]ve| have| also)? (?:made|kept|removed|added|changed|rewrote|restructured|tightened)\b|"
    r"this (?:version|revision|revised|updated|improved)\b|(?:i )?hope (?:this|that|it) helps)",
    re.IGNORECASE,
)
_NAMES = re.compile(
    r"(?:\w+[_-])?prompt|(?:improved|revised|updated|new)[_-]?\w*|instructions|output|answer|response|result|antwort",
    re.IGNORECASE,
)
_THOUGHTS = re.compile(r"\s*<(think|thinking|reasoning|analysis|scratchpad)>", re.IGNORECASE)
_OPENS = re.compile(r"\s*<([A-Za-z][\w:.-]{0,60})(?:\s[^<>\n]{0,200})?>[^\S\n]*\n?")
_LANGUAGES = frozenset(("markdown", "md", "text", "txt", "plaintext", "plain", "xml", "html", "yaml"))
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "'": "'", "‘": "’", "「": "」"}
_BLOCK = re.compile(r"\s*(?:`{3}|~{3}|-{3,}[^\S\n]*\n|<\w*prompt\w*>)")
_RULE = re.compile(r"\s*(?:-{3,}|\*{3,}|_{3,}|={3,})[^\S\n]*(?:\n|$)")
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")
_SPOKEN, _PARAGRAPHS, _LAYERS = 120, 4, 12
"""Most words of an introduction, most paragraphs of an introduction, and most layers around an answer."""
_REMARK_START = 5_000
"""A closing remark begins within this many characters before the end of the text."""


@dataclass(frozen=True, slots=True)
class Wrapper:
    """The texts `before` and `behind` an answer. `tail` is white space after `behind` that belongs to the answer.
    `note` describes the wrapper in a sentence; "" if there is no wrapper."""

    before: str = ""
    behind: str = ""
    tail: str = ""
    note: str = ""

    def inner(self, text: str) -> str:
        """The proposed text without the wrapper."""
        end = len(text) - len(self.tail)
        return text[len(self.before) : end - len(self.behind)] + text[end:]


def wrapper_of(sent: str, proposed: str) -> Wrapper:
    """Find the wrapper around a proposed prompt. Lines that are also in the sent prompt are never part of a wrapper."""
    peeled = _Peeling(sent, proposed)
    peeled.run()
    bare = proposed[peeled.start : peeled.end].strip()
    if not peeled.notes or not bare:
        return Wrapper()
    start = proposed.index(bare, peeled.start)
    end = start + len(bare)
    lead, tail = sent[: len(sent) - len(sent.lstrip())], sent[len(sent.rstrip()) :]
    before, rest = proposed[:start], proposed[end:]
    note = f"the answer {' and '.join(peeled.notes)}"
    # Leave the answer the trailing white space of the sent prompt, if it is there.
    kept = next((n for n in range(min(len(rest), 2 * len(tail)) + 1) if _is_same_space(rest[:n], tail)), -1)
    if kept >= 0:
        return Wrapper(before.removesuffix(lead), rest[kept:], "", note)
    ends = range(max(len(rest) - 2 * len(tail), 0), len(rest))
    last = next((n for n in ends if _is_same_space(rest[n:], tail)), len(rest))
    return Wrapper(before.removesuffix(lead), rest[:last], rest[last:], note)


def _is_same_space(text: str, space: str) -> bool:
    return text.replace("\r\n", "\n") == space.replace("\r\n", "\n")


@dataclass
class _Peeling:
    """Strips layers off the proposed `text` until [start, end) is left; lines of the sent prompt stay."""

    sent: str
    text: str
    start: int = 0
    end: int = 0
    notes: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Strip layers until no layer is found. After a fence or tags, strip only further fences and tags."""
        self.end = len(self.text)
        self._lines = {" ".join(line.split()) for line in self.sent.splitlines()}
        self._begins_fenced = bool(fence_mark(self.sent.lstrip().partition("\n")[0]))
        outer = (self._thoughts, self._introduction, self._remark, self._rule, self._quotes)
        is_enclosed = False
        for _ in range(_LAYERS):
            if not self.text[self.start : self.end].strip():
                break
            if self._fence() or self._tags():
                is_enclosed = True
            elif is_enclosed or not any(layer() for layer in outer):
                break

    def _take(self, start: int, end: int, note: str) -> bool:
        """Strip everything outside [start, end) and return True. If this would strip a line of the sent prompt, or
        leave only white space, change nothing and return False. `note` describes the stripped layer."""
        outside = self.text[self.start : start] + "\n" + self.text[end : self.end]
        # Lines without letters may occur in both texts.
        lines = (line for line in outside.splitlines() if any(map(str.isalnum, line)) and not fence_mark(line))
        if any(" ".join(line.split()) in self._lines for line in lines) or not self.text[start:end].strip():
            return False
        self.start, self.end = start, end
        if note and note not in self.notes:
            self.notes.append(note)
        return True

    def _thoughts(self) -> bool:
        opened = _THOUGHTS.match(self.text, self.start, self.end)
        end = self.text.find(f"</{opened.group(1)}>", opened.end(), self.end) if opened else -1
        if opened is None or end < 0 or f"<{opened.group(1)}>" in self.sent:
            return False
        end += len(opened.group(1)) + 3
        return bool(_BLOCK.match(self.text[end : end + 200])) and self._take(end, self.end, _REMARKS)

    def _fence(self) -> bool:
        lines = self.text[self.start : self.end].splitlines(keepends=True)
        first = next((n for n, line in enumerate(lines) if line.strip()), 0)
        fence = fence_mark(lines[first])
        language = lines[first].strip().lstrip("`~").strip().lower().partition(" ")[0]
        is_text = language in _LANGUAGES or "prompt" in language
        if not fence or self._begins_fenced or not (is_text or not language):
            return False
        shut = [n for n in range(first + 1, len(lines)) if lines[n].strip() == fence]
        inside = [n for n in range(first + 1, len(lines)) if fence_mark(lines[n])]
        if not shut or len(inside) % 2 == 0 or inside[-1] != shut[-1] or (len(shut) > 1 and not is_text):
            return False  # not the outermost fence
        sent = [line.strip() for line in self.sent.splitlines()]
        if any(fence_mark(line) and following == lines[first + 1].strip() for line, following in pairwise(sent)):
            return False  # the sent prompt has this fence, too
        offsets = [0, *accumulate(map(len, lines))]
        start, end = self.start + offsets[first + 1], self.start + offsets[shut[-1]]
        behind = self.text[self.start + offsets[shut[-1] + 1] : self.end]
        may_follow = len(behind) < end - start and (is_text or self._is_remark(behind))
        return may_follow and self._take(start, end, "is wrapped in a code fence")

    def _tags(self) -> bool:
        opened = _OPENS.match(self.text, self.start, self.end)
        if opened is None or not _NAMES.fullmatch(name := opened.group(1)) or f"<{name}" in self.sent:
            return False
        end = self.text.find(f"</{name}", opened.end(), self.end)
        shut = self.text.find(">", end, self.end) + 1 if end >= 0 else 0
        if not shut or not self._is_remark(self.text[shut : self.end]):
            return False
        return self._take(opened.end(), end, f"is wrapped in <{name}> tags")

    def _is_remark(self, text: str) -> bool:
        """Whether a text is empty or a model's comment on the answer. After the first line, a comment has no headings,
        except the heading of a list of changes."""
        lines = [line for line in text.splitlines() if line.strip() and not _RULE.fullmatch(line)]
        if not lines:
            return True
        first = lines[0].strip()
        paragraph = _PARAGRAPH.split(text.strip(), maxsplit=1)[0]
        offers = _OFFERS.match(first) and (self.notes or _OF_PROMPTS.search(paragraph))
        lists = _CHANGES.match(first) if self.notes and not first.startswith("#") else _CHANGES.fullmatch(first)
        speaks = lists or _SELF.match(first) or offers
        titles = [line for line in lines[1:] if line.startswith("#") and not _CHANGES.fullmatch(line.strip())]
        return bool(speaks or (self.notes and first.endswith("?"))) and not titles

    def _quotes(self) -> bool:
        rest, bare = self.text[self.start : self.end].strip(), self.sent.strip()
        mark = rest[:3] if rest[:3] in ('"""', "'''") else rest[0]
        closing = mark if len(mark) == 3 else _QUOTES.get(mark, "")
        if not closing or not rest.endswith(closing) or len(rest) < 2 * len(mark) + 1 or bare.startswith(mark):
            return False
        inner = rest[len(mark) : -len(closing)]
        if mark == closing:
            again = inner.find(mark)
            # The next mark opens a second quotation, or ends one that the text begins with.
            is_other = again >= 0 and (again == 0 or not inner[again - 1].isspace())
            if is_other or (len(mark) == 1 and inner.count(mark) % 2):
                return False
        elif (shut := inner.find(closing)) >= 0 and mark not in inner[:shut]:
            return False
        start = self.text.index(mark, self.start) + len(mark)
        return self._take(start, self.text.rindex(closing, start, self.end), "is wrapped in quotation marks")

    def _introduction(self) -> bool:
        """Strip the first paragraphs up to the one that introduces the answer; of that paragraph, perhaps only the
        first line. Returns whether anything was stripped."""
        rest = self.text[self.start : self.start + 20 * _SPOKEN]
        lead = len(rest) - len(rest.lstrip())
        ends = [found.end() for found in islice(_PARAGRAPH.finditer(rest, lead), _PARAGRAPHS)]
        begin = lead
        for end in ends or [len(rest)]:
            paragraph = rest[begin:end].strip()
            lines = paragraph.split("\n")
            if len(lines) > 1 and (_BLOCK.match(lines[1]) or lines[0].rstrip("*_ ").endswith((":", "："))):
                end, paragraph = begin + len(lines[0]) + 1, lines[0].strip()  # the answer follows without an empty line
            if len(rest[lead:end].split()) > _SPOKEN:
                break
            if self._introduces(paragraph, rest[end:]) and self._take(self.start + end, self.end, _REMARKS):
                return True
            begin = end
        return False

    def _introduces(self, paragraph: str, rest: str) -> bool:
        ends_open, is_before_block = paragraph.rstrip("*_ ")[-1:] in ":：", _BLOCK.match(rest) is not None
        if _HEADED.fullmatch(paragraph):
            begins = self.sent.strip().partition("\n")[0].strip() == rest.strip().partition("\n")[0].strip()
            return bool(self.notes) or ends_open or is_before_block or begins
        speaks = _INTRODUCES.match(paragraph)
        names = _NAMED.search(paragraph) or (speaks and _YOURS.match(paragraph, speaks.end()))
        is_before_block = is_before_block and not self._begins_fenced
        return bool((names and (ends_open or is_before_block)) or (speaks and is_before_block))

    def _remark(self) -> bool:
        """Strip the end of the text from the model's first remark on; returns whether anything was stripped."""
        start = max(self.start + (self.end - self.start) // 3, self.end - _REMARK_START)
        for found in _PARAGRAPH.finditer(self.text, start, self.end):
            behind = self.text[found.end() : self.end]
            if not any(map(str.isalnum, behind)) or not self._is_remark(behind):
                continue
            last = self.text[self.start : found.start()].rpartition("\n")[2]
            if self.notes or _RULE.fullmatch(last) or self.text[found.start() : self.end].count("\n\n") < 2:
                return self._take(self.start, found.end(), _REMARKS)
        return False

    def _rule(self) -> bool:
        """Strip the rule between the answer and a stripped remark; returns whether anything was stripped."""
        if not self.notes:
            return False
        if (first := _RULE.match(self.text, self.start, self.end)) and not _RULE.match(self.sent):
            return self._take(first.end(), self.end, "")
        rest = self.text[self.start : self.end].rstrip()
        last = rest.rpartition("\n")[2]
        is_apart = rest.removesuffix(last).endswith(("\n\n", "\n\r\n"))  # else it underlines a heading
        if is_apart and _RULE.fullmatch(last) and not _RULE.fullmatch(self.sent.rstrip().rpartition("\n")[2]):
            return self._take(self.start, self.start + len(rest) - len(last), "")
        return False


_REMARKS = "comes with remarks by the model"
