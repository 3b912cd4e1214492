"""Entry point of the command line: global options, all commands, and the exit status; also the commands of the demo."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING

import click

from cekura_tui import __version__
from cekura_tui.cli.options import COMPLETE, Options, embedded_options, number, path
from cekura_tui.cli.output import discard, print_error, print_message, printing, put, put_prompt
from cekura_tui.cli.script import SignalReceived, run_script
from cekura_tui.model.errors import CekuraTuiError, Exit, UsageError
from cekura_tui.model.plain import PLAIN
from cekura_tui.model.text import Prompt, clean_line, count
from cekura_tui.ui.terminal.capabilities import is_terminal, output_terminal, read_encoding

if TYPE_CHECKING:
    from cekura_tui.model.scope import Scope
    from cekura_tui.workspace.setup import Setup

SUMMARIES = {
    "runs": "Find and read runs.",
    "groups": "Group runs by what failed, most failures first.",
    "compare": "Compare two runs turn by turn, with the verdicts of both.",
    "search": "Search the transcripts of a project's or agent's runs.",
    "views": "List, save and delete views: filters with a name.",
    "notes": "Read and write notes on runs; they stay on this machine.",
    "improve": "Propose a better prompt from one to three runs of one agent.",
    "review": "Make a suggestion of the prompt in FILE (- for standard input), to decide on its changes.",
    "test": "Call the failed scenarios of runs again, to compare an agent's prompt before and after.",
    "jobs": "List, follow, stop and forget jobs launched from this machine.",
    "suggestion": "Decide on the changes of a suggestion, and update the agent's prompt.",
    "prompts": "List and print the prompts of an agent: its own, sent and suggested ones.",
    "auth": "Sign in with an API key; one for each profile.",
    "config": "Show and change settings.",
    "doctor": "Check the terminal, the files, the server and the versions, and say what to do.",
    "manual": "Read the manual, or the page of one TOPIC.",
    "schema": "Print the JSON Schema of a command's --json output.",
    "completion": "Print the completion script for a shell.",
    "demo-improve": "Improve a prompt of the demo; for improve.command.",
    "demo-server": "Run the demo server until interrupted.",
}
"""Summary of each command, so that --help does not load the commands."""
_FILES = {"notes": "views", "review": "improve", "schema": "completion", "manual": "completion"}
_FILES |= {"demo-improve": "main", "demo-server": "main"}


class MainGroup(click.Group):
    """Loads a command only when it is called. A run id or a dashboard link in place of a command opens the app."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUMMARIES:
            return None
        attribute = cmd_name.replace("-", "_")
        module = import_module(f"cekura_tui.cli.{_FILES.get(cmd_name, attribute)}")
        command: click.Command = getattr(module, attribute)
        if sys.flags.optimize > 1:
            _read_help(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        limit = formatter.width - 6 - max(map(len, SUMMARIES))
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, click.Command(name, help=SUMMARIES[name]).get_short_help_str(limit))
                    for name in self.list_commands(ctx)
                ]
            )

    # Both report a failed output first, because click exits with 1 on BrokenPipeError.
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        with printing():
            return super().parse_args(ctx, args)
        ctx.exit()

    def invoke(self, ctx: click.Context) -> object:
        with printing():
            return super().invoke(ctx)
        return Exit.DONE

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        target, *more = args
        if target in SUMMARIES or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        if target.isdecimal() or "://" in target:
            if set(more) & set(ctx.help_option_names):
                click.echo(ctx.get_help())
                ctx.exit()
            if more:
                raise UsageError(
                    f"Unexpected “{clean_line(more[0], 40)}” after a run id or a link.",
                    "Options go before the run id or link.",
                )
            return "open", open_target, args
        if "/" in target:
            raise UsageError(f"Unknown command: {clean_line(target, 80)}.", "Begin a dashboard link with https://.")
        return super().resolve_command(ctx, args)


def _read_help(command: click.Command) -> None:
    """Read the help of a command and of its subcommands from the source, because -OO removes docstrings."""
    import ast
    import inspect
    from textwrap import dedent

    with contextlib.suppress(OSError, TypeError):  # no source is installed
        function = ast.parse(dedent(inspect.getsource(inspect.unwrap(command.callback)))).body[0]  # type: ignore[arg-type]
        command.help = ast.get_docstring(function)  # type: ignore[arg-type] # TypeError
    for subcommand in command.commands.values() if isinstance(command, click.Group) else ():
        _read_help(subcommand)


@click.group(
    cls=MainGroup,
    invoke_without_command=True,
    subcommand_metavar="[RUN_ID | dashboard URL | COMMAND [ARGS]...]",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--demo", is_flag=True, help="Use the demo workspace: no account, no network.")
@click.option(
    "--profile", metavar="NAME", help="Use the key and the settings of this profile; overrides CEKURA_PROFILE."
)
@click.option("--config-dir", type=path, metavar="DIR", help="Keep settings, keys, runs and jobs in DIR.")
@click.option("--api-url", metavar="URL", help="Server; overrides CEKURA_API_URL.")
@click.option("--api-key-file", type=path, metavar="FILE", help="Read the API key from FILE (- for standard input).")
@click.option(
    "--project", type=number("project"), metavar="ID", help="List runs of this project; overrides CEKURA_PROJECT_ID."
)
@click.option("--agent", type=number("agent"), metavar="ID", help="List runs of this agent.")
@click.option("--read-only", is_flag=True, help="Launch no jobs and change no agent.")
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
@click.option(
    "--ascii/--no-ascii",
    "ascii_only",
    default=None,
    help="Draw with ASCII characters only. Without either, only where the locale is not UTF-8.",
)
@embedded_options
@click.version_option(__version__, prog_name="cekura-tui")
@click.pass_context
def cli(ctx: click.Context, /, **flags: object) -> None:
    """Find failed test calls of your voice agents, see why they failed, and improve the prompt.

    Opens the app when no command is given. All commands also work in scripts.
    """
    import logging  # --help must not pay for these imports

    logging.getLogger("cekura_tui").addHandler(logging.NullHandler())
    ctx.obj = Options().with_given(flags)
    if ctx.invoked_subcommand is None:
        ctx.exit(open_app(ctx.obj))


@click.command("open", hidden=True)
@click.argument("target")
@click.pass_obj
@click.pass_context
def open_target(ctx: click.Context, options: Options, target: str) -> None:
    """Open the app on a run, or on the runs that a dashboard link shows."""
    if target.isdecimal():
        ctx.exit(open_app(options, run_id=number("run")(target)))
    from cekura_tui.model.scope import scope_of_link

    setup = options.setup()
    ctx.exit(open_app(options, scope=scope_of_link(target, setup.settings.dashboard_url), setup=setup))


def open_app(
    options: Options, *, run_id: int | None = None, scope: Scope | None = None, setup: Setup | None = None
) -> int:
    """Open the app and return its exit status; without a terminal, run `show_demo_job` for a plain `--demo`, or raise
    UsageError. Pass an existing `setup`, because a key on standard input can be read only once."""
    if not _can_draw():
        if options.demo and run_id is None and scope is None:
            from cekura_tui.cli.improve import show_demo_job

            return run_script(options, show_demo_job)
        raise UsageError(
            "The app needs an interactive terminal (TERM is dumb, or input or output is redirected or closed).",
            "Commands work without one; see `cekura-tui --help`.",
        )
    import gc

    gc.disable()  # until the first frame: loading modules creates no garbage
    from cekura_tui.ui.start import run_app

    return run_app(
        setup or options.setup(),
        run_id=run_id,
        scope=scope,
        mouse=not options.no_mouse,
        ascii_only=options.ascii_only,
        command_line=options.command_line,
    )


@click.command("demo-server")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Port; a free one if not given.")
@click.option(
    "--log",
    "log_file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Log each request to FILE, one JSON object per line.",
)
@embedded_options
@click.pass_obj
def demo_server(options: Options, /, port: int, log_file: str | None, **given: object) -> None:
    """Run the demo server until interrupted. Prints the environment variables for its clients."""
    import json
    import shlex
    import signal
    import threading

    from cekura_tui.demo.corpus import FIRST_PROJECT
    from cekura_tui.demo.server import DemoServer

    options = options.with_given(given)
    home = options.paths.demo.home
    try:
        log = open(log_file, "a", encoding="utf-8", buffering=1) if log_file else None  # noqa: SIM115 # until the end
    except OSError as error:
        raise UsageError(f"Can't write {log_file}: {error.strerror}.") from None
    write = (lambda entry: click.echo(json.dumps(entry), file=log)) if log else None
    server = DemoServer(home, options.demo_options, port=port, log=write)
    try:
        server.start()
    except OSError as error:
        raise UsageError(f"Can't use port {port}: {error.strerror or error}.", "Choose another with --port.") from None
    try:
        put(f"export CEKURA_API_URL={shlex.quote(server.url)}")
        put(f"export CEKURA_API_KEY={shlex.quote(server.key)}")
        put(f"export CEKURA_PROJECT_ID={FIRST_PROJECT}")
        print_message("Serving. Press ctrl+c to stop.")
        ended = threading.Event()
        signal.signal(signal.SIGTERM, lambda number, frame: ended.set())
        ended.wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()


@click.command("demo-improve")
@click.option("--seconds", type=click.IntRange(0, 3600), default=3, metavar="N", help="Work for N seconds (default 3).")
def demo_improve(seconds: int) -> None:
    """Improve a prompt of the demo; for improve.command. Reads the command's text from standard input."""
    from cekura_tui.demo.improver import NO_ISSUES, improve_by_text

    raw = sys.stdin.buffer.read() if sys.stdin else b""
    prompt, changes = improve_by_text(raw.decode("utf-8", "replace"))
    for step in (f"Read {count(len(raw), 'byte')}.", *changes):
        print_message(step)
        time.sleep(seconds / (len(changes) + 1))
    put_prompt(Prompt(prompt))
    put("\n--- summary\n" + ("\n\n".join(changes) or NO_ISSUES))


def _can_draw() -> bool:
    terminal = is_terminal(sys.stdin, os.O_RDONLY) and sys.stdout.isatty() and output_terminal() is not None
    return terminal and os.environ.get("TERM", "dumb") not in ("", "dumb")


def main() -> None:
    # A file that is opened later must not become a standard stream.
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(handle)
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115 # None if closed
    if sys.stdout is None:
        print_error(UsageError("Standard output is closed.", "Connect it to a terminal, a file or a pipe."))
        sys.exit(Exit.WRONG_USE)
    for stream in (sys.stdout, sys.stderr):
        # Replace characters that the encoding lacks.
        encoding = read_encoding(os.environ, stream.encoding)[0] if stream.isatty() else stream.encoding
        stream.reconfigure(encoding=encoding, errors=PLAIN)  # type: ignore[union-attr] # absent on a replaced one
    status = _run()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # must not change the exit status
            discard(stream)
    sys.exit(status)


def _run() -> int:
    try:
        if sys.flags.optimize > 1:
            _read_help(cli)
        if COMPLETE in os.environ:
            import_module("cekura_tui.cli.completion")  # registers completion for shells that click lacks
        status = cli.main(prog_name="cekura-tui", standalone_mode=False)
        with printing():
            sys.stdout.flush()
        return int(status) if isinstance(status, int) else Exit.DONE
    except CekuraTuiError as error:
        print_error(error)
        return error.exit_status
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        return Exit.WRONG_USE
    except (click.Abort, KeyboardInterrupt):
        print_message("Interrupted.")
        return 130
    except SignalReceived as ended:
        return 128 + ended.signal
    except Exception as error:  # report a bug in one sentence; the traceback on request
        if os.environ.get("CEKURA_TUI_DEBUG"):
            import traceback

            from cekura_tui.model.secrets import redact, shown_words

            print_message(shown_words(redact("".join(traceback.format_exception(error)))))
        if isinstance(error, OSError) and error.strerror:
            print_message(f"cekura-tui: {error.strerror}{f': {error.filename}' if error.filename else ''}.")
        else:
            print_message(
                f"Internal error: {type(error).__name__}. "
                "Please report this bug; CEKURA_TUI_DEBUG=1 shows where it happened."
            )
        return Exit.WRONG_USE
