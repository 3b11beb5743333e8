"""Making two models comparable: the same number of parameters, or the same FLOPs.

Both searches take the numbers of units or filters that come nearest; the caller can read the remaining difference off
the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from typing import Literal, TypeAlias, TypeVar

from ..nn.model import lower
from ..typing import Shape
from .architectures import CNN, Architecture, DenseNet

Measure: TypeAlias = Literal["parameters", "flops"]
_Net = TypeVar("_Net", bound=Architecture)


@cache
def measure(architecture: Architecture, what: Measure, input_shape: Shape, classes: int) -> int:
    """Return the number of parameters, or of forward FLOPs for one image."""
    program = lower(architecture.layers(classes), input_shape)
    return program.parameter_count if what == "parameters" else program.flops


def matched_dense(target: Architecture, what: Measure, input_shape: Shape, classes: int) -> DenseNet:
    """Return the dense net nearest to `target` in a measure; its second layer is half as wide as its first."""
    goal = measure(target, what, input_shape, classes)

    def of(width: int) -> DenseNet:
        return DenseNet((width, max(1, width // 2)))

    low, high = 1, 1
    while measure(of(high), what, input_shape, classes) < goal:
        low, high = high, 2 * high
    while high - low > 1:  # the measure grows with the width
        middle = (low + high) // 2
        low, high = (middle, high) if measure(of(middle), what, input_shape, classes) < goal else (low, middle)
    return _nearest((of(low), of(high)), goal, lambda net: measure(net, what, input_shape, classes))


def matched_cnn(model: CNN, target: Architecture, what: Measure, input_shape: Shape, classes: int) -> CNN:
    """Return `model` with other numbers of filters, nearest to `target` in a measure.

    The second block has 1.5 to 2.5 times the filters of the first; in the default network it has twice as many.
    """
    goal = measure(target, what, input_shape, classes)
    largest = 2 * max(model.filters)
    candidates = (
        replace(model, filters=(first, second))
        for first in range(1, largest)
        for second in range(max(1, -(-3 * first // 2)), 5 * first // 2 + 1)
    )
    return _nearest(candidates, goal, lambda net: measure(net, what, input_shape, classes))


def _nearest(candidates: Iterable[_Net], goal: int, value: Callable[[_Net], int]) -> _Net:
    return min(candidates, key=lambda net: abs(value(net) - goal))
