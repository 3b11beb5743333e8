"""Kernel sizes 3, 5 and 7: as they are, at equal FLOPs and at equal parameters; whether large ones overfit."""

from __future__ import annotations

from ...models import CNN, matched_cnn
from ..spec import Arm, Estimand, Profile, Study
from ..training import METRICS, configuration
from ..verdict import Region, greater_than, less_than

NAME = "kernel-size"
SMALLEST_EFFECT = 0.001  # a tenth of a point: ten of the 10,000 test images
EPOCHS = 2
TRAIN_IMAGES = 18_000  # of 54,000: accuracies are lower, differences larger, and a trial takes seconds

PROFILES = {
    "quick": Profile("quick", (0,), {"recipe.epochs": 1, "data.train_images": 6_000}),
    "standard": Profile("standard", (0, 1, 2)),
    "full": Profile("full", tuple(range(10)), {"data.train_images": None}),
}

SIZES = (3, 5, 7)
COST = {3: 1.0, 5: 2.5, 7: 4.7}


def study() -> Study:
    """Return the study."""
    arms = [_arm(f"{k}x{k}", CNN(kernel_size=k), COST[k]) for k in SIZES]
    for k in SIZES[1:]:
        equal_flops = matched_cnn(CNN(kernel_size=k), CNN(), "flops", (28, 28, 1), 10)
        as_large = matched_cnn(CNN(), CNN(kernel_size=k), "parameters", (28, 28, 1), 10)
        arms.append(_arm(f"{k}x{k}, equal FLOPs", equal_flops, COST[3]))
        arms.append(_arm(f"3x3 as large as {k}x{k}", as_large, 1.1 * COST[3]))
    comparisons = {
        "": ("3x3", "{k}"),
        ", equal FLOPs": ("3x3", "{k}, equal FLOPs"),
        ", equal parameters": ("3x3 as large as {k}", "{k}"),
    }
    better = tuple(
        _contrast(
            f"3x3 over {k}x{k}{how}",
            "test.accuracy",
            arm.format(k=f"{k}x{k}"),
            reference.format(k=f"{k}x{k}"),
            greater_than(SMALLEST_EFFECT),
        )
        for how, (arm, reference) in comparisons.items()
        for k in SIZES[1:]
    )
    overfitting = (
        _contrast("gap of 7x7 over 3x3", "gap.accuracy", "7x7", "3x3", greater_than(SMALLEST_EFFECT)),
        _contrast("7x7 loses to 3x3", "test.accuracy", "7x7", "3x3", less_than(-SMALLEST_EFFECT)),
    )
    return Study(
        name=NAME,
        question="Which kernel size classifies MNIST best, as is and at equal cost?",
        prediction="As is, 5x5 is a little better than 3x3 and costs 2.5 times as much; at equal FLOPs 3x3 wins.",
        why="A larger kernel sees more at once, but pays for it with the square of its size.",
        factor="kernel size",
        levels=SIZES,
        controls=(
            "same images, order and steps",
            "as is; larger kernels with fewer filters, at equal FLOPs; 3x3 with more filters, at equal parameters",
        ),
        data=("mnist",),
        arms=tuple(arms),
        metrics=METRICS,
        primary=better[0],
        secondary=(*better[1:], *overfitting),
        max_minutes=8,
        sources=("Simonyan & Zisserman, Very deep convolutional networks, ICLR 2015",),
    )


def _arm(name: str, network: CNN, cost: float) -> Arm:
    return Arm(name, configuration(network, train_images=TRAIN_IMAGES, epochs=EPOCHS, name=name), cost)


def _contrast(name: str, metric: str, arm: str, reference: str, region: Region) -> Estimand:
    return Estimand(name, metric, arm, region, reference=reference)
