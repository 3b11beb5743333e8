"""A plan: a Program bound to preallocated arrays, run in micro-batches that stay in the cache.

A `TrainingPlan` is a batch of one size; it has a `LanePlan` for each lane, and that a `Pass` for each micro-batch: the
kernels, wired together (`passes`). A `PredictionPlan` runs passes forward only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, cycle

import numpy as np

from ..program import INPUT
from ..typing import Array, Float32, FloatArray, IntArray
from .arena import Arena
from .kernels import BatchNormKernel, Kernel, Step
from .lanes import CHUNK, LANES, Workers, split
from .passes import BatchStore, Flat, LaneStore, Memory, Pass

LARGEST_MICRO_BATCH = 32
ADDING = 100  # floating-point operations in the time that it takes to add up one number of all lanes


def run(steps: Iterable[Step]) -> None:
    """Run steps one after the other."""
    for step in steps:
        step()


class LanePlan:
    """One lane of a batch: its micro-batches, and the gradient of its own that they add up."""

    def __init__(
        self, memory: Memory, store: LaneStore, micro_batch: int, arena: Arena, flat: Flat, lasting: Arena
    ) -> None:
        self.store, images = store, len(store.labels)
        parts = split(images, -(-images // micro_batch)) if images else []
        self.passes = [Pass(memory, part.stop - part.start, arena, flat, store, part, lasting) for part in parts]
        self.rounds = [memory.toolbox.join(steps) for steps in self._rounds()] if self.passes else []

    def _rounds(self) -> list[list[Step]]:
        """Return what is done between barriers: forward up to each of them, then from the last one back again."""
        prepare, judge = self.passes[0].prepare(), [one.judge(self.store) for one in self.passes]
        segments = range(len(self.passes[0].segments))
        if len(segments) == 1:  # each micro-batch runs forward and backward while it is in the cache
            both = [[*one.forward(), step, *one.backward()] for one, step in zip(self.passes, judge, strict=True)]
            return [[*prepare, *chain(*both)]]
        forward = [[step for one in self.passes for step in one.forward(segment)] for segment in segments]
        backward = [[step for one in self.passes for step in one.backward(segment)] for segment in segments]
        turn = forward[-1] + judge + backward[-1]
        return [prepare + forward[0], *forward[1:-1], turn, *backward[-2::-1]]

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
        """Run a round: what lies between two barriers. An empty lane has none."""
        run(self.rounds[number] if number < len(self.rounds) else ())


@dataclass(frozen=True)
class Batch:
    """Images (N, H, W, C), their classes, masks of dropout nodes by name, and the smoothing of the labels."""

    x: Float32
    labels: IntArray
    masks: Mapping[str, FloatArray]
    smoothing: float


class Finish:
    """What is left when the lanes have run: the gradient of the batch.

    Kernels that want the whole batch write their parameters' part of it; for all other parameters the lanes' gradients
    are added up, in the order of the lanes. The work is cut into as many shares as there are lanes.
    """

    def __init__(
        self, memory: Memory, store: BatchStore, kernels: Sequence[Kernel], gradients: Sequence[Array]
    ) -> None:
        self._memory, self._store, self._gradients = memory, store, gradients
        self._kernels = [kernel for kernel in kernels if kernel.whole_batch]
        own = [part for kernel in self._kernels for part in kernel.wiring.node.parameters.values()]
        self._others = _gaps([slice(part.offset, part.offset + part.size) for part in own], len(gradients[0]))
        images, others = len(store.values[INPUT]), sum(part.stop - part.start for part in self._others)
        self.flops = 2 * images * sum(part.size for part in own) + ADDING * others
        self._out, self._shares = np.zeros(0), list[list[Step]]()

    def shares(self, out: Array) -> list[list[Step]]:
        """Return the steps that write the flat gradient `out`, by share."""
        if self._out is not out:  # what is bound once serves a whole training
            self._out = out
            self._shares = [self._memory.toolbox.join(self._steps(out, share)) for share in range(LANES)]
        return self._shares

    def _steps(self, out: Array, share: int) -> list[Step]:
        roots, add_up, steps = self._memory.roots, self._memory.toolbox.add_up, list[Step]()
        for kernel in self._kernels:
            node = kernel.wiring.node
            x, dy = self._store.values[roots[node.inputs[0]]], self._store.derivatives[roots[node.name]]
            x, dy = x.reshape(len(x), -1), dy.reshape(len(dy), -1)
            steps += kernel.finishing(x, dy, out, split(x.shape[1])[share])
        for part in self._others:
            for start in range(part.start + share * CHUNK, part.stop, LANES * CHUNK):
                chunk = slice(start, min(start + CHUNK, part.stop))
                steps.append(partial(add_up, [gradient[chunk] for gradient in self._gradients], out[chunk]))
        return steps


def _gaps(parts: Iterable[slice], size: int) -> list[slice]:
    """Return what of range(size) is in none of the parts."""
    gaps, end = [], 0
    for part in [*sorted(parts, key=lambda part: part.start), slice(size, size)]:
        if part.start > end:
            gaps.append(slice(end, part.start))
        end = part.stop
    return gaps


class TrainingPlan:
    """A batch of one size: its lanes, each always run by the same worker, and what finishes it.

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
        self.slices, store = split(images), BatchStore(memory, images)
        self._buffers, self._workers = buffers, len(arenas)
        own = Arena()  # with barriers all micro-batches are under way at once, and need memory of their own
        nothing = np.zeros_like(parameters)  # an empty lane's gradient
        used = [part.stop > part.start for part in self.slices]
        gradients = [gradient if some else nothing for gradient, some in zip(gradients, used, strict=True)]
        self.lanes = [
            LanePlan(
                memory,
                LaneStore(store, part),
                micro_batch,
                arena,
                Flat(parameters, buffers, gradient),
                own if memory.has_barriers else arena,
            )
            for part, gradient, arena in zip(self.slices, gradients, cycle(arenas), strict=False)
        ]
        kernels = self.lanes[used.index(True)].passes[0].kernels
        self._finish = Finish(memory, store, kernels, gradients)

    def run(self, workers: Workers, batch: Batch, out: Array) -> tuple[float, int]:
        """Write the gradient of the mean loss to `out`; return the sum of the losses and how many images are right.

        Forward, the lanes meet at every barrier and their measurements are merged; then backwards again.
        """

        def enter(lane: LanePlan, rows: slice) -> None:
            lane.load(batch, rows)
            lane.run(0)

        lanes = [partial(enter, *lane) for lane in zip(self.lanes, self.slices, strict=True)]
        self._each(workers, lanes, self._workers)
        passes = [one for lane in self.lanes for one in lane.passes]
        barriers = len(passes[0].segments) - 1
        for number in range(1, 2 * barriers + 1):
            if number <= barriers:
                BatchNormKernel.merge([one.barrier(number) for one in passes], self._buffers)
            else:
                BatchNormKernel.merge_back([one.barrier(2 * barriers + 1 - number) for one in passes])
            self._each(workers, [partial(lane.run, number) for lane in self.lanes], self._workers)
        threads = min(workers.useful(self._finish.flops), self._workers)
        self._each(workers, [partial(run, share) for share in self._finish.shares(out)], threads)
        loss, correct = np.sum([lane.store.result for lane in self.lanes], axis=0)
        return float(loss), int(correct)

    @staticmethod
    def _each(workers: Workers, work: Sequence[Step], threads: int) -> None:
        """Do each lane's work; lane i is always worker (i modulo threads)'s."""
        workers.run([partial(run, work[worker::threads]) for worker in range(min(threads, len(work)))])


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
            run(steps)
            logits[part] = one.logits


def micro_batch_size(memory: Memory, flat: Flat, *, training: bool) -> int:
    """Return how many images fit into the memory set aside for a micro-batch (at least one)."""
    arena = Arena()
    if training:
        gradient = np.zeros_like(flat.parameters)
        lane = LaneStore(BatchStore(memory, 1), slice(0, 1))
        Pass(memory, 1, arena, Flat(flat.parameters, flat.buffers, gradient), lane, slice(0, 1))
    else:
        Pass(memory, 1, arena, flat)
    tools = memory.toolbox
    budget = tools.training_bytes if training else tools.prediction_bytes
    return int(np.clip(budget // (4 * arena.high_water), 1, LARGEST_MICRO_BATCH))
