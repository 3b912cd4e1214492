"""Other terminal programs compared with ours: first frame, a key, bytes, memory, and CPU share at rest. Each program is
found on PATH or given by `--peer NAME=PATH`, and is started on generated content, such as a database."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from terminal import PROGRAM

from tests.bench.first_frame import Start
from tests.bench.row import Options, Row
from tests.bench.servers import cache_list, demo_server, newest
from tests.bench.timed_terminal import HELLO, HELLO_TEXT, TimedTerminal, environment, watch

KEYS = 20
WINDOW = 5.0
RUNS = 1_000


def rows(options: Options) -> Iterator[Row]:
    """Measure our program, then each peer that is found. Starts alternate with starts of the bare app."""
    with demo_server(options.place / "account", RUNS) as account:
        cache_list(account, RUNS)
        yield from _measured("cekura-tui", list(PROGRAM), newest(RUNS), ("j", "k"), account.env, options)
    given = options.peers or {}
    for name, shows, there, back, prepare in PEERS:
        path = given.get(name) or shutil.which(name)
        if not path:
            print(f"{name}: not found")
            continue
        place = options.place / name
        place.mkdir()
        env = environment(place)
        del env["PYTHONPATH"]
        env |= {"XDG_CONFIG_HOME": str(place / "config"), "XDG_DATA_HOME": str(place / "data")}
        Path(env["HOME"]).mkdir()
        try:
            yield from _measured(name, [path, *prepare(path, place)], shows, (there, back), env, options)
        except (AssertionError, subprocess.CalledProcessError) as error:
            print(f"{name}: not measured: {str(error).splitlines()[0]}")


def _measured(
    name: str, command: list[str], shows: str, keys: tuple[str, str], env: dict[str, str], options: Options
) -> Iterator[Row]:
    bare = Start((HELLO_TEXT,), environment(options.place / "bare"), command=HELLO)
    start = Start((shows,), env, command=tuple(command))
    for n in range(6):
        for one in (bare, start):
            one.measure(counted=n > 0)
    yield Row(f"{name}: first frame", "ms", start.took, bare.took)
    yield Row(f"{name}: bytes of a start", "B", start.bytes, bare.bytes)
    yield Row(f"{name}: memory", "MB", start.memory, bare.memory)
    with TimedTerminal(env=env, command=command) as terminal:
        terminal.wait(shows).rest()
        answers = terminal.held(*keys, 2 * 5 * KEYS, KEYS // 2)
        terminal.rest()
        yield Row(f"{name}: key to last byte", "ms", [answer.took for answer in answers])
        sums = [sum(answer.bytes for answer in answers[n : n + KEYS]) for n in range(0, len(answers), KEYS)]
        yield Row(f"{name}: bytes of {KEYS} keys", "B", sums)
        sent, core = zip(*(watch([terminal], WINDOW)[0] for _ in range(5)), strict=True)
        yield Row(f"{name}: at rest, of a core", "%", core)
        yield Row(f"{name}: at rest, bytes a second", "B/s", sent)


def _database(path: str, place: Path) -> list[str]:
    file = place / "calls.sqlite"
    with sqlite3.connect(file) as sql:
        sql.execute("CREATE TABLE calls (id INTEGER, name TEXT)")
        sql.executemany("INSERT INTO calls VALUES (?, ?)", [(n, f"call {n}") for n in range(1_000)])
    sql.close()
    return ["--adapter", "sqlite", str(file)]


def _collection(path: str, place: Path) -> list[str]:
    folder = place / "collection"
    folder.mkdir()
    for n in range(30):
        (folder / f"request-{n}.posting.yaml").write_text(f"name: Request {n}\nurl: http://127.0.0.1/{n}\n")
    return ["--collection", str(folder)]


def _repository(path: str, place: Path) -> list[str]:
    repository, config = place / "repository", place / "config" / "lazygit"
    repository.mkdir()
    config.mkdir(parents=True)
    (config / "config.yml").write_text("disableStartupPopups: true\nupdate: {method: never}\n")
    words = {"NAME": "A", "EMAIL": "a@example.com"}
    who = {f"GIT_{role}_{word}": value for role in ("AUTHOR", "COMMITTER") for word, value in words.items()}

    def git(*words: str) -> None:
        command = ["git", "-C", str(repository), *words]
        subprocess.run(command, env={**os.environ, **who}, check=True, capture_output=True)

    git("init")
    for n in range(30):
        (repository / "file").write_text(f"{n}\n")
        git("add", ".")
        git("commit", "-m", f"commit {n}")
    for n in range(30):
        (repository / f"new{n:02}").write_text(f"{n}\n")
    return ["--path", str(repository)]


_RUN = """
import math, wandb
run = wandb.init(project="bench", dir=".", mode="offline", settings=wandb.Settings(silent=True))
for step in range(300):
    run.log({f"metric {n}": math.sin(step / 10 + n) for n in range(6)})
run.finish()
"""


def _runs(path: str, place: Path) -> list[str]:
    python = Path(path).with_name("python")
    made = place / "wandb"
    subprocess.run([str(python), "-c", _RUN], cwd=place, check=True, capture_output=True)
    (first,) = made.glob("offline-run-*")
    for n in range(29):
        shutil.copytree(first, made / f"{first.name[:-2]}{n:02}")
    return ["leet", str(made)]


DOWN, UP = "\x1b[B", "\x1b[A"
PEERS: tuple[tuple[str, str, str, str, Callable[[str, Path], list[str]]], ...] = (
    ("harlequin", "Query Editor", DOWN, UP, _database),
    ("posting", "Collection", "j", "k", _collection),
    ("wandb", "Runs [", DOWN, UP, _runs),
    ("lazygit", "new00", "j", "k", _repository),
    ("k9s", "Context", "j", "k", lambda path, place: []),
)
"""Each peer: name, text in the first frame, key that moves, key that moves back, and a function that generates content.
The function gets the program's path and a directory; it returns the program's arguments."""
