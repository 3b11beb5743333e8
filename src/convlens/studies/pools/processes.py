"""Trials in parallel: several processes that each run one trial at a time, on one thread.

Two single-threaded trainings in parallel take less time than one after the other on two threads, because no thread
waits for another; the results are the same bits. The processes only compute; the process that started them stores the
results.

Signals are handled by the parent: in the child processes they are blocked from the start (on Windows, which cannot
block them, Ctrl-C is ignored). When the parent ends, for whatever reason, they end at once.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, TypeAlias

from ...errors import ConvlensError
from ...signals import blocked
from ..trial import Failure, PlannedTrial, TrialOutcome
from .pool import Execute, Result, answer, failure, read_answer, unheard

_Pipe: TypeAlias = Any  # multiprocessing's Connection; on Windows PipeConnection, an unrelated class


class ProcessPool:
    """Runs trials in several processes at once; see `convlens.studies.pools.pool.Pool`.

    Parameters
    ----------
    execute
        Runs one trial; pickled and sent to the processes.
    processes
        Number of processes; never more than there are trials.
    """

    def __init__(self, execute: Execute, processes: int) -> None:
        self._execute, self._processes = execute, processes

    def run(
        self, trials: Sequence[PlannedTrial], started: Callable[[PlannedTrial], None] = unheard
    ) -> Iterator[Result]:
        """Run trials, the expensive ones of a seed first.

        If a process dies during a trial, for instance out of memory, that trial has failed; another process replaces
        it.
        """
        with _Workers(self._execute) as workers:
            yield from workers.run(expensive_first(trials), min(self._processes, len(trials)), started)


def expensive_first(planned: Sequence[PlannedTrial]) -> list[PlannedTrial]:
    """Sort the trials of each study and seed by falling cost, so that the processes finish at about the same time."""
    together = groupby(planned, key=lambda trial: (trial.study, trial.seed))
    return [trial for _, group in together for trial in sorted(group, key=lambda trial: -trial.cost)]


class _Workers:
    """The worker processes by their pipes; a context manager that kills them at the end."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self._processes: dict[_Pipe, BaseProcess] = {}

    def __enter__(self) -> _Workers:
        if hasattr(signal, "pthread_sigmask"):
            resource_tracker.ensure_running()  # now, because starting it unblocks signals
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes.values():
            process.kill()
        for pipe, process in self._processes.items():
            process.join()
            pipe.close()

    def run(
        self, planned: Sequence[PlannedTrial], count: int, started: Callable[[PlannedTrial], None]
    ) -> Iterator[Result]:
        """Run trials in `count` processes, started in this order."""
        left, running = iter(planned), dict[_Pipe, PlannedTrial]()

        def begin(pipe: _Pipe | None) -> None:
            wanted = next(left, None)
            if wanted is not None:
                pipe = pipe or self._start()
                running[pipe] = wanted
                started(wanted)
                with suppress(OSError):  # the process has died, which `_answer` reports
                    pipe.send(wanted)

        for _ in range(count):
            begin(None)
        while running:
            for ready in wait(list(running)):
                wanted = running.pop(ready)
                result = self._answer(ready)
                # before the outcome is stored, so that the process is not idle meanwhile
                begin(ready if ready in self._processes else None)
                yield wanted.key, result

    def _start(self) -> _Pipe:
        context = multiprocessing.get_context("spawn")  # a fork would copy locks held by other threads
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, self._execute), daemon=True)
        with blocked():
            process.start()
        theirs.close()
        self._processes[ours] = process
        return ours

    def _answer(self, pipe: _Pipe) -> TrialOutcome | Failure:
        """Return a trial's outcome or failure; a process that has died is removed."""
        try:
            content = pipe.recv_bytes()
        except (EOFError, OSError):
            process = self._processes.pop(pipe)
            process.join(1)
            pipe.close()
            return failure(
                ConvlensError(
                    f"the process that ran it ended (exit code {process.exitcode}), perhaps out of memory; "
                    "finished trials are kept: repeat the command, with --threads 1 to run one at a time"
                )
            )
        return read_answer(content)


def _work(pipe: _Pipe, execute: Execute) -> None:
    """Run trials until the other end is closed."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows: Ctrl-C reaches every process of the console
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            wanted = pipe.recv()
        except EOFError:
            return
        pipe.send_bytes(answer(execute, wanted))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
