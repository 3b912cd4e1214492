"""The last line: this screen's keys."""

from __future__ import annotations

from textual.widgets import Footer


class KeyFooter(Footer):
    """Textual's footer, which makes its keys anew whenever one comes or goes, and lets go of the old ones."""

    def __init__(self) -> None:
        super().__init__(compact=True, show_command_palette=False)

    async def recompose(self) -> None:
        """Make the keys anew."""
        # Each key watches this property. Textual drops watchers that are closed only where the property is set, so a
        # footer that stays for days would hold every key that it ever showed. These keys are laid out once more by it,
        # which costs nothing as they are about to go.
        self.mutate_reactive(Footer.compact)
        await super().recompose()
