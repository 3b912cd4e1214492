"""The commands `completion`, `schema` and `manual`, and completions from the jobs and runs stored on this machine."""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import TYPE_CHECKING

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    add_completion_class,
    get_completion_class,
)

from cekura_tui.cli.options import COMPLETE
from cekura_tui.cli.output import put, put_json, put_table
from cekura_tui.model.errors import CekuraTuiError, UsageError
from cekura_tui.model.text import clean_line

if TYPE_CHECKING:
    from cekura_tui.model.run.view import RunRow

_SAFE_IN_SHELL = re.compile(r"""[\w:~.,@%+=/>-]*("[^"$`\\!]*")?""")
_SHELLS = {
    "bash": "~/.bashrc",
    "zsh": "~/.zshrc, after compinit",
    "fish": "~/.config/fish/completions/cekura-tui.fish",
}


@click.command(
    epilog="Add the output to "
    + "; ".join(f"{shell}: {place}" for shell, place in _SHELLS.items())
    + '. For bash and zsh: eval "$(cekura-tui completion bash)".'
)
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for a shell."""
    kind = get_completion_class(shell)
    assert kind is not None
    put(kind(ctx.find_root().command, {}, "cekura-tui", COMPLETE).source().rstrip("\n"))


class _Bash(BashComplete):
    """Completion for bash, which also splits words at colons, and completes only the part after the last colon."""

    def get_completion_args(self) -> tuple[list[str], str]:
        before, last = super().get_completion_args()
        words: list[str] = []
        for word in (*before, last):
            if words and (word.startswith(":") or words[-1].endswith(":")):
                words[-1] += word
            else:
                words.append(word)
        *before, self._typed = words
        return before, self._typed

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Drop the beginning of a completion up to the last colon that the user typed."""
        head = self._typed.rpartition(":")
        return f"{item.type},{item.value.removeprefix(head[0] + head[1])}"


class _Fish(FishComplete):
    """Completion for fish, with type and value split at the first comma only, as values may contain commas."""

    source_template = FishComplete.source_template.replace('split ","', 'split -m 1 ","')


add_completion_class(_Bash, "bash")
add_completion_class(_Fish, "fish")


def _cached(ctx: click.Context) -> tuple[list[tuple[int, str, str]], list[RunRow]]:
    from cekura_tui.config.paths import find_paths
    from cekura_tui.store.runs import read_completions

    options = ctx.find_root().params
    try:
        paths = find_paths(options.get("config_dir"), os.environ)
    except CekuraTuiError:
        return [], []
    return read_completions((paths.demo if options.get("demo") else paths).database)


def complete_jobs(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem[str]]:
    """Complete the numbers of jobs that are not yet on the command line, newest first, with state and agent as help."""
    from cekura_tui.model.job import JobState

    given = ctx.params.get(param.name or "")
    named = {str(number) for number in given} if isinstance(given, tuple) else set()
    return [
        CompletionItem(str(number), help=clean_line(f"{JobState(state).words} {agent}", 60))
        for number, state, agent in _cached(ctx)[0]
        if str(number).startswith(typed) and str(number) not in named
    ]


def complete_filters(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem[str]]:
    """Complete a filter's key, or after a colon a cached value, unless a shell would not take the text literally."""
    from cekura_tui.model.filter.filter import KEYS
    from cekura_tui.model.filter.parse import completions, names_in

    if ":" in typed:
        words = list(completions(typed, names_in(_cached(ctx)[1])))
    else:
        words = [key.start for key in KEYS if key.name.startswith(typed)]
    # Names are untrusted, and bash inserts completions unquoted, as if typed.
    return [CompletionItem(word) for word in words if _SAFE_IN_SHELL.fullmatch(word) and word == clean_line(word)]


@click.command()
@click.argument("name", required=False)
def schema(name: str | None) -> None:
    """Print the JSON Schema of a command's --json output.

    Without NAME, lists all schemas (JSON Schema 2020-12).
    """
    from cekura_tui.model.json_shapes import SHAPES, schema_of

    if name is None:
        put_table(("NAME", "DESCRIBES"), [(name, of) for name, (of, _) in SHAPES.items()])
    elif name in SHAPES:
        put_json(schema_of(name), indent=2)
    else:
        raise UsageError(f"No schema named “{clean_line(name, 40)}”.", f"Choose from {', '.join(SHAPES)}.")


@click.command()
@click.argument("topic", required=False)
@click.option("--list", "list_topics", is_flag=True, help="List the topics.")
def manual(topic: str | None, list_topics: bool) -> None:
    """Read the manual, or the page of one TOPIC.

    On a terminal, the text opens in $PAGER; in a pipe or a file, it is Markdown.
    """
    from cekura_tui.manual import TOPICS, read_page

    if topic is not None and topic not in TOPICS:
        raise UsageError(f"No topic named “{clean_line(topic, 40)}”.", f"Choose from {', '.join(TOPICS)}.")
    if list_topics:
        put_table(("TOPIC", "ABOUT"), list(TOPICS.items()))
        return
    text = "\n".join(map(read_page, [topic] if topic else TOPICS))
    if not sys.stdout.isatty():
        put(text.rstrip("\n"))
        return
    from cekura_tui.config.programs import command_words, run_program
    from cekura_tui.ui.terminal.markdown import render_page

    page = render_page(text, shutil.get_terminal_size().columns)
    data = page.encode(sys.stdout.encoding, sys.stdout.errors or "replace")
    words = command_words(os.environ.get("PAGER") or "less")
    env = {"LESS": "-FRX", **os.environ}  # as git does: a page that fits needs no key
    if not words or run_program(words, env, data=data, quiet=False, in_front=True).status is None:
        put(text.rstrip("\n"))
