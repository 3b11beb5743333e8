"""Matching: the nearest of all, found by trying them; sizes by formulas of their own."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from types import ModuleType

import pytest

from convlens.errors import ConfigurationError
from convlens.models import (
    CNN,
    Architecture,
    DenseNet,
    Matched,
    architectures,
    build,
    dense_of,
    match,
    matching,
    measure,
)
from convlens.models.matching import Measure

SHAPE, CLASSES = (28, 28, 1), 10


def sizes(first: int, second: int, k: int) -> dict[str, int]:
    """Return parameters and FLOPs of the CNN, by hand."""
    multiplied = 784 * k * k * first + 196 * k * k * first * second + 49 * second * 128 + 1280
    weights = k * k * first + k * k * first * second + 49 * second * 128 + 1280
    return {"parameters": weights + first + second + 128 + 10, "flops": 2 * multiplied}


@pytest.mark.parametrize("what", ["parameters", "flops"])
@pytest.mark.parametrize("k", [3, 5, 7])
def test_sizes_are_those_of_the_formulas(what: Measure, k: int) -> None:
    assert measure(CNN(k, (5, 9)), what, SHAPE, CLASSES) == sizes(5, 9, k)[what]


@pytest.mark.parametrize("what", ["parameters", "flops"])
@pytest.mark.parametrize(("k", "target"), [(5, 3), (7, 3), (3, 5), (3, 7)])
def test_a_match_is_the_nearest_of_all(what: Measure, k: int, target: int) -> None:
    goal = sizes(16, 32, target)[what]
    best = min(range(1, 200), key=lambda n: abs(sizes(n, 32, k)[what] - goal))
    found, matched = match(lambda n: CNN(k, (n, 32)), CNN(target), what, to=f"{target}x{target}")
    assert found == CNN(k, (best, 32))
    assert matched == Matched(what, f"{target}x{target}", goal, sizes(best, 32, k)[what])
    assert matched.ratio == pytest.approx(1, abs=0.04)


def test_kernels_matched_in_flops_keep_the_dense_layer_and_match_in_parameters_too() -> None:
    for k in (5, 7):
        found, _ = match(lambda n, k=k: CNN(k, (n, 32)), CNN(), "flops")
        assert measure(found, "parameters", SHAPE, CLASSES) == pytest.approx(206_922, rel=0.002)


def test_two_free_numbers_come_nearer_than_one() -> None:
    goal = sizes(16, 32, 3)["flops"]
    pairs = [(a, b) for a in range(1, 9) for b in range(1, 60)]
    best = min(abs(sizes(a, b, 7)["flops"] - goal) for a, b in pairs)
    _, matched = match(lambda a, b: CNN(7, (a, b)), CNN(), "flops", free=(range(1, 9), range(1, 60)))
    assert abs(matched.got - goal) == best


@pytest.mark.parametrize(("goal", "found"), [("parameters", (229, 114)), ("flops", (960, 480))])
def test_the_baselines_match_the_cnn(goal: Measure, found: tuple[int, int]) -> None:
    def size(n: int) -> int:
        weights = 784 * n + n * (n // 2) + 10 * (n // 2)
        return weights + n + n // 2 + 10 if goal == "parameters" else 2 * weights

    wanted = sizes(16, 32, 3)[goal]
    assert min(range(2, 2000), key=lambda n: abs(size(n) - wanted)) == found[0]
    name = {"parameters": "baseline-wide", "flops": "baseline-flops"}[goal]
    assert build(name).layers == DenseNet(found).layers(CLASSES)


STACK: Callable[[int], Architecture] = lambda n: CNN(further=(3,) * n)  # noqa: E731


@pytest.mark.parametrize(
    ("of", "free", "k", "answer"),
    [
        (STACK, range(9), 5, CNN(further=(3,))),
        (STACK, range(9), 7, CNN(further=(3, 3))),
        (lambda k: CNN(k), range(1, 28, 2), 5, CNN(5)),
        (lambda n: CNN(filters=(8,) * n), range(1, 4), 5, CNN(filters=(8, 8))),  # 4, 10 and 22 pixels: 10 is nearest
    ],
)
def test_receptive_fields_match(of: Callable[[int], Architecture], free: range, k: int, answer: Architecture) -> None:
    found, matched = match(of, CNN(k), "receptive field", free=(free,))
    assert found == answer
    # Araujo 2019: two convolutions of k, each before a pooling of 2 with stride 2
    assert matched.wanted == 1 + (k - 1) * 1 + (2 - 1) * 1 + (k - 1) * 2 + (2 - 1) * 2


@pytest.mark.parametrize("network", [CNN(5, global_average=True), CNN(5, shared=False), CNN(5, further=(1,))])
def test_what_does_not_widen_the_receptive_field(network: CNN) -> None:
    assert measure(network, "receptive field", SHAPE, CLASSES) == 16


def test_a_dense_net_of_the_same_units() -> None:
    network = CNN(3, (8, 16), pooling="strided", shared=False, hidden=64)
    assert dense_of(network) == DenseNet((14 * 14 * 8, 7 * 7 * 16, 64))
    assert measure(DenseNet((3,)), "receptive field", SHAPE, CLASSES) == 1


def test_matched_is_plain_data() -> None:
    matched = Matched("flops", "3x3", 100, 110)
    assert Matched.from_dict(matched.to_dict()) == matched
    assert matched.ratio == 1.1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: match(CNN, CNN(), "flop"), "cannot match the measure 'flop'; did you mean 'flops'"),
        (lambda: match(CNN, CNN(), "flops", free=()), "free is a range of values for each free number"),
        (lambda: match(CNN, CNN(), "flops", free=(range(0),)), "free is a range"),
        (lambda: Matched("flops", "3x3", 0, 1), "above 0"),
        (lambda: Matched.from_dict({"measure": "flops", "two": "3x3"}), "unknown key 'two'"),
    ],
)
def test_wrong_requests_say_what_is_right(wrong: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        wrong()


@pytest.mark.parametrize("module", [architectures, matching])
def test_examples_print_what_they_say(module: ModuleType) -> None:
    results = doctest.testmod(module)
    assert results.attempted
    assert not results.failed
