"""The store of finished trials and of failures: one SQLite file with one writer, consistent even if that is killed.

Every trial is one transaction. `store_file` creates, locks, checks and opens the file.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ...errors import ArtifactError, OutputError
from ...plain import JSON, canonical
from ...typing import Array
from ..trial import Failure, PlannedTrial, Trial, TrialKey
from .store_file import SCHEMA_VERSION, check_header, connect, create, disconnect, lock, translated

_COLUMNS = (
    "key, study, arm, seed, configuration, numerics_version, metrics, history, predictions, labels, curves, "
    "provenance, created"
)


class TrialStore:
    """A store of finished trials.

    Parameters
    ----------
    path
        The store's file; created, with its folder, if it does not exist and the store is opened for writing.
    read_only
        Open for reading, which is always allowed, even while another process writes.

    Raises
    ------
    ArtifactError
        If the file is damaged, is not a trial store, or was written by a newer version; it is not changed. Also if it
        is opened for reading and does not exist. A file of an older version can be read, and is upgraded when it is
        opened for writing.
    OutputError
        If another writer has the store open, or it cannot be written at this path.

    Notes
    -----
    Use a store only in the process and thread that opened it; workers return their outcomes to it.
    """

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool = False) -> None:
        self.path = Path(path).resolve()
        self.read_only = read_only
        self._process = os.getpid()
        self._lock: sqlite3.Connection | None = None
        if read_only and not self.path.exists():
            raise ArtifactError(f"there is no trial store at {self.path}; run a study first, or check the path")
        if self.path.exists():
            check_header(self.path)
        if not read_only:
            self._lock = lock(self.path)
        try:
            if not self.path.exists():
                create(self.path)
            self._connection, self._version = connect(self.path, read_only=read_only)
        except BaseException:
            self._unlock()
            raise

    def put(self, trial: Trial) -> bool:
        """Store a trial permanently; on return it is on disk, and its recorded failure is deleted.

        Returns
        -------
        bool
            True if it was stored; False if there is already a trial with this key, which is kept.

        Raises
        ------
        OutputError
            If the store is read-only, belongs to another process, or cannot be written (a full disk).
        """
        self._require_writer()
        arrays: dict[str, tuple[str, bytes]] = {}
        row = (
            *(trial.key, trial.study, trial.arm, trial.seed),
            *(canonical(trial.configuration), trial.numerics_version),
            *(canonical(trial.metrics), canonical(trial.history)),
            *(canonical(_digests(trial.predictions, arrays)), canonical(_digests(trial.labels, arrays))),
            canonical(_curves(trial.curves, arrays)),
            *(canonical(trial.provenance), trial.created),
        )
        marks = ", ".join("?" * len(row))
        with translated(self.path, "write to", OutputError), self._connection as connection:
            insert = f"INSERT INTO trials ({_COLUMNS}) VALUES ({marks}) ON CONFLICT (key) DO NOTHING"  # noqa: S608
            if connection.execute(insert, row).rowcount == 0:
                return False
            connection.executemany(
                "INSERT INTO arrays VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING",
                [(digest, *content) for digest, content in arrays.items()],
            )
            connection.execute("DELETE FROM failures WHERE key = ?", (trial.key,))
        return True

    def put_failure(self, planned: PlannedTrial, failure: Failure) -> None:
        """Record a trial's failure, replacing an earlier one; OutputError as for `put`."""
        self._require_writer()
        row = (planned.key, planned.study, planned.arm, planned.seed, *astuple(failure))
        with translated(self.path, "write to", OutputError), self._connection as connection:
            connection.execute("INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def failure(self, key: TrialKey) -> Failure | None:
        """Return the failure of the trial with this key when it was last run; None if it did not fail."""
        if self._version == 1:
            return None
        with translated(self.path, "read", ArtifactError):
            query = "SELECT error, message, created FROM failures WHERE key = ?"
            row = self._connection.execute(query, (key,)).fetchone()
        return None if row is None else Failure(*row)

    def get(self, key: TrialKey) -> Trial | None:
        """Return the trial with this key, or None."""
        columns = _COLUMNS if self._version > 1 else _COLUMNS.replace("curves", "'{}'")
        with translated(self.path, "read", ArtifactError):
            row = self._connection.execute(f"SELECT {columns} FROM trials WHERE key = ?", (key,)).fetchone()  # noqa: S608
            return None if row is None else self._trial(row)

    @property
    def folder(self) -> Path:
        """The folder that it is in."""
        return self.path.parent

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query; none if the store is of a version without its table, and opened for reading."""
        if self._version < SCHEMA_VERSION:
            return []
        with translated(self.path, "read", ArtifactError):
            return self._connection.execute(query, values).fetchall()

    def write(self, statement: str, values: Sequence[Any]) -> None:
        """Run one statement in a transaction; OutputError as for `put`."""
        self._require_writer()
        with translated(self.path, "write to", OutputError), self._connection as connection:
            connection.execute(statement, values)

    def __contains__(self, key: object) -> bool:
        with translated(self.path, "read", ArtifactError):
            return self._connection.execute("SELECT 1 FROM trials WHERE key = ?", (key,)).fetchone() is not None

    def __len__(self) -> int:
        with translated(self.path, "read", ArtifactError):
            return int(self._connection.execute("SELECT count(*) FROM trials").fetchone()[0])

    def close(self) -> None:
        """Close the store and release the writer's lock; closing twice is allowed."""
        disconnect(self._connection, read_only=self.read_only)
        self._unlock()

    def __enter__(self) -> TrialStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _require_writer(self) -> None:
        if self.read_only or os.getpid() != self._process:
            reason = "it is open for reading only" if self.read_only else "another process opened it"
            raise OutputError(
                f"cannot write to {self.path}: {reason}; store the trial in the process that opened it for writing"
            )

    def _trial(self, row: tuple[Any, ...]) -> Trial:
        key, study, arm, seed, configuration, numerics_version, *texts, created = row
        try:
            metrics, history, predictions, labels, curves, provenance = map(json.loads, texts)
            trial = Trial(
                study=study,
                arm=arm,
                seed=seed,
                configuration=json.loads(configuration),
                numerics_version=numerics_version,
                metrics=metrics,
                history=history,
                predictions={split: self._array(digest) for split, digest in predictions.items()},
                labels={split: self._array(digest) for split, digest in labels.items()},
                curves={name: self._array(c["digest"]).reshape(c["shape"]) for name, c in curves.items()},
                provenance=provenance,
                created=created,
            )
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise ArtifactError(f"{self.path}: trial {key} is damaged ({error}); remove it or the store") from error
        if trial.key != key:
            raise ArtifactError(f"{self.path}: trial {key} is damaged: its key does not match its configuration")
        return trial

    def _array(self, digest: str) -> Array:
        query = "SELECT type, content FROM arrays WHERE digest = ?"
        row = self._connection.execute(query, (digest,)).fetchone()
        if row is None or _digest(*row) != digest:
            raise ValueError("an array is missing or has changed")
        return np.frombuffer(row[1], dtype=np.dtype(row[0]))


def _digest(kind: str, content: bytes) -> str:
    return hashlib.sha256(kind.encode() + b":" + content).hexdigest()


def _digests(arrays: Mapping[str, Array], contents: dict[str, tuple[str, bytes]]) -> dict[str, str]:
    """Return digests by name, and add each array's type and content to `contents`."""
    digests = {}
    for split, array in arrays.items():
        little_endian = array.astype(array.dtype.newbyteorder("<"))
        kind, content = little_endian.dtype.str, little_endian.tobytes()
        digests[split] = _digest(kind, content)
        contents[digests[split]] = (kind, content)
    return digests


def _curves(arrays: Mapping[str, Array], contents: dict[str, tuple[str, bytes]]) -> dict[str, JSON]:
    digests = _digests(arrays, contents)
    return {name: {"digest": digests[name], "shape": array.shape} for name, array in arrays.items()}
