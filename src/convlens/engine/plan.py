"""A plan: a Program bound to preallocated arrays, run in micro-batches that stay in the cache.

A `TrainingPlan` is a batch of one size; it has a `LanePlan` for each lane, and that a `Pass` for each micro-batch: the
kernels, wired together (`passes`). A `PredictionPlan` runs passes forward only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, cycle

import numpy as np

from ..program import INPUT
from ..typing import Array, Float32, FloatArray, IntArray
from .arena import Arena
from .kernels import BatchNormKernel, Step
from .lanes import Workers, split
from .passes import Flat, LaneStore, Memory, Pass

LARGEST_MICRO_BATCH = 32


class LanePlan:
    """One lane of a batch: its micro-batches, its own gradient, and the work that is done once a lane."""

    def __init__(self, memory: Memory, images: int, micro_batch: int, arena: Arena, flat: Flat, lasting: Arena) -> None:
        assert flat.gradient is not None, "a lane has a gradient"
        self.store, self._roots = LaneStore(memory, images), memory.roots
        parts = split(images, -(-images // micro_batch)) if images else []
        self.passes = [Pass(memory, part.stop - part.start, arena, flat, self.store, part, lasting) for part in parts]
        rounds = self._rounds() if self.passes else [[partial(flat.gradient.fill, 0)]]
        self.rounds = [memory.toolbox.join(steps) for steps in rounds]

    def _rounds(self) -> list[list[Step]]:
        """Return what is done between barriers: forward up to each of them, then from the last one back again."""
        prepare, judge = self.passes[0].prepare(), [one.judge(self.store) for one in self.passes]
        segments = range(len(self.passes[0].segments))
        if len(segments) == 1:  # each micro-batch runs forward and backward while it is in the cache
            both = [[*one.forward(), step, *one.backward()] for one, step in zip(self.passes, judge, strict=True)]
            return [[*prepare, *chain(*both), *self._finishing()]]
        forward = [[step for one in self.passes for step in one.forward(segment)] for segment in segments]
        backward = [[step for one in self.passes for step in one.backward(segment)] for segment in segments]
        turn = forward[-1] + judge + backward[-1]
        return [prepare + forward[0], *forward[1:-1], turn, *backward[-2:0:-1], backward[0] + self._finishing()]

    def _finishing(self) -> list[Step]:
        """Return the steps that compute, once a lane, what kernels want all its images for."""
        roots, values, derivatives = self._roots, self.store.values, self.store.derivatives
        steps: list[Step] = []
        for kernel in self.passes[0].kernels:
            if kernel.whole_lane:
                node = kernel.wiring.node
                x, dy = values[roots[node.inputs[0]]], derivatives[roots[node.name]]
                steps += kernel.finishing(x.reshape(len(x), -1), dy.reshape(len(dy), -1))
        return steps

    def load(self, batch: Batch, rows: slice) -> None:
        """Take the lane's images of a batch."""
        store = self.store
        np.copyto(store.values[INPUT], batch.x[rows])
        np.copyto(store.labels, batch.labels[rows])
        for name, mask in batch.masks.items():
            np.copyto(store.masks[name], mask[rows])
        store.settings[:] = batch.smoothing, 1 / len(batch.x)
        store.result[:] = 0

    def run(self, number: int) -> None:
        """Run a round: what lies between two barriers. An empty lane has one only."""
        for step in self.rounds[number] if number < len(self.rounds) else ():
            step()


@dataclass(frozen=True)
class Batch:
    """Images (N, H, W, C), their classes, masks of dropout nodes by name, and the smoothing of the labels."""

    x: Float32
    labels: IntArray
    masks: Mapping[str, FloatArray]
    smoothing: float


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

    def run(self, workers: Workers, batch: Batch) -> tuple[float, int]:
        """Compute every lane's gradient of the mean loss; return the sum of the losses and how many images are right.

        Forward, the lanes meet at every barrier and their measurements are merged; then backwards again.
        """

        def enter(lane: LanePlan, rows: slice) -> None:
            lane.load(batch, rows)
            lane.run(0)

        self._each_lane(workers, [partial(enter, *lane) for lane in zip(self.lanes, self.slices, strict=True)])
        passes = [one for lane in self.lanes for one in lane.passes]
        barriers = len(passes[0].segments) - 1
        for number in range(1, 2 * barriers + 1):
            if number <= barriers:
                BatchNormKernel.merge([one.barrier(number) for one in passes], self._buffers)
            else:
                BatchNormKernel.merge_back([one.barrier(2 * barriers + 1 - number) for one in passes])
            self._each_lane(workers, [partial(lane.run, number) for lane in self.lanes])
        loss, correct = np.sum([lane.store.result for lane in self.lanes], axis=0)
        return float(loss), int(correct)

    def _each_lane(self, workers: Workers, work: Sequence[Step]) -> None:
        """Do each lane's work; lane i is always worker (i modulo workers)'s."""

        def share(worker: int) -> None:
            for lane in range(worker, len(work), self._workers):
                work[lane]()

        workers.run([partial(share, worker) for worker in range(min(self._workers, len(work)))])


class PredictionPlan:
    """Forward passes only, for any number of images."""

    def __init__(self, memory: Memory, micro_batch: int, flat: Flat) -> None:
        self._memory, self._flat = memory, flat
        self._micro_batch = micro_batch
        self._arena = Arena()
        self._passes: dict[int, tuple[Pass, list[Step]]] = {}

    def run(self, x: Float32, logits: Float32) -> None:
        """Write the logits of images x (N, H, W, C) to `logits` (N, K)."""
        for start in range(0, len(x), self._micro_batch):
            part = slice(start, min(start + self._micro_batch, len(x)))
            n = part.stop - part.start
            if n not in self._passes:
                one = Pass(self._memory, n, self._arena, self._flat)
                self._passes[n] = one, self._memory.toolbox.join(one.prepare() + one.forward())
            one, steps = self._passes[n]
            np.copyto(one.x, x[part])
            for step in steps:
                step()
            logits[part] = one.logits


def micro_batch_size(memory: Memory, flat: Flat, *, training: bool) -> int:
    """Return how many images fit into the memory set aside for a micro-batch (at least one)."""
    arena = Arena()
    if training:
        gradient = np.zeros_like(flat.parameters)
        lane = LaneStore(memory, 1)
        Pass(memory, 1, arena, Flat(flat.parameters, flat.buffers, gradient), lane, slice(0, 1))
    else:
        Pass(memory, 1, arena, flat)
    tools = memory.toolbox
    budget = tools.training_bytes if training else tools.prediction_bytes
    return int(np.clip(budget // (4 * arena.high_water), 1, LARGEST_MICRO_BATCH))
