"""Scripts: a list of compiled calls with all their arguments, run by one call without the GIL.

Calling a compiled function from Python takes some microseconds, and threads wait for the GIL in between. So a function
that plans use is an `Entry`: it is *bound* to its arguments once, and a `Script` of such calls then runs from end to
end without Python. In memory a script is pairs of addresses: of a function, and of its arguments. An argument is a
64-bit word, an array two (address and length).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, groupby
from typing import Any

import numpy as np
from llvmlite import ir

from ..typing import Array
from .native import ARRAY_MAKERS, Native, generated, helper, instruction, native
from .signatures import FLAG, NOTHING, NUMBER, SIZE, WORDS, Kind, kinds_of
from .subnormal import flush, restore
from .writer import WORD


@instruction(NUMBER, SIZE)
def _number(w: Any, word: Any) -> Any:
    return w.builder.bitcast(w.builder.trunc(word, ir.IntType(32)), ir.FloatType())


@instruction(NOTHING, SIZE, SIZE)
def _call(w: Any, function: Any, words: Any) -> None:
    pointer = WORD.as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [pointer])
    w.builder.call(w.builder.inttoptr(function, kind.as_pointer()), [w.builder.inttoptr(words, pointer)])


@instruction(SIZE, SIZE, SIZE)
def _word(w: Any, words: Any, index: Any) -> Any:
    return w.builder.load(w.builder.gep(w.builder.inttoptr(words, WORD.as_pointer()), [index]))


@helper
def run_at(script: int, length: int) -> None:
    """Run the script whose words are at this address."""
    before = flush()
    for i in range(0, length, 2):
        _call(_word(script, i), _word(script, i + 1))
    restore(before)


@native(NOTHING, SIZE, SIZE)
def _run(script: int, length: int) -> None:
    run_at(script, length)


class Call:
    """A function bound to its arguments; the contents of arrays are read when it runs."""

    def __init__(self, function: int, words: Array, arguments: tuple[Any, ...]) -> None:
        self.function, self.words = function, words
        self._arguments = arguments  # arrays must stay where they are

    def __call__(self) -> None:
        """Run it alone."""
        Script([self])()

    def addresses(self) -> Iterator[tuple[int, int]]:
        """Return where in its words the address of an array stands, and the address; empty arrays have none."""
        index = 0
        for argument in self._arguments:
            is_array = isinstance(argument, np.ndarray)
            if is_array and argument.size:
                yield index, int(self.words[index])
            index += 2 if is_array else 1


class Script(partial[None]):
    """Calls that run one after the other; calling it runs them.

    It is the compiled function with its arguments filled in, so that running it costs no Python function.
    """

    calls: tuple[Call, ...]
    place: tuple[int, int]  # address and number of its words
    _words: Array

    def __new__(cls, calls: Sequence[Call]) -> Script:
        words = np.array([(call.function, call.words.ctypes.data) for call in calls], np.int64).reshape(-1)
        place = words.ctypes.data, len(words)
        script = super().__new__(cls, _run.pointer, *map(ctypes.c_int64, place))
        script.calls, script.place, script._words = tuple(calls), place, words
        return script


class Reads:
    """The places in scripts where an array's address stands, so that another array can take its place."""

    def __init__(self, scripts: Iterable[Script], array: Array) -> None:
        self._own = own = array.ctypes.data
        self._places = [
            (call.words, index, address - own)
            for script in scripts
            for call in script.calls
            for index, address in call.addresses()
            if own <= address < own + array.nbytes
        ]

    def point_at(self, place: int | None) -> None:
        """Let scripts read an array of the same size, at this address, from now on; None: their own."""
        address = self._own if place is None else place
        for words, index, offset in self._places:
            words[index] = address + offset


def reads(steps: Sequence[Callable[[], None]], array: Array) -> Reads | None:
    """Return where scripts read an array, if all steps are scripts."""
    scripts = [step for step in steps if isinstance(step, Script)]
    return Reads(scripts, array) if len(scripts) == len(steps) else None


def join(steps: Sequence[Callable[[], None]]) -> list[Callable[[], None]]:
    """Return steps that do the same, with consecutive calls and scripts merged into one script."""
    joined: list[Callable[[], None]] = []
    for scripted, group in groupby(steps, lambda step: isinstance(step, (Call, Script))):
        together = list(group)
        joined += [Script([*chain.from_iterable(map(_calls, together))])] if scripted else together
    return joined


def _calls(step: Callable[[], None]) -> tuple[Call, ...]:
    if isinstance(step, Script):
        return step.calls
    return (step,) if isinstance(step, Call) else ()


class Entry:
    """A compiled function that scripts can call.

    Its arguments are arrays, integers, float32 numbers and flags, as its signature declares them.
    """

    def __init__(self, kinds: Mapping[str, Kind], native: Native) -> None:
        self.kinds, self._native = kinds, native

    def __call__(self, *arguments: Any, **named: Any) -> Call:
        """Bind the function to its arguments, the first by position or all by name.

        Arrays are one-dimensional, contiguous, and of the right dtype.
        """
        given = dict(zip(self.kinds, arguments, strict=False)) | named
        odd = sorted(given.keys() ^ self.kinds.keys())
        assert not odd, f"{self._native.symbol}: missing or unknown: {', '.join(odd)}"
        assert len(arguments) + len(named) == len(self.kinds), f"{self._native.symbol}: given twice"
        words: list[int] = []
        values = tuple(given[name] for name in self.kinds)
        for kind, value in zip(self.kinds.values(), values, strict=True):
            if kind.is_array:
                assert (value.dtype, value.ndim, value.flags.c_contiguous) == (kind.value, 1, True), kind
                words += (value.ctypes.data, len(value))
            elif kind == NUMBER:
                words.append(int(np.float32(value).view(np.int32)))
            else:
                words.append(int(value))
        return Call(self._native.address, np.array(words, np.int64), values)


def entry(function: Callable[..., None]) -> Entry:
    """Compile a function to be called from scripts; its signature declares what it takes (`signatures.kinds_of`)."""
    named = kinds_of(function)
    arguments, index = [], 0
    for kind in named.values():
        word = f"words[{index}]"
        if kind.is_array:
            arguments.append(f"{kind.name}({word}, words[{index + 1}])")
        else:
            arguments.append(f"number({word})" if kind == NUMBER else f"{word} != 0" if kind == FLAG else word)
        index += 2 if kind.is_array else 1
    scope = {"number": _number, **{kind.name: make for kind, make in ARRAY_MAKERS.items() if kind in named.values()}}
    return Entry(named, Native(generated(function, ["words"], arguments, scope), NOTHING, (WORDS,)))
