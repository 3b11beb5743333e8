"""A plan: a Program bound to preallocated arrays, run in micro-batches that stay in the cache.

A `TrainingPlan` is for batches of one size; it has a `LanePlan` for each lane, which has a `Pass` for each micro-batch:
the kernels, wired together (`passes`). `prediction` runs passes forward only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, cycle, zip_longest

import numpy as np

from ..program import INPUT, Slot
from ..typing import Array, Float32, FloatArray, IntArray
from .arena import Arena
from .kernel import Kernel, Step
from .lanes import ADDING, CHUNK, Share, Workers, shares_of, split
from .passes import BatchStore, Flat, LaneStore, Memory, Pass


class LanePlan:
    """One lane of a batch: its micro-batches, whose gradients add up to the lane's."""

    def __init__(
        self, memory: Memory, store: LaneStore, micro_batch: int, arena: Arena, flat: Flat, lasting: Arena
    ) -> None:
        self.store, images = store, len(store.labels)
        parts = split(images, -(-images // micro_batch)) if images else []
        self.passes = [Pass(memory, part.stop - part.start, arena, flat, store, part, lasting) for part in parts]

    def rounds(self, *, prepares: bool) -> list[list[Step]]:
        """Return the steps between barriers: forward up to each barrier, then backward from the last one.

        The first lane of each thread `prepares` what all lanes of the thread share.
        """
        if not self.passes:
            return []
        prepare = self.passes[0].prepare() if prepares else []
        losses = [one.loss_step(self.store) for one in self.passes]
        segments = range(len(self.passes[0].segments))
        if len(segments) == 1:  # each micro-batch runs forward and backward while it is in the cache
            both = [[*one.forward(), step, *one.backward()] for one, step in zip(self.passes, losses, strict=True)]
            return [[*prepare, *chain(*both)]]
        forward = [[step for one in self.passes for step in one.forward(segment)] for segment in segments]
        backward = [[step for one in self.passes for step in one.backward(segment)] for segment in segments]
        turn = forward[-1] + losses + backward[-1]
        return [prepare + forward[0], *forward[1:-1], turn, *backward[-2::-1]]


@dataclass(frozen=True)
class Batch:
    """Images (N, H, W, C), their classes, random numbers by node name, and the label smoothing."""

    x: Float32
    labels: IntArray
    drawn: Mapping[str, FloatArray]
    smoothing: float


def flat_shares(memory: Memory, size: int) -> list[list[slice]]:
    """Return the shares of the flat parameter array: the thread that writes a share's gradient also updates it.

    So the gradient is still in that processor's cache. Parameters of `whole_batch` kernels are divided by rows, as in
    `Kernel.finish`; the others in chunks.
    """
    count = shares_of(size)
    shares: list[list[slice]] = [[] for _ in range(count)]
    for slot in memory.whole_batch:
        row, first = slot.size // slot.shape[0], slot.offset
        rows = split(slot.shape[0], count) if len(slot.shape) > 1 else [slice(0, slot.size)]
        for share, part in zip(shares, rows, strict=False):
            share.append(slice(first + part.start * row, first + part.stop * row))
    for share, chunks in zip(shares, _chunks(_gaps(memory.whole_batch, size), count), strict=True):
        share += chunks
    return shares


def _gaps(slots: Iterable[Slot], size: int) -> list[slice]:
    """Return the parts of range(size) that are in none of the slots."""
    gaps, end = [], 0
    for start, stop in [*sorted((one.offset, one.offset + one.size) for one in slots), (size, size)]:
        if start > end:
            gaps.append(slice(end, start))
        end = stop
    return gaps


def _chunks(parts: Iterable[slice], shares: int) -> list[list[slice]]:
    """Return the parts cut into chunks, dealt out to the shares in turn."""
    chunks = [slice(at, min(at + CHUNK, part.stop)) for part in parts for at in range(part.start, part.stop, CHUNK)]
    return [chunks[share::shares] for share in range(shares)]


class Finish:
    """The work left when the lanes have run: the gradient of the batch, in shares.

    `whole_batch` kernels write their parameters' part of it; for all other parameters the lanes' gradients are summed,
    in the order of the lanes.
    """

    def __init__(self, memory: Memory, store: BatchStore, kernels: Sequence[Kernel], gradients: Array) -> None:
        self._memory, self._store, self._gradients = memory, store, gradients
        self._kernels = [kernel for kernel in kernels if kernel.whole_batch]
        lanes, size = gradients.shape
        self._others = _chunks(_gaps(memory.whole_batch, size), shares_of(size))
        self.flops = 2 * len(store.values[INPUT]) * (size - memory.summed) + ADDING * lanes * memory.summed

    def shares(self, out: Array) -> list[list[Step]]:
        """Return the steps that write the flat gradient `out`, by share."""
        count = len(self._others)
        return [self._steps(out, Share(number, count)) for number in range(count)]

    def _steps(self, out: Array, share: Share) -> list[Step]:
        roots, add_up, steps = self._memory.roots, self._memory.toolbox.add_up, list[Step]()
        for kernel in self._kernels:
            node = kernel.wiring.node
            x, dy = self._store.values[roots[node.inputs[0]]], self._store.derivatives[roots[node.name]]
            x, dy = x.reshape(len(x), -1), dy.reshape(len(dy), -1)
            steps += kernel.finishing(x, dy, out, share)
        return steps + [add_up(self._gradients, part, out) for part in self._others[share.number]]


class TrainingPlan:
    """The plan for batches of one size: its lanes, each always run by the same thread, and a `Finish`.

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
        gradients: Array,
    ) -> None:
        parts, self._store = split(images, len(gradients)), BatchStore(memory, images)
        self._memory, self._buffers, self._threads = memory, buffers, len(arenas)
        own = Arena()  # with barriers, all micro-batches are under way at once and need separate memory
        shared: list[dict[str, Float32]] = [{} for _ in arenas]
        self.lanes = [
            LanePlan(
                memory,
                LaneStore(self._store, part, mine),
                micro_batch,
                arena,
                Flat(parameters, buffers, gradient),
                own if memory.has_barriers else arena,
            )
            for part, gradient, arena, mine in zip(parts, gradients, cycle(arenas), cycle(shared), strict=False)
        ]
        each = [lane.rounds(prepares=number < self._threads) for number, lane in enumerate(self.lanes)]
        rounds = zip_longest(*each, fillvalue=())
        self._rounds = [self._tasks(lanes, self._threads) for lanes in rounds]
        kernels = self.lanes[0].passes[0].kernels
        self._finish = Finish(memory, self._store, kernels, gradients)
        self._out, self._last = np.zeros(0), list[Step]()
        self.nbytes = self._store.nbytes + own.nbytes  # that no other plan uses

    def run(self, workers: Workers, batch: Batch, out: Array) -> tuple[float, int]:
        """Write the gradient of the mean loss to `out`; return the sum of the losses and the number of correct images.

        The lanes meet at every barrier, forward and backward, and their measurements are merged.
        """
        self._load(batch)
        passes = [one for lane in self.lanes for one in lane.passes]
        barriers = len(passes[0].segments) - 1
        for number, tasks in enumerate(self._rounds):
            if 0 < number <= barriers:
                kernels = [one.barrier(number) for one in passes]
                kernels[0].merge(kernels, self._buffers)
            elif number:
                kernels = [one.barrier(2 * barriers + 1 - number) for one in passes]
                kernels[0].merge_back(kernels)
            workers.run(tasks)
        if self._out is not out:  # bound once for a whole training
            threads = min(workers.useful(self._finish.flops, awake=True), self._threads)
            self._out, self._last = out, self._tasks(self._finish.shares(out), threads)
        workers.run(self._last)
        loss, correct = np.sum([lane.store.result for lane in self.lanes], axis=0)
        return float(loss), int(correct)

    def _load(self, batch: Batch) -> None:
        """Copy a batch into the store: images, labels, random numbers, settings."""
        store = self._store
        np.copyto(store.values[INPUT], batch.x)
        np.copyto(store.labels, batch.labels)
        for name, drawn in store.drawn.items():
            np.copyto(drawn, batch.drawn[name])
        store.settings[:] = batch.smoothing, 1 / len(batch.x)
        for lane in self.lanes:
            lane.store.result[:] = 0

    def _tasks(self, work: Sequence[Sequence[Step]], threads: int) -> list[Step]:
        """Return each thread's part of the work: lane i always runs on thread i modulo `threads`."""
        shares = [[*chain(*work[thread::threads])] for thread in range(threads)]
        return [self._memory.toolbox.joined(steps) for steps in shares if steps]
