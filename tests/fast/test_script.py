"""Scripts: calls with their arguments, run one after the other without Python."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("numba")

from numba.core.errors import NumbaError

from convlens.fast.compiler import object_code
from convlens.fast.script import Script, entry, join
from convlens.fast.signatures import SIZE, Doubles, Indices, Labels
from convlens.typing import Array, Float32


@entry
def note(x: Float32, sums: Doubles, table: Indices, labels: Labels, index: int, factor: float, doubled: bool) -> None:
    x[index] = x[index] * factor + table[0]
    sums[0] += labels[-1]
    if doubled:
        x[index] *= 2


def arguments(x: Array, *rest: float) -> tuple[object, ...]:
    return x, np.zeros(1), np.ones(2, np.int32), np.arange(3), *rest


def test_arguments_of_every_kind_arrive() -> None:
    x, sums = np.array([3, 5], np.float32), np.zeros(1)
    note(x, sums, np.array([7], np.int32), np.array([1, 9]), 1, 0.5, True)()
    assert x.tolist() == [3, 19]
    assert sums.tolist() == [9]


def test_steps_keep_their_order() -> None:
    x = np.array([1], np.float32)
    triple, double = note(*arguments(x, 0, 3, False)), note(*arguments(x, 0, 1, True))

    def subtract() -> None:
        x[0] -= 10

    steps = [triple, double, subtract, double, triple]
    joined = join(steps)
    assert [type(step) for step in joined] == [Script, type(subtract), Script]
    for step in joined:
        step()
    together, x[0] = x[0], 1
    for step in steps:
        step()
    assert together == x[0] == (((1 * 3 + 1 + 1) * 2 - 10 + 1) * 2) * 3 + 1


def test_what_arrays_hold_is_read_when_it_runs_and_kept_alive() -> None:
    x = np.array([1], np.float32)
    script = Script([note(x, np.zeros(1), np.array([5], np.int32), np.arange(3), 0, 2, False) for _ in range(3)])
    x[0] = 100
    np.random.default_rng(0).random(1000)  # what nobody holds would be overwritten
    script()
    assert x[0] == 835


@pytest.mark.parametrize("wrong", [np.zeros(4), np.zeros((2, 2), np.float32), np.zeros(8, np.float32)[::2]])
def test_an_array_of_another_kind_is_refused(wrong: Array) -> None:
    with pytest.raises(AssertionError):
        note(*arguments(wrong, 0, 1, False))


def test_arguments_by_name_are_those_by_position() -> None:
    x = np.array([1], np.float32)
    given = dict(zip(note.kinds, arguments(x, 0, 3, False), strict=True))
    note(**dict(reversed(given.items())))()
    assert x.tolist() == [4]
    with pytest.raises(AssertionError, match="missing or unknown: factor, fctor"):
        note(**{"fctor" if name == "factor" else name: value for name, value in given.items()})
    with pytest.raises(AssertionError, match="given twice"):
        note(x, **given)


def prints(n: int) -> int:
    print(n)
    return n


def allocates(n: int) -> int:
    return len([1] * n)


def exponential(n: int) -> int:
    return int(math.exp(n)) + n // 3


def angle(n: int) -> int:
    return int(math.atan2(n, 3))


@pytest.mark.parametrize("function", [prints, allocates])
def test_what_a_process_without_numba_cannot_run_is_refused(function: Callable[[int], int]) -> None:
    with pytest.raises((AssertionError, NumbaError), match=r"calls .*numba_gil_ensure|NRT required"):
        object_code(function.__name__, function, SIZE, (SIZE,))


@pytest.mark.parametrize("function", [exponential, angle])
def test_a_function_of_the_c_library_is_refused(function: Callable[[int], int]) -> None:
    with pytest.raises(AssertionError, match=f"{function.__name__} calls .*nothing else"):
        object_code(function.__name__, function, SIZE, (SIZE,))
