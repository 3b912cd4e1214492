"""Open, migrate, read and write the SQLite database file. A damaged file is replaced by a file with its readable rows;
a newer version's file is refused; in a read-only place, the file or a copy is only read."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cekura_tui.config.atomic_file import atomic_file
from cekura_tui.config.own_file import NotUsable, check_own, unwritable
from cekura_tui.config.paths import make_private
from cekura_tui.store.errors import NewerDatabase, NotOpened, RestartNeeded, StoreError, Unavailable
from cekura_tui.store.schema import MIGRATIONS, VERSION


def replace_damaged(path: Path) -> str:
    """Replace a damaged database atomically by a new file with the readable rows, and move the old file aside. Returns
    a notice, empty if no damage is found. Raises OSError, and sqlite3.Error if no new file can be made."""
    from cekura_tui.store.salvage import salvage  # needed by few starts

    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _damaged(path):
            return ""
        with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=BUSY_MS / 1000)) as held:
            # Block writers: another window's write would be lost with the old file.
            with contextlib.suppress(sqlite3.DatabaseError, UnicodeDecodeError):
                held.execute("BEGIN IMMEDIATE")
            with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as sql:
                sql.row_factory = sqlite3.Row
                _migrate(sql, path)
                saved = salvage(path, sql)
                new = sql.serialize()
            with atomic_file(path) as file:
                file.write(new)
                file.flush()
                os.fsync(file.fileno())
                aside = _set_aside(path)
    return f"The database was damaged. Recovered {saved}; the damaged file is now {aside.name}."


def _set_aside(path: Path) -> Path:
    """Rename a damaged file by hard link or copy, and its -wal and -shm to match; returns the new path."""
    named = f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}"
    free = (f"{named}{'' if n == 0 else f'-{n}'}" for n in itertools.count())
    aside = next(place for name in free if not (place := path.with_name(name)).exists())
    try:
        aside.hardlink_to(path)
    except OSError:  # a file system without links
        aside.touch(0o600)
        shutil.copyfile(path, aside)
    for suffix in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def _damaged(path: Path) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=5)) as sql:
            return bool(_find_damage(sql))
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return _is_damage(error)


def _is_damage(error: Exception) -> bool:
    """Whether an error is caused by the file's content, rather than by the file system or a lock."""
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode == sqlite3.SQLITE_ERROR  # as for a damaged header
    return True  # also UnicodeDecodeError, from a damaged name


BUSY_MS, STILL_BUSY_MS = 2_000, 50
"""Milliseconds to wait for a lock that another process holds, and after a failure, until a write succeeds."""
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_TRANSIENT = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR)
_RETRIABLE = (*_TRANSIENT, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN)
_NO_WAL = ("nfs", "cifs", "smb", "fuse", "9p", "virtiofs", "afs", "overlayfs-nfs")


class Database:
    """An open connection to the database file, for one thread; writes go through `write()`."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises NewerDatabase, or NotOpened if the file cannot be opened."""
        self.path = path
        self.notice = ""
        """A message about damage to the database, to show to the user once; empty if no damage was found."""
        self._is_closed = False
        self.unwritable = unwritable(path)
        """How to make the read-only file or directory writable; empty if both are writable."""
        try:
            if self.unwritable:
                self._sql = self._open_read_only()
            else:
                make_private(path.parent)
                _create_private(path)
                self._sql = self._open_or_replace(path)
            self._file = _identity(path)
        except (OSError, sqlite3.DatabaseError) as error:
            hint = "Make the directory writable, free some disk space, or choose another directory with --config-dir."
            if isinstance(error, NotUsable):
                hint = f"{error.hint} Otherwise choose another directory with --config-dir."
            raise NotOpened(f"Can't open the database {path}: {_reason(error, path)}.", hint) from None

    def _open_read_only(self) -> sqlite3.Connection:
        """Open the file in a read-only place, or a temporary copy if the file is damaged, of an earlier version, or has
        a log that SQLite would have to write. The copy is deleted at once, but stays readable while open."""
        _check_files(self.path)
        if (sql := open_read_only(self.path)) is not None:
            with contextlib.suppress(sqlite3.DatabaseError, UnicodeDecodeError):
                sql.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
                if not _find_damage(sql):
                    return sql
            sql.close()
        with tempfile.TemporaryDirectory(prefix="cekura-tui-", ignore_cleanup_errors=True) as directory:
            copy = Path(directory) / self.path.name
            for suffix in ("", "-wal", "-journal"):
                with contextlib.suppress(FileNotFoundError):
                    shutil.copyfile(_side_file(self.path, suffix), _side_file(copy, suffix))
            self.notice = replace_damaged(copy)
            sql = self._open(copy)
            sql.execute("PRAGMA journal_mode = DELETE")  # a write-ahead log would need a file name
            sql.execute("PRAGMA query_only = ON")
        if self.notice:
            self.notice = f"The database {self.path} is damaged. What can be read is shown; the file is unchanged."
        return sql

    def _open_or_replace(self, path: Path) -> sqlite3.Connection:
        try:
            return self._open(path)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if not _is_damage(error):
                raise
            self.notice = replace_damaged(path)
            return self._open(path)

    def _open(self, path: Path) -> sqlite3.Connection:
        """Open the file; retry for `BUSY_MS` while another window replaces it, as SQLite may fail without waiting."""
        end = time.monotonic() + BUSY_MS / 1000
        while True:
            try:
                return self._open_once(path)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in _TRANSIENT or time.monotonic() >= end:
                    raise
            time.sleep(0.02)

    def _open_once(self, path: Path) -> sqlite3.Connection:
        sql = sqlite3.connect(path, isolation_level=None, timeout=BUSY_MS / 1000)
        try:
            sql.row_factory = sqlite3.Row
            sql.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            version = _version(sql)
            if version > VERSION:
                raise _newer(self.path, version)
            # A write-ahead log needs shared memory, which network file systems lack.
            mode = "DELETE" if file_system_of(path.parent).startswith(_NO_WAL) else "WAL"
            sql.execute(f"PRAGMA journal_mode = {mode}")
            sql.execute("PRAGMA synchronous = FULL")
            sql.execute("PRAGMA foreign_keys = ON")
            sql.execute("PRAGMA secure_delete = ON")
            if version and (complaint := _find_damage(sql, whole=False)):
                raise sqlite3.DatabaseError(complaint)
            if version < VERSION:
                _migrate(sql, self.path)
        except BaseException:
            sql.close()
            raise
        return sql

    def close(self) -> None:
        self._is_closed = True
        self._sql.close()

    def read(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """Run a query and return the rows; if the file is damaged, replace it and retry. Raises StoreError."""
        try:
            try:
                return self._sql.execute(statement, values).fetchall()
            except sqlite3.OperationalError as error:
                if "decode" not in str(error):
                    raise
                # Decode all texts leniently from now on, which is slower: one damaged text must not hide other rows.
                self._sql.text_factory = lambda text: text.decode(errors="replace")
                return self._sql.execute(statement, values).fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:  # UnicodeDecodeError: a damaged column name
            if self._recover(error):
                return self.read(statement, *values)
            with contextlib.suppress(sqlite3.Error):
                _refuse_newer(_version(self._sql))  # the table or column may be gone
            raise self._failure(error, f"Can't read the database: {_error_text(error)}.", "") from None

    def version(self) -> int:
        """A number that changes whenever another connection writes; raises RestartNeeded if the database is newer."""
        ((data, schema),) = self.read("SELECT data_version, user_version FROM pragma_data_version, pragma_user_version")
        _refuse_newer(schema)
        return int(data)

    def _recover(self, error: Exception) -> bool:
        """Replace a damaged file, except in a transaction or read-only; return whether any window replaced it."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGE or self.unwritable or self._sql.in_transaction:
            return False
        self._sql.close()
        notice = ""
        with contextlib.suppress(OSError, sqlite3.Error):
            notice = replace_damaged(self.path)
        try:
            self._sql = self._open(self.path)
        except (OSError, sqlite3.Error, UnicodeDecodeError):  # as on a full disk: the next call retries
            self._sql = sqlite3.connect(self.path, isolation_level=None, timeout=BUSY_MS / 1000)
            self._sql.row_factory = sqlite3.Row
            return False
        replaced, self._file = _identity(self.path) != self._file, _identity(self.path)
        self.notice = notice or self.notice
        return replaced

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: committed to disk at the end of the block, or rolled back on an error. Raises StoreError."""
        if self.unwritable:
            raise StoreError("Read-only session: nothing was saved.", self.unwritable)
        try:
            self._sql.execute("BEGIN IMMEDIATE")
            self._sql.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            try:
                # Checked only now, because BEGIN waits for a replacement in progress.
                if _identity(self.path) != self._file:
                    raise RestartNeeded(f"The database {self.path} was removed or replaced while open.")
                _refuse_newer(_version(self._sql))
                yield self._sql
                self._sql.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._sql.execute("ROLLBACK")
                raise
        except (sqlite3.Error, OSError, OverflowError, UnicodeError) as error:
            if self._recover(error):
                raise StoreError("The database was damaged; nothing was written.", "Try again.") from None
            # OverflowError, UnicodeError: SQLite rejects a number or text of the server. OSError: the caller writes a
            # file in the same transaction.
            hint = "Free some disk space or make the directory writable. No saved data is lost."
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                # A second long wait for the same lock would only hold up other calls.
                self._sql.execute(f"PRAGMA busy_timeout = {STILL_BUSY_MS}")
                hint = "Another program is using the database; try again."
            message = f"Can't write the database {self.path}: {_reason(error, self.path)}."
            raise self._failure(error, message, hint) from None

    def _failure(self, error: Exception, message: str, hint: str) -> StoreError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        # Closed: the program ends; the next start saves what waits.
        if code in _RETRIABLE or getattr(error, "errno", 0) == errno.ENOSPC or self._is_closed:
            return Unavailable(message, hint, _reason(error, self.path))
        return StoreError(message, hint)

    def truncate_log(self) -> None:
        """Truncate the write-ahead log, which still holds deleted data. Does nothing while another window reads."""
        with contextlib.suppress(sqlite3.Error):
            self._sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def key_id(key: str, salt: bytes) -> str:
    """An id that does not reveal the API key: the key's HMAC-SHA256 with the database's salt, first 16 hex digits."""
    import hashlib  # not needed without a database
    import hmac

    return hmac.new(salt, key.encode(), hashlib.sha256).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Account:
    """The owner of runs and jobs: a server's origin, the id of an API key, and the profile in use. Without an API key
    (`any_key`), `key_id` is the id of the key used last, and the jobs of every key are read."""

    origin: str
    key_id: str
    profile: str
    any_key: bool = False

    @property
    def reader(self) -> str | None:
        """The `key_id` to pass to `read_job`: None if the jobs of every key are read."""
        return None if self.any_key else self.key_id


class AccountStore:
    """A part of the database, for one account."""

    def __init__(self, database: Database, account: Account) -> None:
        self._database, self._account = database, account
        self._pair = (account.origin, account.key_id)


def open_read_only(path: Path) -> sqlite3.Connection | None:
    """Open a connection for reading; None if the file is missing, unreadable, or of another version."""
    if not path.exists():
        return None
    with contextlib.suppress(OSError, sqlite3.Error):
        sql = _connect_read_only(path, timeout=0.2)
        sql.row_factory = sqlite3.Row
        if _version(sql) == VERSION:
            return sql
        sql.close()
    return None


def _connect_read_only(path: Path, timeout: float) -> sqlite3.Connection:
    _check_files(path)
    # SQLite creates side files even to read. If a read-only place has none, no process has the file open.
    fixed = unwritable(path) and not any(_side_file(path, suffix).exists() for suffix in ("-wal", "-journal"))
    uri = f"{path.resolve().as_uri()}?mode=ro{'&immutable=1' if fixed else ''}"
    return sqlite3.connect(uri, uri=True, timeout=timeout)


class DatabaseState(NamedTuple):
    """A database file's version and journal mode. `damage` is the first problem found; empty if the file is sound."""

    version: int
    journal: str
    damage: str = ""


def examine(path: Path) -> DatabaseState | None:
    """Check a whole database file without changing the file; None if the file is missing. Raises StoreError if the file
    cannot be opened; a damaged file is not an error."""
    if not path.exists():
        return None
    try:
        with contextlib.closing(_connect_read_only(path, timeout=2)) as sql:
            version, journal = _version(sql), str(sql.execute("PRAGMA journal_mode").fetchone()[0])
            return DatabaseState(version, journal, _find_damage(sql))
    except (OSError, sqlite3.OperationalError) as error:
        hint = error.hint if isinstance(error, NotUsable) else ""
        raise StoreError(f"Can't read the database {path}: {_error_text(error)}.", hint) from None
    except sqlite3.DatabaseError as error:
        return DatabaseState(0, "", _error_text(error))


def sqlite_version() -> str:
    return sqlite3.sqlite_version


def _version(sql: sqlite3.Connection) -> int:
    return int(sql.execute("PRAGMA user_version").fetchone()[0])


def _refuse_newer(version: int) -> None:
    """Raise RestartNeeded if the open database's version is newer."""
    if version > VERSION:
        raise RestartNeeded("A newer cekura-tui changed the database; this one sends and saves nothing more.")


def _find_damage(sql: sqlite3.Connection, *, whole: bool = True) -> str:
    """The first problem found in a database; empty if there is none. With `whole`, SQLite also checks every page, which
    takes 40 to 300 ms: done only after an error, in a read-only place and in `doctor`."""
    if whole and (check := str(sql.execute("PRAGMA quick_check(1)").fetchone()[0])) != "ok":
        return check
    if _version(sql) < 0:
        return "the version is lost"
    with contextlib.suppress(sqlite3.OperationalError):  # other versions may lack these tables or columns
        # quick_check does not compare tables with their indexes, and jobs are looked up by index.
        for table in ("jobs", "meta"):
            if (check := str(sql.execute(f"PRAGMA integrity_check({table})").fetchone()[0])) != "ok":
                return check
        if not sql.execute("SELECT 1 FROM meta WHERE name = 'salt'").fetchone():
            return "the salt is lost"
        # Nor does it read overflow pages: `parameters`, near the end of a job's row, shows whether one is lost.
        if cut := sql.execute("SELECT number FROM jobs WHERE parameters NOT LIKE '{%}' LIMIT 1").fetchone():
            return f"the record of job {cut[0]} is cut off"
    return ""


def _migrate(sql: sqlite3.Connection, path: Path) -> None:
    """Migrate to the current version in one transaction, as two processes may start at once. Raises NewerDatabase."""
    import secrets  # needed only for a new file

    sql.execute("BEGIN IMMEDIATE")
    try:
        if (version := _version(sql)) > VERSION:
            raise _newer(path, version)
        for number in range(version, VERSION):
            for statement in _statements(MIGRATIONS[number]):
                sql.execute(statement)
        sql.execute("INSERT OR IGNORE INTO meta VALUES ('salt', ?)", (secrets.token_bytes(32),))
        sql.execute("INSERT OR IGNORE INTO salt_copy SELECT * FROM meta")
        sql.execute(f"PRAGMA user_version = {VERSION}")
        sql.execute("COMMIT")
    except BaseException:
        # On a full disk SQLite has rolled back already.
        with contextlib.suppress(sqlite3.Error):
            sql.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    """Split an SQL script into statements, since `executescript` would first commit the open transaction."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def _newer(path: Path, version: int) -> NewerDatabase:
    hint = "Update cekura-tui, or choose another directory with --config-dir. The file is unchanged."
    return NewerDatabase(f"The database {path} has version {version}; this cekura-tui supports up to {VERSION}.", hint)


SIDE_FILES = ("-wal", "-shm", "-journal", ".lock")
"""Suffixes of the files that SQLite and `replace_damaged` create beside a database."""


def _side_file(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _check_files(path: Path) -> list[Path]:
    """The real paths of the database and its side files; raises NotUsable if SQLite must not open a file. This function
    opens no file: closing a handle of our own would release SQLite's POSIX locks on that file."""
    return [check_own(_side_file(path, suffix)) for suffix in ("", *SIDE_FILES)]


def _create_private(path: Path) -> None:
    """Create a missing database file, and make the database and its side files private to this user."""
    files = _check_files(path)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(files[0], os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    for file in files:
        with contextlib.suppress(FileNotFoundError):
            if file.lstat().st_mode & 0o077:
                file.chmod(0o600)


def file_system_of(directory: Path) -> str:
    """The type of the file system that contains a directory, such as "ext4" or "nfs4"; empty outside Linux."""
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        return ""
    real, best, system = directory.resolve(), Path(), ""
    for line in mounts.read_text(errors="replace").splitlines():
        _, named, kind, *_ = line.split(" ")
        point = Path(named.replace("\\040", " "))
        if real.is_relative_to(point) and len(point.parts) >= len(best.parts):
            best, system = point, kind
    return system


def _identity(path: Path) -> tuple[int, int] | None:
    """The device and inode numbers of a file; None if the file does not exist."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _reason(error: Exception, path: Path) -> str:
    """Describe an error in words; every way in which SQLite reports a full disk becomes "the disk is full"."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    full = code == sqlite3.SQLITE_FULL or getattr(error, "errno", 0) == errno.ENOSPC
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        with contextlib.suppress(OSError):
            disk = os.statvfs(path.parent)
            full = disk.f_bavail * disk.f_frsize < 100_000
    return "the disk is full" if full else _error_text(error)


def _error_text(error: Exception) -> str:
    if isinstance(error, NotUsable):
        return f"{Path(error.filename).name}{str(error.strerror).removeprefix('it')}"  # perhaps a side file
    return (error.strerror if isinstance(error, OSError) and error.strerror else str(error)) or type(error).__name__
