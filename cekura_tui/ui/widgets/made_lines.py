"""Lines that are made already go to the terminal as they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from rich.style import Style
from textual._styles_cache import StylesCache
from textual.color import Color
from textual.css.styles import StylesBase
from textual.geometry import Size, Spacing
from textual.strip import Strip


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
        # Textual's own `get_inner_outer` would keep this, with all its lines, among a thousand of its answers.
        return render_content_line(y).adjust_cell_length(size.width, _on(base_background + background))


@lru_cache(64)
def _on(background: Color) -> Style:
    return Style.from_color(bgcolor=background.rich_color)
