"""Trials on an existing Dask cluster: workers compute, this process alone stores what they return.

``docs/cluster.md`` says how to start a cluster. Only as many trials are under way as the workers have threads, so what
waits is here and not at the scheduler, and a trial starts when it is sent, unless others use the cluster too.

A worker that dies loses nothing but time: Dask sends its trials to others. After several workers have died of one trial
(the scheduler's ``allowed-failures``, 3, and once more), that trial has failed.
"""

from __future__ import annotations

import logging
import pickle
import re
import socket
import time
import uuid
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import astuple, replace
from functools import partial
from importlib.metadata import version
from ssl import SSLContext
from typing import Any, TypeAlias

from ... import models
from ...errors import ConfigurationError, ConvlensError
from ..executors import ExecutionOptions
from ..executors import execute as execute_trial
from ..trial import Failure, PlannedTrial, TrialOutcome
from . import cluster_worker
from .cluster_worker import Needs, Unfit
from .pool import Execute, Result, failure, message_of, read_answer, unheard
from .processes import expensive_first

ANSWER_SECONDS = 10.0
"""How long a scheduler may take to answer, and to have a worker."""

LONELY_SECONDS = 60.0
"""How long a run waits for a worker after the last one has gone: a lost one is often started again."""

POLL_SECONDS = 0.5
"""How often the scheduler is asked which workers there are, and which trials run."""

_ADDRESS = re.compile(r"(?P<scheme>tcp|tls)://(?P<host>\[[0-9a-fA-F:.]+(%\w+)?\]|[^\s:/\[\]]+):(?P<port>\d{1,5})")
_Future: TypeAlias = Any  # distributed is untyped


def cluster_pool(address: str, options: ExecutionOptions | None = None) -> DaskPool:
    """Return a pool that runs trials on the cluster whose scheduler is at `address`, one thread each.

    Every worker uses the engine that this process would use. Hooks are called in this process only, so never here; and
    no models or checkpoints are kept, because workers write nothing.

    Raises
    ------
    ConfigurationError
        If it is no address, Dask is not installed, or the engine is unknown.
    """
    given = options or ExecutionOptions()
    check_address(address)
    engine = models.build("baseline").use(given.engine, 1).engine.name
    return DaskPool(address, partial(execute_trial, options=ExecutionOptions(engine, threads=1)), engine=engine)


def check_address(address: str) -> None:
    """Raise ConfigurationError unless `address` is that of a scheduler, and Dask is installed."""
    if not _ADDRESS.fullmatch(address):
        raise ConfigurationError(
            f"a cluster is named by its scheduler's address, such as tcp://192.168.1.10:8786, not {address!r}"
        )
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise ConfigurationError(
            f'a cluster needs Dask, which cannot be imported ({message_of(error)}): pip install "convlens[cluster]"'
        ) from error


class DaskPool:
    """Runs trials on a Dask cluster; see `convlens.studies.pools.pool.Pool`.

    Parameters
    ----------
    address
        The scheduler's: ``tcp://HOST:PORT``, or ``tls://`` with certificates from Dask's own configuration.
    execute
        Runs one trial; pickled, so its module must be installed on the workers too.
    engine
        The engine that workers must have, made ready before a worker's first trial; None if the trials need none.
    answer_seconds, lonely_seconds
        See `ANSWER_SECONDS` and `LONELY_SECONDS`.

    Raises
    ------
    ConfigurationError
        See `check_address`.
    """

    def __init__(
        self,
        address: str,
        execute: Execute,
        *,
        engine: str | None = None,
        answer_seconds: float = ANSWER_SECONDS,
        lonely_seconds: float = LONELY_SECONDS,
    ) -> None:
        check_address(address)
        self.address, self._execute, self._engine = address, execute, engine
        self._answer_seconds, self._lonely_seconds = answer_seconds, lonely_seconds

    def run(
        self, trials: Sequence[PlannedTrial], started: Callable[[PlannedTrial], None] = unheard
    ) -> Iterator[Result]:
        """Run trials, the expensive ones of a seed first.

        `started` is called when the scheduler says that a worker has the trial; not for one that is finished sooner
        than the scheduler is asked.

        Raises
        ------
        ConfigurationError
            If a worker's convlens, Python or distributed is another, or it lacks the engine or the data.
        ConvlensError
            If the cluster does not answer, goes away, or has no worker left. What has been yielded stays valid.
        """
        used = dict.fromkeys(one for trial in trials for one in cluster_worker.data_of(trial.configuration))
        needs = Needs(cluster_worker.software(), self._engine, tuple(used))
        with ExitStack() as stack:
            stack.enter_context(_silence())
            client = stack.enter_context(_connected(self.address, self._answer_seconds))
            _check_workers(client, self.address, self._answer_seconds)
            running = _Run(client, self.address, self._execute, needs, self._lonely_seconds)
            stack.callback(running.cancel)
            yield from running.results(expensive_first(trials), started)


class _Run:
    """The trials under way on a cluster."""

    def __init__(self, client: Any, address: str, execute: Execute, needs: Needs, lonely_seconds: float) -> None:
        self._client, self._address, self._execute, self._needs = client, address, execute, astuple(needs)
        self._lonely_seconds, self._seen = lonely_seconds, time.monotonic()
        self._threads: dict[str, int] = {}  # by worker
        self._running: dict[_Future, PlannedTrial] = {}
        self._unannounced: dict[str, PlannedTrial] = {}  # by Dask's key

    def results(self, trials: Sequence[PlannedTrial], started: Callable[[PlannedTrial], None]) -> Iterator[Result]:
        """Send trials as workers become free; yield each when it is finished."""
        waiting = deque(trials)
        while waiting or self._running:
            with _lost(self._address):
                self._count_threads()
                while waiting and len(self._running) < sum(self._threads.values()):
                    self._send(waiting.popleft())
                begun = self._begun()
            for planned in begun:
                started(planned)
            with _lost(self._address):
                finished = self._finished()
            for future in finished:
                planned = self._running.pop(future)
                self._unannounced.pop(future.key, None)
                yield planned.key, self._read(future)
                future.release()

    def cancel(self) -> None:
        """Forget what is left; a trial that a worker has begun runs to its end there, and nobody reads it."""
        with suppress(Exception):  # the scheduler may be what went away
            self._client.cancel(list(self._running), force=True)

    def _count_threads(self) -> None:
        self._threads = dict(self._client.nthreads())
        now = time.monotonic()
        if self._threads:
            self._seen = now
        elif now - self._seen > self._lonely_seconds:
            raise ConvlensError(
                f"the cluster at {self._address} has had no worker for {self._lonely_seconds:.0f} s; finished trials "
                f"are kept: start a worker (dask worker {self._address}) and repeat the command"
            )

    def _send(self, planned: PlannedTrial) -> None:
        job, key = pickle.dumps((self._execute, planned)), f"trial-{uuid.uuid4().hex}"
        self._running[self._client.submit(cluster_worker.run, self._needs, job, key=key, pure=False)] = planned
        self._unannounced[key] = planned

    def _begun(self) -> list[PlannedTrial]:
        """Return the trials that a worker has, and that had not been announced."""
        if not self._unannounced:
            return []
        held = [key for keys in self._client.processing().values() for key in keys]
        return [self._unannounced.pop(key) for key in held if key in self._unannounced]

    def _finished(self) -> list[_Future]:
        """Wait a little; return the trials that have ended."""
        from distributed import wait

        if not self._running:  # no worker
            time.sleep(POLL_SECONDS)
            return []
        with suppress(TimeoutError), self._client.as_current():
            wait(list(self._running), timeout=POLL_SECONDS, return_when="FIRST_COMPLETED")
        if self._client.status != "running":
            raise OSError(f"the connection is {self._client.status}")
        return [future for future in self._running if future.done()]

    def _read(self, future: _Future) -> TrialOutcome | Failure:
        with _lost(self._address):
            try:
                worker, content = future.result(timeout=self._lonely_seconds)
            except Exception as error:
                if future.status != "error":  # not the trial's
                    raise
                return failure(_in_words(error))
        found = pickle.loads(content)  # noqa: S301 - from a worker that we trust with the trial
        if isinstance(found, Unfit):
            raise _unfit(worker, found.reason)
        result = read_answer(content)
        if isinstance(result, Failure):
            return replace(result, message=f"{result.message} (on {worker})")
        return replace(result, provenance={**result.provenance, "trials side by side": self._beside(worker)})

    def _beside(self, worker: str) -> int:
        """Return how many trials the worker's machine runs at once: measured rates depend on it."""
        machine = worker.rpartition(":")[0]
        return sum(count for address, count in self._threads.items() if address.rpartition(":")[0] == machine)


@contextmanager
def _connected(address: str, seconds: float) -> Iterator[Any]:
    """Give a client of the scheduler; close it at the end."""
    from distributed import Client
    from distributed.security import Security
    from distributed.versions import VersionMismatchWarning

    security = Security()  # from Dask's configuration
    certificates = security.get_connection_args("client")["ssl_context"]
    if address.startswith("tls:") and certificates is None:
        raise ConfigurationError(
            f"{address} needs certificates: name them in Dask's configuration, distributed.comm.tls (docs/cluster.md)"
        )
    try:
        _await_first_byte(address, seconds, certificates)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VersionMismatchWarning)  # `_check_workers` says what matters in a line
            client = Client(address, timeout=seconds, set_as_default=False, security=security)
    except OSError as error:
        raise ConvlensError(
            f"no Dask scheduler answers at {address} within {seconds:g} s ({_cause(error)}); check the address, or "
            "start one: dask scheduler"
        ) from error
    try:
        yield client
    finally:
        with suppress(Exception):
            client.close(timeout=seconds)


def _await_first_byte(address: str, seconds: float, certificates: SSLContext | None) -> None:
    """Raise TimeoutError if something accepts the connection and says nothing: Dask would wait for it for ever.

    A scheduler speaks first. Where nothing accepts the connection, Dask tries again for as long as it was told to.
    """
    place = _ADDRESS.fullmatch(address)
    assert place is not None
    try:
        connection = socket.create_connection((place["host"].strip("[]"), int(place["port"])), seconds)
    except (OSError, OverflowError):
        return
    with connection:
        if place["scheme"] == "tls" and certificates is not None:
            connection = certificates.wrap_socket(connection)
        with connection:
            if not connection.recv(1):
                raise ConnectionError("it closed the connection")


def _check_workers(client: Any, address: str, seconds: float) -> None:
    """Raise unless there is a worker, and scheduler and workers have the software that this process has."""
    try:
        client.wait_for_workers(1, timeout=seconds)
    except TimeoutError as error:
        raise ConvlensError(
            f"the cluster at {address} has no workers after {seconds:g} s; start some: dask worker {address}"
        ) from error
    with _lost(address):
        theirs = client.run_on_scheduler(version, "distributed")
        found: Mapping[str, Any] = client.run(cluster_worker.software, on_error="return")
    ours = version("distributed")
    if theirs != ours:
        raise ConfigurationError(
            f"the scheduler at {address} has distributed {theirs}, here {ours}; install the same version on both"
        )
    for worker, told in found.items():
        if isinstance(told, Exception):
            raise _unfit(worker, f"it cannot import this convlens ({type(told).__name__}: {message_of(told)})")
        unlike = cluster_worker.difference(cluster_worker.software(), told)
        if unlike is not None:
            raise _unfit(worker, f"it has {unlike}")


def _unfit(worker: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"worker {worker} cannot run these trials: {reason}; install there what is here (docs/cluster.md), start it "
        "again, and repeat the command: finished trials are kept"
    )


def _in_words(error: Exception) -> Exception:
    """Return the error of a trial that Dask gave up, in words that say what to do."""
    if type(error).__name__ != "KilledWorker":
        return error
    return ConvlensError(
        f"{error.args[2] + 1} workers ended while they ran it, the last at {error.args[1].address}, perhaps out of "
        "memory; finished trials are kept: give workers more memory or fewer threads, and repeat the command"
    )


@contextmanager
def _lost(address: str) -> Iterator[None]:
    """Translate what Dask raises when the scheduler has gone."""
    from concurrent.futures import CancelledError

    try:
        yield
    except (OSError, CancelledError) as error:
        raise ConvlensError(
            f"the scheduler at {address} has gone ({_cause(error)}); finished trials are kept: start it and its "
            "workers again, and repeat the command"
        ) from error


def _cause(error: BaseException) -> str:
    """Return the first cause of an error, which says more than what it led to."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


@contextmanager
def _silence() -> Iterator[None]:
    """Keep Dask's log off the terminal: what matters of it is said by an error, in a line."""
    import distributed  # noqa: F401 - sets its log up

    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in ("distributed", "tornado")]
    handlers = {handler for name in names for handler in logging.getLogger(name).handlers}

    def nothing(record: logging.LogRecord) -> bool:
        del record
        return False

    for handler in handlers:
        handler.addFilter(nothing)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(nothing)
