"""The keys in `[keys]` of config.toml, which go before all other keys, except in text inputs. Not Textual's keymap,
which can't remove a key, add keys to an action without keys, or let two actions share a key."""

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

from cekura_tui.model.secrets import quoted, shown
from cekura_tui.ui.actions import ACTIONS, NOT_OFFERED, Action, all_actions, binding_of, table_of
from cekura_tui.ui.terminal.textual_private import bindings_of

Chain = list[tuple[DOMNode, BindingsMap]]
"""The nodes from the focused widget up to the app, each with its bindings."""

NO_KEY = "(no key)"
RESERVED = {"ctrl+c": "copies", "ctrl+q": "always quits", "ctrl+z": "suspends the program"}
"""Keys that can't be given to another action, each with words that say what the key does."""
_SAME = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+j": "enter", "ctrl+h": "backspace"}
"""Maps a key to another key for which terminals send the same byte."""
_ALIASES = {"esc": "escape", "return": "enter", "pgdn": "pagedown", "pgup": "pageup", "del": "delete"}
"""Key names used on screen and on keyboards, mapped to Textual's names."""
_Keys = tuple[str, ...]
_PALETTE = {"app.palette": ("ctrl+p",), "app.command-line": ("colon",)}
_ESSENTIAL = ({"app.keys": ("question_mark",)}, _PALETTE, {"dialog.close": ("escape",)})
"""Groups of actions with their default keys; each group keeps at least one key. `app.quit` always has ctrl+q."""
_FAR = "up|down|left|right|home|end|pageup|pagedown|delete|insert|f[1-9]|f1[0-2]"
_NAMED = re.compile(rf"enter|escape|tab|shift\+tab|space|backspace|(ctrl\+|alt\+|shift\+|ctrl\+shift\+)?({_FAR})")
_LETTER = re.compile(r"ctrl\+[a-z]|alt\+\w")
_ID = re.compile(r"\{([a-z-]+\.[a-z-]+)\}")


@cache
def parse_key(name: str) -> str | None:
    """Textual's name for a key written as "I", "?", "ctrl+e" or "esc"; None if no terminal sends this key."""
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
    """The text to display for a key, given Textual's name: `esc`, `ctrl+g`, `enter`, `/`."""
    *modifiers, last = key.split("+")
    return key if last == "enter" else "+".join([*modifiers, format_key(last)])


@dataclass(frozen=True)
class Keymap:
    """The user's keys. `own` maps action ids to keys, and an action whose keys the user removed to (). `problems` are
    errors in `[keys]`: the action, and a sentence."""

    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problems: tuple[tuple[str, str], ...] = ()

    def keys_of(self, action: Action) -> tuple[str, ...]:
        """Textual's names of an action's keys: the user's keys if `[keys]` has the action, else its default keys."""
        return self.own.get(action.id, default_keys(action))

    def key_text(self, action: str) -> str:
        """The display text of an action's first key; "" if the action has no key."""
        keys = self.keys_of(ACTIONS.get(action) or all_actions()[action])
        return shown_key(keys[0]) if keys else ""

    def with_keys(self, text: str) -> str:
        """Replace action ids in braces with keys: "Press {runs.improve} on a run" becomes "Press i on a run". For an
        action without keys, "(no key)" is inserted."""
        return _ID.sub(lambda found: self.key_text(found[1]) or NO_KEY, text)

    def hint(self, text: str) -> str:
        """Replace action ids with keys in a hint such as "{dialog.close} close · tab next". A part of the hint is
        dropped if it names actions and none of them has a key."""
        parts = [(part, _ID.findall(part)) for part in text.split(" · ")] if text else []
        return " · ".join(
            " ".join(_ID.sub(lambda found: self.key_text(found[1]), part).split())
            for part, actions in parts
            if not actions or any(map(self.key_text, actions))
        )

    def bindings_of(self, node: DOMNode) -> BindingsMap:
        """A node's bindings, the user's keys first; the user's keys of an action replace its default keys."""
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
        """The user's keys for a table's actions, by action id. If the user changed the keys of an action, actions with
        the same default keys and label get the changed keys, too."""
        if not self.own.keys() & table.keys():
            return {}
        shared = {(table[one].keys, table[one].label): keys for one, keys in self.own.items() if one in table}
        own = {one: shared[alike] for one, action in table.items() if (alike := (action.keys, action.label)) in shared}
        return {**own, **{one: keys for one, keys in self.own.items() if one in table}}

    def chain(self, screen: Screen[Any], chain: Chain) -> Chain:
        """Textual's chain of bindings for a screen, with the user's keys applied. If there are user's keys, a key that
        types text in a widget is removed from the nodes that contain the widget."""
        if not self.own:
            return chain
        found = [(node, self.bindings_of(node)) for node, _ in chain]
        focused = screen.focused
        if focused is None or not focused.check_consume_key("a", "a"):
            self._drop_overridden(found)
        for n, (_, keymap) in enumerate(found):
            for key in list(keymap.key_to_bindings):
                if any(node.check_consume_key(key, key_to_character(key)) for node, _ in found[:n]):
                    del keymap.key_to_bindings[key]
        return found

    def _drop_overridden(self, chain: Chain) -> None:
        """Where the user gave a key to an available action, remove other nodes' default bindings of this key. If a
        dialog is open, only the nodes up to the dialog are considered."""
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
    return tuple(action.keys.split(",")) if action.keys else ()


_DEFAULT = Keymap()
_in_use: ContextVar[Keymap] = ContextVar("keymap", default=_DEFAULT)


def use_keymap(keymap: Keymap) -> None:
    """Set the keymap of the current context, so that each app and its tasks can have a keymap of their own."""
    _in_use.set(keymap)


def keymap_in_use() -> Keymap:
    return _in_use.get()


def with_keys(text: str) -> str:
    """Replace action ids in braces with the current keys; only for the program's own texts."""
    return keymap_in_use().with_keys(text)


def read_keymap(keys: Mapping[str, str]) -> Keymap:
    """Parse `[keys]`, report unusable keys in `problems`, and keep the default keys of essential actions without keys.
    Action ids are not checked, because screens not imported yet define some of them."""
    own: dict[str, tuple[str, ...]] = {}
    problems: list[tuple[str, str]] = []
    for action, text in keys.items():
        named = [part.strip() for part in text.split(",") if part.strip()]
        found: list[str] = []
        for name in named:
            key = parse_key(name)
            usual = action in ACTIONS and key in default_keys(ACTIONS[action])
            if not usual and (why := _refusal(name, key)):
                problems.append((action, f"{shown(action)}: {why}"))
            elif key is not None and key not in found:
                found.append(key)
        if found or not named:
            own[action] = tuple(found)
    for together in _ESSENTIAL:
        # Keys of pages are inactive in a dialog.
        elsewhere = {} if "dialog.close" in together else {one: own[one] for one in own if one not in together}
        _restore_essential_keys(own, together, {key for keys in elsewhere.values() for key in keys}, problems)
    return Keymap(own, tuple(problems))


def _refusal(name: str, key: str | None) -> str:
    if key is None:
        return f"{quoted(name)} is not a key that terminals send. Examples: I, ?, ctrl+e, alt+x, f5, escape."
    if key in _SAME:
        return f"terminals send the same for {key} and {_SAME[key]}. Use another key."
    return f"{key} {RESERVED[key]}. Use another key." if key in RESERVED else ""


def _restore_essential_keys(
    own: dict[str, _Keys], known: Mapping[str, _Keys], elsewhere: set[str], problems: list[tuple[str, str]]
) -> None:
    """If no action of the group `known` has a key, restore the group's default keys and report a problem. Keys in
    `elsewhere` do not count: other actions have them, and lose the default keys of the group's first action."""
    if any(key not in elsewhere for one in known for key in own.get(one, known[one])):
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
    problems.append((first, f"{first} must have a key. It still has {shown}."))
