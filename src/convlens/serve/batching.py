"""Micro-batches: concurrent requests are gathered and predicted together.

While a batch is predicted, the next requests gather; a request that finds nothing going on waits at most a bounded time
for others, and not at all if there are none. A batch that is predicted faster than another thread is woken is predicted
in the event loop, and any other in a thread. All the rest happens in the event loop, so there are no locks.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Generic, TypeVar

Request = TypeVar("Request")
Answer = TypeVar("Answer")

QUICK = 0.002  # seconds for which the event loop may be busy with a batch


class Batcher(Generic[Request, Answer]):
    """Gathers requests into batches.

    Parameters
    ----------
    predict
        Called in the worker with the requests of a batch; returns for each its answer, or its error.
    worker
        Runs the batches that take long.
    size_of
        Number of images of a request.
    most
        Images with which a batch is full. A request that has more is a batch of its own.
    wait
        Seconds for which a request waits for others while no batch is being predicted.
    seconds
        Returns how long one image takes.
    alone
        Returns whether no other request has come that could join a batch.
    observe
        Called with the number of images of every batch.
    """

    def __init__(
        self,
        predict: Callable[[Sequence[Request]], Sequence[Answer | Exception]],
        worker: Executor,
        *,
        size_of: Callable[[Request], int],
        most: int,
        wait: float = 0.0,
        seconds: Callable[[], float] = lambda: math.inf,
        alone: Callable[[], bool] = lambda: False,
        observe: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._predict, self._worker, self._size_of, self._observe = predict, worker, size_of, observe
        self._most, self._wait, self._seconds, self._alone = most, wait, seconds, alone
        self._waiting: deque[tuple[Request, asyncio.Future[Answer]]] = deque()
        self._engaged = False  # a batch is being gathered or predicted

    def submit(self, request: Request) -> asyncio.Future[Answer]:
        """Return a future of the answer; one that is cancelled before its batch begins is never predicted."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        if not self._engaged and not self._wait and self._alone() and self._is_quick(self._size_of(request)):
            self._observe(self._size_of(request))
            self._answer([request], [future])  # at once: a turn of the event loop takes as long as a small network
            return future
        self._waiting.append((request, future))
        if not self._engaged:
            self._engaged = True
            if self._wait:
                loop.call_later(self._wait, self._begin)
            else:  # after the other requests that have arrived together with this one
                loop.call_soon(self._begin)
        return future

    def _is_quick(self, images: int) -> bool:
        return images * self._seconds() <= QUICK

    def _begin(self) -> None:
        """Predict the next batch, or have it predicted; without one, rest until a request comes."""
        batch, images = self._gathered()
        self._engaged = bool(batch)
        if not batch:
            return
        loop = asyncio.get_running_loop()
        requests, futures = [request for request, _ in batch], [future for _, future in batch]
        if self._is_quick(images):
            loop.call_soon(self._begin)  # after what else has come meanwhile
            self._answer(requests, futures)
            return

        def ended(done: Future[Sequence[Answer | Exception]]) -> None:  # in the worker's thread
            loop.call_soon_threadsafe(self._end, futures, done)

        self._worker.submit(self._predict, requests).add_done_callback(ended)

    def _gathered(self) -> tuple[list[tuple[Request, asyncio.Future[Answer]]], int]:
        """Take the next batch from what waits, and its number of images; leave out what nobody waits for any more."""
        batch: list[tuple[Request, asyncio.Future[Answer]]] = []
        images = 0
        while self._waiting:
            request, future = self._waiting[0]
            size = self._size_of(request)
            if batch and images + size > self._most:
                break
            self._waiting.popleft()
            if not future.done():
                batch.append((request, future))
                images += size
        if batch:
            self._observe(images)
        return batch, images

    def _end(self, futures: list[asyncio.Future[Answer]], done: Future[Sequence[Answer | Exception]]) -> None:
        """Begin the next batch before anything else: the worker need not wait for the replies."""
        self._begin()
        self._deliver(futures, done.result)

    def _answer(self, requests: list[Request], futures: list[asyncio.Future[Answer]]) -> None:
        """Predict a batch here and now."""
        self._deliver(futures, lambda: self._predict(requests))

    @staticmethod
    def _deliver(futures: list[asyncio.Future[Answer]], found: Callable[[], Sequence[Answer | Exception]]) -> None:
        """Give each request its answer, or its error; if the whole batch failed, that."""
        answers: Sequence[Answer | Exception]
        try:
            answers = found()
        except Exception as error:  # noqa: BLE001 - as an executor does
            answers = [error] * len(futures)
        for future, answer in zip(futures, answers, strict=True):
            if future.done():  # cancelled: its request took too long
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
