"""Hierarchy: whether deeper layers tell the digits apart better, and whether that is learnt.

The predictions were written when a check of the programs (one seed, one epoch, 6,000 images, trained weights only)
had run, and no declared seed had.
"""

from __future__ import annotations

from typing import Any

from ..executors.measurement import measurement
from ..measures import measure
from ..metric import joined
from ..profile import for_claims
from ..regime import SECONDS, profiles, training, with_parent
from ..spec import Arm, Estimand, Study
from ..statistics.verdict import greater_than

NAME = "hierarchy"
SMALLEST_EFFECT = 0.01  # a point: ten of the 1,000 images
SELECTIVE = 0.1  # of the index, which goes from 0 to 1

PROBED: dict[str, Any] = {"images": 1000, "train_images": 1000}  # as many as the quick profile has
SELECTED: dict[str, Any] = {"images": 1000}
LAYERS = {
    "CNN": (
        "cnn",
        [("image", "input"), ("block 1", "pool1"), ("block 2", "pool2"), ("dense", "relu3")],
        SECONDS["max"],
        3.0,
    ),
    "dense": (
        "baseline-wide",
        [("image", "input"), ("hidden 1", "relu1"), ("hidden 2", "relu2")],
        SECONDS["dense"],
        1.0,
    ),
}
UNITS = {
    "CNN": [("block 1", "relu1"), ("block 2", "relu2"), ("dense", "relu3")],
    "dense": [("hidden 1", "relu1"), ("hidden 2", "relu2")],
}
BEFORE = ", random weights"
SELECTIVITY = "selectivity, "

PROFILES = profiles(
    ("CNN", f"CNN{BEFORE}", f"{SELECTIVITY}CNN", f"{SELECTIVITY}CNN{BEFORE}"), "what training adds", standard=10
)
PROFILES["claims"] = for_claims(PROFILES["standard"], ("CNN", f"CNN{BEFORE}", "dense", f"{SELECTIVITY}CNN"))


def study() -> Study:
    """Return the study."""
    both = ("trained", "initial")
    probed = [_probed(name, weights) for name in LAYERS for weights in both]
    selected = [_selected(name, weights) for name in UNITS for weights in both]
    return Study(
        name=NAME,
        question="Does a network understand a digit layer by layer, or would random layers do as well?",
        prediction="A linear probe gains 5 to 9 points from the image to the second block of the trained CNN, and 1 to "
        "4 points less with random weights, which already help. The dense network gains less than the CNN by 1 to 4 "
        "points. Class selectivity rises with depth when trained (by 0.3 to 0.6), and hardly with random weights.",
        why="If a network builds its answer step by step, each layer should make the classes easier to tell apart. "
        "Random convolutions with pooling also help, so only what they lack was learnt. The dense network shows "
        "whether that takes convolution.",
        factor="training, by depth",
        levels=("random weights", "trained"),
        controls=(
            "the same networks at their initial weights",
            "a dense network with as many parameters",
            "probes of at most 1,024 features, on every layer fitted alike, and on the image itself",
            "rates tuned for every network",
        ),
        data=("mnist",),
        arms=(*probed, *selected),
        metrics=joined(
            *(
                measure({"name": "probes", "nodes": LAYERS[name][1], **PROBED}).metrics([name, f"{name}{BEFORE}"])
                for name in LAYERS
            ),
            *(
                measure({"name": "selectivity", "nodes": UNITS[name], **SELECTED}).metrics(
                    [f"{SELECTIVITY}{name}", f"{SELECTIVITY}{name}{BEFORE}"]
                )
                for name in UNITS
            ),
        ),
        curves=(
            *measure({"name": "probes", "nodes": LAYERS["CNN"][1], **PROBED}).curves(["CNN", f"CNN{BEFORE}"]),
            *measure({"name": "selectivity", "nodes": UNITS["CNN"], **SELECTED}).curves(
                [f"{SELECTIVITY}CNN", f"{SELECTIVITY}CNN{BEFORE}"]
            ),
        ),
        primary=_probe("what training adds", "probe.accuracy_block 2", "CNN", f"CNN{BEFORE}"),
        secondary=(
            _probe("depth helps the trained CNN", "probe.gain", "CNN"),
            _probe("depth helps at random weights", "probe.gain", f"CNN{BEFORE}"),
            _probe("the CNN gains more than dense", "probe.gain", "CNN", "dense"),
            _probe("what training adds to dense", "probe.gain", "dense", f"dense{BEFORE}"),
            _selective("units become selective with depth", "selectivity.gain", ""),
            _selective("selectivity is learnt", "selectivity.mean_dense", f"{SELECTIVITY}CNN{BEFORE}"),
        ),
        max_minutes=8,
        sources=(
            "Alain & Bengio, Understanding intermediate layers using linear classifier probes, 2016",
            "Morcos et al., On the importance of single directions for generalization, ICLR 2018",
        ),
    )


def _probed(name: str, weights: str) -> Arm:
    network, nodes, training_seconds, seconds = LAYERS[name]
    of = measurement(training(network), "probes", weights=weights, nodes=nodes, **PROBED)
    if weights == "initial":
        return Arm(f"{name}{BEFORE}", of, seconds)
    return Arm(name, of, with_parent(training_seconds, seconds))


def _selected(name: str, weights: str) -> Arm:
    of = measurement(training(LAYERS[name][0]), "selectivity", weights=weights, nodes=UNITS[name], **SELECTED)
    return Arm(f"{SELECTIVITY}{name}{BEFORE if weights == 'initial' else ''}", of, 0.3)


def _probe(name: str, metric: str, arm: str, reference: str | None = None) -> Estimand:
    return Estimand(name, metric, arm, greater_than(SMALLEST_EFFECT), reference)


def _selective(name: str, metric: str, reference: str) -> Estimand:
    return Estimand(name, metric, f"{SELECTIVITY}CNN", greater_than(SELECTIVE), reference or None)
