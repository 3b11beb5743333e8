"""Kernels of 3x3, 5x5 and 7x7: as they are; at equal FLOPs, parameters or receptive fields; and long on few images.

Equal FLOPs must not shrink the dense layer, which holds nine tenths of the parameters: the filters of the first block
change, and the second block, which feeds it, keeps its 32.
"""

from __future__ import annotations

from ...models import CNN, Matched, match
from ..executors.training import METRICS, configuration
from ..profile import for_claims
from ..regime import QUICK_IMAGES, SEEDS, few_images
from ..spec import Arm, Estimand, Metric, Profile, Study
from ..statistics.verdict import Region, greater_than, less_than
from ..tuned import tuned

NAME = "kernel-size"
SMALLEST_EFFECT = 0.001  # a tenth of a point: ten of the 10,000 test images
LARGER_GAP = 0.005  # of the train-minus-validation gap on few images: half a point
LARGER_RISE = 0.01  # of the validation loss above its lowest, in nats
LONG = 40  # epochs on 1,000 images, twice as many as `epochs_for` gives

SIZES = (3, 5, 7)
FASHION = "fashion-mnist"
PROFILES = {
    "quick": Profile("quick", tuple(SEEDS["quick"]), few_images(), arms=("3x3", "5x5", "5x5, equal FLOPs")),
    "standard": Profile("standard", tuple(SEEDS["standard"]), looks=(5, 10)),
    "full": Profile("full", tuple(SEEDS["full"]), looks=(5, 10, 20)),
}
PROFILES["claims"] = for_claims(  # 7x7 as it is, and what is matched to it, take too long
    PROFILES["standard"], ("3x3", "5x5", "5x5, equal FLOPs", "3x3, few images, long", "7x7, few images, long")
)

# approximate seconds on one thread
COST = {3: 15.0, 5: 30.0, 7: 58.0}
WIDER_COST = {5: 29.0, 7: 55.0}
STACKED_COST = {5: 52.0, 7: 80.0}
LONG_COST = {3: 10.0, 5: 19.0, 7: 37.0}


def study() -> Study:
    """Return the study."""
    primary, *secondary = _better()
    return Study(
        name=NAME,
        question="Everybody uses 3x3 kernels. Are they really the best for MNIST, and does 7x7 overfit?",
        prediction="As is, 5x5 is better than 3x3 by 0 to 0.15 points, so 3x3 is not the best, and costs 2.5 times as "
        "much. At equal FLOPs all are within 0.1 points of one another. Two or three layers of 3x3 are better than "
        "one of 5x5 or 7x7 by 0.05 to 0.2 points. On 1,000 images the gap of 7x7 is at most 0.5 points larger than "
        "that of 3x3: 7x7 does not overfit.",
        why="A larger kernel sees more of a digit at once, but its cost grows with the square of its size. Whether the "
        "larger view is worth it depends on what else that cost could buy: more filters, or more layers. In this "
        "network the dense layer holds nine tenths of the weights, so larger kernels hardly make it larger.",
        factor="kernel size",
        levels=SIZES,
        controls=(
            "same images, order and steps; the learning rate tuned for each network on validation, at 6,000 images",
            "at equal FLOPs, larger kernels have fewer filters in the first block (6 and 3 instead of 16)",
            "at equal parameters, 3x3 has more filters in the first block (44 and 87)",
            "at equal receptive fields, two or three layers of 3x3 stand for one of 5x5 or 7x7, at equal widths",
            f"overfitting is looked for where it can be seen: {LONG} epochs on {QUICK_IMAGES:,} images, without label "
            "smoothing; in the gap, and in how far validation loss rises above its lowest",
        ),
        data=("mnist", FASHION),
        arms=_arms(),
        metrics=(*METRICS, _rise()),
        primary=primary,
        secondary=(*secondary, *_overfitting()),
        max_minutes=25,
        sources=(
            "Simonyan & Zisserman, Very deep convolutional networks for large-scale image recognition, ICLR 2015",
        ),
        varies="Initial weights and order of the training images; split and images are the same, but on few images "
        "every seed draws its own.",
    )


def _arms() -> tuple[Arm, ...]:
    arms = [_arm(f"{k}x{k}", CNN(k), COST[k]) for k in SIZES]
    for k in SIZES[1:]:
        fewer = match(lambda n, k=k: CNN(k, (n, 32)), CNN(), "flops", to="3x3")
        wider = match(lambda n: CNN(3, (n, 32)), CNN(k), "parameters", to=f"{k}x{k}")
        deeper = match(lambda n: CNN(further=(3,) * n), CNN(k), "receptive field", to=f"{k}x{k}", free=(range(1, 6),))
        arms.append(_arm(f"{k}x{k}, equal FLOPs", fewer[0], 20.0, fewer[1]))
        arms.append(_arm(f"3x3 as large as {k}x{k}", wider[0], WIDER_COST[k], wider[1]))
        arms.append(_arm(f"3x3 stacked to {k}x{k}", deeper[0], STACKED_COST[k], deeper[1]))
    clothes = [
        Arm(f"{k}x{k}, {FASHION}", tuned(configuration(CNN(k), dataset=FASHION)), COST[k], most_seeds=5)
        for k in SIZES[:2]
    ]
    return (*arms, *(_long(k) for k in SIZES), *clothes)


def _arm(name: str, network: CNN, cost: float, matched: Matched | None = None) -> Arm:
    return Arm(name, tuned(configuration(network, name=name)), cost, matched=matched)


def _long(k: int) -> Arm:
    described = configuration(
        CNN(k), train_images=QUICK_IMAGES, epochs=LONG, seeds={"subset": "trial"}, label_smoothing=0.0, name=f"{k}x{k}"
    )
    return Arm(_long_name(k), tuned(described), LONG_COST[k], most_seeds=5)


def _rise() -> Metric:
    return Metric("rise.validation_loss", "nats", "rise of validation loss", arms=tuple(_long_name(k) for k in SIZES))


def _long_name(k: int) -> str:
    return f"{k}x{k}, few images, long"


def _better() -> tuple[Estimand, ...]:
    """Return the contrasts of 3x3 with the larger kernels; the first is primary."""
    comparisons = {
        "": ("3x3", "{k}"),
        ", equal FLOPs": ("3x3", "{k}, equal FLOPs"),
        ", equal parameters": ("3x3 as large as {k}", "{k}"),
        ", equal receptive fields": ("3x3 stacked to {k}", "{k}"),
    }
    digits = [
        _contrast(
            f"3x3 over {k}x{k}{how}",
            "test.accuracy",
            (arm.format(k=f"{k}x{k}"), reference.format(k=f"{k}x{k}")),
            greater_than(SMALLEST_EFFECT),
            f"kernels of 3x3 minus {k}x{k}{how}",
        )
        for how, (arm, reference) in comparisons.items()
        for k in SIZES[1:]
    ]
    clothes = _contrast(
        f"3x3 over 5x5, {FASHION}",
        "test.accuracy",
        (f"3x3, {FASHION}", f"5x5, {FASHION}"),
        greater_than(SMALLEST_EFFECT),
        "kernels of 3x3 minus 5x5 on Fashion-MNIST",
    )
    return (*digits, clothes)


def _overfitting() -> tuple[Estimand, ...]:
    usual, long = ("7x7", "3x3"), (_long_name(7), _long_name(3))
    words = "kernels of 7x7 minus 3x3"
    return (
        _contrast("gap of 7x7 over 3x3", "gap.accuracy", usual, greater_than(SMALLEST_EFFECT), words),
        _contrast("7x7 loses to 3x3", "test.accuracy", usual, less_than(-SMALLEST_EFFECT), words),
        _contrast("gap of 7x7 over 3x3, long", "gap.accuracy", long, greater_than(LARGER_GAP), f"{words}, long"),
        _contrast(
            "rise of 7x7 over 3x3, long", "rise.validation_loss", long, greater_than(LARGER_RISE), f"{words}, long"
        ),
        _contrast("7x7 loses to 3x3, long", "test.accuracy", long, less_than(-LARGER_GAP), f"{words}, long"),
    )


def _contrast(name: str, metric: str, arms: tuple[str, str], region: Region, words: str) -> Estimand:
    return Estimand(name, metric, arms[0], region, arms[1], words)
