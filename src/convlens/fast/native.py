"""Decorators that make compiled functions of Python's; Numba is imported only when something must be compiled.

==============  =======================================================================================================
`helper`        is compiled into each of its callers
`instruction`   writes LLVM instructions into its callers
`native`        is compiled once, as a C function, and called from Python with integers
`linked`        likewise, but called by compiled functions, with arrays
==============  =======================================================================================================

`convlens.fast.script.entry` is the fifth, for functions that scripts call. `make_ready` loads those compiled once, all
together, in the order of their definition.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from functools import cached_property
from typing import Any

from llvmlite import ir

from . import kept
from .linker import link
from .signatures import FLAG, NOTHING, SIZE, Kind, kinds_of
from .writer import WORD, Writer

_lock = threading.RLock()
_waiting: list[Native] = []


def make_ready() -> None:
    """Load all functions defined so far: from disk, or compiled, with a message.

    Raises
    ------
    ImportError
        If something must be compiled and Numba is not installed.
    """
    with _lock:
        while _waiting and _waiting[0].find():
            del _waiting[0]
        if _waiting:
            from .compiler import announced

            with announced() as look:
                while _waiting:
                    look()
                    if not _waiting[0].find():
                        _waiting[0].compile()
                    del _waiting[0]


class Helper:
    """A function that is compiled into each of its callers, and stored with them."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    @cached_property
    def _numba_type_(self) -> Any:
        """What Numba sees where a function that it compiles calls this one."""
        from .compiler import type_of_helper

        return type_of_helper(self.function)


helper: Callable[[Callable[..., Any]], Any] = Helper


class Instruction:
    """A function that writes its own instructions, given a `Writer` and the arguments' values."""

    def __init__(self, write: Callable[..., Any], result: Kind, kinds: tuple[Kind, ...]) -> None:
        self.write, self.result, self.kinds = write, result, kinds
        self.name, self.__doc__ = write.__name__, write.__doc__

    @cached_property
    def _numba_type_(self) -> Any:
        from .compiler import type_of_instruction

        return type_of_instruction(self)


def instruction(result: Kind, *kinds: Kind) -> Callable[[Callable[..., Any]], Any]:
    """Decorate a function that writes an instruction, declaring its result and arguments."""
    return lambda write: Instruction(write, result, kinds)


class Native:
    """A function that is compiled once, with a C function's parameters."""

    def __init__(self, function: Callable[..., Any], result: Kind, kinds: tuple[Kind, ...]) -> None:
        self.function, self.result, self.kinds = function, result, kinds
        self.symbol = f"{function.__module__}.{function.__qualname__}"
        self._address: int | None = None
        _waiting.append(self)

    def find(self) -> bool:
        """Look for it on disk and load it; return whether it was found."""
        code = kept.find(self.function)
        if code is not None:
            self._address = link(self.symbol, code)
        return code is not None

    def compile(self) -> None:
        """Compile it, store it and load it."""
        from .compiler import object_code

        code = object_code(self.symbol, self.function, self.result, self.kinds)
        kept.keep(self.function, code)
        self._address = link(self.symbol, code)

    @property
    def address(self) -> int:
        """Its address in memory."""
        if self._address is None:
            make_ready()
        assert self._address is not None
        return self._address

    @cached_property
    def pointer(self) -> Any:
        """The function as ctypes calls it: without the GIL."""
        result = None if self.result == NOTHING else ctypes.c_int64
        return ctypes.CFUNCTYPE(result, *[ctypes.c_int64] * len(self.kinds))(self.address)

    def __call__(self, *arguments: Any) -> Any:
        """Call it, without the GIL, with integers or objects that stand for them (``_as_parameter_``)."""
        return self.pointer(*arguments)


def native(result: Kind, *kinds: Kind) -> Callable[[Callable[..., Any]], Native]:
    """Compile a function once, to be called from Python."""
    return lambda function: Native(function, result, kinds)


def generated(function: Callable[..., Any], parameters: list[str], arguments: list[str], scope: dict[str, Any]) -> Any:
    """Return a function with other parameters that calls this one, with arguments made from them.

    It has the same name and file, so it is stored under the original's name.
    """
    name = function.__name__
    scope = {"__name__": function.__module__, f"_{name}": Helper(function), **scope}
    source = f"def {name}({', '.join(parameters)}):\n _{name}({', '.join(arguments)})\n"
    exec(compile(source, function.__code__.co_filename, "exec"), scope)  # noqa: S102
    made = scope[name]
    made.__qualname__, made.__doc__ = function.__qualname__, function.__doc__
    return made


def _array(w: Writer, address: Any, length: Any) -> Any:
    """Return an array from its address and length."""
    return w.array(address, length)


ARRAY_MAKERS = {kind: Instruction(_array, kind, (SIZE, SIZE)) for kind in Kind if kind.is_array}


def linked(function: Callable[..., None]) -> Any:
    """Compile once a function without a result, to be called by compiled code; its signature declares what it takes.

    To its callers it is a symbol, as a C library's function is: an array is passed as its address and length, a flag as
    an integer.
    """
    kinds = tuple(kinds_of(function).values())
    parameters, arguments, plain = [], [], list[Kind]()
    for i, kind in enumerate(kinds):
        parameters += [f"a{i}", f"n{i}"] if kind.is_array else [f"a{i}"]
        whole = f"a{i} != 0" if kind == FLAG else f"a{i}"
        arguments.append(f"{kind.name}(a{i}, n{i})" if kind.is_array else whole)
        plain += [SIZE, SIZE] if kind.is_array else [SIZE if kind == FLAG else kind]
    makers = {kind.name: make for kind, make in ARRAY_MAKERS.items() if kind in kinds}
    symbol = Native(generated(function, parameters, arguments, makers), NOTHING, tuple(plain)).symbol

    def write(w: Writer, *values: Any) -> None:
        words: list[Any] = []
        for position, (kind, value) in enumerate(zip(kinds, values, strict=True)):
            if kind.is_array:
                words += w.parts(position, value)
            else:
                words.append(w.builder.zext(value, WORD) if kind == FLAG else value)
        w.call(symbol, ir.VoidType(), *words)

    write.__name__, write.__doc__ = function.__name__, function.__doc__
    return Instruction(write, NOTHING, kinds)
