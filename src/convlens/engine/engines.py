"""The engines: three ways to run one Program, with one interface.

An engine belongs to one Program and one flat array of parameters, which it reads again at every call.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, ClassVar

import numpy as np

from .. import ops
from ..errors import ConfigurationError
from ..memory import require
from ..ops.warp import warp
from ..program import Program, aligned_zeros
from ..typing import Array, FloatArray, IntArray, Labels
from . import interpreter
from .arena import Arena, require_room
from .blas import single_threaded_blas
from .checks import checked_images, checked_labels, require_flat, require_smoothing
from .compiled.availability import cannot_start
from .interpreter import FIRST, Address
from .lanes import Workers, thread_count
from .numpy.toolbox import NUMPY
from .passes import Flat, Memory, MicroBatch, micro_batch
from .plan import Batch, TrainingPlan, flat_shares
from .prediction import LARGEST_BLOCK, PredictionPlan, Prepare
from .rewrite import rewrite
from .toolbox import Toolbox, Warp, probabilities_step
from .updates import BoundUpdate, Update

BLOCK_BYTES = 256 << 20  # of values that the interpreter keeps while it predicts
KEPT_PLANS = 256 << 20  # bytes of training plans, beyond the last two, that an engine keeps
UPDATING = 200  # floating-point operations in the time that it takes to update one parameter (bound by memory)


@dataclass(frozen=True)
class BatchResult:
    """The result of one training batch: the mean loss in nats, and the number of images classified correctly."""

    loss: float
    correct: int


class Engine(ABC):
    """Runs one Program."""

    name: ClassVar[str]
    warns = True  # NumPy's warnings of what overflows may appear while it predicts

    def __init__(self, program: Program, parameters: Array, buffers: Array, threads: int | None = None) -> None:
        self.program, self.parameters, self.buffers = program, parameters, buffers
        self.workers = self._workers(thread_count(threads))

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Refuse to be copied or pickled: an engine has threads, and reads its model's arrays."""
        raise ConfigurationError(
            "an engine is not copied or pickled; copy its model, which starts an engine of its own"
        )

    def _workers(self, threads: int) -> Workers:
        """Return the workers, with this number of threads."""
        return Workers(threads)

    @property
    def threads(self) -> int:
        """Number of threads that the engine uses."""
        return self.workers.threads

    def logits(self, x: Array, prepare: Prepare | None = None) -> FloatArray:
        """Return the logits (N, K) of images x (N, H, W, C). Any number of threads may call this at a time.

        Parameters
        ----------
        x
            Floats, the network's input; or what `prepare` takes.
        prepare
            Called with some of the images, and the float array to which it writes them as the network's input.

        Raises
        ------
        DataError, ShapeError
            If x is of another type or shape.
        """
        return self._predict(checked_images(self.program, x, prepared=prepare is None), prepare, probable=False)

    def probabilities(self, x: Array, prepare: Prepare | None = None) -> FloatArray:
        """Return the probabilities (N, K), the softmax of the logits; arguments and errors are those of `logits`.

        They are NaN for an image with a logit that is not finite, or as large as `ops.activation.LARGEST_LOGIT`.
        """
        return self._predict(checked_images(self.program, x, prepared=prepare is None), prepare, probable=True)

    @abstractmethod
    def _predict(self, x: Array, prepare: Prepare | None, *, probable: bool) -> FloatArray:
        """Return the logits, or the probabilities, of images that have been checked."""

    def gradient(
        self, x: FloatArray, labels: IntArray, out: Array, address: Address = FIRST, smoothing: float = 0.0
    ) -> BatchResult:
        """Write the gradient of the mean loss over a batch to the flat array `out`; update running statistics.

        `address` is that of the random draws, `smoothing` the label smoothing (see
        `convlens.ops.softmax_cross_entropy`). One caller at a time.

        Raises
        ------
        DataError, ShapeError
            If images or labels are of another type or shape, there are none, or a label is not in 0..K-1.
        ConfigurationError
            If `out` does not have the parameters' size and type, or the smoothing is out of range.
        """
        x = checked_images(self.program, x)
        classes = checked_labels(self.program, labels, len(x))
        require_flat(out, self.parameters, "a gradient")
        require_smoothing(smoothing)
        return self._gradient(x, classes, out, address, smoothing)

    @abstractmethod
    def _gradient(self, x: FloatArray, labels: Labels, out: Array, address: Address, smoothing: float) -> BatchResult:
        """Do what `gradient` says with arrays that have been checked."""

    def update(self, change: Update) -> None:
        """Apply an update to flat arrays that have the layout of the parameters; ConfigurationError if one has not."""
        self._check(change)
        self.each_chunk(change.run)

    def _check(self, change: Update) -> None:
        for name, array in change.arrays.items():
            if array is not None:
                require_flat(array, self.parameters, f"{change.name}: {name}")

    @property
    def warp(self) -> Warp:
        """The function with which this engine warps images."""
        return warp

    def each_chunk(self, work: Callable[[slice], None]) -> None:
        """Call `work` on chunks that cover the flat parameter array, spread over the threads."""
        self.workers.each(work, self.program.parameter_size)

    def close(self) -> None:
        """End the engine's threads."""
        self.workers.close()


class Interpreter(Engine):
    """Calls `convlens.ops` node by node, for the whole batch at once: the reference, in any dtype.

    To predict, it takes many images in blocks, because it keeps every value that it computes.
    """

    name = "interpreter"

    def _predict(self, x: Array, prepare: Prepare | None, *, probable: bool) -> FloatArray:
        dtype = x.dtype if prepare is None else self.parameters.dtype
        image_bytes = dtype.itemsize * interpreter.values_of(self.program)
        require(image_bytes, "one image, with the interpreter,", "choose smaller images or kernels, or another engine")
        size = int(np.clip(BLOCK_BYTES // image_bytes, 1, LARGEST_BLOCK))
        context = interpreter.Context(self.buffers)
        with single_threaded_blas():
            blocks = [
                interpreter.forward(
                    self.program, self.parameters, _prepared(x[start : start + size], prepare, dtype), context
                ).values[self.program.output]
                for start in range(0, max(len(x), 1), size)
            ]
        found: FloatArray = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
        if not probable:
            return found
        probabilities = np.empty_like(found)  # a network that only reshapes has its images for logits
        probabilities_step(found, probabilities)()
        return probabilities

    def _gradient(self, x: FloatArray, labels: Labels, out: Array, address: Address, smoothing: float) -> BatchResult:
        drawn = interpreter.draw(self.program, len(x), address, x.dtype)
        require(
            2 * x.itemsize * len(x) * interpreter.values_of(self.program),
            f"training on batches of {len(x):,} images, with the interpreter,",
            "choose smaller batches, or another engine",
        )
        with single_threaded_blas():
            tape = interpreter.forward(self.program, self.parameters, x, interpreter.Context(self.buffers, drawn))
            logits = tape.values[self.program.output]
            losses, saved = ops.softmax_cross_entropy(logits, labels, smoothing)
            weights = np.full(len(x), 1 / len(x), logits.dtype)
            interpreter.backward(self.program, tape, ops.softmax_cross_entropy_backward(weights, saved), out)
        return BatchResult(float(losses.mean(dtype=np.float64)), int((logits.argmax(axis=1) == labels).sum()))


def _prepared(x: Array, prepare: Prepare | None, dtype: np.dtype[Any]) -> FloatArray:
    if prepare is None:
        return x
    out = np.empty(x.shape, np.float32)
    prepare(x, out)
    return out.astype(dtype, copy=False)


class Plan(Engine):
    """Lanes, micro-batches, preallocated memory, fused kernels: in float32, many times as fast as the interpreter."""

    def __init__(self, program: Program, parameters: Array, buffers: Array, threads: int | None = None) -> None:
        self.toolbox = self.tools()
        super().__init__(program, parameters, buffers, threads)
        rewritten = partial(rewrite, program, self.toolbox.poolers, self.toolbox.rectifiers)
        self._memory = Memory(rewritten(), self.toolbox)
        self._predicting = Memory(rewritten(predicting=True), self.toolbox)
        self._flat = Flat(parameters, buffers)
        self._uses_blas = any(self.toolbox.kernel_of(node).uses_blas for node in self._memory.program.nodes)
        self.warns = self._uses_blas or self.toolbox is NUMPY
        self._micro_batches: dict[bool, MicroBatch] = {}
        # append and pop are atomic, so a plan is used by one thread at a time
        self._idle: deque[PredictionPlan] = deque()
        self._arenas = [Arena() for _ in range(self.threads)]
        self._gradients = np.zeros((0, program.parameter_size), np.float32)  # of each lane; grows as batches need it
        self._plans: dict[int, TrainingPlan] = {}  # by number of images, the last used at the end
        self._updates: dict[str, tuple[Update, BoundUpdate]] = {}  # the last of each name

    @staticmethod
    @abstractmethod
    def tools() -> Toolbox:
        """Return the toolbox that the plan is made with."""

    def _workers(self, threads: int) -> Workers:
        return self.toolbox.workers(threads)

    def update(self, change: Update) -> None:
        if self.toolbox.bind is None:
            super().update(change)
            return
        last, bound = self._updates.get(change.name, (None, None))
        if bound is None or last is None or not last.has_arrays_of(change):
            self._check(change)
            threads = self.workers.useful(UPDATING * self.program.parameter_size)
            shares = flat_shares(self._memory, self.program.parameter_size)
            bound = self.toolbox.bind(change, [[*chain(*shares[thread::threads])] for thread in range(threads)])
            self._updates[change.name] = change, bound
        bound.set(change.settings)
        self.workers.run(bound.tasks)

    @property
    def warp(self) -> Warp:
        return self.toolbox.warp

    def _micro_batch(self, *, training: bool) -> MicroBatch:
        if training not in self._micro_batches:
            memory = self._memory if training else self._predicting
            self._micro_batches[training] = micro_batch(memory, self._flat, training=training)
        return self._micro_batches[training]

    def _predict(self, x: Array, prepare: Prepare | None, *, probable: bool) -> FloatArray:
        try:
            plan = self._idle.pop()
        except IndexError:
            micro = self._micro_batch(training=False)
            plan = PredictionPlan(self._predicting, micro, self._flat, self.workers)
        if self._uses_blas:
            with single_threaded_blas():
                found = plan.run(x, prepare, probable=probable)
        else:  # for one image, a context that does nothing takes long
            found = plan.run(x, prepare, probable=probable)
        self._idle.append(plan)
        return found

    def _gradient(self, x: FloatArray, labels: Labels, out: Array, address: Address, smoothing: float) -> BatchResult:
        plan = self._plan(len(x))
        with single_threaded_blas() if self._uses_blas else nullcontext():
            drawn = interpreter.draw(self.program, len(x), address)
            loss, correct = plan.run(self.workers, Batch(x, labels, drawn, smoothing), out)
        return BatchResult(loss / len(x), correct)

    def _plan(self, images: int) -> TrainingPlan:
        """Return the plan for batches of this number of images; those not used for longest make room for a new one.

        The last two always stay: an epoch has full batches and a smaller last one.
        """
        plan = self._plans.pop(images, None) or self._new_plan(images)
        self._plans[images] = plan
        while len(self._plans) > 2 and sum(one.nbytes for one in self._plans.values()) > KEPT_PLANS:
            del self._plans[next(iter(self._plans))]
        return plan

    def _new_plan(self, images: int) -> TrainingPlan:
        micro = self._micro_batch(training=True)
        lanes = self._memory.lanes(images)
        arenas = self._arenas[: min(lanes, self.workers.useful(3 * self.program.flops * images))]
        until_done = images * self._memory.bytes_until_done() if self._memory.has_barriers else 0
        require_room(arenas, micro.image_bytes, f"training on batches of {images:,} images", until_done)
        gradients = self._gradients_of(lanes)
        return TrainingPlan(self._memory, images, micro.images, arenas, self.parameters, self.buffers, gradients)

    def _gradients_of(self, lanes: int) -> Array:
        """Return the memory for the lanes' gradients (lanes, parameters), which all plans share."""
        if lanes > len(self._gradients):
            size = self.program.parameter_size
            require(
                4 * size * (lanes + 3),  # with the gradient of the batch, and Adam's two arrays
                f"training a network of {self.program.parameter_count:,} parameters",
                "choose smaller kernels, fewer filters or units, or a smaller batch",
            )
            self._gradients = aligned_zeros(lanes * size).reshape(lanes, size)
        return self._gradients[:lanes]


class NumpyPlan(Plan):
    """The plan whose kernels are short lists of NumPy calls."""

    name = "numpy"

    @staticmethod
    def tools() -> Toolbox:
        return NUMPY


class NumbaPlan(Plan):
    """The plan whose kernels are compiled with Numba; an op without a compiled kernel uses NumPy's.

    Raises
    ------
    ConfigurationError
        If Numba is not installed, or this version of it cannot compile what the plan needs.
    """

    name = "numba"

    @staticmethod
    def tools() -> Toolbox:
        try:
            from .compiled.toolbox import COMPILED  # here, because importing it compiles
        except Exception as error:  # another version of Numba may raise anything
            raise cannot_start(error) from error
        return COMPILED
