"""The engines: three ways to run one Program, behind one interface.

An engine belongs to one Program and one flat array of parameters, which it reads anew at every call.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .. import ops
from ..program import Program, aligned_zeros
from ..typing import Array, FloatArray, IntArray
from . import interpreter
from .arena import Arena
from .blas import single_threaded_blas
from .lanes import LANES, Workers, split, thread_count
from .plan import LanePlan, Memory, PredictionPlan, micro_batch_size
from .rewrite import rewrite


@dataclass(frozen=True)
class BatchResult:
    """What one training batch gave: the mean loss in nats, and how many images were classified right."""

    loss: float
    correct: int


class Engine(ABC):
    """Runs one Program."""

    name: ClassVar[str]

    def __init__(self, program: Program, parameters: Array, threads: int | None = None) -> None:
        self.program, self.parameters = program, parameters
        self.workers = Workers(thread_count(threads))

    @property
    def threads(self) -> int:
        """Number of threads it uses."""
        return self.workers.threads

    @abstractmethod
    def logits(self, x: FloatArray) -> FloatArray:
        """Return the logits (N, K) of images x (N, H, W, C). Any number of threads may call this at the same time."""

    @abstractmethod
    def gradient(self, x: FloatArray, labels: IntArray, out: Array, smoothing: float = 0.0) -> BatchResult:
        """Write the gradient of the mean loss over a batch to the flat array `out`. One caller at a time.

        `smoothing` is that of the labels: see `convlens.ops.softmax_cross_entropy`.
        """

    def each_chunk(self, work: Callable[[slice], None]) -> None:
        """Call `work` on chunks that cover the flat parameter array, spread over the threads."""
        self.workers.each(work, self.program.parameter_size)

    def close(self) -> None:
        """End the engine's threads."""
        self.workers.close()


class Interpreter(Engine):
    """Calls `convlens.ops` node by node, for the whole batch at once: the meaning of a Program, in any dtype."""

    name = "interpreter"

    def logits(self, x: FloatArray) -> FloatArray:
        with single_threaded_blas():
            return interpreter.forward(self.program, self.parameters, x).values[self.program.output]

    def gradient(self, x: FloatArray, labels: IntArray, out: Array, smoothing: float = 0.0) -> BatchResult:
        with single_threaded_blas():
            tape = interpreter.forward(self.program, self.parameters, x)
            logits = tape.values[self.program.output]
            losses, saved = ops.softmax_cross_entropy(logits, labels, smoothing)
            weights = np.full(len(x), 1 / len(x), logits.dtype)
            interpreter.backward(self.program, tape, ops.softmax_cross_entropy_backward(weights, saved), out)
        return BatchResult(float(losses.mean(dtype=np.float64)), int((logits.argmax(axis=1) == labels).sum()))


class NumpyPlan(Engine):
    """Lanes, micro-batches, preallocated memory, fused kernels: the same in float32, several times as fast."""

    name = "numpy"

    def __init__(self, program: Program, parameters: Array, threads: int | None = None) -> None:
        super().__init__(program, parameters, threads)
        self._memory = Memory(rewrite(program))
        self._sizes: dict[bool, int] = {}
        self._idle: deque[PredictionPlan] = (
            deque()
        )  # its append and pop are atomic: plans are lent to one thread at a time
        self._arenas = [Arena() for _ in range(self.threads)]
        self._gradients = [aligned_zeros(program.parameter_size) for _ in range(LANES)]
        self._plans: dict[tuple[int, int], LanePlan] = {}

    def _micro_batch(self, *, training: bool) -> int:
        if training not in self._sizes:
            self._sizes[training] = micro_batch_size(self._memory, self.parameters, training=training)
        return self._sizes[training]

    def logits(self, x: FloatArray) -> FloatArray:
        micro = self._micro_batch(training=False)
        out = np.empty((len(x), *self.program.output_shape), np.float32)
        # which images run together sets the last bits, so the number of threads has no say in it
        parts = split(len(x), max(LANES, -(-len(x) // micro))) if len(x) > micro else [slice(None)]

        def share(mine: slice) -> Callable[[], None]:
            def task() -> None:
                try:
                    plan = self._idle.pop()
                except IndexError:
                    plan = PredictionPlan(self._memory, micro, self.parameters)
                for part in parts[mine]:
                    plan.run(x[part], out[part])
                self._idle.append(plan)

            return task

        with single_threaded_blas():
            self.workers.run([share(mine) for mine in split(len(parts), min(self.threads, len(parts)))])
        return out

    def gradient(self, x: FloatArray, labels: IntArray, out: Array, smoothing: float = 0.0) -> BatchResult:
        results = [(0.0, 0)] * LANES
        lanes, weight = split(len(x)), 1 / len(x)

        def share(worker: int) -> Callable[[], None]:
            def task() -> None:
                for lane in range(worker, LANES, self.threads):
                    plan = self._lane_plan(lane, lanes[lane].stop - lanes[lane].start)
                    results[lane] = plan.run(x[lanes[lane]], labels[lanes[lane]], weight, smoothing)

            return task

        with single_threaded_blas():
            self.workers.run([share(worker) for worker in range(min(self.threads, LANES))])
        self.each_chunk(lambda chunk: self._reduce(chunk, out))
        return BatchResult(sum(loss for loss, _ in results) * weight, sum(correct for _, correct in results))

    def _reduce(self, chunk: slice, out: Array) -> None:
        """Add up the lanes' gradients, in the order of the lanes."""
        first, second, *others = self._gradients
        np.add(first[chunk], second[chunk], out=out[chunk])
        for gradient in others:
            np.add(out[chunk], gradient[chunk], out=out[chunk])

    def _lane_plan(self, lane: int, images: int) -> LanePlan:
        """Return the plan of one lane for a number of images; made once, and always for the same worker."""
        if (lane, images) not in self._plans:
            self._plans[lane, images] = LanePlan(
                self._memory,
                images,
                self._micro_batch(training=True),
                self._arenas[lane % self.threads],
                self.parameters,
                self._gradients[lane],
            )
        return self._plans[lane, images]
