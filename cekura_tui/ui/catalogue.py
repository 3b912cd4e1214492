"""All actions by screen, for `config keys`, and the check of config.toml. The functions that use actions import every
screen, so they must not be used before the first frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from textual.app import App
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen

from cekura_tui.config.credentials import PROFILE
from cekura_tui.config.settings_file import Problem, SettingsFile, line_of
from cekura_tui.model.run.columns import column_problems
from cekura_tui.model.secrets import quoted, shown
from cekura_tui.model.text import most_similar
from cekura_tui.ui.actions import Action, all_actions, table_of
from cekura_tui.ui.keymap import Keymap, read_keymap, shown_key
from cekura_tui.ui.theme import theme_problems
from cekura_tui.workspace.setup import unknown_profile

EVERYWHERE = "Everywhere"


def _places() -> Iterator[tuple[str, list[list[type[DOMNode]]]]]:
    """Yield (title, chains) of everywhere, each page and each dialog. A chain lists classes whose actions are available
    together: a widget that can have the focus (of `PARTS`), its screen and, for a page, the app."""
    all_actions()
    placed = [kind for kind in _kinds(DOMNode) if "PLACE" in vars(kind)]
    screens = [kind for kind in placed if issubclass(kind, Screen)]
    parts = [kind for kind in placed if not issubclass(kind, Screen)]
    yield EVERYWHERE, [[kind for kind in parts if vars(kind)["PLACE"] == EVERYWHERE]]
    app = [kind for kind in parts if issubclass(kind, App)]

    def order(kind: type[DOMNode]) -> tuple[bool, bool, int]:
        return issubclass(kind, ModalScreen), not kind.__subclasses__(), -len(table_of(kind))

    for screen in sorted(screens, key=order):
        title, around = vars(screen)["PLACE"], [screen, *([] if issubclass(screen, ModalScreen) else app)]
        inside = [*vars(screen).get("PARTS", ()), *(kind for kind in parts if vars(kind)["PLACE"] == title), ()]
        yield title, [[*(part if isinstance(part, tuple) else (part,)), *around] for part in inside]


def _kinds(kind: type[DOMNode]) -> Iterator[type[DOMNode]]:
    for one in kind.__subclasses__():
        yield one
        yield from _kinds(one)


def list_actions(keys: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """Yield id, keys, label and screen of each action once, sorted by screen. `keys` is `[keys]`."""
    all_actions()
    keymap = read_keymap(keys)
    listed: set[str] = set()
    for place, chains in _places():
        for kind in dict.fromkeys(kind for chain in chains for kind in chain):
            table = table_of(kind)
            own = keymap.own_in(table)
            for action in table.values():
                if action.id not in listed:
                    listed.add(action.id)
                    names = map(shown_key, own.get(action.id, keymap.keys_of(action)))
                    yield action.id, " ".join(names), action.label, place


def kept_letter(changed: str, keys: Mapping[str, str]) -> str:
    """A sentence that names the actions that keep the letter which `keys` takes from an action; empty if none does."""
    action = all_actions().get(changed)
    letter = shown_key(action.keys) if action is not None else ""
    kept = [one for one, names, *_ in list_actions(keys) if names == letter and len(letter) == 1]
    if not kept or changed in kept:
        return ""
    *others, last = kept
    return f" {', '.join(others)} and {last} keep {letter}." if others else f" {last} keeps {letter}."


def settings_problems(file: SettingsFile) -> list[Problem]:
    """All errors in config.toml, sorted by line: `file.problems`, an unknown profile, and errors in keys, themes and
    columns, also of profiles. Every screen is imported if config.toml sets keys."""
    found = [*file.problems]
    if text := unknown_profile(str(file.values.get("profile", PROFILE)), file):
        found.append(Problem(line_of(file.lines, ("profile",)), text))
    for name, check in (("keys", key_problems), ("theme", theme_problems), ("columns", column_problems)):
        usual: Any = file.values.get(name, {})
        for_all = check(usual) if usual else []
        of_profiles = [(("profiles", one, name), values.get(name, {})) for one, values in file.profiles.items()]
        for table, own in (((name,), usual), *of_profiles):
            for entry, text in check({**usual, **own}) if own else ():
                if own is usual or (entry, text) not in for_all:
                    line = line_of(file.lines, (*table, entry))
                    found.append(Problem(line, f"[{'.'.join(map(shown, table))}] {text}"))
    return sorted(found, key=lambda problem: problem.line or 0)


def key_problems(keys: Mapping[str, str]) -> list[tuple[str, str]]:
    """Errors in `[keys]` as (action, sentence): unusable keys, unknown actions, keys that actions of a screen share."""
    known = all_actions()
    keymap = read_keymap(keys)
    problems = [*keymap.problems]
    for name in keys:
        if name not in known:
            near = most_similar(name, known)
            meant = f"Did you mean {near}?" if near else "“cekura-tui config keys” lists them."
            problems.append((name, f"There is no action {quoted(name)}. {meant}"))
    return [*problems, *_clashes(keymap)]


def _clashes(keymap: Keymap) -> list[tuple[str, str]]:
    """The first action and a sentence about pairs of actions that share a key on one screen because of `[keys]`."""
    found: dict[tuple[str, str, str], tuple[str, str]] = {}
    for place, chains in _places():
        for chain in chains:
            tables = [table_of(kind) for kind in chain]
            own = [keymap.own_in(table) for table in tables]
            there: dict[str, Action] = {}
            mine: dict[str, tuple[str, ...]] = {}
            for table, keys in zip(tables, own, strict=True):
                there |= {one: action for one, action in table.items() if one not in there}
                mine = keys | mine
            for one, other in combinations(there.values(), 2):
                if one.id not in mine and other.id not in mine:
                    continue
                shared = set(one.keys.split(",")) & set(other.keys.split(",")) - {""}
                if shared or one.action_string == other.action_string:
                    continue  # shared by default: only one is available at a time, or both do the same
                both = set(mine.get(one.id, keymap.keys_of(one))) & set(mine.get(other.id, keymap.keys_of(other)))
                for key in sorted(both):
                    first, second = (one, other) if one.id in mine else (other, one)
                    if (second.id, first.id, key) in found:
                        continue
                    where = f"{place[0].lower()}{place[1:]}"
                    text = f"{first.id} and {second.id} both have {shown_key(key)} {where}. {first.id} would go first."
                    found.setdefault((first.id, second.id, key), (first.id, text))
    return list(found.values())
