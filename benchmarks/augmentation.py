"""What augmentation costs: the rate of training by a recipe, with and without augmentation.

`python benchmarks/augmentation.py cnn best` times both in turn, in one process, and prints the median of the paired
ratios, with their range.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace

import convlens as cl
from convlens.data import Dataset
from convlens.train import Recipe, Training, recipe


def steps(model: str, dataset: Dataset, chosen: Recipe) -> Iterator[int]:
    """Take a step of training at each iteration; yield its number of images."""
    training = Training(cl.models.build(model, seed=0), dataset, chosen, 0)
    while True:
        for x, labels in training.batches.epoch(0):
            training.step(x, labels)
            training.progress.step = 0  # keeps the schedule at its start: only rates matter
            yield len(x)


def rate(taken: Iterator[int], seconds: float) -> float:
    """Return the rate in images/s."""
    images, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        images += next(taken)
    return images / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("recipe")
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    moved = recipe(given.recipe)
    dataset = cl.data.load("mnist")
    runs = [steps(given.model, dataset, chosen) for chosen in (replace(moved, augmentation=None), moved)]
    for run in runs:
        rate(run, 0.5)
    ratios = []
    for _ in range(given.rounds):
        without, with_it = (rate(run, 1.0) for run in runs)
        ratios.append(with_it / without)
    print(
        f"{given.model}, {given.recipe}: with augmentation {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f}) of the rate without; {given.rounds} rounds"
    )


if __name__ == "__main__":
    main()
