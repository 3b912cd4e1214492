"""Open regular files only, so that no read blocks on a pipe or a device. The program's own files must also belong to
this user, and links among them must not lead out of their directory."""

from __future__ import annotations

import errno
import os
import shlex
import stat
from pathlib import Path

MOST_BYTES = 64_000_000
"""Default limit in bytes of a file that is read whole."""
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFLNK: "a link",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class NotUsable(OSError):
    """A file that must not be used: `strerror` completes "can't be read: …", `hint` says what to do."""

    def __init__(self, path: Path, why: str, hint: str) -> None:
        super().__init__(errno.EINVAL, why, str(path))
        self.hint = hint


def open_regular(path: Path, flags: int = os.O_RDONLY, *, links: bool = True) -> int:
    """Open a regular file without blocking and return its descriptor; a created file has mode 0600. Without `links`, a
    link is refused. Raises NotUsable if the file is not regular, else OSError."""
    try:
        _refuse_other_kinds(path, os.stat(path, follow_symlinks=links))
    except FileNotFoundError:
        if not flags & os.O_CREAT:
            raise
    # The path may have been replaced since: do not block on a pipe, and check the opened file.
    more = os.O_NONBLOCK | os.O_CLOEXEC | (0 if links else os.O_NOFOLLOW)
    handle = os.open(path, flags | more, 0o600)
    try:
        _refuse_other_kinds(path, os.fstat(handle))
    except OSError:
        os.close(handle)
        raise
    return handle


def read_regular(path: Path, *, links: bool = True, most: int = MOST_BYTES) -> bytes:
    """Read a regular file of at most `most` bytes; without `links`, not through a link. Raises NotUsable or OSError."""
    return _content(open_regular(path, links=links), path, most)


def open_own(path: Path, flags: int = os.O_RDONLY) -> int:
    """Open one of the program's own files and return its descriptor. Raises NotUsable (see `check_own`) or OSError."""
    return open_regular(check_own(path), flags, links=False)


def read_own(path: Path) -> bytes:
    """Read one of the program's own files. Raises NotUsable (see `check_own`) or OSError."""
    return _content(open_own(path), path, MOST_BYTES)


def check_own(path: Path) -> Path:
    """Resolve the path of one of the program's own files, perhaps missing. Raises NotUsable if it is not regular, is
    another user's, or links out of its directory; root may use any file, and all may use root's readable files."""
    try:
        real = Path(os.path.realpath(path)) if path.is_symlink() else path
        found = os.lstat(real)
    except FileNotFoundError:
        found = None
    if real is not path and not real.is_relative_to(os.path.realpath(path.parent)):
        why = f"it is a link to {real}, which is outside of its directory"
        raise NotUsable(path, why, f"Put the file itself in place of the link {path}.")
    if found is None:
        return real
    _refuse_other_kinds(path, found)
    me = os.geteuid()
    if me not in (0, found.st_uid) and not (found.st_uid == 0 and os.access(real, os.R_OK)):
        raise NotUsable(path, f"it belongs to {_owner(found)}", f"Run `sudo chown {me} {shlex.quote(str(real))}`.")
    return real


def unwritable(path: Path) -> str:
    """A sentence on how to make the config file `path` or its directory writable; empty if both are writable. Also
    empty if the directory cannot be read, which is reported elsewhere."""
    places = [place for place in (path, *path.parents) if os.path.exists(place)]
    directory = next(place for place in places if place != path)
    if not (directory.is_dir() and os.access(directory, os.R_OK | os.X_OK)):
        return ""  # reported elsewhere
    may_write = not path.is_file() or (os.access(path, os.W_OK) and path.stat().st_mode & 0o222)  # 0o222: root, too
    if os.access(directory, os.W_OK) and may_write:
        return ""
    locked = path if os.access(directory, os.W_OK) else directory
    elsewhere = "choose another directory with --config-dir"
    if os.statvfs(locked).f_flag & os.ST_RDONLY:
        return f"{locked} is on a read-only file system: remount it writable, or {elsewhere}."
    found, mend = locked.stat(), "chmod 600" if locked is path else "chmod 700"
    why = f"is not writable ({found.st_mode & 0o777:04o})"
    if found.st_uid != os.geteuid():
        if locked is not path:
            return f"{locked} belongs to {_owner(found)}: {elsewhere}."
        why, mend = f"belongs to {_owner(found)}", f"sudo chown {os.geteuid()}"
    return f"{locked} {why}: run `{mend} {shlex.quote(str(locked))}`, or {elsewhere}."


def _owner(found: os.stat_result) -> str:
    return f"another user (uid {found.st_uid})" if found.st_uid else "root"


def _refuse_other_kinds(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        raise NotUsable(path, f"it is {kind}, not a file", f"Move {path} away.")


def _content(handle: int, path: Path, most: int) -> bytes:
    with os.fdopen(handle, "rb") as file:
        content = file.read(most + 1)
        if len(content) > most:
            raise NotUsable(path, f"it is over {most:,} bytes", f"Move {path} away.")
        return content
