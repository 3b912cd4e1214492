"""All actions by the place where they can be done, for `config keys` and for what is wrong with `[keys]`.

Imports every screen: for what has time, never before the first frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from itertools import combinations

from textual.dom import DOMNode
from textual.screen import ModalScreen

from cekura_tui.model.text import clean_line
from cekura_tui.ui.actions import Action, all_actions, table_of
from cekura_tui.ui.keymap import Keymap, read_keymap, shown_key


@dataclass(frozen=True)
class _Place:
    """A screen or dialog, and what has actions of its own in it: whatever can have the focus, inside out. Classes are
    written as "module:Class" of the package `cekura_tui.ui`."""

    title: str
    screen: str
    parts: tuple[tuple[str, ...], ...] = ()


_LIST, _CHOICES, _DIFF = (
    "kit.virtual_list:VirtualList",
    "kit.simple_list:ChoiceList",
    "suggestion.diff_view:ProseDiffView",
)
_APP = "app:CekuraApp"
_PLACES = (
    _Place(
        "In the list of runs",
        "runs.screen:RunsScreen",
        (("runs.list:RunList",), ("jobs.list:JobList",), ("runs.filter_bar:FilterInput", "runs.filter_bar:FilterBar")),
    ),
    _Place("In groups", "runs.groups:GroupsScreen", (("runs.groups:GroupList",),)),
    _Place(
        "In a run",
        "run.screen:RunScreen",
        (
            ("run.transcript:TranscriptView",),
            ("run.verdicts:Verdicts",),
            ("run.details:RunDetails",),
            ("run.find_line:FindInput",),
        ),
    ),
    _Place("In a comparison of runs", "run.compare:CompareScreen", (("run.compare:TurnPairs",),)),
    _Place("In the list of jobs", "jobs.screen:JobsScreen", (("jobs.list:JobList",),)),
    _Place("In a job", "jobs.job:JobScreen", ((_LIST,),)),
    _Place("In a suggestion", "suggestion.screen:SuggestionScreen", ((_DIFF,), (_LIST,))),
    _Place("In the prompt history", "suggestion.history:PromptHistoryScreen", (("suggestion.history:PromptUseList",),)),
    _Place("In a comparison of prompts", "suggestion.history:PromptDiffScreen", ((_DIFF,),)),
    _Place("In the sign-in", "sign_in:SignInScreen", ((_LIST,), ("sign_in:KeyLine",))),
    _Place("In every dialog", "kit.dialog:Dialog"),
    _Place("In the help", "kit.help:HelpDialog"),
    _Place("In the palette", "kit.palette:Palette"),
    _Place("In the dialog that improves", "jobs.improve:ImproveDialog", ((_CHOICES,),)),
    _Place(
        "In the dialog that updates a prompt",
        "suggestion.agent_prompt_update:UpdatePromptDialog",
        (("suggestion.conflicts:ConflictTexts",), (_DIFF,)),
    ),
    _Place("In the dialog that edits a change", "suggestion.edit:EditHunkDialog"),
    _Place("In the dialog of columns", "runs.columns_dialog:ColumnsDialog", ((_LIST,),)),
    _Place("In the dialog of views", "runs.views:ViewsDialog", ((_LIST,),)),
    _Place("In the dialog of profiles", "profiles:ProfileDialog", ((_LIST,),)),
    _Place("In the dialog of projects", "runs.scope_picker:PickScopeDialog"),
    _Place("In the dialog that exports", "runs.export:ExportRunsDialog", ((_CHOICES,),)),
    _Place(
        "In the search of transcripts",
        "runs.search:SearchRunsDialog",
        (("runs.search:SearchLine",), ("runs.search:HitList",)),
    ),
    _Place("In a question", "kit.dialog:ConfirmDialog"),
)


@cache
def _class(named: str) -> type[DOMNode]:
    module, _, name = named.partition(":")
    found = getattr(import_module(f"cekura_tui.ui.{module}"), name)
    assert isinstance(found, type)
    assert issubclass(found, DOMNode)
    return found


def _places() -> Iterator[tuple[str, list[list[type[DOMNode]]]]]:
    """Titles, and for each what can have the focus, inside out up to what global keys reach."""
    for place in _PLACES:
        screen = _class(place.screen)
        around = [screen] if issubclass(screen, ModalScreen) else [screen, _class(_APP)]
        yield place.title, [[*map(_class, part), *around] for part in place.parts or ((),)]


@dataclass(frozen=True, slots=True)
class Listed:
    """An action where it can be done: the place, its id, its keys as they are written on screen, and its label."""

    place: str
    id: str
    keys: tuple[str, ...]
    label: str


def list_actions(keys: Mapping[str, str]) -> Iterator[Listed]:
    """Every action once, by place, with its keys as `[keys]` makes them."""
    all_actions()
    keymap = read_keymap(keys)
    listed: set[str] = set()
    everywhere = ("Everywhere", [[_class(_LIST), _class(_APP)]])
    for place, chains in (everywhere, *_places()):
        for kind in dict.fromkeys(kind for chain in chains for kind in chain):
            table = table_of(kind)
            own = keymap.own_in(table)
            for action in table.values():
                if action.id not in listed:
                    listed.add(action.id)
                    shown = tuple(map(shown_key, own.get(action.id, keymap.keys_of(action))))
                    yield Listed(place, action.id, shown, action.label)


def key_problems(keys: Mapping[str, str]) -> list[str]:
    """What is wrong with `[keys]`, in sentences: keys that terminals do not send or that may not be taken, unknown
    actions, and two actions with one key on one screen."""
    known = all_actions()
    keymap = read_keymap(keys)
    return [*keymap.problems, *_unknown(keys, known), *_clashes(keymap)]


def _unknown(keys: Mapping[str, str], known: Mapping[str, Action]) -> Iterator[str]:
    for name in keys:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            meant = f"Did you mean {near[0]}?" if near else "“cekura-tui config keys” lists them."
            yield f"[keys] There is no action “{clean_line(name, 40)}”. {meant}"


def _clashes(keymap: Keymap) -> list[str]:
    """One sentence for two actions that have one key where both can be done, if one of them has it by `[keys]`."""
    found: dict[tuple[str, str, str], str] = {}
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
                if (one.id not in mine and other.id not in mine) or _belong_together(one, other):
                    continue
                both = set(mine.get(one.id, keymap.keys_of(one))) & set(mine.get(other.id, keymap.keys_of(other)))
                for key in sorted(both):
                    first, second = (one, other) if one.id in mine else (other, one)
                    if (second.id, first.id, key) in found:
                        continue
                    where = f"{place[0].lower()}{place[1:]}"
                    found.setdefault(
                        (first.id, second.id, key),
                        f"[keys] {first.id} and {second.id} both have {shown_key(key)} {where}. {first.id} goes first.",
                    )
    return list(found.values())


def _belong_together(one: Action, other: Action) -> bool:
    """Whether two actions share a key by default: only one of them can be done at a time, or both do the same."""
    return bool(set(one.keys.split(",")) & set(other.keys.split(",")) - {""}) or one.does == other.does
