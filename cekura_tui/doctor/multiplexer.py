"""Check what tmux or screen passes on to the terminal, and suggest lines for ~/.tmux.conf."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cekura_tui.doctor.check import Check
from cekura_tui.model.text import clean_line
from cekura_tui.ui.terminal.capabilities import Multiplexer
from cekura_tui.ui.terminal.clipboard import read_output


def check_multiplexer(multiplexer: Multiplexer, env: Mapping[str, str]) -> Iterator[Check]:
    if multiplexer == "tmux":
        yield from _tmux(env)
    elif multiplexer == "screen":
        found = "GNU screen passes on no true colours, focus events or synchronized output; copying works in pieces"
        without = "Colours are limited to 256, and two minutes without a key count as away."
        yield Check("terminal", "screen", "warning", found, f"{without} tmux passes all of these on.")


def _ask_tmux(env: Mapping[str, str], *words: str) -> str | None:
    """The output of a tmux command as one line; None if tmux is missing, fails or does not answer in time."""
    printed = read_output(("tmux", *words), env)
    return None if printed is None else clean_line(printed.decode("utf-8", "replace"), 400)


def _tmux(env: Mapping[str, str]) -> Iterator[Check]:
    version = _ask_tmux(env, "display-message", "-p", "#{version}")
    if version is None:
        advice = "Options could not be read. Run `cekura-tui doctor` where the tmux server runs."
        yield Check("terminal", "tmux", "warning", "the tmux server does not answer from here", advice)
        return
    yield Check("terminal", "tmux", "ok", version)
    for line, good, why in _OPTIONS:
        yield _option(env, line, good, why)
    yield from _true_colours(env)


_NO_COPY = "Other programs can't copy; cekura-tui copies through `tmux load-buffer`."
_OPTIONS = (
    ("set -s set-clipboard external", ("external", "on"), _NO_COPY),
    ("set -g allow-passthrough on", ("on", "all"), "Notifications don't reach the terminal around tmux."),
    ("set -g focus-events on", ("on",), "tmux doesn't report the focus: two minutes without a key count as away."),
    ('set -g default-terminal "tmux-256color"', ("256color", "direct"), "Programs in tmux assume few colours."),
)
"""tmux options: the line that sets one well, what a good value contains, and what fails without a good value."""


def _option(env: Mapping[str, str], line: str, good: tuple[str, ...], why: str) -> Check:
    name = line.split()[2]
    value = _ask_tmux(env, "show-options", "-gv", name)
    if value is None:
        return Check("terminal", f"tmux {name}", "warning", "this tmux has no such option", f"{why} Update tmux.")
    if any(word in value for word in good):
        return Check("terminal", f"tmux {name}", "ok", value)
    return Check("terminal", f"tmux {name}", "warning", value or "not set", f"{why}\n{_in_conf(line)}")


def _true_colours(env: Mapping[str, str]) -> Iterator[Check]:
    client = _ask_tmux(env, "display-message", "-p", "#{client_termname} #{client_termfeatures}") or ""
    term, _, features = client.partition(" ")
    if not term:
        return  # no client, or this version reports no features
    if "RGB" in features.split(","):
        yield Check("terminal", "tmux true colours", "ok", f"passed on to {term}")
        return
    line = _in_conf(f'set -as terminal-features ",{term}:RGB"')
    advice = f"If the terminal around tmux shows true colours:\n{line}"
    yield Check("terminal", "tmux true colours", "warning", f"reduced to 256 for {term}", advice)


def _in_conf(line: str) -> str:
    return f"Add to ~/.tmux.conf: {line}"
