"""The plan for prediction: forward passes only, one task per thread, or a few images by all threads together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TypeAlias

import numpy as np

from ..program import INPUT
from ..typing import Array, Float32
from .arena import Arena, readable_place, require_room
from .kernel import Step
from .lanes import Workers, split
from .passes import Flat, Memory, MicroBatch, Pass

LARGEST_BLOCK = 512  # images predicted at a time
BLOCKS = 8  # most blocks (of different sizes) that a plan keeps
WORTH_PARTS = 16_000_000  # floating-point operations that are worth spreading over threads
WORTH_SHARE = 1_000_000  # floating-point operations, of one thread, that repay computing the same images together
WORTH_READING = 1 << 17  # bytes of images that take longer to copy than to be read where they are

Prepare: TypeAlias = Callable[[Array, Float32], object]  # writes images, once prepared, to an array of their shape


class PredictionBlock:
    """The forward pass of a fixed number of images, at most `LARGEST_BLOCK`."""

    def __init__(
        self, memory: Memory, images: int, micro_batch: int, flat: Flat, arenas: Sequence[Arena], useful: int
    ) -> None:
        output = memory.program.output
        given = {root: arenas[0].take((images, *memory.shapes[root])) for root in {INPUT, memory.roots[output]}}
        self.x = given[INPUT]
        self.logits = given[memory.roots[output]].reshape(images, *memory.shapes[output])
        self.probabilities = np.empty_like(self.logits)
        self._softmax = memory.toolbox.probabilities_step(self.logits, self.probabilities)
        # the last bits depend on which images run together, so that must not depend on the number of threads; a
        # multiple of the lanes, a power of two, divides evenly among two, four or eight threads
        parallel = images > micro_batch or memory.program.flops * images > WORTH_PARTS
        lanes = memory.lanes(images) if parallel else 1
        parts = split(images, min(-(-images // (lanes * micro_batch)) * lanes, images))
        self.tasks: list[Step] = []
        for mine, arena in zip(split(len(parts), min(useful, len(parts))), arenas, strict=False):
            shared: dict[str, Float32] = {}  # by a thread's passes
            passes = [
                Pass(memory, part.stop - part.start, arena, flat, rows=part, given=given, shared=shared)
                for part in parts[mine]
            ]
            steps = [*passes[0].prepare(), *chain(*(one.forward() for one in passes))]
            self.tasks.append(memory.toolbox.joined(steps))
        self._shares = self._in_shares(memory, images, flat, arenas, given) if len(parts) == 1 else []
        # an array of the caller's is read where it is, unless a kernel writes over the images
        kept = all(node.op == "reshape" for node in memory.program.nodes if memory.roots[node.name] == INPUT)
        self._reads = memory.toolbox.reads([*self.tasks, *self._shares], self.x) if kept else None
        self._place: int | None = None  # where the array is that they read; None: their own

    @staticmethod
    def _in_shares(
        memory: Memory, images: int, flat: Flat, arenas: Sequence[Arena], given: dict[str, Float32]
    ) -> list[Step]:
        """Return steps that compute all images together, each a share; none if that does not pay."""
        count = min(len(arenas), memory.program.flops * images // WORTH_SHARE)
        if count < 2:
            return []
        values = {
            root: arenas[0].take((images, *memory.shapes[root])) for root in set(memory.roots.values()) - set(given)
        }
        rows, values = slice(0, images), values | given
        passes = [Pass(memory, images, arena, flat, rows=rows, given=values) for arena in arenas[:count]]
        return memory.toolbox.shares([one.prepare() for one in passes], [one.kernels for one in passes])

    def run(self, workers: Workers, x: Array, prepare: Prepare | None = None, *, probable: bool = False) -> Float32:
        """Return the logits (N, K) of images x (N, H, W, C), which are prepared first if that is asked for.

        Return the probabilities instead, if these are asked for.
        """
        place = None
        if self._reads is not None:
            if prepare is None and x.nbytes >= WORTH_READING:
                place = readable_place(x)
            if place != self._place:
                self._reads.point_at(place)
                self._place = place
        if prepare is not None:
            prepare(x, self.x)
        elif place is None:
            np.copyto(self.x, x)
        if not (self._shares and workers.together(self._shares)):
            workers.run(self.tasks)
        if probable:
            self._softmax()
            return self.probabilities.copy()
        return self.logits.copy()


class PredictionPlan:
    """Forward passes only, for any number of images."""

    def __init__(self, memory: Memory, micro_batch: MicroBatch, flat: Flat, workers: Workers) -> None:
        self._memory, self._flat, self._micro_batch, self._workers = memory, flat, micro_batch, workers
        self._arenas = [Arena() for _ in range(workers.threads)]
        self._blocks: dict[int, PredictionBlock] = {}

    def run(self, x: Array, prepare: Prepare | None = None, *, probable: bool = False) -> Float32:
        """Return logits or probabilities (N, K), as `PredictionBlock.run` does."""
        if 0 < len(x) <= LARGEST_BLOCK:
            return self._block(len(x)).run(self._workers, x, prepare, probable=probable)
        logits = np.empty((len(x), *self._memory.shapes[self._memory.program.output]), np.float32)
        for start in range(0, len(x), LARGEST_BLOCK):
            part = slice(start, min(start + LARGEST_BLOCK, len(x)))
            logits[part] = self._block(part.stop - part.start).run(self._workers, x[part], prepare, probable=probable)
        return logits

    def _block(self, images: int) -> PredictionBlock:
        """Return the block for this number of images; the last few are kept."""
        return self._blocks.get(images) or self._new_block(images)

    def _new_block(self, images: int) -> PredictionBlock:
        if len(self._blocks) == BLOCKS:
            del self._blocks[next(iter(self._blocks))]
        useful = self._workers.useful(self._memory.program.flops * images)
        require_room(self._arenas[: min(useful, images)], self._micro_batch.image_bytes, "predicting")
        marks = [arena.mark() for arena in self._arenas]  # only one of them runs at a time
        block = PredictionBlock(self._memory, images, self._micro_batch.images, self._flat, self._arenas, useful)
        for arena, mark in zip(self._arenas, marks, strict=True):
            arena.release(mark)
        self._blocks[images] = block
        return block
