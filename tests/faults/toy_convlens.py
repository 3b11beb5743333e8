"""The command convlens with the toy data in place of MNIST, so that `reproduce` takes seconds.

``TOY`` names the folder; ``SLOW`` makes every step of training take so many seconds longer.
"""

from __future__ import annotations

import os
import time

from convlens import data
from convlens.__main__ import main
from convlens.studies import training
from convlens.train import loop

toy = data.load(os.environ["TOY"])
training._load = lambda name: toy
training.subset = lambda wanted: toy
step, delay = loop.Training.step, float(os.environ.get("SLOW", "0"))


def slow_step(self: loop.Training, x: object, labels: object) -> None:
    time.sleep(delay)
    step(self, x, labels)


loop.Training.step = slow_step
main()
