"""Lines that are made already go to the terminal as they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from textual._styles_cache import StylesCache
from textual.color import Color
from textual.css.styles import StylesBase
from textual.geometry import Size, Spacing
from textual.strip import Strip
from textual.style import Style


class MadeLines(StylesCache):
    """Textual makes every line anew with whatever surrounds it. Where nothing does, the line itself is handed on: it
    remembers what was made of it, and a list that scrolls shows most of its lines again."""

    def render_line(
        self,
        styles: StylesBase,
        y: int,
        size: Size,
        content_size: Size,
        padding: Spacing,
        base_background: Color,
        background: Color,
        render_content_line: Callable[[int], Strip],
        border_title: Any,
        border_subtitle: Any,
        opacity: float,
        *more: Any,
    ) -> Strip:
        """A line of a widget, framed if it has a frame."""
        mixed = styles.tint.a or opacity != 1.0 or styles.text_opacity != 1.0 or styles.has_rule("hatch")
        if mixed or any(styles.gutter) or any(edge for edge, _ in styles.outline):
            return super().render_line(
                styles,
                y,
                size,
                content_size,
                padding,
                base_background,
                background,
                render_content_line,
                border_title,
                border_subtitle,
                opacity,
                *more,
            )
        inner, _ = self.get_inner_outer(base_background, background)
        return render_content_line(y).adjust_cell_length(size.width, inner.rich_style)

    def get_inner_outer(  # type: ignore[override]
        self, base_background: Color, background: Color
    ) -> tuple[Style, Style]:
        """The styles inside and around a frame. Textual's own way of remembering a thousand of them holds on to whoever
        asked, with all its lines."""
        return _inner_outer(base_background, background)


@lru_cache(256)
def _inner_outer(base_background: Color, background: Color) -> tuple[Style, Style]:
    return Style(background=base_background + background), Style(background=base_background)
