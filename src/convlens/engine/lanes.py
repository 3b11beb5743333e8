"""Lanes: the fixed parts of a batch that threads work on.

Every batch is split into `LANES` parts, whatever the number of threads. Each lane has a gradient of its own, and
these are added up in the order of the lanes. So threads only decide who computes what and when: the bits do not
depend on their number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import ClassVar

from ..errors import ConfigurationError
from .processors import available_processors

LANES = 4
CHUNK = 1 << 14  # floats: 64 KiB, so that an update's arrays stay in the second-level cache


def split(count: int, parts: int = LANES) -> list[slice]:
    """Return `parts` slices of range(count), as even as can be; the last ones may be empty."""
    return [slice(count * part // parts, count * (part + 1) // parts) for part in range(parts)]


def available_threads() -> int:
    """Return the number of processors this process may use, at most `LANES`."""
    return min(available_processors(), LANES)


def thread_count(asked: int | None) -> int:
    """Return the number of threads to use; all that are available where None is asked for."""
    if asked is None:
        return available_threads()
    if not 1 <= asked <= 64:
        raise ConfigurationError(f"threads is a whole number from 1 to 64, not {asked}")
    return asked


class Workers:
    """A few threads that sleep until there is work; the calling thread is the first of them.

    Attributes
    ----------
    worth
        Floating-point operations that repay waking a thread, which takes about a tenth of a millisecond.
    """

    worth: ClassVar[int] = 40_000_000

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._others = [ThreadPoolExecutor(1, f"convlens-{number}") for number in range(1, threads)]

    def useful(self, flops: int) -> int:
        """Return how many threads are of use for so much work."""
        return max(1, min(self.threads, flops // self.worth))

    def run(self, tasks: Sequence[Callable[[], None]]) -> None:
        """Run at most `threads` tasks at the same time and wait for them all; the first error is raised.

        The same place among the tasks is always the same thread.
        """
        assert len(tasks) <= self.threads, f"{len(tasks)} tasks for {self.threads} threads"
        # the caller's context comes along: NumPy keeps in it what to do about overflow
        others = zip(self._others, tasks[1:], strict=False)
        futures = [thread.submit(copy_context().run, task) for thread, task in others]
        try:
            for task in tasks[:1]:
                task()
        finally:
            for future in futures:
                future.exception()  # wait for everyone, so that nobody writes once this has returned
        for future in futures:
            future.result()

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
