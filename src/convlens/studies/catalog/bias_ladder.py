"""The bias ladder: dense, locally connected, convolution, pooling, global averages; each rung knows one thing more.

LeCun (1989) went up such a ladder with handwritten digits, one training a network. Here the rungs have the same shapes
and FLOPs as far as possible: what is dense has as many units as the maps of the rung above have values, so it could do
everything that the others do, and would have to learn to.

The prediction was written after one pilot training of each rung, on 6,000 images with a seed of no profile, judged on
validation: it knows that sharing gains little there, and that global averages lose much at a low rate.
"""

from __future__ import annotations

from typing import Any

from ...models import CNN, Architecture, Matched, dense_of, match
from ..executors.training import METRICS, configuration
from ..regime import QUICK_IMAGES, SEEDS, epochs_for
from ..spec import Arm, Estimand, Profile, Study
from ..statistics.verdict import greater_than
from ..tuned import tuned

NAME = "bias-ladder"
SMALLEST_EFFECT = 0.002  # a fifth of a point, at 54,000 images
SMALLEST_EFFECT_FEW = 0.01  # a point, at 1,000 images
FASHION = "fashion-mnist"
SUFFIX_FEW, SUFFIX_FASHION = f", {QUICK_IMAGES:,} images", f", {FASHION}"


def _cnn(**options: Any) -> CNN:
    """Return a rung: kernels of 5x5 as LeCun's, and so narrow that the dense rung is affordable."""
    return CNN(**{"kernel_size": 5, "filters": (8, 16), "hidden": 64, **options})


# the same number of parameters for global averages as for the rung below
_AS_LARGE, _MATCHED = match(lambda units: _cnn(hidden=units, global_average=True), _cnn(), "parameters", to="pooling")

RUNGS: dict[str, tuple[Architecture, str]] = {
    "dense": (dense_of(_cnn(pooling="strided")), "dense: every unit sees every pixel"),
    "local": (_cnn(pooling="strided", shared=False), "locally connected: a unit sees 5x5"),
    "convolution": (_cnn(pooling="strided"), "convolution: and all share their weights"),
    "pooling": (_cnn(), "max-pooling in place of stride 2"),
    "global average": (_cnn(global_average=True), "and only the mean of each channel"),
    "global average, as large": (_AS_LARGE, "the same, with as many parameters"),
}
STEPS = {  # the rung that differs by one thing, and the one below it
    "locality": ("local", "dense"),
    "sharing": ("convolution", "local"),
    "pooling": ("pooling", "convolution"),
    "global average": ("global average", "pooling"),
    "global average, as large": ("global average, as large", "pooling"),
}
# approximate seconds on one thread: 54,000 images and 3 epochs; 1,000 images and 20 epochs
COST = {
    "dense": (55.0, 12.0),
    "local": (9.0, 2.5),
    "convolution": (6.0, 2.0),
    "pooling": (9.0, 2.5),
    "global average": (9.0, 2.5),
    "global average, as large": (9.5, 2.5),
}

PROFILES = {
    "quick": Profile(
        "quick",
        tuple(SEEDS["quick"]),
        arms=tuple(f"{rung}{SUFFIX_FEW}" for rung in RUNGS if rung != "global average, as large"),
        primary=f"sharing{SUFFIX_FEW}",
    ),
    "standard": Profile("standard", tuple(SEEDS["standard"]), looks=(5, 10)),
    "full": Profile("full", tuple(SEEDS["full"]), looks=(5, 10, 20)),
}


def study() -> Study:
    """Return the study."""
    steps = _steps("", SMALLEST_EFFECT)
    primary = steps.pop("sharing")
    few = _steps(SUFFIX_FEW, SMALLEST_EFFECT_FEW)
    clothes = Estimand(
        f"sharing{SUFFIX_FASHION}",
        "test.accuracy",
        f"convolution{SUFFIX_FASHION}",
        greater_than(SMALLEST_EFFECT),
        reference=f"local{SUFFIX_FASHION}",
        description="convolution minus locally connected, on Fashion-MNIST",
    )
    return Study(
        name=NAME,
        question="What makes a CNN good: that it looks locally, that it shares weights, or that it pools?",
        prediction="At 54,000 images locality gains 0 to 0.6 points, sharing -0.2 to 0.4, and pooling 0.3 to 1; global "
        "averages lose 1 to 4 points, because the head no longer knows where, and given the parameters back still lose "
        "at least 0.5. At 1,000 images sharing gains 0 to 2.5 points and pooling 1 to 3. On Fashion-MNIST sharing "
        "gains -0.5 to 0.5.",
        why="Each rung takes a freedom away: to look far, to look differently at every place, to remember where. A "
        "freedom that images do not need is one that the network must learn not to use. So every rung should help "
        "most where there are few images; unless it takes away something that the task needs.",
        factor="what the network knows about images beforehand",
        levels=tuple(RUNGS),
        controls=(
            "same images, order and steps; the learning rate tuned for each rung on validation, at 6,000 images",
            "dense, local and convolution have as many values in every layer; local and convolution equal FLOPs",
            "the price of pooling: its convolutions are computed at every place, which takes 3.4 times the FLOPs",
            "global averages also make the head smaller; one arm has its parameters back, as more hidden units",
            "54,000 images, and 1,000, another subset for every seed",
        ),
        data=("mnist", FASHION),
        arms=_arms(),
        metrics=METRICS,
        primary=primary,
        secondary=(*steps.values(), *few.values(), clothes),
        max_minutes=8,
        sources=(
            "LeCun, Generalization and network design strategies, 1989",
            "d'Ascoli et al., Finding the needle in the haystack with convolutions, NeurIPS 2019",
            "Neyshabur, Towards learning convolutions from scratch, NeurIPS 2020",
        ),
        varies="Initial weights and order of the training images; split and images are the same, but of 1,000 images "
        "every seed draws its own.",
    )


def _arms() -> tuple[Arm, ...]:
    all_images = [
        Arm(rung, tuned(configuration(network, name=rung)), COST[rung][0], description=words, matched=_matched(rung))
        for rung, (network, words) in RUNGS.items()
    ]
    few = [
        Arm(
            f"{rung}{SUFFIX_FEW}",
            tuned(
                configuration(
                    network,
                    train_images=QUICK_IMAGES,
                    epochs=epochs_for(QUICK_IMAGES),
                    seeds={"subset": "trial"},
                    name=rung,
                )
            ),
            COST[rung][1],
            description=f"{words}; {QUICK_IMAGES:,} images",
            matched=_matched(rung),
        )
        for rung, (network, words) in RUNGS.items()
    ]
    clothes = [
        Arm(
            f"{rung}{SUFFIX_FASHION}",
            tuned(configuration(RUNGS[rung][0], dataset=FASHION, name=rung)),
            COST[rung][0],
            most_seeds=5,
            description=f"{RUNGS[rung][1]}; Fashion-MNIST",
        )
        for rung in ("local", "convolution")
    ]
    return (*all_images, *few, *clothes)


def _matched(rung: str) -> Matched | None:
    return _MATCHED if RUNGS[rung][0] is _AS_LARGE else None


def _steps(suffix: str, smallest_effect: float) -> dict[str, Estimand]:
    return {
        name: Estimand(
            f"{name}{suffix}",
            "test.accuracy",
            f"{rung}{suffix}",
            greater_than(smallest_effect),
            reference=f"{below}{suffix}",
            description=f"{rung} minus {below}{suffix}",
        )
        for name, (rung, below) in STEPS.items()
    }
