"""Functions that are compiled once and called by others; a `helper` is compiled again into each of its callers.

For the others it is a symbol, as a C library's function is, whose address is made known when its module is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.np.arrayobj import make_array, populate_array

from .compiler import DOUBLES, FLAG, FLOATS, INDICES, LABELS, NOTHING, helper, native
from .writer import WORD, Writer, instruction

ARRAYS = (FLOATS, DOUBLES, INDICES, LABELS)


def _array_maker(kind: Any) -> Any:
    """Return an instruction that makes an array of its address and length."""

    @instruction(kind, types.int64, types.int64)
    def make(w: Writer, address: Any, length: Any) -> Any:
        array = make_array(kind)(w.target, w.builder)
        itemsize = w.size(kind.dtype.bitwidth // 8)
        data = w.builder.inttoptr(address, w.target.get_data_type(kind.dtype).as_pointer())
        populate_array(array, data=data, shape=[length], strides=[itemsize], itemsize=itemsize, meminfo=None)
        return array._getvalue()

    return make


array_makers: dict[Any, Any] = {kind: _array_maker(kind) for kind in ARRAYS}


def linked(*kinds: Any) -> Callable[[Callable[..., None]], Any]:
    """Compile a function of arguments of these kinds, without a result, to be called by compiled code."""

    def decorate(function: Callable[..., None]) -> Any:
        name = function.__name__
        taken, given, plain = [], [], []
        for i, kind in enumerate(kinds):
            is_array = kind in ARRAYS
            taken += [f"a{i}", f"n{i}"] if is_array else [f"a{i}"]
            given.append(f"make{kinds.index(kind)}(a{i}, n{i})" if is_array else f"a{i}")
            given[-1] += " != 0" if kind == FLAG else ""
            plain += [types.int64, types.int64] if is_array else [types.int64 if kind == FLAG else kind]
        scope: dict[str, Any] = {"__name__": function.__module__}
        scope |= {f"make{kinds.index(kind)}": array_makers[kind] for kind in kinds if kind in ARRAYS}
        scope["inlined"] = helper(function)
        # Numba looks for the file that a function was written in, to keep what it compiled apart by it
        source = f"def {name}_linked({', '.join(taken)}):\n inlined({', '.join(given)})\n"
        exec(compile(source, function.__code__.co_filename, "exec"), scope)  # noqa: S102
        code = native(NOTHING, *plain)(scope[f"{name}_linked"])
        symbol = f"convlens.{function.__module__}.{name}"
        binding.add_symbol(symbol, code.address)

        @instruction(types.void, *kinds)
        def call(w: Writer, *values: Any) -> None:
            words = []
            for kind, value in zip(kinds, values, strict=True):
                if kind in ARRAYS:
                    array = cgutils.create_struct_proxy(kind)(w.target, w.builder, value)
                    words += [w.builder.ptrtoint(array.data, WORD), array.nitems]
                else:
                    words.append(w.builder.zext(value, WORD) if kind == FLAG else value)
            kind = ir.FunctionType(ir.VoidType(), [word.type for word in words])
            w.builder.call(cgutils.get_or_insert_function(w.builder.module, kind, symbol), words)

        call.code = code  # the compiled function stays where it is as long as it can be called
        call.__doc__ = function.__doc__
        return call

    return decorate
