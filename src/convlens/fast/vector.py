"""Sixteen float32 numbers at once: the one type that Numba lacks.

Numba leaves it to its compiler, LLVM, to find loops that can use vector registers, and LLVM gives up silently on
anything unusual. Here sixteen numbers are a value of their own, a `Vector`, and LLVM has no choice. Any processor's
compiler splits it into the registers there are: one with AVX-512, two with AVX2, four with NEON.

Each function below is one or two of LLVM's instructions. None of them checks an index.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from .compiler import FLOATS, NOTHING, SIZE, compiled

LANES = 16

_INT, _WORD = ir.IntType(32), ir.IntType(64)
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_ZEROS = ir.Constant(_VECTOR, [0.0] * LANES)


class VectorType(types.Type):
    """The type of sixteen float32 numbers."""

    def __init__(self) -> None:
        super().__init__(name="Vector")


Vector = VectorType()
_ARRAY = types.Array(types.float32, 1, "C")
_TABLE = types.Array(types.int32, 1, "C")


@register_model(VectorType)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


class _Writer:
    """Writes instructions into the function that Numba is about to compile."""

    def __init__(self, target: Any, builder: Any, signature: Any) -> None:
        self.target, self.builder, self.signature = target, builder, signature

    def place(self, position: int, array: Any, index: Any) -> Any:
        """Return the address of an array's element; the array is argument number `position`."""
        data = cgutils.create_struct_proxy(self.signature.args[position])(self.target, self.builder, array).data
        return self.builder.gep(data, [index])

    def vector_at(self, position: int, array: Any, index: Any) -> Any:
        return self.builder.bitcast(self.place(position, array, index), _VECTOR.as_pointer())

    def call(self, name: str, result: Any, *arguments: Any) -> Any:
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), arguments)

    def spread(self, value: Any) -> Any:
        """Return a vector of one value in every lane."""
        nothing = ir.Constant(ir.VectorType(value.type, LANES), ir.Undefined)
        alone = self.builder.insert_element(nothing, value, ir.Constant(_INT, 0))
        return self.builder.shuffle_vector(alone, nothing, ir.Constant(ir.VectorType(_INT, LANES), [0] * LANES))

    def first(self, count: Any) -> Any:
        """Return a mask of the first so many lanes."""
        lanes = ir.Constant(ir.VectorType(_INT, LANES), list(range(LANES)))
        return self.builder.icmp_signed("<", lanes, self.spread(self.builder.trunc(count, _INT)))


_Write = Callable[..., Any]


def _instruction(result: Any, *arguments: Any) -> Callable[[_Write], Any]:
    """Make an instruction of a function that writes it, given a `_Writer` and the arguments' values."""

    def decorate(write: _Write) -> Any:
        def typed(context: Any, *given: Any) -> Any:
            del context, given

            def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
                made = write(_Writer(target, builder, signature), *values)
                return target.get_dummy_value() if made is None else made

            return result(*arguments), generate

        # Numba reads how many arguments there are from a signature without a star
        names = ", ".join(f"a{position}" for position in range(len(arguments)))
        scope = {"typed": typed}
        exec(f"def {write.__name__}(context{', ' + names if names else ''}):\n return typed(context, {names})", scope)  # noqa: S102
        one = scope[write.__name__]
        one.__doc__ = write.__doc__
        return intrinsic(one)

    return decorate


@_instruction(types.intp, _TABLE, types.intp)
def at(w: _Writer, table: Any, index: Any) -> Any:
    """Return an entry of a table of offsets."""
    return w.builder.sext(w.builder.load(w.place(0, table, index)), _WORD)


@_instruction(Vector)
def zeros(w: _Writer) -> Any:
    """Return sixteen zeros."""
    del w
    return _ZEROS


@_instruction(Vector, types.float32)
def spread(w: _Writer, value: Any) -> Any:
    """Return one number in every lane."""
    return w.spread(value)


@_instruction(Vector, _ARRAY, types.intp)
def load(w: _Writer, array: Any, index: Any) -> Any:
    """Return the sixteen numbers from an index on."""
    value = w.builder.load(w.vector_at(0, array, index))
    value.align = 4
    return value


@_instruction(Vector, _ARRAY, types.intp, types.intp)
def _load_first(w: _Writer, array: Any, index: Any, count: Any) -> Any:
    """Return the first so many numbers from an index on, and zeros; memory behind them is not touched."""
    place = w.vector_at(0, array, index)
    return w.call("llvm.masked.load.v16f32.p0", _VECTOR, place, ir.Constant(_INT, 4), w.first(count), _ZEROS)


@_instruction(types.void, Vector, _ARRAY, types.intp)
def store(w: _Writer, value: Any, array: Any, index: Any) -> None:
    """Write sixteen numbers from an index on."""
    w.builder.store(value, w.vector_at(1, array, index)).align = 4


@_instruction(types.void, Vector, _ARRAY, types.intp, types.intp)
def _store_first(w: _Writer, value: Any, array: Any, index: Any, count: Any) -> None:
    """Write only the first so many."""
    place = w.vector_at(1, array, index)
    w.call("llvm.masked.store.v16f32.p0", ir.VoidType(), value, place, ir.Constant(_INT, 4), w.first(count))


@_instruction(Vector, Vector, _ARRAY, types.intp, Vector)
def add_product(w: _Writer, total: Any, array: Any, index: Any, factors: Any) -> Any:
    """Return total + array[index] * factors."""
    number = w.spread(w.builder.load(w.place(1, array, index)))
    return w.call("llvm.fmuladd.v16f32", _VECTOR, number, factors, total)


@_instruction(Vector, Vector, Vector)
def plus(w: _Writer, one: Any, other: Any) -> Any:
    """Return the sums."""
    return w.builder.fadd(one, other)


@_instruction(Vector, Vector, Vector)
def minus(w: _Writer, one: Any, other: Any) -> Any:
    """Return the differences."""
    return w.builder.fsub(one, other)


@_instruction(Vector, Vector, Vector)
def times(w: _Writer, one: Any, other: Any) -> Any:
    """Return the products."""
    return w.builder.fmul(one, other)


@_instruction(Vector, Vector, Vector)
def over(w: _Writer, one: Any, other: Any) -> Any:
    """Return the quotients."""
    return w.builder.fdiv(one, other)


@_instruction(Vector, Vector)
def root(w: _Writer, value: Any) -> Any:
    """Return the square roots."""
    return w.call("llvm.sqrt.v16f32", _VECTOR, value)


@_instruction(Vector, Vector)
def whole(w: _Writer, value: Any) -> Any:
    """Return the largest whole numbers that are not above."""
    return w.call("llvm.floor.v16f32", _VECTOR, value)


@_instruction(Vector, _ARRAY, types.intp, Vector)
def gather(w: _Writer, array: Any, index: Any, places: Any) -> Any:
    """Return sixteen numbers from sixteen places, counted from an index on; places are whole, and below 2**24."""
    start = w.spread(w.builder.ptrtoint(w.place(0, array, index), _WORD))
    words = ir.VectorType(_WORD, LANES)
    offsets = w.builder.mul(w.builder.fptosi(places, words), ir.Constant(words, [4] * LANES))
    addresses = w.builder.inttoptr(w.builder.add(start, offsets), ir.VectorType(ir.FloatType().as_pointer(), LANES))
    all_lanes = ir.Constant(ir.VectorType(ir.IntType(1), LANES), [1] * LANES)
    return w.call("llvm.masked.gather.v16f32.v16p0", _VECTOR, addresses, ir.Constant(_INT, 4), all_lanes, _ZEROS)


@_instruction(Vector, Vector, types.float32)
def at_least(w: _Writer, value: Any, floor: Any) -> Any:
    """Return the larger of each number and `floor`; NaN stays NaN."""
    least = w.spread(floor)
    return w.builder.select(w.builder.fcmp_ordered("<", value, least), least, value)


@_instruction(Vector, Vector, Vector, Vector, Vector)
def where_greater(w: _Writer, one: Any, other: Any, then: Any, otherwise: Any) -> Any:
    """Return `then` where one > other, `otherwise` elsewhere."""
    return w.builder.select(w.builder.fcmp_ordered(">", one, other), then, otherwise)


@_instruction(Vector, Vector, Vector, Vector)
def where_equal(w: _Writer, one: Any, other: Any, then: Any) -> Any:
    """Return `then` where one = other, zero elsewhere."""
    return w.builder.select(w.builder.fcmp_ordered("==", one, other), then, _ZEROS)


@compiled(Vector, FLOATS, SIZE, SIZE)
def load_some(array, index, count):  # type: ignore[no-untyped-def]
    """Return sixteen numbers, or only so many and zeros behind them; memory behind them is not touched."""
    return load(array, index) if count >= LANES else _load_first(array, index, count)


@compiled(NOTHING, Vector, FLOATS, SIZE, SIZE)
def store_some(value, array, index, count):  # type: ignore[no-untyped-def]
    """Write sixteen numbers, or only the first so many (which processors do far more slowly)."""
    if count >= LANES:
        store(value, array, index)
    else:
        _store_first(value, array, index, count)
