"""Run a plan with a chosen output derivative in place of that of the loss."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from convlens.engine.arena import Arena
from convlens.engine.compiled import geometry
from convlens.engine.kernel import Step
from convlens.engine.passes import BatchStore, Flat, LaneStore, Memory, Pass
from convlens.engine.rewrite import rewrite
from convlens.engine.toolbox import Toolbox
from convlens.nn import Model
from convlens.program import INPUT
from convlens.typing import Array, Float32


@dataclass(frozen=True)
class Driven:
    """What came out: the last value, the flat gradient, and the input derivative of every kernel by its node's name."""

    y: Float32
    gradient: Array
    dx: dict[str, Float32]


def poisoned_arena() -> Arena:
    """Return an arena full of NaN: memory "with undefined contents" that is read before it is written shows."""
    arena = Arena()
    start = arena.mark()
    arena.take((1 << 19,)).fill(np.nan)
    arena.release(start)
    return arena


@contextmanager
def results_in_squares(wanted: bool, *, of_four: bool = False) -> Iterator[None]:
    """Have compiled convolutions compute results in squares wherever that is possible, or nowhere.

    Squares of two give the bits of the plain sum wherever that is exact; squares of four do not.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(geometry, "WORTH_SQUARES", 0 if wanted else 1 << 30)
        patch.setattr(geometry, "WORTH_FOUR", 1 << 30 if of_four else 0)
        geometry.tables.cache_clear()
        yield
    geometry.tables.cache_clear()


def run(steps: list[Step]) -> None:
    for step in steps:
        step()


def drive(model: Model, x: Float32, dy: Float32, toolbox: Toolbox) -> Driven:
    """Run forward and backward, the first image as a micro-batch of its own, the others as a second one."""
    memory, arena = Memory(rewrite(model.program, toolbox.poolers, toolbox.rectifiers), toolbox), poisoned_arena()
    assert memory.kept_values == {INPUT}, "dense layers finish once a batch; engines are the way to drive them"
    gradient = np.full_like(model.flat, np.nan)
    store = LaneStore(BatchStore(memory, len(x)), slice(0, len(x)))
    parts = [part for part in (slice(0, 1), slice(1, len(x))) if part.stop > part.start]
    ys, dxs = [], []
    for part in parts:
        one = Pass(memory, part.stop - part.start, arena, Flat(model.flat, model.flat_buffers, gradient), store, part)
        np.copyto(one.x, x[part])
        run(toolbox.join(one.prepare() + one.forward()))
        ys.append(one.logits.copy())
        assert one.dlogits is not None
        one.dlogits[...] = dy[part]
        run(toolbox.join(one.backward()))
        wirings = [kernel.wiring for kernel in one.kernels]
        dxs.append({w.node.name: w.dinputs[0].copy() for w in wirings if w.dinputs[0] is not None})
    dx = {name: np.concatenate([one[name] for one in dxs]) for name in dxs[0]}
    return Driven(np.concatenate(ys), gradient, dx)
