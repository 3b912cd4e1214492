"""For all tests: the environment of the user who runs the tests has no effect, and the user's files are not touched."""

from __future__ import annotations

import gc
import logging
import os
import signal
import ssl
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings
from scripted_server import ScriptedServer

pytest_plugins = ("quick_pilot", "both_streams", "forked")
_FOREIGN = ("CEKURA_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_")
_TERMINAL_VARIABLES = ("TMUX", "STY", "DISPLAY", "WAYLAND_DISPLAY", "SSH_")
"""Variables that are removed from the environment, so that tests never copy to the user's clipboard."""

# Subprocesses and test workers reuse compiled bytecode.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Output and files must not depend on the user's colours, terminal and umask.
os.environ.pop("NO_COLOR", None)
os.environ["TERM"] = "xterm-256color"
os.umask(0o022)
# A shell makes background processes ignore SIGINT, and subprocesses of the tests would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Likewise SIGHUP, which nohup makes them ignore.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
# An app has tens of thousands of live objects: garbage collection while it starts takes a fifth of a test's time.
gc.set_threshold(200_000, 20, 100)
# Every HTTP client loads all certificate authorities, though no test server uses TLS: load them once.
ssl.create_default_context = cache(ssl.create_default_context)
# httpcore tries to import this package at each request, which searches all of sys.path: let it fail at once.
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]


settings.register_profile(
    "quick",
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
"""The same few examples in every run, so that a failure repeats. Health checks would measure the machine."""
settings.register_profile(
    "nightly", settings.get_profile("quick"), max_examples=300, derandomize=False, print_blob=True
)

settings.load_profile("quick")  # for settings created before pytest is configured, such as COSTLY

_numbers = count()
_LONG = ("pty", "crash")
"""Folders whose tests need real terminals and kill real processes."""
_QUICK_SIZES = (None, (80, 24), (120, 36), "80x24", "120x36")
"""Terminal sizes of the quick tests; tests with other sizes are marked `long`."""


def _is_nightly(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "nightly")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("nightly" if _is_nightly(config) else "quick")


def _size_of(item: pytest.Item) -> object:
    size = getattr(getattr(item, "callspec", None), "params", {}).get("size")
    return size if isinstance(size, (tuple, str)) else None  # a number is another kind of size


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests `long` by their folder or terminal size and, in nightly runs, all Hypothesis tests `nightly`. A
    `nightly` test is never marked `long`, and `-m long` leaves `nightly` tests out."""
    if config.option.markexpr == "long":
        items[:] = [item for item in items if not item.get_closest_marker("nightly")]
    for item in items:
        if _is_nightly(config) and is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.nightly)
        if item.get_closest_marker("nightly"):
            continue
        if item.path.parent.name in _LONG or _size_of(item) not in _QUICK_SIZES:
            item.add_marker(pytest.mark.long)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Exempt all objects from pytest's five final garbage collections, because each takes a second per process."""
    gc.freeze()


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new directory for the test. Unlike pytest's fixture, this fixture lists no earlier directories, and all its
    paths have one length."""
    path = tmp_path_factory.getbasetemp() / f"{next(_numbers):04}"
    path.mkdir()
    return path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program's config directory in this test. This directory and the user's home directory do not exist yet."""
    for name in list(os.environ):
        if name.upper().startswith((*_FOREIGN, *_TERMINAL_VARIABLES)):
            monkeypatch.delenv(name)
    directory = tmp_path / "home"
    monkeypatch.setenv("CEKURA_TUI_HOME", str(directory))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))  # where the vendor's CLI has its settings
    return directory


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """Reset the program's loggers after each test."""
    yield
    for name in ("cekura_tui", "cekura_tui.workspace", "cekura_tui.ui"):
        log = logging.getLogger(name)
        log.handlers, log.propagate = [], True


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    """A server whose answers the test defines."""
    with ScriptedServer() as server:
        yield server
