"""The user hears a call in a real terminal with the real players: from the right moment, one player, and none left."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from examples import nightly
from players import SECONDS, first_place, make_player, make_sound
from raw_output import foreign_in
from run_pages import call, serve
from scripted_server import Reply, ScriptedServer
from terminal import Start, Terminal
from user_commands import MARK, processes
from waiting import until

KEY = "key-of-the-user-0123456789"
ESC = "\x1b[27u"
"""Escape in the keyboard protocol, after which the program does not wait for the rest of a sequence."""
SILENT = {"mpv": "mpv --no-config --ao=null", "ffplay": "ffplay"}
# Record what the player and its parent process got, and become the real player, which keeps the lock of `make_player`.
RECORDER = """
def opened(process):
    for number in os.listdir(f"/proc/{process}/fd"):
        try:
            yield os.readlink(f"/proc/{process}/fd/{number}")
        except OSError:  # the directory itself
            pass
for process in ("self", os.getppid()):
    texts = [open(f"/proc/{process}/{name}").read() for name in ("cmdline", "environ")]
    with open(HERE + "/given", "a") as file:
        file.write(json.dumps([*texts, *opened(process)]) + "\\n")
os.set_inheritable(only_one.fileno(), True)
os.execv(REAL, [REAL, *sys.argv[1:]])
"""
Open = Callable[..., Terminal]


@pytest.fixture(
    params=[
        pytest.param(name, marks=pytest.mark.skipif(not shutil.which(name), reason="not installed")) for name in SILENT
    ]
)
def player(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The directory of the player's program and of the files that it writes."""
    path = tmp_path / "programs"
    path.mkdir()
    return path


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[list[ScriptedServer]]:
    """The host of the links, and the host that it redirects to."""
    with ScriptedServer() as first, ScriptedServer() as second:
        second.on("GET", "/sound", Reply(make_sound(tmp_path).read_bytes()))
        first.on("GET", "/sound", Reply(b"", 302, {"Location": f"{second.url}/sound?signature=secret"}))
        yield [first, second]


@pytest.fixture
def opened(
    player: str, start: Start, scripted: ScriptedServer, hosts: list[ScriptedServer], folder: Path, home: Path
) -> Iterator[Open]:
    """A function that opens the first of three runs. After the test no player is left, and there were never two."""
    make_player(folder, player, f"REAL = {shutil.which(player)!r}\n{RECORDER}")
    env = {"CEKURA_API_URL": scripted.url, "CEKURA_API_KEY": KEY, "CEKURA_PROJECT_ID": "1", "OTHER": KEY}
    env |= {"PATH": f"{folder}:{os.environ['PATH']}", "SDL_AUDIODRIVER": "dummy", MARK: str(folder)}

    def begin(command: str = SILENT[player], more: dict[str, str] | None = None, **fields: object) -> Terminal:
        home.mkdir()
        (home / "config.toml").write_text(f"player = {json.dumps(command)}\n")
        serve(scripted, *(call(n, voice_recording_url=f"{hosts[0].url}/sound?n={n}", **fields) for n in (5, 6, 7)))
        terminal = start(env={**env, **(more or {})}).wait("3 runs")
        return terminal.press("enter").wait("Run 7 ", " 1 of ", gone="Loading")

    yield begin
    until(lambda: not processes(str(folder)), "no player is left")
    assert not (folder / "two at once").exists()
    assert KEY not in (folder / "given").read_text()


def position(terminal: Terminal) -> int:
    """The second that the title of the timeline shows."""
    return int(terminal.text.partition(" of 00:30")[0][-2:])


def playhead(terminal: Terminal) -> float:
    """The second at which the line is drawn on the timeline."""
    lane, scale = (terminal.screen.display[n] for n in (4, 5))
    left, right = scale.index("00:00"), scale.index("00:20")
    return (lane.index("│", 8) - left) * 20 / (right - left)


def test_the_sound_begins_with_the_turn_under_the_cursor(opened: Open, player: str, folder: Path) -> None:
    choose = random.Random(5)
    places = sorted(choose.uniform(0, SECONDS - 1) for _ in range(8))
    turns = [
        {"role": f"{'Main' if n % 2 else 'Testing'} Agent", "start_time": at, "end_time": at + 0.1, "content": f"{n}."}
        for n, at in enumerate(places)
    ]
    file = folder / "played"
    to_file = f"mpv --no-config --ao=pcm --ao-pcm-file={file} --ao-pcm-waveheader=no"
    more = {"SDL_AUDIODRIVER": "disk", "SDL_DISKAUDIOFILE": str(file)}
    terminal = opened(to_file if player == "mpv" else "ffplay", more, transcript_object=turns)
    heard = []
    for n in range(len(turns)):
        file.unlink(missing_ok=True)
        terminal.press("g", *"j" * n).wait(f" {n + 1} of {len(turns)} ").press(".")
        terminal.until(lambda: file.exists() and any(file.read_bytes()), f"turn {n + 1} is heard")
        terminal.press(";").wait("Timeline · 00:30")
        heard.append(first_place(file.read_bytes()))
    assert heard == pytest.approx(places, abs=0.1)
    terminal.quit()


def test_cursor_and_line_follow_and_a_pause_holds(opened: Open, folder: Path) -> None:
    terminal = opened().press("j", "j", ".").wait("▶ 00:14 of", " 3 of 6 ")
    terminal.press("]").wait("▶ 00:19 of", " 4 of 6 ").press("]").wait("▶ 00:24 of", " 5 of 6 ")
    assert playhead(terminal) == pytest.approx(position(terminal), abs=1.2)
    terminal.wait("▶ 00:27 of", " 6 of 6 ").press(".").wait("paused at 00:2").wait_idle()
    paused = position(terminal)
    assert playhead(terminal) == pytest.approx(paused, abs=1.2)
    assert terminal.written_within(1.5) == 0
    terminal.press(".").wait("▶ 00:").press("[")
    terminal.wait("▶ 00:22 of", " 4 of 6 ")
    until(lambda: len(processes(str(folder))) == 2, "a player and its guard run")
    terminal.press(ESC).wait("Timeline · 00:30", "Run 7 ")
    assert processes(str(folder)) == []
    terminal.quit()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, None])
def test_no_player_is_left_of_a_program_that_was_ended(opened: Open, folder: Path, end: signal.Signals | None) -> None:
    terminal = opened().press(".").wait("▶ 00:01 of")
    assert len(processes(str(folder))) == 2
    if end is None:
        terminal.close()
    else:
        terminal.process.send_signal(end)
    until(lambda: not processes(str(folder)), "player and guard end")
    assert terminal.process.wait(20) == (-end if end == signal.SIGKILL else 128 + (end or signal.SIGHUP))


@pytest.mark.parametrize("seed", [0, *map(nightly, range(1, 5))])
def test_any_keys_leave_one_player_at_most(opened: Open, folder: Path, seed: int) -> None:
    """Each session has 20 sequences of keys, which do not wait for the program."""
    choose, terminal = random.Random(seed), opened().press(".").wait("▶ 00:01 of")
    keys = [*".....[[]]],;jkgGeltd?2", ESC, "tab", "enter", "\x1b[C", "\x1b[D"]
    for _ in range(20):
        terminal.press(ESC, ESC, "1").written_within(0.1)
        terminal.press("enter").written_within(0.1)
        terminal.press(".").written_within(choose.choice([0, 0.2, 0.4]))
        for key in choose.choices(keys, k=choose.randint(3, 8)):
            terminal.press(key).written_within(choose.choice([0, 0, 0, 0.05, 0.1]))
    terminal.quit("ctrl+q")
    assert processes(str(folder)) == []
    assert not foreign_in(terminal.raw)


def test_the_key_goes_to_no_host_and_no_player(
    opened: Open, scripted: ScriptedServer, hosts: list[ScriptedServer], folder: Path, home: Path
) -> None:
    opened().press(".").wait("▶ 00:01 of").quit()
    assert all(KEY in str(got.headers) for got in scripted.seen)
    for host in hosts:
        [got] = host.seen
        assert KEY not in f"{got.headers} {got.query}"
    for line in (folder / "given").read_text().splitlines():
        _command, _env, *files = json.loads(line)
        known = ("pipe:", "socket:", "/dev/null", f"{folder}/", "/tmp/")
        assert [file for file in files if not file.startswith(known) or "/home/" in file] == []
    assert [file for file in home.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()] == []
