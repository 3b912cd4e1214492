"""Generate the man pages from the commands and the manual: `python tests/support/man_page.py`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click
from markdown_it import MarkdownIt
from markdown_it.token import Token

PACKAGE = Path(__file__).parents[2] / "cekura_tui"


def pages() -> dict[Path, str]:
    """Roff source of the man pages, by file."""
    from cekura_tui.cli.main import cli

    found = {"cli/cekura-tui.1": _commands_page(cli), "manual/cekura-tui-manual.7": _manual_page()}
    return {PACKAGE / name: "\n".join(lines) + "\n" for name, lines in found.items()}


def _commands_page(cli: click.Group) -> Iterator[str]:
    yield '.\\" Written by tests/support/man_page.py from the commands.'
    yield '.TH CEKURA-TUI 1 "" "cekura_tui" "User Commands"'
    yield from (".SH NAME", r"cekura-tui \- find failed test calls of voice agents, and improve the prompt")
    yield from (".SH SYNOPSIS", ".B cekura-tui", _escaped("[OPTIONS] [RUN_ID | dashboard URL | COMMAND [ARGS]...]"))
    yield from (".SH DESCRIPTION", *_paragraphs(cli))
    yield from (".SH OPTIONS", *_options(cli))
    yield ".SH COMMANDS"
    yield from _commands(cli, "")
    yield from (".SH ENVIRONMENT", *_terms("files", "environment"))
    yield from (".SH FILES", "In the directory that", ".B cekura-tui config path", "prints:", *_terms("files", "files"))
    yield from (".SH EXIT STATUS", *_terms("scripts", "statuses"))
    yield from (".SH SEE ALSO", r"\fBcekura\-tui\-manual\fR(7), which", ".B cekura-tui manual", "prints, too.")


def _commands(group: click.Group, before: str) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        if isinstance(command, click.Group):
            yield from _commands(command, f"{before}{name} ")
        if not isinstance(command, click.Group) or command.invoke_without_command:
            arguments = " ".join(one.make_metavar(click.Context(command)) for one in _of(command, click.Argument))
            yield f".SS {_escaped(f'{before}{name} {arguments}'.strip())}"
            yield from _paragraphs(command)
            yield from _options(command)


def _of(command: click.Command, kind: type[click.Parameter]) -> list[click.Parameter]:
    return [one for one in command.params if isinstance(one, kind) and not getattr(one, "hidden", False)]


def _options(command: click.Command) -> Iterator[str]:
    context = click.Context(command)
    for option in _of(command, click.Option):
        if record := option.get_help_record(context):
            yield from (".TP", rf"\fB{_escaped(record[0])}\fR", _escaped(record[1]))


def _paragraphs(command: click.Command) -> Iterator[str]:
    text = inspect.cleandoc(f"{command.help or ''}\n\n{command.epilog or ''}".replace("\b", ""))
    for paragraph in filter(None, text.split("\n\n")):
        yield from (".PP", *map(_escaped, paragraph.strip().splitlines()))


def _terms(topic: str, part: str) -> Iterator[str]:
    """Rows of the manual's table between the two markers named `part`, as roff."""
    text = (PACKAGE / "manual" / f"{topic}.md").read_text(encoding="utf-8")
    yield from _as_man(text.split(f"<!-- {part} -->")[1].split(f"<!-- /{part} -->")[0])


def _manual_page() -> Iterator[str]:
    from cekura_tui.manual import TOPICS, read_page

    yield '.\\" Written by tests/support/man_page.py from the manual.'
    yield '.TH CEKURA-TUI-MANUAL 7 "" "cekura_tui" "User Manual"'
    yield from (".SH NAME", r"cekura-tui-manual \- the manual of cekura-tui")
    for topic in TOPICS:
        yield from _as_man(read_page(topic))


def _as_man(markdown: str) -> Iterator[str]:
    """Convert Markdown to man macros; a table row becomes a term with the other cells below it."""
    cells: list[str] = []
    header: list[str] = []
    in_item = in_header = False
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        if token.type == "heading_open":
            yield ".SH" if token.tag == "h1" else ".SS"
        elif token.type in ("list_item_open", "list_item_close"):
            in_item = token.type == "list_item_open"
            yield from [r".IP \(bu 2"] if in_item else []
        elif token.type == "paragraph_open" and not in_item:
            yield ".PP"
        elif token.type == "fence":
            yield from (".PP", ".nf", *map(_escaped, token.content.rstrip().splitlines()), ".fi")
        elif token.type in ("thead_open", "thead_close"):
            in_header = token.type == "thead_open"
        elif token.type == "tr_open":
            cells = []
        elif token.type == "inline" and token.level == _CELL:
            cells.append(_inline(token))
        elif token.type == "tr_close" and in_header:
            header = cells
        elif token.type == "tr_close":
            labels = [f"{name}: " if len(cells) > 2 else "" for name in header]
            values = [label + cell for label, cell in zip(labels[1:], cells[1:], strict=True) if cell]
            yield from (".TP", cells[0], "; ".join(values) or r"\&")
        elif token.type == "inline":
            yield from _inline(token).splitlines()


_CELL = 4
"""Nesting level of the text in table cells."""


def _inline(token: Token) -> str:
    """Inline text as roff, with code and emphasis in bold."""
    found = ""
    for part in token.children or ():
        if part.type == "code_inline":
            found += rf"\fB{_escaped(part.content)}\fR"
        elif part.type in ("strong_open", "em_open"):
            found += r"\fB"
        elif part.type in ("strong_close", "em_close"):
            found += r"\fR"
        else:
            found += "\n" if part.type == "softbreak" else _escaped(part.content)
    return found


def _escaped(text: str) -> str:
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{text}" if text[:1] in (".", "'") else text


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
