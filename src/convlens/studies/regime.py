"""The regime that studies of small networks share: how long they are trained, at which rate, and with which seeds.

Studies that train the same network in the same regime share its trainings, because their seeds are the same too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..models import Architecture
from ..plain import JSON
from ..train import recipe
from .executors.training import configuration
from .profile import Profile
from .tuned import tuned

TRAIN_IMAGES = 18_000
"""Of 54,000: accuracies are lower and differences larger, and a training takes seconds."""

QUICK_IMAGES = 1_000
LEAST_EPOCHS, LEAST_STEPS = 3, 300

SECONDS = {"max": 7.0, "average": 7.0, "strided": 4.0, "blur": 9.0, "none": 105.0, "dense": 2.0}
"""About how long one training takes on one thread: the CNN by its pooling, and the dense network of its size."""

SEEDS = {"quick": range(2000, 2005), "standard": range(1000, 1010), "full": range(3000, 3020)}
"""Every profile has seeds of its own."""


def epochs_for(train_images: int, batch_size: int = 64) -> int:
    """Return how long any network is trained on this number of images: 3 epochs, and 300 steps at least.

    Examples
    --------
    >>> [epochs_for(images) for images in (54_000, 18_000, 6_000, 1_000)]
    [3, 3, 4, 20]
    """
    steps = max(1, train_images // batch_size)
    return max(LEAST_EPOCHS, math.ceil(LEAST_STEPS / steps))


def training(
    model: str | Architecture, *, dataset: str = "mnist", permute: int | None = None, name: str = "", **changes: Any
) -> dict[str, Any]:
    """Return the configuration of a training in this regime, with its tuned rate; see `configuration`.

    Parameters
    ----------
    model, dataset, permute, name
        As for `convlens.studies.executors.training.configuration`.
    changes
        Settings of the recipe to change: ``augmentation={"shift": 8}``.
    """
    epochs = epochs_for(TRAIN_IMAGES, recipe("good").batch_size)
    return tuned(
        configuration(
            model, epochs=epochs, dataset=dataset, train_images=TRAIN_IMAGES, permute=permute, name=name, **changes
        )
    )


def few_images() -> dict[str, JSON]:
    """Return overrides that train every arm on `QUICK_IMAGES` images, of which every seed draws its own."""
    return {
        "data.train_images": QUICK_IMAGES,
        "recipe.epochs": epochs_for(QUICK_IMAGES),
        "seeds.subset": "trial",
    }


def profiles(
    quick_arms: Sequence[str], quick_primary: str, *, measured: bool = True, trained: bool = False, standard: int = 10
) -> dict[str, Profile]:
    """Return the three profiles of a study in this regime.

    Parameters
    ----------
    quick_arms, quick_primary
        Arms of the quick profile, and its primary estimand.
    measured, trained
        Whether the study has arms that measure networks, and arms that are trainings themselves.
    standard
        Number of seeds of the standard profile; one look. The full one has 20, looked at after 5, 10 and 20.
    """
    prefixes = [prefix for prefix, wanted in (("", trained), ("of.", measured)) if wanted]
    smaller = {f"{prefix}{place}": value for prefix in prefixes for place, value in few_images().items()}
    quick = Profile("quick", tuple(SEEDS["quick"]), smaller, arms=tuple(quick_arms), primary=quick_primary)
    return {
        "quick": quick,
        "standard": Profile("standard", tuple(SEEDS["standard"][:standard])),
        "full": Profile("full", tuple(SEEDS["full"]), looks=(5, 10, 20)),
    }


def with_parent(training_seconds: float, measurement_seconds: float) -> float:
    """Return the cost of an arm that measures a network: the runner gives it to the training and to the measurement."""
    return (training_seconds + measurement_seconds) / 2
