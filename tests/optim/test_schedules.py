"""Learning-rate schedules: where they begin, peak and end, and that they move one way in between."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from convlens import optim
from convlens.errors import ConfigurationError

PROGRESS = np.linspace(0, 1, 501)


def rates(schedule: optim.Schedule) -> np.ndarray:
    return np.array([schedule.at(float(p)) for p in PROGRESS])


def test_constant() -> None:
    assert set(rates(optim.Constant(0.02))) == {0.02}


def test_cosine() -> None:
    schedule = optim.Cosine(0.1)
    assert schedule.at(0) == 0.1
    assert schedule.at(0.5) == pytest.approx(0.05)
    assert schedule.at(1 / 3) == pytest.approx(0.075)
    assert schedule.at(1) == 0
    assert (np.diff(rates(schedule)) < 0).all()


@pytest.mark.parametrize("steps", [10, 90, 7 * 30])
def test_step_decay_falls_on_the_very_step(steps: int) -> None:
    schedule = optim.StepDecay(0.1, (0.3, 0.9), 0.5)
    taken = [schedule.at(step / steps) for step in range(steps)]
    first, second = round(0.3 * steps), round(0.9 * steps)
    assert taken == [0.1] * first + [0.05] * (second - first) + [0.025] * (steps - second)


def test_step_decay_takes_the_list_that_plain_data_brings() -> None:
    assert optim.StepDecay(0.1, [0.5, 0.75]) == optim.StepDecay(0.1)  # type: ignore[arg-type]


@pytest.mark.parametrize("warm_up", [0.1, 0.3, 0.9])
def test_one_cycle(warm_up: float) -> None:
    schedule = optim.OneCycle(0.3, warm_up, start_divisor=10)
    assert schedule.at(0) == pytest.approx(0.03)
    assert schedule.at(warm_up / 2) == pytest.approx((0.03 + 0.3) / 2)
    assert schedule.at(warm_up) == pytest.approx(0.3)
    assert schedule.at(math.nextafter(warm_up, 0)) == pytest.approx(0.3)
    assert schedule.at((1 + warm_up) / 2) == pytest.approx(0.15)
    assert schedule.at(1) == pytest.approx(0, abs=1e-17)
    changes, rising = np.diff(rates(schedule)), PROGRESS[1:] <= warm_up
    assert (changes[rising] > 0).all()
    assert (changes[PROGRESS[:-1] >= warm_up] < 0).all()


def test_one_cycle_without_a_smaller_start_is_flat_and_then_falls() -> None:
    schedule = optim.OneCycle(0.3, 0.3, start_divisor=1)
    assert schedule.at(0) == schedule.at(0.2) == 0.3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optim.Constant(0), "a learning rate is a number above 0, not 0"),
        (lambda: optim.Cosine(-0.1), "a learning rate is a number above 0, not -0.1"),
        (lambda: optim.Constant(math.inf), "a learning rate is a number above 0, not inf"),
        (lambda: optim.Constant(math.nan), "a learning rate is a number above 0, not nan"),
        (lambda: optim.Constant("fast"), "a learning rate is a number above 0, not 'fast'"),
        (lambda: optim.OneCycle(warm_up=0.0), "warm_up is a share of training between 0 and 1, not 0.0"),
        (lambda: optim.OneCycle(warm_up=1.0), "warm_up is a share of training between 0 and 1, not 1.0"),
        (lambda: optim.OneCycle(start_divisor=0.5), "start_divisor is at least 1, not 0.5"),
        (lambda: optim.StepDecay(factor=1), "factor is a number between 0 and 1, not 1"),
        (lambda: optim.StepDecay(milestones=()), "milestones are rising shares of training between 0 and 1, not ()"),
        (lambda: optim.StepDecay(milestones=0.5), "milestones are rising shares of training between 0 and 1, not 0.5"),
        (
            lambda: optim.StepDecay(milestones=[0.7, 0.7]),
            "milestones are rising shares of training between 0 and 1, not [0.7, 0.7]",
        ),
        (
            lambda: optim.StepDecay(milestones=(0.5, 1)),
            "milestones are rising shares of training between 0 and 1, not (0.5, 1)",
        ),
        (lambda: optim.OneCycle(warm_up="long"), "warm_up is a share of training between 0 and 1, not 'long'"),
    ],
)
def test_settings_that_cannot_be(make: Callable[[], optim.Schedule], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert str(caught.value) == message


def test_schedules_are_found_by_name() -> None:
    assert set(optim.SCHEDULES) == {"Constant", "Cosine", "OneCycle", "StepDecay"}
