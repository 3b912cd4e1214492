"""No text holds a banned word: on screens, in errors, in `--help` and the manual, in docstrings, comments and names.
`readable_strings` finds the texts for users by rules, not by a list of places."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

_REPO = Path(__file__).parents[1]
_PACKAGE = _REPO / "cekura_tui"
_PAGES = ("README.md", "CHANGELOG.md", "styles/README.md")
_MANUAL = sorted(str(path.relative_to(_REPO)) for path in _PACKAGE.glob("manual/*.md"))

LEAST_STRINGS = 1_500
"""Strings that must be found at least; the package has some 2,800."""
LEAST_TEXTS = 20_000
"""Docstrings, comments and defined names that must be found at least; there are some 64,000."""
LEAST_LINES = 200
"""Lines of prose in the pages that must be found at least."""

RIDDLES = [
    *(r"told", r"(?<!can't )tell(s|ing)?", r"wish(es|ed|ing)?", r"anew", r"(stand(?!.in\b)|stands|stood)"),
    *(r"somebody", r"nobody", r"whoever", r"by (itself|themselves)", r"what there is", r"that of", r"of which"),
    *(r"those (that|of|who|which)", r"the same,? of", r"so many (\w+ ){1,2}as", r"(take|takes|took|taken) away"),
    r"(let|lets) go",
]
"""Words and phrases that stop readers anywhere; in names, each `_` is a space."""
BANNED = [
    *RIDDLES,
    # words that make a user stop
    *(r"onto", r"alike"),
    # phrases that have to be decoded
    *(r"(go|goes|going|went) on", r"all the same", r"(come|comes|came) (and|or) (go|goes|went)", r"looked at"),
    *(r"looks? (again|once more)", r"(is|are|was|were) (not )?read(?!-only)", r"reads? on", r"read back,"),
    *(
        r"as (it was )?got",
        r"(take|takes|took|taken) it",
        r"(take|takes|took) back",
        r"(put|puts) (it|there|back)",
        r"once more",
    ),
    *(r"if you want one", r"cannot be done", r"so far", r"(ask|asks|asked|asking) about", r"(ask|asks|asked) again"),
    *(r"(stop|stops|stopped) asking", r"to the byte", r"(keeps the draft|draft is kept)", r"what (it|the agent) has"),
    *(r"what (has )?ended", r"that pass(es)?", r"(speak|speaks|spoke) of", r"who is shown", r"on along"),
    *(r"(match|pane|evidence|outcome) before", r"nothing of (it|that|this)", r"name (one|runs|it)", r"words? go"),
    *(r"is no (number|time|id|command|link|duration)", r"ha(ve|s) a better prompt proposed"),
    r"embedded (workspace|server)",
]
"""Regular expressions for texts that a user reads, matched at word boundaries without regard to case."""
_BANNED = re.compile(rf"\b({'|'.join(BANNED)})(?!\w)", re.IGNORECASE)
_RIDDLES = re.compile(rf"\b({'|'.join(RIDDLES)})(?!\w)", re.IGNORECASE)

NOT_OURS = {
    "demo/agents": "invented prompts and calls",
    "demo/corpus.py": "invented runs",
    "demo/dialogue.py": "invented calls",
    "demo/people.py": "invented callers",
    "demo/facts.py": "invented runs",
    "demo/answers.py": "answers as the vendor's server words them",
    "demo/evaluation.py": "explanations as the vendor's metrics word them",
    "demo/improver.py": "summaries as the vendor's job words them",
}
"""Files with invented content of the demo, and what it is."""

_SQL = re.compile(r"\s*(-- |(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|PRAGMA|BEGIN|DROP|WITH|WHERE|FROM|ORDER|JOIN)\b)")
_CSS = re.compile(r"\{\s*(&|[\w-]+\s*:)[^}]*\}")


@dataclass(frozen=True)
class Readable:
    """A text with its file, relative to the repository, and its line from 1."""

    file: str
    line: int
    text: str

    def banned(self, words: re.Pattern[str] = _BANNED) -> Iterator[str]:
        """The banned words in it, as lines of a failure."""
        for found in words.finditer(self.text):
            around = " ".join(self.text[max(0, found.start() - 40) : found.end() + 40].split())
            line = self.line + self.text.count("\n", 0, found.start())
            yield f"{self.file}:{line}: “{found[0]}” in “{around}”"


def readable_strings(path: Path) -> Iterator[Readable]:
    """The strings of a module that users can read.

    A string counts if it has a space between words or is one capitalised word; values in f-strings become `{}`.
    Docstrings count only if `--help` or `schema` prints them. SQL, CSS, regular expressions and lists of words to
    split do not count.
    """
    code = path.read_text(encoding="utf-8")
    tree = ast.parse(code)
    shapes, nodes = "use_attribute_docstrings=True" in code, list(ast.walk(tree))
    left_out: set[ast.AST] = set()
    printed: set[ast.AST] = set()
    split: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.FunctionDef) and any(_is_command(one) for one in node.decorator_list):
            printed |= {one.value for one in node.body[:1] if isinstance(one, ast.Expr)}
        elif isinstance(node, ast.ClassDef) and shapes:
            printed |= {one.value for one in node.body if isinstance(one, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Expr) and node.value not in printed:
            left_out |= {node.value} if isinstance(node.value, ast.Constant) else set()
        elif isinstance(node, ast.JoinedStr):
            left_out.update(node.values)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if isinstance(node.func.value, ast.Name) and node.func.value.id == "re":
                left_out.update(node.args)
            elif node.func.attr == "split":
                left_out.add(node.func.value)
                split |= {node.func.value.id} if isinstance(node.func.value, ast.Name) else set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in split:
            left_out.add(node.value)
    file = str(path.relative_to(_REPO))
    for node in nodes:
        text = None if node in left_out else _text(node)
        if text is not None and _is_read(text):
            assert isinstance(node, ast.expr)
            yield Readable(file, node.lineno, text)


def _is_command(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Attribute) and called.attr in ("command", "group")


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.JoinedStr):
        return "".join(one.value if isinstance(one, ast.Constant) else "{}" for one in node.values)  # type: ignore[misc]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_read(text: str) -> bool:
    if _SQL.match(text) or _CSS.search(text) or "(?:" in text:
        return False
    return bool(re.search(r"\w\W*\s+\W*\w", text) or re.fullmatch(r"\W*[A-Z][a-z]+\W*", text))


def package_strings() -> list[Readable]:
    """All strings of the program that users can read."""
    files = sorted(path for path in _PACKAGE.rglob("*.py") if not _is_content(path))
    return [one for path in files for one in readable_strings(path)]


def _is_content(path: Path) -> bool:
    return any(path.is_relative_to(_PACKAGE / place) for place in NOT_OURS)


def page_lines(name: str) -> list[Readable]:
    """The prose of a page: its paragraphs, lists and tables without blocks and pieces of code."""
    text = (_REPO / name).read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```", lambda block: "\n" * block[0].count("\n"), text, flags=re.MULTILINE | re.DOTALL)
    # One paragraph is one string, so that a phrase is found across its lines.
    found: list[Readable] = []
    for paragraph in re.finditer(r"(?:^.*\S.*\n)+", text, re.MULTILINE):
        line = text.count("\n", 0, paragraph.start()) + 1
        found.append(Readable(name, line, re.sub(r"`[^`\n]*`", "``", paragraph[0])))
    return found


def test_no_string_of_the_program_holds_a_banned_word() -> None:
    strings = package_strings()
    assert len(strings) >= LEAST_STRINGS
    found = [line for one in strings for line in one.banned()]
    assert not found, f"{len(found)} of {len(strings):,} strings:\n" + "\n".join(found)


def test_no_page_holds_a_banned_word() -> None:
    lines = [one for name in (*_PAGES, *_MANUAL) for one in page_lines(name)]
    assert sum(one.text.count("\n") for one in lines) >= LEAST_LINES
    found = [line for one in lines for line in one.banned()]
    assert not found, "\n".join(found)


def texts_of_the_code(path: Path) -> Iterator[Readable]:
    """The docstrings and comments of a module and the names that it defines, in words."""
    code, file = path.read_text(encoding="utf-8"), str(path.relative_to(_REPO))
    for comment in re.finditer(r"(?:^|\s)#.*", code, re.MULTILINE):
        yield Readable(file, code.count("\n", 0, comment.end()) + 1, comment[0])
    for node in ast.walk(ast.parse(code)):
        name = ""
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield Readable(file, node.lineno, " ".join(node.value.value.split()))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            name = node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            name = node.attr
        elif isinstance(node, ast.arg):
            name = node.arg
        if name:
            yield Readable(file, node.lineno, re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " "))  # type: ignore[attr-defined]


def test_no_docstring_comment_or_name_holds_a_riddle() -> None:
    files = [path for folder in ("cekura_tui", "tests", "screenshots") for path in (_REPO / folder).rglob("*.py")]
    texts = [one for path in files for one in texts_of_the_code(path)]
    assert len(texts) >= LEAST_TEXTS
    found = [line for one in texts for line in one.banned(_RIDDLES)]
    assert not found, f"{len(found)} of {len(texts):,} texts:\n" + "\n".join(found)


def test_every_file_that_is_left_out_exists() -> None:
    assert [place for place in NOT_OURS if not (_PACKAGE / place).exists()] == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('x = "Read it anew"', ["Read it anew"]),
        ('x = f"Job {n} goes on"', ["Job {} goes on"]),
        ("x = f\"Read anew: {'told' if n else 'told of it'}\"", ["Read anew: {}", "told of it"]),
        ('x = ("Job 1 "\n    "goes on")', ["Job 1 goes on"]),
        ('x = "Anew"', ["Anew"]),
        ('"""Told of nobody."""\ndef f() -> None:\n    """Told again."""', []),
        ('@jobs.command("list")\ndef f() -> None:\n    """List jobs anew."""', ["List jobs anew."]),
        ('x = "told_of"\ny = "SELECT told FROM x"\nz = "a b c".split()', []),
        ('A = "a b c"\nB = A.split()\nC = "a b c"', ["a b c"]),
        ('import re\nx = re.compile("he told me")', []),
        ('class A:\n    CSS = "Screen { color: red; }"', []),
    ],
)
def test_readable_strings_are_found_and_no_others(
    code: str, found: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}._REPO", tmp_path)
    (tmp_path / "one.py").write_text(code, encoding="utf-8")
    assert [one.text for one in readable_strings(tmp_path / "one.py")] == found
