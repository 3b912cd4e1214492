"""Restore a former prompt of an agent, after confirmation."""

from __future__ import annotations

from collections.abc import Callable

from cekura_tui.model.errors import CekuraTuiError
from cekura_tui.model.prompt_events import PromptUse
from cekura_tui.model.text import clean_line, count
from cekura_tui.prose.lines import change_words
from cekura_tui.ui.kit.dialog import ConfirmDialog
from cekura_tui.ui.kit.keys_in_order import PendingDialog
from cekura_tui.ui.state import AppState
from cekura_tui.ui.suggestion.hanging_text import HangingText, MessageKind
from cekura_tui.workspace.agent_prompts import PromptRestore
from cekura_tui.workspace.setup import refuse_read_only


def previous_prompt_words(use: PromptUse, state: AppState) -> str:
    """The length of a prompt and the time when the prompt was replaced, such as "812 words, replaced Mon 14:05"."""
    return f"{count(use.words, 'word')}, replaced {state.when(use.at)}"


async def restore_prompt(
    opening: PendingDialog,
    state: AppState,
    agent_id: int,
    on_start: Callable[[], None],
    chosen: PromptUse | None = None,
) -> tuple[str, MessageKind]:
    """After confirmation, restore the prompt `chosen`, else the previous one; call in a worker. Calls `on_start` once
    confirmed, before anything is sent; returns a message and its kind."""
    call = state.workspace.call
    try:
        refuse_read_only(state.workspace.setup.read_only, "nothing was restored")
        restore = await call(lambda session: session.agent_prompts.preview_restore(agent_id, chosen))
        if not await opening.ask(_question(restore, state, chosen)):
            return NOT_RESTORED
        on_start()
        result = await call(lambda session: session.agent_prompts.restore(restore))
    except CekuraTuiError as error:
        return f"{error.title}: {error.sentence()}", "failed"
    return result.message, "good"


NOT_RESTORED: tuple[str, MessageKind] = "Nothing was restored.", ""


def _question(restore: PromptRestore, state: AppState, chosen: PromptUse | None) -> ConfirmDialog:
    name = clean_line(restore.agent.name, 60)
    changes = f"{change_words(restore.change)} · agent {restore.agent.id}"
    if chosen is None:
        title = f"Restore the former prompt of {name}?"
        changes += f" · former prompt: {previous_prompt_words(restore.use, state)}"
    else:
        title = f"Restore the prompt of {state.when(chosen.at)} ({count(chosen.words, 'word')})?"
        changes = f"{name} · {changes}"
    warnings = HangingText()
    warnings.show_warnings(restore.warnings)
    text = f"{changes}\nThe current prompt stays in the prompt history."
    return ConfirmDialog(title, text, "Restore the prompt", warnings=warnings)
