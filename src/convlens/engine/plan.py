"""A plan: a Program bound to preallocated arrays, run in micro-batches that stay in the cache.

A `TrainingPlan` is a batch of one size; it has a `LanePlan` for each lane, and that a `Pass` for each micro-batch: the
kernels, wired together (`passes`). A `PredictionPlan` runs passes forward only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle

import numpy as np

from ..program import Node
from ..typing import Array, Float32, FloatArray, IntArray
from .arena import Arena
from .kernels import BatchNormKernel
from .kernels.dense import DenseKernel
from .lanes import Workers, split
from .passes import Flat, LaneStore, Memory, Pass

LARGEST_MICRO_BATCH = 32


class LanePlan:
    """One lane of a batch: its micro-batches, its own gradient, and the work that is done once a lane."""

    def __init__(self, memory: Memory, images: int, micro_batch: int, arena: Arena, flat: Flat, lasting: Arena) -> None:
        assert flat.gradient is not None, "a lane has a gradient"
        self._gradient = flat.gradient
        store = LaneStore.make(memory, images)
        self.parts = split(images, -(-images // micro_batch)) if images else []
        self.passes = [Pass(memory, part.stop - part.start, arena, flat, store, part, lasting) for part in self.parts]
        self._finishers = [
            (kernel, *self._lane_arrays(memory, store, kernel.wiring.node, images))
            for kernel in (self.passes[0].kernels if self.passes else ())
            if isinstance(kernel, DenseKernel)
        ]

    @staticmethod
    def _lane_arrays(memory: Memory, store: LaneStore, node: Node, images: int) -> tuple[Float32, Float32]:
        x, dy = store.values[memory.roots[node.inputs[0]]], store.derivatives[memory.roots[node.name]]
        return x.reshape(images, -1), dy.reshape(images, -1)

    def work(self, batch: LaneBatch) -> Iterator[tuple[Pass, slice]]:
        """Return the micro-batches with their images, each begun."""
        if self.passes:
            self.passes[0].prepare()
        for one, part in zip(self.passes, self.parts, strict=True):
            masks = {name: mask[part] for name, mask in batch.masks.items()}
            one.begin(batch.x[part], masks)
            yield one, part

    def forward(self, segment: int) -> None:
        """Run one segment of every micro-batch."""
        for one in self.passes:
            one.forward(segment)

    def backward(self, segment: int) -> None:
        """Run one segment of every micro-batch backwards."""
        for one in self.passes:
            one.backward(segment)

    def finish(self) -> None:
        """Compute the weight gradients that are computed once a lane; an empty lane's are zero."""
        if not self.passes:
            self._gradient.fill(0)
        for kernel, inputs, derivatives in self._finishers:
            kernel.finish(inputs, derivatives)


@dataclass
class LaneBatch:
    """One lane's part of a batch, and what comes of it.

    `weight` is what each image's loss counts in the gradient, `smoothing` that of the labels; `loss` is the sum of the
    lane's losses in nats, and `correct` how many of its images were classified right.
    """

    x: Float32
    labels: IntArray
    masks: Mapping[str, FloatArray]
    weight: float
    smoothing: float = 0.0
    loss: float = 0.0
    correct: int = 0

    def judge(self, one: Pass, part: slice) -> None:
        """Add a micro-batch's losses, and write the derivatives of its logits."""
        assert one.dlogits is not None, "a plan for prediction has no derivatives"
        loss, correct = one.judge(one.logits, self.labels[part], self.smoothing, self.weight, one.dlogits)
        self.loss += loss
        self.correct += correct


class TrainingPlan:
    """A batch of one size: its lanes, each always run by the same worker.

    Without barriers a lane runs each micro-batch forward and backward while it is in the cache. With barriers, all
    micro-batches of all lanes run one segment, then their measurements are merged in the order of the lanes.
    """

    def __init__(
        self,
        memory: Memory,
        images: int,
        micro_batch: int,
        arenas: Sequence[Arena],
        parameters: Array,
        buffers: Array,
        gradients: Sequence[Array],
    ) -> None:
        self.slices = split(images)
        self._buffers, self._workers = buffers, len(arenas)
        own = Arena()  # with barriers all micro-batches are under way at once, and need memory of their own
        self.lanes = [
            LanePlan(
                memory,
                part.stop - part.start,
                micro_batch,
                arena,
                Flat(parameters, buffers, gradient),
                own if memory.has_barriers else arena,
            )
            for part, gradient, arena in zip(self.slices, gradients, cycle(arenas), strict=False)
        ]

    def run(self, workers: Workers, batches: Sequence[LaneBatch]) -> None:
        """Compute every lane's gradient of ``weight * sum of losses``."""
        lanes = list(zip(self.lanes, batches, strict=True))
        passes = [one for lane in self.lanes for one in lane.passes]
        segments = len(passes[0].segments)
        if segments == 1:
            self._each_lane(workers, [partial(_straight, *lane) for lane in lanes])
            return
        self._each_lane(workers, [partial(_enter, *lane) for lane in lanes])
        for segment in range(1, segments):
            BatchNormKernel.merge([one.barrier(segment) for one in passes], self._buffers)
            self._each_lane(workers, [partial(lane.forward, segment) for lane in self.lanes])
        self._each_lane(workers, [partial(_judge, *lane) for lane in lanes])
        for segment in range(segments - 1, -1, -1):
            self._each_lane(workers, [partial(lane.backward, segment) for lane in self.lanes])
            if segment:
                BatchNormKernel.merge_back([one.barrier(segment) for one in passes])
        self._each_lane(workers, [lane.finish for lane in self.lanes])

    def _each_lane(self, workers: Workers, work: Sequence[Callable[[], None]]) -> None:
        """Do each lane's work; lane i is always worker (i modulo workers)'s."""

        def share(worker: int) -> None:
            for lane in range(worker, len(work), self._workers):
                work[lane]()

        workers.run([partial(share, worker) for worker in range(min(self._workers, len(work)))])


def _straight(lane: LanePlan, batch: LaneBatch) -> None:
    """Run a lane without barriers: each micro-batch forward and backward at once."""
    for one, part in lane.work(batch):
        one.forward()
        batch.judge(one, part)
        one.backward()
    lane.finish()


def _enter(lane: LanePlan, batch: LaneBatch) -> None:
    """Run a lane up to its first barrier."""
    for one, _ in lane.work(batch):
        one.forward()


def _judge(lane: LanePlan, batch: LaneBatch) -> None:
    """Compute a lane's losses and the derivatives of its logits."""
    for one, part in zip(lane.passes, lane.parts, strict=True):
        batch.judge(one, part)


class PredictionPlan:
    """Forward passes only, for any number of images."""

    def __init__(self, memory: Memory, micro_batch: int, flat: Flat) -> None:
        self._memory, self._flat = memory, flat
        self._micro_batch = micro_batch
        self._arena = Arena()
        self._passes: dict[int, Pass] = {}

    def run(self, x: Float32, logits: Float32) -> None:
        """Write the logits of images x (N, H, W, C) to `logits` (N, K)."""
        for start in range(0, len(x), self._micro_batch):
            part = slice(start, min(start + self._micro_batch, len(x)))
            n = part.stop - part.start
            if n not in self._passes:
                self._passes[n] = Pass(self._memory, n, self._arena, self._flat)
            self._passes[n].prepare()
            self._passes[n].begin(x[part])
            logits[part] = self._passes[n].forward()


def micro_batch_size(memory: Memory, flat: Flat, *, training: bool) -> int:
    """Return how many images fit into the memory set aside for a micro-batch (at least one)."""
    arena = Arena()
    if training:
        gradient = np.zeros_like(flat.parameters)
        lane = LaneStore.make(memory, 1)
        Pass(memory, 1, arena, Flat(flat.parameters, flat.buffers, gradient), lane, slice(0, 1))
    else:
        Pass(memory, 1, arena, flat)
    tools = memory.toolbox
    budget = tools.training_bytes if training else tools.prediction_bytes
    return int(np.clip(budget // (4 * arena.high_water), 1, LARGEST_MICRO_BATCH))
