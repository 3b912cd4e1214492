"""The API key is taken from the first source that has a key, and a key is sent only to the server of that key."""

from __future__ import annotations

import io
import json
import os
import shlex
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cekura_tui.config import key_lookup
from cekura_tui.config.credentials import ApiKey, read_server, save_key
from cekura_tui.config.programs import Ended
from cekura_tui.model.errors import Exit, KeyMissing, UsageError
from cekura_tui.workspace.setup import Setup, make_setup

HOME, OTHER = "https://api.cekura.ai", "https://other.example"
PLACES = ["--api-key-file", "CEKURA_API_KEY", "api_key_command", "credentials.json", "config.toml"]


@pytest.fixture(autouse=True)
def forget_key_commands() -> None:
    """Clear the cached output of key commands, which is kept for the whole process."""
    key_lookup._printed.clear()


@dataclass
class Person:
    """A user with API keys in any of the five sources of PLACES. The text of a key is the name of its source."""

    directory: Path
    env: dict[str, str] = field(default_factory=dict)
    key_file: str | None = None
    settings: list[str] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.directory / "home"

    def write(self, name: str, content: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        path.chmod(0o600)
        return path

    def put(self, place: str, server: str = HOME) -> None:
        """Put a key into a source. If the source stores a server with the key, the server is `server`."""
        if place == "--api-key-file":
            self.key_file = str(self.write("key", "--api-key-file\n"))
        elif place == "CEKURA_API_KEY":
            self.env["CEKURA_API_KEY"] = place
        elif place == "api_key_command":
            self.settings += [f'api_url = "{server}"', f"api_key_command = {json.dumps('echo api_key_command')}"]
        elif place == "credentials.json":
            save_key(self.home / "credentials.json", read_server(server), ApiKey(place, "typed"))
        else:
            self.write(".cekura/config.toml", f'api_key = "{place}"\napi_url = "{server}"\n')

    def setup(self, url: str | None = None, profile: str | None = None) -> Setup:
        if self.settings:
            self.write("home/config.toml", "\n".join(self.settings) + "\n")
        env = {"HOME": str(self.directory), "PATH": os.environ["PATH"], **self.env}
        return make_setup(config_dir=str(self.home), api_url=url, api_key_file=self.key_file, profile=profile, env=env)


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path)


def why_not(setup: Setup, place: str) -> str:
    (source,) = [one for one in setup.key_sources if one.place.endswith(place) or Path(one.place).name == place]
    return source.why_not


def text_of(setup: Setup) -> str | None:
    return setup.key.text if setup.key else None


@pytest.mark.parametrize("first", range(len(PLACES)))
def test_the_key_of_the_first_source_that_has_a_key_is_used(person: Person, first: int) -> None:
    for place in PLACES[first:]:
        person.put(place)
    setup = person.setup()
    assert text_of(setup) == PLACES[first]
    assert [source.place for source in setup.key_sources if not source.why_not] == [setup.key_sources[first].place]
    later = [source.why_not for source in setup.key_sources[first + 1 :]]
    assert later == [f"{setup.key_sources[first].place} comes first"] * (len(PLACES) - first - 1)
    assert all(source.why_not.startswith(("not ", "no key")) for source in setup.key_sources[:first])


@pytest.mark.parametrize("place", PLACES)
def test_a_server_given_by_a_flag_gets_only_a_key_from_a_flag_or_variable(person: Person, place: str) -> None:
    person.put(place, HOME)
    setup = person.setup(OTHER)
    given = place in ("--api-key-file", "CEKURA_API_KEY")
    assert text_of(setup) == (place if given else None)
    if not given:
        assert setup.no_key is not None
        assert f"belongs to {HOME} and was not sent to {OTHER}" in setup.no_key.message
        assert why_not(setup, place) == setup.no_key.message
        assert setup.no_key.exit_status == Exit.KEY_REFUSED


@pytest.mark.parametrize("place", ["api_key_command", "credentials.json"])
def test_the_server_that_a_key_was_saved_with_is_used(person: Person, place: str) -> None:
    person.put(place, OTHER)
    setup = person.setup()
    assert (setup.server.origin, text_of(setup)) == (OTHER, place)


def test_keys_of_other_servers_are_skipped(person: Person) -> None:
    person.write(".cekura/config.toml", 'api_key = "vendor"\n')
    assert (text_of(person.setup()), text_of(person.setup(OTHER))) == ("vendor", None)
    person.put("api_key_command", HOME)
    person.put("credentials.json", OTHER)
    assert text_of(person.setup(OTHER)) == "credentials.json"


def test_each_profile_uses_its_own_key_and_server(person: Person) -> None:
    person.put("credentials.json", HOME)
    save_key(person.home / "credentials.json", read_server(OTHER), ApiKey("staging", "typed"), "staging")
    staging = person.setup(profile="staging")
    assert (staging.server.origin, text_of(staging)) == (OTHER, "staging")
    assert (person.setup().server.origin, text_of(person.setup())) == (HOME, "credentials.json")
    person.settings.append('api_url = "https://for-all.example"')
    assert text_of(person.setup(profile="staging")) == "staging"
    assert person.setup().no_key is not None, "what the file says goes for the usual profile"


def test_a_global_key_command_is_not_run_for_a_profiles_own_server(person: Person) -> None:
    person.put("api_key_command", HOME)
    person.settings += ["[profiles.staging]", f'api_url = "{OTHER}"']
    staging = person.setup(profile="staging")
    assert text_of(staging) is None
    assert "belongs to" in why_not(staging, "api_key_command")
    person.settings.append('api_key_command = "echo of-staging"')
    assert text_of(person.setup(profile="staging")) == "of-staging"


# `api_key_command`


def command(script: str) -> str:
    return shlex.join([sys.executable, "-c", script])


def with_command(person: Person, words: str) -> Setup:
    person.settings = [f"api_key_command = {json.dumps(words)}"]
    return person.setup()


def test_a_key_command_gets_no_shell_and_no_key_and_no_piped_input(person: Person) -> None:
    person.env["CEKURA_API_KEY"] = " "
    script = "import os, sys; print(os.getenv('CEKURA_API_KEY'), len(sys.stdin.read()), sep='/'); print('second')"
    reader, writer = os.pipe()
    os.write(writer, b"piped to us")
    os.close(writer)
    stdin = os.dup(0)
    os.dup2(reader, 0)
    try:
        assert text_of(with_command(person, command(script))) == "None/0"
    finally:
        os.dup2(stdin, 0)
        os.close(stdin)
        os.close(reader)
    assert text_of(with_command(person, "echo $HOME;ls")) == "$HOME;ls"


def test_a_key_command_runs_once_and_only_if_no_earlier_source_has_a_key(person: Person, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    words = command(f"open({str(runs)!r}, 'a').write('x'); print('key')")
    person.env["CEKURA_API_KEY"] = "env"
    assert text_of(with_command(person, words)) == "env"
    assert not runs.exists()
    del person.env["CEKURA_API_KEY"]
    for _ in range(3):
        assert text_of(with_command(person, words)) == "key"
    assert runs.read_text() == "x"


PRINTS = "print('sek' + 'ret', flush=True); "
FAILURES = [
    (PRINTS + "raise SystemExit(3)", "ended with status 3"),
    (PRINTS + "import os; os.kill(os.getpid(), 15)", "was ended by signal 15"),
    (PRINTS + "import time; time.sleep(60)", "did not end within 0.4 seconds"),
    ("print('sek' + 'ret ' * 2)", "is not an API key"),
    ("pass", "is empty"),
]


@pytest.mark.parametrize(("script", "why"), FAILURES)
def test_a_key_command_that_fails_is_reported_without_its_output(
    person: Person, script: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_lookup, "UNATTENDED", 0.4 if "sleep" in script else 10.0)
    person.put("credentials.json")
    setup = with_command(person, command(script))
    assert setup.key is None, "no other account is used in its place"
    assert setup.no_key is not None
    assert why in setup.no_key.message
    assert "(api_key_command)" in setup.no_key.message
    assert "sekret" not in setup.no_key.sentence() + repr(setup)
    assert why_not(setup, "credentials.json") == "api_key_command comes first"


@pytest.mark.parametrize(("terminal", "options"), [(True, (None, 60.0)), (False, (b"", 10.0))])
def test_a_key_command_may_use_the_terminal_for_a_minute(
    person: Person, monkeypatch: pytest.MonkeyPatch, terminal: bool, options: tuple[bytes | None, float]
) -> None:
    asked: list[tuple[bytes | None, float]] = []

    def run(words: list[str], env: object, *, data: bytes | None, limit: float, **_: object) -> Ended:
        asked.append((data, limit))
        return Ended("", 0, b"key\nmore")

    monkeypatch.setattr(key_lookup, "run_program", run)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr(sys.stdin, "isatty", lambda: terminal)
    assert (text_of(with_command(person, "ask")), asked) == ("key", [options])


def test_an_error_names_the_key_command_that_cannot_be_started(person: Person) -> None:
    for words, said in (
        ("/nowhere/at-all --key", "api_key_command could not be started: No such file or directory."),
        ("/etc/passwd", "passwd (api_key_command) could not be started: Permission denied."),
    ):
        setup = with_command(person, words)
        assert setup.no_key is not None
        assert setup.no_key.message == said
    for words, why in (("", "is not a command"), ("'", "is not a command"), ("a\0b", "its name is not valid")):
        with pytest.raises(KeyMissing, match=why):
            key_lookup.run_key_command(words, {})


# Files


def test_a_piped_key_is_read_up_to_the_line_end(monkeypatch: pytest.MonkeyPatch, person: Person) -> None:
    pipe = person.directory / "pipe"
    os.mkfifo(pipe)
    pipe.chmod(0o666)  # the mode of a pipe is not checked
    threading.Thread(target=lambda: pipe.write_text("named\n"), daemon=True).start()
    person.key_file = str(pipe)
    assert text_of(person.setup()) == "named"
    stdin = io.StringIO("piped\nthe rest")
    monkeypatch.setattr("sys.stdin", stdin)
    person.key_file = "-"
    assert text_of(person.setup()) == "piped"
    assert stdin.read() == "the rest"
    monkeypatch.setattr("sys.stdin", None)
    missing = person.setup().no_key
    assert missing is not None
    assert "standard input is closed" in missing.message


@pytest.mark.parametrize("place", ["--api-key-file", "credentials.json", "config.toml"])
@pytest.mark.parametrize("by_link", [False, True])
def test_a_key_file_readable_by_others_is_refused_with_a_chmod_hint(person: Person, place: str, by_link: bool) -> None:
    person.put(place)
    names = {"--api-key-file": "key", "credentials.json": "home/credentials.json", "config.toml": ".cekura/config.toml"}
    path = person.directory / names[place]
    if by_link:
        path.rename(target := path.parent / "it's elsewhere")  # a link out of the directory is refused for saved keys
        path.symlink_to(target)
    path.chmod(0o640)
    setup = person.setup()
    assert setup.key is None
    assert setup.no_key is not None
    assert "(mode 0640)" in setup.no_key.message
    assert os.system(setup.no_key.hint.removeprefix("Run `").removesuffix("`.")) == 0
    assert text_of(person.setup()) == place


@pytest.mark.parametrize("name", ["missing", ".", "~nobody-of-this-name/key", "binary"])
def test_an_error_names_the_key_file_that_cannot_be_read(
    person: Person, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(person.directory)
    person.write("binary", "").write_bytes(b"\xff\xfe\x00")
    person.key_file = name
    with pytest.raises((KeyMissing, UsageError)) as caught:
        raise person.setup().no_key or AssertionError
    assert ("not a text file" in caught.value.message) == (name == "binary")
    assert name in caught.value.message


def test_a_missing_key_is_reported_with_the_ways_to_set_a_key(person: Person) -> None:
    missing = person.setup().no_key
    assert missing is not None
    for way in ("auth login", "CEKURA_API_KEY", "--api-key-file"):
        assert way in missing.hint
