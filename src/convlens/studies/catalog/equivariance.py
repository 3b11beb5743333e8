"""Equivariance: whether a layer's map moves as the image moves, and which layer breaks that.

The predictions were written when a check of the programs (one seed, one epoch, 6,000 images, max-pooling only) had
run, and no declared seed had.
"""

from __future__ import annotations

from typing import Any

from ...models import CNN
from ..executors.measurement import measurement
from ..measures import measure
from ..metric import joined
from ..profile import for_claims
from ..regime import SECONDS, profiles, training, with_parent
from ..spec import Arm, Estimand, Study
from ..statistics.verdict import greater_than, less_than

NAME = "equivariance"
SMALLEST_EFFECT = 0.1  # of the relative error, which is 1 or more where nothing is left of equivariance
ROUNDING = 1e-5  # of float32
PLACES = ("block 1, convolution", "block 1, output", "block 2, convolution", "block 2, output")
ERROR = "equivariance.interior_at_1_"  # a shift of one pixel, away from the image's edge
HIDDEN = [("hidden 1", "relu1")]
LAST = f"{ERROR}{PLACES[-1]}"

# the nodes of the places, and seconds of the measurement on one thread
NETWORKS: dict[str, tuple[CNN, tuple[str, ...], float]] = {
    "max": (CNN(), ("conv1", "pool1", "conv2", "pool2"), 2),
    "average": (CNN(pooling="average"), ("conv1", "pool1", "conv2", "pool2"), 2),
    "blur": (CNN(pooling="blur"), ("conv1", "blur1", "conv2", "blur2"), 2),
    "strided": (CNN(pooling="strided"), ("conv1", "relu1", "conv2", "relu2"), 1),
    "none": (CNN(pooling="none"), ("conv1", "relu1", "conv2", "relu2"), 4),
}
BEFORE = ", before training"
MEASURED: dict[str, Any] = {"images": 200, "distances": (1, 4)}

PROFILES = profiles(("max", "blur", f"max{BEFORE}", f"none{BEFORE}"), "blur repairs it", standard=5)
PROFILES["claims"] = for_claims(PROFILES["standard"], ("max", "dense"), "the first convolution keeps it")


def study() -> Study:
    """Return the study."""
    trained = [_arm(name) for name in NETWORKS]
    initial = [_arm(name, weights="initial") for name in ("max", "blur", "none")]
    dense = Arm(
        "dense",
        measurement(training("baseline-wide"), "equivariance", nodes=HIDDEN, **MEASURED),
        with_parent(SECONDS["dense"], 0.2),
        description="dense, as many parameters: its first hidden layer",
    )
    maps = measure({"name": "equivariance", "nodes": PLACES, **MEASURED})
    hidden = measure({"name": "equivariance", "nodes": HIDDEN, **MEASURED})
    of_maps = [arm.name for arm in (*trained, *initial)]
    return Study(
        name=NAME,
        question="A convolution's map moves with the image. Does a whole CNN's, and if not, which layer is to blame?",
        prediction="Convolutions are exact. For a shift of one pixel, max-pooling breaks it at once (relative error "
        "0.3 to 0.6), a stride more than that (0.5 to 1), averages and blur less (0.1 to 0.3); training changes this "
        "by less than 0.2. A shift of 4 pixels, which all strides divide, is exact again. Without pooling every map is "
        "exact.",
        why="Keeping every second pixel means that a shift by one pixel shows other pixels, not the same ones "
        "elsewhere. The more neighbours differ, the more that matters; so blurring first should help. A dense layer "
        "has no map to move.",
        factor="pooling",
        levels=(*NETWORKS, "dense"),
        controls=(
            "the same networks before training",
            "a CNN without pooling, whose error must be rounding",
            "a shift that the strides divide, whose error must be rounding",
            "measured where neither padding nor filled-in pixels are seen",
            "rates tuned for every network",
        ),
        data=("mnist",),
        arms=(*trained, *initial, dense),
        metrics=joined(maps.metrics(of_maps), hidden.metrics([dense.name])),
        curves=maps.curves(of_maps),
        primary=_contrast("pooling breaks it", "max", "none"),
        secondary=(
            Estimand("the first convolution keeps it", f"{ERROR}{PLACES[0]}", "max", less_than(ROUNDING)),
            Estimand("the first pooling breaks it", f"{ERROR}{PLACES[1]}", "max", greater_than(SMALLEST_EFFECT)),
            Estimand("without pooling all keep it", LAST, "none", less_than(ROUNDING)),
            Estimand("4 pixels are kept", LAST.replace("at_1", "at_4"), "max", less_than(ROUNDING)),
            Estimand("dense changes", "equivariance.map_at_1_hidden 1", "dense", greater_than(SMALLEST_EFFECT)),
            _contrast("blur repairs it", "max", "blur"),
            _contrast("average breaks it less", "max", "average"),
            _contrast("a stride breaks it more", "strided", "max"),
            _contrast("training makes it worse", "max", f"max{BEFORE}"),
        ),
        max_minutes=8,
        sources=(
            "Lenc & Vedaldi, Understanding image representations by measuring their equivariance and equivalence, "
            "CVPR 2015",
            "Azulay & Weiss, Why do deep convolutional networks generalize so poorly to small image transformations?, "
            "JMLR 2019",
            "Zhang, Making convolutional networks shift-invariant again, ICML 2019",
        ),
        varies="Initial weights and order of the training images; split, images and shifts are the same.",
    )


def _arm(name: str, weights: str = "trained") -> Arm:
    network, nodes, seconds = NETWORKS[name]
    named = list(zip(PLACES, nodes, strict=True))
    of = measurement(training(network, name=name), "equivariance", weights=weights, nodes=named, **MEASURED)
    if weights == "initial":
        return Arm(f"{name}{BEFORE}", of, seconds)
    return Arm(name, of, with_parent(SECONDS[name], seconds))


def _contrast(name: str, arm: str, reference: str) -> Estimand:
    words = f"error of the last map, shift of one pixel, “{arm}” minus “{reference}”"
    return Estimand(name, LAST, arm, greater_than(SMALLEST_EFFECT), reference, words)
