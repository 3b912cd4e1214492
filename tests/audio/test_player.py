"""Recordings are played by a real process, which never outlives the program."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import players
import pytest
from players import first_place, make_player, make_sound, marked_env
from user_commands import processes
from waiting import until

from cekura_tui.audio import RecordingError, player
from cekura_tui.audio.player import Player, PlayerState, can_hear, find_player

real = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.long, pytest.mark.skipif(not shutil.which(name), reason="not installed")])
        for name in ("mpv", "ffplay")
    ],
)
FFPLAY_OPTIONS = ["-nodisp", "-autoexit", "-loglevel", "error", "-stats"]
REAL_COMMANDS = {"mpv": "mpv --no-config --ao=null", "ffplay": "ffplay"}
PLACES = [0.0, 29.0, *(random.Random(5).uniform(0, 29) for _ in range(6))]


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return make_sound(tmp_path)


@pytest.fixture(autouse=True)
def none_left(tmp_path: Path) -> Iterator[None]:
    yield
    Player._latest = None
    left = processes(str(tmp_path))
    for pid in left:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    assert left == []
    assert not (tmp_path / "two at once").exists()


def playing(command: str, sound: Path, **env: str) -> Player:
    env = marked_env(sound.parent, **env)
    found = find_player(command, env)
    assert found
    return Player(found, sound, env)


def starts(folder: Path) -> list[list[str]]:
    with contextlib.suppress(OSError):
        return [json.loads(line) for line in (folder / "started").read_text().splitlines()]
    return []


def position_after(one: Player, place: float) -> float:
    """The first position after `place`."""
    until(lambda: one.state().position > place, f"the position is over {place}")
    return one.state().position


def end_of(one: Player) -> PlayerState:
    until(lambda: not one.state().playing, "the player ends")
    return one.state()


@pytest.mark.parametrize("name", ["mpv", "ffplay"])
def test_position_follows_the_player_through_pause_and_seek(name: str, tmp_path: Path, sound: Path) -> None:
    one = playing(make_player(tmp_path, name, players.MPV if name == "mpv" else players.FFPLAY), sound)
    one.play(10.0)
    assert 10.0 < position_after(one, 10.0) < 12.0
    one.seek(20.0)
    assert 20.0 < position_after(one, 20.0) < 22.0
    one.pause()
    paused = one.state()
    assert not paused.playing
    assert 20.0 < paused.position < 22.0
    one.seek(5.0)
    assert one.state() == PlayerState(5.0)
    one.play(5.0)
    assert 5.0 < position_after(one, 5.0) < 7.0
    one.seek(29.9)
    assert end_of(one).ended
    assert processes(str(tmp_path)) == []
    one.play(3.0)
    assert 3.0 < position_after(one, 3.0) < 5.0
    one.stop()
    assert not one.state().playing
    assert processes(str(tmp_path)) == []


def test_mpv_stays_the_same_process_while_it_plays(tmp_path: Path, sound: Path) -> None:
    one = playing(make_player(tmp_path, "mpv", players.MPV), sound)
    for at in (1.0, 11.0):
        one.play(at)
        position_after(one, at)
        one.pause()
        one.seek(at + 5)
    one.stop()
    assert len(starts(tmp_path)) == 1


@pytest.mark.parametrize(
    "script",
    [
        players.SLEEPER,
        players.IGNORES_SIGTERM,
        players.FORKS,
        players.STOPS_ITSELF,
        players.FLOODS,
        "os.close(2)\n" + players.SLEEPER,
    ],
)
@pytest.mark.parametrize("way", ["stop", "pause", "seek and stop", "another player"])
def test_no_process_is_left_of_any_player(script: str, way: str, tmp_path: Path, sound: Path) -> None:
    one = playing(make_player(tmp_path, "odd", script), sound)
    one.play(1.0)
    until(lambda: starts(tmp_path), "it starts")
    if way == "pause":
        one.pause()
    elif way == "another player":
        (tmp_path / "other").mkdir()
        other = playing(make_player(tmp_path / "other", "odd", players.SLEEPER), sound)
        other.play(1.0)
        assert not one.state().playing
        until(lambda: starts(tmp_path / "other"), "the other one starts")
        assert len(processes(str(tmp_path))) == 2  # with its guard
        other.stop()
    else:
        if way == "seek and stop":
            one.seek(9.0)
        one.stop()
        one.stop()
    assert processes(str(tmp_path)) == []


@pytest.mark.parametrize("name", ["mpv", "odd"])
def test_no_file_stays_open_after_a_player_ends(name: str, tmp_path: Path, sound: Path) -> None:
    one = playing(make_player(tmp_path, name, players.SLEEPER), sound)
    before = os.listdir("/proc/self/fd")
    for at in (1.0, 2.0, 3.0):
        one.play(at)
        one.seek(at + 1)
        one.stop()
    assert os.listdir("/proc/self/fd") == before


def test_what_a_player_started_ends_with_it(tmp_path: Path, sound: Path) -> None:
    one = playing(make_player(tmp_path, "odd", players.FORKS_AND_ENDS), sound)
    one.play(1.0)
    assert end_of(one).ended
    assert processes(str(tmp_path)) == []


@pytest.mark.parametrize(
    ("name", "script", "failure"),
    [
        ("ffplay", "sys.exit('first\\nNo such device.\\n')", "ffplay ended with status 1: No such device."),
        ("ffplay", "print('no device', file=sys.stderr)", "ffplay did not play: no device."),
        ("ffplay", players.FFPLAY.split("while")[0], "ffplay did not play."),
        ("mpv", "sys.exit(2)", "mpv ended with status 2."),
        (
            "mpv",
            r"sys.exit('no\x1b[2J \u202esound\n{\"event\":\"end-file\",\"data\":1}')",
            "mpv ended with status 1: no sound.",
        ),
        ("odd", "os.kill(os.getpid(), 11)", "odd was ended by signal 11."),
        ("odd", "os.write(2, b'\\x1b[31mred\\x1b[0m ' * 99999); sys.exit(3)", "odd ended with status 3: "),
        ("odd", "os.write(2, b'\\xff\\x00' * 9999); sys.exit(3)", "odd ended with status 3: "),
    ],
)
def test_a_failure_is_one_clean_sentence(name: str, script: str, failure: str, tmp_path: Path, sound: Path) -> None:
    one = playing(make_player(tmp_path, name, script), sound)
    one.play(1.0)
    state = end_of(one)
    assert not state.ended
    assert state.failure.startswith(failure)
    assert len(state.failure) <= 201
    assert "\x1b" not in state.failure


def test_a_player_that_can_not_be_started_fails(tmp_path: Path, sound: Path) -> None:
    (tmp_path / "odd").write_text("#!/nowhere\n")
    (tmp_path / "odd").chmod(0o755)
    one = playing(str(tmp_path / "odd"), sound)
    one.play(1.0)
    assert "No such file or directory" in end_of(one).failure


@pytest.mark.parametrize("script", [players.SLEEPER, players.IGNORES_SIGTERM, players.FORKS, players.STOPS_ITSELF])
def test_a_killed_program_leaves_no_player(script: str, tmp_path: Path, sound: Path) -> None:
    command = make_player(tmp_path, "odd", script)
    program = f"""if True:
        import os, subprocess, time
        from pathlib import Path
        from cekura_tui.audio.player import Player, find_player
        Player(find_player({command!r}, os.environ), Path({str(sound)!r}), os.environ).play(1.0)
        # This child inherits all files that are not closed on exec.
        child = subprocess.Popen(["sleep", "600"], close_fds=False, stdout=subprocess.DEVNULL, env={{}})
        print(child.pid, flush=True)
        time.sleep(600)"""
    process = subprocess.Popen([sys.executable, "-c", program], env=marked_env(tmp_path), stdout=subprocess.PIPE)
    assert process.stdout
    child = int(process.stdout.readline())
    until(lambda: starts(tmp_path), "it starts")
    process.kill()
    process.communicate()
    until(lambda: not processes(str(tmp_path)), "no process is left")
    os.kill(child, signal.SIGKILL)


def test_signals_end_the_guard_only_after_the_player(tmp_path: Path, sound: Path) -> None:
    one = playing(make_player(tmp_path, "mpv", players.MPV), sound)
    one.play(1.0)
    position_after(one, 1.0)
    assert one._guard
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        one._guard.send_signal(number)
    position_after(one, one.state().position + 0.1)
    assert len(processes(str(tmp_path))) == 2
    one.stop()


def test_player_sees_no_key_no_terminal_and_no_keys(tmp_path: Path, sound: Path) -> None:
    script = """
facts = [os.read(0, 1).decode(), os.getsid(0) == os.getpid(), dict(os.environ)]
open(HERE + "/facts", "w").write(json.dumps(facts))
"""
    one = playing(
        make_player(tmp_path, "odd", script), sound, CEKURA_API_KEY="a-key-of-the-user", OTHER="a-key-of-the-user"
    )
    one.play(1.0)
    assert end_of(one).ended
    typed, leads, env = json.loads((tmp_path / "facts").read_text())
    assert (typed, leads) == ("", True)
    assert "a-key-of-the-user" not in str(env)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("{0}/odd", ["FILE"]),
        ("{0}/odd {{file}} {{start}} x", ["FILE", "12.35", "x"]),
        ("{0}/odd 'a b' --at={{start}}s", ["a b", "--at=12.35s", "FILE"]),
        ("{0}/cvlc", ["--play-and-exit", "--no-video", "--start-time=12.35", "FILE"]),
        ("{0}/ffplay -volume 50", [*FFPLAY_OPTIONS, "-ss", "12.35", "-volume", "50", "FILE"]),
        (
            "{0}/ffplay -ss {{start}} -i {{file}}",
            [*FFPLAY_OPTIONS, "-ss", "12.35", "-ss", "12.35", "-i", "FILE"],
        ),
    ],
)
def test_command_of_the_user_gets_file_and_start(setting: str, words: list[str], tmp_path: Path, sound: Path) -> None:
    setting = setting.format(tmp_path)
    make_player(tmp_path, os.path.basename(setting.split()[0]), players.SLEEPER)
    one = playing(setting, sound)
    one.play(12.345678)
    until(lambda: starts(tmp_path), "it starts")
    one.stop()
    assert starts(tmp_path) == [[str(sound) if word == "FILE" else word for word in words]]


def test_options_of_the_user_follow_ours_for_mpv(tmp_path: Path) -> None:
    command = find_player(make_player(tmp_path, "mpv", "") + " --ao=null {file} --start={start}", {})
    assert command
    assert command[-4:] == ["--start={start}", "--ao=null", "{file}", "--start={start}"]


def test_first_installed_player_is_found(tmp_path: Path) -> None:
    env = {"PATH": str(tmp_path)}
    assert find_player("", env) is None
    for name in ("afplay", "cvlc", "ffplay", "mpv"):
        make_player(tmp_path, name, "")
        found = find_player(" ", env)
        assert found
        assert found[0] == name


@pytest.mark.parametrize("setting", ["no-such-player {file}", "mpv 'open", "/etc/passwd"])
def test_missing_player_of_the_user_is_an_error(setting: str, tmp_path: Path) -> None:
    make_player(tmp_path, "mpv", "")
    with pytest.raises(RecordingError, match="that can be run"):
        find_player(setting, {"PATH": str(tmp_path)})


def test_afplay_plays_a_copy_that_starts_at_the_place(tmp_path: Path, sound: Path) -> None:
    script = "import shutil; shutil.copy(sys.argv[-1], HERE + '/played'); open(HERE + '/done', 'w')\n" + players.SLEEPER
    one = playing(make_player(tmp_path, "afplay", script), sound)
    one.play(12.5)
    until((tmp_path / "done").exists, "it plays")
    with wave.open(str(tmp_path / "played")) as played:
        assert first_place(played.readframes(9)) == 12.5
    [[copy]] = starts(tmp_path)
    assert os.stat(copy).st_mode & 0o777 == 0o600
    assert 12.5 <= one.state().position < 15
    one.stop()
    assert not os.path.exists(copy)
    sound.write_bytes(b"compressed")
    one.play(12.5)
    assert one.state().position < 2.5
    until(lambda: len(starts(tmp_path)) == 2, "it starts")
    one.stop()
    assert starts(tmp_path)[1] == [str(sound)]


def test_over_ssh_only_a_sound_server_or_device_can_be_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player, "_SOUND_DEVICES", tmp_path)
    monkeypatch.chdir(tmp_path)  # since the path of a socket must be short
    remote = {"SSH_TTY": "/dev/pts/1", "XDG_RUNTIME_DIR": str(tmp_path)}
    assert can_hear({})
    assert not can_hear(remote)
    assert can_hear({**remote, "PULSE_SERVER": "tcp:127.0.0.1"})
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("pipewire-0")
        assert can_hear(remote)
    (tmp_path / "pipewire-0").unlink()
    (tmp_path / "pcmC0D0c").touch()
    assert not can_hear(remote)
    (tmp_path / "pcmC0D0p").touch()
    assert can_hear(remote)


@real
def test_sound_of_a_real_player_starts_at_the_place(name: str, tmp_path: Path, sound: Path) -> None:
    file = tmp_path / "played"
    env = {"SDL_AUDIODRIVER": "disk", "SDL_DISKAUDIOFILE": str(file)}
    to_file = f"mpv --no-config --ao=pcm --ao-pcm-file={file} --ao-pcm-waveheader=no"
    one = playing(to_file if name == "mpv" else "ffplay", sound, **env)
    for place in PLACES:
        file.unlink(missing_ok=True)
        one.play(place)
        until(lambda: file.exists() and any(file.read_bytes()), f"it plays from {place}")
        one.stop()
        assert first_place(file.read_bytes()) == pytest.approx(place, abs=0.1)


@real
def test_first_position_of_a_real_player_is_the_place(name: str, tmp_path: Path, sound: Path) -> None:
    one = playing(REAL_COMMANDS[name], sound, SDL_AUDIODRIVER="dummy")
    for place in PLACES:
        one.play(place)
        until(lambda place=place: one.state() and one._now.position != place, f"it plays from {place}")
        assert one._now.position == pytest.approx(place, abs=0.1)
        one.stop()
    assert processes(str(tmp_path)) == []


@real
def test_real_player_pauses_moves_and_ends(name: str, tmp_path: Path, sound: Path) -> None:
    one = playing(REAL_COMMANDS[name], sound, SDL_AUDIODRIVER="dummy")
    one.play(2.0)
    position_after(one, 2.1)
    one.pause()
    one.seek(28.5)
    assert one.state().position == 28.5
    one.play(28.5)
    position_after(one, 28.6)
    one.seek(29.5)
    assert end_of(one).ended
    assert processes(str(tmp_path)) == []


@real
def test_real_player_names_the_reason_of_a_failure(name: str, tmp_path: Path, sound: Path) -> None:
    sound.write_text("no sound")
    one = playing(REAL_COMMANDS[name], sound, SDL_AUDIODRIVER="dummy")
    one.play(2.0)
    reason = "Failed to recognize file format" if name == "mpv" else "Invalid data found"
    assert reason in end_of(one).failure


@real
def test_real_player_ends_with_a_killed_guard(name: str, tmp_path: Path, sound: Path) -> None:
    one = playing(REAL_COMMANDS[name], sound, SDL_AUDIODRIVER="dummy")
    one.play(2.0)
    position_after(one, 2.1)
    assert one._guard
    one._guard.kill()
    assert end_of(one).failure == f"{name} was ended by signal 9."
    until(lambda: not processes(str(tmp_path)), "no process is left")


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=pytest.mark.nightly if seed % 10 else pytest.mark.long) for seed in range(200)]
)
def test_any_sequence_leaves_no_player_and_never_two(seed: int, tmp_path: Path, sound: Path) -> None:
    choose = random.Random(seed)
    scripts = {"mpv": players.MPV, "ffplay": players.FFPLAY, "cvlc": players.FORKS, "odd": players.IGNORES_SIGTERM}
    ours = [playing(make_player(tmp_path, name, script), sound) for name, script in scripts.items()]
    for name, command in REAL_COMMANDS.items() if seed % 5 == 0 else ():
        if shutil.which(name):
            ours.append(playing(command, sound, SDL_AUDIODRIVER="dummy"))
    for _ in range(choose.randint(1, 15)):
        one = choose.choice(ours)
        act = choose.choice([one.play, one.play, one.seek, one.pause, one.stop, one.state])
        act(*[choose.uniform(0, 29.9)] if act in (one.play, one.seek) else [])
        time.sleep(choose.choice([0, 0, 0.02, 0.2]))
        guards = [each for each in ours if each._guard and each._guard.poll() is None]
        assert len(guards) <= 1
    for one in ours:
        one.stop()
    assert processes(str(tmp_path)) == []
