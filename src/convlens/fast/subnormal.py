"""Numbers below 1.2e-38 are taken for zero while compiled code runs.

Processors compute with such *subnormal* numbers a hundred times as slowly. They come up where a network is sure of
itself: derivatives of 1e-20, whose squares Adam keeps. What they could still change is far below a weight's last digit.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .native import instruction
from .signatures import NOTHING, STATE
from .writer import INT

_FLUSH = 0x8040  # of MXCSR: denormals are zero, and results are flushed to zero


@instruction(STATE)
def flush(w: Any) -> Any:
    """Begin, for this thread; return the state before, for `restore`."""
    if not _known(w):
        return ir.Constant(INT, 0)
    place = w.room(INT)
    address = w.builder.bitcast(place, ir.IntType(8).as_pointer())
    w.call("llvm.x86.sse.stmxcsr", ir.VoidType(), address)
    before = w.builder.load(place)
    w.builder.store(w.builder.or_(before, ir.Constant(INT, _FLUSH)), place)
    w.call("llvm.x86.sse.ldmxcsr", ir.VoidType(), address)
    return before


@instruction(NOTHING, STATE)
def restore(w: Any, before: Any) -> None:
    """Leave the state that was there before."""
    if _known(w):
        place = w.room(INT)
        w.builder.store(before, place)
        w.call("llvm.x86.sse.ldmxcsr", ir.VoidType(), w.builder.bitcast(place, ir.IntType(8).as_pointer()))


def _known(w: Any) -> bool:
    """Tell whether this is a processor whose switch we know; those of ARM are hardly slower with such numbers."""
    return bool(w.builder.module.triple.startswith(("x86_64", "amd64")))
