"""One letter means one thing on every screen and in every dialog, and one thing has one letter."""

from __future__ import annotations

from collections import Counter, defaultdict

from letters import letters

from cekura_tui.ui.actions import all_actions
from cekura_tui.ui.keymap import default_keys, shown_key


def test_each_letter_does_one_thing_and_each_thing_has_one_letter() -> None:
    table = letters()
    for column in (0, 1):
        assert [one for one, times in Counter(row[column] for row in table).items() if times > 1] == []
    twice = Counter(action for row in table for action in row.actions)
    assert {action for action, times in twice.items() if times > 1} == {"help.close", "palette.down"}
    found = defaultdict(set)
    for action in all_actions().values():
        for key in map(shown_key, default_keys(action)):
            if (len(key) == 1 and key not in "↑↓←→") or key == "space" or key.startswith("ctrl+"):
                found[key].add(action.id)
    assert found == {row.key: row.actions for row in table}, "tests/support/letters.py has the table"
