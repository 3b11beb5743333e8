"""Writing LLVM's instructions, for what Numba has no words for: sixteen float32 numbers as one value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

LANES = 16

INT, WORD = ir.IntType(32), ir.IntType(64)
VECTOR = ir.VectorType(ir.FloatType(), LANES)
ZEROS = ir.Constant(VECTOR, [0.0] * LANES)


class VectorType(types.Type):
    """The type of sixteen float32 numbers."""

    def __init__(self) -> None:
        super().__init__(name="Vector")


@register_model(VectorType)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, VECTOR)


class Writer:
    """Writes instructions into the function that Numba is about to compile.

    Arrays come with their position among the function's arguments. No index is checked.
    """

    def __init__(self, target: Any, builder: Any, signature: Any) -> None:
        self.target, self.builder, self.signature = target, builder, signature

    def size(self, value: int) -> Any:
        """Return a constant."""
        return ir.Constant(WORD, value)

    def variable(self) -> Any:
        """Return a place for sixteen numbers, now zero; LLVM keeps it in a register."""
        place = cgutils.alloca_once(self.builder, VECTOR)
        self.builder.store(ZEROS, place)
        return place

    def place(self, position: int, array: Any, index: Any) -> Any:
        """Return the address of an array's element."""
        data = cgutils.create_struct_proxy(self.signature.args[position])(self.target, self.builder, array).data
        return self.builder.gep(data, [index])

    def offset(self, position: int, table: Any, index: Any) -> Any:
        """Return an entry of a table of offsets."""
        return self.builder.sext(self.builder.load(self.place(position, table, index)), WORD)

    def load(self, position: int, array: Any, index: Any, count: Any = None) -> Any:
        """Return the sixteen numbers from an index on; or only the first `count`, zeros behind them."""
        place = self._vector_at(position, array, index)
        if count is not None:
            return self.call(
                "llvm.masked.load.v16f32.p0", VECTOR, place, ir.Constant(INT, 4), self._first(count), ZEROS
            )
        value = self.builder.load(place)
        value.align = 4
        return value

    def store(self, value: Any, position: int, array: Any, index: Any, count: Any = None) -> None:
        """Write sixteen numbers from an index on; or only the first `count`."""
        place = self._vector_at(position, array, index)
        if count is not None:
            mask = self._first(count)
            self.call("llvm.masked.store.v16f32.p0", ir.VoidType(), value, place, ir.Constant(INT, 4), mask)
        else:
            self.builder.store(value, place).align = 4

    def spread(self, value: Any) -> Any:
        """Return a vector of one value in every lane."""
        nothing = ir.Constant(ir.VectorType(value.type, LANES), ir.Undefined)
        alone = self.builder.insert_element(nothing, value, ir.Constant(INT, 0))
        return self.builder.shuffle_vector(alone, nothing, ir.Constant(ir.VectorType(INT, LANES), [0] * LANES))

    def mixed(self, one: Any, other: Any, places: list[int]) -> Any:
        """Return the numbers at these places of two vectors, one behind the other."""
        return self.builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(INT, LANES), places))

    def add_product(self, total: Any, one: Any, other: Any) -> Any:
        """Return total + one * other, fused where the processor can."""
        return self.call("llvm.fmuladd.v16f32", VECTOR, one, other, total)

    def at_least(self, value: Any, floor: Any) -> Any:
        """Return the larger of each number and `floor`; NaN stays NaN."""
        least = self.spread(floor)
        return self.builder.select(self.builder.fcmp_ordered("<", value, least), least, value)

    def call(self, name: str, result: Any, *arguments: Any) -> Any:
        """Call one of LLVM's own functions."""
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), arguments)

    def _vector_at(self, position: int, array: Any, index: Any) -> Any:
        return self.builder.bitcast(self.place(position, array, index), VECTOR.as_pointer())

    def _first(self, count: Any) -> Any:
        """Return a mask of the first so many lanes."""
        lanes = ir.Constant(ir.VectorType(INT, LANES), list(range(LANES)))
        return self.builder.icmp_signed("<", lanes, self.spread(self.builder.trunc(count, INT)))


Write: TypeAlias = Callable[..., Any]


def instruction(result: Any, *arguments: Any) -> Callable[[Write], Any]:
    """Make an instruction of a function that writes it, given a `Writer` and the arguments' values."""

    def decorate(write: Write) -> Any:
        def typed(context: Any, *given: Any) -> Any:
            del context, given

            def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
                made = write(Writer(target, builder, signature), *values)
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
