"""Keys of one's own, `[keys]` in config.toml: which keys an action has, on every screen and in every text.

A key of one's own goes first wherever its action can be done, also before a list in the focus that has the same key by
default; only what one types into keeps its keys. Textual's own keymap can neither take a key away nor give one to an
action that has none, and takes a key that two actions share from both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode
from textual.keys import format_key, key_to_character
from textual.screen import Screen

from cekura_tui.model.text import clean_line
from cekura_tui.ui.actions import ACTIONS, NOT_OFFERED, Action, all_actions, binding_of, table_of
from cekura_tui.ui.terminal.textual_private import bindings_of

Chain = list[tuple[DOMNode, BindingsMap]]
"""The nodes from the focus to the app, and what keys do at each."""

NO_KEY = "(no key)"
"""What a text says in place of the key of an action that has none."""
RESERVED = {"ctrl+c": "copies", "ctrl+q": "always quits", "ctrl+z": "suspends the program"}
"""Keys that no other action gets, and why."""
_SAME = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+j": "enter", "ctrl+h": "backspace"}
"""Keys for which terminals send the same as for others."""
_ALIASES = {"esc": "escape", "return": "enter", "pgdn": "pagedown", "pgup": "pageup", "del": "delete"}
"""Keys as they are called on screen and on keyboards, and what Textual calls them."""
_ALWAYS = (("app.keys",), ("app.palette", "app.command-line"), ("dialog.close",))
"""Of each of these actions together there is always a key; `app.quit` has ctrl+q."""
_FAR = "up|down|left|right|home|end|pageup|pagedown|delete|insert|f[1-9]|f1[0-2]"
_NAMED = re.compile(rf"enter|escape|tab|shift\+tab|space|backspace|(ctrl\+|alt\+|shift\+|ctrl\+shift\+)?({_FAR})")
_LETTER = re.compile(r"ctrl\+[a-z]|alt\+\w")
_ID = re.compile(r"\{([a-z-]+\.[a-z-]+)\}")


@cache
def key_called(name: str) -> str | None:
    """Textual's name of a key as somebody wrote it, "I", "?", "ctrl+e" or "esc"; None for what no terminal sends."""
    if len(name) == 1:
        return next(iter(BindingsMap([Binding(name, "")]).key_to_bindings)) if name.isprintable() else None
    *modifiers, last = name.split("+")
    modifiers = [one.lower() for one in modifiers]
    if modifiers == ["shift"] and len(last) == 1 and last.isalpha():
        return last.upper()
    if len(last) > 1 or "ctrl" in modifiers:
        last = _ALIASES.get(last.lower(), last.lower())
    key = "+".join([*modifiers, last])
    is_character = not modifiers and (key_to_character(key) or "").isascii() and key_to_character(key) is not None
    return key if is_character or _NAMED.fullmatch(key) or _LETTER.fullmatch(key) else None


def shown_key(key: str) -> str:
    """A key by Textual's name as it is written on screen: `esc`, `ctrl+g`, `enter`, `/`."""
    *modifiers, last = key.split("+")
    return key if last == "enter" else "+".join([*modifiers, format_key(last)])


@dataclass(frozen=True)
class Keymap:
    """The keys that actions have in place of their own, by the actions' ids; none where the keys were taken away.

    `problems` are sentences about what of `[keys]` is not used.
    """

    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def keys_of(self, action: Action) -> tuple[str, ...]:
        """Textual's names of the keys that an action has."""
        return self.own.get(action.id, default_keys(action))

    def name(self, action: str) -> str:
        """The first key of an action, by its id, as it is written on screen; empty where it has none."""
        keys = self.keys_of(ACTIONS.get(action) or all_actions()[action])
        return shown_key(keys[0]) if keys else ""

    def words(self, text: str) -> str:
        """A text with a key in place of each id of an action: "Press {runs.improve} on a run."."""
        return _ID.sub(lambda found: self.name(found[1]) or NO_KEY, text)

    def hint(self, text: str) -> str:
        """The same for keys and what they do, "{dialog.close} close · tab next"; what has no key is left out."""
        parts = [(part, _ID.findall(part)) for part in text.split(" · ")] if text else []
        return " · ".join(
            " ".join(_ID.sub(lambda found: self.name(found[1]), part).split())
            for part, actions in parts
            if not actions or any(map(self.name, actions))
        )

    def bindings_of(self, node: DOMNode) -> BindingsMap:
        """What keys do at a node; a key of one's own comes before others of the same name."""
        table = table_of(type(node))
        own = self.own_in(table)
        if not own:
            return bindings_of(node).copy()
        keys: dict[str, list[Binding]] = {}
        for action, mine in own.items():
            for key in mine:
                keys.setdefault(key, []).append(binding_of(table[action], key))
        for key, binding in bindings_of(node):
            if binding.id not in own:
                keys.setdefault(key, []).append(binding)
        return BindingsMap.from_keys(keys)

    def own_in(self, table: Mapping[str, Action]) -> dict[str, tuple[str, ...]]:
        """Keys of one's own of a table's actions, by id; several that are one action to a person, as to compare what is
        marked and what is not, have them together."""
        if not self.own.keys() & table.keys():
            return {}
        looks = {(table[one].keys, table[one].label): keys for one, keys in self.own.items() if one in table}
        own = {one: looks[look] for one, action in table.items() if (look := (action.keys, action.label)) in looks}
        return {**own, **{one: keys for one, keys in self.own.items() if one in table}}

    def chain(self, screen: Screen[Any], chain: Chain) -> Chain:
        """What keys do on a screen, from the nodes of Textual's own chain."""
        if not self.own:
            return chain
        found = [(node, self.bindings_of(node)) for node, _ in chain]
        focused = screen.focused
        if focused is None or not focused.check_consume_key("a", "a"):
            self._give_way(found)
        for n, (_, keymap) in enumerate(found):
            for key in list(keymap.key_to_bindings):
                if any(node.check_consume_key(key, key_to_character(key)) for node, _ in found[:n]):
                    del keymap.key_to_bindings[key]
        return found

    def _give_way(self, chain: Chain) -> None:
        """Let other nodes do nothing with a key of one's own that does something now, up to a dialog."""
        modal = next((n for n, (node, _) in enumerate(chain) if node.is_modal), len(chain))
        within = chain[: modal + 1]
        own = [self.own_in(table_of(type(node))) for node, _ in within]
        for (node, _), mine in zip(within, own, strict=True):
            for action in mine:
                if not mine[action] or table_of(type(node))[action].why_not(node) == NOT_OFFERED:
                    continue
                for (other, others), theirs in zip(within, own, strict=True):
                    for key in mine[action] if other is not node else ():
                        if key in others.key_to_bindings:
                            left = [one for one in others.key_to_bindings[key] if one.id in theirs]
                            others.key_to_bindings[key] = left


def default_keys(action: Action) -> tuple[str, ...]:
    """Textual's names of the keys that an action has in the program's own table."""
    return tuple(action.keys.split(",")) if action.keys else ()


_DEFAULT = Keymap()
_in_use: ContextVar[Keymap] = ContextVar("keymap", default=_DEFAULT)


def use_keymap(keymap: Keymap) -> None:
    """Let these be the keys of all that the caller starts: of an app and its tasks, and of no other app."""
    _in_use.set(keymap)


def keymap_in_use() -> Keymap:
    """The keys of the app that runs this."""
    return _in_use.get()


def with_keys(text: str) -> str:
    """`Keymap.words` of the keys in use: "Press {runs.improve} on a run." of a text of the program's own."""
    return keymap_in_use().words(text)


def read_keymap(keys: Mapping[str, str]) -> Keymap:
    """The keys that settings name. What no terminal sends, and what may not be taken or given, is among the problems.

    Ids are not looked at: screens that are not imported yet have some.
    """
    own: dict[str, tuple[str, ...]] = {}
    problems: list[str] = []
    for action, text in keys.items():
        named = [part.strip() for part in text.split(",") if part.strip()]
        found: list[str] = []
        for name in named:
            key = key_called(name)
            usual = action in ACTIONS and key in default_keys(ACTIONS[action])
            if not usual and (why := _refusal(name, key)):
                problems.append(f"[keys] {clean_line(action, 40)}: {why}")
            elif key is not None and key not in found:
                found.append(key)
        if found or not named:
            own[action] = tuple(found)
    for together in _ALWAYS:
        # Keys of pages do nothing in a dialog.
        elsewhere = {} if together == ("dialog.close",) else {one: own[one] for one in own if one not in together}
        _give_back(own, together, {key for keys in elsewhere.values() for key in keys}, problems)
    return Keymap(own, tuple(problems))


def _refusal(name: str, key: str | None) -> str:
    shown = clean_line(name, 20)
    if key is None:
        return f"“{shown}” is not a key that terminals send. Examples: I, ?, ctrl+e, alt+x, f5, escape."
    if key in _SAME:
        return f"terminals send the same for {key} and {_SAME[key]}. Use another key."
    return f"{key} {RESERVED[key]}. Use another key." if key in RESERVED else ""


def _give_back(
    own: dict[str, tuple[str, ...]], together: tuple[str, ...], elsewhere: set[str], problems: list[str]
) -> None:
    """Leave actions that nobody can do without one key at least, that nothing `elsewhere` has: else their first one,
    taken from what else has it."""
    known = {one: default_keys(ACTIONS[one]) for one in together if one in ACTIONS}
    if not known or any(key not in elsewhere for one in known for key in own.get(one, known[one])):
        return
    first = next(iter(known))
    for one in known:
        own.pop(one, None)
    for action, keys in [*own.items()] if elsewhere else ():
        if left := tuple(key for key in keys if key not in known[first]):
            own[action] = left
        elif keys:
            del own[action]
    shown = " ".join(map(shown_key, known[first]))
    problems.append(f"[keys] {first} must have a key. It still has {shown}.")
