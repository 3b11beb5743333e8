"""Words of memory that several threads read and write: in one order that all of them see, and how to wait for one."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import Any

from llvmlite import ir

from .native import instruction
from .signatures import FLAG, NOTHING, SIZE, WORDS
from .subnormal import is_arm, is_x86
from .writer import WORD

APART = 16  # words: two lines of a cache, because processors fetch them in pairs


@instruction(WORDS, SIZE)
def words_at(w: Any, address: Any) -> Any:
    """Return the words at an address."""
    return w.builder.inttoptr(address, WORD.as_pointer())


@instruction(SIZE, WORDS, SIZE)
def read(w: Any, words: Any, index: Any) -> Any:
    """Return a word."""
    return w.builder.load_atomic(w.builder.gep(words, [index]), "seq_cst", 8)


@instruction(NOTHING, WORDS, SIZE, SIZE)
def write(w: Any, words: Any, index: Any, value: Any) -> None:
    """Write a word."""
    w.builder.store_atomic(value, w.builder.gep(words, [index]), "seq_cst", 8)


@instruction(FLAG, WORDS, SIZE, SIZE, SIZE)
def replace(w: Any, words: Any, index: Any, old: Any, new: Any) -> Any:
    """Write `new` to a word that is `old`; return whether it was."""
    place = w.builder.gep(words, [index])
    return w.builder.extract_value(w.builder.cmpxchg(place, old, new, "seq_cst", "seq_cst"), 1)


@instruction(NOTHING)
def pause(w: Any) -> None:
    """Pause the processor for a moment in a loop that waits.

    ARM's own hint (yield) does nothing on most processors; an instruction barrier is the equivalent of x86's pause.
    """
    if is_x86(w):
        w.call("llvm.x86.sse2.pause", ir.VoidType())
    elif is_arm(w):
        w.call("llvm.aarch64.isb", ir.VoidType(), ir.Constant(ir.IntType(32), 15))


@instruction(NOTHING, SIZE)
def give_way(w: Any, function: Any) -> None:
    """Let another thread have the processor, by the function of `address_to_give_way`."""
    kind = ir.FunctionType(ir.IntType(32), [])
    w.builder.call(w.builder.inttoptr(function, kind.as_pointer()), [])


@cache
def address_to_give_way() -> int:
    """Return the address of the system's function that lets another thread have the processor."""
    windows = os.name == "nt"
    function = ctypes.WinDLL("kernel32").SwitchToThread if windows else ctypes.CDLL(None).sched_yield  # type: ignore[attr-defined,unused-ignore]
    return ctypes.cast(function, ctypes.c_void_p).value or 0
