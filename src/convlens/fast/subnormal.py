"""Numbers below 1.2e-38 are taken for zero while compiled code runs.

Many processors compute with such *subnormal* numbers a hundred times as slowly. They come up where a network is sure of
itself: derivatives of 1e-20, whose squares Adam keeps. What they could still change is far below a weight's last digit.
Those of ARM are hardly slower with them, but there they must be zero too, or the bits would not be those of x86.

One case is left: a result that only rounding lifts to 1.2e-38 is zero on ARM and 1.2e-38 on x86.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .native import instruction
from .signatures import NOTHING, STATE
from .writer import INT, WORD

_X86 = 0x8040  # of MXCSR: what is read and what is written is flushed to zero
_ARM = 1 << 24  # of FPCR, where one bit is both


@instruction(STATE)
def flush(w: Any) -> Any:
    """Begin, for this thread; return the state before, for `restore`."""
    if is_x86(w):
        place = w.room(INT)
        address = w.builder.bitcast(place, ir.IntType(8).as_pointer())
        w.call("llvm.x86.sse.stmxcsr", ir.VoidType(), address)
        before = w.builder.load(place)
        w.builder.store(w.builder.or_(before, ir.Constant(INT, _X86)), place)
        w.call("llvm.x86.sse.ldmxcsr", ir.VoidType(), address)
        return before
    if is_arm(w):
        before = w.call("llvm.aarch64.get.fpcr", WORD)
        w.call("llvm.aarch64.set.fpcr", ir.VoidType(), w.builder.or_(before, ir.Constant(WORD, _ARM)))
        return w.builder.trunc(before, INT)  # the upper half is always zero
    return ir.Constant(INT, 0)


@instruction(NOTHING, STATE)
def restore(w: Any, before: Any) -> None:
    """Leave the state that was there before."""
    if is_x86(w):
        place = w.room(INT)
        w.builder.store(before, place)
        w.call("llvm.x86.sse.ldmxcsr", ir.VoidType(), w.builder.bitcast(place, ir.IntType(8).as_pointer()))
    elif is_arm(w):
        w.call("llvm.aarch64.set.fpcr", ir.VoidType(), w.builder.zext(before, WORD))


def is_x86(w: Any) -> bool:
    """Return whether the code is for x86 with 64 bits."""
    return bool(w.builder.module.triple.startswith(("x86_64", "amd64")))


def is_arm(w: Any) -> bool:
    """Return whether the code is for ARM with 64 bits."""
    return bool(w.builder.module.triple.startswith(("aarch64", "arm64")))
