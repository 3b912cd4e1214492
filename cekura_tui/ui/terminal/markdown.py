"""Render the manual's Markdown pages with Rich: left-aligned headings, code without a background."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import ClassVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Heading, Markdown, MarkdownElement, TextElement
from rich.padding import Padding
from rich.style import StyleType
from rich.theme import Theme

PLAIN: Mapping[str, StyleType] = {"heading": "bold", "code": "bold", "rule": "dim"}
MAX_WIDTH = 100


class _LeftHeading(Heading):
    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.justify = "left"
        yield self.text


class _PlainCode(TextElement):
    style_name = "markdown.code_block"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.rstrip()
        yield Padding(self.text, (0, 0, 0, 2))


class ManualPage:
    """A Rich renderable of a page. `styles` are for "heading", "code" and "rule" (table borders and bullets)."""

    class _Markdown(Markdown):
        elements: ClassVar[dict[str, type[MarkdownElement]]] = {
            **Markdown.elements,
            "heading_open": _LeftHeading,
            "fence": _PlainCode,
        }

    def __init__(self, text: str, styles: Mapping[str, StyleType] = PLAIN) -> None:
        self._markdown = self._Markdown(text)
        heading, code, rule = styles["heading"], styles["code"], styles["rule"]
        names = {f"markdown.h{level}": heading for level in range(1, 7)}
        names |= {
            "markdown.code": code,
            "markdown.code_block": code,
            "markdown.item.bullet": rule,
            "markdown.item.number": rule,
        }
        names |= {"markdown.table.border": rule, "markdown.table.header": heading, "markdown.strong": "bold"}
        self._theme = Theme(names)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        with console.use_theme(self._theme):
            yield from console.render(self._markdown, options)


def render_page(text: str, width: int) -> str:
    """Render a page to text with escape sequences for bold and dim, wrapped at `width` cells or `MAX_WIDTH` if less."""
    output = StringIO()
    Console(file=output, width=min(width, MAX_WIDTH), force_terminal=True, highlight=False).print(ManualPage(text))
    return output.getvalue()
