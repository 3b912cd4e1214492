"""What a job may focus on: workflow metrics and critical categories of the runs, none chosen at first."""

from __future__ import annotations

from collections.abc import Sequence

from cekura_tui.ui.widgets.choice_list import Choice, ChoiceList


class FocusList(ChoiceList):
    """Of `focuses`, each ("metric" or "category", id, name), any number may be chosen."""

    def __init__(self, focuses: Sequence[tuple[str, int, str]]) -> None:
        super().__init__(several=True, id="focuses")
        self._focuses = focuses

    def on_mount(self) -> None:
        """Offer them."""
        self.show_rows([Choice(str(n), f"{kind}: {name}") for n, (kind, _, name) in enumerate(self._focuses)])

    def choose(self, category_ids: Sequence[int], metric_ids: Sequence[int]) -> None:
        """Choose these, as far as they are offered."""
        wanted = {("category", number) for number in category_ids} | {("metric", number) for number in metric_ids}
        if self._focuses:
            self.marks = {str(n) for n, (kind, number, _) in enumerate(self._focuses) if (kind, number) in wanted}

    def ids(self, kind: str) -> tuple[int, ...]:
        """The ids of this kind that are chosen, in the order they are offered."""
        chosen = self.chosen
        return tuple(number for n, (k, number, _) in enumerate(self._focuses) if k == kind and str(n) in chosen)
