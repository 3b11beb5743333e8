"""The file of a trial store: create, lock, check, open and close it.

It is created under another name and then renamed, so that a store either exists whole or not at all. While it is open
for writing, transactions go to a write-ahead log, so that readers never wait; when the writer closes it, it is one
plain file again, which can be copied, and read from a folder without write access. The writer holds an exclusive SQLite
lock on a small file beside it (``<name>.lock``), which the operating system releases when the process ends, for
whatever reason.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from ...errors import ArtifactError, ConvlensError, OutputError

SCHEMA_VERSION = 3  # of the tables, in PRAGMA user_version; 1 had no curves and failures, 2 no register and weights
APPLICATION_ID = 0x434C5453  # "CLTS", in PRAGMA application_id: tells a trial store from other SQLite files

_FAILURES = """
CREATE TABLE failures (              -- the last failure of a trial that has not been finished
    key TEXT PRIMARY KEY,
    study TEXT NOT NULL,
    arm TEXT NOT NULL,
    seed INTEGER NOT NULL,
    error TEXT NOT NULL,             -- type of the error
    message TEXT NOT NULL,
    created TEXT NOT NULL
);
"""

_REGISTER = """
CREATE TABLE weights (               -- of trained models that other trials measure; the files lie beside the store
    key TEXT PRIMARY KEY,            -- of the trial that trained them
    digest TEXT NOT NULL             -- SHA-256 of the file's content, and its name
);
CREATE TABLE register (              -- what was declared before the first trial, and every change of it
    position INTEGER PRIMARY KEY,
    digest TEXT NOT NULL,            -- SHA-256 of the description
    study TEXT NOT NULL,
    profile TEXT NOT NULL,
    description TEXT NOT NULL,       -- {"study": ..., "profile": ...}
    numerics_version INTEGER NOT NULL,
    code TEXT NOT NULL,              -- the version of convlens, and its commit where it is known
    created TEXT NOT NULL
);
CREATE TABLE verdicts (              -- every verdict that was drawn, in order
    position INTEGER PRIMARY KEY,
    digest TEXT NOT NULL,            -- of the description it was drawn on
    numerics_version INTEGER NOT NULL,
    seeds INTEGER NOT NULL,          -- n of the look
    verdict TEXT NOT NULL,
    created TEXT NOT NULL
);
"""

_SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
CREATE TABLE trials (
    key TEXT PRIMARY KEY,            -- SHA-256 of configuration, seed and numerics_version
    study TEXT NOT NULL,             -- the study that ran it; others may share the trial
    arm TEXT NOT NULL,
    seed INTEGER NOT NULL,
    configuration TEXT NOT NULL,     -- canonical JSON, like all the JSON here
    numerics_version INTEGER NOT NULL,
    metrics TEXT NOT NULL,           -- {{"test.accuracy": 0.991}}
    history TEXT NOT NULL,
    predictions TEXT NOT NULL,       -- {{"test": digest of an array}}
    labels TEXT NOT NULL,            -- likewise
    curves TEXT NOT NULL,            -- {{"name": {{"digest": of an array, "shape": [20, 3]}}}}
    provenance TEXT NOT NULL,
    created TEXT NOT NULL            -- ISO 8601, UTC
);
CREATE TABLE arrays (                -- by content: the labels of a test set are stored once
    digest TEXT PRIMARY KEY,         -- SHA-256 of type and content
    type TEXT NOT NULL,              -- "|u1", "<u2", "<f4"
    content BLOB NOT NULL
);
{_FAILURES}{_REGISTER}"""

_UPGRADES = {
    1: f"ALTER TABLE trials ADD COLUMN curves TEXT NOT NULL DEFAULT '{{}}';{_FAILURES}",
    2: _REGISTER,
}
"""By version: what makes a store of that version one of the next."""

_DAMAGE = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR_SHORT_READ)
"""Codes of errors that a store without damage does not give; the first is that of a missing table or column."""


@contextmanager
def translated(path: Path, doing: str, failure: type[ConvlensError]) -> Iterator[None]:
    """Translate SQLite's errors: `failure` if the system refused, ArtifactError if the file is damaged."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # a closed store, another thread: an error of the calling program, not of the file
    except sqlite3.OperationalError as error:
        if not hasattr(error, "sqlite_errorcode"):  # Python's own: text that it could not decode
            raise _damaged(path, "a text that is not UTF-8") from error
        if error.sqlite_errorcode in _DAMAGE:
            raise _damaged(path, error) from error
        raise failure(f"cannot {doing} {path}: {error}; check the path, its permissions and the free space") from error
    except sqlite3.DatabaseError as error:
        raise _damaged(path, error) from error
    except UnicodeDecodeError as error:  # of a message of SQLite's that quotes the damaged text
        raise _damaged(path, "a text that is not UTF-8") from error


def _damaged(path: Path, error: sqlite3.Error | str) -> ArtifactError:
    return ArtifactError(f"{path} is damaged: {error}; restore it from a copy, or choose another path")


def check_header(path: Path) -> None:
    """Read the file's first 100 bytes, so that SQLite never opens (and changes) a file that is not ours.

    The version there may be older than that of the tables: an upgrade may still be in the log.

    Their layout: https://www.sqlite.org/fileformat.html, section 1.3.
    """
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise ArtifactError(f"cannot read {path}: {error.strerror}; expected a trial store") from error
    if len(header) < 100 or not header.startswith(b"SQLite format 3\0"):
        raise ArtifactError(
            f"{path} is not a trial store (not an SQLite file); it is left unchanged; choose another path"
        )
    version, _, application = struct.unpack(">III", header[60:72])
    if application != APPLICATION_ID:
        raise ArtifactError(f"{path} is a SQLite file of another program; it is left as it is; choose another path")
    _check_version(path, version)


def _check_version(path: Path, version: int) -> None:
    if not 1 <= version <= SCHEMA_VERSION:
        raise ArtifactError(
            f"{path} has schema version {version}, and this convlens reads versions 1 to {SCHEMA_VERSION}; "
            "it is left unchanged; use the newer convlens that wrote it, or choose another path"
        )


def lock(path: Path) -> sqlite3.Connection:
    """Take the writer's lock: an SQLite lock, which works on every system and also within one process."""
    held: sqlite3.Connection | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = sqlite3.connect(path.with_name(path.name + ".lock"), timeout=0, isolation_level=None)
        held.execute("BEGIN EXCLUSIVE")
    except OSError as error:
        raise OutputError(f"cannot make the folder {path.parent}: {error.strerror}; choose another path") from error
    except sqlite3.Error as error:
        if held is not None:
            held.close()
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            message = (
                f"{path} is being written by another run; wait for it to end, or read what is there: "
                "“convlens study show”, in Python TrialStore(path, read_only=True)"
            )
        else:
            message = f"cannot write in {path.parent}: {error}; check its permissions and the free space"
        raise OutputError(message) from error
    return held


def create(path: Path) -> None:
    """Create an empty store atomically; the caller holds the lock, so no other process uses the temporary name."""
    unfinished = path.with_name(path.name + ".new")
    try:
        unfinished.unlink(missing_ok=True)
        with translated(path, "create", OutputError), closing(sqlite3.connect(unfinished)) as connection:
            connection.executescript("PRAGMA journal_mode = MEMORY;" + _SCHEMA)
        unfinished.replace(path)
    except OSError as error:
        raise OutputError(f"cannot create {path}: {error.strerror}; choose another path") from error


def connect(path: Path, *, read_only: bool) -> tuple[sqlite3.Connection, int]:
    """Open an existing store and check its pages before anything is written; return it with its tables' version."""
    with translated(path, "open", ArtifactError if read_only else OutputError):
        # A reader too may have to roll back what a killed writer left unfinished, so mode=ro would refuse some intact
        # stores; where writing is forbidden, SQLite opens the file read-only by itself.
        connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)
        try:
            if read_only:
                connection.execute("PRAGMA query_only = 1")
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise sqlite3.DatabaseError(" ".join(str(found).split()))
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            _check_version(path, version)
            if not read_only:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                if version < SCHEMA_VERSION:
                    changes = "".join(_UPGRADES[old] for old in range(version, SCHEMA_VERSION))
                    # one transaction: what is there stays as it is
                    connection.executescript(f"BEGIN;{changes}PRAGMA user_version = {SCHEMA_VERSION};COMMIT;")
                    version = SCHEMA_VERSION
        except BaseException:
            connection.close()
            raise
    return connection, version


def disconnect(connection: sqlite3.Connection, *, read_only: bool) -> None:
    """Close the store; a writer leaves one plain file without a log."""
    if not read_only:
        # Fails while a reader has the file open, or if it is closed; leaving the log is equally safe.
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA busy_timeout = 0")
            connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
