"""Write files atomically: complete, or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_NAME_BYTES = 100
"""Bytes of the target's name kept in the name of the temporary file, which must not exceed 255 bytes."""


@contextmanager
def atomic_file(path: Path, *, in_place: bool = False) -> Iterator[IO[bytes]]:
    """Yield a temporary file (0600) that replaces `path`, or with `in_place` only its content, when the block ends
    without an error. Raises OSError. Temporary files of killed processes on this host are removed too."""
    # The directory may be shared with other hosts, whose processes can't be checked.
    host = f"{zlib.crc32(os.fsencode(os.uname().nodename)):08x}"
    stem = os.fsencode(path.name)[:_NAME_BYTES].decode("utf-8", "ignore")
    _remove_leftovers(path.parent, re.compile(rf"\.{re.escape(stem)}-(\d{{1,9}})-{host}-[^-]+"))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{stem}-{os.getpid()}-{host}-")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        if not in_place:
            os.replace(name, path)
            return
        with open(path, "r+b") as target:
            target.write(Path(name).read_bytes())
            target.truncate()
        os.unlink(name)
    except BaseException:
        os.unlink(name)
        raise


@contextmanager
def output_file(path: Path, *, force: bool = True) -> Iterator[IO[bytes]]:
    """Like `atomic_file`, but follow a link, and keep an existing file's mode, owner and hard links; for files that the
    user named. Raises OSError. Without `force`, raises FileExistsError if the file exists when the block ends."""
    try:
        target = path.resolve()
    except RuntimeError:  # raised by some versions of Python for a link to itself
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None
    found = target.stat() if target.exists() else None
    in_place = found is not None and (found.st_nlink > 1 or found.st_uid != os.geteuid())
    with atomic_file(target, in_place=in_place) as file:
        yield file
        os.fchmod(file.fileno(), found.st_mode & 0o777 if found else 0o666 & ~_umask())
        if not force and target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold an exclusive lock on a directory; does nothing on file systems without locks."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _remove_leftovers(directory: Path, pattern: re.Pattern[str]) -> None:
    """Remove temporary files that match `pattern` and whose process (pid in group 1) has ended."""
    with contextlib.suppress(OSError):
        names = os.listdir(directory)
        for found in filter(None, map(pattern.fullmatch, names)):
            if not _is_running(int(found[1])):
                (directory / found[0]).unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's process
        return True
    return True


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
