"""Receptive field: how much of the image a unit could see, and how much of it matters, before and after training.

The predictions were written when a check of the programs (one seed, one epoch, 6,000 images, one network) had run, and
no declared seed had.
"""

from __future__ import annotations

from typing import Any

from ...models import CNN
from ..executors.measurement import measurement
from ..executors.training import configuration
from ..measures import measure
from ..metric import joined
from ..regime import SECONDS, TRAIN_IMAGES, profiles, training, with_parent
from ..spec import Arm, Estimand, Study
from ..statistics.verdict import greater_than, less_than

NAME = "receptive-field"
SMALLEST_EFFECT = 0.5  # pixels
FILLED = 0.95  # the effective field's side is smaller than the theoretical one's by a twentieth or more

# seconds on one thread of a training
NETWORKS: dict[str, tuple[CNN, tuple[str, str], float]] = {
    "3x3": (CNN(), ("pool1", "pool2"), SECONDS["max"]),
    "5x5": (CNN(kernel_size=5), ("pool1", "pool2"), 13),
    "two 3x3": (CNN(further=(3,)), ("pool1", "pool2"), 21),
}
DEPTHS = (1, 2, 4, 8)  # of 3x3 layers, one on the other
BEFORE = ", before training"
MEASURED: dict[str, Any] = {"images": 200, "reach": 8}
STACK = "3x3 layers before training"

PROFILES = profiles(
    ("3x3", f"3x3{BEFORE}", *(f"{depth} deep" for depth in DEPTHS)), "training enlarges it", measured=True
)


def study() -> Study:
    """Return the study."""
    networks = [_arm(name, weights) for name in NETWORKS for weights in ("trained", "initial")]
    stacks = [_stack(depth) for depth in DEPTHS]
    blocks = measure({"name": "receptive-field", "nodes": ["block 1", "block 2"], **MEASURED})
    top = measure({"name": "receptive-field", "nodes": ["top"], **MEASURED})
    of_networks = [arm.name for arm in networks]
    return Study(
        name=NAME,
        question="How much of the image does a unit really look at, and does training widen its view?",
        prediction="The effective field is 5 to 20 % narrower than the theoretical one, before training and after. "
        "Training widens it by 0 to 1 pixel. Two layers of 3x3 see less than one of 5x5 by 0.5 to 2 pixels, though in "
        "theory they see the same; and with depth, the share that is used falls, from 1 to about 0.6 at 8 layers.",
        why="Theory counts the pixels that could matter. Those in the middle reach a unit on many paths, those at the "
        "rim on one, so the rim hardly counts, the less the more layers there are. Training may strengthen what "
        "it needs.",
        factor="training, and layers",
        levels=("before training", "after training"),
        controls=(
            "the same networks at their initial weights",
            "theoretical fields of 5x5 and of two 3x3 are the same",
            "one layer of 3x3, whose effective field can only be the theoretical one",
            "rates tuned for every network",
        ),
        data=("mnist",),
        arms=(*networks, *stacks),
        metrics=joined(blocks.metrics(of_networks), top.metrics([arm.name for arm in stacks])),
        curves=blocks.curves(of_networks),
        primary=_contrast("training enlarges it", "3x3", f"3x3{BEFORE}"),
        secondary=(
            _contrast("training spreads it", "3x3", f"3x3{BEFORE}", "spread"),
            _narrower("narrower than in theory, before training", f"3x3{BEFORE}"),
            _narrower("narrower than in theory, trained", "3x3"),
            _contrast("5x5 over two 3x3", "5x5", "two 3x3"),
            _contrast("5x5 over two 3x3, before training", f"5x5{BEFORE}", f"two 3x3{BEFORE}"),
            _contrast("training enlarges that of 5x5", "5x5", f"5x5{BEFORE}"),
            _contrast("training enlarges that of two 3x3", "two 3x3", f"two 3x3{BEFORE}"),
            Estimand(
                "depth narrows it",
                "field.filled_top",
                f"{DEPTHS[-1]} deep",
                less_than(-0.1),
                reference=f"{DEPTHS[1]} deep",
                description="used share of the theoretical field's side, 8 layers minus 2",
            ),
        ),
        max_minutes=10,
        sources=(
            "Araujo, Norris & Sim, Computing receptive fields of convolutional neural networks, Distill 2019",
            "Luo et al., Understanding the effective receptive field in deep convolutional neural networks, NIPS 2016",
        ),
        varies="Initial weights, order of the training images, and the random weights of the gradient's start; split "
        "and images are the same.",
    )


def _arm(name: str, weights: str) -> Arm:
    network, (first, second), seconds = NETWORKS[name]
    nodes = [("block 1", first), ("block 2", second)]
    of = measurement(training(network, name=name), "receptive-field", weights=weights, nodes=nodes, **MEASURED)
    if weights == "initial":
        return Arm(f"{name}{BEFORE}", of, 1)
    return Arm(name, of, with_parent(seconds, 1))


def _stack(depth: int) -> Arm:
    """Return layers of 3x3 without pooling, which are never trained, so that their rate is not tuned."""
    network = CNN(filters=(16,), further=(3,) * (depth - 1), pooling="none", hidden=8)
    of = configuration(network, epochs=1, train_images=TRAIN_IMAGES, name=f"{depth} layers of 3x3")
    nodes = [("top", f"relu{depth}")]
    return Arm(
        f"{depth} deep",
        measurement(of, "receptive-field", weights="initial", nodes=nodes, **MEASURED),
        1,
        description=f"{depth} layers of 3x3, untrained",
        series=STACK,
        level=depth,
    )


def _contrast(name: str, arm: str, reference: str, size: str = "side") -> Estimand:
    words = f"{size} of the effective field after block 2, “{arm}” minus “{reference}”"
    return Estimand(name, f"field.{size}_block 2", arm, greater_than(SMALLEST_EFFECT), reference, words)


def _narrower(name: str, arm: str) -> Estimand:
    words = f"side of the effective field over the theoretical one after block 2, “{arm}”"
    return Estimand(name, "field.filled_block 2", arm, less_than(FILLED), description=words)
