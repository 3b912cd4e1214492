"""Detect text that a model put around its whole answer: a fence, tags, quotation marks, or remarks before or after the
answer. Decode an answer that is quoted line by line, indented, or JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import islice, pairwise

from cekura_tui.prose.formatting import fence_mark

_BETTER = (
    r"(?:improved|revised|updated|optimi[sz]ed|enhanced|refined|rewritten|reworked|polished|expanded|"
    r"verbessert\w*|überarbeitet\w*|optimiert\w*|mejorad\w|revisad\w|optimizad\w|amélior\w+|révis\w+|migliorat\w|rivist\w|"
    r"aprimorad\w|melhorad\w)"
)
_WHAT = r"(?:prompt\w*|version\w*|versión|versão|instructions|anweisung\w*|entwurf|fassung|system message)"
_NAMED = re.compile(rf"(?i)\b{_BETTER}\b(?: [\w-]+){{0,4}} {_WHAT}\b(?! of (?!(?:the|your|this) prompt))")
_YOURS = re.compile(rf"(?i)\W{{0,3}}(?:the|your|a|deine[srm]?|ihre[srm]?|tu|votre|il tuo) (?:[\w-]+ ){{0,3}}{_WHAT}\b")
_HEADED = re.compile(rf"(?i)[#*_\s]*(?:(?:\w+ ){{0,3}}{_BETTER} (?:\w+ ){{0,4}}{_WHAT}|prompt)[:*_\s]*")
_INTRODUCES = re.compile(
    r"(?i)[#*_\s]*(?:sure|certainly|absolutely|of course|okay|ok|happy to|here(?:['’]s| is| are)|here you go|"
    r"below is the|i(?:['’]ve| have)? (?:made|rewrote|updated|rewritten|reviewed|improved|tightened|expanded)|"
    r"gerne|natürlich|klar|hier (?:ist|kommt)|ich habe|¡?claro|por supuesto|aquí (?:está|tienes?)|a continuación|"
    r"aqui está|voici|bien sûr|avec plaisir|ecco|certo|di seguito)\b"
)
_OFFERS = re.compile(
    r"(?i)[#*_\s]*(?:let me know|feel free to|(?:would you like|do you want|want) me to|"
    r"if you(?:['’]d| would) like,? i|sag(?:en sie)? (?:mir )?bescheid|lass(?:en sie)? (?:es )?mich wissen|"
    r"soll ich|avísame|dime si|n['’]hésitez pas|dites-moi si|fammi sapere)\b"
)
_OF_PROMPTS = re.compile(
    r"(?i)\b(?:prompts?|versions?|changes|adjust\w*|tweak\w*|revis\w*|rewrit\w*|refine\w*|shorter|longer|examples?|"
    r"translat\w*|tailor\w*|fassung|änder\w*|beispiel\w*|versión|ejemplos?|exemples?)\b"
)
"""Words that show that an offer ("Let me know …") is made to the author of the prompt, not to a caller."""
_CHANGES = re.compile(
    r"(?i)[#*_\s]*(?:(?:key|main|summary of|list of|overview of)(?: the)? )?(?:\w+ )?"
    r"(?:changes|improvements|edits|notes?|rationale|explanation|änderungen|cambios|modifications|modifiche)"
    r"(?: (?:i )?made)?[:*_\s]*|[#*_\s]*what (?:i )?changed(?: and why)?[:*_\s]*|"
    r"[#*_\s]*why (?:this works|these changes)[:*_\s]*"
)
"""Matches the heading of a list of changes, such as "Key changes made:"."""
_SELF = re.compile(
    r"(?i)[#*_\s]*(?:i(?:['’]ve| have| also)? (?:made|kept|removed|added|changed|rewrote|restructured|tightened)\b|"
    r"this (?:version|revision|revised|updated|improved)\b|(?:i )?hope (?:this|that|it) helps)"
)
_NAMES = re.compile(
    r"(?i)(?:\w+[_-])?prompt|(?:improved|revised|updated|new)[_-]?\w*|instructions|output|answer|response|result|antwort"
)
_OPENS = re.compile(r"(?is)\s*<([a-z][\w:.-]{0,60})(?:\s[^<>\n]{0,200})?>[^\S\n]*\n?(.*?)</\1[^>]*>")
_TEXT = re.compile(r"(?i)\W*(?:(?:markdown|md|text|txt|plaintext|plain|xml|html|yaml)(?!\S)|\S*prompt)")
_QUOTES = {"“": "”", "„": "“", "«": "»", "‘": "’", "「": "」"} | {mark: mark for mark in ('"', "'", '"""', "'''")}
_JSON, _SHUT = re.compile(r"\s*(?:```json\s*)?(?=([{\"]))"), re.compile(r"\s*```")
_PREFIXES = {"is quoted line by line": "^ {0,3}> ?", "is indented": r"^(?: {4}|\t)"}
_BLOCK = re.compile(r"\s*(?:`{3}|~{3}|>|\{\s*\"|-{3,}[^\S\n]*\n|<\w*prompt\w*>)")
_THOUGHTS = re.compile(rf"(?is)\s*<(think|thinking|reasoning|analysis|scratchpad)>.*?</\1>(?={_BLOCK.pattern})")
_RULE = re.compile(r"\s*(?:-{3,}|\*{3,}|_{3,}|={3,})[^\S\n]*(?:\n|$)")
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")
_REMARKS, _FENCED = "comes with remarks by the model", "is wrapped in a code fence"
_SPOKEN, _PARAGRAPHS, _REMARK, _LAYERS = 120, 4, 5_000, 12
"""Most words and paragraphs of an introduction, most characters of a closing remark, most layers around an answer."""


@dataclass(frozen=True, slots=True)
class Wrapper:
    """The `inner` text of an answer, decoded, and the texts `before` and `behind` it. `tail` is the white space at the
    end of `inner` that is after `behind` in the answer. `note` describes the wrapper in a sentence, and `decoded` how
    the answer was quoted; both are "" if there is nothing to describe."""

    inner: str = ""
    before: str = ""
    behind: str = ""
    tail: str = ""
    note: str = ""
    decoded: str = ""


def wrapper_of(sent: str, proposed: str, *, as_is: bool = False) -> Wrapper:
    """Find the wrapper around a proposed prompt, and decode the prompt unless `as_is`. Lines that are also in the sent
    prompt are never part of a wrapper."""
    peeled = _Peeling(sent, proposed, as_is)
    peeled.run()
    text, bare = peeled.text, peeled.text[peeled.start : peeled.end].strip()
    decoded = f"the answer {' and '.join(peeled.decoded)}, its prompt is compared" if peeled.decoded else ""
    if not peeled.notes:
        return Wrapper(text, decoded=decoded)
    start = text.index(bare, peeled.start)
    lead, tail = sent[: len(sent) - len(sent.lstrip())], sent[len(sent.rstrip()) :]
    before = text[:start].removesuffix(lead)
    # Leave the answer the trailing white space of the sent prompt, if it is there.
    space = r"\r?\n".join(tail.replace("\r\n", "\n").split("\n"))
    rest = re.compile(rf"({space})?(.*?)((?(1)|(?:{space})?))\Z", re.DOTALL).match(text, start + len(bare))
    kept, behind, tail = rest.groups("") if rest else ("", "", "")
    note = f"the answer {' and '.join(dict.fromkeys(peeled.notes))}"
    return Wrapper(text[len(before) : start + len(bare)] + kept + tail, before, behind, tail, note, decoded)


class _Peeling:
    """Strips layers off the proposed `text` until [start, end) is left; lines of the sent prompt stay. `decoded` says
    how the answer was quoted before `text` was decoded."""

    def __init__(self, sent: str, text: str, as_is: bool) -> None:
        self.sent, self.text, self.as_is = sent, text, as_is
        self.start, self.end = 0, len(text)
        self.notes: list[str] = []
        self.decoded: list[str] = []
        self._sent = [" ".join(line.split()) for line in sent.splitlines() if line.strip()]
        self._lines = frozenset(self._sent)
        self._fences = [n for n, line in enumerate(self._sent) if fence_mark(line)]

    def run(self) -> None:
        """Strip layers until no layer is found. After a fence or tags, strip only further fences and tags."""
        outer = (self._thoughts, self._introduction, self._remark, self._rule, self._quotes)
        is_enclosed = False
        for _ in range(_LAYERS if self.text.strip() else 0):
            if self._quoting():
                is_enclosed = is_enclosed or bool(self.notes)
            elif self._fence() or self._tags():
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
        self.notes += [note] if note else []
        return True

    def _thoughts(self) -> bool:
        found = _THOUGHTS.match(self.text, self.start, self.end)
        return bool(found and f"<{found[1]}>" not in self.sent and self._take(found.end(), self.end, _REMARKS))

    def _fence(self) -> bool:
        begin = self.end - len(self.text[self.start : self.end].lstrip())
        lines = self.text[begin : self.end].splitlines(keepends=True)
        fence, following = fence_mark(lines[0]), " ".join("".join(lines[1:2]).split())
        is_text = _TEXT.match(lines[0][:200])
        had = len(self._fences)
        begins_alike = self._fences[:1] == [0] and not fence_mark(following)  # only the end may be the model's
        has_fence = any(fence_mark(line) and after == following for line, after in pairwise(self._sent))
        if not fence or (had > 1 if begins_alike else has_fence) or not (is_text or lines[0].strip() == fence):
            return False
        inside = [n for n in range(1, len(lines)) if fence_mark(lines[n]).startswith(fence)]
        has, sent_end = len(inside), len(self._sent) - 1
        top = lines[1 : max(2, (inside or [len(lines)])[0])]
        begins = 2 * len(top) > len(lines) or any(" ".join(line.split()) in self._lines for line in top)
        is_open = has % 2 == had % 2 == 0 or (has == had and not begins_alike and self._fences[-1] == sent_end)
        if has and lines[inside[-1]].strip() == fence and not is_open and (is_text or begins or has == 1):
            inner, behind = "".join(lines[1 : inside[-1]]), "".join(lines[inside[-1] + 1 :])
            is_end = len(behind) < len(inner) and (((is_text or begins) and had % 2 == 0) or self._is_remark(behind))
            start, end = self.start if begins_alike else begin + len(lines[0]), begin + len(lines[0] + inner)
            if is_end and self._take(start, end, _FENCED):
                return True
        may_open = not begins_alike and (is_open or had % 2 == 1) and (begins or bool(had % 2 == 0 and is_text))
        return may_open and self._take(begin + len(lines[0]), self.end, _FENCED)

    def _quoting(self) -> bool:
        """Decode an answer that is quoted line by line, indented, or JSON, unless the sent prompt begins like that."""
        start = self.text.rfind("\n", 0, self.start) + 1
        for note, prefix in _PREFIXES.items():
            lines = re.compile(rf"(?m)\s*(?={prefix})(?:{prefix}.*\n?|^[^\S\n]*\n)+")
            found = None if lines.match(self.sent) else lines.match(self.text, start, self.end)
            if found and self._decode(start, found.end(), re.sub(f"(?m){prefix}", "", found[0]), note):
                return True
        opened, own = _JSON.match(self.text, self.start, self.end), _JSON.match(self.sent)
        if not opened or (own and own[1] == opened[1]):
            return False
        try:
            value, end = json.JSONDecoder().raw_decode(self.text, opened.end())
        except (ValueError, RecursionError):
            return False
        if isinstance(value, str):
            value = {"prompt": value} if "\\" in self.text[opened.end() : end] else {}  # else in quotation marks
        end = shut.end() if (shut := _SHUT.match(self.text, end, self.end)) else end
        named = {text for name, text in value.items() if isinstance(text, str) and "prompt" in name.lower()}
        named -= {self.sent} if len(named) > 1 else set()
        return len(named) == 1 and self._decode(self.start, end, named.pop(), "is JSON")

    def _decode(self, start: int, end: int, decoded: str, note: str) -> bool:
        behind = self.text[end : self.end]
        rest = behind.strip()  # behind an answer that is quoted, a short paragraph can hardly be a part of the prompt
        is_short = 3 * len(rest) < len(decoded) and rest[:1].isalnum() and not _PARAGRAPH.search(rest)
        if self.as_is or not decoded.strip() or not (is_short or self._is_remark(behind)):
            return False
        end = end if behind.strip() else self.end
        if not self._take(start, end, _REMARKS if behind.strip() else ""):
            return False
        self.text = self.text[:start] + decoded + self.text[end:]
        self.end = start + len(decoded)
        self.decoded.append(note)
        return True

    def _tags(self) -> bool:
        found = _OPENS.match(self.text, self.start, self.end)
        if not found or not _NAMES.fullmatch(found[1]) or f"<{found[1]}" in self.sent:
            return False
        is_end = self._is_remark(self.text[found.end() : self.end])
        return is_end and self._take(*found.span(2), f"is wrapped in <{found[1]}> tags")

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
        rest = self.text[self.start : self.end].strip()
        mark = rest[:3] if rest[:3] in _QUOTES else rest[0]
        closing = _QUOTES.get(mark, "\0")
        inner = rest[len(mark) : -len(closing)]
        before, again, _ = inner.partition(closing)
        # The next mark opens a second quotation, or ends one that the text begins with.
        is_other = bool(again) and not (before[-1:].isspace() if mark == closing else mark in before)
        is_odd = mark == closing and len(mark) == 1 and inner.count(mark) % 2 == 1
        has_both = bool(inner) and rest.endswith(closing)
        if is_other or is_odd or not has_both or self.sent.lstrip().startswith(mark):
            return False
        start = self.text.index(mark, self.start) + len(mark)
        return self._take(start, start + len(inner), "is wrapped in quotation marks")

    def _introduction(self) -> bool:
        """Strip the first paragraphs up to the one that introduces the answer; of that paragraph, perhaps only the
        first line. Returns whether anything was stripped."""
        rest = self.text[self.start : self.start + 20 * _SPOKEN]
        begin = len(rest) - len(rest.lstrip())
        ends = [found.end() for found in islice(_PARAGRAPH.finditer(rest, begin), _PARAGRAPHS)]
        for end in ends or [len(rest)]:
            paragraph = rest[begin:end].strip()
            lines = paragraph.split("\n")
            if len(lines) > 1 and (_BLOCK.match(lines[1]) or lines[0].rstrip("*_ ").endswith((":", "："))):
                end, paragraph = begin + len(lines[0]) + 1, lines[0].strip()  # the answer follows without an empty line
            if len(rest[:end].split()) > _SPOKEN:
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
        is_before_block = is_before_block and self._fences[:1] != [0]
        return bool((names and (ends_open or is_before_block)) or (speaks and is_before_block))

    def _remark(self) -> bool:
        """Strip the end of the text from the model's first remark on; returns whether anything was stripped."""
        start = max(self.start + (self.end - self.start) // 3, self.end - _REMARK)
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
        is_own = is_apart and _RULE.fullmatch(last) and not _RULE.fullmatch(self.sent.rstrip().rpartition("\n")[2])
        return bool(is_own) and self._take(self.start, self.start + len(rest) - len(last), "")
