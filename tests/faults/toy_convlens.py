"""The command convlens with the toy data in place of MNIST, so that `reproduce` takes seconds.

``TOY`` names the folder; ``SLOW`` makes every step of training take so many seconds longer. After ``STEPS`` steps of
training the next one lasts until the process is asked to stop, and after ``STUCK`` steps for ever; with ``REPORTS`` a
report is written again and again: so a test can stop it on the way on any machine, however fast or busy. What a test
may wait for is said on the error stream: that a long step has begun, and that the process was asked to stop.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from types import FrameType
from typing import Any

from convlens import data, report
from convlens.__main__ import main
from convlens.claims import reproduction
from convlens.signals import StopRequest
from convlens.studies.executors import training, training_configuration
from convlens.train import loop

toy = data.load(os.environ["TOY"])
toy = replace(toy, class_names=(*toy.class_names, *map(str, range(len(toy.class_names), 10))))  # as many as MNIST's
training.load_data = lambda name: toy
training_configuration.TrainingConfiguration.dataset = lambda self, seed: toy
read = training_configuration.TrainingConfiguration.read


def short(given: Mapping[str, Any], where: str) -> training_configuration.TrainingConfiguration:
    """Read a configuration; the claims' own trainings on few images have up to 40 epochs."""
    found = read(given, where)
    return replace(found, recipe=replace(found.recipe, epochs=1))


training_configuration.TrainingConfiguration.read = short
step, delay = loop.Training.step, float(os.environ.get("SLOW", "0"))
plans = reproduction.plans
TRAINED = ("baseline-vs-cnn", "kernel-size")  # the claims' studies that measure nothing else, nor read tables
reproduction.plans = lambda profile: [one for one in plans(profile) if one[0].name in TRAINED]
limit, stuck = (int(os.environ.get(name, "-1")) for name in ("STEPS", "STUCK"))
taken = 0


class ToyRequest(StopRequest):
    """Says when it was asked to stop."""

    latest: StopRequest

    def __enter__(self) -> StopRequest:
        ToyRequest.latest = self
        return super().__enter__()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        super()._handle(number, frame)
        os.write(2, b"toy: asked to stop\n")


def slow_step(self: loop.Training, x: object, labels: object) -> None:
    global taken
    time.sleep(delay)
    if taken in (limit, stuck):
        os.write(2, b"toy: a long step begins\n")
    while taken == stuck or (taken == limit and not ToyRequest.latest.made):
        time.sleep(0.01)
    taken += 1
    step(self, x, labels)


def write_for_ever(*arguments: Any) -> None:
    while True:
        write_report(*arguments)


loop.Training.step = slow_step
loop.StopRequest = ToyRequest
if "REPORTS" in os.environ:
    write_report = report.write_report
    report.write_report = write_for_ever
if __name__ == "__main__":  # and not where a worker imports this to be like the process that started it
    main()
