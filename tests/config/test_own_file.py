"""Only regular files of the config directory are opened. Opening never waits for a pipe or writes through a link."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote

import pytest
from read_only_place import read_only_place

from cekura_tui.config.atomic_file import atomic_file
from cekura_tui.config.own_file import NotUsable, check_own, open_own, read_own, read_regular, unwritable


def put(path: Path, kind: str) -> None:
    """Create at `path` a pipe, a directory, or a link to the place that `kind` names."""
    outside = path.parent.parent / "outside"
    outside.write_text("theirs")
    outside.chmod(0o644)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to({"device": "/dev/zero", "link out": outside, "link to itself": path.name}[kind])


@pytest.fixture
def path(home: Path) -> Path:
    home.mkdir(mode=0o700)
    return home / "itself"


@pytest.mark.parametrize("kind", ["pipe", "directory", "device", "link out"])
@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY | os.O_APPEND | os.O_CREAT])
def test_pipes_and_devices_and_links_to_outside_are_refused_without_waiting(path: Path, kind: str, flags: int) -> None:
    put(path, kind)
    with pytest.raises(NotUsable) as caught:
        open_own(path, flags)
    assert caught.value.strerror.startswith("it is a ")
    assert str(path) in caught.value.hint


def test_a_link_within_the_directory_is_followed_unless_it_loops(path: Path) -> None:
    put(path, "link to itself")
    with pytest.raises(OSError):  # noqa: PT011 # the system says which
        read_own(path)
    path.unlink()
    path.with_name("other").write_text("ours")
    path.symlink_to("other")
    assert read_own(path) == b"ours"
    assert check_own(path) == path.with_name("other")


def test_a_file_of_another_user_is_refused_with_a_chown_command(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.touch(mode=0o600)
    if os.geteuid() == 0:
        os.chown(path, 1234, -1)
    other = path.stat().st_uid + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    with pytest.raises(NotUsable, match="another user") as caught:
        read_own(path)
    assert caught.value.hint == f"Run `sudo chown {other} {quote(str(path))}`."


def test_a_file_over_the_limit_is_not_read(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(6 * 2**30)
    with pytest.raises(NotUsable, match="over 64,000,000 bytes"):
        read_regular(path)
    path.write_bytes(b"12345")
    assert read_regular(path, most=5) == b"12345"
    with pytest.raises(NotUsable, match="over 4 bytes"):
        read_regular(path, most=4)


def test_an_atomic_write_replaces_a_link_and_not_the_target_of_the_link(path: Path) -> None:
    put(path, "link out")
    with atomic_file(path) as file:
        file.write(b"ours")
    assert (path.parent.parent / "outside").read_text() == "theirs"
    assert path.read_text() == "ours"


def test_an_unwritable_directory_is_named_with_a_hint_to_choose_another_directory(path: Path) -> None:
    assert unwritable(path) == unwritable(path.parent / "new" / "file") == ""
    with read_only_place(path.parent):
        assert unwritable(path).startswith(f"{path.parent} is ")
        assert "--config-dir" in unwritable(path)
        assert unwritable(path.parent / "new" / "file") == unwritable(path)
    assert unwritable(path) == ""


ELSEWHERE = "choose another directory with --config-dir."


@pytest.mark.parametrize(
    ("locked", "theirs", "said"),
    [
        ("itself", False, "is not writable (0555): run `chmod 600 {place}`, or " + ELSEWHERE),
        ("itself", True, "belongs to another user (uid {owner}): run `sudo chown {me} {place}`, or " + ELSEWHERE),
        ("", False, "is not writable (0555): run `chmod 700 {place}`, or " + ELSEWHERE),
        ("", True, "belongs to another user (uid {owner}): " + ELSEWHERE),
    ],
)
def test_a_path_that_mode_or_owner_makes_unwritable_is_named_with_a_remedy(
    path: Path, monkeypatch: pytest.MonkeyPatch, locked: str, theirs: bool, said: str
) -> None:
    path.touch()
    place = path.parent / locked
    place.chmod(0o1555)
    if os.geteuid() == 0 and theirs:
        os.chown(place, 1234, -1)
    owner = place.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + theirs)
    monkeypatch.setattr(os, "access", lambda at, how: at != place or not how & os.W_OK)
    assert unwritable(path) == f"{place} {said.format(place=quote(str(place)), owner=owner, me=owner + theirs)}"
    place.chmod(0o700)
