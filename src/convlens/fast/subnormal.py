"""Subnormal numbers, those below 1.2e-38, are flushed to zero while compiled code runs.

Many processors compute with them a hundred times as slowly. They occur where a network is confident: derivatives of
1e-20, whose squares Adam keeps. Their effect is far below a weight's last digit. ARM processors are hardly slower with
them, but must flush them too, or the bits would differ from those of x86.

One difference is left: a result that only rounding raises to 1.2e-38 is zero on ARM and 1.2e-38 on x86.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .native import instruction
from .signatures import NOTHING, STATE
from .writer import INT, WORD

_X86 = 0x8040  # bits of MXCSR: flush inputs, and results, to zero
_ARM = 1 << 24  # bit of FPCR that does both


@instruction(STATE)
def flush(w: Any) -> Any:
    """Begin to flush in this thread; return the state before, for `restore`."""
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
    """Restore the state that `flush` returned."""
    if is_x86(w):
        place = w.room(INT)
        w.builder.store(before, place)
        w.call("llvm.x86.sse.ldmxcsr", ir.VoidType(), w.builder.bitcast(place, ir.IntType(8).as_pointer()))
    elif is_arm(w):
        w.call("llvm.aarch64.set.fpcr", ir.VoidType(), w.builder.zext(before, WORD))


def is_x86(w: Any) -> bool:
    """Return whether the code is for 64-bit x86."""
    return bool(w.builder.module.triple.startswith(("x86_64", "amd64")))


def is_arm(w: Any) -> bool:
    """Return whether the code is for 64-bit ARM."""
    return bool(w.builder.module.triple.startswith(("aarch64", "arm64")))
