"""Compiling with Numba: once for each version of convlens and each kind of processor, then kept on disk (`kept`).

Imported only where something must be compiled: Numba alone takes half a second and 120 MiB.
"""

from __future__ import annotations

import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numba
from llvmlite import binding, ir
from numba import types
from numba.core.compiler import Flags, compile_extra
from numba.core.compiler_lock import global_compiler_lock
from numba.core.cpu import CPUTargetOptions
from numba.core.registry import cpu_target
from numba.extending import intrinsic, models, register_model

from ..signals import heeded
from . import writer
from .kept import folder_of_compiled
from .native import Instruction
from .signatures import Kind

# No "fastmath": a sum keeps the order in which it is written. Otherwise a function that is compiled both on its own and
# inlined into its caller could have two orders. Vectors are written out by hand, so this costs no speed. Nothing
# allocates, so there are no references to count.
_OPTIONS: dict[str, Any] = {"error_model": "numpy", "_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


class _VectorType(types.Type):
    """Numba's type of sixteen float32 numbers."""

    def __init__(self) -> None:
        super().__init__(name="Vector")


@register_model(_VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, writer.VECTOR)


_TYPES: dict[Kind, Any] = {
    Kind.NOTHING: types.void,
    Kind.SIZE: types.int64,
    Kind.NUMBER: types.float32,
    Kind.FLAG: types.boolean,
    Kind.STATE: types.int32,
    Kind.VECTOR: _VectorType(),
    Kind.WORDS: types.CPointer(types.int64),
    Kind.FLOATS: types.float32[::1],
    Kind.DOUBLES: types.float64[::1],
    Kind.INDICES: types.int32[::1],
    Kind.LABELS: types.Array(types.int64, 1, "C", readonly=True),
}
_dispatchers: list[Any] = []  # a type refers to one weakly


def type_of_helper(function: Callable[..., Any]) -> Any:
    """Return Numba's type of a function that is compiled into its callers."""
    _dispatchers.append(numba.njit(**_OPTIONS)(function))
    return types.Dispatcher(_dispatchers[-1])


def type_of_instruction(instruction: Instruction) -> Any:
    """Return Numba's type of an instruction."""
    signature = _TYPES[instruction.result](*(_TYPES[kind] for kind in instruction.kinds))

    def typed(context: Any, *given: Any) -> Any:
        del context, given

        def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
            made = instruction.write(writer.Writer(target, builder, signature), *values)
            return target.get_dummy_value() if made is None else made

        return signature, generate

    # Numba reads the number of arguments from the signature, which must not use a star
    names = ", ".join(f"a{position}" for position in range(len(instruction.kinds)))
    name, scope = instruction.name, {"typed": typed}
    exec(f"def {name}(context{', ' + names if names else ''}):\n return typed(context, {names})", scope)  # noqa: S102
    made = intrinsic(scope[name])
    cpu_target.typing_context.refresh()
    return cpu_target.typing_context.resolve_value_type(made)


def object_code(symbol: str, function: Callable[..., Any], result: Kind, kinds: tuple[Kind, ...]) -> bytes:
    """Compile a function and return an object file that defines a C function of that name."""
    flags, target = Flags(), cpu_target.target_context
    CPUTargetOptions.parse_as_flags(flags, {**_OPTIONS, "nopython": True})
    flags.no_compile = True  # not before the C function is there too
    arguments = tuple(_TYPES[kind] for kind in kinds)
    with global_compiler_lock:
        done = compile_extra(cpu_target.typing_context, target, function, arguments, _TYPES[result], flags, {})
        module, inner = target.create_module(symbol), done.fndesc
        called = ir.Function(
            module, target.call_conv.get_function_type(inner.restype, inner.argtypes), inner.llvm_func_name
        )
        outside = [target.get_value_type(kind) for kind in (inner.restype, *inner.argtypes)]
        shape = ir.FunctionType(ir.VoidType() if result == Kind.NOTHING else outside[0], outside[1:])
        outer = ir.Function(module, shape, symbol)
        builder = ir.IRBuilder(outer.append_basic_block())
        status, value = target.call_conv.call_function(builder, called, inner.restype, inner.argtypes, outer.args)
        with builder.if_then(status.is_error, likely=False):  # nothing may raise: no caller could catch it
            builder.call(module.declare_intrinsic("llvm.trap", (), ir.FunctionType(ir.VoidType(), ())), ())
        if result == Kind.NOTHING:
            builder.ret_void()
        else:
            builder.ret(value)
        done.library.add_ir_module(module)
        done.library.finalize()
        _, _, (code, bitcode) = done.library.serialize_using_object_code()
    _require_alone(symbol, bitcode)
    return bytes(code)


# LLVM's intrinsics that call a C library: their last bits depend on the system
_OF_A_LIBRARY = re.compile(r"llvm\.(a?(cos|sin|tan)h?|atan2|cbrt|exp|exp2|exp10|ldexp|log|log2|log10|pow|powi)\.")
_OURS = "convlens."


def _require_alone(symbol: str, bitcode: bytes) -> None:
    """Require that a function calls nothing but LLVM's intrinsics and functions compiled here.

    Functions of Numba and Python are missing in a process without Numba, and LLVM would end it. Those of a C library
    differ between systems: use `convlens.fast.elementary`.
    """
    called = [function.name for function in binding.parse_bitcode(bitcode).functions if function.is_declaration]
    known = [name for name in called if name.startswith(("llvm.", _OURS)) and not _OF_A_LIBRARY.match(name)]
    strange = sorted(set(called) - set(known))
    assert not strange, f"{symbol} calls {', '.join(strange)}: compiled code may call nothing else, and raise nothing"


@contextmanager
def announced() -> Iterator[Callable[[], None]]:
    """Report the compilation and its duration on standard error, and let Ctrl-C end it.

    The function that it yields must be called between functions; it raises an interrupt that was lost meanwhile.
    """
    begun = time.perf_counter()
    how_often = "once" if folder_of_compiled() else "in every process: no folder for compiled code is writable"
    sys.stderr.write(f"Compiling the fast engine ({how_often}; about 20 seconds) ...\n")
    sys.stderr.flush()
    raised: list[BaseException] = []

    def look() -> None:
        if raised:
            raise raised[0]

    with _stoppable(raised):
        yield look
    sys.stderr.write(f"Compiled in {time.perf_counter() - begun:.0f} s.\n")


@contextmanager
def _stoppable(raised: list[BaseException]) -> Iterator[None]:
    """Let an exception raised by a signal propagate; note it in `raised`.

    It may be raised in a function called by LLVM, where Python can only print it and continue into a meaningless error.
    """
    before = {number: signal.getsignal(number) for number in heeded()}

    def handle(number: int, frame: FrameType | None) -> None:
        usual = before[signal.Signals(number)]
        assert callable(usual)
        try:
            usual(number, frame)
        except BaseException as error:
            raised.append(error)
            raise

    def lost(what: sys.UnraisableHookArgs) -> None:
        if what.exc_value not in raised:
            hook(what)

    hook, main = sys.unraisablehook, threading.current_thread() is threading.main_thread()
    taken = [number for number, usual in before.items() if main and callable(usual)]
    try:
        sys.unraisablehook = lost
        for number in taken:
            signal.signal(number, handle)
        yield
    except Exception:
        if not raised:
            raise
    finally:
        sys.unraisablehook = hook
        for number in taken:
            signal.signal(number, before[number])
    if raised:
        raise raised[0]
