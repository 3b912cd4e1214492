"""`git apply` and `patch` turn the sent prompt into exactly the proposed prompt."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cekura_tui.model.text import prompt_bytes
from cekura_tui.prose.patch import unified_patch
from cekura_tui.workspace.prompt_files import patch_path

PROGRAMS = {"git": ("git", "apply", "-"), "patch": ("patch", "-p1")}
HARD = [
    *("--- a/0/prompt.md\n", "+++ b/0/prompt.md\n", "-- a/0/prompt.md\n", "++ b/0/prompt.md\n", "@@ -1,1 +1,1 @@\n"),
    *("@ -1,1 +1,1 @@\n", "diff --git a/x b/x\n", "\\ No newline at end of file\n", "Index: x\n", "*** a/x\n", "\n"),
    *("\r\n", " \n", "one\r\n", "one\n", "two\rthree\n", "form\x0cfeed\x0b\x1c\n", "next\x85line\u2028\n", "nul\0\n"),
    "\ufeff日本\ud800\n",
]
ENDS = ["", "one", "\r", "\\ No newline at end of file", "--- a/x", "\x0c"]
PLAIN = [f"Rule {n}.\n" for n in range(40)]


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, str]:
    """A text of difficult lines and a changed version, each with or without a final line end."""
    before = draw(st.lists(st.sampled_from(HARD), max_size=12))
    if draw(st.booleans()):
        before = before + PLAIN + before[::-1]
    after = list(before)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(after)))
        after[at : at + draw(st.integers(0, 3))] = draw(st.lists(st.sampled_from(HARD), max_size=3))
    ends = draw(st.tuples(st.sampled_from(ENDS), st.sampled_from(ENDS)))
    return "".join(before) + ends[0], "".join(after) + ends[1]


LINES = st.lists(st.sampled_from(HARD), max_size=12).map("".join)
PAIRS = edited() | st.tuples(LINES, LINES) | st.tuples(st.text(max_size=30), st.text(max_size=30))


def patched(program: str, files: Mapping[str, str], patch: str, *, repository: bool = False) -> dict[str, bytes]:
    """The contents of all files in a directory after a program has applied the patch there. With `repository`, the
    directory is inside a Git repository. Skips the test if the program is not installed."""
    if shutil.which(program) is None:
        pytest.skip(f"this machine has no {program}")
    with TemporaryDirectory() as place:
        here = Path(place).resolve()
        if repository:
            subprocess.run(("git", "init", "-q", place), check=True)
            here = here / "agents"
            here.mkdir()
        for name, text in files.items():
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            (here / name).write_bytes(prompt_bytes(text))
        settled = {"PATH": os.environ["PATH"], "HOME": place, "LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1"}
        environment = settled | {"GIT_CEILING_DIRECTORIES": str(Path(place).resolve().parent)}
        done = subprocess.run(
            PROGRAMS[program], cwd=here, input=prompt_bytes(patch), capture_output=True, check=False, env=environment
        )
        assert done.returncode == 0, (done.stdout, done.stderr)
        return {str(path.relative_to(here)): path.read_bytes() for path in here.rglob("*") if path.is_file()}


@pytest.mark.parametrize("program", PROGRAMS)
@given(st.lists(PAIRS, min_size=1, max_size=25), st.integers(1, 4))
def test_a_patch_turns_the_sent_text_into_exactly_the_proposed_text(
    program: str, pairs: list[tuple[str, str]], context: int
) -> None:
    names = [f"{n}/prompt.md" for n in range(len(pairs))]
    changed = [(name, pair) for name, pair in zip(names, pairs, strict=True) if pair[0] != pair[1]]
    patch = "".join(unified_patch(old, new, name, context) for name, (old, new) in zip(names, pairs, strict=True))
    if not changed:
        assert patch == ""
        return
    found = patched(program, dict(zip(names, (old for old, _ in pairs), strict=True)), patch)
    assert found == {name: prompt_bytes(new) for name, (_, new) in zip(names, pairs, strict=True)}


SOURCES = {
    "agent": "prompt.md",
    "file, edited": "prompt.md",
    "staged from job 12": "prompt.md",
    "prompts/ava.md, edited": "prompts/ava.md",
    "-": "prompt.md",
    "": "prompt.md",
    "prompts/ava.md": "prompts/ava.md",
    "./prompts//ava.md": "prompts/ava.md",
    "/home/me/ava.md": "ava.md",
    "~/ava.md": "ava.md",
    "../other/ava.md": "ava.md",
    "..": "prompt.md",
    "/dev/stdin": "prompt.md",
    "/dev/fd/63": "prompt.md",
    ".git/config": "prompt.md",
    "a/.GIT ./x": "prompt.md",
    ".github/prompts/ava.md": ".github/prompts/ava.md",
    "Ava's new prompt.md": "Ava's new prompt.md",
    '"ä" 日本 $(x) %s.md': '"ä" 日本 $(x) %s.md',
    "-x.md": "-x.md",
    "C:\\prompts\\ava.md": "prompt.md",
    "a long name that was cut…": "prompt.md",
    "é" * 120: "é" * 120,
    "é" * 120 + "e": "prompt.md",
    "hidden\u202egnp.md": "hidden\u202egnp.md",
    "Prompt at 9.41\u202fAM.md": "Prompt at 9.41\u202fAM.md",
    "prompt\u00a0v2.md": "prompt\u00a0v2.md",
    "caf\udce9.md": "caf\udce9.md",
    "\x1b[31m\ttab.md": "\x1b[31m\ttab.md",
    "line\nend.md": "prompt.md",
    "half \ud800 a character.md": "prompt.md",
    ".g\u200cit/config": "prompt.md",
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_patch_names_the_file_that_the_job_was_launched_with(program: str) -> None:
    assert {source: patch_path(source) for source in SOURCES} == SOURCES
    paths = sorted(set(SOURCES.values()))
    patch = "".join(unified_patch("one\ntwo\n", "one\n2\n", path) for path in paths)
    assert patched(program, dict.fromkeys(paths, "one\ntwo\n"), patch) == dict.fromkeys(paths, b"one\n2\n")


@given(st.text(max_size=20) | st.text("./~gitGIT :-\\ \"'\n\u200c\ud800\udce9", max_size=12))
def test_the_path_in_a_patch_stays_inside_the_directory_for_every_source(source: str) -> None:
    path = patch_path(source)
    assert path
    assert not path.startswith("/")
    assert not {"", ".", "..", ".git", ".GIT", "git~1"} & set(path.split("/"))
    header = unified_patch("one\n", "two\n", path).split("\n")[:2]
    assert all(line.isascii() and line.isprintable() for line in header)


def test_git_applies_a_patch_in_a_subdirectory_of_a_repository() -> None:
    patch = unified_patch("one\n", "two\n", "prompts/ava.md")
    assert patched("git", {"prompts/ava.md": "one\n"}, patch, repository=True) == {"prompts/ava.md": b"two\n"}


def test_a_patch_has_three_context_lines_and_joins_close_changes() -> None:
    lines = [f"{n}\n" for n in range(1, 31)]
    after = list(lines)
    after[9], after[16], after[24:] = "ten\n", "17\r\n", []
    patch = unified_patch("".join(lines), "".join(after), "prompt.md")
    assert [line for line in patch.split("\n") if line[:1] in set("@-+")] == [
        "--- a/prompt.md",
        "+++ b/prompt.md",
        "@@ -7,14 +7,14 @@",
        "-10",
        "+ten",
        "-17",
        "+17\r",
        "@@ -22,9 +22,3 @@",
        *(f"-{n}" for n in range(25, 31)),
    ]
    assert "@@ -1,30 +0,0 @@\n" in unified_patch("".join(lines), "", "prompt.md")


@pytest.mark.parametrize("other", ["x {n}\n", "same\n", "{n}\n\n"], ids=["every line", "equal lines", "empty lines"])
def test_a_long_prompt_is_patched_quickly(other: str) -> None:
    old = "".join(f"{n}\n" if n % 3 else "same\n" for n in range(20_000))
    new = "".join(other.format(n=n) for n in range(20_000))
    began = time.thread_time()
    assert unified_patch(old, new, "prompt.md")
    assert time.thread_time() - began < 2.0  # comparing every line with every other takes minutes
