"""How often the two-way interval covers digits in general: real networks, and images that none was trained on.

    python benchmarks/general.py [--seeds N]

Trains a dense network and a CNN, 10,000 images and one epoch each, under many seeds. Of the other training images of
MNIST, 42,000 that no network saw stand for all digits there are, and these seeds for all seeds: the true difference of
the two accuracies is the mean over both. A simulated study draws n seeds and 2,000 or 10,000 images, with replacement,
so that its draws are independent, and asks whether the interval over seeds, and the two-way interval, cover that truth.
Writes results/general.json.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import numpy as np

import convlens as cl
from convlens.data import Dataset, Examples
from convlens.studies.statistics.stats import mean_estimate
from convlens.studies.statistics.two_way import Components, two_way

RESULTS = Path(__file__).parent / "results" / "general.json"
NETWORKS = {"dense": {"name": "baseline"}, "cnn": {"name": "cnn", "filters": (8, 16)}}
TRAINED, OTHERS = 10_000, 42_000
STUDIES = 2000
NS, IMAGES = (5, 10, 20), (2_000, 10_000)
FIRST_SEED = 5_000  # of no study


def correct(network: str, seed: int, digits: Dataset, others: Examples) -> np.ndarray:
    """Return whether each of the other images is read right by the network, trained with the seed."""
    settings = dict(NETWORKS[network])
    model = cl.models.build(settings.pop("name"), seed=seed, **settings)
    cl.train.fit(model, digits, recipe="good", epochs=1, seed=seed, test=False, doubt=False, progress=False)
    return model.predict(others.images) == others.labels


def differences(seeds: int) -> np.ndarray:
    """Return (seeds, OTHERS): correct by the CNN minus correct by the dense network, -1, 0 or 1."""
    whole = cl.data.load("mnist")
    order = np.random.default_rng(0).permutation(len(whole.train))
    others = whole.train.take(order[TRAINED : TRAINED + OTHERS])
    digits = dataclasses.replace(whole, train=whole.train.take(order[:TRAINED]))
    rows = []
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        dense, cnn = (correct(network, seed, digits, others).astype(np.int8) for network in NETWORKS)
        rows.append(cnn - dense)
        print(f"seed {seed}: {100 * rows[-1].mean():+.2f} points", file=sys.stderr, flush=True)
    return np.array(rows)


def coverage(table: np.ndarray, n: int, images: int, studies: int = STUDIES) -> dict[str, float]:
    """Return the share of simulated studies whose intervals cover the mean of the whole table."""
    draw, true = np.random.default_rng([n, images]), float(table.mean())
    seeds = both = 0
    for _ in range(studies):
        rows = draw.integers(len(table), size=n)
        drawn = table[rows[:, None], draw.integers(table.shape[1], size=images)]
        over_seeds = mean_estimate(drawn.mean(axis=1)).interval()
        general = two_way(Components.of(drawn)).interval()
        seeds += over_seeds.low <= true <= over_seeds.high
        both += general.low <= true <= general.high
    return {"two_way": both / studies, "seeds": seeds / studies}


def main() -> None:
    """Train, simulate and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=100)
    table = differences(parser.parse_args().seeds)
    found = {
        "seeds": len(table), "images": table.shape[1], "studies": STUDIES, "difference": float(table.mean()),
        "coverage": {f"{n} seeds, {images:,} images": coverage(table, n, images) for n in NS for images in IMAGES},
    }  # fmt: skip
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
