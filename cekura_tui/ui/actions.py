"""The user's actions: one table for each screen, dialog or list. Keys, footer, help, palette and the README's tables
are made from these tables. `[keys]` in config.toml names actions by id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from inspect import iscoroutine
from pkgutil import walk_packages
from typing import Any, NamedTuple

from textual.binding import Binding, BindingType
from textual.dom import DOMNode

NOT_OFFERED = ""
"""Returned by `why_not` to hide an action, for example while the action's key types text."""
_NAMES_BY_GROUP = {
    "Open": "open details error compare compare-marked other suggestion tests views groups note",
    "Move": """down up first last page-down page-up half-down half-up next previous pane pane-before next-match
        previous-match next-pair previous-pair evidence evidence-before slowest earlier later hits suggestion.turn play
        play-on play-back run.stop next-button previous-button""",
    "Find": """filter filter-at-once find failures outcome previous-outcome search-runs type read-on scope complete
        end-search sort runs.turn clear-filter apply""",
    "Mark": "mark mark-range clear-marks choose",
    "Decide": """accept accept-all reject edit editor split undo take word put.staged theirs conflicts write restore
        put-on-agent dismiss yes no stop resume end-calls again forget""",
    "Improve": "improve launch improve.text try-again retry test test.again also-passed",
    "Copy or save": "hand-off copy copy-selection copy-text export save write-now",
    "Show": """fold unfold unfold-all only-changes raw roles by-sound staged live jobs-pane refresh look redraw theme
        request-log runs.columns settings toggle narrower wider reset""",
    "Go to": """back close leave runs jobs top next-unread history prompt-history palette command-line keys help manual
        demo profile add sign-in.key sign-in.environment sign-in.cached sign-in.check how-to-quit suspend quit""",
}
_GROUP_OF = {name: group for group, names in _NAMES_BY_GROUP.items() for name in names.split()}
OTHER = "More"
GROUPS = (*_NAMES_BY_GROUP, OTHER)
"""Groups of actions, in the order in which the help shows them."""


class Action(NamedTuple):
    """One action that the user can do.

    `id` is like "runs.improve"; its last part decides the group (`_NAMES_BY_GROUP`).
    `keys` are Textual's key names, separated by commas; empty if only the palette offers the action.
    `do` is a Textual action string, or a callable that gets the node whose class lists the action. A coroutine that the
    callable returns is awaited.
    `label` is a word or two for footer, help and README.
    `tooltip` is a phrase for the README and the palette; the palette omits actions without a tooltip.
    `footer` is the action's rank in the footer, 1 for the first; an action with rank 0 is not in the footer.
    `command` is the name in the palette, by default the label.
    `why_not` gets the same node as `do`. It returns None if the action can be done now, `NOT_OFFERED` to hide the
    action, or a sentence to show instead of doing the action.
    `label_now` gets the same node, too, and returns the footer's label for its state: empty for `label`, None if the
    footer has no need of the action now.
    """

    id: str
    keys: str
    do: str | Callable[[Any], object]
    label: str
    tooltip: str = ""
    footer: int = 0
    command: str = ""
    priority: bool = False
    why_not: Callable[[Any], str | None] = lambda node: None
    label_now: Callable[[Any], str | None] = lambda node: ""

    @property
    def action_string(self) -> str:
        """The Textual action string: "match(1)", or "do('runs.improve')" for a callable."""
        return self.do if isinstance(self.do, str) else f"{_DO}({self.id!r})"

    @property
    def group(self) -> str:
        """One of `GROUPS`, found by the whole id, else by the part after the dot; `OTHER` if neither is listed. In that
        part, "sort-by-…" counts as "sort"."""
        return _GROUP_OF.get(self.id) or _GROUP_OF.get(self.id.partition(".")[2].partition("-by-")[0], OTHER)


_DO = "do"
"""Name of the Textual action that runs a callable `do`; its parameter is the id of the `Action`."""
ACTIONS: dict[str, Action] = {}
"""All actions of the modules imported so far, by id."""


def bindings(actions: Iterable[Action]) -> list[BindingType]:
    """Register a table of actions and return its bindings."""
    listed = list(actions)
    ACTIONS.update((one.id, one) for one in listed)
    return [binding_of(one, one.keys) for one in listed if one.keys]


def bind(kind: type[DOMNode]) -> None:
    """Make a class's `BINDINGS` from its own `ACTIONS`; call it in `__init_subclass__` before `super()`."""
    if "ACTIONS" in kind.__dict__ and "BINDINGS" not in kind.__dict__:
        kind.BINDINGS = bindings(kind.__dict__["ACTIONS"])


async def do_action(node: DOMNode, action_id: str) -> None:
    """Run the callable `do` of the node's action with this id; implements `action_do`."""
    action = table_of(type(node))[action_id]
    assert callable(action.do)
    done = action.do(node)
    if iscoroutine(done):  # not any awaitable: a screen that awaits its own end never ends
        await done


def all_actions() -> Mapping[str, Action]:
    """All actions by id. Imports every screen first, which takes a few tenths of a second."""
    package = import_module("cekura_tui.ui")
    for module in walk_packages(package.__path__, f"{package.__name__}."):
        import_module(module.name)
    return ACTIONS


def binding_of(action: Action, keys: str) -> Binding:
    return Binding(
        keys,
        action.action_string,
        action.label,
        show=action.footer > 0,
        priority=action.priority,
        tooltip=action.tooltip,
        id=action.id,
    )


@cache
def table_of(kind: type[DOMNode]) -> dict[str, Action]:
    """The actions of a class and its bases, by id; a subclass overrides its bases."""
    found: dict[str, Action] = {}
    for one in kind.__mro__:
        for action in one.__dict__.get("ACTIONS", ()):
            found.setdefault(action.id, action)
    return found


def action_of(node: DOMNode, binding: Binding) -> Action | None:
    """The action of a node that made this binding; None for Textual's own bindings."""
    return table_of(type(node)).get(binding.id or "")


def is_offered(node: DOMNode, action: str, parameters: tuple[object, ...]) -> bool | None:
    """Implement `check_action`: False only for a hidden action. A disabled action stays offered, to show its reason."""
    if action == _DO:
        return table_of(type(node))[str(parameters[0])].why_not(node) != NOT_OFFERED
    written = f"{action}({', '.join(map(repr, parameters))})" if parameters else action
    does = (written, f"app.{written}", f"screen.{written}")
    found = next((one for one in table_of(type(node)).values() if one.do in does), None)
    return found is None or found.why_not(node) != NOT_OFFERED


def disabled_reason(node: DOMNode, action_string: str) -> str | None:
    """The sentence that says why an action can't be done now; None if the action can be done or is hidden."""
    reasons = (one.why_not(node) for one in table_of(type(node)).values() if one.action_string == action_string)
    return next(filter(None, reasons), None)
