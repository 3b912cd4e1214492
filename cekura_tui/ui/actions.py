"""What a person can do, in one table a screen, dialog or list: keys, footer, help and palette come from it.

`[keys]` of the configuration names actions by their ids; the README's tables are written from the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from inspect import iscoroutine
from pkgutil import walk_packages
from typing import Any, NamedTuple

from textual.binding import Binding, BindingType
from textual.dom import DOMNode

NOT_OFFERED = ""
"""The reason of an action that is not even mentioned now, as while its key is a letter of what is typed."""


def _always(node: Any) -> str | None:
    return None


_NAMES_BY_GROUP = {
    "Open": "open details error compare compare-marked suggestion views groups note",
    "Move": """down up first last page-down page-up half-down half-up next previous pane pane-before next-match
        previous-match evidence evidence-before slowest earlier later hits suggestion.turn""",
    "Find": """filter filter-at-once find failures outcome previous-outcome search-runs type read-on scope complete
        end-search sort runs.turn clear-filter apply""",
    "Mark": "mark mark-range clear-marks choose",
    "Decide": """accept accept-all reject edit editor split undo take word put.staged theirs conflicts write restore
        put-on-agent yes no stop resume again forget""",
    "Improve": "improve launch try-again retry",
    "Copy or save": "hand-off copy copy-selection copy-text export save",
    "Show": """fold unfold unfold-all only-changes raw roles staged live jobs-pane refresh look redraw theme request-log
        runs.columns toggle narrower wider reset""",
    "Go to": """back close leave runs jobs top next-unread history prompt-history palette command-line keys help demo
        profile add sign-in.key sign-in.environment sign-in.cached sign-in.check how-to-quit suspend quit""",
}
_GROUP_OF = {name: group for group, names in _NAMES_BY_GROUP.items() for name in names.split()}
OTHER = "More"
GROUPS = (*_NAMES_BY_GROUP, OTHER)
"""What one wants to do, in the order of the help."""


class Action(NamedTuple):
    """One thing that can be done.

    `id` is "runs.improve"; `keys` are Textual's names, separated by commas, none for what is in the palette alone; `do`
    is called with the node that has the table, and awaited if it is a coroutine; or it is a Textual action string.
    `label` is a word or two for footer, help and README; `tooltip` is a phrase for the README and the palette, which
    leaves out what has none. `footer` is its rank there, 1 the first; 0 is not in the footer. `command` is its name in
    the palette where the label alone would not do. `why_not` is asked with the same node: None where it can be done
    now, `NOT_OFFERED` where it is not to be mentioned; else a sentence, which is shown instead of doing it.
    """

    id: str
    keys: str
    do: str | Callable[[Any], object]
    label: str
    tooltip: str = ""
    footer: int = 0
    command: str = ""
    priority: bool = False
    why_not: Callable[[Any], str | None] = _always

    @property
    def does(self) -> str:
        """Textual's action string for it: "match(1)" or, of a callable, "do('runs.improve')"."""
        return self.do if isinstance(self.do, str) else f"{_DO}({self.id!r})"

    @property
    def name(self) -> str:
        """The name of the method that does it: "match" of "match(1)", without the node that has it."""
        return self.does.partition("(")[0].rpartition(".")[2]

    @property
    def group(self) -> str:
        """What one wants to do with it: one of `GROUPS`, by its id or what follows the dot; "sort-by-…" is "sort"."""
        return _GROUP_OF.get(self.id) or _GROUP_OF.get(self.id.partition(".")[2].partition("-by-")[0], OTHER)


_DO = "do"
"""The name of the Textual action of each callable, with the action's id for its parameter: `action_do` of a node."""
ACTIONS: dict[str, Action] = {}
"""Every action by its id, once the module that has its table is imported."""


def bindings(actions: Iterable[Action]) -> list[BindingType]:
    """Register a table of actions, and return its bindings."""
    listed = list(actions)
    ACTIONS.update((one.id, one) for one in listed)
    return [binding_of(one, one.keys) for one in listed if one.keys]


def bind(kind: type[DOMNode]) -> None:
    """Make the bindings of a class from its own table; for `__init_subclass__`, before Textual's."""
    if "ACTIONS" in kind.__dict__ and "BINDINGS" not in kind.__dict__:
        kind.BINDINGS = bindings(kind.__dict__["ACTIONS"])


async def do_action(node: DOMNode, action_id: str) -> None:
    """Do what a node's table says of an action; for `action_do`."""
    action = table_of(type(node))[action_id]
    assert callable(action.do)
    done = action.do(node)
    # Not whatever can be awaited: a screen that awaits its own end never ends.
    if iscoroutine(done):
        await done


def all_actions() -> Mapping[str, Action]:
    """Every action by its id; imports all screens, which takes some tenths of a second."""
    package = import_module("cekura_tui.ui")
    for module in walk_packages(package.__path__, f"{package.__name__}."):
        import_module(module.name)
    return ACTIONS


def binding_of(action: Action, keys: str) -> Binding:
    """The binding of an action with these keys."""
    return Binding(
        keys,
        action.does,
        action.label,
        show=action.footer > 0,
        priority=action.priority,
        tooltip=action.tooltip,
        id=action.id,
    )


@cache
def table_of(kind: type[DOMNode]) -> dict[str, Action]:
    """The actions of a class and of those it inherits from, by id, its own first."""
    found: dict[str, Action] = {}
    for one in kind.__mro__:
        for action in one.__dict__.get("ACTIONS", ()):
            found.setdefault(action.id, action)
    return found


@cache
def _actions_named(kind: type[DOMNode]) -> dict[str, list[Action]]:
    """The actions of a class by the names of their Textual actions."""
    found: dict[str, list[Action]] = {}
    for action in table_of(kind).values():
        found.setdefault(action.name, []).append(action)
    return found


def action_of(node: DOMNode, binding: Binding) -> Action | None:
    """The action of a binding that is in the table of a node; None for one that came with Textual."""
    return table_of(type(node)).get(binding.id or "")


def rank_of(node: DOMNode, binding: Binding) -> int:
    """Where it is in the footer: what has no rank comes last."""
    action = action_of(node, binding)
    return action.footer if action and action.footer else 1000


def is_offered(node: DOMNode, name: str, parameters: tuple[object, ...] = ()) -> bool:
    """For `check_action`: whether an action is mentioned and its key is its own, if only to say why it cannot be done.

    Several actions may stand for one method (`match(1)`, `match(-1)`): the one with these parameters is asked.
    """
    if name == _DO:
        return table_of(type(node))[str(parameters[0])].why_not(node) != NOT_OFFERED
    written = f"{name}({', '.join(map(repr, parameters))})" if parameters else name
    for action in _actions_named(type(node)).get(name, ()):
        if not parameters or action.does.rpartition(".")[2] == written:
            return action.why_not(node) != NOT_OFFERED
    return True


def reason_against(node: DOMNode, does: str) -> str | None:
    """The sentence that says why an action cannot be done now; None where there is none."""
    reasons = (action.why_not(node) for action in table_of(type(node)).values() if action.does == does)
    return next(filter(None, reasons), None)


def commands_of(node: DOMNode) -> Iterator[Action]:
    """The actions of a node that the palette offers: those with a tooltip."""
    for action in table_of(type(node)).values():
        if action.tooltip and action.why_not(node) != NOT_OFFERED:
            yield action
