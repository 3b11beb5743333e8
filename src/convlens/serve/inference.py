"""The requests in hand: how many there may be, who reads them, who predicts them, and whether that is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from ..predictor import Prediction, ReadPicture
from ..typing import Array, FloatArray
from .batching import Batcher
from .refusal import busy
from .served import Models, Served
from .settings import Settings

Result = TypeVar("Result")

INLINE = 16 * 2**10  # bytes that are read faster than another thread is woken


class _Batchers(NamedTuple):
    arrays: Batcher[Array, FloatArray]
    pictures: Batcher[ReadPicture, Prediction]


class Inference:
    """Reads and predicts requests, a bounded number at a time.

    Quick batches are predicted in the event loop, others in one thread, so that batches form while it works. Other
    threads decode pictures and large bodies.

    Parameters
    ----------
    models
        What is served.
    settings
        The server's.
    observe
        Returns, for a model's name, what counts the images of its batches.

    Attributes
    ----------
    in_hand
        Number of requests that are read, wait or are predicted.
    draining
        Whether the server was asked to stop.
    alone
        Returns whether the server knows of no other request than the one that asks; a server that can tell sets it.
    failure
        Why an engine could not be warmed up; None if nothing failed.
    """

    def __init__(self, models: Models, settings: Settings, observe: Callable[[str], Callable[[int], None]]) -> None:
        self._models, self._settings, self._observe = models, settings, observe
        self._worker = ThreadPoolExecutor(1, "convlens-predict")
        self._readers = ThreadPoolExecutor(settings.readers, "convlens-read")
        self._batchers: Mapping[str, _Batchers] = {name: self._batchers_of(one) for name, one in models.items()}
        self._warm = False
        self.in_hand, self.draining = 0, False
        self.alone: Callable[[], bool] = lambda: False
        self.failure: BaseException | None = None

    def _batchers_of(self, served: Served) -> _Batchers:
        common: dict[str, Any] = {
            "most": self._settings.batch,
            "wait": self._settings.batch_wait,
            "alone": lambda: self.alone(),
            "observe": self._observe(served.name),
        }
        return _Batchers(
            Batcher(
                served.probabilities, self._worker, size_of=len, seconds=lambda: served.image_seconds, **common
            ),
            Batcher(
                served.predictions, self._worker, size_of=lambda _: 1, seconds=lambda: served.picture_seconds, **common
            ),
        )  # fmt: skip

    @property
    def ready(self) -> bool:
        """Whether every engine is warm, and the server was not asked to stop."""
        return self._warm and not self.draining

    async def warm(self) -> None:
        """Predict something with every model; requests that come meanwhile wait."""
        loop = asyncio.get_running_loop()
        try:
            for served in self._models.values():
                await loop.run_in_executor(self._worker, served.warm)
        except Exception as error:  # noqa: BLE001 - whatever it is, the server ends with it
            self.failure = error
        else:
            self._warm = True

    def close(self) -> None:
        """End the threads, after what they are doing."""
        self._worker.shutdown()
        self._readers.shutdown()

    def admitted(self) -> Work:
        """Return a context in which a request is in hand."""
        return Work(self, self._settings, self._readers, self._batchers)


class Work:
    """A request in hand, as a context: what is done for it, within the time that it has.

    Entering raises Refusal 503 if there are too many; so does what takes too long.
    """

    def __init__(
        self, inference: Inference, settings: Settings, readers: ThreadPoolExecutor, batchers: Mapping[str, _Batchers]
    ) -> None:
        self._inference, self._settings, self._readers, self._batchers = inference, settings, readers, batchers

    def __enter__(self) -> Work:
        if self._inference.in_hand >= self._settings.queue:
            raise busy(f"{self._inference.in_hand:,} requests wait already")
        self._inference.in_hand += 1
        self._due = asyncio.get_running_loop().time() + self._settings.timeout
        return self

    def __exit__(self, *_: object) -> None:
        self._inference.in_hand -= 1

    async def aside(self, function: Callable[[], Result], size: int) -> Result:
        """Return what a function returns: called at once if `size` (bytes) is small, else in another thread."""
        if size <= INLINE:
            return function()
        return await self._in_time(asyncio.get_running_loop().run_in_executor(self._readers, function))

    async def probabilities(self, served: Served, images: Array) -> FloatArray:
        """Return the probabilities (N, K) of images (N, H, W, C), predicted in a batch with other requests."""
        return await self._in_time(self._batchers[served.name].arrays.submit(images))

    async def prediction(self, served: Served, picture: ReadPicture) -> Prediction:
        """Return the prediction for a picture, made in a batch with other requests."""
        return await self._in_time(self._batchers[served.name].pictures.submit(picture))

    async def _in_time(self, future: asyncio.Future[Result]) -> Result:
        if future.done():  # then nothing is late, and no timer is needed
            return future.result()
        try:
            async with asyncio.timeout_at(self._due):
                return await future
        except TimeoutError as error:
            raise busy(f"there was no answer within {self._settings.timeout:g} s") from error
