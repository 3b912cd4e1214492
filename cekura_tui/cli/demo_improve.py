"""`demo-improve`: the demo's improver as a command, to try the setting improve.command without a language model."""

from __future__ import annotations

import sys
import time

import click

from cekura_tui.cli.output import print_message, put, put_prompt
from cekura_tui.model.errors import UsageError
from cekura_tui.model.text import Prompt, count


@click.command("demo-improve")
@click.option("--seconds", type=click.IntRange(0, 3600), default=3, metavar="N", help="Work for N seconds (default 3).")
def demo_improve(seconds: int) -> None:
    """Improve a prompt of the demo; for improve.command.

    Reads the text that such a command gets on standard input. Prints the improved prompt and a summary.
    """
    from cekura_tui.demo.improver import NO_ISSUES, improve_by_text

    raw = sys.stdin.buffer.read() if sys.stdin is not None else b""
    try:
        text = raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        text = ""
    if (improved := improve_by_text(text)) is None:
        raise UsageError(
            "Standard input has no prompt between the lines <<<PROMPT and PROMPT>>>.",
            'Set improve.command to "cekura-tui demo-improve", without a template of your own.',
        )
    prompt, changes = improved[0], improved[1] or [NO_ISSUES]
    steps = [f"Read {count(len(raw), 'byte')}.", *changes, "Printing the prompt."]
    for step in steps:
        print_message(step)
        time.sleep(seconds / len(steps))
    put_prompt(Prompt(prompt))
    put("\n--- summary\n" + "\n\n".join(changes))
