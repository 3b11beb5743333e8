"""The candidates of the search: a stage is a model, seeds, and recipes by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from convlens.optim import Adam, AdamW, OneCycle
from convlens.train import Recipe
from convlens.train.augmentation import Augmentation


@dataclass(frozen=True)
class Stage:
    """One comparison: every recipe with every seed, on validation."""

    model: str
    seeds: tuple[int, ...]
    recipes: Mapping[str, Recipe]


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

STAGES = {
    "cnn-screen": Stage("cnn", (0, 1), CNN_SCREEN),
    "dense-screen": Stage("baseline", (0,), DENSE_SCREEN),
    "cnn-finalists": Stage("cnn", (0, 1, 2), CNN_FINALISTS),
    "dense-finalists": Stage("baseline", (0, 1, 2), DENSE_FINALISTS),
    "speedrun-screen": Stage("cnn", (0, 1, 2), SPEEDRUN_SCREEN),
    "speedrun-tuning": Stage("cnn", (0, 1, 2), SPEEDRUN_TUNING),
    "speedrun-finalists": Stage("cnn", (0, 1, 2), SPEEDRUN_FINALISTS),
}
