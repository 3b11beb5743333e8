"""What runs on a worker of a Dask cluster: it checks that it computes what the coordinator would, then runs the trial.

A worker that cannot is *unfit*: its convlens is another, it lacks the engine, or it lacks the data. It says so instead
of running anything, because it would finish its trials, all wrong or failed, before any other worker.
"""

from __future__ import annotations

import hashlib
import pickle
import platform
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ... import data, models
from ...errors import ConvlensError
from ...version import NUMERICS_VERSION, __version__
from ..trial import NAMES, PlannedTrial
from .pool import answer, message_of

_checking = threading.Lock()  # threads of one worker wait while the first of them compiles the engine


@dataclass(frozen=True)
class Needs:
    """What the trials of a run need of every worker.

    Parameters
    ----------
    software
        The coordinator's, see `software`.
    engine
        Name of the engine; None if the trials need none.
    data
        Name and SHA-256 of each data set.
    """

    software: tuple[tuple[str, str], ...]
    engine: str | None = None
    data: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Unfit:
    """Why a worker cannot run trials."""

    reason: str


@cache
def software() -> tuple[tuple[str, str], ...]:
    """Return names and versions of what must be the same on coordinator and workers.

    Python must be, in its first two numbers, because both exchange pickled objects; distributed, because its protocol
    changes between versions; convlens to its last line, because otherwise results of two programs would be mixed.
    """
    return (
        ("convlens", __version__),
        ("numerics", str(NUMERICS_VERSION)),
        ("source code", _digest_of_sources()),
        ("Python", ".".join(platform.python_version_tuple()[:2])),
        ("distributed", version("distributed")),
    )


def difference(here: Iterable[tuple[str, str]], there: Iterable[tuple[str, str]]) -> str | None:
    """Return what differs between the coordinator's software and another's: ``"convlens 0.2.0, here 0.1.0"``."""
    found = dict(there)
    unlike = [f"{name} {found.get(name, 'missing')}, here {value}" for name, value in here if found.get(name) != value]
    return "; ".join(unlike) or None


def data_of(configuration: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield name and SHA-256 of each data set that a configuration, or one within it, names."""
    described, names = configuration.get("data"), configuration.get(NAMES)
    if isinstance(described, Mapping) and isinstance(names, Mapping):
        name, digest = names.get("data"), described.get("sha256")
        if isinstance(name, str) and isinstance(digest, str):
            yield name, digest
    for part in configuration.values():
        if isinstance(part, Mapping):
            yield from data_of(part)


def run(needs: tuple[Any, ...], job: bytes) -> tuple[str, bytes]:
    """Run a trial, if this worker can.

    Parameters
    ----------
    needs
        The fields of `Needs`, in order: tuples of texts, which every version of convlens can read.
    job
        Pickled function and trial; read only if the versions are the same.

    Returns
    -------
    tuple of str and bytes
        The worker's address, and what `read` reads.
    """
    reason = _unfit(Needs(*needs))
    if reason is not None:
        return _address(), pickle.dumps(Unfit(reason))
    try:
        execute, planned = pickle.loads(job)  # noqa: S301 - whoever can reach a scheduler runs anything there
    except Exception as error:  # noqa: BLE001 - such as a function in a module that is not here
        return _address(), pickle.dumps(Unfit(f"it cannot read the trial: {type(error).__name__}: {message_of(error)}"))
    assert isinstance(planned, PlannedTrial)
    return _address(), answer(execute, planned)


def _unfit(needs: Needs) -> str | None:
    with _checking:
        return _reason(needs)


@cache
def _reason(needs: Needs) -> str | None:
    """Return why this process cannot run the trials; once for all trials of a run."""
    unlike = difference(needs.software, software())
    if unlike is not None:
        return f"it has {unlike}"
    try:
        if needs.engine is not None:  # compiles it, where no process of this machine has done so
            models.build("baseline").use(needs.engine, 1).engine.close()
        for name, digest in needs.data:
            found = data.load(name).sha256
            if found != digest:
                return f"its data {name!r} have the SHA-256 {found[:16]}…, here {digest[:16]}…"
    except ConvlensError as error:
        return message_of(error).rstrip(".")
    return None


def _address() -> str:
    from distributed import get_worker

    return str(get_worker().address)


def _digest_of_sources() -> str:
    """Return a short hash of all modules of convlens, with the ends of lines as on Unix."""
    folder, digest = Path(__file__).parents[2], hashlib.sha256()
    for source in sorted(folder.rglob("*.py")):
        digest.update(source.relative_to(folder).as_posix().encode() + source.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:12]
