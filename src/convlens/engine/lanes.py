"""Lanes: the parts of a batch that threads work on.

Their number follows from the batch's size and the Program (`lanes_of`), never from the number of threads. Each lane has
its own gradient, and these are summed in the order of the lanes. So threads only decide who computes what and when: the
bits do not depend on their number.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import ClassVar, NamedTuple
from weakref import WeakSet

import numpy as np

from ..errors import ConfigurationError
from .processors import available_processors

FEWEST_LANES, MOST_LANES = 4, 32
SMALLEST_LANE = 8  # images: with fewer, the work done once per micro-batch takes too large a share of the time
READING = 64  # floating-point operations that repay reading a parameter once more, for another lane
ADDING = 25  # floating-point operations in the time that it takes to add one number of a lane's gradient
MOST_SUMMED = 1 << 24  # floats that are added up, of all lanes: 64 MiB
MOST_HELD = 1 << 27  # floats in the gradients of all lanes: 512 MiB
CHUNK = 1 << 14  # floats: 64 KiB, so that an update's arrays stay in the second-level cache
MOST_THREADS = 64


def smallest_lane(flops: int, parameters: int, summed: int) -> int:
    """Return how many images a lane should have at least.

    Parameters
    ----------
    flops
        Floating-point operations of one image, forward.
    parameters, summed
        Number of parameters of the Program, all of which a lane reads; and of those whose gradients are summed over
        lanes.

    Notes
    -----
    A training step takes three times the operations of a forward pass. Summing gradients may take an eighth of that.
    """
    flops = max(flops, 1)
    return max(SMALLEST_LANE, -(-READING * parameters // flops), -(-8 * ADDING * summed // (3 * flops)))


def lanes_of(images: int, smallest: int, summed: int, parameters: int) -> int:
    """Return the number of lanes of a batch: a power of two, at most `MOST_LANES`.

    Every lane has at least `smallest` images; the gradients of all lanes hold at most `MOST_HELD` numbers, of which at
    most `MOST_SUMMED` are added up. But there are always at least `FEWEST_LANES`, or one lane per image if the batch is
    smaller.
    """
    affordable = min(MOST_SUMMED // max(summed, 1), MOST_HELD // max(parameters, 1))
    wanted = min(images // smallest, affordable, MOST_LANES)
    return min(images, max(FEWEST_LANES, 1 << (max(wanted, 1).bit_length() - 1)))


def shares_of(size: int) -> int:
    """Return the number of shares in which threads write a flat array: a power of two, about one for each chunk."""
    return min(MOST_LANES, max(FEWEST_LANES, 1 << ((size // CHUNK).bit_length())))


class Share(NamedTuple):
    """One of several shares of some work: its number, and how many there are."""

    number: int
    of: int

    def part(self, count: int) -> slice:
        """Return its part of range(count)."""
        return slice(count * self.number // self.of, count * (self.number + 1) // self.of)


def split(count: int, parts: int) -> list[slice]:
    """Return `parts` slices that cover range(count), as even as possible; some may be empty."""
    return [Share(part, parts).part(count) for part in range(parts)]


def available_threads() -> int:
    """Return the number of processors that this process may use, at most `MOST_THREADS`."""
    return min(available_processors(), MOST_THREADS)


def thread_count(asked: int | None) -> int:
    """Return the number of threads to use; if None is asked for, all that are available."""
    if asked is None:
        return available_threads()
    if isinstance(asked, bool) or not isinstance(asked, int | np.integer) or not 1 <= asked <= MOST_THREADS:
        raise ConfigurationError(f"threads is a whole number from 1 to {MOST_THREADS}, not {asked!r}")
    return int(asked)


class Workers:
    """A few threads that sleep until there is work; the calling thread counts as the first of them.

    Attributes
    ----------
    worth, worth_awake
        Floating-point operations that repay waking a thread, which takes about 0.1 ms; and likewise handing them to a
        thread that has just worked.
    """

    worth: ClassVar[int] = 40_000_000
    worth_awake: ClassVar[int] = 40_000_000

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._start()
        _all_workers.add(self)

    def _start(self) -> None:
        """Make the threads: once, and again in a forked process, which has the memory of its parent but no threads."""
        self._others = [ThreadPoolExecutor(1, f"convlens-{number}") for number in range(1, self.threads)]

    def useful(self, flops: int, *, awake: bool = False) -> int:
        """Return how many threads are worth using for `flops` operations, `awake` if all have just worked."""
        return max(1, min(self.threads, flops // (self.worth_awake if awake else self.worth)))

    def run(self, tasks: Sequence[Callable[[], None]]) -> None:
        """Run at most `threads` tasks at the same time and wait for them all; the first error is raised.

        The task at a given position always runs on the same thread.
        """
        assert len(tasks) <= self.threads, f"{len(tasks)} tasks for {self.threads} threads"
        # threads run in the caller's context, which holds NumPy's handling of overflow
        others = zip(self._others, tasks[1:], strict=False)
        futures = [thread.submit(copy_context().run, task) for thread, task in others]
        try:
            for task in tasks[:1]:
                task()
        finally:
            for future in futures:
                future.exception()  # wait for all, so that no thread writes after this has returned
        for future in futures:
            future.result()

    def together(self, tasks: Sequence[Callable[[], None]]) -> bool:
        """Run tasks that wait for one another, each on its own thread, if all threads are ready at this moment.

        Return whether they ran; if not, none of them did.
        """
        del tasks
        return False

    def each(self, work: Callable[[slice], None], size: int, chunk: int = CHUNK) -> None:
        """Call `work` on slices that cover range(size), in chunks spread over the threads."""
        chunks = [slice(start, min(start + chunk, size)) for start in range(0, size, chunk)]

        def share(part: slice) -> Callable[[], None]:
            def task() -> None:
                for chunk in chunks[part]:
                    work(chunk)

            return task

        self.run([share(part) for part in split(len(chunks), min(self.threads, len(chunks)))])

    def close(self) -> None:
        """End the threads."""
        for thread in self._others:
            thread.shutdown()


_all_workers: WeakSet[Workers] = WeakSet()


def _start_again() -> None:
    for workers in _all_workers:
        workers._start()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_start_again)
