"""The candidates of the search: a stage is a model, seeds, and recipes by name.

A stage may begin where another ends: with the best of its recipes, on other seeds. So the winner of many candidates is
not chosen by the luck of the seeds that it was found with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from convlens.optim import Adam, AdamW, OneCycle
from convlens.train import Recipe
from convlens.train.augmentation import Augmentation


@dataclass(frozen=True)
class Stage:
    """One comparison: every recipe with every seed, on validation.

    Attributes
    ----------
    model, seeds
        What is trained, and the seeds of each recipe.
    recipes
        The candidates by name; empty if they are those of another stage.
    after, keep
        The stage whose `keep` best recipes are the candidates.
    """

    model: str
    seeds: tuple[int, ...]
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    after: str = ""
    keep: int = 0


LIGHT = Augmentation(shift=1, rotation=8, scale=0.08, shear=0.08)
AFFINE = Augmentation(shift=2, rotation=12, scale=0.1, shear=0.1)
STRONG = Augmentation(shift=2.5, rotation=15, scale=0.15, shear=0.2)


def recipe(epochs: int, batch_size: int, peak: float, *, decay: float = 0.02, **settings: Any) -> Recipe:
    """Return a candidate: AdamW along one cycle."""
    settings = {"augmentation": AFFINE, "label_smoothing": 0.1, "ema_decay": 0.998, **settings}
    return Recipe("candidate", AdamW(weight_decay=decay), OneCycle(peak), epochs, batch_size, **settings)


def elastic(augmentation: Augmentation, strength: float, smoothness: float = 4.0) -> Augmentation:
    return replace(augmentation, elastic=strength, smoothness=smoothness)


CNN_SCREEN = {
    "affine alone": recipe(8, 128, 3e-3, decay=0.0, label_smoothing=0.0, ema_decay=None),
    "and decay, smoothing, average": recipe(8, 128, 3e-3),
    "and elastic 15": recipe(8, 128, 3e-3, augmentation=elastic(AFFINE, 15)),
    "and elastic 30": recipe(8, 128, 3e-3, augmentation=elastic(AFFINE, 30)),
    "stronger affine": recipe(8, 128, 3e-3, augmentation=STRONG),
    "elastic 30, no smoothing": recipe(8, 128, 3e-3, augmentation=elastic(AFFINE, 30), label_smoothing=0.0),
}

DENSE_SCREEN = {
    "light": recipe(15, 128, 3e-3, augmentation=LIGHT, label_smoothing=0.0),
    "affine": recipe(15, 128, 3e-3, label_smoothing=0.0),
    "light, smoothing": recipe(15, 128, 3e-3, augmentation=LIGHT),
    "light, elastic 15": recipe(15, 128, 3e-3, augmentation=elastic(LIGHT, 15), label_smoothing=0.0),
    "light, elastic 30": recipe(15, 128, 3e-3, augmentation=elastic(LIGHT, 30), label_smoothing=0.0),
    "affine, elastic 30": recipe(15, 128, 3e-3, augmentation=elastic(AFFINE, 30), label_smoothing=0.0),
    "light, elastic 30, peak 6e-3": recipe(15, 128, 6e-3, augmentation=elastic(LIGHT, 30), label_smoothing=0.0),
}

CNN_FINALISTS = {
    "affine": recipe(16, 128, 3e-3),
    "affine, elastic 8": recipe(16, 128, 3e-3, augmentation=elastic(AFFINE, 8)),
    "stronger affine": recipe(16, 128, 3e-3, augmentation=STRONG),
}

DENSE_FINALISTS = {
    "light, elastic 15": recipe(25, 128, 3e-3, augmentation=elastic(LIGHT, 15), label_smoothing=0.0),
    "light, elastic 15, smoothing": recipe(25, 128, 3e-3, augmentation=elastic(LIGHT, 15)),
    "affine, elastic 8, smoothing": recipe(25, 128, 3e-3, augmentation=elastic(AFFINE, 8)),
}


def quick(epochs: int, batch_size: int, peak: float, **settings: Any) -> Recipe:
    """Return a candidate for the speedrun: Adam along one cycle."""
    return Recipe("candidate", Adam(), OneCycle(peak, **settings.pop("cycle", {})), epochs, batch_size, **settings)


SPEEDRUN_SCREEN = {
    f"{epochs} epochs, batch {batch_size}, peak {peak:g}": quick(epochs, batch_size, peak)
    for epochs, batch_size, peak in (
        (2, 64, 5e-3),
        (2, 128, 5e-3),
        (2, 128, 8e-3),
        (2, 256, 8e-3),
        (3, 128, 5e-3),
        (3, 256, 8e-3),
    )
}

SPEEDRUN_TUNING = {
    "batch 128, peak 8e-3": quick(3, 128, 8e-3),
    "batch 128, peak 8e-3, smoothing": quick(3, 128, 8e-3, label_smoothing=0.1),
    "batch 128, peak 8e-3, average": quick(3, 128, 8e-3, ema_decay=0.99),
    "batch 128, peak 8e-3, warm-up 0.15": quick(3, 128, 8e-3, cycle={"warm_up": 0.15}),
    "batch 128, peak 8e-3, shift 1": quick(3, 128, 8e-3, augmentation=Augmentation(shift=1)),
    "batch 256, peak 12e-3": quick(3, 256, 12e-3),
}

SHIFT = Augmentation(shift=1)
SPEEDRUN_FINALISTS = {
    "2 epochs, batch 128, peak 8e-3": quick(2, 128, 8e-3, label_smoothing=0.1, augmentation=SHIFT),
    "2 epochs, batch 64, peak 6e-3": quick(2, 64, 6e-3, label_smoothing=0.1, augmentation=SHIFT),
    "3 epochs, batch 128, peak 8e-3": quick(3, 128, 8e-3, label_smoothing=0.1, augmentation=SHIFT),
    "3 epochs, batch 256, peak 12e-3": quick(3, 256, 12e-3, label_smoothing=0.1, augmentation=SHIFT),
}


CHOICES: dict[str, tuple[Any, ...]] = {
    "batch": (32, 64, 128),
    "peak": (4e-3, 6e-3, 8e-3, 1e-2, 1.4e-2),
    "betas": ((0.9, 0.999), (0.9, 0.99), (0.85, 0.97), (0.8, 0.95), (0.7, 0.9)),
    "smoothing": (0.0, 0.05, 0.1, 0.2),
    "warm-up": (0.1, 0.2, 0.3, 0.4),
    "decay": (0.0, 0.01, 0.05),
    "shift": (0, 0, 0, 1),
}
SLOWER = {**CHOICES, "peak": (2e-3, 3e-3, 5e-3, 8e-3, 1.2e-2), "shift": (0,), "average": (None, None, 0.99, 0.998)}

# the winners of the two screens were at an edge of what was tried: most decay, shortest warm-up
NEARER = {
    "batch": (16, 32, 64),
    "peak": (6e-3, 8e-3, 1.1e-2),
    "betas": ((0.9, 0.99), (0.85, 0.97), (0.8, 0.95)),
    "smoothing": (0.1, 0.2),
    "warm-up": (0.05, 0.1, 0.2),
    "decay": (0.05, 0.1, 0.2, 0.4),
    "shift": (0, 1, 1),
    "average": (None, None, 0.99),
}
SLOWER_NEARER = {
    **NEARER,
    "batch": (64, 128),
    "peak": (5e-3, 8e-3, 1.2e-2),
    "betas": ((0.9, 0.99), (0.8, 0.95)),
    "smoothing": (0.05, 0.1),
    "warm-up": (0.1, 0.3),
    "decay": (0.05, 0.1, 0.2),
    "shift": (0,),
    "average": (None, 0.99),
}


def drawn(choices: Mapping[str, tuple[Any, ...]], count: int, epochs: int) -> dict[str, Recipe]:
    """Return `count` different recipes whose settings are drawn independently, each value with the same chance.

    Of many settings few matter, and a grid tries each of them at few values: Bergstra & Bengio, "Random search for
    hyper-parameter optimization", 2012.
    """
    generator, found = np.random.default_rng(0), dict[str, Recipe]()
    while len(found) < count:
        of = {name: values[int(generator.integers(len(values)))] for name, values in choices.items()}
        (beta1, beta2), shift = of["betas"], of["shift"]
        title = (
            f"batch {of['batch']}, peak {of['peak']:g}, betas {beta1:g} {beta2:g}, smoothing {of['smoothing']:g}, "
            f"warm-up {of['warm-up']:g}, decay {of['decay']:g}, shift {shift}"
        )
        found[title + (f", average {of['average']}" if of.get("average") else "")] = Recipe(
            "candidate",
            AdamW(weight_decay=of["decay"], beta1=beta1, beta2=beta2),
            OneCycle(of["peak"], warm_up=of["warm-up"]),
            epochs,
            of["batch"],
            label_smoothing=of["smoothing"],
            ema_decay=of.get("average"),
            augmentation=Augmentation(shift=shift) if shift else None,
        )
    return found


BEFORE = Recipe("candidate", Adam(), OneCycle(5e-3), 3, 64)
GOOD = {
    "before: batch 64, peak 0.005": BEFORE,
    "batch 128, peak 0.008, betas 0.8 0.95, smoothing 0.05, decay 0.1": Recipe(
        "candidate", AdamW(weight_decay=0.1, beta1=0.8, beta2=0.95), OneCycle(8e-3), 3, 128, label_smoothing=0.05
    ),
    "batch 64, peak 0.005, betas 0.9 0.99, smoothing 0.1, decay 0.1": Recipe(
        "candidate", AdamW(weight_decay=0.1, beta1=0.9, beta2=0.99), OneCycle(5e-3), 3, 64, label_smoothing=0.1
    ),
    "batch 64, peak 0.005, betas 0.9 0.99, smoothing 0.05, decay 0.1": Recipe(
        "candidate", AdamW(weight_decay=0.1, beta1=0.9, beta2=0.99), OneCycle(5e-3), 3, 64, label_smoothing=0.05
    ),
}

STAGES = {
    "cnn-screen": Stage("cnn", (0, 1), CNN_SCREEN),
    "dense-screen": Stage("baseline", (0,), DENSE_SCREEN),
    "cnn-finalists": Stage("cnn", (0, 1, 2), CNN_FINALISTS),
    "dense-finalists": Stage("baseline", (0, 1, 2), DENSE_FINALISTS),
    "speedrun-screen": Stage("cnn", (0, 1, 2), SPEEDRUN_SCREEN),
    "speedrun-tuning": Stage("cnn", (0, 1, 2), SPEEDRUN_TUNING),
    "speedrun-finalists": Stage("cnn", (0, 1, 2), SPEEDRUN_FINALISTS),
    "one-epoch-screen": Stage("cnn", (0, 1), drawn(CHOICES, 120, 1)),
    "one-epoch-better": Stage("cnn", (2, 3, 4, 5), after="one-epoch-screen", keep=24),
    "one-epoch-finalists": Stage("cnn", tuple(range(6, 18)), after="one-epoch-better", keep=5),
    "one-epoch-nearer": Stage("cnn", (0, 1, 2), drawn(NEARER, 28, 1)),
    "one-epoch-nearer-finalists": Stage("cnn", tuple(range(6, 18)), after="one-epoch-nearer", keep=3),
    "good-screen": Stage("cnn", (0, 1), drawn(SLOWER, 48, 3)),
    "good-finalists": Stage("cnn", (2, 3, 4, 5, 6, 7), after="good-screen", keep=6),
    "good-nearer": Stage("cnn", (2, 3, 4), drawn(SLOWER_NEARER, 14, 3)),
    "good-chosen": Stage("cnn", tuple(range(8, 14)), GOOD),
    "good-dense-chosen": Stage("baseline", tuple(range(2, 12)), GOOD),
    "good-dense-screen": Stage("baseline", (0, 1), drawn(SLOWER, 60, 3)),
    "good-dense-finalists": Stage("baseline", tuple(range(2, 12)), after="good-dense-screen", keep=8),
}
