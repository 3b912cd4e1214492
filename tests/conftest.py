"""For all tests: the environment of whoever runs them changes nothing, and no file of theirs is touched."""

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
_OF_THE_TERMINAL = ("TMUX", "STY", "DISPLAY", "WAYLAND_DISPLAY", "SSH_")
"""What is copied in a test is not to be on the clipboard of whoever runs it."""

# Programs that are started here, and workers that collect tests, find what was compiled for the ones before.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Nor do colours, terminals and rights of whoever runs them change what is shown and made.
os.environ.pop("NO_COLOR", None)
os.environ["TERM"] = "xterm-256color"
os.umask(0o022)
# A shell starts what runs in the background deaf to ctrl+C, and programs that are started here would be so too.
signal.signal(signal.SIGINT, signal.default_int_handler)
# The same goes for the end of a terminal, where it was begun to outlive its own.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
# An app is tens of thousands of objects that go together: to look for garbage while one is made is a fifth of a test.
gc.set_threshold(50_000, 20, 100)
# Every client reads all authorities there are, though none of the servers here has a certificate: they are read once.
ssl.create_default_context = cache(ssl.create_default_context)
# httpcore looks for this package in every folder of the path at each request; that it is not there is known at once.
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
"""The same few examples in every run: what fails once fails again. Health checks would measure the machine."""
settings.register_profile(
    "nightly", settings.get_profile("quick"), max_examples=300, derandomize=False, print_blob=True
)

settings.load_profile("quick")  # for settings that are made before pytest is configured, such as COSTLY

_numbers = count()
_LONG = ("pty", "crash")
"""Folders whose tests need real terminals and kill real processes."""
_QUICK_SIZES = (None, (80, 24), (120, 36), "80x24", "120x36")
"""Terminal sizes of the quick tests; other sizes are `long`."""


def _is_nightly(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "nightly")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("nightly" if _is_nightly(config) else "quick")


def _size_of(item: pytest.Item) -> object:
    size = getattr(getattr(item, "callspec", None), "params", {}).get("size")
    return size if isinstance(size, (tuple, str)) else None  # a number is the size of something else


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark whole folders `long` and properties `nightly`; what is `nightly` is never `long`, even in a long module."""
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
    """Leave no garbage to the five collections that pytest makes at its end: each takes a second a process."""
    gc.freeze()


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As pytest's own, which lists all earlier ones before it makes the next; every path is as long as the others."""
    path = tmp_path_factory.getbasetemp() / f"{next(_numbers):04}"
    path.mkdir()
    return path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program's config directory of this test; neither it nor the user's home directory exists yet."""
    for name in list(os.environ):
        if name.upper().startswith((*_FOREIGN, *_OF_THE_TERMINAL)):
            monkeypatch.delenv(name)
    directory = tmp_path / "home"
    monkeypatch.setenv("CEKURA_TUI_HOME", str(directory))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))  # where the vendor's CLI has its settings
    return directory


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """The program's log of one test is no business of the next."""
    yield
    for name in ("cekura_tui", "cekura_tui.workspace", "cekura_tui.ui"):
        log = logging.getLogger(name)
        log.handlers, log.propagate = [], True


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    """A server that answers as the test says."""
    with ScriptedServer() as server:
        yield server
