"""Writing LLVM instructions for what Numba cannot express: sixteen float32 numbers, or eight, as one value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

WIDTH = 16

INT, WORD = ir.IntType(32), ir.IntType(64)
VECTOR = ir.VectorType(ir.FloatType(), WIDTH)
ZEROS = ir.Constant(VECTOR, [0.0] * WIDTH)


class Writer:
    """Writes instructions into the function that Numba is about to compile, for vectors of `width` numbers.

    Arrays come with their position among the function's arguments. No index is checked.
    """

    def __init__(self, target: Any, builder: Any, signature: Any, width: int = WIDTH) -> None:
        self.target, self.builder, self.signature, self.width = target, builder, signature, width
        self.vector = ir.VectorType(ir.FloatType(), width)
        self.zeros = ir.Constant(self.vector, [0.0] * width)

    def of_width(self, width: int) -> Writer:
        """Return a writer into the same function for vectors of another width."""
        return Writer(self.target, self.builder, self.signature, width)

    def size(self, value: int) -> Any:
        """Return a constant."""
        return ir.Constant(WORD, value)

    def variable(self) -> Any:
        """Return a place for a vector, initially zero; LLVM keeps it in a register."""
        place = self.room(self.vector)
        self.builder.store(self.zeros, place)
        return place

    def room(self, kind: Any) -> Any:
        """Return a place for a value of a type."""
        with self.builder.goto_entry_block():
            return self.builder.alloca(kind)

    @contextmanager
    def loop(self, count: Any) -> Iterator[Any]:
        """Write a loop of `count` rounds, at least one, around the block, which is given the number of the round.

        LLVM must not unroll it: it would load the values of several rounds at once, and move sums out of registers.
        """
        builder, before = self.builder, self.builder.block
        body, after = builder.append_basic_block("body"), builder.append_basic_block("after")
        builder.branch(body)
        builder.position_at_end(body)
        number = builder.phi(WORD)
        number.add_incoming(self.size(0), before)
        yield number
        following = builder.add(number, self.size(1))
        number.add_incoming(following, builder.block)
        again = builder.cbranch(builder.icmp_signed("<", following, count), body, after)
        again.set_metadata("llvm.loop", self._as_written())
        builder.position_at_end(after)

    def _as_written(self) -> Any:
        """Return metadata for a loop that is not to be unrolled; its first operand is itself, as LLVM requires."""
        module = self.builder.module
        node = module.add_metadata([module.add_metadata(["llvm.loop.unroll.disable"])])
        node.operands = (node, node.operands[-1])
        return node

    def array(self, address: Any, length: Any) -> Any:
        """Return an array of the type that the instruction returns, from its address and length."""
        from numba.np.arrayobj import populate_array

        kind = self.signature.return_type
        array, itemsize = self.target.make_array(kind)(self.target, self.builder), self.size(kind.dtype.bitwidth // 8)
        data = self.builder.inttoptr(address, self.target.get_data_type(kind.dtype).as_pointer())
        populate_array(array, data=data, shape=[length], strides=[itemsize], itemsize=itemsize, meminfo=None)
        return array._getvalue()

    def parts(self, position: int, array: Any) -> tuple[Any, Any]:
        """Return an array's address and length."""
        fields = self._fields(position, array)
        return self.builder.ptrtoint(fields.data, WORD), fields.nitems

    def place(self, position: int, array: Any, index: Any) -> Any:
        """Return the address of an array's element."""
        return self.builder.gep(self._fields(position, array).data, [index])

    def offset(self, position: int, table: Any, index: Any) -> Any:
        """Return an entry of a table of offsets."""
        return self.builder.sext(self.builder.load(self.place(position, table, index)), WORD)

    def load(self, position: int, array: Any, index: Any, count: Any = None) -> Any:
        """Return the numbers from an index on; or only the first `count`, then zeros."""
        place = self._vector_at(position, array, index)
        if count is not None:
            name, mask = f"llvm.masked.load.v{self.width}f32.p0", self._first(count)
            return self.call(name, self.vector, place, ir.Constant(INT, 4), mask, self.zeros)
        value = self.builder.load(place)
        value.align = 4
        return value

    def store(self, value: Any, position: int, array: Any, index: Any, count: Any = None) -> None:
        """Write a vector from an index on; or only the first `count` numbers, fewer than it has.

        These are written in pieces of 8, 4, 2 and 1, as far as needed: AVX2's instruction for it is slow, ARM has none.
        """
        builder, place = self.builder, self.place(position, array, index)
        if count is None:
            self._store(value, place)
            return
        rest, to, size = self.room(self.vector), self.room(place.type), self.width // 2
        builder.store(value, rest)
        builder.store(place, to)
        while size:
            with builder.if_then(builder.icmp_signed("!=", builder.and_(count, self.size(size)), self.size(0))):
                value, place = builder.load(rest), builder.load(to)
                self._store(self.mixed(value, value, list(range(size))), place)
                builder.store(self.mixed(value, value, [*range(size, self.width), *range(size)]), rest)
                builder.store(builder.gep(place, [self.size(size)]), to)
            size //= 2

    def _store(self, value: Any, place: Any) -> None:
        self.builder.store(value, self.builder.bitcast(place, value.type.as_pointer())).align = 4

    def spread(self, value: Any) -> Any:
        """Return a vector of copies of one value."""
        nothing = ir.Constant(ir.VectorType(value.type, self.width), ir.Undefined)
        alone = self.builder.insert_element(nothing, value, ir.Constant(INT, 0))
        places = ir.Constant(ir.VectorType(INT, self.width), [0] * self.width)
        return self.builder.shuffle_vector(alone, nothing, places)

    def mixed(self, one: Any, other: Any, places: list[int]) -> Any:
        """Return the numbers at these places of two concatenated vectors."""
        return self.builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(INT, len(places)), places))

    def add_product(self, total: Any, one: Any, other: Any) -> Any:
        """Return total + one * other, fused where the processor can."""
        return self.call(f"llvm.fmuladd.v{self.width}f32", self.vector, one, other, total)

    def at_least(self, value: Any, floor: Any) -> Any:
        """Return the larger of each number and `floor`; NaN stays NaN."""
        least = self.spread(floor)
        return self.builder.select(self.builder.fcmp_ordered("<", value, least), least, value)

    def call(self, name: str, result: Any, *arguments: Any) -> Any:
        """Call a C function or an LLVM intrinsic."""
        module = self.builder.module
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        return self.builder.call(module.globals.get(name) or ir.Function(module, kind, name), arguments)

    def _fields(self, position: int, array: Any) -> Any:
        return self.target.make_helper(self.builder, self.signature.args[position], array)

    def _vector_at(self, position: int, array: Any, index: Any) -> Any:
        return self.builder.bitcast(self.place(position, array, index), self.vector.as_pointer())

    def _first(self, count: Any) -> Any:
        """Return a mask of the first `count` places."""
        places = ir.Constant(ir.VectorType(INT, self.width), list(range(self.width)))
        return self.builder.icmp_signed("<", places, self.spread(self.builder.trunc(count, INT)))
