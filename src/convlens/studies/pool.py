"""Trials side by side: a few processes that each run one trial at a time, on one thread.

Two trainings of one thread each take less time than one after the other on two threads: nobody waits for anybody. The
results are the same bits. The processes only compute; whoever started them keeps what they hand back.

Signals are for the process that started them: in these they are blocked from their birth. When it stops, however it
does, they end at once.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, TypeAlias

from ..errors import ConvlensError
from ..signals import blocked
from .trial import PlannedTrial, TrialOutcome

Execute: TypeAlias = Callable[[PlannedTrial], TrialOutcome]


class TrialWorkers:
    """So many processes that run trials; a context manager.

    Parameters
    ----------
    count
        How many.
    execute
        Runs one trial; it is pickled to get there.
    """

    def __init__(self, count: int, execute: Execute) -> None:
        self._count, self._execute = count, execute
        self._processes: dict[Connection, BaseProcess] = {}

    def __enter__(self) -> TrialWorkers:
        context = multiprocessing.get_context("spawn")  # a fork would copy the state of locks that threads hold
        resource_tracker.ensure_running()  # now, because it unblocks signals when it starts
        try:
            for _ in range(self._count):
                ours, theirs = context.Pipe()
                process = context.Process(target=_work, args=(theirs, self._execute), daemon=True)
                with blocked():
                    process.start()
                theirs.close()
                self._processes[ours] = process
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        for process in self._processes.values():
            process.kill()
        for connection, process in self._processes.items():
            process.join()
            connection.close()

    def run(
        self, planned: Sequence[PlannedTrial], started: Callable[[PlannedTrial], None]
    ) -> Iterator[tuple[PlannedTrial, TrialOutcome]]:
        """Run trials, begun in this order; yield each with its outcome when it is finished.

        Raises
        ------
        ConvlensError
            If a process ended before its trial did, as when memory runs out.
        Exception
            What a trial raised.
        """
        left, running = iter(planned), dict[Connection, PlannedTrial]()

        def begin(connection: Connection) -> None:
            wanted = next(left, None)
            if wanted is not None:
                running[connection] = wanted
                started(wanted)
                connection.send(wanted)

        for connection in self._processes:
            begin(connection)
        while running:
            for ready in wait(list(running)):
                assert isinstance(ready, Connection)
                wanted = running.pop(ready)
                outcome = self._answer(ready, wanted)
                begin(ready)  # before the outcome is kept, so that nobody is idle meanwhile
                yield wanted, outcome

    def _answer(self, connection: Connection, wanted: PlannedTrial) -> TrialOutcome:
        try:
            answer = connection.recv()
        except (EOFError, OSError):
            process = self._processes[connection]
            process.join(1)
            raise ConvlensError(
                f"the process that ran {wanted.label} ended (exit code {process.exitcode}), perhaps for want of "
                "memory; finished trials are kept: repeat the command, with --threads 1 to run one at a time"
            ) from None
        if isinstance(answer, BaseException):
            raise answer
        assert isinstance(answer, TrialOutcome)
        return answer


def _work(connection: Connection, execute: Execute) -> None:
    """Run trials until the other end is closed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            wanted = connection.recv()
        except EOFError:
            return
        connection.send(_run(execute, wanted))


def _run(execute: Execute, wanted: PlannedTrial) -> Any:
    """Return the outcome, or the error, in a form that can be sent."""
    try:
        return execute(wanted)
    except Exception as error:  # noqa: BLE001 - raised again at the other end
        try:
            pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
        except Exception:  # noqa: BLE001 - some errors cannot be made from their message alone
            return RuntimeError(f"{wanted.label}: {type(error).__name__}: {error}")
        return error


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
